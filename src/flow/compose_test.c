/* SPDX-License-Identifier: Apache-2.0 */
/* Composing against extraction: random packets' keys become packets again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "flow/compose.h"
#include "flow/extract.h"
#include "flow/match.h"
#include "flow/packet_model.h"
#include "packet/checksum.h"
#include "packet/headers.h"

#define ROUNDS 20000u

static struct packet *composed(struct packet_pool *pool,
			       const struct flow_key *key)
{
	struct packet *p = packet_alloc(pool);

	assert_non_null(p);
	if (compose_packet(key, p))
		return p;
	packet_free(p);
	return NULL;
}

static void assert_sums_right(struct packet *p, const struct flow_key *k)
{
	if (k->eth_type == ETH_TYPE_IP4)
		assert_int_equal(checksum(p->data + p->l3, IP4_HEADER_LEN), 0);
	if (p->l3 != PACKET_NO_LAYER && p->l4 != PACKET_NO_LAYER)
		assert_int_not_equal(packet_csum_verify(p), CSUM_WRONG);
}

static void a_packet_of_every_key_that_packets_have(void **state)
{
	struct packet_pool *pool = packet_pool_create(2);
	uint64_t seed = 7;
	unsigned n = 0;
	(void)state;

	for (unsigned i = 0; i < ROUNDS; i++) {
		struct packet *p = packet_alloc(pool), *q;
		struct flow_key key, again;
		struct model m;

		model_random(&m, &seed);
		model_fill(&m, p);
		flow_key_init(&key);
		assert_int_equal(flow_extract(p, &key), DROP_NONE);
		packet_free(p);
		q = composed(pool, &key);
		if (!q)
			continue;
		n++;
		flow_key_init(&again);
		assert_int_equal(flow_extract(q, &again), DROP_NONE);
		assert_memory_equal(&again, &key, KEY_PACKET_WORDS * 8);
		assert_sums_right(q, &key);
		packet_free(q);
	}
	/* The others have headers that end too early for what they announce. */
	assert_true(n > ROUNDS * 9 / 10);
	packet_pool_destroy(pool);
}

static void assert_composed(struct packet_pool *pool, const char *text,
			    bool want)
{
	struct err e = ERR_INIT;
	struct flow_key key;
	struct packet *p;

	if (key_parse(text, &key, &e))
		fail_msg("%s: %s", text, e.text);
	p = composed(pool, &key);
	if (want != (p != NULL))
		fail_msg("%s: %s", text, want ? "no packet" : "a packet");
	if (!p)
		return;
	assert_sums_right(p, &key);
	packet_free(p);
}

static void words_become_packets(void **state)
{
	struct packet_pool *pool = packet_pool_create(1);
	(void)state;

	assert_composed(pool, "tcp,ip_src=10.0.0.1,ip_dst=10.0.0.2,tcp_dst=80",
			true);
	assert_composed(pool, "tcp,tcp_flags=2", true);
	assert_composed(pool, "udp6,ipv6_src=::1,ipv6_dst=::2,udp_dst=53",
			true);
	assert_composed(pool, "icmp6,icmpv6_type=135,nd_target=fe80::1", true);
	assert_composed(pool, "arp,arp_op=1,arp_tpa=10.0.0.1", true);
	assert_composed(pool, "eth_type=0x5ff", true);
	assert_composed(pool, "sctp,sctp_dst=1", true);
	assert_composed(pool, "ip,ip_frag=later", true);
	assert_composed(pool, "dl_vlan=10,vlan_tpid=0x8100,icmp", true);
	/* A tunnel's words are no part of the frame; NSH is not known. */
	assert_composed(pool, "eth_type=0x894f,nsh_si=3", false);
	packet_pool_destroy(pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_packet_of_every_key_that_packets_have),
		cmocka_unit_test(words_become_packets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
