/* SPDX-License-Identifier: Apache-2.0 */
#include "l3/lpm.h"

/* An address or prefix, left-aligned in 128 bits; IPv4 in the first 32. */
struct bits {
	uint64_t hi, lo;
};

/* A node stands for a prefix: one of the set (has_value), or the fork where two
 * of the set part, or both. Children extend it by a 0 or a 1 at least. */
struct lpm_node {
	struct bits prefix;
	uint32_t child[2]; /* index in nodes; 0: none */
	uint32_t value;
	uint8_t len;
	bool has_value;
};

/* nodes[0] is not used, so that 0 can say "none". */
struct lpm_trie {
	struct lpm_node *nodes;
	uint32_t n, root;
};

struct lpm {
	struct lpm_trie v4, v6;
};

static struct bits bits_of_ip4(uint32_t a)
{
	return (struct bits){ .hi = (uint64_t)a << 32 };
}

static struct bits bits_of_ip6(struct ip6_addr a)
{
	uint64_t w[2];

	memcpy(w, a.b, sizeof(w));
	return (struct bits){ __builtin_bswap64(w[0]),
			      __builtin_bswap64(w[1]) };
}

static struct bits bits_of(const struct ip_addr *a)
{
	return ip_addr_is_ip4(a) ? bits_of_ip4(ip_addr_ip4(a)) :
				   bits_of_ip6(a->a);
}

static unsigned bit_at(struct bits b, unsigned i)
{
	return i < 64 ? b.hi >> (63 - i) & 1 : b.lo >> (127 - i) & 1;
}

/* How many leading bits are equal; 128 when all. */
static unsigned bits_common(struct bits a, struct bits b)
{
	uint64_t hi = a.hi ^ b.hi, lo = a.lo ^ b.lo;

	if (hi)
		return (unsigned)__builtin_clzll(hi);
	return lo ? 64 + (unsigned)__builtin_clzll(lo) : 128;
}

static struct bits bits_cut(struct bits b, unsigned len)
{
	uint64_t hi = len >= 64 ? UINT64_MAX : ~(UINT64_MAX >> len);
	uint64_t lo = len >= 128 ? UINT64_MAX :
		      len <= 64  ? 0 :
				   ~(UINT64_MAX >> (len - 64));

	return (struct bits){ b.hi & hi, b.lo & lo };
}

/* --- building ------------------------------------------------------------ */

static void trie_init(struct lpm_trie *t, size_t n_entries)
{
	/* A leaf and a fork for each, and the one that is not used. */
	t->nodes = xcalloc(2 * n_entries + 1, sizeof(*t->nodes));
	t->n = 1;
}

static uint32_t trie_add(struct lpm_trie *t, struct bits prefix, unsigned len)
{
	t->nodes[t->n] = (struct lpm_node){
		.prefix = bits_cut(prefix, len),
		.len = (uint8_t)len,
	};
	return t->n++;
}

static uint32_t trie_add_leaf(struct lpm_trie *t, struct bits prefix,
			      unsigned len, uint32_t value)
{
	uint32_t leaf = trie_add(t, prefix, len);

	t->nodes[leaf].value = value;
	t->nodes[leaf].has_value = true;
	return leaf;
}

/* Puts what `link` leads to below a new node for the first `len` bits of
 * `prefix`, which is returned. */
static struct lpm_node *trie_split(struct lpm_trie *t, uint32_t *link,
				   struct bits prefix, unsigned len)
{
	uint32_t below = *link;
	struct lpm_node *above;

	*link = trie_add(t, prefix, len);
	above = &t->nodes[*link];
	above->child[bit_at(t->nodes[below].prefix, len)] = below;
	return above;
}

static void trie_put(struct lpm_trie *t, struct bits prefix, unsigned len,
		     uint32_t value)
{
	uint32_t *link = &t->root;
	struct lpm_node *node;

	for (; *link; link = &node->child[bit_at(prefix, node->len)]) {
		unsigned common;

		node = &t->nodes[*link];
		common = MIN(bits_common(prefix, node->prefix), len);
		if (common < node->len)
			node = trie_split(t, link, prefix, common);
		if (node->len == len) {
			node->value = value;
			node->has_value = true;
			return;
		}
	}
	*link = trie_add_leaf(t, prefix, len, value);
}

static void trie_shrink(struct lpm_trie *t)
{
	t->nodes = xrealloc(t->nodes, t->n * sizeof(*t->nodes));
}

struct lpm *lpm_build(const struct lpm_entry *entries, size_t n)
{
	struct lpm *l = xzalloc(sizeof(*l));
	size_t n4 = 0;

	must(n <= LPM_MAX_ENTRIES);
	for (size_t i = 0; i < n; i++)
		n4 += ip_addr_is_ip4(&entries[i].prefix.addr);
	trie_init(&l->v4, n4);
	trie_init(&l->v6, n - n4);
	for (size_t i = 0; i < n; i++) {
		const struct lpm_entry *e = &entries[i];
		bool is_ip4 = ip_addr_is_ip4(&e->prefix.addr);

		must(e->prefix.len <= (is_ip4 ? 32 : 128));
		trie_put(is_ip4 ? &l->v4 : &l->v6, bits_of(&e->prefix.addr),
			 e->prefix.len, e->value);
	}
	trie_shrink(&l->v4);
	trie_shrink(&l->v6);
	return l;
}

void lpm_destroy(struct lpm *l)
{
	if (!l)
		return;
	free(l->v4.nodes);
	free(l->v6.nodes);
	free(l);
}

size_t lpm_bytes(const struct lpm *l)
{
	return sizeof(*l) +
	       (l->v4.n + (size_t)l->v6.n) * sizeof(struct lpm_node);
}

/* --- finding ------------------------------------------------------------- */

static struct lpm_found trie_find(const struct lpm_trie *t, struct bits addr)
{
	struct lpm_found f = { 0 };

	for (uint32_t at = t->root; at;) {
		const struct lpm_node *node = &t->nodes[at];
		unsigned common = bits_common(addr, node->prefix);

		if (common < node->len) {
			/* The bit that differs decided. */
			f.bits = (uint8_t)(common + 1);
			break;
		}
		f.bits = node->len;
		if (node->has_value) {
			f.found = true;
			f.prefix_len = node->len;
			f.value = node->value;
		}
		if (!node->child[0] && !node->child[1])
			break;
		f.bits++;
		at = node->child[bit_at(addr, node->len)];
	}
	return f;
}

struct lpm_found lpm_find4(const struct lpm *l, uint32_t addr)
{
	return trie_find(&l->v4, bits_of_ip4(addr));
}

struct lpm_found lpm_find6(const struct lpm *l, struct ip6_addr addr)
{
	return trie_find(&l->v6, bits_of_ip6(addr));
}

struct lpm_found lpm_find(const struct lpm *l, const struct ip_addr *addr)
{
	return ip_addr_is_ip4(addr) ? lpm_find4(l, ip_addr_ip4(addr)) :
				      lpm_find6(l, addr->a);
}
