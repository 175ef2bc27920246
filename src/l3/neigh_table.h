/* SPDX-License-Identifier: Apache-2.0 */
/* The store under neigh.h: entries, how they are found, when they are due.
 *
 * What      a pool of entries, chained from buckets for readers without locks,
 *           a heap of deadlines, fair shares. Knows no protocol.
 * Why so    as the MAC table: chains (base/chain.h) over a pool that never moves.
 * Invariant B1 an entry's id changes whenever it is reused, first to 0. B2 an
 *           entry with a deadline is in the heap once; the root is due first.
 * Threads   neigh_store_find: any. The rest: under the table's lock. */
#ifndef L3_NEIGH_TABLE_H
#define L3_NEIGH_TABLE_H

#include <pthread.h>

#include "base/be.h"
#include "base/bucket.h"
#include "base/chain.h"
#include "base/fair.h"
#include "base/hmap.h"
#include "l3/neigh.h"

#define NEIGH_LOAD(p) __atomic_load_n(&(p), __ATOMIC_ACQUIRE)
#define NEIGH_STORE(p, v) __atomic_store_n(&(p), (v), __ATOMIC_RELEASE)

/* Of the member `value`, above the MAC's 48 bits. */
#define NEIGH_V_USABLE (1ull << 48)
#define NEIGH_V_FAILED (1ull << 49)
#define NEIGH_V_STALE (1ull << 50)
#define NEIGH_V_ROUTER (1ull << 51)
/* Changes of these are no change of an answer. */
#define NEIGH_V_UNSTAMPED (NEIGH_V_STALE | NEIGH_V_ROUTER)

struct neigh_wait {
	struct neigh_wait *next;
	struct packet *packet;
	uint32_t in_port;
};

/* id, ip, value, next and state are read without the lock. */
struct neigh_entry {
	uint64_t ip[2]; /* as in struct ip_addr: IPv4 is ::ffff:a.b.c.d */
	uint64_t value; /* MAC and NEIGH_V_* */
	uint32_t id;    /* generation << 20 | index; 0: free */
	uint32_t next;
	uint8_t state; /* enum neigh_state */
	uint8_t n_solicits;
	uint8_t n_waiting;
	bool is_router;
	uint32_t gen;
	uint32_t heap_at; /* place plus one; 0: no deadline */
	uint32_t free_next;
	uint64_t deadline_ms;
	uint64_t heard_ms;     /* when anything was heard of it */
	uint64_t confirmed_ms; /* when it answered us */
	struct eth_addr mac;
	struct neigh_wait *first, *last;
	struct fair_member share; /* not of PERMANENT ones */
};

/* What one in-port costs the table. */
struct neigh_port {
	struct hmap_node node;
	uint32_t port;
	uint32_t n_waiting;
	struct bucket solicits;
};

struct neigh_table {
	struct stamps *stamps;
	struct env *env;
	uint64_t seed;
	uint32_t limit;
	struct chain chain;
	struct neigh_entry *pool;
	/* Guards all below and every write to entries. A mutex, because workers
	 * start timers (neigh_used) while the control thread does the rest. */
	pthread_mutex_t lock;
	uint32_t *heap; /* indices, by deadline */
	uint32_t n_heap;
	uint64_t due_ms; /* the root's deadline; read without the lock */
	uint32_t pool_used, pool_free, n, n_waiting;
	struct fair shares;
	struct hmap ports;
	struct bucket solicits;
	struct ip_prefix *own;
	unsigned n_own;
	struct eth_addr own_mac;
	struct neigh_out *out; /* a ring */
	unsigned out_first, n_out, out_cap;
	struct neigh_stats stats;
};

/* 0 or -ENOMEM. */
int neigh_store_init(struct neigh_table *t, uint32_t limit) MUST_CHECK;
void neigh_store_fini(struct neigh_table *t);

struct neigh_hit {
	struct neigh_entry *entry; /* NULL: not there, or lost */
	uint64_t value;
	uint32_t id;
	bool lost;
};
uint64_t neigh_store_hash(const struct neigh_table *t,
			  const struct ip_addr *ip);
struct neigh_hit neigh_store_find(const struct neigh_table *t, uint64_t hash,
				  const struct ip_addr *ip);
struct ip_addr neigh_entry_ip(const struct neigh_entry *e);

/* There must be room (n < limit). State NONE, no deadline, owned by in_port;
 * permanent ones have no owner. */
struct neigh_entry *neigh_store_add(struct neigh_table *t,
				    const struct ip_addr *ip, uint32_t in_port,
				    bool permanent);
/* Its packets must be gone. */
void neigh_store_del(struct neigh_table *t, struct neigh_entry *e);
/* Shows readers a new value; bumps the stamp when that changes an answer. */
void neigh_store_show(struct neigh_table *t, struct neigh_entry *e,
		      uint64_t value);
/* UINT64_MAX: never. */
void neigh_store_set_deadline(struct neigh_table *t, struct neigh_entry *e,
			      uint64_t deadline_ms);
/* The entry that is due first, if it is by now; or NULL. */
struct neigh_entry *neigh_store_due(struct neigh_table *t, uint64_t now_ms);

#endif
