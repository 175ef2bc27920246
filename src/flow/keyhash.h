/* SPDX-License-Identifier: Apache-2.0 */
/* Hashing and comparing keys under a mask, touching only the words that count.
 *
 * What      a plan is a mask written as a list of (word, bits); hash, compare
 *           and compact walk that list.
 * Why so    the usual mask has four to ten words of the key's eighty-four.
 * Invariant H1 words are ascending and their bits are not zero.
 * Threads   a plan is read-only once made. */
#ifndef FLOW_KEYHASH_H
#define FLOW_KEYHASH_H

#include "base/hash.h"
#include "flow/key.h"

struct mask_plan {
	unsigned n;
	uint8_t word[KEY_WORDS];
	uint64_t bits[KEY_WORDS];
};

static inline void mask_plan_init(struct mask_plan *plan,
				  const struct flow_mask *m)
{
	const uint64_t *w = key_words_const(&m->bits);

	plan->n = 0;
	for (unsigned i = 0; i < KEY_WORDS; i++) {
		if (!w[i])
			continue;
		plan->word[plan->n] = (uint8_t)i;
		plan->bits[plan->n++] = w[i];
	}
}

static inline uint64_t key_hash_plan(const struct flow_key *key,
				     const struct mask_plan *plan,
				     uint64_t seed)
{
	const uint64_t *k = key_words_const(key);
	uint64_t h = seed;
	unsigned i = 0;

	for (; i + 2 <= plan->n; i += 2)
		h = hash_mix((k[plan->word[i]] & plan->bits[i]) ^ h ^ HASH_K0,
			     (k[plan->word[i + 1]] & plan->bits[i + 1]) ^
				     (h >> 32 | h << 32) ^ HASH_K1);
	if (i < plan->n)
		h = hash_add(h, k[plan->word[i]] & plan->bits[i]);
	return hash_mix(h ^ HASH_K0, seed ^ plan->n ^ HASH_K1);
}

/* The masked words, in order. */
static inline void key_compact(const struct flow_key *key,
			       const struct mask_plan *plan, uint64_t *out)
{
	const uint64_t *k = key_words_const(key);

	for (unsigned i = 0; i < plan->n; i++)
		out[i] = k[plan->word[i]] & plan->bits[i];
}

static inline bool key_equal_plan(const uint64_t *words,
				  const struct flow_key *key,
				  const struct mask_plan *plan)
{
	const uint64_t *k = key_words_const(key);
	uint64_t differ = 0;

	for (unsigned i = 0; i < plan->n; i++)
		differ |= (k[plan->word[i]] & plan->bits[i]) ^ words[i];
	return !differ;
}

#endif
