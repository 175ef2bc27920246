/* SPDX-License-Identifier: Apache-2.0 */
/* Prefix trie: which prefix lengths of a field match this value, and how many
 * of its bits tell so?
 *
 * What      the prefixes of one field, counted, in a binary trie with up to 32
 *           bits a node.
 * Why so    a table of /24s that holds none for 10.1.2.3 need not be looked
 *           into, and the reason is a few leading bits instead of twenty-four.
 * Invariant P1 a node without prefix of its own has two edges, or it is a link
 *           of a chain that is longer than 32 bits. P2 the bits of a node never
 *           change; a node is replaced instead.
 * Threads   one writer; readers inside RCU.
 * Owns      its nodes; replaced ones go after a grace period. */
#ifndef FLOW_PREFIX_TRIE_H
#define FLOW_PREFIX_TRIE_H

#include "base/rcu.h"

#define PREFIX_BITS_MAX 128u

/* A field's value, leftmost bit first. */
struct prefix_bits {
	uint64_t hi, lo;
};

struct prefix_node;

struct prefix_trie {
	struct prefix_node *root;
};

struct prefix_found {
	uint64_t lens[2]; /* bit n - 1: a prefix of n bits is a match */
	unsigned n_bits;  /* values equal in so many bits find the same */
};

static inline bool prefix_found_has(const struct prefix_found *f, unsigned len)
{
	return f->lens[(len - 1) / 64] >> ((len - 1) % 64) & 1;
}

/* len is 1 to PREFIX_BITS_MAX; the same prefix may be put many times. */
void prefix_trie_put(struct prefix_trie *t, struct prefix_bits v, unsigned len);
/* The prefix must have been put. */
void prefix_trie_del(struct prefix_trie *t, struct prefix_bits v, unsigned len);
/* `width` is that of the field, in bits. */
void prefix_trie_lookup(const struct prefix_trie *t, struct prefix_bits v,
			unsigned width, struct prefix_found *out);

#endif
