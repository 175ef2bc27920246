/* SPDX-License-Identifier: Apache-2.0 */
#include "packet/print.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "packet/headers.h"
#include "packet/outer.h"
#include "packet/test_frame.h"

static uint8_t bytes[FRAME_MAX];

static void check_line(const void *frame, uint32_t len, uint32_t type,
		       const char *want)
{
	struct str s = STR_INIT;

	packet_format(frame, len, type, &s);
	assert_string_equal(str_text(&s), want);
	str_fini(&s);
}

static void check_spec(const struct frame_spec *s, const char *want)
{
	struct frame_layout f = frame_build(s, bytes);

	check_line(bytes, f.len,
		   !s->layer3 ? PACKET_TYPE_ETHERNET :
		   s->ip6     ? PACKET_TYPE_IP6 :
				PACKET_TYPE_IP4,
		   want);
}

static void transport_is_told_with_ports(void **state)
{
	struct frame_spec s = { .n_tags = 2,
				.tpid = { 0x88a8, 0x8100 },
				.tci = { 100, 3u << 13 | 7 },
				.host = 1,
				.sport = 1234,
				.dport = 80,
				.seq = 5,
				.ack = 9,
				.flags = TCP_SYN | TCP_ACK | TCP_ECE,
				.window = 500,
				.timestamps = 1,
				.payload = "hello",
				.payload_len = 5 };

	(void)state;
	check_spec(&s, "02:00:00:00:00:02 > 02:00:00:00:00:01, svlan 100, "
		       "vlan 7 pcp 3, 192.0.2.1:1234 > 198.51.100.2:80 TCP "
		       "[S.E] seq 5 ack 9 win 500 data 5, 79 bytes");
	s.n_tags = 0;
	s.ip6 = s.layer3 = s.dst_options = true;
	s.proto = IP_PROTO_UDP;
	s.ttl = 1;
	check_spec(&s, "[2001:db8:1::1]:1234 > [2001:db8:1::fe]:80 UDP data 5 "
		       "ttl 1, 61 bytes");
	s.proto = IP_PROTO_SCTP;
	s.ttl = 2;
	check_spec(&s, "[2001:db8:1::1]:1234 > [2001:db8:1::fe]:80 SCTP, "
		       "65 bytes");
	s.proto = 99;
	check_spec(&s, "2001:db8:1::1 > 2001:db8:1::fe protocol 99, 53 bytes");
}

static void control_messages_are_told_in_words(void **state)
{
	static const uint8_t echo[8] = { 8, 0, 0, 0, 0, 7, 0, 3 };
	static const uint8_t frag_needed[8] = { 3, 4, 0, 0, 0, 0, 5, 0x78 };
	uint8_t ns[24] = { 135 };
	struct frame_spec s = { .layer3 = true,
				.proto = IP_PROTO_ICMP,
				.payload = echo,
				.payload_len = 8 };

	(void)state;
	check_spec(&s, "192.0.2.0 > 198.51.100.2 ICMP echo request id 7 seq 3, "
		       "28 bytes");
	s.payload = frag_needed;
	check_spec(&s, "192.0.2.0 > 198.51.100.2 ICMP unreachable code 4 "
		       "mtu 1400, 28 bytes");
	ns[8] = 0xfe;
	ns[9] = 0x80;
	ns[23] = 5;
	s.ip6 = true;
	s.proto = IP_PROTO_DSTOPTS;
	s.payload_len = 0;
	check_spec(&s, "IP [cut short], 40 bytes");
	s.proto = 58;
	frame_build(&s, bytes);
	memcpy(bytes + 40, ns, sizeof(ns));
	put_be16(bytes + 4, sizeof(ns));
	check_line(bytes, 64, PACKET_TYPE_IP6,
		   "2001:db8:1:: > 2001:db8:1::fe ICMPv6 neighbour "
		   "solicitation of fe80::5, 64 bytes");
}

static void arp_is_told_as_a_question_and_an_answer(void **state)
{
	static const uint8_t arp[28] = { 0, 1, 8, 0, 6,  4, 0, 1, 2, 0,
					 0, 0, 0, 9, 10, 0, 0, 1, 0, 0,
					 0, 0, 0, 0, 10, 0, 0, 2 };
	struct frame_spec s = { .eth_type = ETH_TYPE_ARP,
				.payload = arp,
				.payload_len = sizeof(arp) };

	(void)state;
	check_spec(&s, "02:00:00:00:00:02 > 02:00:00:00:00:01, ARP who has "
		       "10.0.0.2 tell 10.0.0.1, 42 bytes");
	frame_build(&s, bytes);
	bytes[21] = 2;
	check_line(bytes, 42, PACKET_TYPE_ETHERNET,
		   "02:00:00:00:00:02 > 02:00:00:00:00:01, ARP 10.0.0.1 is at "
		   "02:00:00:00:00:09, 42 bytes");
}

static void spanning_tree_and_strangers_are_told_by_number(void **state)
{
	static const uint8_t bpdu[5] = { 0x42, 0x42, 3, 0, 0 };
	struct frame_spec s = { .eth_type = 5,
				.payload = bpdu,
				.payload_len = 5 };

	(void)state;
	check_spec(&s, "02:00:00:00:00:02 > 02:00:00:00:00:01, LLC 0x42 > 0x42 "
		       "data 2, 19 bytes");
	s.eth_type = 0x88cc;
	check_spec(&s, "02:00:00:00:00:02 > 02:00:00:00:00:01, type 0x88cc "
		       "data 5, 19 bytes");
}

static void tunnels_show_what_is_inside(void **state)
{
	uint8_t body[100] = { 8, 0, 0, 0, 0, 0, 5 };
	struct frame_spec in = { .eth_type = 0x88cc };
	struct frame_spec s = { .layer3 = true,
				.proto = IP_PROTO_UDP,
				.sport = 5,
				.dport = PORT_VXLAN,
				.payload = body,
				.payload_len = 22 };

	(void)state;
	frame_build(&in, body + 8);
	check_spec(&s,
		   "192.0.2.0:5 > 198.51.100.2:4789 UDP data 22 VXLAN vni 5 "
		   "{ 02:00:00:00:00:02 > 02:00:00:00:00:01, type 0x88cc "
		   "data 0 }, 50 bytes");
	s.payload_len = 12;
	check_spec(&s,
		   "192.0.2.0:5 > 198.51.100.2:4789 UDP data 12 VXLAN vni 5 "
		   "{ Ethernet [cut short] }, 40 bytes");
	put_be32(body, 0x20006558);
	s.proto = IP_PROTO_GRE;
	s.payload_len = 22;
	check_spec(&s, "192.0.2.0 > 198.51.100.2 GRE key 1280 { "
		       "02:00:00:00:00:02 > 02:00:00:00:00:01, type 0x88cc "
		       "data 0 }, 42 bytes");
}

/* Tunnels in tunnels, each of which parses: the line still ends. */
static void depth_and_length_are_bounded(void **state)
{
	uint8_t a[2000], b[2000] = { 0 };
	uint32_t n = 0;
	struct str s = STR_INIT;

	(void)state;
	for (unsigned i = 0; i < 20; i++) {
		struct frame_spec t = { .proto = IP_PROTO_GRE,
					.payload = a,
					.payload_len = n + 4 };

		memmove(a + 4, b, n);
		put_be32(a, 0x6558);
		n = frame_build(&t, b).len;
	}
	packet_format(b, n, PACKET_TYPE_ETHERNET, &s);
	assert_true(s.len < PRINT_MAX);
	assert_non_null(strstr(str_text(&s), "..."));
	str_fini(&s);
}

static void truncated_packets_are_said_to_be_cut(void **state)
{
	static const uint8_t protos[] = { 1, 6, 17, 47, 58, 132 };
	struct frame_spec s = { .n_tags = 1, .payload = bytes + 30000 };

	(void)state;
	frame_pattern(bytes + 30000, 100, 50);
	for (unsigned i = 0; i < 2 * ARRAY_SIZE(protos); i++) {
		struct frame_layout f;

		s.proto = protos[i / 2];
		s.ip6 = i & 1;
		s.dport = PORT_GENEVE;
		s.payload_len = 40;
		f = frame_build(&s, bytes);
		for (uint32_t len = 0; len < f.len; len++) {
			struct frame_guard g = frame_guard_make(bytes, len);
			struct str line = STR_INIT;

			packet_format(g.at, len, PACKET_TYPE_ETHERNET, &line);
			if (len < f.l4)
				assert_non_null(
					strstr(str_text(&line), "cut short"));
			str_fini(&line);
			frame_guard_free(&g);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(transport_is_told_with_ports),
		cmocka_unit_test(control_messages_are_told_in_words),
		cmocka_unit_test(arp_is_told_as_a_question_and_an_answer),
		cmocka_unit_test(
			spanning_tree_and_strangers_are_told_by_number),
		cmocka_unit_test(tunnels_show_what_is_inside),
		cmocka_unit_test(depth_and_length_are_bounded),
		cmocka_unit_test(truncated_packets_are_said_to_be_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
