/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as neighbour discovery: read, decided on, answered, read again. */
#include "l3/nd.h"

#include "packet/headers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_answer(const struct nd_msg *m, const struct nd_decision *d)
{
	struct eth_addr to = { { 2, 0, 0, 0, 0, 7 } };
	uint8_t frame[ND_FRAME_LEN];
	struct nd_msg back;

	nd_answer(m, d, to, frame);
	must(nd_decode(frame + ETH_HEADER_LEN, ND_FRAME_LEN - ETH_HEADER_LEN,
		       true, &back) == DROP_NONE);
	must(ip6_addr_equal(back.target, m->target));
}

static void check(const uint8_t *data, uint32_t len, bool check_csum)
{
	struct nd_ctx c = { .mac = { { 2, 0, 0, 0, 0, 1 } },
			    .for_others = true };
	struct ip_prefix own = { .len = 64 };
	struct nd_decision d;
	struct nd_msg m;

	if (nd_decode(data, len, check_csum, &m) != DROP_NONE)
		return;
	/* The router is whoever is asked for. */
	own.addr = ip_addr_from_ip6(m.target);
	c.own = &own;
	c.n_own = 1;
	d = nd_decide(&m, &c, NULL);
	must(!(d.learn && d.conflict));
	must(!d.learn || !d.news.has_mac || !eth_addr_is_multicast(d.news.mac));
	if (d.answer && !ip6_addr_is_zero(m.target))
		check_answer(&m, &d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > 65535)
		return 0;
	check(data, (uint32_t)size, true);
	check(data, (uint32_t)size, false);
	return 0;
}
