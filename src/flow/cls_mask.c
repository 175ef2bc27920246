/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/cls_mask.h"

#include "base/be.h"
#include "base/hash.h"

#define WORD_OF(member) (offsetof(struct flow_key, member) / 8)
#define ALL (~0ull)
#define LOW_48 0xffffffffffffull

/* Stretches of words, and which of their bits are a stage's. */
static const struct span {
	uint8_t first, n, stage;
	uint64_t bits;
} spans[] = {
	{ WORD_OF(in_port), 1, CLS_STAGE_METADATA, ALL },
	{ WORD_OF(tun_id), KEY_WORDS - WORD_OF(tun_id), CLS_STAGE_METADATA,
	  ALL },
	{ WORD_OF(eth_dst), 1, CLS_STAGE_L2, ALL },
	{ WORD_OF(eth_type), 1, CLS_STAGE_L2, LOW_48 },
	{ WORD_OF(vlan), 1, CLS_STAGE_L2, ALL },
	{ WORD_OF(ip_proto), 1, CLS_STAGE_L3, ~LOW_48 },
	{ WORD_OF(ip4_src), 5, CLS_STAGE_L3, ALL },
	{ WORD_OF(ip_tos), 1, CLS_STAGE_L3, LOW_48 },
	{ WORD_OF(arp_op), 1, CLS_STAGE_L3, 0xffffull << 32 },
	{ WORD_OF(arp_sha), 2, CLS_STAGE_L3, ALL },
	{ WORD_OF(mpls), 1, CLS_STAGE_L3, ALL },
	{ WORD_OF(mpls[2]), 1, CLS_STAGE_L3, 0xffffffffull },
	{ WORD_OF(pbb_isid), 4, CLS_STAGE_L3, ALL },
	{ WORD_OF(tcp_flags), 1, CLS_STAGE_L4, ~LOW_48 },
	{ WORD_OF(tp_src), 1, CLS_STAGE_L4, ~(0xffffull << 32) },
	{ WORD_OF(nd_target), 2, CLS_STAGE_L4, ALL },
	{ WORD_OF(igmp_group), 1, CLS_STAGE_L4, ~0xffffffffull },
};

_Static_assert(offsetof(struct flow_key, ip_frag) % 8 == 6 &&
		       offsetof(struct flow_key, tcp_flags) % 8 == 6 &&
		       offsetof(struct flow_key, arp_op) % 8 == 4 &&
		       offsetof(struct flow_key, igmp_group) % 8 == 4 &&
		       WORD_OF(vlan) + 1 == WORD_OF(ip4_src) &&
		       WORD_OF(ip4_src) + 5 == WORD_OF(ip_tos) &&
		       WORD_OF(pbb_isid) + 4 == WORD_OF(tun_id),
	       "the spans are the key's layout");

/* --- prefixes --- */

unsigned cls_prefix_width(enum cls_prefix p)
{
	static const uint8_t widths[CLS_N_PREFIXES] = {
		32, 32, 128, 128, 16, 16
	};

	return widths[p];
}

static struct prefix_bits ip6_bits(const struct ip6_addr *a)
{
	return (struct prefix_bits){ get_be64(a->b), get_be64(a->b + 8) };
}

struct prefix_bits cls_prefix_value(enum cls_prefix p, const struct flow_key *k)
{
	switch (p) {
	case CLS_PREFIX_IP4_SRC:
		return (struct prefix_bits){ (uint64_t)k->ip4_src << 32, 0 };
	case CLS_PREFIX_IP4_DST:
		return (struct prefix_bits){ (uint64_t)k->ip4_dst << 32, 0 };
	case CLS_PREFIX_IP6_SRC:
		return ip6_bits(&k->ip6_src);
	case CLS_PREFIX_IP6_DST:
		return ip6_bits(&k->ip6_dst);
	case CLS_PREFIX_TP_SRC:
		return (struct prefix_bits){ (uint64_t)k->tp_src << 48, 0 };
	case CLS_PREFIX_TP_DST:
		return (struct prefix_bits){ (uint64_t)k->tp_dst << 48, 0 };
	case CLS_N_PREFIXES:
		break;
	}
	must(false);
}

static uint64_t ones(unsigned n)
{
	return n ? ALL << (64 - MIN(n, 64u)) : 0;
}

static void ip6_look(struct ip6_addr *a, unsigned n)
{
	put_be64(a->b, get_be64(a->b) | ones(n));
	put_be64(a->b + 8, get_be64(a->b + 8) | ones(n > 64 ? n - 64 : 0));
}

void cls_prefix_look(enum cls_prefix p, unsigned n, struct flow_mask *looked)
{
	struct flow_key *k = &looked->bits;

	switch (p) {
	case CLS_PREFIX_IP4_SRC:
		k->ip4_src |= (uint32_t)(ones(n) >> 32);
		break;
	case CLS_PREFIX_IP4_DST:
		k->ip4_dst |= (uint32_t)(ones(n) >> 32);
		break;
	case CLS_PREFIX_IP6_SRC:
		ip6_look(&k->ip6_src, n);
		break;
	case CLS_PREFIX_IP6_DST:
		ip6_look(&k->ip6_dst, n);
		break;
	case CLS_PREFIX_TP_SRC:
		k->tp_src = (uint16_t)(k->tp_src | ones(n) >> 48);
		break;
	case CLS_PREFIX_TP_DST:
		k->tp_dst = (uint16_t)(k->tp_dst | ones(n) >> 48);
		break;
	case CLS_N_PREFIXES:
		break;
	}
}

/* How many leading ones, when nothing but zeros is behind them; else 0. */
static uint8_t prefix_len(struct prefix_bits b)
{
	unsigned n = ~b.hi ? (unsigned)__builtin_clzll(~b.hi) : 64;

	if (n == 64)
		n += ~b.lo ? (unsigned)__builtin_clzll(~b.lo) : 64;
	if (b.hi != ones(n) || b.lo != ones(n > 64 ? n - 64 : 0))
		return 0;
	return (uint8_t)n;
}

/* --- masks --- */

void cls_mask_init(union cls_mask_buf *buf, const struct flow_mask *mask)
{
	const uint64_t *w = key_words_const(&mask->bits);
	struct cls_mask *m = &buf->m;
	unsigned n = 0;

	memset(m, 0, sizeof(*m));
	m->refs = 1;
	for (unsigned s = 0; s < ARRAY_SIZE(spans); s++) {
		for (unsigned i = 0; i < spans[s].n; i++) {
			unsigned word = spans[s].first + i;
			uint64_t bits = w[word] & spans[s].bits;

			if (bits)
				m->parts[n++] = (struct cls_part){ bits, word };
		}
		m->end[spans[s].stage] = (uint8_t)n;
	}
	m->n = (uint8_t)n;
	for (unsigned p = 0; p < CLS_N_PREFIXES; p++) {
		m->prefix_len[p] = prefix_len(
			cls_prefix_value((enum cls_prefix)p, &mask->bits));
		if (m->prefix_len[p])
			m->prefixes |= (uint8_t)(1u << p);
	}
}

static size_t mask_bytes(const struct cls_mask *m)
{
	return sizeof(*m) + m->n * sizeof(m->parts[0]);
}

struct cls_mask *cls_mask_create(const struct flow_mask *mask)
{
	union cls_mask_buf buf;

	cls_mask_init(&buf, mask);
	return xmemdup(&buf.m, mask_bytes(&buf.m));
}

void cls_mask_ref(struct cls_mask *m)
{
	__atomic_add_fetch(&m->refs, 1, __ATOMIC_RELAXED);
}

void cls_mask_unref(struct cls_mask *m)
{
	if (m && !__atomic_sub_fetch(&m->refs, 1, __ATOMIC_ACQ_REL))
		free(m);
}

bool cls_mask_equal(const struct cls_mask *a, const struct cls_mask *b)
{
	return a->n == b->n &&
	       !memcmp(a->parts, b->parts, a->n * sizeof(a->parts[0]));
}

uint64_t cls_mask_hash(const struct cls_mask *m)
{
	return hash_bytes(m->parts, m->n * sizeof(m->parts[0]), 0);
}

void cls_mask_compact(const struct cls_mask *m, const struct flow_key *key,
		      uint64_t *words)
{
	const uint64_t *k = key_words_const(key);

	for (unsigned i = 0; i < m->n; i++)
		words[i] = k[m->parts[i].word] & m->parts[i].bits;
}

void cls_mask_expand(const struct cls_mask *m, const uint64_t *words,
		     struct flow_key *key)
{
	uint64_t *k = key_words(key);

	memset(key, 0, sizeof(*key));
	for (unsigned i = 0; i < m->n; i++)
		k[m->parts[i].word] |= words[i];
}

void cls_mask_look(const struct cls_mask *m, unsigned n,
		   struct flow_mask *looked)
{
	uint64_t *w = key_words(&looked->bits);

	for (unsigned i = 0; i < n; i++)
		w[m->parts[i].word] |= m->parts[i].bits;
}
