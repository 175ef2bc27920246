/* SPDX-License-Identifier: Apache-2.0 */
#include "dp/cache.h"

#include <errno.h>

#include "base/hash.h"

#define BUCKET_SLOTS 8u
/* A key may lie in this many buckets in a row; when all are full, one of the
 * flows in them makes room. */
#define BUCKET_RUN 4u
#define EVICT_LOOKS 8u
#define GIVE_WAY_MAX 4u /* flows that go for a new one when memory is out */
/* Room for flows (with programs): bytes reserved for each that may exist. */
#define FLOW_BYTES 512u
#define CACHE_MIN_BYTES (64u << 20)
#define N_PORTS (DP_MAX_PORTS + 1u)

struct cache_bucket {
	uint32_t sig[BUCKET_SLOTS];
	uint32_t flow[BUCKET_SLOTS]; /* slab index; 0: free */
} CACHE_ALIGNED;

_Static_assert(sizeof(struct cache_bucket) == CACHE_LINE, "one line");
_Static_assert(sizeof(struct dep) == 8, "one word");
_Static_assert(sizeof(struct effect) % 8 == 0, "whole words");

static size_t buckets_size(const struct cache *c)
{
	return (c->bucket_mask + 1) * sizeof(struct cache_bucket);
}

int cache_init(struct cache *c, const struct cache_config *config)
{
	uint64_t n = 64;

	*c = (struct cache){ .config = *config };
	while (n * BUCKET_SLOTS < (uint64_t)config->flows_max * 2)
		n *= 2;
	c->bucket_mask = n - 1;
	c->buckets = lazy_alloc(buckets_size(c));
	c->ports = lazy_alloc(N_PORTS * sizeof(*c->ports));
	if (!c->buckets || !c->ports ||
	    slab_init(&c->slab, CACHE_MIN_BYTES + (size_t)config->flows_max *
							  FLOW_BYTES) ||
	    programs_init(&c->programs, &c->slab)) {
		cache_fini(c);
		return -ENOMEM;
	}
	return 0;
}

void cache_fini(struct cache *c)
{
	programs_fini(&c->programs);
	if (c->slab.base)
		slab_fini(&c->slab);
	if (c->buckets)
		lazy_free(c->buckets, buckets_size(c));
	if (c->ports)
		lazy_free(c->ports, N_PORTS * sizeof(*c->ports));
	*c = (struct cache){ 0 };
}

uint64_t cache_buckets(const struct cache *c)
{
	return c->bucket_mask + 1;
}

static uint32_t signature(uint64_t hash)
{
	return (uint32_t)(hash >> 32);
}

static struct cache_bucket *bucket(const struct cache *c, uint64_t hash)
{
	return &c->buckets[hash & c->bucket_mask];
}

static struct flow *flow_at(const struct cache *c, uint32_t index)
{
	return slab_at(&c->slab, index);
}

static bool flow_covers(const struct flow *f, const struct cache_mask *m,
			uint64_t hash, const struct flow_key *key)
{
	return f->mask == m && f->hash == hash &&
	       key_equal_plan(f->tail, key, &m->plan);
}

static struct flow *probe(const struct cache *c, const struct cache_mask *m,
			  uint64_t hash, const struct flow_key *key)
{
	uint32_t sig = signature(hash);

	for (unsigned run = 0; run < BUCKET_RUN; run++) {
		const struct cache_bucket *b = bucket(c, hash + run);
		bool full = true;

		for (unsigned i = 0; i < BUCKET_SLOTS; i++) {
			struct flow *f;

			full &= b->flow[i] != 0;
			if (b->sig[i] != sig || !b->flow[i])
				continue;
			f = flow_at(c, b->flow[i]);
			if (flow_covers(f, m, hash, key))
				return f;
		}
		if (!full)
			return NULL;
	}
	return NULL;
}

static uint64_t mask_hash(const struct cache *c, const struct cache_mask *m,
			  const struct flow_key *key)
{
	return key_hash_plan(key, &m->plan, c->config.seed);
}

/* One mask over the keys that are still looked for: first all hashes, so that
 * the buckets' lines are on their way when they are read. */
static void find_under(struct cache *c, const struct cache_mask *m,
		       const struct flow_key *keys, unsigned n,
		       struct flow **found)
{
	uint64_t hash[PACKET_BATCH_MAX];

	for (unsigned i = 0; i < n; i++) {
		if (found[i])
			continue;
		hash[i] = mask_hash(c, m, &keys[i]);
		__builtin_prefetch(bucket(c, hash[i]));
	}
	for (unsigned i = 0; n > 4 && i < n; i++) {
		const struct cache_bucket *b;

		if (found[i])
			continue;
		b = bucket(c, hash[i]);
		for (unsigned s = 0; s < BUCKET_SLOTS; s++)
			if (b->sig[s] == signature(hash[i]))
				__builtin_prefetch(flow_at(c, b->flow[s]));
	}
	for (unsigned i = 0; i < n; i++)
		if (!found[i])
			found[i] = probe(c, m, hash[i], &keys[i]);
}

void cache_find(struct cache *c, uint32_t port, const struct flow_key *keys,
		unsigned n, struct flow **found)
{
	const struct cache_port *p = port < N_PORTS ? c->ports[port] : NULL;

	must(n <= PACKET_BATCH_MAX);
	memset(found, 0, n * sizeof(*found));
	for (unsigned m = 0; p && m < p->n_masks; m++)
		find_under(c, p->masks[m], keys, n, found);
}

struct flow *cache_find_one(struct cache *c, const struct flow_key *key)
{
	struct flow *f;

	cache_find(c, key->in_port, key, 1, &f);
	return f;
}

/* --- the port's list of flows, newest first --- */

static void list_link(struct cache *c, struct cache_port *p, struct flow *f)
{
	uint32_t index = slab_index(&c->slab, f);

	f->newer = 0;
	f->older = p->newest;
	if (p->newest)
		flow_at(c, p->newest)->newer = index;
	else
		p->oldest = index;
	p->newest = index;
}

static void list_unlink(struct cache *c, struct cache_port *p, struct flow *f)
{
	if (f->newer)
		flow_at(c, f->newer)->older = f->older;
	else
		p->newest = f->older;
	if (f->older)
		flow_at(c, f->older)->newer = f->newer;
	else
		p->oldest = f->newer;
}

static void bucket_remove(struct cache *c, const struct flow *f)
{
	uint32_t index = slab_index(&c->slab, f);

	for (unsigned run = 0; run < BUCKET_RUN; run++) {
		struct cache_bucket *b = bucket(c, f->hash + run);

		for (unsigned i = 0; i < BUCKET_SLOTS; i++) {
			if (b->flow[i] == index) {
				b->flow[i] = 0;
				b->sig[i] = 0;
				return;
			}
		}
	}
	must(!"flow is in its buckets");
}

static size_t flow_size(unsigned n_words, unsigned n_deps, unsigned n_effects)
{
	return sizeof(struct flow) + n_words * 8u +
	       n_deps * sizeof(struct dep) + n_effects * sizeof(struct effect);
}

void cache_del(struct cache *c, struct flow *f)
{
	struct cache_port *p = c->ports[f->port];

	if (f->mirrored == FLOW_MIRRORED)
		c->config.mirror->leave(c->config.ctx, f);
	if (f->new_packets && c->config.going)
		c->config.going(c->config.ctx, f);
	bucket_remove(c, f);
	list_unlink(c, p, f);
	p->n_flows--;
	c->n_flows--;
	c->changes++;
	f->mask->n_flows--;
	program_put(&c->programs, f->program);
	slab_free(&c->slab, f, flow_size(f->n_words, f->n_deps, f->n_effects));
}

/* Out of the oldest few, the first that was not used since it was last spared;
 * the spared ones go to the young end. */
static void port_evict(struct cache *c, struct cache_port *p)
{
	struct flow *f = NULL;

	for (unsigned i = 0; i < EVICT_LOOKS && p->oldest; i++) {
		f = flow_at(c, p->oldest);
		if (f->used_ms <= f->marked_ms)
			break;
		f->marked_ms = f->used_ms;
		list_unlink(c, p, f);
		list_link(c, p, f);
	}
	if (f) {
		cache_del(c, f);
		c->stats.replaced++;
	}
}

static struct cache_port *largest_port(struct cache *c)
{
	struct cache_port *best = NULL;

	for (unsigned i = 0; i < N_PORTS; i++)
		if (c->ports[i] &&
		    (!best || c->ports[i]->n_flows > best->n_flows))
			best = c->ports[i];
	return best;
}

/* Whoever floods must not hold what others need: the fullest port gives, to all
 * that have less. */
static struct cache_port *room_giver(struct cache *c, struct cache_port *p)
{
	if (c->fullest && c->fullest->n_flows > p->n_flows)
		return c->fullest;
	return p->n_flows ? p : largest_port(c);
}

static void make_room(struct cache *c, struct cache_port *p)
{
	if (p->n_flows >= c->config.flows_per_port)
		port_evict(c, p);
	if (c->n_flows >= c->config.flows_max)
		port_evict(c, room_giver(c, p));
}

/* Memory ran out before the flows did: the cache is smaller, not shut. */
static bool give_way(struct cache *c, struct cache_port *p)
{
	struct cache_port *giver = room_giver(c, p);

	if (!giver || giver->n_flows < 2)
		return false;
	port_evict(c, giver);
	return true;
}

/* --- masks --- */

static unsigned mask_bits(const struct flow_mask *m)
{
	const uint64_t *w = key_words_const(&m->bits);
	unsigned n = 0;

	for (unsigned i = 0; i < KEY_WORDS; i++)
		n += (unsigned)__builtin_popcountll(w[i]);
	return n;
}

static struct cache_port *port_get(struct cache *c, uint32_t port)
{
	struct cache_port *p = c->ports[port];

	if (p)
		return p;
	p = slab_alloc(&c->slab, sizeof(*p));
	if (!p)
		return NULL;
	*p = (struct cache_port){ 0 };
	c->ports[port] = p;
	return p;
}

static void mask_flush(struct cache *c, struct cache_port *p,
		       struct cache_mask *m)
{
	uint32_t next;

	for (uint32_t i = p->oldest; i && m->n_flows; i = next) {
		struct flow *f = flow_at(c, i);

		next = f->newer;
		if (f->mask == m)
			cache_del(c, f);
	}
}

/* The port's mask whose union with `m` looks at the fewest bits. */
static struct cache_mask *nearest_mask(struct cache_port *p,
				       const struct flow_mask *m)
{
	struct cache_mask *best = NULL;
	unsigned best_bits = UINT32_MAX;

	for (unsigned i = 0; i < p->n_masks; i++) {
		struct flow_mask both = *m;
		unsigned bits;

		mask_union(&both, &p->masks[i]->mask);
		bits = mask_bits(&both);
		if (bits < best_bits) {
			best_bits = bits;
			best = p->masks[i];
		}
	}
	return best;
}

static void mask_set(struct cache *c, uint32_t port, struct cache_mask *cm,
		     const struct flow_mask *m)
{
	cm->mask = *m;
	cm->version++;
	mask_plan_init(&cm->plan, m);
	if (c->config.mirror)
		c->config.mirror->mask(c->config.ctx, port, cm->slot, m);
}

static struct cache_mask *mask_new(struct cache *c, struct cache_port *p,
				   uint32_t port, const struct flow_mask *m)
{
	struct cache_mask *cm = NULL;

	for (unsigned i = 0; i < p->n_masks && !cm; i++)
		if (!p->masks[i]->n_flows)
			cm = p->masks[i];
	if (!cm) {
		if (p->n_masks >= DP_MAX_MASKS)
			return NULL;
		cm = slab_alloc(&c->slab, sizeof(*cm));
		if (!cm)
			return NULL;
		*cm = (struct cache_mask){ .slot = p->n_masks };
		p->masks[p->n_masks++] = cm;
	}
	mask_set(c, port, cm, m);
	return cm;
}

/* The mask to keep a verdict under: one that is there and looks at all that the
 * verdict looked at without being much narrower, a free one, or a merged one. */
static struct cache_mask *mask_get(struct cache *c, struct cache_port *p,
				   uint32_t port, const struct flow_mask *m)
{
	struct cache_mask *cm;
	struct flow_mask both = *m;

	for (unsigned i = 0; i < p->n_masks; i++)
		if (mask_equal(&p->masks[i]->mask, m))
			return p->masks[i];
	cm = mask_new(c, p, port, m);
	if (cm)
		return cm;
	cm = nearest_mask(p, m);
	if (!cm || mask_is_subset(m, &cm->mask))
		return cm;
	mask_union(&both, &cm->mask);
	mask_flush(c, p, cm);
	mask_set(c, port, cm, &both);
	c->stats.merged++;
	return cm;
}

/* --- putting --- */

static uint32_t *free_slot(struct cache *c, uint64_t hash, uint32_t **sig)
{
	for (unsigned run = 0; run < BUCKET_RUN; run++) {
		struct cache_bucket *b = bucket(c, hash + run);

		for (unsigned i = 0; i < BUCKET_SLOTS; i++) {
			if (!b->flow[i]) {
				*sig = &b->sig[i];
				return &b->flow[i];
			}
		}
	}
	return NULL;
}

/* All slots of the run are taken: the least recently used one of them goes. */
static void run_evict(struct cache *c, uint64_t hash)
{
	struct flow *oldest = NULL;

	for (unsigned i = 0; i < BUCKET_RUN * BUCKET_SLOTS; i++) {
		struct cache_bucket *b = bucket(c, hash + i / BUCKET_SLOTS);
		struct flow *f = flow_at(c, b->flow[i % BUCKET_SLOTS]);

		if (!oldest || f->used_ms < oldest->used_ms)
			oldest = f;
	}
	cache_del(c, oldest);
	c->stats.replaced++;
}

static void flow_insert(struct cache *c, struct cache_port *p, struct flow *f)
{
	uint32_t *sig, *slot = free_slot(c, f->hash, &sig);

	if (!slot) {
		run_evict(c, f->hash);
		slot = free_slot(c, f->hash, &sig);
	}
	*slot = slab_index(&c->slab, f);
	*sig = signature(f->hash);
	list_link(c, p, f);
	f->mask->n_flows++;
	p->n_flows++;
	if (!c->fullest || c->fullest->n_flows < p->n_flows)
		c->fullest = p;
	c->n_flows++;
	c->changes++;
}

static void flow_fill(struct flow *f, const struct flow_key *key,
		      const struct verdict *v)
{
	key_compact(key, &f->mask->plan, f->tail);
	memcpy(f->tail + f->n_words, v->deps, f->n_deps * sizeof(struct dep));
	memcpy(f->tail + f->n_words + f->n_deps, v->effects,
	       f->n_effects * sizeof(struct effect));
}

static struct flow *flow_new(struct cache *c, const struct flow_key *key,
			     const struct verdict *v, struct cache_mask *m)
{
	struct program *program =
		program_get(&c->programs, acts_list(&v->actions));
	struct flow *f;

	if (!program)
		return NULL;
	f = slab_alloc(&c->slab, flow_size(m->plan.n, v->n_deps, v->n_effects));
	if (!f) {
		program_put(&c->programs, program);
		return NULL;
	}
	*f = (struct flow){ .mask = m,
			    .program = program,
			    .hash = mask_hash(c, m, key),
			    .port = key->in_port,
			    .n_words = (uint8_t)m->plan.n,
			    .n_deps = v->n_deps,
			    .n_effects = v->n_effects };
	flow_fill(f, key, v);
	return f;
}

/* Where exactly this key lies already. Unlike a lookup it does not end at a gap:
 * a flow behind one must not come to be twice. */
static struct flow *find_behind_gaps(const struct cache *c,
				     const struct cache_mask *m, uint64_t hash,
				     const struct flow_key *key)
{
	for (unsigned i = 0; i < BUCKET_RUN * BUCKET_SLOTS; i++) {
		const struct cache_bucket *b =
			bucket(c, hash + i / BUCKET_SLOTS);
		struct flow *f;

		if (b->sig[i % BUCKET_SLOTS] != signature(hash) ||
		    !b->flow[i % BUCKET_SLOTS])
			continue;
		f = flow_at(c, b->flow[i % BUCKET_SLOTS]);
		if (flow_covers(f, m, hash, key))
			return f;
	}
	return NULL;
}

/* What a flow had counted is handed on to the one in its place. */
struct heir {
	const struct cache_mask *mask;
	uint32_t version; /* of the mask */
	uint64_t packets, bytes;
};

static void flow_bequeath(struct cache *c, struct flow *f, struct heir *heir)
{
	if (!f)
		return;
	*heir = (struct heir){ .mask = f->mask,
			       .version = f->mask->version,
			       .packets = f->packets,
			       .bytes = f->bytes };
	cache_del(c, f);
}

static void flow_inherit(struct flow *f, const struct heir *heir)
{
	if (heir->mask != f->mask || heir->version != f->mask->version)
		return;
	f->packets = heir->packets;
	f->bytes = heir->bytes;
}

struct flow *cache_put(struct cache *c, const struct flow_key *key,
		       const struct verdict *v, struct flow *stale,
		       uint64_t now_ms)
{
	struct heir heir = { 0 };
	struct cache_port *p;
	struct cache_mask *m;
	struct flow *f;

	flow_bequeath(c, stale, &heir);
	if (!v->cacheable || key->in_port > DP_MAX_PORTS)
		return NULL;
	p = port_get(c, key->in_port);
	if (!p)
		return NULL;
	make_room(c, p);
	m = mask_get(c, p, key->in_port, &v->mask);
	if (!m)
		return NULL;
	flow_bequeath(c, find_behind_gaps(c, m, mask_hash(c, m, key), key),
		      &heir);
	f = flow_new(c, key, v, m);
	for (unsigned i = 0; !f && i < GIVE_WAY_MAX && give_way(c, p); i++)
		f = flow_new(c, key, v, m);
	if (!f)
		return NULL;
	flow_inherit(f, &heir);
	f->used_ms = f->marked_ms = now_ms;
	flow_insert(c, p, f);
	return f;
}

void cache_forget_port(struct cache *c, uint32_t port)
{
	struct cache_port *p = port < N_PORTS ? c->ports[port] : NULL;

	if (!p)
		return;
	while (p->oldest)
		cache_del(c, flow_at(c, p->oldest));
	for (unsigned i = 0; i < p->n_masks; i++)
		slab_free(&c->slab, p->masks[i], sizeof(*p->masks[i]));
	if (c->fullest == p)
		c->fullest = NULL;
	slab_free(&c->slab, p, sizeof(*p));
	c->ports[port] = NULL;
}

/* --- visiting --- */

static void sweep_flow(struct cache *c, struct flow *f, uint64_t now_ms,
		       cache_flow_fn *used, void *ctx)
{
	if (f->mirrored == FLOW_MIRRORED)
		c->config.mirror->sync(c->config.ctx, f);
	if (f->new_packets) {
		used(ctx, f);
		f->new_packets = 0;
		f->new_bytes = 0;
	}
	if (now_ms - f->used_ms >= c->config.idle_ms)
		cache_del(c, f);
}

bool cache_sweep(struct cache *c, unsigned n, uint64_t now_ms,
		 cache_flow_fn *used, void *ctx)
{
	while (n--) {
		struct cache_bucket *b = &c->buckets[c->sweep];

		for (unsigned i = 0; i < BUCKET_SLOTS; i++)
			if (b->flow[i])
				sweep_flow(c, flow_at(c, b->flow[i]), now_ms,
					   used, ctx);
		c->sweep = (c->sweep + 1) & c->bucket_mask;
		if (!c->sweep)
			return true;
	}
	return false;
}

void cache_each(struct cache *c, bool (*fn)(void *ctx, struct flow *f),
		void *ctx)
{
	for (unsigned i = 0; i < N_PORTS; i++) {
		uint32_t index = c->ports[i] ? c->ports[i]->newest : 0;

		for (; index; index = flow_at(c, index)->older)
			if (!fn(ctx, flow_at(c, index)))
				return;
	}
}

void flow_key_of(const struct flow *f, struct flow_key *key)
{
	uint64_t *w = key_words(key);

	memset(key, 0, sizeof(*key));
	for (unsigned i = 0; i < f->n_words; i++)
		w[f->mask->plan.word[i]] = f->tail[i];
}

unsigned cache_mask_count(const struct cache *c)
{
	unsigned n = 0;

	for (unsigned i = 0; i < N_PORTS; i++)
		n += c->ports[i] ? c->ports[i]->n_masks : 0;
	return n;
}
