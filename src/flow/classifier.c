/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/classifier.h"

#include "base/hash.h"
#include "base/rcu.h"
#include "flow/cls_table.h"

#define SEED 0x77656674636c7366ull
/* A subtable of so few rules is searched for its highest priority at once. */
#define RESCAN_SMALL 32u

/* The rules of one mask. */
struct cls_subtable {
	struct hmap_node node;
	struct cls_mask *mask;
	struct cls_table *rules; /* by the tag of all stages */
	/* For each stage with parts but the last: tags of its end. */
	struct cls_set *stages[CLS_N_STAGES];
	unsigned max_priority; /* an upper bound, see C3 */
	unsigned n_at_max;     /* 0: nobody has it any more */
	uint32_t n, n_changes; /* since the last search for it */
	struct rcu_head rcu;
};

struct cls_vector {
	struct rcu_head rcu;
	unsigned n;
	struct cls_vector_entry {
		struct cls_subtable *sub;
		unsigned max_priority;
	} e[];
};

/* --- rules --- */

void cls_rule_init(struct cls_rule *r, const struct match *m, unsigned priority)
{
	*r = (struct cls_rule){ .mask = cls_mask_create(&m->mask),
				.priority = priority };
	r->words = xmalloc(MAX(r->mask->n, 1u) * sizeof(r->words[0]));
	cls_mask_compact(r->mask, &m->key, r->words);
}

void cls_rule_fini(struct cls_rule *r)
{
	must(!r->inserted);
	cls_mask_unref(r->mask);
	free(r->words);
}

void cls_rule_match(const struct cls_rule *r, struct match *out)
{
	match_init(out);
	cls_mask_expand(r->mask, r->words, &out->key);
	cls_mask_look(r->mask, r->mask->n, &out->mask);
}

/* --- tags --- */

/* What a stage's end is known by, for each stage that a subtable reads. */
struct tags {
	uint32_t at[CLS_N_STAGES];
};

static void tags_of(const struct cls_mask *m, const uint64_t *words,
		    struct tags *t)
{
	uint64_t h = SEED;
	unsigned i = 0;

	for (unsigned s = 0; s < CLS_N_STAGES; s++) {
		for (; i < m->end[s]; i++)
			h = hash_add(h, words[i]);
		t->at[s] = cls_tag(h);
	}
}

/* --- the vector of subtables --- */

static void vector_free(struct rcu_head *head)
{
	free(container_of(head, struct cls_vector, rcu));
}

static unsigned vector_count(const struct classifier *cls)
{
	return cls->vector ? cls->vector->n : 0;
}

/* A new vector, in which `sub` stands where its priority puts it, or not. */
static void vector_replace(struct classifier *cls, struct cls_subtable *sub,
			   bool keep)
{
	struct cls_vector *old = cls->vector, *v;
	unsigned n_old = vector_count(cls);
	struct cls_vector_entry mine = { sub, sub->max_priority };

	v = xmalloc(sizeof(*v) + (n_old + 1) * sizeof(v->e[0]));
	v->n = 0;
	for (unsigned i = 0; i < n_old; i++) {
		if (old->e[i].sub == sub)
			continue;
		if (keep && old->e[i].max_priority < mine.max_priority) {
			v->e[v->n++] = mine;
			keep = false;
		}
		v->e[v->n++] = old->e[i];
	}
	if (keep)
		v->e[v->n++] = mine;
	if (!v->n) {
		free(v);
		v = NULL;
	}
	rcu_publish(cls->vector, v);
	if (old)
		rcu_defer(&old->rcu, vector_free);
}

/* The subtable's highest priority changed; often its place does not. */
static void vector_update(struct classifier *cls, struct cls_subtable *sub)
{
	struct cls_vector *v = cls->vector;
	unsigned max = sub->max_priority, i = 0;

	while (v->e[i].sub != sub)
		i++;
	if ((!i || v->e[i - 1].max_priority >= max) &&
	    (i + 1 == v->n || v->e[i + 1].max_priority <= max))
		__atomic_store_n(&v->e[i].max_priority, max, __ATOMIC_RELEASE);
	else
		vector_replace(cls, sub, true);
}

/* --- subtables --- */

static struct cls_subtable *subtable_find(const struct classifier *cls,
					  const struct cls_mask *m,
					  uint64_t hash)
{
	struct cls_subtable *sub;

	hmap_for_each_same(sub, &cls->subtables, hash, node)
		if (cls_mask_equal(sub->mask, m))
			return sub;
	return NULL;
}

/* Does a lookup have a reason to stop at the end of this stage? */
static bool stage_counts(const struct cls_mask *m, unsigned s)
{
	return m->end[s] > (s ? m->end[s - 1] : 0) && m->end[s] < m->n;
}

static struct cls_subtable *subtable_create(struct classifier *cls,
					    struct cls_mask *m, uint64_t hash,
					    unsigned priority)
{
	struct cls_subtable *sub = xzalloc(sizeof(*sub));

	sub->mask = m;
	cls_mask_ref(m);
	sub->rules = cls_table_create();
	for (unsigned s = 0; s < CLS_N_STAGES; s++)
		if (stage_counts(m, s))
			sub->stages[s] = cls_set_create();
	sub->max_priority = priority;
	hmap_put(&cls->subtables, &sub->node, hash);
	vector_replace(cls, sub, true);
	return sub;
}

static void subtable_free(struct rcu_head *head)
{
	struct cls_subtable *sub = container_of(head, struct cls_subtable, rcu);

	cls_table_destroy(sub->rules);
	for (unsigned s = 0; s < CLS_N_STAGES; s++)
		cls_set_destroy(sub->stages[s]);
	cls_mask_unref(sub->mask);
	free(sub);
}

static void subtable_unlink(struct classifier *cls, struct cls_subtable *sub)
{
	vector_replace(cls, sub, false);
	hmap_del(&cls->subtables, &sub->node);
	rcu_defer(&sub->rcu, subtable_free);
}

static struct cls_rule *subtable_find_same(const struct cls_subtable *sub,
					   uint32_t tag, const uint64_t *words)
{
	size_t bytes = sub->mask->n * sizeof(words[0]);
	struct cls_rule *r;
	uint32_t i = tag;

	while ((r = cls_table_probe(sub->rules, tag, &i)))
		if (!memcmp(r->words, words, bytes))
			break;
	return r;
}

/* --- priorities --- */

static void priority_note_put(struct classifier *cls, struct cls_subtable *sub,
			      unsigned priority)
{
	sub->n++;
	sub->n_changes++;
	if (priority > sub->max_priority) {
		sub->max_priority = priority;
		sub->n_at_max = 0;
		vector_update(cls, sub);
	}
	sub->n_at_max += priority == sub->max_priority;
}

/* A rule's own priority is the highest of its chain. */
static void priority_search(struct classifier *cls, struct cls_subtable *sub)
{
	struct cls_rule *r;
	uint32_t at = 0;

	sub->n_changes = 0;
	sub->max_priority = 0;
	sub->n_at_max = 0;
	while ((r = cls_table_walk(sub->rules, &at))) {
		if (r->priority > sub->max_priority) {
			sub->max_priority = r->priority;
			sub->n_at_max = 0;
		}
		sub->n_at_max += r->priority == sub->max_priority;
	}
	vector_update(cls, sub);
}

/* When nobody has the highest priority any more it is searched for, but in a
 * large subtable only after so many changes that the search costs each little. */
static void priority_note_del(struct classifier *cls, struct cls_subtable *sub,
			      unsigned priority)
{
	sub->n--;
	sub->n_changes++;
	sub->n_at_max -= priority == sub->max_priority;
	if (!sub->n_at_max && sub->n &&
	    (sub->n <= RESCAN_SMALL || sub->n_changes >= sub->n / 4))
		priority_search(cls, sub);
}

/* --- changes --- */

/* Stages and tries: what tells a lookup that it may go on. */
static void hints_put(struct classifier *cls, struct cls_subtable *sub,
		      const struct cls_rule *r, const struct tags *t)
{
	const struct cls_mask *m = sub->mask;
	struct flow_key key;

	for (unsigned s = 0; s < CLS_N_STAGES; s++)
		if (sub->stages[s])
			cls_set_put(&sub->stages[s], t->at[s]);
	cls_mask_expand(m, r->words, &key);
	for (unsigned p = 0; p < CLS_N_PREFIXES; p++)
		if (m->prefix_len[p])
			prefix_trie_put(
				&cls->tries[p],
				cls_prefix_value((enum cls_prefix)p, &key),
				m->prefix_len[p]);
}

static void hints_del(struct classifier *cls, struct cls_subtable *sub,
		      const struct cls_rule *r, const struct tags *t)
{
	const struct cls_mask *m = sub->mask;
	struct flow_key key;

	for (unsigned s = 0; s < CLS_N_STAGES; s++)
		if (sub->stages[s])
			cls_set_del(&sub->stages[s], t->at[s]);
	cls_mask_expand(m, r->words, &key);
	for (unsigned p = 0; p < CLS_N_PREFIXES; p++)
		if (m->prefix_len[p])
			prefix_trie_del(
				&cls->tries[p],
				cls_prefix_value((enum cls_prefix)p, &key),
				m->prefix_len[p]);
}

/* Into the chain of rules with the same match, highest priority first. */
static void chain_put(struct cls_subtable *sub, uint32_t tag,
		      struct cls_rule *head, struct cls_rule *r)
{
	if (r->priority > head->priority) {
		r->lower = head;
		cls_table_replace(&sub->rules, tag, head, r);
		return;
	}
	while (head->lower && head->lower->priority > r->priority)
		head = head->lower;
	must(head->priority != r->priority &&
	     !(head->lower && head->lower->priority == r->priority));
	r->lower = head->lower;
	head->lower = r;
}

/* A rule shares the mask of its subtable. */
static void rule_enter(struct cls_subtable *sub, struct cls_rule *r)
{
	must(!r->inserted);
	cls_mask_ref(sub->mask);
	cls_mask_unref(r->mask);
	r->mask = sub->mask;
	r->lower = NULL;
	r->inserted = true;
}

void classifier_insert(struct classifier *cls, struct cls_rule *r)
{
	uint64_t hash = cls_mask_hash(r->mask);
	struct cls_subtable *sub = subtable_find(cls, r->mask, hash);
	struct cls_rule *head;
	struct tags t;

	if (!sub)
		sub = subtable_create(cls, r->mask, hash, r->priority);
	rule_enter(sub, r);
	tags_of(r->mask, r->words, &t);
	head = subtable_find_same(sub, t.at[CLS_N_STAGES - 1], r->words);
	if (head) {
		chain_put(sub, t.at[CLS_N_STAGES - 1], head, r);
	} else {
		hints_put(cls, sub, r, &t);
		cls_table_put(&sub->rules, t.at[CLS_N_STAGES - 1], r);
	}
	priority_note_put(cls, sub, r->priority);
	cls->n++;
}

/* The rule of the chain that r is the next lower of. */
static struct cls_rule *chain_above(struct cls_rule *head,
				    const struct cls_rule *r)
{
	while (head && head->lower != r)
		head = head->lower;
	must(head);
	return head;
}

/* Out of its chain; true when it was the only rule of its match. */
static bool chain_del(struct cls_subtable *sub, uint32_t tag,
		      struct cls_rule *r)
{
	struct cls_rule *head = subtable_find_same(sub, tag, r->words);

	if (head == r) {
		cls_table_replace(&sub->rules, tag, r, r->lower);
		return !r->lower;
	}
	chain_above(head, r)->lower = r->lower;
	return false;
}

void classifier_remove(struct classifier *cls, struct cls_rule *r)
{
	struct cls_subtable *sub =
		subtable_find(cls, r->mask, cls_mask_hash(r->mask));
	struct tags t;

	must(r->inserted && sub);
	tags_of(r->mask, r->words, &t);
	if (chain_del(sub, t.at[CLS_N_STAGES - 1], r))
		hints_del(cls, sub, r, &t);
	r->inserted = false;
	cls->n--;
	priority_note_del(cls, sub, r->priority);
	if (!sub->n)
		subtable_unlink(cls, sub);
}

void classifier_replace(struct classifier *cls, struct cls_rule *r,
			struct cls_rule *with)
{
	struct cls_subtable *sub =
		subtable_find(cls, r->mask, cls_mask_hash(r->mask));
	struct cls_rule *head;
	struct tags t;
	uint32_t tag;

	must(r->inserted && sub && r->priority == with->priority);
	must(cls_mask_equal(r->mask, with->mask));
	must(!memcmp(r->words, with->words, r->mask->n * sizeof(r->words[0])));
	rule_enter(sub, with);
	with->lower = r->lower;
	tags_of(r->mask, r->words, &t);
	tag = t.at[CLS_N_STAGES - 1];
	head = subtable_find_same(sub, tag, r->words);
	if (head == r)
		cls_table_replace(&sub->rules, tag, r, with);
	else
		chain_above(head, r)->lower = with;
	r->inserted = false;
}

/* --- lookup --- */

struct lookup {
	const struct classifier *cls;
	const struct flow_key *key;
	struct flow_mask *looked;
	unsigned found_known; /* a bit for each trie that was asked */
	struct prefix_found found[CLS_N_PREFIXES];
};

static const struct prefix_found *lookup_prefix(struct lookup *l,
						enum cls_prefix p)
{
	if (!(l->found_known & 1u << p)) {
		prefix_trie_lookup(&l->cls->tries[p],
				   cls_prefix_value(p, l->key),
				   cls_prefix_width(p), &l->found[p]);
		l->found_known |= 1u << p;
	}
	return &l->found[p];
}

/* True when one of these fields (a bit for each) is reason enough to leave: no
 * rule anywhere has a prefix of the subtable's length that matches. Then the
 * leading bits that say so are looked at, and nothing else. */
static bool lookup_excluded(struct lookup *l, const struct cls_mask *m,
			    unsigned fields)
{
	for (fields &= m->prefixes; fields; fields &= fields - 1) {
		unsigned p = (unsigned)__builtin_ctz(fields);
		const struct prefix_found *f =
			lookup_prefix(l, (enum cls_prefix)p);

		if (prefix_found_has(f, m->prefix_len[p]))
			continue;
		cls_prefix_look((enum cls_prefix)p,
				MIN(f->n_bits, m->prefix_len[p]), l->looked);
		return true;
	}
	return false;
}

static const struct cls_rule *lookup_last(const struct lookup *l,
					  const struct cls_subtable *sub,
					  uint32_t tag)
{
	const struct cls_table *t = rcu_load(sub->rules);
	const struct cls_rule *r;
	uint32_t i = tag;

	while ((r = cls_table_probe(t, tag, &i)))
		if (cls_mask_covers(sub->mask, r->words, l->key))
			break;
	return r;
}

/* The fields with tries that end with this stage. */
static unsigned stage_prefixes(unsigned stage)
{
	const unsigned l3 = (1u << CLS_PREFIX_TP_SRC) - 1;

	if (stage == CLS_STAGE_L3)
		return l3;
	return stage == CLS_STAGE_L4 ? ~l3 : 0;
}

/* The hashes say whether to go on, since a hit needs no trie; the tries say with
 * how few bits to leave, at once when another subtable has asked them. */
static const struct cls_rule *lookup_subtable(struct lookup *l,
					      const struct cls_subtable *sub)
{
	const uint64_t *k = key_words_const(l->key);
	const struct cls_mask *m = sub->mask;
	const struct cls_rule *r = NULL;
	uint64_t h = SEED;
	unsigned i = 0, s;

	if (lookup_excluded(l, m, l->found_known))
		return NULL;
	for (s = 0; s < CLS_N_STAGES; s++) {
		if (m->end[s] == i)
			continue;
		for (; i < m->end[s]; i++)
			h = hash_add(h, k[m->parts[i].word] & m->parts[i].bits);
		if (i == m->n ||
		    !cls_set_has(rcu_load(sub->stages[s]), cls_tag(h)))
			break;
	}
	if (i == m->n)
		r = lookup_last(l, sub, cls_tag(h));
	if (r || !lookup_excluded(l, m, stage_prefixes(s)))
		cls_mask_look(m, i, l->looked);
	return r;
}

const struct cls_rule *classifier_lookup(const struct classifier *cls,
					 const struct flow_key *key,
					 struct flow_mask *looked_at)
{
	const struct cls_vector *v = rcu_load(cls->vector);
	const struct cls_rule *best = NULL;
	struct lookup l;

	l.cls = cls;
	l.key = key;
	l.looked = looked_at;
	l.found_known = 0;
	for (unsigned i = 0; v && i < v->n; i++) {
		const struct cls_rule *r;

		if (best &&
		    best->priority >= __atomic_load_n(&v->e[i].max_priority,
						      __ATOMIC_ACQUIRE))
			break;
		r = lookup_subtable(&l, v->e[i].sub);
		if (r && (!best || r->priority > best->priority))
			best = r;
	}
	return best;
}

/* --- the writer's questions --- */

struct cls_rule *classifier_find_exactly(const struct classifier *cls,
					 const struct match *m,
					 unsigned priority)
{
	uint64_t words[CLS_PARTS_MAX];
	union cls_mask_buf buf;
	struct cls_subtable *sub;
	struct cls_rule *r;
	struct tags t;

	cls_mask_init(&buf, &m->mask);
	sub = subtable_find(cls, &buf.m, cls_mask_hash(&buf.m));
	if (!sub)
		return NULL;
	cls_mask_compact(&buf.m, &m->key, words);
	tags_of(&buf.m, words, &t);
	r = subtable_find_same(sub, t.at[CLS_N_STAGES - 1], words);
	while (r && r->priority > priority)
		r = r->lower;
	return r && r->priority == priority ? r : NULL;
}

/* Do the two matches have a key in common? */
static bool rule_overlaps(const struct cls_rule *r, const struct match *m)
{
	const uint64_t *k = key_words_const(&m->key);
	const uint64_t *w = key_words_const(&m->mask.bits);

	for (unsigned i = 0; i < r->mask->n; i++) {
		const struct cls_part *p = &r->mask->parts[i];

		if ((k[p->word] ^ r->words[i]) & p->bits & w[p->word])
			return false;
	}
	return true;
}

struct cls_rule *classifier_find_overlap(const struct classifier *cls,
					 const struct match *m,
					 unsigned priority)
{
	struct classifier_iter i;
	struct cls_rule *r;

	for (r = classifier_iter_first(&i, cls); r;
	     r = classifier_iter_next(&i))
		if (r->priority == priority && rule_overlaps(r, m))
			return r;
	return NULL;
}

struct cls_rule *classifier_first(const struct classifier *cls)
{
	struct classifier_iter i;

	return classifier_iter_first(&i, cls);
}

/* From the last subtable on: taking that out moves the others least. */
struct cls_rule *classifier_iter_first(struct classifier_iter *i,
				       const struct classifier *cls)
{
	*i = (struct classifier_iter){ .cls = cls,
				       .subtable = vector_count(cls) };
	return classifier_iter_next(i);
}

struct cls_rule *classifier_iter_next(struct classifier_iter *i)
{
	struct cls_rule *r = i->lower;

	while (!r && i->subtable) {
		struct cls_vector_entry *e =
			&i->cls->vector->e[i->subtable - 1];

		r = cls_table_walk(e->sub->rules, &i->slot);
		if (!r) {
			i->subtable--;
			i->slot = 0;
		}
	}
	i->lower = r ? r->lower : NULL;
	return r;
}

void classifier_init(struct classifier *cls)
{
	*cls = (struct classifier){ 0 };
	hmap_init(&cls->subtables);
}

void classifier_fini(struct classifier *cls)
{
	must(!cls->n && !cls->vector);
	hmap_fini(&cls->subtables);
}
