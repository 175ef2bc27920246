/* SPDX-License-Identifier: Apache-2.0 */
#include "l3/neigh.h"

#include <errno.h>

#include "l3/neigh_table.h"

#define MAC_MASK 0xffffffffffffull
/* When a retransmission is over the rate it is tried again this much later. */
#define SOLICIT_AGAIN_MS 100u
/* Entries that one tick works on; the rest is due again at once. */
#define TICK_MAX 4096u
/* Unclaimed outbox entries beyond this: conflicts are not told any more. */
#define OUT_SOFT_MAX 1024u

static void lock(struct neigh_table *t)
{
	pthread_mutex_lock(&t->lock);
}

static void unlock(struct neigh_table *t)
{
	pthread_mutex_unlock(&t->lock);
}

const char *neigh_state_name(enum neigh_state s)
{
	static const char *const names[] = {
		[NEIGH_NONE] = "none",
		[NEIGH_INCOMPLETE] = "incomplete",
		[NEIGH_REACHABLE] = "reachable",
		[NEIGH_STALE] = "stale",
		[NEIGH_DELAY] = "delay",
		[NEIGH_PROBE] = "probe",
		[NEIGH_FAILED] = "failed",
		[NEIGH_PERMANENT] = "permanent",
	};

	return names[s];
}

/* --- the outbox ---------------------------------------------------------- */

static void out_grow(struct neigh_table *t)
{
	unsigned cap = t->out_cap ? t->out_cap * 2 : 16;
	struct neigh_out *out = xcalloc(cap, sizeof(*out));

	for (unsigned i = 0; i < t->n_out; i++)
		out[i] = t->out[(t->out_first + i) % t->out_cap];
	free(t->out);
	t->out = out;
	t->out_first = 0;
	t->out_cap = cap;
}

static void out_put(struct neigh_table *t, const struct neigh_out *o)
{
	if (t->n_out == t->out_cap)
		out_grow(t);
	t->out[(t->out_first + t->n_out++) % t->out_cap] = *o;
}

bool neigh_take(struct neigh_table *t, struct neigh_out *out)
{
	bool any;

	lock(t);
	any = t->n_out;
	if (any) {
		*out = t->out[t->out_first];
		t->out_first = (t->out_first + 1) % t->out_cap;
		t->n_out--;
	}
	unlock(t);
	return any;
}

static void out_conflict(struct neigh_table *t, const struct neigh_news *n)
{
	struct neigh_out o = { .kind = NEIGH_CONFLICT,
			       .in_port = n->in_port,
			       .ip = n->ip,
			       .mac = n->mac };

	t->stats.conflicts++;
	if (t->n_out < OUT_SOFT_MAX)
		out_put(t, &o);
}

/* --- what an in-port may cost -------------------------------------------- */

static struct neigh_port *port_get(struct neigh_table *t, uint32_t port)
{
	uint64_t hash = hash_u64(port, t->seed);
	struct neigh_port *p;

	hmap_for_each_same(p, &t->ports, hash, node)
		if (p->port == port)
			return p;
	p = xzalloc(sizeof(*p));
	p->port = port;
	bucket_init(&p->solicits, NEIGH_SOLICIT_PORT_RATE,
		    4 * NEIGH_SOLICIT_PORT_RATE, 0);
	hmap_put(&t->ports, &p->node, hash);
	return p;
}

/* --- packets that wait --------------------------------------------------- */

static struct neigh_wait *wait_pop(struct neigh_table *t, struct neigh_entry *e)
{
	struct neigh_wait *w = e->first;

	e->first = w->next;
	if (!e->first)
		e->last = NULL;
	e->n_waiting--;
	t->n_waiting--;
	port_get(t, w->in_port)->n_waiting--;
	return w;
}

/* Hands the oldest over. */
static void wait_release(struct neigh_table *t, struct neigh_entry *e,
			 enum neigh_out_kind kind)
{
	struct neigh_wait *w = wait_pop(t, e);
	struct neigh_out o = { .kind = kind,
			       .drop = DROP_NEIGH_WAIT,
			       .in_port = w->in_port,
			       .ip = neigh_entry_ip(e),
			       .mac = e->mac,
			       .packet = w->packet };

	free(w);
	out_put(t, &o);
}

static void wait_release_all(struct neigh_table *t, struct neigh_entry *e,
			     enum neigh_out_kind kind)
{
	while (e->n_waiting)
		wait_release(t, e, kind);
}

static enum neigh_resolve wait_put(struct neigh_table *t, struct neigh_entry *e,
				   uint32_t in_port, struct packet *p)
{
	struct neigh_port *port = port_get(t, in_port);
	struct neigh_wait *w;

	if (!p)
		return NEIGH_WAITS;
	/* The newest is the likeliest to be still of use (RFC 4861 7.2.2). */
	if (e->n_waiting == NEIGH_WAIT_ENTRY)
		wait_release(t, e, NEIGH_DROP);
	if (t->n_waiting >= NEIGH_WAIT_TABLE ||
	    port->n_waiting >= NEIGH_WAIT_PORT) {
		t->stats.refused++;
		return NEIGH_REFUSED;
	}
	w = xzalloc(sizeof(*w));
	w->packet = p;
	w->in_port = in_port;
	if (e->last)
		e->last->next = w;
	else
		e->first = w;
	e->last = w;
	e->n_waiting++;
	t->n_waiting++;
	port->n_waiting++;
	return NEIGH_WAITS;
}

/* --- states -------------------------------------------------------------- */

static uint64_t value_of(const struct neigh_entry *e, enum neigh_state s)
{
	uint64_t v = eth_addr_to_u64(e->mac);

	v |= e->is_router ? NEIGH_V_ROUTER : 0;
	switch (s) {
	case NEIGH_NONE:
	case NEIGH_INCOMPLETE:
		return 0;
	case NEIGH_FAILED:
		return NEIGH_V_FAILED;
	case NEIGH_STALE:
	case NEIGH_DELAY:
	case NEIGH_PROBE:
		return v | NEIGH_V_USABLE | NEIGH_V_STALE;
	case NEIGH_REACHABLE:
	case NEIGH_PERMANENT:
		return v | NEIGH_V_USABLE;
	}
	return 0;
}

static void entry_set(struct neigh_table *t, struct neigh_entry *e,
		      enum neigh_state s, uint64_t deadline_ms)
{
	NEIGH_STORE(e->state, (uint8_t)s);
	neigh_store_show(t, e, value_of(e, s));
	neigh_store_set_deadline(t, e, deadline_ms);
}

static void entry_delete(struct neigh_table *t, struct neigh_entry *e)
{
	wait_release_all(t, e, NEIGH_DROP);
	neigh_store_del(t, e);
}

/* Asks once more, or when that is over the rate, soon. */
static void entry_solicit(struct neigh_table *t, struct neigh_entry *e,
			  uint64_t now_ms)
{
	struct neigh_out o = { .kind = NEIGH_SOLICIT,
			       .unicast = e->state == NEIGH_PROBE,
			       .in_port = e->share.owner,
			       .ip = neigh_entry_ip(e),
			       .mac = e->mac };

	if (!bucket_take(&t->solicits, 1, now_ms)) {
		t->stats.solicits_held++;
		neigh_store_set_deadline(t, e, now_ms + SOLICIT_AGAIN_MS);
		return;
	}
	e->n_solicits++;
	t->stats.solicits++;
	out_put(t, &o);
	neigh_store_set_deadline(t, e, now_ms + NEIGH_RETRANS_MS);
}

static void enter_asking(struct neigh_table *t, struct neigh_entry *e,
			 enum neigh_state s, uint64_t now_ms)
{
	e->n_solicits = 0;
	entry_set(t, e, s, now_ms);
	entry_solicit(t, e, now_ms);
}

static void enter_reachable(struct neigh_table *t, struct neigh_entry *e,
			    uint64_t now_ms)
{
	/* Between 0.5 and 1.5 of the base, so that hosts do not fall in step
	 * (RFC 4861 6.3.2). */
	uint64_t ms = NEIGH_REACHABLE_MS / 2 +
		      env_random(t->env) % NEIGH_REACHABLE_MS;

	e->confirmed_ms = now_ms;
	entry_set(t, e, NEIGH_REACHABLE, now_ms + ms);
	wait_release_all(t, e, NEIGH_SEND);
}

static void enter_stale(struct neigh_table *t, struct neigh_entry *e)
{
	entry_set(t, e, NEIGH_STALE, e->heard_ms + NEIGH_STALE_MS);
	wait_release_all(t, e, NEIGH_SEND);
}

static void enter_failed(struct neigh_table *t, struct neigh_entry *e,
			 uint64_t now_ms)
{
	t->stats.failed++;
	entry_set(t, e, NEIGH_FAILED, now_ms + NEIGH_FAILED_MS);
	wait_release_all(t, e, NEIGH_UNREACHABLE);
}

static void entry_timeout(struct neigh_table *t, struct neigh_entry *e,
			  uint64_t now_ms)
{
	switch ((enum neigh_state)e->state) {
	case NEIGH_INCOMPLETE:
	case NEIGH_PROBE:
		if (e->n_solicits >= NEIGH_SOLICITS_MAX)
			enter_failed(t, e, now_ms);
		else
			entry_solicit(t, e, now_ms);
		return;
	case NEIGH_REACHABLE:
		enter_stale(t, e);
		return;
	case NEIGH_DELAY:
		enter_asking(t, e, NEIGH_PROBE, now_ms);
		return;
	case NEIGH_STALE:
	case NEIGH_FAILED:
		entry_delete(t, e);
		return;
	case NEIGH_NONE:
	case NEIGH_PERMANENT:
		break;
	}
	must(!"a state without timer");
}

void neigh_tick(struct neigh_table *t, uint64_t now_ms)
{
	struct neigh_entry *e;

	lock(t);
	for (unsigned i = 0; i < TICK_MAX; i++) {
		e = neigh_store_due(t, now_ms);
		if (!e)
			break;
		entry_timeout(t, e, now_ms);
	}
	unlock(t);
}

uint64_t neigh_next_deadline(const struct neigh_table *t)
{
	return NEIGH_LOAD(t->due_ms);
}

/* --- life ---------------------------------------------------------------- */

struct neigh_table *neigh_create(const struct neigh_config *c,
				 struct stamps *stamps)
{
	struct neigh_table *t = xzalloc(sizeof(*t));
	uint32_t limit = c->limit ? c->limit : NEIGH_LIMIT_DEFAULT;

	t->stamps = stamps;
	t->env = c->env;
	t->seed = hash_u64(c->id, c->seed);
	bucket_init(&t->solicits, NEIGH_SOLICIT_RATE, NEIGH_SOLICIT_RATE, 0);
	hmap_init(&t->ports);
	if (neigh_store_init(t, MIN(limit, NEIGH_LIMIT_MAX)) == 0)
		return t;
	neigh_store_fini(t);
	free(t);
	return NULL;
}

void neigh_destroy(struct neigh_table *t, void (*drop)(struct packet *p))
{
	struct neigh_out o;
	struct neigh_port *p;

	if (!t)
		return;
	neigh_flush(t);
	while (neigh_take(t, &o))
		if (o.packet)
			drop(o.packet);
	hmap_for_each_safe(p, &t->ports, node)
		free(p);
	hmap_fini(&t->ports);
	neigh_store_fini(t);
	free(t->own);
	free(t->out);
	free(t);
}

static bool addr_is_neighbour(const struct ip_addr *ip)
{
	uint32_t ip4;

	if (!ip_addr_is_ip4(ip))
		return !ip6_addr_is_zero(ip->a) &&
		       !ip6_addr_is_multicast(ip->a);
	ip4 = ip_addr_ip4(ip);
	/* 0/8, 127/8, 224/4 and above name no neighbour (RFC 1122 3.2.1.3). */
	return ip4 >> 24 && ip4 >> 24 != 127 && ip4 >> 28 < 0xe;
}

static bool addr_is_own(const struct neigh_table *t, const struct ip_addr *ip)
{
	for (unsigned i = 0; i < t->n_own; i++)
		if (ip_addr_equal(&t->own[i].addr, ip))
			return true;
	return false;
}

void neigh_set_own(struct neigh_table *t, const struct ip_prefix *own,
		   unsigned n, struct eth_addr mac)
{
	lock(t);
	free(t->own);
	t->own = n ? xmemdup(own, n * sizeof(*own)) : NULL;
	t->n_own = n;
	t->own_mac = mac;
	for (uint32_t i = 0; i < t->pool_used; i++) {
		struct neigh_entry *e = &t->pool[i];
		struct ip_addr ip;

		if (!e->id)
			continue;
		ip = neigh_entry_ip(e);
		if (addr_is_own(t, &ip))
			entry_delete(t, e);
	}
	unlock(t);
}

/* --- readers ------------------------------------------------------------- */

struct neigh_found neigh_find(const struct neigh_table *t,
			      const struct ip_addr *ip, struct dep *dep)
{
	uint64_t hash = neigh_store_hash(t, ip);
	struct neigh_hit h;

	*dep = stamp_read(t->stamps, stamp_slot(hash));
	h = neigh_store_find(t, hash, ip);
	if (h.lost)
		dep->value--;
	if (!h.entry)
		return (struct neigh_found){ 0 };
	return (struct neigh_found){
		.found = true,
		.usable = h.value & NEIGH_V_USABLE,
		.failed = h.value & NEIGH_V_FAILED,
		.stale = h.value & NEIGH_V_STALE,
		.router = h.value & NEIGH_V_ROUTER,
		.mac = eth_addr_from_u64(h.value & MAC_MASK),
		.id = h.id,
	};
}

static bool entry_start_delay(struct neigh_table *t, struct neigh_entry *e,
			      uint64_t now_ms)
{
	uint64_t before = t->due_ms;

	if (e->state != NEIGH_STALE)
		return false;
	entry_set(t, e, NEIGH_DELAY, now_ms + NEIGH_DELAY_MS);
	return t->due_ms < before;
}

bool neigh_used(struct neigh_table *t, uint32_t id, uint64_t now_ms)
{
	uint32_t index = id & (NEIGH_LIMIT_MAX - 1);
	struct neigh_entry *e = &t->pool[index];
	bool earlier = false;

	if (!id || index >= t->limit || NEIGH_LOAD(e->id) != id ||
	    NEIGH_LOAD(e->state) != NEIGH_STALE)
		return false;
	lock(t);
	if (e->id == id)
		earlier = entry_start_delay(t, e, now_ms);
	unlock(t);
	return earlier;
}

/* --- asking -------------------------------------------------------------- */

static struct neigh_entry *table_find(struct neigh_table *t,
				      const struct ip_addr *ip)
{
	return neigh_store_find(t, neigh_store_hash(t, ip), ip).entry;
}

static bool table_make_room(struct neigh_table *t, uint32_t in_port)
{
	struct fair_member *m;

	if (t->n < t->limit)
		return true;
	m = fair_loser(&t->shares, in_port);
	if (!m)
		return false;
	entry_delete(t, container_of(m, struct neigh_entry, share));
	t->stats.evicted++;
	return true;
}

static enum neigh_resolve resolve_new(struct neigh_table *t,
				      const struct ip_addr *ip,
				      uint32_t in_port, struct packet *p,
				      uint64_t now_ms)
{
	struct neigh_entry *e;

	if (addr_is_own(t, ip) || !addr_is_neighbour(ip) ||
	    !bucket_take(&port_get(t, in_port)->solicits, 1, now_ms) ||
	    !table_make_room(t, in_port)) {
		t->stats.refused++;
		return NEIGH_REFUSED;
	}
	e = neigh_store_add(t, ip, in_port, false);
	e->heard_ms = now_ms;
	enter_asking(t, e, NEIGH_INCOMPLETE, now_ms);
	return wait_put(t, e, in_port, p);
}

static enum neigh_resolve resolve_known(struct neigh_table *t,
					struct neigh_entry *e, uint32_t in_port,
					struct packet *p, uint64_t now_ms)
{
	switch ((enum neigh_state)e->state) {
	case NEIGH_INCOMPLETE:
		return wait_put(t, e, in_port, p);
	case NEIGH_FAILED:
		return NEIGH_NO;
	case NEIGH_STALE:
		entry_start_delay(t, e, now_ms);
		return NEIGH_READY;
	case NEIGH_REACHABLE:
	case NEIGH_DELAY:
	case NEIGH_PROBE:
	case NEIGH_PERMANENT:
		return NEIGH_READY;
	case NEIGH_NONE:
		break;
	}
	must(!"an entry without a state");
}

enum neigh_resolve neigh_resolve(struct neigh_table *t,
				 const struct ip_addr *ip, uint32_t in_port,
				 struct packet *p, uint64_t now_ms)
{
	struct neigh_entry *e;
	enum neigh_resolve r;

	lock(t);
	e = table_find(t, ip);
	/* The time it is not to be asked again may be over before the tick. */
	if (e && e->state == NEIGH_FAILED && e->deadline_ms <= now_ms) {
		entry_delete(t, e);
		e = NULL;
	}
	r = e ? resolve_known(t, e, in_port, p, now_ms) :
		resolve_new(t, ip, in_port, p, now_ms);
	unlock(t);
	return r;
}

/* --- learning ------------------------------------------------------------ */

static bool addr_is_on_link(const struct neigh_table *t,
			    const struct ip_addr *ip)
{
	if (!t->n_own || (!ip_addr_is_ip4(ip) && ip6_addr_is_link_local(ip->a)))
		return true;
	for (unsigned i = 0; i < t->n_own; i++)
		if (ip_prefix_contains(&t->own[i], ip))
			return true;
	return false;
}

static bool news_are_sane(const struct neigh_table *t,
			  const struct neigh_news *n)
{
	if (!addr_is_neighbour(&n->ip) || !addr_is_on_link(t, &n->ip))
		return false;
	if (!n->has_mac)
		return true;
	return !eth_addr_is_multicast(n->mac) && !eth_addr_is_zero(n->mac) &&
	       !(t->n_own && eth_addr_equal(n->mac, t->own_mac));
}

/* It was heard on that port: it counts for that port from now on. */
static void entry_heard(struct neigh_table *t, struct neigh_entry *e,
			const struct neigh_news *n, uint64_t now_ms)
{
	e->heard_ms = now_ms;
	if (n->kind == NEIGH_ANSWERS)
		e->is_router = n->router;
	if (e->share.owner == n->in_port) {
		fair_renew(&t->shares, &e->share);
		return;
	}
	fair_del(&t->shares, &e->share);
	fair_put(&t->shares, &e->share, n->in_port);
}

static enum neigh_learn learn_new(struct neigh_table *t,
				  const struct neigh_news *n, uint64_t now_ms)
{
	struct neigh_entry *e;

	if (!n->create || !n->has_mac)
		return NEIGH_IGNORED;
	if (!table_make_room(t, n->in_port)) {
		t->stats.refused++;
		return NEIGH_IGNORED;
	}
	e = neigh_store_add(t, &n->ip, n->in_port, false);
	e->mac = n->mac;
	e->is_router = n->router;
	e->heard_ms = now_ms;
	enter_stale(t, e);
	t->stats.learned++;
	return NEIGH_LEARNED;
}

/* It has no address so far: asked for, or given up. */
static enum neigh_learn learn_first(struct neigh_table *t,
				    struct neigh_entry *e,
				    const struct neigh_news *n, uint64_t now_ms)
{
	if (!n->has_mac)
		return NEIGH_IGNORED;
	entry_heard(t, e, n, now_ms);
	e->mac = n->mac;
	if (n->kind == NEIGH_ANSWERS && e->state == NEIGH_INCOMPLETE)
		enter_reachable(t, e, now_ms);
	else
		enter_stale(t, e);
	t->stats.learned++;
	return NEIGH_LEARNED;
}

static enum neigh_learn learn_other_mac(struct neigh_table *t,
					struct neigh_entry *e,
					const struct neigh_news *n,
					uint64_t now_ms)
{
	bool answer = n->kind == NEIGH_ANSWERS && e->state == NEIGH_PROBE;

	/* Something may have changed: find out (RFC 4861 7.2.5 I). */
	if (!n->override) {
		if (e->state == NEIGH_REACHABLE)
			enter_stale(t, e);
		return NEIGH_IGNORED;
	}
	if (!answer && e->confirmed_ms &&
	    now_ms - e->confirmed_ms < NEIGH_LOCK_MS)
		return NEIGH_IGNORED;
	entry_heard(t, e, n, now_ms);
	e->mac = n->mac;
	if (answer)
		enter_reachable(t, e, now_ms);
	else
		enter_stale(t, e);
	t->stats.changed++;
	return NEIGH_LEARNED;
}

static enum neigh_learn learn_same_mac(struct neigh_table *t,
				       struct neigh_entry *e,
				       const struct neigh_news *n,
				       uint64_t now_ms)
{
	entry_heard(t, e, n, now_ms);
	if (n->kind == NEIGH_ANSWERS)
		enter_reachable(t, e, now_ms);
	else if (e->state == NEIGH_STALE)
		neigh_store_set_deadline(t, e, now_ms + NEIGH_STALE_MS);
	return NEIGH_SAME;
}

static enum neigh_learn learn_known(struct neigh_table *t,
				    struct neigh_entry *e,
				    const struct neigh_news *n, uint64_t now_ms)
{
	bool same = !n->has_mac || eth_addr_equal(n->mac, e->mac);

	if (e->state == NEIGH_PERMANENT)
		return same ? NEIGH_SAME : NEIGH_FIXED;
	if (e->state == NEIGH_INCOMPLETE || e->state == NEIGH_FAILED)
		return learn_first(t, e, n, now_ms);
	return same ? learn_same_mac(t, e, n, now_ms) :
		      learn_other_mac(t, e, n, now_ms);
}

static enum neigh_learn learn_own(struct neigh_table *t,
				  const struct neigh_news *n)
{
	/* The same router on another host. */
	if (!n->has_mac || eth_addr_equal(n->mac, t->own_mac))
		return NEIGH_IGNORED;
	out_conflict(t, n);
	return NEIGH_OWN;
}

enum neigh_learn neigh_learn(struct neigh_table *t, const struct neigh_news *n,
			     uint64_t now_ms)
{
	enum neigh_learn r = NEIGH_IGNORED;
	struct neigh_entry *e;

	lock(t);
	if (addr_is_own(t, &n->ip)) {
		r = learn_own(t, n);
	} else if (news_are_sane(t, n)) {
		e = table_find(t, &n->ip);
		r = e ? learn_known(t, e, n, now_ms) : learn_new(t, n, now_ms);
	}
	unlock(t);
	return r;
}

/* --- what people and configuration want ---------------------------------- */

static int put_static(struct neigh_table *t, const struct ip_addr *ip,
		      struct eth_addr mac)
{
	struct neigh_entry *e = table_find(t, ip);

	if (e && e->state == NEIGH_PERMANENT) {
		e->mac = mac;
		entry_set(t, e, NEIGH_PERMANENT, UINT64_MAX);
		return 0;
	}
	if (e)
		entry_delete(t, e);
	if (!table_make_room(t, 0))
		return -ENOSPC;
	e = neigh_store_add(t, ip, 0, true);
	e->mac = mac;
	entry_set(t, e, NEIGH_PERMANENT, UINT64_MAX);
	return 0;
}

int neigh_put_static(struct neigh_table *t, const struct ip_addr *ip,
		     struct eth_addr mac)
{
	int err = -EINVAL;

	lock(t);
	if (!addr_is_own(t, ip) && addr_is_neighbour(ip) &&
	    !eth_addr_is_multicast(mac) && !eth_addr_is_zero(mac))
		err = put_static(t, ip, mac);
	unlock(t);
	return err;
}

bool neigh_del(struct neigh_table *t, const struct ip_addr *ip)
{
	struct neigh_entry *e;

	lock(t);
	e = table_find(t, ip);
	if (e)
		entry_delete(t, e);
	unlock(t);
	return e;
}

void neigh_flush(struct neigh_table *t)
{
	lock(t);
	for (uint32_t i = 0; i < t->pool_used; i++)
		if (t->pool[i].id && t->pool[i].state != NEIGH_PERMANENT)
			entry_delete(t, &t->pool[i]);
	unlock(t);
}

static struct neigh_row row_of(const struct neigh_entry *e, uint64_t now_ms)
{
	uint64_t last_ms = MAX(e->heard_ms, e->confirmed_ms);

	return (struct neigh_row){
		.ip = neigh_entry_ip(e),
		.mac = e->mac,
		.state = (enum neigh_state)e->state,
		.in_port = e->state == NEIGH_PERMANENT ? 0 : e->share.owner,
		.n_waiting = e->n_waiting,
		.age_ms = last_ms && now_ms > last_ms ? now_ms - last_ms : 0,
	};
}

unsigned neigh_list(struct neigh_table *t, uint32_t *cursor,
		    struct neigh_row *rows, unsigned max, uint64_t now_ms)
{
	unsigned n = 0;

	lock(t);
	for (; *cursor < t->pool_used && n < max; ++*cursor)
		if (t->pool[*cursor].id)
			rows[n++] = row_of(&t->pool[*cursor], now_ms);
	unlock(t);
	return n;
}

void neigh_stats(struct neigh_table *t, struct neigh_stats *out)
{
	lock(t);
	*out = t->stats;
	out->n = t->n;
	out->limit = t->limit;
	out->n_waiting = t->n_waiting;
	unlock(t);
}
