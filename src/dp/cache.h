/* SPDX-License-Identifier: Apache-2.0 */
/* The cache: verdicts of one worker, found with a bounded number of probes.
 *
 * What      (in-port, masked key) -> program, effects, dependencies, counters.
 * Why so    decision D3. A lookup costs at most DP_MAX_MASKS hashes and probes,
 *           whatever rules and traffic are: when a verdict's mask would be the
 *           fifth of its in-port, it is merged with the nearest by union, and
 *           the entries under the narrower mask make room.
 * Invariant C1 every flow's mask is one of its in-port's masks. C2 a flow found
 *           covers the packet; whether it is still fresh is for flow_is_fresh.
 *           C3 flows of a port <= its quota, flows in all <= the limit; a port
 *           at its quota replaces one of its own. In a full cache who has less
 *           than another takes from that one: it comes to be shared evenly.
 * Layout    buckets of one cache line: eight (signature, index) pairs; flows in
 *           slabs, each with its key words, dependencies and effects behind it.
 * Threads   one owner: its worker. */
#ifndef DP_CACHE_H
#define DP_CACHE_H

#include "dp/dp.h"
#include "dp/program.h"
#include "dp/slab.h"
#include "flow/keyhash.h"

struct cache_mask {
	struct mask_plan plan;
	struct flow_mask mask;
	uint32_t n_flows;
	uint32_t version; /* of the bits: another after a merge */
	uint8_t slot;     /* its place in the port's masks[] */
};

struct cache_port {
	uint32_t n_flows;
	uint8_t n_masks; /* slots of masks[] looked at */
	struct cache_mask *masks[DP_MAX_MASKS];
	uint32_t newest, oldest; /* slab indexes; the port's flows as a list */
};

/* Does the mirror hold the flow? */
enum flow_mirrored {
	FLOW_HERE_ONLY,  /* it cannot */
	FLOW_MAY_MIRROR, /* it could, from its next packet on */
	FLOW_MIRRORED,
};

struct flow {
	uint64_t hash;
	struct cache_mask *mask;
	struct program *program;
	uint64_t packets, bytes;
	uint64_t new_packets, new_bytes; /* not yet reported */
	uint64_t used_ms, marked_ms; /* marked: when eviction last spared it */
	uint32_t port;
	uint32_t newer, older; /* the port's list */
	uint8_t n_words, n_deps, n_effects;
	uint8_t mirrored; /* enum flow_mirrored */
	/* What the mirror had counted when it was last asked. */
	uint64_t mirror_packets, mirror_bytes;
	/* When it was asked whether it could (accel_epoch). */
	uint32_t mirror_epoch;
	uint32_t mirror_no; /* enum accel_no: the answer */
	uint64_t tail[];    /* key words, deps, effects */
};

typedef void cache_flow_fn(void *ctx, struct flow *f);

/* What holds some of the flows too (the kernel). May change a flow's counters,
 * must leave the cache alone. */
struct cache_mirror {
	cache_flow_fn *sync;  /* the flow's counters are wanted */
	cache_flow_fn *leave; /* ... for the last time: it goes */
	/* A mask that has no flows becomes this. */
	void (*mask)(void *ctx, uint32_t port, unsigned slot,
		     const struct flow_mask *m);
};

struct cache_config {
	uint32_t flows_per_port, flows_max;
	uint32_t idle_ms;
	uint64_t seed;
	/* Told of a flow with unreported packets before it goes; or NULL. Must
	 * leave the cache alone. */
	cache_flow_fn *going;
	const struct cache_mirror *mirror; /* or NULL */
	void *ctx;
};

struct cache_stats {
	uint64_t replaced, merged;
};

struct cache {
	struct slab slab;
	struct programs programs;
	struct cache_bucket *buckets;
	uint64_t bucket_mask;
	struct cache_port **ports; /* by port number; lazily touched */
	uint32_t n_flows;
	struct cache_port *fullest; /* of those that came last; or NULL */
	uint64_t changes; /* flows put or removed: what was found may be gone */
	struct cache_config config;
	struct cache_stats stats;
	uint64_t sweep; /* the bucket where the next sweep goes on */
};

int cache_init(struct cache *c, const struct cache_config *config) MUST_CHECK;
void cache_fini(struct cache *c);

/* Looks up n keys of one in-port at once; found[i] is NULL where none covers. */
void cache_find(struct cache *c, uint32_t port, const struct flow_key *keys,
		unsigned n, struct flow **found);
struct flow *cache_find_one(struct cache *c, const struct flow_key *key);

/* Keeps a verdict for the key; replaces what covered exactly this key before.
 * `stale`: what was found for the key but is not fresh, or NULL. It goes in any
 * case: left behind under another mask it would be found again and again.
 * NULL when it cannot be kept (uncacheable, or no memory): nothing is lost. */
struct flow *cache_put(struct cache *c, const struct flow_key *key,
		       const struct verdict *v, struct flow *stale,
		       uint64_t now_ms);
void cache_del(struct cache *c, struct flow *f);
void cache_forget_port(struct cache *c, uint32_t port);

/* Visits about `n` buckets from where the last call stopped: hands each flow
 * that was used since to `used`, and removes what was idle too long. True when
 * a whole round was completed. */
bool cache_sweep(struct cache *c, unsigned n, uint64_t now_ms,
		 cache_flow_fn *used, void *ctx);
uint64_t cache_buckets(const struct cache *c);

/* Calls fn for each flow until it says false. */
void cache_each(struct cache *c, bool (*fn)(void *ctx, struct flow *f),
		void *ctx);
/* The flow's masked key, written out. */
void flow_key_of(const struct flow *f, struct flow_key *key);
unsigned cache_mask_count(const struct cache *c);

static inline const struct dep *flow_deps(const struct flow *f)
{
	return (const struct dep *)(const void *)(f->tail + f->n_words);
}

static inline const struct effect *flow_effects(const struct flow *f)
{
	return (const struct effect *)(const void *)(f->tail + f->n_words +
						     f->n_deps);
}

static inline bool flow_is_fresh(const struct flow *f, const struct stamps *s)
{
	const struct dep *d = flow_deps(f);

	for (unsigned i = 0; i < f->n_deps; i++)
		if (unlikely(!stamp_is_fresh(s, d[i])))
			return false;
	return true;
}

#endif
