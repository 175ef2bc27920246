/* SPDX-License-Identifier: Apache-2.0 */
/* The fast datapath does what the linear oracle does: the same random frames,
 * lists of actions and changes go to both. The fast one is userspace's, with
 * every action; then the same with the kernel's cache, with those actions that it
 * has, frame by frame: who waits for userspace may be overtaken in the kernel.
 *
 *                 +--> user --> ports --+
 *      random ----|                     |---> the same bytes, the same counters
 *                 +--> fake --> ports --+ */
#include <setjmp.h>
#include <stdio.h>

#include <cmocka.h>

#include "dp/contract_rig.h"
#include "dp/fake.h"
#include "flow/action_random.h"
#include "flow/edit.h"

#define STEPS 500u
#define FRAMES_MAX 40u
#define KERNEL_STEPS 160u
#define KERNEL_FRAMES 12u

struct pair {
	struct rig *user, *fake;
	uint64_t seed;
	struct packet_pool *pool;
	uint8_t payload[9000];
};

static uint32_t roll(struct pair *x, uint32_t below)
{
	return frame_random(&x->seed, below);
}

/* --- what goes in ------------------------------------------------------------ */

static void random_frame(struct pair *x, struct packet *p)
{
	struct frame_spec s = { .ip6 = roll(x, 2),
				.proto = roll(x, 2) ? 6 : 17,
				.n_tags = roll(x, 4) ? 0 : 1 + roll(x, 2),
				.tci = { (uint16_t)roll(x, 0x10000) },
				.eth_type = roll(x, 12) ? 0 : 0x88cc,
				.ttl = roll(x, 5) ? 0 : 1,
				.df = roll(x, 2),
				.sport = (uint16_t)roll(x, 3),
				.dport = 53,
				.payload = x->payload,
				.payload_len = roll(x, 1400) };
	unsigned kind = roll(x, 6);

	if (s.eth_type)
		kind = 5;
	if (kind == 0) {
		s.payload_len = 1500 + roll(x, 7500);
		frame_gso(&s, (uint16_t)(600 + roll(x, 800)), p);
	} else {
		s.partial = kind == 1;
		frame_packet(&s, p);
	}
	p->data[5] = (uint8_t)roll(x, 3);
	p->data[11] = (uint8_t)roll(x, 3);
	if (!roll(x, 30))
		p->len = MIN(p->len, roll(x, 40)); /* cut off somewhere */
	if (p->len < 64) {
		p->flags = 0;
		p->gso_size = 0;
		p->gso_type = GSO_NONE;
	}
}

/* Random ports are ports that are there, mostly. */
static void narrow_ports(struct act_list list)
{
	act_list_for_each(a, list) {
		struct act_port *out = (struct act_port *)(uintptr_t)a;

		if (a->op == ACT_OUTPUT)
			out->port = 1 + out->port % (RIG_PORTS + 1);
		else if (act_nests((enum act_op)a->op))
			narrow_ports(act_nested(a));
	}
}

static struct policy *random_policy(struct pair *x)
{
	struct policy *p = rig_policy("");
	uint64_t seed = x->seed++;

	if (roll(x, 3) == 0) {
		acts_output(&p->acts, 1 + roll(x, RIG_PORTS));
	} else if (roll(x, 8)) {
		action_random(&p->acts, &seed, 0, false);
		acts_output(&p->acts, 1 + roll(x, RIG_PORTS));
		acts_output(&p->acts, 1 + roll(x, RIG_PORTS + 2));
	}
	narrow_ports(acts_list(&p->acts));
	p->drop = (enum drop)roll(x, N_DROPS);
	return p;
}

static struct policy *policy_copy(const struct policy *p)
{
	return xmemdup(p, sizeof(*p));
}

static void change(struct pair *x)
{
	uint32_t id = 1 + roll(x, RIG_PORTS);
	struct policy *p;

	switch (roll(x, 4)) {
	case 0:
		rig_port_del(x->user, id);
		rig_port_del(x->fake, id);
		rig_port_add(x->user, id);
		rig_port_add(x->fake, id);
		break;
	case 1:
		rig_pass_ms(x->user, 100);
		rig_pass_ms(x->fake, 100);
		break;
	default:
		p = random_policy(x);
		rig_publish(x->user, policy_copy(p));
		rig_publish(x->fake, p);
		break;
	}
}

/* --- what comes out ---------------------------------------------------------- */

static void compare_frames(struct pair *x, uint32_t port)
{
	struct packet *u, *f;

	while ((f = rig_take(x->fake, port))) {
		u = rig_take(x->user, port);
		assert_non_null(u);
		frame_assert_equal(u->data, u->len, f->data, f->len);
		if (!x->user->accel)
			assert_int_equal(u->flags, f->flags);
		assert_int_equal(u->flags & PACKET_CSUM_PARTIAL,
				 f->flags & PACKET_CSUM_PARTIAL);
		assert_int_equal(u->packet_type, f->packet_type);
		assert_int_equal(u->gso_size, f->gso_size);
		assert_int_equal(u->gso_type, f->gso_type);
		if (u->flags & PACKET_CSUM_PARTIAL)
			assert_int_equal(u->csum_start, f->csum_start);
		if (u->flags & PACKET_TUNNEL)
			assert_true(u->tun.id == f->tun.id);
		packet_free(u);
		packet_free(f);
	}
	assert_null(rig_take(x->user, port));
}

static void compare_counters(struct pair *x, uint32_t port)
{
	struct port_counters u = rig_counters(x->user, port);
	struct port_counters f = rig_counters(x->fake, port);

	assert_int_equal(u.rx_packets, f.rx_packets);
	assert_int_equal(u.rx_bytes, f.rx_bytes);
	assert_int_equal(u.tx_packets, f.tx_packets);
	assert_int_equal(u.tx_bytes, f.tx_bytes);
	for (unsigned d = 0; d < N_DROPS; d++)
		if (u.drops[d] != f.drops[d])
			fail_msg("port %u, %s: %lu drops, should be %lu", port,
				 drop_name((enum drop)d), u.drops[d],
				 f.drops[d]);
}

static void compare_told(struct pair *x)
{
	struct told u = rig_told(x->user), f = rig_told(x->fake);

	assert_int_equal(u.punted, f.punted);
	for (unsigned i = 0; i < MIN(u.punted, RIG_PUNTS); i++)
		assert_memory_equal(&u.punt[i], &f.punt[i], sizeof(u.punt[i]));
}

static void step(struct pair *x)
{
	uint32_t port = 1 + roll(x, RIG_PORTS), n = 1 + roll(x, FRAMES_MAX);
	struct packet *p = packet_alloc(x->pool);

	for (uint32_t i = 0; i < n; i++) {
		random_frame(x, p);
		rig_give(x->user, port, p);
		rig_give(x->fake, port, p);
	}
	packet_free(p);
	rig_settle(x->user);
	rig_settle(x->fake);
	for (uint32_t i = 1; i <= RIG_PORTS; i++) {
		compare_frames(x, i);
		compare_counters(x, i);
	}
	compare_told(x);
}

/* --- the test ---------------------------------------------------------------- */

static void give_abilities(struct rig *r)
{
	static const struct dummy_config c[] = {
		{ .record = true, .caps = PORT_CAP_CSUM },
		{ .record = true, .caps = PORT_CAP_CSUM | PORT_CAP_TSO4 },
		{ .record = true, .mtu = 9000 },
		{ .record = true,
		  .caps = PORT_CAP_CSUM | PORT_CAP_TSO4 | PORT_CAP_TSO6 |
			  PORT_CAP_USO4 | PORT_CAP_USO6 | PORT_CAP_ECN },
	};

	for (uint32_t i = 0; i < ARRAY_SIZE(c); i++)
		rig_port_replace(r, 2 + i, &c[i]);
}

/* Both draw the same numbers for samples from here on. */
static void same_random(struct pair *x)
{
	uint64_t seed = x->seed;

	__atomic_store_n(&x->user->env.seed, seed, __ATOMIC_RELAXED);
	__atomic_store_n(&x->fake->env.seed, seed, __ATOMIC_RELAXED);
}

static void the_fast_one_does_what_the_oracle_does(void **state UNUSED)
{
	const struct dp_config c = { .n_workers = 3,
				     .flows_per_port = 20,
				     .flows_max = 60,
				     .flow_idle_ms = 700 };
	struct pair *x = xzalloc(sizeof(*x));
	struct told u, f;

	x->seed = 1;
	x->pool = packet_pool_create(4);
	x->user = rig_create(&rig_user, &c);
	x->fake = rig_create(&rig_fake, &c);
	frame_pattern(x->payload, sizeof(x->payload), 1);
	x->user->punts_allowed = x->fake->punts_allowed = 700;
	give_abilities(x->user);
	give_abilities(x->fake);
	for (unsigned i = 0; i < STEPS; i++) {
		change(x);
		same_random(x);
		step(x);
	}
	rig_pass_ms(x->user, 2000);
	u = rig_told(x->user);
	f = rig_told(x->fake);
	assert_int_equal(u.packets, f.packets);
	assert_int_equal(u.bytes, f.bytes);
	assert_int_equal(dp_fake_wrong(x->fake->dp), 0);
	rig_destroy(x->user);
	rig_destroy(x->fake);
	packet_pool_destroy(x->pool);
	free(x);
}

/* --- the kernel's cache ------------------------------------------------------- */

/* What the kernel takes from a packet socket, and one tag: a frame with two that
 * is to be cut, or summed, is so at once. */
static void kernel_frame(struct pair *x, struct packet *p)
{
	struct frame_spec s = { .ip6 = roll(x, 2),
				.proto = (uint8_t)(roll(x, 2) ? 6 : 17),
				.n_tags = !roll(x, 3),
				.tpid = { 0x8100 },
				.tci = { (uint16_t)roll(x, 4) },
				.eth_type = roll(x, 12) ? 0 : 0x88cc,
				.tos = (uint8_t)roll(x, 256),
				.ttl = roll(x, 5) ? 0 : 1,
				.sport = (uint16_t)roll(x, 3),
				.dport = 53,
				.payload = x->payload,
				.payload_len = 20 + roll(x, 1380) };
	unsigned kind = s.eth_type ? 2 : roll(x, 3);

	if (kind == 0) {
		s.payload_len = 1500 + roll(x, 7500);
		frame_gso(&s, (uint16_t)(600 + roll(x, 800)), p);
	} else {
		s.partial = kind == 1;
		s.no_csum = kind == 2 && s.proto == 17 && !roll(x, 2);
		frame_packet(&s, p);
	}
	p->data[5] = (uint8_t)roll(x, 2);
	p->data[11] = (uint8_t)roll(x, 2);
}

static void random_set(struct pair *x, struct acts *to)
{
	enum field_id id = (enum field_id)roll(x, FIELD_TUN_ID);
	uint8_t value[FIELD_VALUE_MAX], mask[FIELD_VALUE_MAX];
	const struct field *f = field_get(id);
	bool whole = roll(x, 2);

	if (!edit_can_set(id) || id == FIELD_VLAN_TCI || id == FIELD_VLAN_TPID)
		return;
	field_mask_in_key(f, mask);
	for (unsigned i = 0; i < f->n; i++) {
		value[i] = (uint8_t)roll(x, 256);
		if (!whole)
			mask[i] &= (uint8_t)roll(x, 256);
	}
	acts_set_field(to, id, value, mask);
}

static void random_step(struct pair *x, struct acts *to)
{
	switch (roll(x, 8)) {
	case 0:
		acts_push_vlan(to, 0x8100, (uint16_t)roll(x, 0x1000));
		break;
	case 1:
		acts_pop_vlan(to);
		break;
	case 2:
		acts_op(to, ACT_DEC_TTL);
		break;
	case 3:
		acts_output(to, 1 + roll(x, RIG_PORTS));
		break;
	default:
		for (unsigned i = 0; i < 10; i++)
			random_set(x, to);
	}
}

/* As a pipeline does: what a packet lacks is not done to it. */
static bool fits(const struct act *a, const struct flow_key *k, unsigned tags)
{
	const struct act_set *set = (const void *)a;
	const struct field *f;

	switch (a->op) {
	case ACT_PUSH_VLAN:
		return !tags;
	case ACT_POP_VLAN:
		return tags;
	case ACT_DEC_TTL:
		return k->ip_ttl > 1;
	case ACT_SET_FIELD:
		f = field_get((enum field_id)set->field);
		return f->prereq == FIELD_PREREQ_VLAN ? tags :
							field_prereq_met(f, k);
	}
	return true;
}

static void say_what_fits(const struct policy *p, const struct flow_key *key,
			  struct verdict *v)
{
	struct effect count = { .kind = EFFECT_COUNT, .id = RIG_COUNTER };
	unsigned tags = key->vlan[0].tci & KEY_VLAN_PRESENT ? 1 : 0;

	MASK_SET(&v->mask, eth_dst);
	MASK_SET(&v->mask, eth_src);
	MASK_SET(&v->mask, eth_type);
	MASK_SET(&v->mask, vlan);
	MASK_SET(&v->mask, ip_frag);
	MASK_SET(&v->mask, ip_proto);
	MASK_SET(&v->mask, ip_ttl);
	MASK_SET(&v->mask, tp_src);
	MASK_SET(&v->mask, tp_dst);
	verdict_add_effect(v, &count);
	act_list_for_each(a, acts_list(&p->acts)) {
		if (!fits(a, key, tags))
			continue;
		acts_append(&v->actions, (struct act_list){ a, a->len });
		tags += a->op == ACT_PUSH_VLAN;
		tags -= a->op == ACT_POP_VLAN;
	}
}

static void kernel_change(struct pair *x)
{
	struct policy *p = rig_policy("");

	if (!roll(x, 10)) {
		acts_drop(&p->acts, (enum drop)(1 + roll(x, N_DROPS - 1)));
	} else {
		for (unsigned i = roll(x, 5); i; i--)
			random_step(x, &p->acts);
		acts_output(&p->acts, 1 + roll(x, RIG_PORTS));
	}
	p->decide = say_what_fits;
	rig_publish(x->user, policy_copy(p));
	rig_publish(x->fake, p);
}

/* The same frame three times: a miss, a hit, and one in the kernel. */
static void kernel_step(struct pair *x)
{
	uint32_t port = 1 + roll(x, RIG_PORTS);
	struct packet *p = packet_alloc(x->pool);

	for (uint32_t i = 0; i < KERNEL_FRAMES; i++) {
		if (i % 3 == 0)
			kernel_frame(x, p);
		rig_give(x->user, port, p);
		rig_settle(x->user);
		rig_give(x->fake, port, p);
		rig_settle(x->fake);
	}
	packet_free(p);
	for (uint32_t i = 1; i <= RIG_PORTS; i++) {
		compare_frames(x, i);
		compare_counters(x, i);
	}
}

/* The oracle's ports can do what devices can. */
static void same_abilities(struct pair *x)
{
	const struct dummy_config c = { .record = true,
					.caps = x->user->port[1]->caps,
					.mtu = x->user->port[1]->mtu };

	for (uint32_t i = 1; i <= RIG_PORTS; i++)
		rig_port_replace(x->fake, i, &c);
}

static void the_kernel_does_what_the_oracle_does(void **state UNUSED)
{
	const struct dp_config c = { .n_workers = 2 };
	struct pair *x = xzalloc(sizeof(*x));
	struct told u, f;

	x->seed = 1;
	x->pool = packet_pool_create(4);
	x->user = rig_create(&rig_bpf, &c);
	x->fake = rig_create(&rig_fake, &c);
	frame_pattern(x->payload, sizeof(x->payload), 1);
	same_abilities(x);
	for (unsigned i = 0; i < KERNEL_STEPS; i++) {
		kernel_change(x);
		kernel_step(x);
	}
	/* A third of all comes for the third time; nearly all lists fit. */
	assert_true(rig_stats(x->user).kernel_hits >
		    KERNEL_STEPS * KERNEL_FRAMES / 5);
	rig_pass_ms(x->user, 2000);
	u = rig_told(x->user);
	f = rig_told(x->fake);
	assert_int_equal(u.packets, f.packets);
	assert_int_equal(u.bytes, f.bytes);
	assert_int_equal(dp_fake_wrong(x->fake->dp), 0);
	rig_destroy(x->user);
	rig_destroy(x->fake);
	packet_pool_destroy(x->pool);
	free(x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_fast_one_does_what_the_oracle_does),
		{ "the_kernel_does_what_the_oracle_does (bpf)",
		  the_kernel_does_what_the_oracle_does, NULL, NULL, NULL },
	};

	return RIG_RUN(tests);
}
