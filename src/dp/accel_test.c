/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's programs judged by userspace: on the same frame they must see the
 * same key, and make the same frame of it. The kernel runs them by itself
 * (BPF_PROG_TEST_RUN), no device is needed but the loopback's number. */
#include <errno.h>
#include <linux/pkt_cls.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "dp/accel.h"
#include "dp/bpf/kernel.h"
#include "dp/cache.h"
#include "flow/edit.h"
#include "flow/extract.h"
#include "flow/interp.h"
#include "packet/headers.h"
#include "packet/test_frame.h"
#include "sys/kbpf.h"

#define IN 7u
#define OUT 9u
#define LOOPBACK 1u
#define FRAMES 3000u
#define CHANGES 8u
#define ROOM 2048u
/* The kernel tries no frame that ends in its IP header. */
#define SHORTEST (ETH_HEADER_LEN + IP6_HEADER_LEN)

static struct accel *accel;
static struct cache cache;
static struct verdict verdict;
static struct packet_pool *pool;
static int in_socket = -1;
static enum accel_no refused; /* why, by the last keep() */
static uint64_t seed = 1;

/* --- the ports, and a cache whose masks are the kernel's --- */

static int socket_of(struct port *p UNUSED, unsigned queue UNUSED)
{
	return in_socket;
}

static const struct port_ops ops = { .type = "test", .rx_fd = socket_of };
static struct port in = { .ops = &ops,
			  .id = IN,
			  .ifindex = LOOPBACK,
			  .mtu = 1500,
			  .hook = PORT_HOOK_INGRESS };
static struct port out = { .ops = &ops,
			   .id = OUT,
			   .ifindex = 99,
			   .mtu = 1500,
			   .hook = PORT_HOOK_INGRESS };

static void no_flow(void *ctx UNUSED, struct flow *f UNUSED)
{
}

static void leave(void *ctx UNUSED, struct flow *f)
{
	accel_take(accel, f, f->mask->slot);
	f->mirrored = FLOW_HERE_ONLY;
}

static void mask(void *ctx UNUSED, uint32_t port, unsigned slot,
		 const struct flow_mask *m)
{
	assert_true(accel_mask_set(accel, port, slot, m));
}

static const struct cache_mirror mirror = { no_flow, leave, mask };

static int set_up(void **state UNUSED)
{
	struct cache_config c = { .flows_per_port = 1000,
				  .flows_max = 1000,
				  .idle_ms = 1000,
				  .mirror = &mirror };

	in_socket = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	must(in_socket >= 0);
	must(!cache_init(&cache, &c));
	pool = packet_pool_create(8);
	port_set_state(&in, PORT_UP);
	port_set_state(&out, PORT_UP);
	accel_port_add(accel, &in);
	accel_port_add(accel, &out);
	return accel_has_port(accel, IN) && accel_has_port(accel, OUT) ? 0 : -1;
}

static int tear_down(void **state UNUSED)
{
	cache_forget_port(&cache, IN);
	cache_fini(&cache);
	accel_port_del(accel, &in);
	accel_port_del(accel, &out);
	packet_pool_destroy(pool);
	close(in_socket);
	return 0;
}

/* --- one frame, here and there --- */

static struct packet *packet_of(const uint8_t *frame, uint32_t len)
{
	struct packet *p = packet_alloc(pool);

	packet_fill(p, frame, len);
	p->in_port = IN;
	return p;
}

static struct flow_key key_of(const uint8_t *frame, uint32_t len)
{
	struct packet *p = packet_of(frame, len);
	struct flow_key k;

	flow_key_init(&k);
	must(flow_extract(p, &k) == DROP_NONE);
	packet_free(p);
	return k;
}

/* What the kernel does with it; the result in `t`. */
static int kernel_says(const uint8_t *frame, uint32_t len, uint32_t gso_size,
		       struct kbpf_try *t, uint8_t *room)
{
	int said;

	*t = (struct kbpf_try){ .ifindex = LOOPBACK,
				.gso_size = gso_size,
				.in = frame,
				.in_len = len,
				.out = room,
				.out_len = ROOM };
	said = kbpf_try(accel_program(accel), t);
	assert_true(said >= 0);
	return said;
}

static bool kernel_takes(const uint8_t *frame, uint32_t len)
{
	uint8_t room[ROOM];
	struct kbpf_try t;

	return kernel_says(frame, len, 0, &t, room) == TC_ACT_REDIRECT;
}

/* A verdict that looks at every bit of the packet. */
static void look_at_all(struct verdict *v)
{
	verdict_init(v);
	v->cacheable = true;
	memset(&v->mask, 0xff, sizeof(v->mask));
}

static struct flow *keep(const struct flow_key *k)
{
	struct flow *f = cache_put(&cache, k, &verdict, NULL, 1);

	assert_non_null(f);
	refused = accel_can(accel, k, acts_list(&verdict.actions));
	if (!refused)
		refused = accel_put(accel, f, f->mask->slot);
	if (refused)
		return NULL;
	f->mirrored = FLOW_MIRRORED;
	return f;
}

/* --- frames of all kinds --- */

static struct frame_spec random_spec(void)
{
	static const uint8_t protos[] = {
		0, 0, 17, 17, 1, 58, 132, 136, 47, 2
	};
	static uint8_t payload[64];
	struct frame_spec s = {
		.ip6 = frame_random(&seed, 2),
		.tos = (uint8_t)frame_random(&seed, 256),
		.ttl = (uint8_t)(1 + frame_random(&seed, 255)),
		.host = (uint8_t)frame_random(&seed, 256),
		.proto = protos[frame_random(&seed, ARRAY_SIZE(protos))],
		.sport = (uint16_t)frame_random(&seed, 65536),
		.dport = (uint16_t)frame_random(&seed, 65536),
		.flags = (uint8_t)frame_random(&seed, 256),
		.timestamps = (uint8_t)frame_random(&seed, 2),
		.no_csum = !frame_random(&seed, 3),
		.payload = payload,
		.payload_len = frame_random(&seed, sizeof(payload)),
	};

	if (!frame_random(&seed, 8))
		s.ip4_options = (uint8_t)frame_random(&seed, 4);
	if (!frame_random(&seed, 8))
		s.dst_options = true;
	if (!frame_random(&seed, 8))
		s.eth_type = (uint16_t)(0x600 + frame_random(&seed, 0xf9ff));
	if (!frame_random(&seed, 8))
		s.n_tags = 1 + frame_random(&seed, 2);
	for (unsigned i = 0; i < s.n_tags; i++)
		s.tpid[i] = 0x8100;
	frame_pattern(payload, sizeof(payload), (uint32_t)seed);
	return s;
}

static uint32_t random_frame(uint8_t *frame)
{
	struct frame_spec s = random_spec();
	uint32_t len = frame_build(&s, frame).len;

	/* Padding, as short frames have it, or an end too early. */
	if (!frame_random(&seed, 4)) {
		memset(frame + len, 0, 8);
		len += frame_random(&seed, 8);
	} else if (!frame_random(&seed, 16) && len > SHORTEST) {
		len -= frame_random(&seed, len - SHORTEST);
	}
	return len;
}

static bool is_plain(const struct flow_key *k, const uint8_t *frame)
{
	bool v4 = k->eth_type == ETH_TYPE_IP4 && frame[14] == 0x45;
	bool ports = k->ip_proto == IP_PROTO_TCP || k->ip_proto == IP_PROTO_UDP;

	return (v4 || k->eth_type == ETH_TYPE_IP6) && ports && k->tp_src &&
	       !k->vlan[0].tpid && !k->ip_frag &&
	       (v4 || frame[20] == k->ip_proto);
}

static bool same_key(const struct flow_key *a, const struct flow_key *b)
{
	return !memcmp(a, b, sizeof(*a));
}

/* --- the cases --- */

/* A flow that looks at everything: the frame it was made of is found, and of
 * all frames changed a little exactly those that userspace calls equal may be. */
static void the_kernel_sees_the_key_that_userspace_sees(void **state UNUSED)
{
	uint8_t frame[FRAME_MAX], changed[ROOM];
	unsigned taken = 0, plain = 0, equal = 0;

	look_at_all(&verdict);
	acts_output(&verdict.actions, OUT);
	for (unsigned i = 0; i < FRAMES; i++) {
		uint32_t len = random_frame(frame);
		struct flow_key k = key_of(frame, len);
		struct flow *f = keep(&k);
		bool takes = kernel_takes(frame, len);

		assert_true(f || !takes);
		taken += takes;
		if (f && is_plain(&k, frame)) {
			assert_true(takes);
			plain++;
		}
		for (unsigned c = 0; f && c < CHANGES; c++) {
			uint32_t at = frame_random(&seed, MIN(len, 80u));
			struct flow_key other;

			memcpy(changed, frame, len);
			changed[at] ^= (uint8_t)(1u << frame_random(&seed, 8));
			other = key_of(changed, len);
			if (same_key(&k, &other))
				equal++;
			else
				assert_false(kernel_takes(changed, len));
		}
		cache_forget_port(&cache, IN);
	}
	assert_true(taken > FRAMES / 3);
	assert_true(plain > FRAMES / 4);
	assert_true(equal > FRAMES / 4);
}

struct sent {
	uint8_t bytes[ROOM];
	uint32_t len, port;
};

static void note_output(void *ctx, struct packet *p, uint32_t port)
{
	struct sent *s = ctx;

	memcpy(s->bytes, p->data, p->len);
	s->len = p->len;
	s->port = port;
	packet_free(p);
}

static void note_drop(void *ctx UNUSED, const struct packet *p UNUSED,
		      enum drop why)
{
	fail_msg("%s", drop_name(why));
}

static struct eth_addr random_mac(void)
{
	return eth_addr_from_u64(frame_random(&seed, UINT32_MAX) & ~1ull);
}

/* Any field, any bits of it. */
static void random_set(struct acts *to, const struct flow_key *k)
{
	enum field_id id = (enum field_id)frame_random(&seed, N_FIELDS);
	const struct field *f = field_get(id);
	uint8_t value[FIELD_VALUE_MAX], mask[FIELD_VALUE_MAX];
	bool whole = frame_random(&seed, 2);

	if (!edit_can_set(id) || (id >= FIELD_TUN_ID) ||
	    (frame_random(&seed, 20) && !field_prereq_met(f, k)))
		return;
	field_mask_in_key(f, mask);
	for (unsigned i = 0; i < f->n; i++) {
		value[i] = (uint8_t)frame_random(&seed, 256);
		if (!whole)
			mask[i] &= (uint8_t)frame_random(&seed, 256);
	}
	acts_set_field(to, id, value, mask);
}

static void random_edits(struct acts *to, const struct flow_key *k)
{
	uint32_t begin = to->len;
	unsigned n = frame_random(&seed, 4);

	if (k->ip_ttl > 1)
		acts_op(to, ACT_DEC_TTL);
	if (frame_random(&seed, 2))
		acts_set_eth(to, random_mac(), random_mac());
	for (unsigned i = 0; i < 200 && n; i++) {
		random_set(to, k);
		n -= to->len != begin;
		begin = to->len;
	}
}

/* How many lists had an edit of this field, by the kernel. */
static void count_sets(struct act_list list, unsigned *n)
{
	act_list_for_each(a, list)
		if (a->op == ACT_SET_FIELD)
			n[((const struct act_set *)(const void *)a)->field]++;
}

static void assert_all_were_set(const unsigned *n)
{
	static const enum field_id fields[] = {
		FIELD_ETH_DST,    FIELD_ETH_SRC,   FIELD_IP_SRC,
		FIELD_IP_DST,     FIELD_IPV6_SRC,  FIELD_IPV6_DST,
		FIELD_IPV6_LABEL, FIELD_IP_TOS,    FIELD_IP_DSCP,
		FIELD_IP_ECN,     FIELD_IP_TTL,    FIELD_TCP_SRC,
		FIELD_TCP_DST,    FIELD_UDP_SRC,   FIELD_UDP_DST,
		FIELD_ICMP_TYPE,  FIELD_ICMP_CODE, FIELD_ICMPV6_TYPE,
		FIELD_ICMPV6_CODE
	};

	for (unsigned i = 0; i < ARRAY_SIZE(fields); i++)
		if (!n[fields[i]])
			fail_msg("%s was never set by the kernel",
				 field_get(fields[i])->name);
}

static void the_kernel_makes_the_frame_that_userspace_makes(void **state UNUSED)
{
	static const struct interp_ops sinks = { .output = note_output,
						 .drop = note_drop };
	uint8_t frame[FRAME_MAX], room[ROOM];
	unsigned compared = 0, sets[N_FIELDS] = { 0 };

	for (unsigned i = 0; i < 4 * FRAMES; i++) {
		struct sent sent = { .len = 0 };
		struct interp in_user = { &sinks, &sent, pool };
		uint32_t len = random_frame(frame);
		struct flow_key k = key_of(frame, len);
		struct kbpf_try t;

		look_at_all(&verdict);
		random_edits(&verdict.actions, &k);
		acts_output(&verdict.actions, OUT);
		if (keep(&k) &&
		    kernel_says(frame, len, 0, &t, room) == TC_ACT_REDIRECT) {
			interp_run(&in_user, packet_of(frame, len),
				   acts_list(&verdict.actions));
			frame_assert_equal(room, t.out_len, sent.bytes,
					   sent.len);
			count_sets(acts_list(&verdict.actions), sets);
			compared++;
		}
		cache_forget_port(&cache, IN);
	}
	assert_true(compared > FRAMES / 2);
	assert_all_were_set(sets);
}

/* A TCP frame that the kernel takes, kept as a flow. */
static struct flow *keep_plain(uint8_t *frame, uint32_t *len)
{
	struct frame_spec s = { .payload = "0123456789", .payload_len = 10 };
	struct flow_key k;

	*len = frame_build(&s, frame).len;
	k = key_of(frame, *len);
	return keep(&k);
}

static void a_stale_flow_is_not_obeyed(void **state UNUSED)
{
	uint8_t frame[FRAME_MAX];
	uint32_t len;

	look_at_all(&verdict);
	verdict_add_dep(&verdict, stamp_read(accel_stamps(accel), 1234));
	acts_output(&verdict.actions, OUT);
	assert_non_null(keep_plain(frame, &len));
	assert_true(kernel_takes(frame, len));
	stamp_bump(accel_stamps(accel), 1235);
	assert_true(kernel_takes(frame, len));
	stamp_bump(accel_stamps(accel), 1234);
	assert_false(kernel_takes(frame, len));
}

static void a_device_that_goes_takes_its_flows_along(void **state UNUSED)
{
	uint8_t frame[FRAME_MAX];
	uint32_t len;

	look_at_all(&verdict);
	acts_output(&verdict.actions, OUT);
	assert_non_null(keep_plain(frame, &len));
	assert_true(kernel_takes(frame, len));
	accel_port_del(accel, &out);
	assert_false(kernel_takes(frame, len));
	accel_port_add(accel, &out);
	assert_false(kernel_takes(frame, len));
}

static void an_mtu_that_changes_is_obeyed(void **state UNUSED)
{
	uint8_t frame[FRAME_MAX];
	uint32_t len;

	look_at_all(&verdict);
	acts_output(&verdict.actions, OUT);
	assert_non_null(keep_plain(frame, &len));
	assert_true(kernel_takes(frame, len)); /* 50 bytes of layer 3 */
	out.mtu = 49;
	accel_port_touch(accel, &out);
	assert_false(kernel_takes(frame, len));
	assert_non_null(keep_plain(frame, &len));
	assert_false(kernel_takes(frame, len));
	out.mtu = 1500;
	accel_port_touch(accel, &out);
	assert_non_null(keep_plain(frame, &len));
	assert_true(kernel_takes(frame, len));
}

static void a_pause_brings_every_frame_to_userspace(void **state UNUSED)
{
	uint8_t frame[FRAME_MAX];
	uint32_t len;

	look_at_all(&verdict);
	acts_output(&verdict.actions, OUT);
	assert_non_null(keep_plain(frame, &len));
	assert_true(kernel_takes(frame, len));
	accel_pause(accel, true);
	assert_false(kernel_takes(frame, len));
	accel_pause(accel, false);
	assert_true(kernel_takes(frame, len));
}

static void what_is_too_long_is_left_to_userspace(void **state UNUSED)
{
	uint8_t frame[FRAME_MAX], room[ROOM];
	struct kbpf_try t;
	uint32_t len;
	uint32_t begin;

	look_at_all(&verdict);
	begin = acts_begin(&verdict.actions, ACT_CHECK_LEN, 60);
	acts_end(&verdict.actions, begin);
	acts_output(&verdict.actions, OUT);
	assert_non_null(keep_plain(frame, &len));
	assert_true(kernel_takes(frame, len)); /* 50 bytes of layer 3 */
	/* Segments of 40 + 20 fit, of 40 + 21 do not. */
	assert_int_equal(kernel_says(frame, len, 20, &t, room),
			 TC_ACT_REDIRECT);
	assert_int_equal(kernel_says(frame, len, 21, &t, room), TC_ACT_SHOT);
}

static void packets_and_bytes_are_counted(void **state UNUSED)
{
	uint8_t frame[FRAME_MAX];
	struct accel_use use;
	struct flow *f;
	uint32_t len;

	look_at_all(&verdict);
	acts_output(&verdict.actions, OUT);
	f = keep_plain(frame, &len);
	assert_non_null(f);
	for (unsigned i = 0; i < 5; i++)
		assert_true(kernel_takes(frame, len));
	use = accel_read(accel, f, f->mask->slot);
	assert_int_equal(use.packets, 5);
	assert_int_equal(use.bytes, 5 * len);
	use = accel_take(accel, f, f->mask->slot);
	assert_int_equal(use.packets, 5);
	assert_false(kernel_takes(frame, len));
}

static void what_the_kernel_cannot_do_is_refused(void **state UNUSED)
{
	struct packet_tunnel tunnel = { .id = 1 };
	uint8_t frame[FRAME_MAX];
	struct flow_key k;
	uint32_t len;

	look_at_all(&verdict);
	acts_punt(&verdict.actions, PUNT_ARP);
	acts_output(&verdict.actions, OUT);
	assert_null(keep_plain(frame, &len));
	assert_int_equal(refused, ACCEL_NO_ACTION);
	look_at_all(&verdict);
	acts_set_tunnel(&verdict.actions, &tunnel);
	acts_output(&verdict.actions, OUT);
	assert_null(keep_plain(frame, &len));
	assert_int_equal(refused, ACCEL_NO_ACTION);
	look_at_all(&verdict);
	acts_output(&verdict.actions, OUT + 1); /* no kernel device */
	assert_null(keep_plain(frame, &len));
	assert_int_equal(refused, ACCEL_NO_OUT);
	look_at_all(&verdict);
	for (unsigned i = 0; i < KERNEL_OPS + 1; i++)
		acts_output(&verdict.actions, OUT);
	assert_null(keep_plain(frame, &len));
	assert_int_equal(refused, ACCEL_NO_ROOM);
	look_at_all(&verdict);
	acts_output(&verdict.actions, OUT);
	k = key_of(frame, len);
	k.tun_id = 1; /* out of a tunnel: the kernel would not see that */
	assert_null(keep(&k));
	assert_int_equal(refused, ACCEL_NO_SIGHT);
	look_at_all(&verdict);
	acts_pop_vlan(&verdict.actions); /* of a frame without a tag */
	acts_output(&verdict.actions, OUT);
	assert_null(keep_plain(frame, &len));
	assert_int_equal(refused, ACCEL_NO_EDIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		CASE(the_kernel_sees_the_key_that_userspace_sees),
		CASE(the_kernel_makes_the_frame_that_userspace_makes),
		CASE(a_stale_flow_is_not_obeyed),
		CASE(a_device_that_goes_takes_its_flows_along),
		CASE(an_mtu_that_changes_is_obeyed),
		CASE(a_pause_brings_every_frame_to_userspace),
		CASE(what_is_too_long_is_left_to_userspace),
		CASE(packets_and_bytes_are_counted),
		CASE(what_the_kernel_cannot_do_is_refused),
	};
	struct err e = ERR_INIT;
	int failed;

	accel = accel_create(&e);
	if (!accel) {
		printf("skipped: %s\n", e.text);
		err_fini(&e);
		return 77;
	}
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	accel_destroy(accel);
	return failed;
}
