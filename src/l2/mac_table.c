/* SPDX-License-Identifier: Apache-2.0 */
#include "l2/mac_table.h"

#include <errno.h>
#include <pthread.h>

#include "base/chain.h"
#include "base/fair.h"
#include "base/hmap.h"
#include "base/rcu.h"

#define LOAD(p) __atomic_load_n(&(p), __ATOMIC_ACQUIRE)
#define STORE(p, v) __atomic_store_n(&(p), (v), __ATOMIC_RELEASE)
#define LOAD_RELAXED(p) __atomic_load_n(&(p), __ATOMIC_RELAXED)
#define STORE_RELAXED(p, v) __atomic_store_n(&(p), (v), __ATOMIC_RELAXED)

#define SECOND_CHANCES 8u
#define MOVES_WINDOW_MS 1000u
/* Of the member `where`: the port, and this bit. */
#define WHERE_STATIC (1ull << 32)
#define KEY_USED (1ull << 63)
#define TICK_PAUSE_MS 100u
#define TICK_MIN_MS 1000u

/* key, where, next and seen_s are read without the lock. An entry that is free
 * keeps its `next`, so that a reader standing on it finds back to a chain. */
struct mac_entry {
	uint64_t key;   /* KEY_USED | vid << 48 | mac; 0: free */
	uint64_t where; /* port, WHERE_STATIC */
	uint32_t next;
	uint32_t seen_s;
	struct fair_member share; /* dynamic entries only */
	uint32_t listed_s;        /* when it became its port's youngest */
	uint32_t free_next;       /* index plus one; while free */
	uint32_t window_ms;       /* start of the second that counts moves */
	uint16_t moves;
	bool held; /* until window_ms + MAC_HOLD_MS */
};
_Static_assert(sizeof(struct mac_entry) <= 72, "about a cache line each");

/* Replaced as a whole when the limit grows. */
struct mac_core {
	struct chain chain;
	struct mac_entry *pool;
	uint32_t cap; /* entries in pool */
	struct rcu_head rcu;
};

struct mac_port_limit {
	struct hmap_node node;
	uint32_t port, limit;
};

struct mac_table {
	struct mac_core *core;  /* the writers' */
	struct mac_core *shown; /* the readers': the same, but while it grows */
	struct stamps *stamps;
	uint64_t seed;
	/* Guards all below and every write to the core. A mutex, because
	 * workers learn inline and several may do so at once; it is held for
	 * some hundred nanoseconds. Only when the configured limit grows is it
	 * held longer. */
	pthread_mutex_t lock;
	struct mac_config config;
	struct fair shares;
	struct hmap port_limits;
	uint32_t pool_used, pool_free; /* high-water mark; free list */
	uint32_t n, n_static;
	uint32_t scan_at;
	uint64_t scan_start_ms, scan_min_ms, due_ms;
	struct mac_flap flaps[MAC_FLAPS_MAX];
	unsigned flap_first, n_flaps;
	struct mac_stats stats;
};

static uint64_t key_of(uint16_t vid, struct eth_addr mac)
{
	return KEY_USED | (uint64_t)(vid & 0xfff) << 48 | eth_addr_to_u64(mac);
}

static uint64_t hash_of(const struct mac_table *t, uint64_t key)
{
	return hash_u64(key, t->seed);
}

/* --- the core ----------------------------------------------------------- */

static void core_free(struct mac_core *c)
{
	chain_fini(&c->chain);
	if (c->pool)
		lazy_free(c->pool, c->cap * sizeof(*c->pool));
	free(c);
}

static void core_free_rcu(struct rcu_head *head)
{
	core_free(container_of(head, struct mac_core, rcu));
}

static struct mac_core *core_create(uint32_t limit)
{
	struct mac_core *c = xzalloc(sizeof(*c));

	c->cap = limit;
	c->pool = lazy_alloc(c->cap * sizeof(*c->pool));
	if (c->pool && chain_init(&c->chain, c->pool, sizeof(*c->pool),
				  offsetof(struct mac_entry, next), limit) == 0)
		return c;
	core_free(c);
	return NULL;
}

struct core_want {
	uint64_t key, where;
};

static inline bool entry_match(void *entry, void *want)
{
	struct mac_entry *e = entry;
	struct core_want *w = want;

	if (LOAD(e->key) != w->key)
		return false;
	w->where = LOAD(e->where);
	return LOAD_RELAXED(e->key) == w->key;
}

struct core_hit {
	struct mac_entry *entry; /* NULL: not there, or lost */
	uint64_t where;
	bool lost; /* the chains changed too often under the reader */
};

static struct core_hit core_find(const struct mac_core *c, uint64_t hash,
				 uint64_t key)
{
	struct core_want want = { .key = key };
	struct core_hit hit;

	hit.entry = chain_find(&c->chain, hash, entry_match, &want, &hit.lost);
	hit.where = want.where;
	return hit;
}

/* --- entries, under the lock -------------------------------------------- */

static struct mac_entry *entry_alloc(struct mac_table *t)
{
	struct mac_core *c = t->core;

	if (t->pool_free) {
		struct mac_entry *e = &c->pool[t->pool_free - 1];

		t->pool_free = e->free_next;
		return e;
	}
	must(t->pool_used < c->cap);
	return &c->pool[t->pool_used++];
}

static void table_bump(struct mac_table *t, uint64_t hash)
{
	stamp_bump(t->stamps, stamp_slot(hash));
}

static void entry_delete(struct mac_table *t, struct mac_entry *e)
{
	uint64_t hash = hash_of(t, e->key);

	chain_del(&t->core->chain, e, hash);
	if (e->where & WHERE_STATIC)
		t->n_static--;
	else
		fair_del(&t->shares, &e->share);
	STORE(e->key, 0);
	e->free_next = t->pool_free;
	t->pool_free = (uint32_t)(e - t->core->pool) + 1;
	t->n--;
	table_bump(t, hash);
}

/* The entry that has to go when `port` wants one more; NULL: all are static. An
 * entry that was used since it was listed goes to the end of its list once. */
static struct mac_entry *table_loser(struct mac_table *t, uint32_t port)
{
	struct mac_entry *e = NULL;

	for (unsigned i = 0; i < SECOND_CHANCES; i++) {
		struct fair_member *m = fair_loser(&t->shares, port);

		if (!m)
			return NULL;
		e = container_of(m, struct mac_entry, share);
		if (LOAD_RELAXED(e->seen_s) == e->listed_s)
			return e;
		e->listed_s = LOAD_RELAXED(e->seen_s);
		fair_renew(&t->shares, m);
	}
	return e;
}

static bool table_make_room(struct mac_table *t, uint32_t port)
{
	struct mac_entry *loser;

	if (t->n < t->config.limit)
		return true;
	loser = table_loser(t, port);
	if (!loser)
		return false;
	entry_delete(t, loser);
	t->stats.evicted++;
	return true;
}

static void table_insert(struct mac_table *t, uint64_t key, uint64_t where,
			 uint32_t now_s)
{
	struct mac_entry *e = entry_alloc(t);
	uint64_t hash = hash_of(t, key);

	STORE_RELAXED(e->seen_s, now_s);
	e->listed_s = now_s;
	e->window_ms = 0;
	e->moves = 0;
	e->held = false;
	if (where & WHERE_STATIC)
		t->n_static++;
	else
		fair_put(&t->shares, &e->share, (uint32_t)where);
	t->n++;
	STORE(e->where, where);
	STORE(e->key, key);
	chain_put(&t->core->chain, e, hash);
	table_bump(t, hash);
}

/* --- life --------------------------------------------------------------- */

static struct mac_config config_filled(const struct mac_config *c)
{
	struct mac_config f = *c;

	f.limit = f.limit ? MIN(f.limit, MAC_LIMIT_MAX) : MAC_LIMIT_DEFAULT;
	f.age_ms = f.age_ms ? f.age_ms : MAC_AGE_DEFAULT_MS;
	return f;
}

struct mac_table *mac_table_create(const struct mac_config *c,
				   struct stamps *stamps)
{
	struct mac_table *t = xzalloc(sizeof(*t));

	t->config = config_filled(c);
	t->stamps = stamps;
	t->seed = hash_u64(c->id, c->seed);
	t->scan_min_ms = UINT64_MAX;
	hmap_init(&t->port_limits);
	must(pthread_mutex_init(&t->lock, NULL) == 0);
	t->core = t->shown = core_create(t->config.limit);
	if (t->core && fair_init(&t->shares) == 0)
		return t;
	mac_table_destroy(t);
	return NULL;
}

void mac_table_destroy(struct mac_table *t)
{
	struct mac_port_limit *l;

	if (!t)
		return;
	hmap_for_each_safe(l, &t->port_limits, node)
		free(l);
	hmap_fini(&t->port_limits);
	fair_fini(&t->shares);
	if (t->core)
		core_free(t->core);
	pthread_mutex_destroy(&t->lock);
	free(t);
}

static void copy_entry(struct mac_table *t, const struct mac_entry *from)
{
	table_insert(t, from->key, from->where, LOAD_RELAXED(from->seen_s));
}

static void copy_share(struct mac_table *t, struct fair *old, uint32_t port)
{
	struct fair_member *m;

	while ((m = fair_oldest(old, port))) {
		fair_del(old, m);
		copy_entry(t, container_of(m, struct mac_entry, share));
	}
}

/* Takes over every entry, each port's oldest first. Keys and chains of the old
 * core stay as they are, for readers that are still inside. */
static void table_move_to(struct mac_table *t, struct mac_core *fresh,
			  struct fair *old_shares)
{
	struct mac_core *old = t->core;
	uint32_t n_old = t->pool_used;

	t->n = t->n_static = t->pool_used = t->pool_free = t->scan_at = 0;
	t->core = fresh;
	for (uint32_t i = 0; i < n_old; i++) {
		const struct mac_entry *e = &old->pool[i];

		if (!e->key)
			continue;
		if (e->where & WHERE_STATIC)
			copy_entry(t, e);
		else
			copy_share(t, old_shares, (uint32_t)e->where);
	}
}

static int table_grow(struct mac_table *t, uint32_t limit)
{
	struct mac_core *old = t->core, *fresh = core_create(limit);
	struct fair old_shares = t->shares, shares;

	if (!fresh)
		return -ENOMEM;
	if (fair_init(&shares) < 0) {
		core_free(fresh);
		return -ENOMEM;
	}
	t->shares = shares;
	table_move_to(t, fresh, &old_shares);
	rcu_publish(t->shown, fresh);
	fair_fini(&old_shares);
	rcu_defer(&old->rcu, core_free_rcu);
	return 0;
}

int mac_table_configure(struct mac_table *t, const struct mac_config *c)
{
	struct mac_config filled = config_filled(c);
	struct fair_member *m;
	int err = 0;

	pthread_mutex_lock(&t->lock);
	if (filled.limit > t->core->cap)
		err = table_grow(t, filled.limit);
	if (!err) {
		t->config = filled;
		STORE(t->due_ms, 0);
		while (t->n > filled.limit &&
		       (m = fair_loser(&t->shares, MAC_ANY_PORT)))
			entry_delete(t,
				     container_of(m, struct mac_entry, share));
	}
	pthread_mutex_unlock(&t->lock);
	return err;
}

static struct mac_port_limit *port_limit_find(const struct mac_table *t,
					      uint32_t port)
{
	struct mac_port_limit *l;

	hmap_for_each_same(l, &t->port_limits, hash_u64(port, t->seed), node)
		if (l->port == port)
			return l;
	return NULL;
}

void mac_table_set_port_limit(struct mac_table *t, uint32_t port,
			      uint32_t limit)
{
	struct mac_port_limit *fresh = xzalloc(sizeof(*fresh)), *l;

	pthread_mutex_lock(&t->lock);
	l = port_limit_find(t, port);
	if (l)
		hmap_del(&t->port_limits, &l->node);
	if (limit) {
		*fresh =
			(struct mac_port_limit){ .port = port, .limit = limit };
		hmap_put(&t->port_limits, &fresh->node,
			 hash_u64(port, t->seed));
		fresh = NULL;
	}
	pthread_mutex_unlock(&t->lock);
	free(fresh);
	free(l);
}

/* --- looking up and learning -------------------------------------------- */

struct mac_found mac_table_find(const struct mac_table *t, uint16_t vid,
				struct eth_addr mac, struct dep *dep)
{
	uint64_t key = key_of(vid, mac), hash = hash_of(t, key);
	struct core_hit hit;

	*dep = stamp_read(t->stamps, stamp_slot(hash));
	hit = core_find(rcu_load(t->shown), hash, key);
	if (hit.lost)
		dep->value--;
	if (!hit.entry)
		return (struct mac_found){ 0 };
	return (struct mac_found){
		.found = true,
		.is_static = hit.where & WHERE_STATIC,
		.port = (uint32_t)hit.where,
	};
}

static void table_note_flap(struct mac_table *t, uint64_t key, uint32_t a,
			    uint32_t b)
{
	unsigned at = (t->flap_first + t->n_flaps) % MAC_FLAPS_MAX;

	if (t->n_flaps == MAC_FLAPS_MAX)
		return;
	t->flaps[at] = (struct mac_flap){
		.vid = (uint16_t)(key >> 48 & 0xfff),
		.mac = eth_addr_from_u64(key & 0xffffffffffffull),
		.port_a = a,
		.port_b = b,
	};
	t->n_flaps++;
}

/* Counts a move; true when the station has to stay where it is for now. */
static bool entry_is_restless(struct mac_entry *e, uint64_t now_ms)
{
	uint32_t now = (uint32_t)now_ms;

	if (e->held && now - e->window_ms < MAC_HOLD_MS)
		return true;
	if (e->held || now - e->window_ms >= MOVES_WINDOW_MS) {
		e->held = false;
		e->moves = 0;
		e->window_ms = now;
	}
	if (++e->moves <= MAC_MOVES_MAX)
		return false;
	e->held = true;
	e->window_ms = now;
	return true;
}

static enum mac_learn entry_move(struct mac_table *t, struct mac_entry *e,
				 uint32_t port, uint64_t now_ms)
{
	bool was_held = e->held;

	if (e->where & WHERE_STATIC)
		return MAC_FIXED;
	if (entry_is_restless(e, now_ms)) {
		if (!was_held) {
			t->stats.held++;
			table_note_flap(t, e->key, (uint32_t)e->where, port);
		}
		return MAC_HELD;
	}
	fair_del(&t->shares, &e->share);
	fair_put(&t->shares, &e->share, port);
	e->listed_s = (uint32_t)(now_ms / 1000);
	STORE_RELAXED(e->seen_s, e->listed_s);
	STORE(e->where, port);
	table_bump(t, hash_of(t, e->key));
	t->stats.moved++;
	return MAC_MOVED;
}

static bool port_is_full(const struct mac_table *t, uint32_t port)
{
	const struct mac_port_limit *l = port_limit_find(t, port);
	uint32_t limit = l ? l->limit : t->config.port_limit;

	return limit && fair_count(&t->shares, port) >= limit;
}

static enum mac_learn table_learn_new(struct mac_table *t, uint64_t key,
				      uint32_t port, uint64_t now_ms)
{
	if (port_is_full(t, port) || !table_make_room(t, port)) {
		t->stats.refused++;
		return MAC_FULL;
	}
	table_insert(t, key, port, (uint32_t)(now_ms / 1000));
	t->stats.learned++;
	return MAC_NEW;
}

static enum mac_learn table_learn_locked(struct mac_table *t, uint64_t key,
					 uint32_t port, uint64_t now_ms)
{
	struct core_hit hit = core_find(t->core, hash_of(t, key), key);

	must(!hit.lost);
	if (!hit.entry)
		return table_learn_new(t, key, port, now_ms);
	if ((uint32_t)hit.where == port)
		return MAC_SAME;
	return entry_move(t, hit.entry, port, now_ms);
}

enum mac_learn mac_table_learn(struct mac_table *t, uint16_t vid,
			       struct eth_addr mac, uint32_t port,
			       uint64_t now_ms)
{
	uint64_t key = key_of(vid, mac);
	uint32_t now_s = (uint32_t)(now_ms / 1000);
	struct core_hit hit;
	enum mac_learn done;

	if (!port || eth_addr_is_multicast(mac) || eth_addr_is_zero(mac))
		return MAC_REFUSED;
	hit = core_find(rcu_load(t->shown), hash_of(t, key), key);
	if (hit.entry && (uint32_t)hit.where == port) {
		if (LOAD_RELAXED(hit.entry->seen_s) != now_s)
			STORE_RELAXED(hit.entry->seen_s, now_s);
		return MAC_SAME;
	}
	pthread_mutex_lock(&t->lock);
	done = table_learn_locked(t, key, port, now_ms);
	pthread_mutex_unlock(&t->lock);
	return done;
}

/* --- what people and configuration want --------------------------------- */

static bool delete_key(struct mac_table *t, uint64_t key)
{
	struct core_hit hit = core_find(t->core, hash_of(t, key), key);

	must(!hit.lost);
	if (hit.entry)
		entry_delete(t, hit.entry);
	return hit.entry;
}

int mac_table_put_static(struct mac_table *t, uint16_t vid, struct eth_addr mac,
			 uint32_t port)
{
	uint64_t key = key_of(vid, mac);
	int err = 0;

	if (!port || eth_addr_is_multicast(mac) || eth_addr_is_zero(mac))
		return -EINVAL;
	pthread_mutex_lock(&t->lock);
	delete_key(t, key);
	if (table_make_room(t, port))
		table_insert(t, key, port | WHERE_STATIC, 0);
	else
		err = -ENOSPC;
	pthread_mutex_unlock(&t->lock);
	return err;
}

bool mac_table_del(struct mac_table *t, uint16_t vid, struct eth_addr mac)
{
	bool there;

	pthread_mutex_lock(&t->lock);
	there = delete_key(t, key_of(vid, mac));
	pthread_mutex_unlock(&t->lock);
	return there;
}

static bool entry_matches(const struct mac_entry *e, uint32_t port,
			  uint16_t vid)
{
	return e->key && (port == MAC_ANY_PORT || (uint32_t)e->where == port) &&
	       (vid == MAC_ANY_VID || (e->key >> 48 & 0xfff) == vid);
}

static unsigned table_flush(struct mac_table *t, uint32_t port, uint16_t vid,
			    bool statics)
{
	unsigned n = 0;

	pthread_mutex_lock(&t->lock);
	for (uint32_t i = 0; i < t->pool_used; i++) {
		struct mac_entry *e = &t->core->pool[i];

		if (!entry_matches(e, port, vid) ||
		    (e->where & WHERE_STATIC && !statics))
			continue;
		entry_delete(t, e);
		n++;
	}
	pthread_mutex_unlock(&t->lock);
	return n;
}

unsigned mac_table_flush(struct mac_table *t, uint32_t port, uint16_t vid)
{
	return table_flush(t, port, vid, false);
}

unsigned mac_table_forget_port(struct mac_table *t, uint32_t port)
{
	mac_table_set_port_limit(t, port, 0);
	return table_flush(t, port, MAC_ANY_VID, true);
}

/* --- ageing ------------------------------------------------------------- */

static void entry_age(struct mac_table *t, struct mac_entry *e, uint64_t now_ms)
{
	uint32_t limit_s = DIV_ROUND_UP(t->config.age_ms, 1000);
	int32_t age_s;

	if (!e->key || e->where & WHERE_STATIC)
		return;
	/* Below 0: a worker's clock is a second ahead of `now_ms`. */
	age_s = (int32_t)((uint32_t)(now_ms / 1000) - LOAD_RELAXED(e->seen_s));
	age_s = MAX(age_s, 0);
	if ((uint32_t)age_s > limit_s) {
		entry_delete(t, e);
		t->stats.expired++;
		return;
	}
	t->scan_min_ms =
		MIN(t->scan_min_ms,
		    now_ms + (limit_s + 1ull - (uint32_t)age_s) * 1000);
}

/* The round is over: nothing is due before the earliest that was seen, nor
 * before what may have been learned since the round began is. */
static void scan_finish(struct mac_table *t, uint64_t now_ms)
{
	uint64_t fresh_ms = t->scan_start_ms + t->config.age_ms;

	STORE(t->due_ms,
	      MAX(MIN(t->scan_min_ms, fresh_ms), now_ms + TICK_MIN_MS));
	t->scan_at = 0;
	t->scan_min_ms = UINT64_MAX;
}

void mac_table_tick(struct mac_table *t, uint64_t now_ms)
{
	uint32_t end;

	if (now_ms < LOAD(t->due_ms))
		return;
	pthread_mutex_lock(&t->lock);
	if (!t->scan_at)
		t->scan_start_ms = now_ms;
	end = MIN(t->scan_at + MAC_TICK_SCAN, t->pool_used);
	for (; t->scan_at < end; t->scan_at++)
		entry_age(t, &t->core->pool[t->scan_at], now_ms);
	if (end == t->pool_used)
		scan_finish(t, now_ms);
	else
		STORE(t->due_ms, now_ms + TICK_PAUSE_MS);
	pthread_mutex_unlock(&t->lock);
}

uint64_t mac_table_next_deadline(const struct mac_table *t)
{
	return LOAD(t->due_ms);
}

/* --- showing ------------------------------------------------------------ */

bool mac_table_take_flap(struct mac_table *t, struct mac_flap *out)
{
	bool any;

	pthread_mutex_lock(&t->lock);
	any = t->n_flaps;
	if (any) {
		*out = t->flaps[t->flap_first];
		t->flap_first = (t->flap_first + 1) % MAC_FLAPS_MAX;
		t->n_flaps--;
	}
	pthread_mutex_unlock(&t->lock);
	return any;
}

static struct mac_row entry_row(const struct mac_entry *e, uint64_t now_ms)
{
	bool is_static = e->where & WHERE_STATIC;
	int32_t age_s =
		(int32_t)((uint32_t)(now_ms / 1000) - LOAD_RELAXED(e->seen_s));

	return (struct mac_row){
		.vid = (uint16_t)(e->key >> 48 & 0xfff),
		.mac = eth_addr_from_u64(e->key & 0xffffffffffffull),
		.port = (uint32_t)e->where,
		.is_static = is_static,
		.age_ms = is_static ? 0 : (uint64_t)MAX(age_s, 0) * 1000,
	};
}

unsigned mac_table_list(struct mac_table *t, uint32_t *cursor,
			struct mac_row *rows, unsigned max, uint64_t now_ms)
{
	unsigned n = 0;

	pthread_mutex_lock(&t->lock);
	for (; *cursor < t->pool_used && n < max; ++*cursor) {
		const struct mac_entry *e = &t->core->pool[*cursor];

		if (e->key)
			rows[n++] = entry_row(e, now_ms);
	}
	pthread_mutex_unlock(&t->lock);
	return n;
}

void mac_table_stats(struct mac_table *t, struct mac_stats *out)
{
	pthread_mutex_lock(&t->lock);
	*out = t->stats;
	out->n = t->n;
	out->n_static = t->n_static;
	out->limit = t->config.limit;
	pthread_mutex_unlock(&t->lock);
}

uint32_t mac_table_port_count(struct mac_table *t, uint32_t port)
{
	uint32_t n;

	pthread_mutex_lock(&t->lock);
	n = fair_count(&t->shares, port);
	pthread_mutex_unlock(&t->lock);
	return n;
}
