/* SPDX-License-Identifier: Apache-2.0 */
/* A classifier's mask: the bits that count, stage by stage.
 *
 * What      the words of a mask that are not zero, in the order in which a
 *           lookup reads them: what the pipeline says (in-port, metadata,
 *           registers, tunnel, connection), Ethernet, network, transport. And
 *           which fields are masked by a prefix.
 * Why so    many rules have few masks: a rule keeps values only and shares its
 *           mask with all of its subtable.
 * Invariant M1 the same bits give the same parts. M2 read-only once shared.
 * Threads   any; the count of references is atomic, so that rules may be freed
 *           by the thread that runs deferred work.
 * Owns      itself: the last cls_mask_unref frees. */
#ifndef FLOW_CLS_MASK_H
#define FLOW_CLS_MASK_H

#include "flow/key.h"
#include "flow/prefix_trie.h"

enum cls_stage {
	CLS_STAGE_METADATA,
	CLS_STAGE_L2,
	CLS_STAGE_L3,
	CLS_STAGE_L4,
	CLS_N_STAGES
};

/* The fields that have a prefix trie. */
enum cls_prefix {
	CLS_PREFIX_IP4_SRC,
	CLS_PREFIX_IP4_DST,
	CLS_PREFIX_IP6_SRC,
	CLS_PREFIX_IP6_DST,
	CLS_PREFIX_TP_SRC,
	CLS_PREFIX_TP_DST,
	CLS_N_PREFIXES
};

struct cls_part {
	uint64_t bits;
	uint64_t word; /* its place in the key */
};

/* Four words of the key have bits of two stages. */
#define CLS_PARTS_MAX (KEY_WORDS + 4)

struct cls_mask {
	uint32_t refs;
	uint8_t n;                          /* parts */
	uint8_t end[CLS_N_STAGES];          /* the first part behind a stage */
	uint8_t prefix_len[CLS_N_PREFIXES]; /* 0: not masked by a prefix */
	uint8_t prefixes;                   /* a bit for each that is */
	struct cls_part parts[];
};

/* A mask in the caller's memory, to ask with. */
union cls_mask_buf {
	struct cls_mask m;
	uint8_t room[sizeof(struct cls_mask) +
		     CLS_PARTS_MAX * sizeof(struct cls_part)];
};

void cls_mask_init(union cls_mask_buf *buf, const struct flow_mask *mask);
/* With one reference. */
struct cls_mask *cls_mask_create(const struct flow_mask *mask);
void cls_mask_ref(struct cls_mask *m);
void cls_mask_unref(struct cls_mask *m);
bool cls_mask_equal(const struct cls_mask *a, const struct cls_mask *b);
uint64_t cls_mask_hash(const struct cls_mask *m);

/* The masked values of a key, m->n words. */
void cls_mask_compact(const struct cls_mask *m, const struct flow_key *key,
		      uint64_t *words);
/* And back; what the mask does not have becomes zero. */
void cls_mask_expand(const struct cls_mask *m, const uint64_t *words,
		     struct flow_key *key);
/* ORs the bits of the first n parts into `looked`. */
void cls_mask_look(const struct cls_mask *m, unsigned n,
		   struct flow_mask *looked);

static inline bool cls_mask_covers(const struct cls_mask *m,
				   const uint64_t *words,
				   const struct flow_key *key)
{
	const uint64_t *k = key_words_const(key);
	uint64_t differ = 0;

	for (unsigned i = 0; i < m->n; i++)
		differ |= (k[m->parts[i].word] & m->parts[i].bits) ^ words[i];
	return !differ;
}

unsigned cls_prefix_width(enum cls_prefix p);
struct prefix_bits cls_prefix_value(enum cls_prefix p,
				    const struct flow_key *key);
/* ORs the first n bits of the field into `looked`. */
void cls_prefix_look(enum cls_prefix p, unsigned n, struct flow_mask *looked);

#endif
