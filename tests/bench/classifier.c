/* SPDX-License-Identifier: Apache-2.0 */
/* How fast and how large is the classifier?
 *
 *   classifier [RULES...]      100000 and 1000000 when none is said
 *
 * For each size and each set of rules, one line a measure, `name value unit`:
 *
 *   ports     in_port, TCP, an address each, one of 64 ports: one mask
 *   stations  in_port and an Ethernet address each: one mask
 *   prefixes  TCP, a prefix of 8 to 32 bits, half with a port: fifty masks
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/rcu.h"
#include "flow/classifier.h"
#include "packet/headers.h"

#define LOOKUPS 1000000u
#define RULES_MAX 10000000ul

static uint64_t seed = 1;

static uint64_t draw(void)
{
	uint64_t z = (seed += 0x9e3779b97f4a7c15ull);

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Every rule has another address, whatever the order they are made in. */
static uint32_t address(unsigned i)
{
	return i * 2654435761u;
}

static void match_tcp(struct match *m)
{
	m->key.eth_type = ETH_TYPE_IP4;
	MASK_SET(&m->mask, eth_type);
	m->key.ip_proto = IP_PROTO_TCP;
	MASK_SET(&m->mask, ip_proto);
}

static unsigned make_ports(struct match *m, unsigned i)
{
	match_tcp(m);
	m->key.in_port = 1 + i % 8;
	MASK_SET(&m->mask, in_port);
	m->key.ip4_dst = address(i);
	MASK_SET(&m->mask, ip4_dst);
	m->key.tp_dst = (uint16_t)(1000 + i % 64);
	MASK_SET(&m->mask, tp_dst);
	return 100;
}

static unsigned make_stations(struct match *m, unsigned i)
{
	m->key.in_port = 1 + i % 8;
	MASK_SET(&m->mask, in_port);
	m->key.eth_dst = eth_addr_from_u64(0x020000000000ull | i);
	MASK_SET(&m->mask, eth_dst);
	return 100;
}

/* Longer prefixes are more, and better. */
static unsigned make_prefixes(struct match *m, unsigned i)
{
	unsigned len = 32 - (unsigned)__builtin_ctz((i >> 1) | 1u << 24);

	match_tcp(m);
	m->mask.bits.ip4_dst = ~0u << (32 - len);
	m->key.ip4_dst = address(i) & m->mask.bits.ip4_dst;
	if (i & 1) {
		m->key.tp_dst = (uint16_t)(1000 + i % 64);
		MASK_SET(&m->mask, tp_dst);
	}
	return len * 2 + (i & 1);
}

static const struct set {
	const char *name;
	unsigned (*make)(struct match *m, unsigned i);
} sets[] = {
	{ "ports", make_ports },
	{ "stations", make_stations },
	{ "prefixes", make_prefixes },
};

static void say(const struct set *set, unsigned n, const char *what,
		double value, const char *unit)
{
	printf("classifier_%s_%u_%s %.0f %s\n", set->name, n, what, value,
	       unit);
	fflush(stdout);
}

static size_t heap_bytes(void)
{
	struct mallinfo2 m;

	rcu_barrier_wait();
	m = mallinfo2();
	return m.uordblks + m.hblkhd;
}

/* Rules with a match that is there already (short prefixes) are left out. */
static unsigned fill(const struct set *set, struct classifier *cls,
		     struct cls_rule **rules, unsigned n)
{
	unsigned put = 0;

	for (unsigned i = 0; i < n; i++) {
		struct match m;
		unsigned priority;

		match_init(&m);
		priority = set->make(&m, i);
		if (classifier_find_exactly(cls, &m, priority))
			continue;
		rules[put] = xmalloc(sizeof(*rules[put]));
		cls_rule_init(rules[put], &m, priority);
		classifier_insert(cls, rules[put++]);
	}
	return put;
}

/* Keys of rules, in random order; `missing` ones are from another in-port or
 * have another address. */
static double lookups(const struct set *set, const struct classifier *cls,
		      unsigned n, bool missing)
{
	enum { KEYS = 4096 };
	struct flow_key *keys = xcalloc(KEYS, sizeof(*keys));
	struct flow_mask looked = { 0 };
	unsigned found = 0;
	double t;

	for (unsigned i = 0; i < KEYS; i++) {
		struct match m;

		match_init(&m);
		set->make(&m, (unsigned)(draw() % n));
		keys[i] = m.key;
		if (missing) {
			keys[i].ip4_dst ^= 0x5a5a5a5au;
			keys[i].eth_dst.b[1] = 1;
		}
	}
	t = now();
	for (unsigned i = 0; i < LOOKUPS; i++)
		found += classifier_lookup(cls, &keys[i % KEYS], &looked) !=
			 NULL;
	t = now() - t;
	must(missing || found);
	free(keys);
	return LOOKUPS / t;
}

static void measure(const struct set *set, unsigned n)
{
	struct cls_rule **rules = xcalloc(n, sizeof(*rules));
	size_t before = heap_bytes();
	struct classifier cls;
	unsigned put;
	double t;

	classifier_init(&cls);
	t = now();
	put = fill(set, &cls, rules, n);
	say(set, n, "insert", put / (now() - t), "rules/s");
	say(set, n, "memory", (double)(heap_bytes() - before) / put,
	    "bytes/rule");
	say(set, n, "hit", lookups(set, &cls, n, false), "lookups/s");
	say(set, n, "miss", lookups(set, &cls, n, true), "lookups/s");
	t = now();
	for (unsigned i = 0; i < put; i++)
		classifier_remove(&cls, rules[i]);
	say(set, n, "remove", put / (now() - t), "rules/s");
	classifier_fini(&cls);
	rcu_barrier_wait();
	for (unsigned i = 0; i < put; i++) {
		cls_rule_fini(rules[i]);
		free(rules[i]);
	}
	free(rules);
}

int main(int argc, char **argv)
{
	static const unsigned usual[] = { 100000, 1000000 };

	rcu_thread_register();
	for (unsigned i = 0; i < ARRAY_SIZE(sets); i++) {
		for (int a = 1; a < argc; a++) {
			unsigned long n = strtoul(argv[a], NULL, 10);

			if (n && n <= RULES_MAX)
				measure(&sets[i], (unsigned)n);
		}
		for (unsigned u = 0; argc == 1 && u < ARRAY_SIZE(usual); u++)
			measure(&sets[i], usual[u]);
	}
	rcu_thread_unregister();
	return 0;
}
