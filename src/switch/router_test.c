/* SPDX-License-Identifier: Apache-2.0 */
/* The router's own IP: echo, errors and their limits, fragments. */
#include "switch/test_rig.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "l3/icmp.h"
#include "packet/headers.h"

#define STATION1 "198.51.100.1"
#define STATION1_6 "2001:db8:1::1"
#define STATION5 "203.0.113.5"
#define STATION5_6 "2001:db8:2::5"

/* Stations whose addresses the file says: nothing has to be asked first. */
static void know_stations(struct rig *r)
{
	static struct desired_neigh blue[2], green[2];

	blue[0] = (struct desired_neigh){ rig_addr(STATION1), rig_mac(1) };
	blue[1] = (struct desired_neigh){ rig_addr(STATION1_6), rig_mac(1) };
	green[0] = (struct desired_neigh){ rig_addr(STATION5), rig_mac(5) };
	green[1] = (struct desired_neigh){ rig_addr(STATION5_6), rig_mac(5) };
	r->house.domains[RIG_BLUE].neighs = blue;
	r->house.domains[RIG_BLUE].n_neighs = 2;
	r->house.domains[RIG_GREEN].neighs = green;
	r->house.domains[RIG_GREEN].n_neighs = 2;
	rig_apply(r);
	/* Where they are is known too. */
	rig_send_ip(r, 1, &(struct rig_ip){ .from = STATION1, .to = STATION5 });
	rig_send_ip(r, 5, &(struct rig_ip){ .from = STATION5, .to = STATION1 });
	rig_drain(r, 0);
}

static int setup(void **state)
{
	rig_setup(state);
	know_stations(*state);
	return 0;
}

#define ROUTER_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, rig_teardown)

/* The error came from the router to station 1 alone, about what it sent. */
static const struct seen *take_error(struct rig *r, uint8_t type, uint8_t code)
{
	const struct seen *s = rig_must_take(r, 1);
	uint32_t at = seen_is_icmp(s, type, code);
	struct ip_addr from =
		rig_addr(seen_is_ip6(s) ? "2001:db8:1::ff" : "198.51.100.254");
	bool v6 = seen_is_ip6(s);

	assert_memory_equal(s->b, rig_mac(1).b, 6);
	assert_memory_equal(s->b + (v6 ? 22 : 26), from.a.b + (v6 ? 0 : 12),
			    v6 ? 16 : 4);
	/* The quote is the packet: as it came, its addresses to begin with. */
	assert_memory_equal(s->b + at + 8 + (v6 ? 24 : 16),
			    r->frame + 14 + (v6 ? 24 : 16), v6 ? 16 : 4);
	return s;
}

static void the_router_answers_echo_requests(void **state)
{
	struct rig *r = *state;
	const struct seen *s;
	uint32_t at;

	rig_send_echo(r, 1,
		      &(struct rig_ip){ .from = STATION1,
					.to = "198.51.100.254",
					.len = 1400 });
	s = rig_must_take(r, 1);
	at = seen_is_icmp(s, 0, 0);
	assert_memory_equal(s->b + at + 4, r->frame + at + 4, 1404);
	rig_send_echo(r, 1,
		      &(struct rig_ip){ .from = STATION1_6,
					.to = "2001:db8:2::ff",
					.len = 56 });
	seen_is_icmp(rig_must_take(r, 1), 129, 0);
	assert_int_equal(rig_stats(r).echo_replies, 2);
	assert_int_equal(rig_drain(r, 0), 0);
}

static void a_broken_echo_request_is_not_answered(void **state)
{
	struct rig *r = *state;

	rig_send_echo(r, 1,
		      &(struct rig_ip){ .from = STATION1,
					.to = "198.51.100.254",
					.bad_csum = true,
					.len = 56 });
	assert_int_equal(rig_drain(r, 0), 0);
	assert_int_equal(rig_stats(r).echo_replies, 0);
}

static void a_packet_that_ran_out_of_hops_is_reported(void **state)
{
	struct rig *r = *state;

	rig_send_ip(r, 1,
		    &(struct rig_ip){ .from = STATION1,
				      .to = STATION5,
				      .ttl = 1,
				      .len = 40 });
	take_error(r, 11, 0);
	rig_send_ip(r, 1,
		    &(struct rig_ip){ .from = STATION1_6,
				      .to = STATION5_6,
				      .ttl = 1,
				      .len = 40 });
	take_error(r, 3, 0);
	assert_int_equal(rig_drain(r, 0), 0);
}

static void a_packet_without_a_route_is_reported(void **state)
{
	struct rig *r = *state;

	rig_send_ip(r, 1,
		    &(struct rig_ip){ .from = STATION1, .to = "192.0.2.1" });
	take_error(r, 3, 0);
	rig_send_ip(
		r, 1,
		&(struct rig_ip){ .from = STATION1_6, .to = "2001:db8:9::1" });
	take_error(r, 1, 0);
}

static void the_router_says_that_no_program_listens(void **state)
{
	struct rig *r = *state;

	rig_send_ip(
		r, 1,
		&(struct rig_ip){ .from = STATION1, .to = "198.51.100.254" });
	take_error(r, 3, 3);
	rig_send_ip(r, 1,
		    &(struct rig_ip){ .from = STATION1,
				      .to = "198.51.100.254",
				      .proto = 132,
				      .len = 20 });
	take_error(r, 3, 2);
}

static void what_is_too_big_is_told_the_mtu_of_the_way(void **state)
{
	struct rig *r = *state;
	const struct seen *s;

	rig_send_ip(r, 1,
		    &(struct rig_ip){ .from = STATION1,
				      .to = STATION5,
				      .df = true,
				      .len = 1300 - 28 + 1 });
	s = take_error(r, 3, 4);
	assert_int_equal(seen_16(s, 34 + 6), 1300);
	rig_send_ip(r, 1,
		    &(struct rig_ip){ .from = STATION1_6,
				      .to = STATION5_6,
				      .len = 1300 - 48 + 1 });
	s = take_error(r, 2, 0);
	assert_int_equal(seen_32(s, 54 + 4), 1300);
	assert_int_equal(rig_drain(r, 5), 0);
	/* One byte less passes. */
	rig_send_ip(r, 1,
		    &(struct rig_ip){ .from = STATION1,
				      .to = STATION5,
				      .df = true,
				      .len = 1300 - 28 });
	assert_int_equal(rig_must_take(r, 5)->len, 14 + 1300);
}

static void errors_are_never_about_errors_or_groups(void **state)
{
	static const uint8_t error[36] = { 3, 1 };
	struct rig *r = *state;

	rig_send_ip(r, 1,
		    &(struct rig_ip){ .from = STATION1,
				      .to = "192.0.2.1",
				      .proto = 1,
				      .payload = error,
				      .len = sizeof(error) });
	rig_must_be_quiet(r, 1);
	assert_int_equal(rig_stats(r).icmp_errors, 0);
}

static void errors_to_one_station_are_limited(void **state)
{
	struct rig *r = *state;
	struct switch_stats st;

	for (unsigned i = 0; i < 100; i++)
		rig_send_ip(r, 1,
			    &(struct rig_ip){ .from = STATION1,
					      .to = "192.0.2.1" });
	st = rig_stats(r);
	assert_int_equal(rig_drain(r, 1), ICMP_DEST_BURST);
	assert_int_equal(st.icmp_errors, ICMP_DEST_BURST);
	assert_int_equal(st.icmp_limited, 100 - ICMP_DEST_BURST);
	rig_pass_ms(r, 1000);
	for (unsigned i = 0; i < 100; i++)
		rig_send_ip(r, 1,
			    &(struct rig_ip){ .from = STATION1,
					      .to = "192.0.2.1" });
	assert_int_equal(rig_drain(r, 1), ICMP_DEST_RATE);
}

/* Puts the pieces that left by port 5 together; how many there were. */
static unsigned reassemble(struct rig *r, uint8_t *whole, uint32_t *len,
			   uint32_t mtu)
{
	const struct seen *s;
	unsigned n = 0;
	uint32_t end = 0;

	*len = 0;
	while ((s = rig_take(r, 5))) {
		uint16_t where = seen_16(s, 20);
		uint32_t at = (where & 0x1fffu) * 8u;
		uint32_t total = seen_16(s, 16);

		assert_true(total <= mtu);
		assert_int_equal(s->len, 14 + total);
		assert_int_equal(frame_sum(s->b + 14, 20, 0), 0xffff);
		assert_int_equal(s->b[22], 63);
		memcpy(whole + at, s->b + 34, total - 20);
		*len = MAX(*len, at + total - 20);
		if (!(where & 0x2000)) {
			assert_int_equal(end, 0);
			end = at + total - 20;
		}
		n++;
	}
	assert_int_equal(end, *len);
	return n;
}

static void a_datagram_that_may_be_cut_arrives_in_pieces(void **state)
{
	static uint8_t data[8000], whole[9000];
	struct rig *r = *state;
	uint32_t len;

	frame_pattern(data, sizeof(data), 3);
	rig_send_ip(r, 1,
		    &(struct rig_ip){ .from = STATION1,
				      .to = STATION5,
				      .payload = data,
				      .len = sizeof(data) });
	assert_int_equal(reassemble(r, whole, &len, 1300),
			 DIV_ROUND_UP(8008, 1280));
	assert_int_equal(len, 8 + sizeof(data));
	assert_memory_equal(whole + 8, data, sizeof(data));
	assert_int_equal(rig_stats(r).fragmented, 1);
	assert_int_equal(rig_stats(r).icmp_errors, 0);
}

static void fragments_are_routed_and_cut_once_more(void **state)
{
	struct rig *r = *state;
	uint32_t len = rig_ip_build(r, 1,
				    &(struct rig_ip){ .from = STATION1,
						      .to = STATION5,
						      .len = 1400 });
	const struct seen *s;

	/* A middle piece, from byte 8000 of its datagram on. */
	r->frame[14 + 6] = 0x20 | 1000 >> 8;
	r->frame[14 + 7] = 1000 & 0xff;
	put_be16(r->frame + 14 + 10, 0);
	put_be16(r->frame + 14 + 10,
		 (uint16_t)~frame_sum(r->frame + 14, 20, 0));
	rig_send(r, 1, r->frame, len);
	s = rig_must_take(r, 5);
	assert_int_equal(seen_16(s, 20), 0x2000 | 1000);
	assert_int_equal(seen_16(s, 16), 1300);
	s = rig_must_take(r, 5);
	assert_int_equal(seen_16(s, 20), 0x2000 | (1000 + 160));
	assert_int_equal(seen_16(s, 16), 20 + 1408 - 1280);
	rig_must_be_quiet(r, 5);
}

static void a_later_fragment_without_a_route_is_not_reported(void **state)
{
	struct rig *r = *state;
	uint32_t len = rig_ip_build(r, 1,
				    &(struct rig_ip){ .from = STATION1,
						      .to = "192.0.2.1",
						      .len = 100 });

	r->frame[14 + 7] = 100;
	put_be16(r->frame + 14 + 10, 0);
	put_be16(r->frame + 14 + 10,
		 (uint16_t)~frame_sum(r->frame + 14, 20, 0));
	rig_send(r, 1, r->frame, len);
	rig_must_be_quiet(r, 1);
}

/* --- a network without router that crosses a tunnel --- */

#define PEER_MTU 1450u
#define FAR 77u /* a station behind peer A */

static int setup_overlay(void **state)
{
	struct rig *r;
	uint32_t len;

	rig_setup(state);
	r = *state;
	r->house.d.n_routers = 0;
	rig_apply_overlay(r);
	len = rig_ip_build(r, 1,
			   &(struct rig_ip){ .from = "198.51.100.77",
					     .to = STATION1,
					     .station = FAR,
					     .to_station = 1 });
	rig_send_tunnel(r, RIG_PEER_A, r->frame, len);
	rig_drain(r, 0);
	return 0;
}

#define OVERLAY_TEST(fn)                                                       \
	cmocka_unit_test_setup_teardown(fn, setup_overlay, rig_teardown)

static void send_far(struct rig *r, bool v6, bool df, uint32_t l3_len)
{
	rig_send_ip(
		r, 1,
		&(struct rig_ip){ .from = v6 ? STATION1_6 : STATION1,
				  .to = v6 ? "2001:db8:1::77" : "198.51.100.77",
				  .to_station = FAR,
				  .df = df,
				  .len = l3_len - (v6 ? 48 : 28) });
}

static void what_fits_the_tunnel_goes_to_its_peer(void **state)
{
	struct rig *r = *state;
	const struct seen *s;

	send_far(r, false, true, PEER_MTU);
	s = rig_must_take(r, RIG_TUNNEL);
	assert_true(s->has_tunnel);
	assert_int_equal(s->tun.id, RIG_VNI);
	assert_true(ip_addr_equal(&s->tun.dst, &r->house.peers[0].address));
	assert_int_equal(s->len, 14 + PEER_MTU);
	assert_int_equal(rig_drain(r, 0), 0);
}

static void what_does_not_fit_a_tunnel_is_told_in_the_targets_name(void **state)
{
	struct rig *r = *state;
	const struct seen *s;
	uint32_t at;

	send_far(r, false, true, PEER_MTU + 1);
	s = rig_must_take(r, 1);
	at = seen_is_icmp(s, 3, 4);
	assert_int_equal(seen_16(s, at + 6), PEER_MTU);
	assert_memory_equal(s->b + 6, rig_mac(FAR).b, 6);
	assert_memory_equal(s->b + 26, rig_addr("198.51.100.77").a.b + 12, 4);
	send_far(r, true, false, PEER_MTU + 1);
	s = rig_must_take(r, 1);
	at = seen_is_icmp(s, 2, 0);
	assert_int_equal(seen_32(s, at + 4), PEER_MTU);
	assert_memory_equal(s->b + 22, rig_addr("2001:db8:1::77").a.b, 16);
	assert_int_equal(rig_drain(r, 0), 0);
	assert_int_equal(rig_stats(r).icmp_errors, 2);
}

static void what_may_be_cut_crosses_the_tunnel_in_pieces(void **state)
{
	struct rig *r = *state;

	send_far(r, false, false, PEER_MTU + 1);
	assert_int_equal(rig_drain(r, RIG_TUNNEL), 2);
	rig_must_be_quiet(r, 1);
	assert_int_equal(rig_stats(r).fragmented, 1);
}

/* Pieces of what is flooded are for those alone whom the whole did not fit. */
static void an_unknown_target_gets_no_piece_beside_the_whole(void **state)
{
	struct rig *r = *state;

	rig_send_ip(r, 1,
		    &(struct rig_ip){ .from = STATION1,
				      .to = "198.51.100.99",
				      .to_station = 99,
				      .len = PEER_MTU });
	for (uint32_t i = 2; i <= RIG_BLUE_PORTS; i++)
		assert_int_equal(rig_drain(r, i), 1);
	assert_int_equal(rig_drain(r, RIG_TUNNEL), 2 * RIG_N_PEERS);
}

static void a_broadcast_reaches_narrow_peers_in_pieces(void **state)
{
	struct rig *r = *state;
	uint32_t len = rig_ip_build(r, 1,
				    &(struct rig_ip){ .from = STATION1,
						      .to = "198.51.100.255",
						      .len = PEER_MTU });
	const struct seen *s;
	unsigned n = 0;

	memset(r->frame, 0xff, 6);
	rig_send(r, 1, r->frame, len);
	for (uint32_t i = 2; i <= RIG_BLUE_PORTS; i++)
		assert_int_equal(rig_drain(r, i), 1);
	while ((s = rig_take(r, RIG_TUNNEL))) {
		assert_true(s->len <= 14 + PEER_MTU);
		assert_int_equal(frame_sum(s->b + 14, 20, 0), 0xffff);
		n++;
	}
	assert_int_equal(n, 2 * RIG_N_PEERS);
}

static void peers_of_different_width_each_get_what_fits(void **state)
{
	struct rig *r = *state;
	uint32_t got[2] = { 0 };
	const struct seen *s;

	r->house.peers[1].mtu = 1000;
	rig_apply(r);
	rig_send_ip(r, 1,
		    &(struct rig_ip){ .from = STATION1,
				      .to = "198.51.100.99",
				      .to_station = 99,
				      .len = PEER_MTU });
	for (uint32_t i = 2; i <= RIG_BLUE_PORTS; i++)
		assert_int_equal(rig_drain(r, i), 1);
	while ((s = rig_take(r, RIG_TUNNEL))) {
		bool narrow =
			ip_addr_equal(&s->tun.dst, &r->house.peers[1].address);

		assert_true(s->len <= 14 + (narrow ? 1000 : PEER_MTU));
		got[narrow] += seen_16(s, 16) - 20u;
	}
	/* All of it, and nothing twice. */
	assert_int_equal(got[0], 8 + PEER_MTU);
	assert_int_equal(got[1], 8 + PEER_MTU);
}

/* Two VLANs of one bridge: what is routed between them was flooded by nobody. */
static void what_is_routed_back_into_its_bridge_is_received_anew(void **state)
{
	struct rig *r = *state;

	r->house.d.n_routers = 1;
	r->house.bridges[RIG_BLUE].vlan_aware = true;
	r->house.domains[RIG_BLUE].vid = 10;
	r->house.domains[RIG_GREEN].vid = 20;
	r->house.domains[RIG_GREEN].vni = RIG_VNI + 1;
	r->house.domains[RIG_GREEN].bridge = RIG_BLUE;
	for (unsigned i = 0; i < RIG_PORTS; i++) {
		r->house.ports[i].bridge = RIG_BLUE;
		r->house.ports[i].vlan =
			(struct vlan_port){ .mode = VLAN_ACCESS,
					    .pvid = i < RIG_BLUE_PORTS ? 10 :
									 20 };
	}
	know_stations(r);
	rig_send_ip(r, 1,
		    &(struct rig_ip){
			    .from = STATION1, .to = STATION5, .len = 1400 });
	assert_int_equal(rig_drain(r, 5), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROUTER_TEST(the_router_answers_echo_requests),
		ROUTER_TEST(a_broken_echo_request_is_not_answered),
		ROUTER_TEST(a_packet_that_ran_out_of_hops_is_reported),
		ROUTER_TEST(a_packet_without_a_route_is_reported),
		ROUTER_TEST(the_router_says_that_no_program_listens),
		ROUTER_TEST(what_is_too_big_is_told_the_mtu_of_the_way),
		ROUTER_TEST(errors_are_never_about_errors_or_groups),
		ROUTER_TEST(errors_to_one_station_are_limited),
		ROUTER_TEST(a_datagram_that_may_be_cut_arrives_in_pieces),
		ROUTER_TEST(fragments_are_routed_and_cut_once_more),
		ROUTER_TEST(a_later_fragment_without_a_route_is_not_reported),
		OVERLAY_TEST(what_fits_the_tunnel_goes_to_its_peer),
		OVERLAY_TEST(
			what_does_not_fit_a_tunnel_is_told_in_the_targets_name),
		OVERLAY_TEST(what_may_be_cut_crosses_the_tunnel_in_pieces),
		OVERLAY_TEST(an_unknown_target_gets_no_piece_beside_the_whole),
		OVERLAY_TEST(a_broadcast_reaches_narrow_peers_in_pieces),
		OVERLAY_TEST(peers_of_different_width_each_get_what_fits),
		OVERLAY_TEST(
			what_is_routed_back_into_its_bridge_is_received_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
