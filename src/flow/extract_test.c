/* SPDX-License-Identifier: Apache-2.0 */
/* Extraction: each protocol's fields, and what must not be taken for one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "flow/extract.h"
#include "flow/match.h"
#include "packet/headers.h"

#define ETH "020000000001020000000002"
#define IP4_TO "0a0000010a000002" /* 10.0.0.1 to 10.0.0.2 */
#define IP6_TO                                                                 \
	"20010db8000000000000000000000001" /* 2001:db8::1 to ::2 */            \
	"20010db8000000000000000000000002"
#define TCP "04d2005000000001000000025012ffff00000000"
#define E "eth_dst=02:00:00:00:00:01,eth_src=02:00:00:00:00:02"
#define V4 "ip_src=10.0.0.1,ip_dst=10.0.0.2"
#define V6 "ipv6_src=2001:db8::1,ipv6_dst=2001:db8::2"

struct frame {
	uint8_t *bytes; /* exactly its length: one byte more is seen */
	struct packet p;
};

static uint8_t nibble(char c)
{
	return (uint8_t)(c <= '9' ? c - '0' : c - 'a' + 10);
}

static void frame_init(struct frame *f, const char *hex)
{
	uint32_t len = (uint32_t)strlen(hex) / 2;

	memset(f, 0, sizeof(*f));
	f->bytes = xmalloc(MAX(len, 1u));
	for (uint32_t i = 0; i < len; i++)
		f->bytes[i] = (uint8_t)(nibble(hex[2 * i]) << 4 |
					nibble(hex[2 * i + 1]));
	f->p.data = f->p.buf = f->bytes;
	f->p.len = f->p.cap = len;
	f->p.in_port = 1;
}

static void frame_fini(struct frame *f)
{
	free(f->bytes);
}

/* The key of the frame is that of the text, apart from the in-port. */
static void assert_key(const char *hex, const char *text)
{
	struct str got = STR_INIT, want = STR_INIT;
	struct err e = ERR_INIT;
	struct flow_key k, expected;
	struct frame f;

	frame_init(&f, hex);
	flow_key_init(&k);
	assert_int_equal(flow_extract(&f.p, &k), DROP_NONE);
	if (key_parse(text, &expected, &e))
		fail_msg("%s: %s", text, e.text);
	expected.in_port = 1;
	key_format(&k, &got);
	key_format(&expected, &want);
	assert_string_equal(str_text(&got), str_text(&want));
	str_fini(&got);
	str_fini(&want);
	frame_fini(&f);
}

static void each_protocol_has_its_fields(void **state)
{
	(void)state;
	assert_key(ETH "0800"
		       "450000280000000040060000" IP4_TO TCP,
		   "tcp," E "," V4 ",ip_ttl=64,tcp_src=1234,tcp_dst=80,"
		   "tcp_flags=0x12");
	assert_key(ETH "0800"
		       "450000"
		       "1c"
		       "0000000040110000" IP4_TO "0035003600080000",
		   "udp," E "," V4 ",ip_ttl=64,udp_src=53,udp_dst=54");
	assert_key(ETH "0800"
		       "450000"
		       "20"
		       "0000000040840000" IP4_TO "00010002"
		       "0000000000000000",
		   "sctp," E "," V4 ",ip_ttl=64,sctp_src=1,sctp_dst=2");
	assert_key(ETH "0800"
		       "45b8001c0000000040010000" IP4_TO "0800000000010001",
		   "icmp," E "," V4 ",ip_tos=184,ip_ttl=64,icmp_type=8");
	assert_key(ETH "0800"
		       "4500001c0000000001020000" IP4_TO "16000000e1000001",
		   "igmp," E "," V4 ",ip_ttl=1,igmp_type=0x16,"
		   "igmp_group=225.0.0.1");
	assert_key(ETH "0806"
		       "0001080006040001"
		       "020000000002"
		       "0a000001"
		       "000000000000"
		       "0a000002",
		   "arp," E ",arp_op=1,arp_spa=10.0.0.1,arp_tpa=10.0.0.2,"
		   "arp_sha=02:00:00:00:00:02");
	assert_key(ETH "86dd"
		       "6a1234560014063f" IP6_TO TCP,
		   "tcp6," E "," V6 ",ipv6_label=0x23456,ip_tos=161,ip_ttl=63,"
		   "tcp_src=1234,tcp_dst=80,tcp_flags=0x12");
	assert_key(ETH "8847"
		       "00005140",
		   "mpls," E ",mpls_label=5,mpls_bos=1,mpls_ttl=64");
}

static void tags_and_snap_are_looked_through(void **state)
{
	(void)state;
	assert_key(ETH "8100"
		       "200a"
		       "0806",
		   "arp," E ",vlan_tpid=0x8100,"
		   "vlan_vid=10,vlan_pcp=1");
	assert_key(ETH "0024"
		       "aaaa030000000806"
		       "0001080006040002"
		       "020000000002"
		       "0a000001"
		       "000000000000"
		       "0a000002",
		   "arp," E ",arp_op=2,arp_spa=10.0.0.1,arp_tpa=10.0.0.2,"
		   "arp_sha=02:00:00:00:00:02");
	/* Spanning tree: no type at all. */
	assert_key(ETH "0003"
		       "424203",
		   "eth_type=0x5ff," E);
}

#define NS6 "3aff" IP6_TO
#define NS_TARGET                                                              \
	"8700000000000000"                                                     \
	"20010db8000000000000000000000003"
#define NS_KEY                                                                 \
	"icmp6," E "," V6 ",ip_ttl=255,icmpv6_type=135,nd_target=2001:db8::3"

static void neighbour_discovery_with_its_options(void **state)
{
	(void)state;
	assert_key(ETH "86dd"
		       "600000000018" NS6 NS_TARGET,
		   NS_KEY);
	assert_key(ETH "86dd"
		       "600000000020" NS6 NS_TARGET "0101020000000009",
		   NS_KEY ",nd_sll=02:00:00:00:00:09,nd_options_type=1");
	/* An option without length ends nothing: the lot is not believed. */
	assert_key(ETH "86dd"
		       "600000000020" NS6 NS_TARGET "0100020000000009",
		   "icmp6," E "," V6 ",ip_ttl=255,icmpv6_type=135");
	/* One that is longer than the packet. */
	assert_key(ETH "86dd"
		       "600000000020" NS6 NS_TARGET "0102020000000009",
		   "icmp6," E "," V6 ",ip_ttl=255,icmpv6_type=135");
}

static void extension_headers_are_walked(void **state)
{
	(void)state;
	/* hop-by-hop, destination options, TCP */
	assert_key(ETH "86dd"
		       "6000000000240040" IP6_TO "3c00010400000000"
		       "0600010400000000" TCP,
		   "tcp6," E "," V6 ",ip_ttl=64,tcp_src=1234,tcp_dst=80,"
		   "tcp_flags=0x12");
	/* A header that says it is longer than the packet: nothing is known. */
	assert_key(ETH "86dd"
		       "60000000001c0040" IP6_TO "06ff010400000000" TCP,
		   "ipv6," E "," V6 ",ip_ttl=64,ip_proto=59");
}

static void later_fragments_have_no_ports(void **state)
{
	(void)state;
	assert_key(ETH "0800"
		       "450000280000200040060000" IP4_TO TCP,
		   "tcp," E "," V4 ",ip_ttl=64,ip_frag=first,tcp_src=1234,"
		   "tcp_dst=80,tcp_flags=0x12");
	assert_key(ETH "0800"
		       "450000280000000140060000" IP4_TO TCP,
		   "tcp," E "," V4 ",ip_ttl=64,ip_frag=later");
	assert_key(ETH "86dd"
		       "60000000001c2c40" IP6_TO "0600000800000001" TCP,
		   "tcp6," E "," V6 ",ip_ttl=64,ip_frag=later");
}

static void padding_is_not_part_of_a_packet(void **state)
{
	(void)state;
	/* 20 bytes of IP, and padding that looks like TCP (CVE-2020-35498). */
	assert_key(ETH "0800"
		       "450000140000000040060000" IP4_TO TCP,
		   "tcp," E "," V4 ",ip_ttl=64");
	assert_key(ETH "86dd"
		       "6000000000000640" IP6_TO TCP,
		   "tcp6," E "," V6 ",ip_ttl=64");
}

static void what_does_not_parse_stays_zero(void **state)
{
	(void)state;
	/* longer than the frame, a header of 16 bytes, version 5 */
	assert_key(ETH "0800"
		       "450000290000000040060000" IP4_TO TCP,
		   "ip," E);
	assert_key(ETH "0800"
		       "440000280000000040060000" IP4_TO TCP,
		   "ip," E);
	assert_key(ETH "0800"
		       "550000280000000040060000" IP4_TO TCP,
		   "ip," E);
	/* a TCP header of 16 bytes; of 24 where 20 are */
	assert_key(ETH "0800"
		       "450000280000000040060000" IP4_TO
		       "04d2005000000001000000024012ffff00000000",
		   "tcp," E "," V4 ",ip_ttl=64");
	assert_key(ETH "0800"
		       "450000280000000040060000" IP4_TO
		       "04d2005000000001000000026012ffff00000000",
		   "tcp," E "," V4 ",ip_ttl=64");
	/* ICMPv6 in IPv4 is not neighbour discovery */
	assert_key(ETH "0800"
		       "4500002c00000000403a0000" IP4_TO NS_TARGET,
		   "ip,ip_proto=58," E "," V4 ",ip_ttl=64");
}

/* A page that may be read, and behind it one that may not. */
#define PAGE 4096u

static uint8_t *guarded_create(void)
{
	uint8_t *page = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	must(page != MAP_FAILED);
	must(!mprotect(page + PAGE, PAGE, PROT_NONE));
	return page;
}

/* A frame that was cut may lack fields; it has none that the whole one has not,
 * but for its type, which tags and SNAP may no longer say. */
static void assert_cut(uint8_t *page, const struct frame *whole, uint32_t len,
		       const struct flow_key *key)
{
	struct packet p = whole->p;
	struct flow_key cut = { 0 };
	const uint8_t *a = (const uint8_t *)key, *b = (const uint8_t *)&cut;

	p.data = p.buf = page + PAGE - len;
	p.len = p.cap = len;
	memcpy(p.data, whole->bytes, len);
	flow_key_init(&cut);
	if (flow_extract(&p, &cut) == DROP_TRUNCATED) {
		assert_true(len < ETH_HEADER_LEN);
		return;
	}
	assert_true(len >= ETH_HEADER_LEN);
	cut.eth_type = key->eth_type;
	for (size_t i = 0; i < sizeof(cut); i++)
		assert_true(!b[i] || b[i] == a[i]);
}

static void a_frame_cut_at_any_byte_has_nothing_new(void **state)
{
	static const char *const frames[] = {
		ETH "0800450000280000000040060000" IP4_TO TCP,
		ETH "0800460000240000000040110000" IP4_TO
		    "0101010000350036000c0000abababab",
		ETH "08004500001c0000000001020000" IP4_TO "16000000e1000001",
		ETH "08060001080006040001020000000002"
		    "0a0000010000000000000a000002",
		ETH "88a800648100200a86dd6000000000240040" IP6_TO
		    "3c000104000000000600010400000000" TCP,
		ETH "86dd6000000000203aff" IP6_TO "8800000060000000"
		    "20010db80000000000000000000000030201020000000009",
		ETH "884700005040000060400000714000008140",
		ETH "894f0fc6010300001234abcdef01abcdef02abcdef03abcdef04",
		ETH "88e708123456",
		ETH "0024aaaa0300000008060001080006040002"
		    "0200000000020a0000010000000000000a000002",
	};
	uint8_t *page = guarded_create();

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(frames); i++) {
		struct flow_key key;
		struct frame f;

		frame_init(&f, frames[i]);
		flow_key_init(&key);
		assert_int_equal(flow_extract(&f.p, &key), DROP_NONE);
		for (uint32_t len = 0; len <= f.p.len; len++)
			assert_cut(page, &f, len, &key);
		frame_fini(&f);
	}
	munmap(page, 2 * PAGE);
}

static void a_frame_without_ethernet_header_is_dropped(void **state)
{
	struct flow_key k;
	struct frame f;

	(void)state;
	flow_key_init(&k);
	frame_init(&f, ETH "08");
	assert_int_equal(flow_extract(&f.p, &k), DROP_TRUNCATED);
	frame_fini(&f);
}

static void a_layer_is_never_at_the_end_of_a_packet(void **state)
{
	struct flow_key k;
	struct frame f;

	(void)state;
	flow_key_init(&k);
	frame_init(&f, ETH "0800");
	assert_int_equal(flow_extract(&f.p, &k), DROP_NONE);
	assert_int_equal(f.p.l3, PACKET_NO_LAYER);
	frame_fini(&f);
	frame_init(&f, ETH "0800"
			   "450000140000000040060000" IP4_TO);
	assert_int_equal(flow_extract(&f.p, &k), DROP_NONE);
	assert_int_equal(f.p.l3, 14);
	assert_int_equal(f.p.l4, PACKET_NO_LAYER);
	frame_fini(&f);
}

static void a_tunnel_leaves_nothing_for_the_next_packet(void **state)
{
	struct flow_key k, fresh;
	struct frame f;

	(void)state;
	frame_init(&f, ETH "0806");
	flow_key_init(&k);
	f.p.flags = PACKET_TUNNEL;
	f.p.tun.id = 77; /* and no address */
	f.p.tun.flags = TUNNEL_F_KEY;
	assert_int_equal(flow_extract(&f.p, &k), DROP_NONE);
	assert_int_equal(k.tun_id, 77);
	f.p.flags = 0;
	assert_int_equal(flow_extract(&f.p, &k), DROP_NONE);
	flow_key_init(&fresh);
	assert_int_equal(flow_extract(&f.p, &fresh), DROP_NONE);
	assert_memory_equal(&k, &fresh, sizeof(k));
	frame_fini(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_protocol_has_its_fields),
		cmocka_unit_test(tags_and_snap_are_looked_through),
		cmocka_unit_test(neighbour_discovery_with_its_options),
		cmocka_unit_test(extension_headers_are_walked),
		cmocka_unit_test(later_fragments_have_no_ports),
		cmocka_unit_test(padding_is_not_part_of_a_packet),
		cmocka_unit_test(what_does_not_parse_stays_zero),
		cmocka_unit_test(a_frame_cut_at_any_byte_has_nothing_new),
		cmocka_unit_test(a_frame_without_ethernet_header_is_dropped),
		cmocka_unit_test(a_layer_is_never_at_the_end_of_a_packet),
		cmocka_unit_test(a_tunnel_leaves_nothing_for_the_next_packet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
