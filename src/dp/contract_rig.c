/* SPDX-License-Identifier: Apache-2.0 */
#include "dp/contract_rig.h"

#include <setjmp.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/rcu.h"
#include "dp/fake.h"

#define PATIENCE_MS 10000u
#define POOL 8u
#define STEP_MS 100u
#define SERIAL_AT 20u /* of the number, from the end of the frame */

const struct provider rig_user = { .name = "user", .ops = &dp_user_ops };
const struct provider rig_fake = { .name = "fake",
				   .ops = &dp_fake_ops,
				   .poll = dp_fake_poll };
const struct provider rig_bpf = { .name = "bpf",
				  .ops = &dp_user_ops,
				  .in_kernel = true };

/* --- the world --- */

static uint64_t env_ns(struct env *env)
{
	const struct rig_env *e = container_of(env, struct rig_env, env);

	return __atomic_load_n(&e->ns, __ATOMIC_RELAXED);
}

static uint64_t env_ms(struct env *env)
{
	return env_ns(env) / 1000000u;
}

static uint64_t env_s(struct env *env)
{
	return env_ns(env) / 1000000000u;
}

static uint64_t env_draw(struct env *env)
{
	struct rig_env *e = container_of(env, struct rig_env, env);
	uint64_t s = __atomic_add_fetch(&e->seed, 0x9e3779b97f4a7c15ull,
					__ATOMIC_RELAXED);

	return hash_mix(s, 0xbf58476d1ce4e5b9ull);
}

/* --- the callbacks --- */

static void decide_by_list(const struct policy *p, struct verdict *v)
{
	struct effect count = { .kind = EFFECT_COUNT, .id = RIG_COUNTER };

	MASK_SET(&v->mask, eth_dst);
	MASK_SET(&v->mask, eth_src);
	verdict_add_effect(v, &count);
	acts_append(&v->actions, acts_list(&p->acts));
	v->drop = (uint16_t)p->drop;
}

/* What is not of the packet is zero: X2 of flow/extract.h. */
static void must_be_clean(const struct flow_key *key)
{
	const uint64_t *w = key_words_const(key);
	size_t from = offsetof(struct flow_key, ct_state) / 8;

	for (size_t i = from; i < KEY_WORDS; i++)
		must(!w[i]);
}

static void cb_translate(void *ctx, const struct flow_key *key,
			 struct verdict *v)
{
	struct rig *r = ctx;
	const struct policy *p = rcu_load(r->policy);
	void (*on_translate)(struct rig *) =
		__atomic_load_n(&r->on_translate, __ATOMIC_ACQUIRE);

	verdict_init(v);
	verdict_add_dep(v, (struct dep){ STAMP_SNAPSHOT, p->generation });
	must_be_clean(key);
	if (on_translate)
		on_translate(r);
	rig_gate_pass(r);
	if (p->decide)
		p->decide(p, key, v);
	else
		decide_by_list(p, v);
	pthread_mutex_lock(&r->lock);
	r->told.translated++;
	pthread_mutex_unlock(&r->lock);
}

static void cb_apply(void *ctx, const struct effect *effects, unsigned n,
		     const struct dp_use *use)
{
	struct rig *r = ctx;

	must(n == 1 && effects[0].id == RIG_COUNTER);
	pthread_mutex_lock(&r->lock);
	r->told.applied++;
	r->told.packets += use->packets;
	r->told.bytes += use->bytes;
	r->told.past += use->past ? use->packets : 0;
	r->told.last = *use;
	pthread_mutex_unlock(&r->lock);
}

static void note_punt(struct told *t, const struct packet *p,
		      const struct flow_key *key, const struct act_punt *a)
{
	struct rig_punt *n = &t->punt[t->punted++ % RIG_PUNTS];

	*n = (struct rig_punt){ .in_port = p->in_port,
				.key_port = key->in_port,
				.key_src = key->eth_src.b[5],
				.len = p->len,
				.action = *a };
	memcpy(n->head, p->data, MIN(p->len, sizeof(n->head)));
}

static bool cb_punt(void *ctx, const struct packet *p,
		    const struct flow_key *key, const struct act_punt *a)
{
	struct rig *r = ctx;
	bool room;

	pthread_mutex_lock(&r->lock);
	room = r->told.punted < r->punts_allowed;
	if (room)
		note_punt(&r->told, p, key, a);
	pthread_mutex_unlock(&r->lock);
	return room;
}

static void cb_port_failed(void *ctx, uint32_t port, int error)
{
	struct rig *r = ctx;

	pthread_mutex_lock(&r->lock);
	r->told.failed++;
	r->told.failed_port = port;
	r->told.failed_error = error;
	pthread_mutex_unlock(&r->lock);
}

static const struct dp_callbacks callbacks = {
	.translate = cb_translate,
	.apply = cb_apply,
	.punt = cb_punt,
	.port_failed = cb_port_failed,
};

/* --- ports --- */

struct port *rig_port_create(uint32_t id, const struct dummy_config *c)
{
	struct err e = ERR_INIT;
	char name[16];
	struct port *p;

	snprintf(name, sizeof(name), "p%u", id);
	p = dummy_port_create(name, c);
	p->id = id;
	assert_int_equal(p->ops->attach(p, &e), 0);
	return p;
}

void rig_port_add(struct rig *r, uint32_t id)
{
	assert_int_equal(r->ops->port_add(r->dp, r->port[id]), 0);
	r->in[id] = true;
}

void rig_port_del(struct rig *r, uint32_t id)
{
	r->in[id] = false;
	r->ops->port_del(r->dp, id);
}

static void port_make(struct rig *r, uint32_t id)
{
	const struct dummy_config plain = { .record = true };

	if (r->accel) {
		r->wire[id] = wire_create(id);
		r->port[id] = wire_port(r->wire[id]);
	} else {
		r->port[id] = rig_port_create(id, &plain);
	}
}

static void port_destroy(struct rig *r, uint32_t id)
{
	if (r->wire[id])
		wire_destroy(r->wire[id]);
	else
		r->port[id]->ops->destroy(r->port[id]);
	r->wire[id] = NULL;
}

void rig_port_replace(struct rig *r, uint32_t id, const struct dummy_config *c)
{
	if (r->in[id])
		rig_port_del(r, id);
	port_destroy(r, id);
	r->port[id] = rig_port_create(id, c);
	r->given[id] = 0;
	rig_port_add(r, id);
}

/* --- life --- */

/* One for all rigs that want it: the programs are proved once. */
static struct accel *accel;

static void accel_use(struct rig *r)
{
	must(accel);
	r->accel = accel;
	r->stamps = accel_stamps(accel);
	wire_one_cpu(true);
}

struct rig *rig_create(const struct provider *is,
		       const struct dp_config *config)
{
	struct rig *r = xzalloc(sizeof(*r));

	r->is = is;
	r->ops = is->ops;
	r->env = (struct rig_env){ .env = { .now_ms = env_ms,
					    .now_ns = env_ns,
					    .wall_s = env_s,
					    .random = env_draw },
				   .ns = RIG_START_NS };
	if (is->in_kernel)
		accel_use(r);
	else
		r->stamps = xzalloc(sizeof(*r->stamps));
	r->pool = packet_pool_create(POOL);
	r->punts_allowed = RIG_PUNTS;
	pthread_mutex_init(&r->lock, NULL);
	r->policy = rig_policy("drop(rule)");
	if (config)
		r->config = *config;
	r->config.env = &r->env.env;
	r->config.stamps = r->stamps;
	r->config.accel = r->accel;
	r->config.cb = &callbacks;
	r->config.ctx = r;
	r->dp = r->ops->create(&r->config);
	assert_non_null(r->dp);
	for (uint32_t i = 1; i <= RIG_PORTS; i++) {
		port_make(r, i);
		rig_port_add(r, i);
	}
	return r;
}

void rig_destroy(struct rig *r)
{
	for (uint32_t i = 1; i <= RIG_PORTS; i++)
		if (r->in[i])
			rig_port_del(r, i);
	r->ops->destroy(r->dp);
	for (uint32_t i = 1; i <= RIG_PORTS; i++)
		port_destroy(r, i);
	port_settle();
	/* A test that fails may leave some behind. */
	if (packet_pool_free_count(r->pool) == POOL)
		packet_pool_destroy(r->pool);
	pthread_mutex_destroy(&r->lock);
	free((void *)(uintptr_t)r->policy);
	if (!r->accel)
		free(r->stamps);
	wire_one_cpu(false);
	free(r);
}

int rig_setup(void **state)
{
	const struct dp_config c = { .n_workers = 3 };

	*state = rig_create(*state, &c);
	return 0;
}

int rig_teardown(void **state)
{
	rig_destroy(*state);
	return 0;
}

struct rig *rig_again(void **state, const struct dp_config *config)
{
	struct rig *r = *state;
	const struct provider *is = r->is;

	rig_destroy(r);
	*state = r = rig_create(is, config);
	return r;
}

void rig_look_around(void)
{
	struct err e = ERR_INIT;

	accel = wire_enter() ? accel_create(&e) : NULL;
	if (!accel) {
		printf("skipped over bpf: %s\n",
		       e.text ? e.text : "no right to make namespaces");
		cmocka_set_skip_filter("*(bpf)");
	}
	err_fini(&e);
}

int rig_begin(void **state UNUSED)
{
	rcu_thread_register();
	return 0;
}

int rig_end(void **state UNUSED)
{
	rcu_thread_unregister();
	accel_destroy(accel);
	return 0;
}

/* --- the policy --- */

struct policy *rig_policy(const char *actions)
{
	struct policy *p = xzalloc(sizeof(*p));
	struct err e = ERR_INIT;

	if (acts_parse(actions, NULL, &p->acts, &e))
		fail_msg("%s: %s", actions, e.text);
	return p;
}

void rig_publish(struct rig *r, struct policy *p)
{
	const struct policy *old = r->policy;

	p->generation = r->stamps->v[STAMP_SNAPSHOT] + 1;
	rcu_publish(r->policy, p);
	stamp_bump(r->stamps, STAMP_SNAPSHOT);
	r->ops->barrier(r->dp);
	free((void *)(uintptr_t)old);
}

void rig_say(struct rig *r, const char *actions)
{
	rig_publish(r, rig_policy(actions));
}

void rig_decide(struct rig *r,
		void (*decide)(const struct policy *p,
			       const struct flow_key *key, struct verdict *v))
{
	struct policy *p = rig_policy("");

	p->decide = decide;
	rig_publish(r, p);
}

/* --- frames in --- */

static void write32(uint8_t *p, uint32_t v)
{
	for (unsigned i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> (24 - 8 * i));
}

uint32_t rig_frame(struct rig *r, uint32_t from, uint32_t to, uint32_t n)
{
	static const uint8_t nothing[22];
	struct frame_spec s = { .proto = 17,
				.sport = 1000,
				.dport = 2000,
				.no_csum = true,
				.payload = nothing,
				.payload_len = sizeof(nothing) };
	uint32_t len = frame_build(&s, r->frame).len;

	write32(r->frame + 2, to);
	write32(r->frame + 8, from);
	write32(r->frame + len - SERIAL_AT, n);
	return len;
}

uint32_t rig_number(const struct packet *p)
{
	const uint8_t *b = p->data + p->len - SERIAL_AT;

	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 |
	       (uint32_t)b[2] << 8 | b[3];
}

static void give(struct rig *r, uint32_t port, const void *bytes, uint32_t len,
		 const struct packet *like)
{
	if (r->wire[port])
		assert_true(wire_give(r->wire[port], bytes, len, like));
	else
		assert_true(dummy_inject(r->port[port], bytes, len, like));
	r->given[port]++;
}

void rig_give_bytes(struct rig *r, uint32_t port, const void *bytes,
		    uint32_t len)
{
	give(r, port, bytes, len, NULL);
}

void rig_send(struct rig *r, uint32_t port, uint32_t from, uint32_t to)
{
	uint32_t len = rig_frame(r, from, to, (uint32_t)r->given[port]);

	give(r, port, r->frame, len, NULL);
}

void rig_send_n(struct rig *r, uint32_t port, unsigned n)
{
	while (n--)
		rig_send(r, port, 1, 2);
}

void rig_give(struct rig *r, uint32_t port, const struct packet *p)
{
	give(r, port, p->data, p->len, p);
}

/* --- waiting --- */

static bool is_quiet(struct rig *r)
{
	if (r->accel)
		(void)rig_stats(r); /* asks the kernel what it counted */
	for (uint32_t i = 1; i <= RIG_PORTS; i++) {
		struct port_counters c = rig_counters(r, i);

		if (r->in[i] && c.rx_packets + c.rx_errors < r->given[i])
			return false;
	}
	return true;
}

static void rig_turn(struct rig *r)
{
	if (r->is->poll)
		r->is->poll(r->dp);
	else
		usleep(100);
}

void rig_settle(struct rig *r)
{
	for (unsigned i = 0; !is_quiet(r); i++) {
		if (i > PATIENCE_MS * 10)
			fail_msg("frames are not moved");
		rig_turn(r);
	}
	(void)rig_stats(r); /* what was being moved is sent */
}

/* A worker asked three times has seen the clock and swept by it. */
void rig_pass_ms(struct rig *r, uint64_t ms)
{
	for (uint64_t left = ms; left;) {
		uint64_t step = MIN(left, STEP_MS);

		__atomic_add_fetch(&r->env.ns, step * 1000000u,
				   __ATOMIC_RELAXED);
		for (unsigned i = 0; i < 3; i++)
			(void)rig_stats(r);
		if (r->is->poll)
			r->is->poll(r->dp);
		left -= step;
	}
}

/* --- the gate --- */

#define GATE_US 30000u

void rig_gate_shut(struct rig *r, unsigned n)
{
	__atomic_store_n(&r->gate_open, false, __ATOMIC_RELEASE);
	__atomic_store_n(&r->gate_reached, false, __ATOMIC_RELEASE);
	__atomic_store_n(&r->gate_in, n, __ATOMIC_RELEASE);
}

void rig_gate_pass(struct rig *r)
{
	if (!__atomic_load_n(&r->gate_in, __ATOMIC_ACQUIRE) ||
	    __atomic_sub_fetch(&r->gate_in, 1, __ATOMIC_ACQ_REL))
		return;
	__atomic_store_n(&r->gate_reached, true, __ATOMIC_RELEASE);
	while (!__atomic_load_n(&r->gate_open, __ATOMIC_ACQUIRE))
		usleep(100);
}

void rig_gate_reached(struct rig *r)
{
	for (unsigned i = 0;; i++) {
		if (__atomic_load_n(&r->gate_reached, __ATOMIC_ACQUIRE))
			return;
		if (i > PATIENCE_MS * 10)
			fail_msg("nobody comes to the gate");
		usleep(100);
	}
}

static void *gate_keeper(void *arg)
{
	struct rig *r = arg;

	usleep(GATE_US);
	__atomic_store_n(&r->gate_open, true, __ATOMIC_RELEASE);
	return NULL;
}

void rig_gate_open_soon(struct rig *r)
{
	must(!pthread_create(&r->gate_keeper, NULL, gate_keeper, r));
}

bool rig_gate_was_open(struct rig *r)
{
	bool open = __atomic_load_n(&r->gate_open, __ATOMIC_ACQUIRE);

	pthread_join(r->gate_keeper, NULL);
	return open;
}

/* --- frames out, and what was counted --- */

struct packet *rig_take(struct rig *r, uint32_t port)
{
	return r->wire[port] ? wire_take(r->wire[port], r->pool) :
			       dummy_take(r->port[port], r->pool);
}

unsigned rig_drain(struct rig *r, uint32_t port)
{
	struct packet *p;
	unsigned n = 0;

	while ((p = rig_take(r, port))) {
		packet_free(p);
		n++;
	}
	return n;
}

void rig_expect(struct rig *r, uint32_t port, unsigned n)
{
	unsigned got = rig_drain(r, port);

	if (got != n)
		fail_msg("%u frames left by port %u, should be %u", got, port,
			 n);
}

struct port_counters rig_counters(struct rig *r, uint32_t port)
{
	struct port_counters c;

	port_counters_sum(r->port[port], &c);
	return c;
}

uint64_t rig_drops(struct rig *r, uint32_t port, enum drop reason)
{
	return rig_counters(r, port).drops[reason];
}

uint64_t rig_drops_all(struct rig *r)
{
	uint64_t n = 0;

	for (uint32_t i = 1; i <= RIG_PORTS; i++)
		for (unsigned d = 0; d < N_DROPS; d++)
			n += rig_drops(r, i, (enum drop)d);
	return n;
}

struct told rig_told(struct rig *r)
{
	struct told t;

	pthread_mutex_lock(&r->lock);
	t = r->told;
	pthread_mutex_unlock(&r->lock);
	return t;
}

struct dp_stats rig_stats(struct rig *r)
{
	struct dp_stats s;

	r->ops->stats(r->dp, &s);
	return s;
}
