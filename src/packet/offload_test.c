/* SPDX-License-Identifier: Apache-2.0 */
#include "packet/offload.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "packet/checksum.h"
#include "packet/headers.h"
#include "packet/segment.h"
#include "packet/test_frame.h"

#define ALL_CAPS                                                               \
	(OFFLOAD_CSUM | OFFLOAD_TSO4 | OFFLOAD_TSO6 | OFFLOAD_USO4 |           \
	 OFFLOAD_USO6 | OFFLOAD_ECN)

static struct packet_pool *pool;
static uint8_t payload[FRAME_MAX];

static struct frame_spec spec_of(enum gso_type type)
{
	return (struct frame_spec){
		.proto = type == GSO_UDP4 || type == GSO_UDP6 ? IP_PROTO_UDP :
								IP_PROTO_TCP,
		.ip6 = type == GSO_TCP6 || type == GSO_UDP6,
		.payload = payload,
		.payload_len = 5000,
	};
}

/* A GSO packet and the header that says so. */
static struct packet *gso_packet(enum gso_type type, struct vnet_header *h)
{
	struct frame_spec s = spec_of(type);
	struct packet *p = packet_alloc(pool);

	frame_gso(&s, 1000, p);
	packet_offload_to_vnet(p, h);
	return p;
}

/* As it comes from a device: bytes and header only. */
static void forget(struct packet *p)
{
	uint32_t type = p->packet_type;

	packet_reset_metadata(p);
	p->packet_type = type;
}

static void what_goes_out_comes_back(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4 * 2 * 3 * 2; i++) {
		struct frame_spec s = spec_of(GSO_TCP4 + i % 4);
		struct packet *p = packet_alloc(pool), was;
		struct vnet_header h;
		struct frame_layout f;

		s.layer3 = i / 4 % 2;
		s.n_tags = s.layer3 ? 0 : i / 8 % 3;
		s.dst_options = s.ip6 && i / 24;
		s.ip4_options = !s.ip6 && i / 24 ? 2 : 0;
		f = frame_gso(&s, 1000, p);
		p->gso_ecn = s.proto == IP_PROTO_TCP && i / 24;
		was = *p;
		packet_offload_to_vnet(p, &h);
		assert_int_equal(h.flags, VNET_F_NEEDS_CSUM);
		assert_int_equal(h.hdr_len, f.payload);
		forget(p);
		assert_int_equal(packet_offload_from_vnet(p, &h), DROP_NONE);
		assert_int_equal(p->flags, was.flags);
		assert_int_equal(p->gso_type, was.gso_type);
		assert_int_equal(p->gso_size, was.gso_size);
		assert_int_equal(p->gso_ecn, was.gso_ecn);
		assert_int_equal(p->csum_start, was.csum_start);
		assert_int_equal(p->csum_offset, was.csum_offset);
		assert_int_equal(p->l3, f.l3);
		assert_int_equal(p->l4, f.l4);
		packet_free(p);
	}
}

static void plain_and_verified_frames_say_so(void **state)
{
	struct packet *p = packet_alloc(pool);
	struct vnet_header h = { .flags = VNET_F_DATA_VALID };
	struct frame_spec s = spec_of(GSO_TCP4);

	(void)state;
	frame_packet(&s, p);
	assert_int_equal(packet_offload_from_vnet(p, &h), DROP_NONE);
	assert_int_equal(p->flags, PACKET_CSUM_VALID);
	packet_offload_to_vnet(p, &h);
	assert_int_equal(h.flags, VNET_F_DATA_VALID);
	forget(p);
	h = (struct vnet_header){ .hdr_len = 9,
				  .gso_size = 8,
				  .csum_start = 7 };
	assert_int_equal(packet_offload_from_vnet(p, &h), DROP_NONE);
	assert_int_equal(p->flags, 0);
	assert_false(packet_is_gso(p));
	packet_offload_to_vnet(p, &h);
	assert_int_equal(h.flags | h.gso_type | h.gso_size | h.csum_start, 0);
	packet_free(p);
}

static void keep_segment(void *ctx, struct packet *s)
{
	unsigned *n = ctx;

	assert_int_equal(packet_csum_verify(s), CSUM_RIGHT);
	packet_free(s);
	++*n;
}

static void what_a_device_merged_is_cut_with_right_checksums(void **state)
{
	(void)state;
	for (enum gso_type t = GSO_TCP4; t <= GSO_UDP6; t++) {
		struct frame_spec s = spec_of(t);
		struct packet *p = packet_alloc(pool);
		struct vnet_header h;
		unsigned n = 0;

		frame_gso(&s, 1000, p);
		packet_offload_to_vnet(p, &h);
		p->data[p->csum_start + p->csum_offset] ^= 0x5a;
		h.flags = VNET_F_DATA_VALID;
		h.csum_start = h.csum_offset = 0;
		forget(p);
		assert_int_equal(packet_offload_from_vnet(p, &h), DROP_NONE);
		assert_int_equal(p->flags, PACKET_CSUM_PARTIAL);
		assert_true(packet_segment(p, pool, keep_segment, &n));
		assert_int_equal(n, 5);
		packet_free(p);
	}
}

/* A lie is refused, and the packet is left without offloads. */
static void check_lie(struct packet *p, const struct vnet_header *h)
{
	forget(p);
	assert_int_equal(packet_offload_from_vnet(p, h), DROP_MALFORMED);
	assert_int_equal(p->flags, 0);
	assert_int_equal(p->gso_size, 0);
	assert_int_equal(p->gso_type, GSO_NONE);
}

#define LIE(change)                                                            \
	do {                                                                   \
		struct vnet_header v = h;                                      \
		change;                                                        \
		check_lie(p, &v);                                              \
	} while (0)

static void lies_of_the_header_are_refused(void **state)
{
	(void)state;
	for (enum gso_type t = GSO_TCP4; t <= GSO_UDP6; t++) {
		bool udp = t == GSO_UDP4 || t == GSO_UDP6;
		struct vnet_header h;
		struct packet *p = gso_packet(t, &h);
		uint8_t other = udp ? VNET_GSO_TCP4 : VNET_GSO_UDP_L4;

		LIE(v.csum_start = (uint16_t)p->len);
		LIE(v.csum_start = 0xffff);
		LIE(v.csum_start++);
		LIE(v.csum_start--);
		LIE(v.csum_start = 0);
		LIE(v.csum_offset = 0xffff);
		LIE(v.csum_offset += 2);
		LIE(v.csum_offset = 0);
		LIE(v.gso_size = 0);
		LIE(v.flags = 0);
		LIE(v.gso_type = other);
		LIE(v.gso_type = VNET_GSO_UDP);
		LIE(v.gso_type = 2);
		LIE(v.gso_type = 0x7f);
		if (udp)
			LIE(v.gso_type |= VNET_GSO_ECN);
		else
			LIE(v.gso_type ^= VNET_GSO_TCP4 ^ VNET_GSO_TCP6);
		packet_free(p);
	}
}

static void lies_of_the_frame_are_refused(void **state)
{
	struct vnet_header h;
	struct packet *p = gso_packet(GSO_TCP4, &h);
	uint8_t *ip = p->data + 14, *tcp = p->data + 34;

	(void)state;
	ip[0] = 0x44;
	check_lie(p, &h);
	ip[0] = 0x4f; /* the transport is not where the header says */
	check_lie(p, &h);
	ip[0] = 0x65;
	check_lie(p, &h);
	ip[0] = 0x45;
	put_be16(ip + 6, IP4_MF);
	check_lie(p, &h);
	put_be16(ip + 6, 100);
	check_lie(p, &h);
	put_be16(ip + 6, 0);
	tcp[12] = 0x40;
	check_lie(p, &h);
	tcp[12] = 0x50;
	put_be16(p->data + 12, ETH_TYPE_ARP);
	check_lie(p, &h);
	put_be16(p->data + 12, ETH_TYPE_IP4);
	forget(p);
	assert_int_equal(packet_offload_from_vnet(p, &h), DROP_NONE);
	packet_free(p);
}

/* Cut at each byte, with the next out of reach: the offload is refused until
 * its headers and some payload are there. */
static void truncated_frames_are_refused(void **state)
{
	(void)state;
	for (enum gso_type t = GSO_TCP4; t <= GSO_UDP6; t++) {
		struct vnet_header h;
		struct packet *p = gso_packet(t, &h);

		for (uint32_t len = 1; len <= h.hdr_len + 1u; len++) {
			struct frame_guard g = frame_guard_make(p->data, len);
			struct packet cut = { .data = g.at, .len = len };

			packet_reset_metadata(&cut);
			assert_int_equal(packet_offload_from_vnet(&cut, &h),
					 len > h.hdr_len ? DROP_NONE :
							   DROP_MALFORMED);
			frame_guard_free(&g);
		}
		packet_free(p);
	}
}

/* Headers pushed in front move it: it must not come round to the front. */
static void checksum_too_far_back_is_refused(void **state)
{
	struct packet *p = packet_alloc(pool);
	struct vnet_header h = { .flags = VNET_F_NEEDS_CSUM,
				 .csum_offset = 16,
				 .csum_start = 65535 - PACKET_HEADROOM };

	(void)state;
	packet_fill(p, payload, PACKET_MAX_LEN);
	assert_int_equal(packet_offload_from_vnet(p, &h), DROP_NONE);
	assert_non_null(packet_push(p, PACKET_HEADROOM));
	assert_int_equal(p->csum_start, 65535);
	packet_fill(p, payload, PACKET_MAX_LEN);
	h.csum_start++;
	assert_int_equal(packet_offload_from_vnet(p, &h), DROP_MALFORMED);
	packet_free(p);
}

static void one_segment_is_no_gso(void **state)
{
	struct vnet_header h;
	struct packet *p = gso_packet(GSO_UDP6, &h);

	(void)state;
	h.gso_size = 4999;
	forget(p);
	assert_int_equal(packet_offload_from_vnet(p, &h), DROP_NONE);
	assert_true(packet_is_gso(p));
	h.gso_size = 5000;
	forget(p);
	assert_int_equal(packet_offload_from_vnet(p, &h), DROP_NONE);
	assert_false(packet_is_gso(p));
	assert_int_equal(p->gso_type, GSO_NONE);
	assert_int_equal(p->flags, PACKET_CSUM_PARTIAL);
	packet_free(p);
}

static void port_that_takes_all_is_given_all(void **state)
{
	static const uint32_t caps[] = { [GSO_TCP4] = OFFLOAD_TSO4,
					 [GSO_TCP6] = OFFLOAD_TSO6,
					 [GSO_UDP4] = OFFLOAD_USO4,
					 [GSO_UDP6] = OFFLOAD_USO6 };

	(void)state;
	for (enum gso_type t = GSO_TCP4; t <= GSO_UDP6; t++) {
		struct vnet_header h;
		struct packet *p = gso_packet(t, &h);

		assert_int_equal(packet_tx_need(p, ALL_CAPS, 1500), TX_AS_IS);
		assert_int_equal(packet_tx_need(p, caps[t] | OFFLOAD_CSUM, 0),
				 TX_AS_IS);
		assert_int_equal(packet_tx_need(p, caps[t], 0), TX_SEGMENT);
		assert_int_equal(packet_tx_need(p, ALL_CAPS & ~caps[t], 1500),
				 TX_SEGMENT);
		assert_int_equal(packet_tx_need(p, 0, 0), TX_SEGMENT);
		p->gso_ecn = true;
		assert_int_equal(packet_tx_need(p, ALL_CAPS & ~OFFLOAD_ECN, 0),
				 TX_SEGMENT);
		p->inner = 50;
		assert_int_equal(packet_tx_need(p, ALL_CAPS, 0), TX_SEGMENT);
		packet_free(p);
	}
}

static void unfinished_checksums_go_only_where_they_are_finished(void **state)
{
	struct frame_spec s = spec_of(GSO_TCP4);
	struct packet *p = packet_alloc(pool);

	(void)state;
	s.payload_len = 10;
	frame_packet(&s, p);
	assert_int_equal(packet_tx_need(p, 0, 1500), TX_AS_IS);
	s.partial = true;
	frame_packet(&s, p);
	assert_int_equal(packet_tx_need(p, OFFLOAD_CSUM, 1500), TX_AS_IS);
	assert_int_equal(packet_tx_need(p, ALL_CAPS & ~OFFLOAD_CSUM, 1500),
			 TX_CSUM);
	/* A CRC would be finished as an Internet checksum. */
	s.proto = IP_PROTO_SCTP;
	frame_packet(&s, p);
	assert_int_equal(packet_tx_need(p, ALL_CAPS, 1500), TX_CSUM);
	packet_free(p);
}

static void mtu_is_about_layer_3_of_the_largest_segment(void **state)
{
	struct frame_spec s = { .n_tags = 2, .payload = payload };
	struct packet *p = packet_alloc(pool);

	(void)state;
	for (unsigned known = 0; known < 2; known++) {
		s.payload_len = 1460;
		frame_packet(&s, p);
		if (!known)
			p->l3 = PACKET_NO_LAYER;
		assert_int_equal(packet_l3_len_max(p), known ? 1500 : 0);
		assert_int_equal(packet_tx_need(p, 0, 1500), TX_AS_IS);
		assert_int_equal(packet_tx_need(p, 0, 1499), TX_TOO_BIG);
		assert_int_equal(packet_tx_need(p, 0, 0), TX_AS_IS);
	}
	s.payload_len = 60000;
	frame_gso(&s, 1460, p);
	assert_int_equal(packet_l3_len_max(p), 1500);
	assert_int_equal(packet_tx_need(p, ALL_CAPS, 1500), TX_AS_IS);
	assert_int_equal(packet_tx_need(p, ALL_CAPS, 1499), TX_TOO_BIG);
	packet_free(p);
}

/* Whatever is accepted can be cut and finished. */
static void drop_segment(void *ctx, struct packet *s)
{
	(void)ctx;
	assert_false(s->flags & PACKET_CSUM_PARTIAL);
	packet_free(s);
}

static void what_is_accepted_can_be_sent(void **state)
{
	uint64_t seed = 31;
	unsigned taken = 0, cut = 0;

	(void)state;
	for (unsigned i = 0; i < 20000; i++) {
		struct vnet_header h;
		struct packet *p = gso_packet(GSO_TCP4 + i % 4, &h);
		uint8_t *bytes = (uint8_t *)&h;

		for (unsigned k = frame_random(&seed, 3); k; k--)
			bytes[frame_random(&seed, sizeof(h))] =
				(uint8_t)frame_random(&seed, 256);
		for (unsigned k = frame_random(&seed, 3); k; k--)
			p->data[frame_random(&seed, 80)] =
				(uint8_t)frame_random(&seed, 256);
		p->len = frame_random(&seed, 4) ? p->len :
						  frame_random(&seed, p->len);
		forget(p);
		if (p->len > 14 &&
		    packet_offload_from_vnet(p, &h) == DROP_NONE) {
			taken++;
			if (packet_is_gso(p))
				cut += packet_segment(p, pool, drop_segment,
						      NULL);
			packet_csum_finish(p);
		}
		packet_free(p);
	}
	assert_true(taken > 1000 && cut > 1000);
}

static int setup(void **state)
{
	(void)state;
	pool = packet_pool_create(4);
	frame_pattern(payload, sizeof(payload), 30);
	return !pool;
}

static int teardown(void **state)
{
	(void)state;
	packet_pool_destroy(pool);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_goes_out_comes_back),
		cmocka_unit_test(plain_and_verified_frames_say_so),
		cmocka_unit_test(
			what_a_device_merged_is_cut_with_right_checksums),
		cmocka_unit_test(lies_of_the_header_are_refused),
		cmocka_unit_test(lies_of_the_frame_are_refused),
		cmocka_unit_test(truncated_frames_are_refused),
		cmocka_unit_test(checksum_too_far_back_is_refused),
		cmocka_unit_test(one_segment_is_no_gso),
		cmocka_unit_test(port_that_takes_all_is_given_all),
		cmocka_unit_test(
			unfinished_checksums_go_only_where_they_are_finished),
		cmocka_unit_test(mtu_is_about_layer_3_of_the_largest_segment),
		cmocka_unit_test(what_is_accepted_can_be_sent),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
