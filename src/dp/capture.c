/* SPDX-License-Identifier: Apache-2.0 */
#include "dp/capture.h"

#include "dp/dp.h"

#define RING_MASK (CAPTURE_RING_BYTES - 1)
#define PORT_WORDS (DP_MAX_PORTS / 64 + 1)

/* Positions only grow; what lies between them is to be read. A record does not
 * pass the end: what would is put at the start, behind a filler (point 0). */
struct ring {
	uint8_t *bytes; /* CAPTURE_RING_BYTES, lazily touched */
	uint64_t put CACHE_ALIGNED;
	uint64_t lost;
	uint64_t taken CACHE_ALIGNED;
};

struct capture {
	struct capture_spec spec;
	struct filter_op *ops[2];
	struct ring *rings;
	unsigned n_rings;
	struct ring *peeked;        /* whose record was given out */
	bool ended;                 /* atomic */
	uint64_t ports[PORT_WORDS]; /* a bit a port; atomic */
};

/* --- life --- */

static void copy_filter(struct filter *f, struct filter_op **to)
{
	if (!f->n)
		return;
	*to = xmemdup(f->ops, f->n * sizeof(*f->ops));
	f->ops = *to;
}

struct capture *capture_create(const struct capture_spec *spec,
			       unsigned n_threads)
{
	struct capture *c = xzalloc(sizeof(*c));
	size_t size = n_threads * sizeof(*c->rings);

	c->spec = *spec;
	copy_filter(&c->spec.ethernet, &c->ops[0]);
	copy_filter(&c->spec.ip, &c->ops[1]);
	c->rings = xaligned_alloc(CACHE_LINE, size);
	memset(c->rings, 0, size);
	for (; c->n_rings < n_threads; c->n_rings++) {
		c->rings[c->n_rings].bytes = lazy_alloc(CAPTURE_RING_BYTES);
		if (!c->rings[c->n_rings].bytes) {
			capture_destroy(c);
			return NULL;
		}
	}
	return c;
}

void capture_destroy(struct capture *c)
{
	if (!c)
		return;
	for (unsigned i = 0; i < c->n_rings; i++)
		lazy_free(c->rings[i].bytes, CAPTURE_RING_BYTES);
	free(c->rings);
	free(c->ops[0]);
	free(c->ops[1]);
	free(c);
}

void capture_end(struct capture *c)
{
	__atomic_store_n(&c->ended, true, __ATOMIC_RELAXED);
}

void capture_set_port(struct capture *c, uint32_t port, bool on)
{
	uint64_t bit = 1ull << (port % 64);

	must(port <= DP_MAX_PORTS);
	if (on)
		__atomic_or_fetch(&c->ports[port / 64], bit, __ATOMIC_RELAXED);
	else
		__atomic_and_fetch(&c->ports[port / 64], ~bit,
				   __ATOMIC_RELAXED);
}

struct capture_set *capture_set_with(const struct capture_set *s,
				     struct capture *c)
{
	struct capture_set *to = xzalloc(sizeof(*to));

	if (s)
		*to = *s;
	must(to->n < CAPTURE_MAX);
	to->c[to->n++] = c;
	return to;
}

struct capture_set *capture_set_without(const struct capture_set *s,
					const struct capture *c)
{
	struct capture_set *to = xzalloc(sizeof(*to));

	for (unsigned i = 0; s && i < s->n; i++)
		if (s->c[i] != c)
			to->c[to->n++] = s->c[i];
	if (to->n)
		return to;
	free(to);
	return NULL;
}

void capture_set_destroy(struct capture_set *s)
{
	for (unsigned i = 0; s && i < s->n; i++)
		capture_destroy(s->c[i]);
	free(s);
}

/* --- writing --- */

static struct capture_record *record_at(const struct ring *r, uint64_t at)
{
	return (struct capture_record *)(void *)(r->bytes + (at & RING_MASK));
}

/* Room for a record of that size at *at; NULL when it is full. */
static struct capture_record *ring_room(struct ring *r, uint32_t size,
					uint64_t *at)
{
	uint64_t taken = __atomic_load_n(&r->taken, __ATOMIC_ACQUIRE);
	uint64_t end = CAPTURE_RING_BYTES - (r->put & RING_MASK);
	uint64_t skip = end < size ? end : 0;

	if (r->put + skip + size - taken > CAPTURE_RING_BYTES)
		return NULL;
	if (skip) {
		struct capture_record *filler = record_at(r, r->put);

		filler->size = (uint32_t)skip;
		filler->point = 0;
	}
	*at = r->put + skip;
	return record_at(r, *at);
}

static uint32_t bytes_kept(const struct capture_spec *s, const struct packet *p)
{
	bool offloads = p->flags & PACKET_CSUM_PARTIAL || packet_is_gso(p);

	return offloads && s->offloads_whole ? p->len : MIN(p->len, s->snap);
}

static void describe_tunnel(struct capture_record *r, const struct packet *p)
{
	const struct packet_tunnel *t = &p->tun;

	if (!(p->flags & PACKET_TUNNEL))
		return;
	r->tun_src = t->src;
	r->tun_dst = t->dst;
	r->tun_id = t->id;
	r->tun_tp_src = t->tp_src;
	r->tun_tp_dst = t->tp_dst;
	r->tun_tos = t->tos;
	r->tun_ttl = t->ttl;
}

static void describe(struct capture_record *r, const struct packet *p)
{
	r->in_port = p->in_port;
	r->len = p->len;
	r->packet_type = p->packet_type;
	r->flags = p->flags;
	r->l3 = p->l3;
	r->l4 = p->l4;
	r->inner = p->inner;
	r->csum_start = p->csum_start;
	r->csum_offset = p->csum_offset;
	r->gso_size = p->gso_size;
	r->gso_type = p->gso_type;
	r->gso_ecn = p->gso_ecn;
	describe_tunnel(r, p);
}

static void fill(struct capture_record *r, const struct packet *p,
		 const struct capture_event *ev)
{
	uint8_t *to = (uint8_t *)r->tail;

	describe(r, p);
	if (r->has_key) {
		memcpy(to, ev->key, sizeof(*ev->key));
		to += sizeof(*ev->key);
	}
	if (r->actions_len)
		memcpy(to, ev->actions.first, r->actions_len);
	memcpy(to + r->actions_len, p->data, r->kept);
}

/* The record is filled first, then shown to the reader. */
static void capture_put(struct capture *c, struct ring *ring,
			const struct packet *p, const struct capture_event *ev)
{
	struct capture_record head = {
		.point = ev->point,
		.port = ev->port,
		.drop = (uint16_t)ev->drop,
		.has_key = c->spec.with_keys && ev->key,
		.kept = bytes_kept(&c->spec, p),
	};
	struct capture_record *r;
	uint64_t at;

	if (ev->actions.len <= CAPTURE_ACTIONS_MAX)
		head.actions_len = (uint16_t)ev->actions.len;
	head.size = (uint32_t)ROUND_UP(
		sizeof(head) + head.kept + head.actions_len +
			(head.has_key ? sizeof(*ev->key) : 0),
		8);
	r = ring_room(ring, head.size, &at);
	if (!r) {
		__atomic_add_fetch(&ring->lost, 1, __ATOMIC_RELAXED);
		return;
	}
	head.time_ns = env_now_ns(c->spec.env);
	*r = head;
	fill(r, p, ev);
	__atomic_store_n(&ring->put, at + head.size, __ATOMIC_RELEASE);
	c->spec.notify(c->spec.ctx);
}

static bool wants_at(const struct capture *c, uint32_t port, unsigned points)
{
	const struct capture_spec *s = &c->spec;

	if (!(s->points & points) || port > DP_MAX_PORTS ||
	    __atomic_load_n(&c->ended, __ATOMIC_RELAXED))
		return false;
	return s->all_ports ||
	       (__atomic_load_n(&c->ports[port / 64], __ATOMIC_RELAXED) >>
			(port % 64) &
		1);
}

static bool is_of_peer(const struct ip_addr *peer, const struct packet *p,
		       enum capture_point point)
{
	if (!peer->family)
		return true;
	return p->flags & PACKET_TUNNEL &&
	       ip_addr_equal(peer,
			     point == CAPTURE_OUT ? &p->tun.dst : &p->tun.src);
}

static bool wants(const struct capture *c, const struct packet *p,
		  const struct capture_event *ev)
{
	const struct capture_spec *s = &c->spec;

	if (!wants_at(c, ev->port, ev->point) ||
	    !is_of_peer(&s->peer, p, ev->point))
		return false;
	return filter_pass(p->packet_type ? &s->ip : &s->ethernet, p->data,
			   p->len);
}

void capture_packet(const struct capture_set *s, unsigned thread,
		    const struct packet *p, const struct capture_event *ev)
{
	for (unsigned i = 0; i < s->n; i++)
		if (wants(s->c[i], p, ev))
			capture_put(s->c[i], &s->c[i]->rings[thread], p, ev);
}

/* --- reading --- */

static const struct capture_record *ring_peek(struct ring *r)
{
	uint64_t put = __atomic_load_n(&r->put, __ATOMIC_ACQUIRE);
	const struct capture_record *rec;

	if (r->taken == put)
		return NULL;
	rec = record_at(r, r->taken);
	if (rec->point)
		return rec;
	__atomic_store_n(&r->taken, r->taken + rec->size, __ATOMIC_RELEASE);
	return record_at(r, r->taken);
}

/* The oldest of all rings. */
const struct capture_record *capture_peek(struct capture *c)
{
	const struct capture_record *oldest = NULL, *r;

	for (unsigned i = 0; i < c->n_rings; i++) {
		r = ring_peek(&c->rings[i]);
		if (!r || (oldest && oldest->time_ns <= r->time_ns))
			continue;
		oldest = r;
		c->peeked = &c->rings[i];
	}
	return oldest;
}

void capture_next(struct capture *c)
{
	struct ring *r = c->peeked;

	__atomic_store_n(&r->taken, r->taken + record_at(r, r->taken)->size,
			 __ATOMIC_RELEASE);
}

uint64_t capture_lost(const struct capture *c)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < c->n_rings; i++)
		n += __atomic_load_n(&c->rings[i].lost, __ATOMIC_RELAXED);
	return n;
}

const struct flow_key *capture_record_key(const struct capture_record *r)
{
	return r->has_key ? (const struct flow_key *)(const void *)r->tail :
			    NULL;
}

static const uint8_t *behind_key(const struct capture_record *r)
{
	return (const uint8_t *)r->tail +
	       (r->has_key ? sizeof(struct flow_key) : 0);
}

struct act_list capture_record_actions(const struct capture_record *r)
{
	return (struct act_list){
		(const struct act *)(const void *)behind_key(r), r->actions_len
	};
}

const uint8_t *capture_record_bytes(const struct capture_record *r)
{
	return behind_key(r) + r->actions_len;
}

void capture_record_packet(const struct capture_record *r, struct packet *p)
{
	packet_fill(p, capture_record_bytes(r), r->kept);
	p->in_port = r->in_port;
	p->packet_type = r->packet_type;
	p->flags = r->flags;
	p->l3 = r->l3;
	p->l4 = r->l4;
	p->inner = r->inner;
	p->csum_start = r->csum_start;
	p->csum_offset = r->csum_offset;
	p->gso_size = r->gso_size;
	p->gso_type = r->gso_type;
	p->gso_ecn = r->gso_ecn;
	p->tun = (struct packet_tunnel){ .id = r->tun_id,
					 .src = r->tun_src,
					 .dst = r->tun_dst,
					 .tp_src = r->tun_tp_src,
					 .tp_dst = r->tun_tp_dst,
					 .tos = r->tun_tos,
					 .ttl = r->tun_ttl };
}
