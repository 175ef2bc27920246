/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: addresses as text. What parses survives its own format. */
#include <string.h>

#include "base/addr.h"
#include "base/defs.h"

#define TEXT_MAX 128u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void eth_round_trip(const char *text)
{
	char again[ETH_STR_LEN];
	struct eth_addr a, b;

	if (eth_addr_parse(text, &a))
		return;
	must(!eth_addr_parse(eth_addr_format(a, again), &b));
	must(!memcmp(&a, &b, sizeof(a)));
}

static void ip_round_trip(const char *text)
{
	char again[IP_STR_LEN];
	struct ip_addr a, b;

	if (ip_addr_parse(text, &a))
		return;
	must(!ip_addr_parse(ip_addr_format(&a, again), &b));
	must(!memcmp(&a, &b, sizeof(a)));
}

static void prefix_round_trip(const char *text)
{
	char again[PREFIX_STR_LEN];
	struct ip_prefix a, b;

	if (ip_prefix_parse(text, &a))
		return;
	must(!ip_prefix_parse(ip_prefix_format(&a, again), &b));
	must(ip_prefix_equal(&a, &b));
	must(ip_prefix_contains(&a, &a.addr));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[TEXT_MAX];

	if (size >= sizeof(text))
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	eth_round_trip(text);
	ip_round_trip(text);
	prefix_round_trip(text);
	return 0;
}
