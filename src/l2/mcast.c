/* SPDX-License-Identifier: Apache-2.0 */
#include "l2/mcast.h"

#include <sys/socket.h>

#include "base/hmap.h"
#include "base/rcu.h"
#include "l2/mcast_wire.h"

/* A domain's groups share this many stamps, so that "all of them" is few. */
#define N_STAMPS 64u
#define OUTBOX_MAX 8u
#define STARTUP_QUERIES 2u
#define TICK_MIN_MS 1000u
#define NEVER UINT64_MAX

/* Ports, ascending. Immutable once shown. */
struct mcast_set {
	struct rcu_head rcu;
	unsigned n;
	uint32_t ports[];
};

/* A port and until when. */
struct mcast_port {
	uint32_t port;
	uint64_t expires_ms;
};

/* Ascending by port; the control thread's own. */
struct mcast_ports {
	struct mcast_port *p;
	unsigned n, cap;
};

struct mcast_group {
	struct mcast_group *next; /* read without a lock */
	struct rcu_head rcu;
	struct ip_addr addr;
	uint64_t hash;
	struct mcast_set *shown; /* members and routers; read without a lock */
	struct mcast_ports members;
};

struct mcast_family {
	bool narrow;             /* read without a lock */
	struct mcast_set *shown; /* routers; read without a lock */
	struct mcast_ports routers;
	uint64_t other_until_ms;   /* another querier counts until then */
	uint64_t querier_since_ms; /* NEVER: there is none */
	uint64_t next_query_ms;    /* our own */
	unsigned n_queries;
};

struct mcast_share {
	struct hmap_node node;
	uint32_t port, n;
};

struct mcast {
	struct mcast_config config;
	struct stamps *stamps;
	uint64_t seed;
	struct mcast_group **buckets;
	uint32_t mask;
	uint32_t n_groups;
	bool overflow;
	struct mcast_family family[2];
	struct hmap shares; /* groups that each port has asked for */
	uint64_t due_ms;
	struct mcast_frame outbox[OUTBOX_MAX];
	unsigned out_first, n_out;
	struct mcast_stats stats;
	struct mcast_msg msg; /* scratch of mcast_rx */
};

static struct mcast_family *family_of(struct mcast *m, uint16_t family)
{
	return &m->family[family == AF_INET6];
}

/* --- sorted ports -------------------------------------------------------- */

static unsigned ports_place(const struct mcast_ports *s, uint32_t port)
{
	unsigned lo = 0, hi = s->n;

	while (lo < hi) {
		unsigned mid = (lo + hi) / 2;

		if (s->p[mid].port < port)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static struct mcast_port *ports_find(const struct mcast_ports *s, uint32_t port)
{
	unsigned at = ports_place(s, port);

	return at < s->n && s->p[at].port == port ? &s->p[at] : NULL;
}

static void ports_add(struct mcast_ports *s, uint32_t port, uint64_t expires_ms)
{
	unsigned at = ports_place(s, port);

	if (s->n == s->cap) {
		s->cap = s->cap ? s->cap * 2 : 4;
		s->p = xrealloc(s->p, s->cap * sizeof(*s->p));
	}
	memmove(&s->p[at + 1], &s->p[at], (s->n - at) * sizeof(*s->p));
	s->p[at] = (struct mcast_port){ port, expires_ms };
	s->n++;
}

static void ports_del_at(struct mcast_ports *s, unsigned at)
{
	s->n--;
	memmove(&s->p[at], &s->p[at + 1], (s->n - at) * sizeof(*s->p));
}

/* --- sets that readers see ----------------------------------------------- */

static void set_free(struct rcu_head *head)
{
	free(container_of(head, struct mcast_set, rcu));
}

static struct mcast_set *set_union(const struct mcast_ports *a,
				   const struct mcast_ports *b)
{
	struct mcast_set *s =
		xzalloc(sizeof(*s) + (a->n + b->n) * sizeof(s->ports[0]));
	unsigned i = 0, j = 0;

	while (i < a->n || j < b->n) {
		uint32_t pa = i < a->n ? a->p[i].port : UINT32_MAX;
		uint32_t pb = j < b->n ? b->p[j].port : UINT32_MAX;

		s->ports[s->n++] = MIN(pa, pb);
		i += pa <= pb;
		j += pb <= pa;
	}
	return s;
}

static void set_show(struct mcast_set **place, struct mcast_set *fresh)
{
	struct mcast_set *old = *place;

	rcu_publish(*place, fresh);
	if (old)
		rcu_defer(&old->rcu, set_free);
}

/* --- stamps -------------------------------------------------------------- */

static uint64_t group_hash(const struct mcast *m, const struct ip_addr *g)
{
	uint64_t w[2];

	memcpy(w, g->a.b, sizeof(w));
	return hash_add(hash_u64(w[0], m->seed), w[1]);
}

static uint32_t stamp_of(const struct mcast *m, uint64_t hash)
{
	return stamp_slot(hash_u64(hash % N_STAMPS, m->seed));
}

static void bump_all(struct mcast *m)
{
	for (uint64_t i = 0; i < N_STAMPS; i++)
		stamp_bump(m->stamps, stamp_of(m, i));
}

/* --- groups -------------------------------------------------------------- */

static void group_show(struct mcast *m, struct mcast_group *g)
{
	struct mcast_family *f = family_of(m, g->addr.family);

	set_show(&g->shown, set_union(&g->members, &f->routers));
	stamp_bump(m->stamps, stamp_of(m, g->hash));
}

static struct mcast_group *group_find(const struct mcast *m,
				      const struct ip_addr *addr, uint64_t hash)
{
	struct mcast_group *g = rcu_load(m->buckets[hash & m->mask]);

	while (g && !ip_addr_equal(&g->addr, addr))
		g = rcu_load(g->next);
	return g;
}

static struct mcast_group *group_create(struct mcast *m,
					const struct ip_addr *addr)
{
	struct mcast_group *g = xzalloc(sizeof(*g));
	struct mcast_group **bucket;

	g->addr = *addr;
	g->hash = group_hash(m, addr);
	bucket = &m->buckets[g->hash & m->mask];
	g->next = *bucket;
	group_show(m, g);
	rcu_publish(*bucket, g);
	m->n_groups++;
	return g;
}

static void group_free(struct rcu_head *head)
{
	struct mcast_group *g = container_of(head, struct mcast_group, rcu);

	free(g->shown);
	free(g->members.p);
	free(g);
}

/* `link` leads to it. */
static void group_delete(struct mcast *m, struct mcast_group **link)
{
	struct mcast_group *g = *link;

	rcu_publish(*link, g->next);
	stamp_bump(m->stamps, stamp_of(m, g->hash));
	m->n_groups--;
	rcu_defer(&g->rcu, group_free);
}

static struct mcast_share *share_get(struct mcast *m, uint32_t port)
{
	uint64_t hash = hash_u64(port, m->seed);
	struct mcast_share *s;

	hmap_for_each_same(s, &m->shares, hash, node)
		if (s->port == port)
			return s;
	s = xzalloc(sizeof(*s));
	s->port = port;
	hmap_put(&m->shares, &s->node, hash);
	return s;
}

static void share_drop(struct mcast *m, uint32_t port)
{
	struct mcast_share *s = share_get(m, port);

	if (--s->n)
		return;
	hmap_del(&m->shares, &s->node);
	free(s);
}

static bool share_is_full(struct mcast *m, uint32_t port)
{
	struct mcast_share *s;

	hmap_for_each_same(s, &m->shares, hash_u64(port, m->seed), node)
		if (s->port == port)
			return s->n >= MAX(m->config.limit / 4, 1u);
	return false;
}

static void member_del_at(struct mcast *m, struct mcast_group *g, unsigned at)
{
	share_drop(m, g->members.p[at].port);
	ports_del_at(&g->members, at);
}

/* --- do we narrow? ------------------------------------------------------- */

static bool we_ask(const struct mcast *m, const struct mcast_family *f,
		   uint64_t now_ms)
{
	return m->config.querier && now_ms >= f->other_until_ms;
}

static void family_update(struct mcast *m, struct mcast_family *f,
			  uint64_t now_ms)
{
	bool asked = we_ask(m, f, now_ms) || now_ms < f->other_until_ms;
	bool narrow;

	if (!asked)
		f->querier_since_ms = NEVER;
	else if (f->querier_since_ms == NEVER)
		f->querier_since_ms = now_ms;
	narrow = asked && !m->overflow &&
		 now_ms >= f->querier_since_ms + MCAST_SETTLE_MS;
	if (narrow == f->narrow)
		return;
	rcu_publish(f->narrow, narrow);
	bump_all(m);
}

static void families_update(struct mcast *m, uint64_t now_ms)
{
	for (int i = 0; i < 2; i++)
		family_update(m, &m->family[i], now_ms);
}

static void routers_changed(struct mcast *m, struct mcast_family *f)
{
	static const struct mcast_ports none;

	set_show(&f->shown, set_union(&f->routers, &none));
	for (uint32_t b = 0; b <= m->mask; b++)
		for (struct mcast_group *g = m->buckets[b]; g; g = g->next)
			if (family_of(m, g->addr.family) == f)
				group_show(m, g);
	bump_all(m);
}

/* --- life ---------------------------------------------------------------- */

static void family_init(struct mcast_family *f, uint64_t now_ms)
{
	static const struct mcast_ports none;

	f->querier_since_ms = NEVER;
	f->next_query_ms = now_ms;
	f->shown = set_union(&none, &none);
}

struct mcast *mcast_create(const struct mcast_config *c, struct stamps *stamps,
			   uint64_t now_ms)
{
	struct mcast *m = xzalloc(sizeof(*m));

	m->config = *c;
	if (!c->limit)
		m->config.limit = MCAST_LIMIT_DEFAULT;
	m->config.limit = MIN(m->config.limit, MCAST_LIMIT_MAX);
	m->stamps = stamps;
	m->seed = hash_u64(c->id, c->seed);
	m->mask = 15;
	while (m->mask + 1 < m->config.limit / 4)
		m->mask = m->mask * 2 + 1;
	m->buckets = xcalloc(m->mask + 1, sizeof(*m->buckets));
	hmap_init(&m->shares);
	for (int i = 0; i < 2; i++)
		family_init(&m->family[i], now_ms);
	m->due_ms = c->querier ? now_ms : NEVER;
	return m;
}

void mcast_destroy(struct mcast *m)
{
	struct mcast_share *s;

	if (!m)
		return;
	for (uint32_t b = 0; b <= m->mask; b++) {
		struct mcast_group *g = m->buckets[b], *next;

		for (; g; g = next) {
			next = g->next;
			group_free(&g->rcu);
		}
	}
	for (int i = 0; i < 2; i++) {
		free(m->family[i].shown);
		free(m->family[i].routers.p);
	}
	hmap_for_each_safe(s, &m->shares, node)
		free(s);
	hmap_fini(&m->shares);
	free(m->buckets);
	free(m);
}

/* --- readers ------------------------------------------------------------- */

static struct mcast_found found_set(const struct mcast_set *s)
{
	return (struct mcast_found){ .ports = s->ports, .n_ports = s->n };
}

struct mcast_found mcast_find(const struct mcast *m,
			      const struct ip_addr *group, struct dep *dep)
{
	const struct mcast_family *f = &m->family[group->family == AF_INET6];
	uint64_t hash = group_hash(m, group);
	struct mcast_group *g;

	*dep = stamp_read(m->stamps, stamp_of(m, hash));
	if (mcast_group_is_local(group) || !rcu_load(f->narrow))
		return (struct mcast_found){ .flood = true };
	g = group_find(m, group, hash);
	return found_set(g ? rcu_load(g->shown) : rcu_load(f->shown));
}

struct mcast_found mcast_routers(const struct mcast *m, uint16_t family,
				 struct dep *dep)
{
	const struct mcast_family *f = &m->family[family == AF_INET6];

	*dep = stamp_read(m->stamps, stamp_of(m, 0));
	if (!rcu_load(f->narrow))
		return (struct mcast_found){ .flood = true };
	return found_set(rcu_load(f->shown));
}

bool mcast_found_has(const struct mcast_found *f, uint32_t port)
{
	unsigned lo = 0, hi = f->n_ports;

	if (f->flood)
		return true;
	while (lo < hi) {
		unsigned mid = (lo + hi) / 2;

		if (f->ports[mid] < port)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < f->n_ports && f->ports[lo] == port;
}

/* --- what comes in ------------------------------------------------------- */

static void due_at(struct mcast *m, uint64_t ms)
{
	m->due_ms = MIN(m->due_ms, ms);
}

static void out_query(struct mcast *m, uint16_t family,
		      const struct ip_addr *group)
{
	unsigned at = (m->out_first + m->n_out) % OUTBOX_MAX;

	if (m->n_out == OUTBOX_MAX)
		return;
	mcast_query_build(&m->config, family, group, &m->outbox[at]);
	m->n_out++;
}

static void join(struct mcast *m, uint32_t port, const struct ip_addr *addr,
		 uint64_t now_ms)
{
	struct mcast_group *g = group_find(m, addr, group_hash(m, addr));
	struct mcast_port *p = g ? ports_find(&g->members, port) : NULL;
	uint64_t expires_ms = now_ms + MCAST_MEMBER_MS;

	due_at(m, expires_ms);
	if (p) {
		p->expires_ms = expires_ms;
		return;
	}
	if (share_is_full(m, port) || (g && g->members.n >= MCAST_MAX_PORTS)) {
		m->stats.refused++;
		return;
	}
	if (!g && m->n_groups >= m->config.limit) {
		m->stats.refused++;
		m->overflow = true;
		return;
	}
	if (!g)
		g = group_create(m, addr);
	ports_add(&g->members, port, expires_ms);
	share_get(m, port)->n++;
	group_show(m, g);
}

/* Somebody behind the port leaves: others there have this long to say that they
 * stay (RFC 4541 2.1.1). */
static void leave(struct mcast *m, uint32_t port, const struct ip_addr *addr,
		  uint64_t now_ms)
{
	struct mcast_group *g = group_find(m, addr, group_hash(m, addr));
	struct mcast_port *p = g ? ports_find(&g->members, port) : NULL;
	uint64_t last_ms = now_ms + MCAST_ROBUSTNESS * MCAST_LAST_MEMBER_MS;

	if (!p)
		return;
	p->expires_ms = MIN(p->expires_ms, last_ms);
	due_at(m, p->expires_ms);
	if (we_ask(m, family_of(m, addr->family), now_ms))
		out_query(m, addr->family, addr);
}

static void rx_report(struct mcast *m, uint32_t port,
		      const struct mcast_msg *msg, uint64_t now_ms)
{
	m->stats.reports++;
	for (unsigned i = 0; i < msg->n_changes; i++) {
		const struct mcast_change *c = &msg->changes[i];

		if (mcast_group_is_local(&c->group))
			continue;
		if (c->joins)
			join(m, port, &c->group, now_ms);
		else
			leave(m, port, &c->group, now_ms);
	}
}

static bool addr_is_zero(const struct ip_addr *a)
{
	return ip_addr_is_ip4(a) ? !ip_addr_ip4(a) : ip6_addr_is_zero(a->a);
}

static void router_heard(struct mcast *m, struct mcast_family *f, uint32_t port,
			 uint64_t now_ms)
{
	struct mcast_port *p = ports_find(&f->routers, port);
	uint64_t expires_ms = now_ms + MCAST_OTHER_QUERIER_MS;

	due_at(m, expires_ms);
	if (p) {
		if (p->expires_ms != NEVER)
			p->expires_ms = expires_ms;
		return;
	}
	if (f->routers.n >= MCAST_MAX_PORTS)
		return;
	ports_add(&f->routers, port, expires_ms);
	routers_changed(m, f);
}

/* The lower address asks, the other is silent (RFC 3376 6.6.2). One that has
 * none (0.0.0.0) gives way to any. */
static bool other_querier_wins(const struct mcast *m, const struct ip_addr *src)
{
	struct ip6_addr ours6 = m->config.ip6;
	struct ip_addr ours;

	if (!m->config.querier)
		return true;
	if (ip_addr_is_ip4(src)) {
		ours = ip_addr_from_ip4(m->config.ip4);
	} else {
		if (ip6_addr_is_zero(ours6))
			ours6 = ip6_addr_link_local(m->config.mac);
		ours = ip_addr_from_ip6(ours6);
	}
	if (addr_is_zero(&ours))
		return true;
	return !addr_is_zero(src) &&
	       memcmp(src->a.b, ours.a.b, sizeof(src->a.b)) < 0;
}

static void rx_group_query(struct mcast *m, const struct ip_addr *addr,
			   uint64_t now_ms)
{
	struct mcast_group *g = group_find(m, addr, group_hash(m, addr));
	uint64_t last_ms = now_ms + MCAST_ROBUSTNESS * MCAST_LAST_MEMBER_MS;

	for (unsigned i = 0; g && i < g->members.n; i++) {
		struct mcast_port *p = &g->members.p[i];

		p->expires_ms = MIN(p->expires_ms, last_ms);
		due_at(m, p->expires_ms);
	}
}

static void rx_query(struct mcast *m, uint32_t port,
		     const struct mcast_msg *msg, uint64_t now_ms)
{
	struct mcast_family *f = family_of(m, msg->family);

	m->stats.queries++;
	if (other_querier_wins(m, &msg->src)) {
		f->other_until_ms = now_ms + MCAST_OTHER_QUERIER_MS;
		due_at(m, now_ms + MCAST_SETTLE_MS);
	}
	/* A query from nobody's address comes from a switch, not a router
	 * (RFC 4541 2.1.1, 1 b). */
	if (!addr_is_zero(&msg->src))
		router_heard(m, f, port, now_ms);
	if (msg->group.family)
		rx_group_query(m, &msg->group, now_ms);
}

enum mcast_rx mcast_classify(const void *ip, uint32_t len)
{
	struct mcast_msg m;

	mcast_decode(ip, len, &m);
	return m.kind;
}

enum mcast_rx mcast_rx(struct mcast *m, uint32_t port, const void *ip,
		       uint32_t len, uint64_t now_ms)
{
	mcast_decode(ip, len, &m->msg);
	switch (m->msg.kind) {
	case MCAST_REPORT:
		rx_report(m, port, &m->msg, now_ms);
		break;
	case MCAST_QUERY:
		rx_query(m, port, &m->msg, now_ms);
		break;
	case MCAST_BAD:
		m->stats.bad++;
		break;
	case MCAST_OTHER:
		break;
	}
	families_update(m, now_ms);
	return m->msg.kind;
}

/* --- ports that go, and time --------------------------------------------- */

/* Removes what expires by now_ms, and all of `port` (0: none); tells when the
 * next is due. */
static bool ports_sweep(struct mcast_ports *s, uint32_t port, uint64_t now_ms,
			uint64_t *next_ms)
{
	unsigned before = s->n;

	for (unsigned i = s->n; i-- > 0;) {
		if (s->p[i].expires_ms <= now_ms || s->p[i].port == port)
			ports_del_at(s, i);
		else
			*next_ms = MIN(*next_ms, s->p[i].expires_ms);
	}
	return s->n != before;
}

static void group_sweep(struct mcast *m, struct mcast_group **link,
			uint32_t port, uint64_t now_ms, uint64_t *next_ms)
{
	struct mcast_group *g = *link;
	bool changed = false;

	for (unsigned i = g->members.n; i-- > 0;) {
		const struct mcast_port *p = &g->members.p[i];

		if (p->expires_ms <= now_ms || p->port == port) {
			member_del_at(m, g, i);
			changed = true;
		} else {
			*next_ms = MIN(*next_ms, p->expires_ms);
		}
	}
	if (!g->members.n)
		group_delete(m, link);
	else if (changed)
		group_show(m, g);
}

/* Returns when the next of all that expires does. */
static uint64_t sweep(struct mcast *m, uint32_t port, uint64_t now_ms)
{
	uint64_t next_ms = NEVER;

	for (int i = 0; i < 2; i++)
		if (ports_sweep(&m->family[i].routers, port, now_ms, &next_ms))
			routers_changed(m, &m->family[i]);
	for (uint32_t b = 0; b <= m->mask; b++) {
		struct mcast_group **link = &m->buckets[b];

		while (*link) {
			struct mcast_group *g = *link;

			group_sweep(m, link, port, now_ms, &next_ms);
			if (*link == g)
				link = &g->next;
		}
	}
	if (m->n_groups < m->config.limit)
		m->overflow = false;
	return next_ms;
}

void mcast_forget_port(struct mcast *m, uint32_t port)
{
	sweep(m, port, 0);
	m->due_ms = 0; /* there may be room again */
}

void mcast_set_router_port(struct mcast *m, uint32_t port, bool on)
{
	for (int i = 0; i < 2; i++) {
		struct mcast_family *f = &m->family[i];
		struct mcast_port *p = ports_find(&f->routers, port);

		if (p)
			ports_del_at(&f->routers, (unsigned)(p - f->routers.p));
		if (on)
			ports_add(&f->routers, port, NEVER);
		if (p || on)
			routers_changed(m, f);
	}
}

static uint64_t family_tick(struct mcast *m, int i, uint64_t now_ms)
{
	struct mcast_family *f = &m->family[i];
	uint64_t next_ms = NEVER, settled_ms;

	if (we_ask(m, f, now_ms) && now_ms >= f->next_query_ms) {
		out_query(m, i ? AF_INET6 : AF_INET, NULL);
		f->n_queries++;
		f->next_query_ms = now_ms + (f->n_queries < STARTUP_QUERIES ?
						     MCAST_QUERY_MS / 4 :
						     MCAST_QUERY_MS);
	}
	family_update(m, f, now_ms);
	if (we_ask(m, f, now_ms))
		next_ms = f->next_query_ms;
	if (now_ms < f->other_until_ms)
		next_ms = MIN(next_ms, f->other_until_ms);
	settled_ms = f->querier_since_ms == NEVER ?
			     NEVER :
			     f->querier_since_ms + MCAST_SETTLE_MS;
	return settled_ms > now_ms ? MIN(next_ms, settled_ms) : next_ms;
}

void mcast_tick(struct mcast *m, uint64_t now_ms)
{
	uint64_t next_ms;

	if (now_ms < m->due_ms)
		return;
	next_ms = sweep(m, 0, now_ms);
	for (int i = 0; i < 2; i++)
		next_ms = MIN(next_ms, family_tick(m, i, now_ms));
	m->due_ms =
		next_ms == NEVER ? NEVER : MAX(next_ms, now_ms + TICK_MIN_MS);
}

uint64_t mcast_next_deadline(const struct mcast *m)
{
	return m->due_ms;
}

bool mcast_take(struct mcast *m, struct mcast_frame *out)
{
	if (!m->n_out)
		return false;
	*out = m->outbox[m->out_first];
	m->out_first = (m->out_first + 1) % OUTBOX_MAX;
	m->n_out--;
	return true;
}

/* --- showing ------------------------------------------------------------- */

unsigned mcast_list(const struct mcast *m, struct mcast_row *rows, unsigned max,
		    uint64_t now_ms)
{
	unsigned n = 0;

	for (uint32_t b = 0; b <= m->mask; b++)
		for (struct mcast_group *g = m->buckets[b]; g; g = g->next)
			for (unsigned i = 0; i < g->members.n; i++, n++) {
				const struct mcast_port *p = &g->members.p[i];

				if (n >= max)
					continue;
				rows[n] = (struct mcast_row){
					g->addr, p->port,
					p->expires_ms > now_ms ?
						p->expires_ms - now_ms :
						0
				};
			}
	return n;
}

void mcast_stats(const struct mcast *m, struct mcast_stats *out)
{
	*out = m->stats;
	out->groups = m->n_groups;
	out->routers = MAX(m->family[0].routers.n, m->family[1].routers.n);
	out->querier4 = m->family[0].querier_since_ms != NEVER;
	out->querier6 = m->family[1].querier_since_ms != NEVER;
}
