/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as an IP packet that deserves an ICMP error or an echo reply. What is
 * written must be readable, sound, and no error may be due about an error. */
#include "l3/icmp.h"

#include "packet/ip_view.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct icmp_error from4 = {
	.from = { .family = 2, .a = { { [10] = 0xff, 0xff, 192, 0, 2, 1 } } },
	.mtu = 1400,
};
static const struct icmp_error from6 = {
	.from = { .family = 10, .a = { { 0x20, 1, 0xd, 0xb8, [15] = 1 } } },
	.mtu = 1400,
};

static void check_error(struct icmp_error e, enum icmp_kind kind,
			const uint8_t *data, uint32_t len)
{
	uint8_t out[ICMP_ERROR_MAX];
	struct ip_view v;
	uint32_t n;

	e.kind = kind;
	n = icmp_error(&e, data, len, out);
	must(n <= ICMP_ERROR_MAX);
	if (!n)
		return;
	must(icmp_may_answer(kind, data, len, false) == ICMP_ALLOWED);
	must(ip_view_read(out, n, &v) == DROP_NONE && v.total_len == n);
	must(icmp_may_answer(kind, out, n, false) == ICMP_ABOUT_ERROR);
}

static void check_echo(const uint8_t *data, uint32_t len, bool check_csum)
{
	uint8_t *out = xmalloc(len ? len : 1);
	uint32_t n = icmp_echo_reply(data, len, check_csum, out);
	struct ip_view v;

	must(n <= len);
	if (n)
		must(ip_view_read(out, n, &v) == DROP_NONE && v.total_len == n);
	free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint32_t len = (uint32_t)size;

	if (size > 65535)
		return 0;
	for (int kind = ICMP_TTL; kind <= ICMP_PROTOCOL; kind++) {
		check_error(from4, (enum icmp_kind)kind, data, len);
		check_error(from6, (enum icmp_kind)kind, data, len);
	}
	check_echo(data, len, true);
	check_echo(data, len, false);
	return 0;
}
