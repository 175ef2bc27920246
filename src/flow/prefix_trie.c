/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/prefix_trie.h"

#define NODE_BITS_MAX 32u
/* info: how often the prefix that ends here was put << 6, bits in the node. */
#define INFO_BITS 0x3fu
#define INFO_ONE 0x40u

struct prefix_node {
	struct prefix_node *edge[2];
	uint32_t prefix; /* leftmost bit first, zeros behind its bits */
	uint32_t info;
	struct rcu_head rcu;
};

static unsigned node_bits(const struct prefix_node *n)
{
	return __atomic_load_n(&n->info, __ATOMIC_RELAXED) & INFO_BITS;
}

static uint32_t node_count(const struct prefix_node *n)
{
	return __atomic_load_n(&n->info, __ATOMIC_RELAXED) / INFO_ONE;
}

static void node_free(struct rcu_head *head)
{
	free(container_of(head, struct prefix_node, rcu));
}

/* The 32 bits from bit `at` on; zeros behind the end. */
static uint32_t bits_at(struct prefix_bits v, unsigned at)
{
	if (at >= 64)
		return at >= 128 ? 0 : (uint32_t)(v.lo << (at - 64) >> 32);
	if (at)
		v.hi = v.hi << at | v.lo >> (64 - at);
	return (uint32_t)(v.hi >> 32);
}

static unsigned bit_at(struct prefix_bits v, unsigned at)
{
	return bits_at(v, at) >> 31;
}

static uint32_t first_bits(uint32_t v, unsigned n)
{
	return n ? v & ~0u << (32 - n) : 0;
}

static unsigned equal_bits(uint32_t a, uint32_t b)
{
	return a == b ? 32 : (unsigned)__builtin_clz(a ^ b);
}

static struct prefix_node *node_create(uint32_t prefix, unsigned n)
{
	struct prefix_node *node = xzalloc(sizeof(*node));

	node->prefix = first_bits(prefix, n);
	node->info = n;
	return node;
}

/* The nodes for bits `at` to `len`; the last one has the prefix. */
static struct prefix_node *branch_create(struct prefix_bits v, unsigned at,
					 unsigned len)
{
	struct prefix_node *top = NULL, **link = &top;

	for (;;) {
		unsigned n = MIN(len - at, NODE_BITS_MAX);

		*link = node_create(bits_at(v, at), n);
		at += n;
		if (at == len)
			break;
		link = &(*link)->edge[bit_at(v, at)];
	}
	(*link)->info += INFO_ONE;
	return top;
}

/* Replaces a node by one for its first `n` bits and one for the rest. */
static void node_split(struct prefix_node **link, unsigned n,
		       struct prefix_bits v, unsigned at, unsigned len)
{
	struct prefix_node *old = *link, *top, *rest;
	unsigned side;

	must(n < node_bits(old) && n < NODE_BITS_MAX);
	top = node_create(old->prefix, n);
	rest = node_create(old->prefix << n, node_bits(old) - n);
	side = rest->prefix >> 31;
	rest->info += old->info & ~INFO_BITS;
	rest->edge[0] = old->edge[0];
	rest->edge[1] = old->edge[1];
	top->edge[side] = rest;
	if (at + n == len)
		top->info += INFO_ONE;
	else
		top->edge[!side] = branch_create(v, at + n, len);
	rcu_publish(*link, top);
	rcu_defer(&old->rcu, node_free);
}

void prefix_trie_put(struct prefix_trie *t, struct prefix_bits v, unsigned len)
{
	struct prefix_node **link = &t->root;
	unsigned at = 0;

	must(len && len <= PREFIX_BITS_MAX);
	while (*link) {
		struct prefix_node *n = *link;
		unsigned same = equal_bits(bits_at(v, at), n->prefix);

		same = MIN(MIN(same, node_bits(n)), len - at);
		if (same < node_bits(n)) {
			node_split(link, same, v, at, len);
			return;
		}
		at += same;
		if (at == len) {
			__atomic_store_n(&n->info, n->info + INFO_ONE,
					 __ATOMIC_RELAXED);
			return;
		}
		link = &n->edge[bit_at(v, at)];
	}
	rcu_publish(*link, branch_create(v, at, len));
}

/* A node with one edge and no prefix becomes one with what is behind it. */
static void node_join(struct prefix_node **link, struct prefix_node *n,
		      struct prefix_node *next)
{
	unsigned bits = node_bits(n), all = bits + node_bits(next);
	struct prefix_node *one;

	if (all > NODE_BITS_MAX)
		return;
	one = node_create(n->prefix | next->prefix >> bits, all);
	one->info += next->info & ~INFO_BITS;
	one->edge[0] = next->edge[0];
	one->edge[1] = next->edge[1];
	rcu_publish(*link, one);
	rcu_defer(&n->rcu, node_free);
	rcu_defer(&next->rcu, node_free);
}

/* True when the node went, and the one above may be of no use now. */
static bool node_prune(struct prefix_node **link)
{
	struct prefix_node *n = *link;

	if (node_count(n) || (n->edge[0] && n->edge[1]))
		return false;
	if (n->edge[0] || n->edge[1]) {
		node_join(link, n, n->edge[0] ? n->edge[0] : n->edge[1]);
		return false;
	}
	rcu_publish(*link, NULL);
	rcu_defer(&n->rcu, node_free);
	return true;
}

void prefix_trie_del(struct prefix_trie *t, struct prefix_bits v, unsigned len)
{
	struct prefix_node **path[PREFIX_BITS_MAX + 2], *n;
	unsigned depth = 0, at = 0;

	path[0] = &t->root;
	for (;;) {
		n = *path[depth];
		must(n);
		at += node_bits(n);
		if (at == len)
			break;
		must(at < len);
		path[++depth] = &n->edge[bit_at(v, at)];
	}
	must(node_count(n));
	__atomic_store_n(&n->info, n->info - INFO_ONE, __ATOMIC_RELAXED);
	while (node_prune(path[depth]) && depth)
		depth--;
}

void prefix_trie_lookup(const struct prefix_trie *t, struct prefix_bits v,
			unsigned width, struct prefix_found *out)
{
	const struct prefix_node *n = rcu_load(t->root), *other;
	unsigned at = 0;

	*out = (struct prefix_found){ { 0 }, 0 };
	while (n) {
		unsigned bits = node_bits(n);
		unsigned same = equal_bits(bits_at(v, at), n->prefix);
		unsigned side;

		if (same < bits) {
			out->n_bits = at + same + 1;
			return;
		}
		at += bits;
		out->n_bits = at;
		if (at && node_count(n))
			out->lens[(at - 1) / 64] |= 1ull << ((at - 1) % 64);
		if (at >= width)
			return;
		side = bit_at(v, at);
		other = rcu_load(n->edge[!side]);
		n = rcu_load(n->edge[side]);
		if (!n && other)
			out->n_bits = at + 1;
	}
}
