/* SPDX-License-Identifier: Apache-2.0 */
#include "l2/loop_guard.h"

#include <errno.h>

#include "base/be.h"
#include "base/hash.h"
#include "base/hmap.h"
#include "packet/cursor.h"
#include "packet/headers.h"

#define NEVER UINT64_MAX
#define PROBE_MAGIC 0x77656674u /* "weft" */
#define PROBE_VERSION 1u
/* Probes go out in slots, so that many ports make no burst. */
#define SLOT_MS 50u
#define SLOT_PROBES (LOOP_PROBES_A_SECOND * SLOT_MS / 1000)
/* A port that is pointed at again and again probes this often at most. */
#define URGENT_GAP_MS 100u

struct loop_port {
	struct hmap_node node;
	uint32_t port, cost;
	uint32_t seq;      /* of the last probe */
	uint64_t probe_ms; /* when it was sent */
	bool urgent;
	bool blocked;
	uint64_t hold_ms;  /* of the next block */
	uint64_t quiet_ms; /* while blocked: since when no probe came */
	uint64_t block_ms; /* when it was last blocked; 0: never */
};

struct loop_guard {
	struct env *env;
	struct eth_addr mac, probe_mac;
	uint64_t id, secret;
	struct hmap map; /* by port number */
	struct loop_port **ports;
	unsigned n_ports, cap_ports;
	unsigned cursor; /* of the round */
	unsigned n_urgent, n_blocked;
	uint64_t round_ms; /* when the round began */
	uint64_t due_ms;
	struct loop_out *out; /* a ring */
	unsigned out_first, n_out, out_cap;
};

/* --- the probe ----------------------------------------------------------- */

struct loop_probe {
	struct eth_header eth;
	be32 magic;
	uint8_t version, zero[3];
	be32 port, seq;
	be64 id, mark;
} __attribute__((packed));
_Static_assert(sizeof(struct loop_probe) <= LOOP_FRAME_LEN, "fits");

static uint64_t probe_mark(const struct loop_guard *g, uint32_t port,
			   uint32_t seq)
{
	uint64_t h = hash_u64((uint64_t)port << 32 | seq, g->secret);

	return hash_add(hash_add(h, g->id), ~g->secret);
}

static void probe_encode(const struct loop_guard *g, const struct loop_port *p,
			 uint8_t frame[LOOP_FRAME_LEN])
{
	struct loop_probe probe = {
		.eth = { g->probe_mac, g->mac, to_be16(LOOP_ETHERTYPE) },
		.magic = to_be32(PROBE_MAGIC),
		.version = PROBE_VERSION,
		.port = to_be32(p->port),
		.seq = to_be32(p->seq),
		.id = to_be64(g->id),
		.mark = to_be64(probe_mark(g, p->port, p->seq)),
	};

	memset(frame, 0, LOOP_FRAME_LEN);
	memcpy(frame, &probe, sizeof(probe));
}

/* Is it one of ours? Then which port did it leave by, and when in sequence? */
static bool probe_decode(const struct loop_guard *g, const void *frame,
			 uint32_t len, uint32_t *port, uint32_t *seq)
{
	struct cursor c = cursor_init(frame, len);
	const struct loop_probe *p = cursor_take(&c, sizeof(*p));

	if (!p || from_be16(p->eth.type) != LOOP_ETHERTYPE ||
	    from_be32(p->magic) != PROBE_MAGIC || p->version != PROBE_VERSION ||
	    from_be64(p->id) != g->id)
		return false;
	*port = from_be32(p->port);
	*seq = from_be32(p->seq);
	return from_be64(p->mark) == probe_mark(g, *port, *seq);
}

/* --- the outbox ---------------------------------------------------------- */

static struct loop_out *out_add(struct loop_guard *g, enum loop_out_kind kind,
				uint32_t port)
{
	struct loop_out *o;

	if (g->n_out == g->out_cap) {
		unsigned cap = g->out_cap ? g->out_cap * 2 : 8;
		struct loop_out *out = xcalloc(cap, sizeof(*out));

		for (unsigned i = 0; i < g->n_out; i++)
			out[i] = g->out[(g->out_first + i) % g->out_cap];
		free(g->out);
		g->out = out;
		g->out_first = 0;
		g->out_cap = cap;
	}
	o = &g->out[(g->out_first + g->n_out++) % g->out_cap];
	*o = (struct loop_out){ .kind = kind, .port = port };
	return o;
}

bool loop_guard_take(struct loop_guard *g, struct loop_out *out)
{
	if (!g->n_out)
		return false;
	*out = g->out[g->out_first];
	g->out_first = (g->out_first + 1) % g->out_cap;
	g->n_out--;
	return true;
}

/* --- life ---------------------------------------------------------------- */

struct loop_guard *loop_guard_create(struct eth_addr mac, struct env *env)
{
	struct loop_guard *g = xzalloc(sizeof(*g));

	g->env = env;
	g->mac = mac;
	g->id = env_random(env);
	g->secret = env_random(env);
	/* A group address, locally administered: 03:... */
	g->probe_mac = eth_addr_from_u64((g->id >> 8 & 0xffffffffffull) |
					 0x030000000000ull);
	g->due_ms = NEVER;
	hmap_init(&g->map);
	return g;
}

void loop_guard_destroy(struct loop_guard *g)
{
	if (!g)
		return;
	for (unsigned i = 0; i < g->n_ports; i++)
		free(g->ports[i]);
	hmap_fini(&g->map);
	free(g->ports);
	free(g->out);
	free(g);
}

struct eth_addr loop_guard_probe_mac(const struct loop_guard *g)
{
	return g->probe_mac;
}

/* --- ports --------------------------------------------------------------- */

static struct loop_port *port_find(const struct loop_guard *g, uint32_t port)
{
	struct loop_port *p;

	hmap_for_each_same(p, &g->map, hash_u64(port, 0), node)
		if (p->port == port)
			return p;
	return NULL;
}

static void port_make_urgent(struct loop_guard *g, struct loop_port *p,
			     uint64_t now_ms)
{
	if (p->urgent)
		return;
	p->urgent = true;
	g->n_urgent++;
	g->due_ms = MIN(g->due_ms, now_ms);
}

int loop_guard_port_add(struct loop_guard *g, uint32_t port, uint32_t cost,
			uint64_t now_ms)
{
	struct loop_port *p;

	if (port_find(g, port))
		return -EEXIST;
	if (g->n_ports == LOOP_MAX_PORTS)
		return -ENOSPC;
	if (g->n_ports == g->cap_ports) {
		g->cap_ports = g->cap_ports ? g->cap_ports * 2 : 8;
		g->ports = xrealloc(g->ports, g->cap_ports * sizeof(*g->ports));
	}
	p = xzalloc(sizeof(*p));
	p->port = port;
	p->cost = cost;
	p->seq = (uint32_t)env_random(g->env);
	p->hold_ms = LOOP_HOLD_MS;
	hmap_put(&g->map, &p->node, hash_u64(port, 0));
	g->ports[g->n_ports++] = p;
	port_make_urgent(g, p, now_ms);
	return 0;
}

void loop_guard_port_del(struct loop_guard *g, uint32_t port)
{
	struct loop_port *p = port_find(g, port);

	if (!p)
		return;
	for (unsigned i = 0; i < g->n_ports; i++)
		if (g->ports[i] == p)
			g->ports[i] = g->ports[--g->n_ports];
	g->cursor = MIN(g->cursor, g->n_ports);
	g->n_urgent -= p->urgent;
	g->n_blocked -= p->blocked;
	if (!g->n_ports)
		g->due_ms = NEVER;
	hmap_del(&g->map, &p->node);
	free(p);
}

bool loop_guard_is_blocked(const struct loop_guard *g, uint32_t port)
{
	const struct loop_port *p = port_find(g, port);

	return p && p->blocked;
}

/* --- a probe came back --------------------------------------------------- */

static struct loop_port *loser_of(struct loop_port *a, struct loop_port *b)
{
	if (a->cost != b->cost)
		return a->cost > b->cost ? a : b;
	return a->port > b->port ? a : b;
}

/* With very many ports a round takes longer than the hold time: three rounds
 * without a probe are what "gone" needs. */
static uint64_t hold_of(const struct loop_guard *g, uint64_t hold_ms)
{
	uint64_t round_ms = g->n_ports * 1000ull / LOOP_PROBES_A_SECOND;

	return MAX(hold_ms, 3 * MAX(round_ms, LOOP_INTERVAL_MS));
}

static void port_block(struct loop_guard *g, struct loop_port *p,
		       uint32_t other, uint64_t now_ms)
{
	struct loop_out *o;

	if (p->block_ms && now_ms - p->block_ms >= LOOP_CALM_MS)
		p->hold_ms = LOOP_HOLD_MS;
	else if (p->block_ms)
		p->hold_ms = MIN(p->hold_ms * 2, LOOP_HOLD_MAX_MS);
	p->block_ms = p->quiet_ms = now_ms;
	p->blocked = true;
	g->n_blocked++;
	o = out_add(g, LOOP_BLOCK, p->port);
	o->other = other;
	o->hold_ms = hold_of(g, p->hold_ms);
}

static void loop_seen(struct loop_guard *g, struct loop_port *in,
		      struct loop_port *out, uint64_t now_ms)
{
	struct loop_port *loser = loser_of(in, out);

	if (in->blocked != out->blocked)
		loser = in->blocked ? in : out;
	if (loser->blocked)
		loser->quiet_ms = now_ms;
	else
		port_block(g, loser, loser == in ? out->port : in->port,
			   now_ms);
}

bool loop_guard_rx(struct loop_guard *g, uint32_t port, const void *frame,
		   uint32_t len, uint64_t now_ms)
{
	struct loop_port *in = port_find(g, port), *out;
	uint32_t out_port, seq;

	if (!probe_decode(g, frame, len, &out_port, &seq))
		return false;
	out = port_find(g, out_port);
	if (in && out && out->seq - seq <= 1)
		loop_seen(g, in, out, now_ms);
	return true;
}

void loop_guard_flap(struct loop_guard *g, uint32_t port_a, uint32_t port_b,
		     uint64_t now_ms)
{
	uint32_t ports[2] = { port_a, port_b };

	for (int i = 0; i < 2; i++) {
		struct loop_port *p = port_find(g, ports[i]);

		if (p && now_ms - p->probe_ms >= URGENT_GAP_MS)
			port_make_urgent(g, p, now_ms);
	}
}

/* --- time ---------------------------------------------------------------- */

static void port_probe(struct loop_guard *g, struct loop_port *p,
		       uint64_t now_ms)
{
	g->n_urgent -= p->urgent;
	p->urgent = false;
	p->seq++;
	p->probe_ms = now_ms;
	probe_encode(g, p, out_add(g, LOOP_SEND, p->port)->frame);
}

/* The urgent ones of this slot; returns how many more fit. */
static unsigned tick_urgent(struct loop_guard *g, uint64_t now_ms)
{
	unsigned room = SLOT_PROBES;

	for (unsigned i = 0; i < g->n_ports && g->n_urgent && room; i++) {
		if (!g->ports[i]->urgent)
			continue;
		port_probe(g, g->ports[i], now_ms);
		room--;
	}
	return room;
}

static void tick_round(struct loop_guard *g, unsigned room, uint64_t now_ms)
{
	if (now_ms < g->round_ms)
		return;
	for (; g->cursor < g->n_ports && room; g->cursor++) {
		struct loop_port *p = g->ports[g->cursor];

		if (p->probe_ms == now_ms)
			continue;
		port_probe(g, p, now_ms);
		room--;
	}
	if (g->cursor < g->n_ports)
		return;
	g->cursor = 0;
	g->round_ms = MAX(g->round_ms + LOOP_INTERVAL_MS, now_ms + SLOT_MS);
}

static void tick_blocked(struct loop_guard *g, uint64_t now_ms)
{
	for (unsigned i = 0; i < g->n_ports && g->n_blocked; i++) {
		struct loop_port *p = g->ports[i];

		if (!p->blocked ||
		    now_ms - p->quiet_ms < hold_of(g, p->hold_ms))
			continue;
		p->blocked = false;
		g->n_blocked--;
		out_add(g, LOOP_UNBLOCK, p->port);
		port_make_urgent(g, p, now_ms);
	}
}

void loop_guard_tick(struct loop_guard *g, uint64_t now_ms)
{
	if (now_ms < g->due_ms || !g->n_ports)
		return;
	/* After a long sleep, one round and not all that were missed. */
	if (now_ms > g->round_ms + LOOP_INTERVAL_MS)
		g->round_ms = now_ms;
	tick_blocked(g, now_ms);
	tick_round(g, tick_urgent(g, now_ms), now_ms);
	if (g->n_urgent || g->cursor)
		g->due_ms = now_ms + SLOT_MS;
	else
		g->due_ms = MAX(g->round_ms, now_ms + 1);
}

uint64_t loop_guard_next_deadline(const struct loop_guard *g)
{
	return g->due_ms;
}
