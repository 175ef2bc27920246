/* SPDX-License-Identifier: Apache-2.0 */
/* What a cache relies on: a verdict holds for every packet equal under its mask,
 * for as long as its dependencies stand. WEFT_PAIRS asks for more pairs. */
#include "pipeline/test_random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "base/err.h"
#include "flow/match.h"

#define PAIRS 400000u
#define PAIRS_A_KEY 4u
#define KEYS_A_NET 1000u
#define SEED 20260101ull
#define KEPT 40u /* flows a network */
#define CHANGES 200u

static unsigned n_pairs(void)
{
	const char *text = getenv("WEFT_PAIRS");

	return text ? (unsigned)strtoul(text, NULL, 10) : PAIRS;
}

/* --- what differs --- */

/* Of two keys with one verdict the classifier may look at different bits. */
static bool has_rules(const struct net *n, const struct flow_key *k)
{
	const struct snap_port *p = snapshot_port(n->s, k->in_port);

	return p && p->bridge && (p->bridge->rules || p->bridge->flows);
}

static const char *difference(const struct verdict *a, const struct verdict *b)
{
	if (!act_list_equal(acts_list(&a->actions), acts_list(&b->actions)))
		return "actions";
	if (a->n_effects != b->n_effects ||
	    memcmp(a->effects, b->effects, a->n_effects * sizeof(*a->effects)))
		return "effects";
	if (a->n_deps != b->n_deps ||
	    memcmp(a->deps, b->deps, a->n_deps * sizeof(*a->deps)))
		return "dependencies";
	if (a->cacheable != b->cacheable || a->drop != b->drop)
		return "outcome";
	return NULL;
}

static void show(const char *what, const struct flow_key *k,
		 const struct verdict *v)
{
	struct match m = { *k, v->mask };
	struct str text = STR_INIT;

	key_apply_mask(k, &v->mask, &m.key);
	str_addf(&text, "%s: ", what);
	key_format(k, &text);
	str_add(&text, "\n  looked at ");
	match_format(&m, &text);
	str_add(&text, "\n  ");
	acts_format(acts_list(&v->actions), NULL, &text);
	print_error("%s\n", str_text(&text));
	str_fini(&text);
}

static void assert_same(const struct flow_key *ka, const struct verdict *a,
			const struct flow_key *kb, const struct verdict *b,
			bool same_mask)
{
	const char *what = difference(a, b);

	if (same_mask && !mask_equal(&a->mask, &b->mask))
		what = "mask";
	if (!what)
		return;
	show("first", ka, a);
	show("other", kb, b);
	fail_msg("the %s differ", what);
}

/* --- packets equal under the mask --- */

/* Another packet's bits wherever nothing was looked at, or a few of them turned;
 * not only what extraction could give. */
static void disguise(struct random *r, const struct flow_key *key,
		     const struct flow_mask *mask, struct flow_key *out)
{
	const uint64_t *bits = key_words_const(&mask->bits);
	const uint64_t *k = key_words_const(key);

	if (random_below(r, 2)) {
		random_key(r, out);
	} else {
		*out = *key;
		for (unsigned i = 0; i < 16; i++)
			key_words(out)[random_below(r, KEY_PACKET_WORDS)] ^=
				1ull << random_below(r, 64);
	}
	for (unsigned i = 0; i < KEY_WORDS; i++)
		key_words(out)[i] =
			(k[i] & bits[i]) | (key_words(out)[i] & ~bits[i]);
}

static void check_key(struct random *r, struct net *n, struct verdict *other)
{
	struct flow_key key, twin;
	struct err e = ERR_INIT;

	random_key(r, &key);
	pipeline_translate(n->s, &key, &n->v, NULL);
	assert_true(n->v.actions.len > 0);
	assert_int_equal(acts_check(acts_list(&n->v.actions), false, &e), 0);
	for (unsigned i = 0; i < PAIRS_A_KEY; i++) {
		disguise(r, &key, &n->v.mask, &twin);
		pipeline_translate(n->s, &twin, other, NULL);
		assert_same(&key, &n->v, &twin, other, !has_rules(n, &key));
	}
}

static void packets_equal_where_it_looked_have_one_verdict(void **state UNUSED)
{
	struct verdict *other = xmalloc(sizeof(*other));
	struct random r;

	random_init(&r, SEED);
	for (unsigned done = 0; done < n_pairs();) {
		struct net *n = random_net(&r);

		for (unsigned i = 0; i < KEYS_A_NET; i++) {
			if (i % 2)
				random_learning(&r, n);
			check_key(&r, n, other);
		}
		done += KEYS_A_NET * PAIRS_A_KEY;
		net_destroy(n);
	}
	random_fini(&r);
	free(other);
}

/* --- dependencies --- */

/* A flow as a cache keeps it. */
struct kept {
	struct flow_key key;
	struct verdict v;
};

static struct kept *keep(struct random *r, struct net *n)
{
	struct kept *k = xmalloc(sizeof(*k));

	random_key(r, &k->key);
	pipeline_translate(n->s, &k->key, &k->v, NULL);
	return k;
}

/* Whatever was learned meanwhile: a verdict that counts as fresh is right. */
static unsigned check_kept(struct random *r, struct net *n, struct kept **kept,
			   unsigned n_kept)
{
	unsigned n_stale = 0;

	for (unsigned i = 0; i < n_kept; i++) {
		struct kept *k = kept[i];

		if (k->v.cacheable && net_is_fresh(n, &k->v)) {
			pipeline_translate(n->s, &k->key, &n->v, NULL);
			assert_same(&k->key, &k->v, &k->key, &n->v, true);
			continue;
		}
		n_stale++;
		free(k);
		kept[i] = keep(r, n);
	}
	return n_stale;
}

static void a_verdict_is_right_while_its_dependencies_stand(void **state UNUSED)
{
	struct kept *kept[KEPT];
	unsigned n_stale = 0;
	struct random r;

	random_init(&r, SEED + 1);
	for (unsigned done = 0; done < n_pairs(); done += KEPT * CHANGES) {
		struct net *n = random_net(&r);

		for (unsigned i = 0; i < KEPT; i++)
			kept[i] = keep(&r, n);
		for (unsigned i = 0; i < CHANGES; i++) {
			random_learning(&r, n);
			n_stale += check_kept(&r, n, kept, KEPT);
		}
		for (unsigned i = 0; i < KEPT; i++)
			free(kept[i]);
		net_destroy(n);
	}
	/* Most changes concern few flows: freshness is worth something. */
	assert_in_range(n_stale, n_pairs() / 1000, n_pairs() / 10);
	random_fini(&r);
}

/* --- the other ways in --- */

static void no_step(struct trace *t UNUSED, const struct trace_step *step)
{
	assert_non_null(step->object);
	assert_non_null(step->text);
}

/* Explain has to say what forwarding does. */
static void to_be_asked_why_changes_nothing(void **state UNUSED)
{
	struct verdict *other = xmalloc(sizeof(*other));
	struct trace trace = { .step = no_step };
	struct flow_key key;
	struct random r;

	random_init(&r, SEED + 2);
	for (unsigned done = 0; done < n_pairs() / 16; done += KEYS_A_NET) {
		struct net *n = random_net(&r);

		for (unsigned i = 0; i < KEYS_A_NET; i++) {
			random_learning(&r, n);
			random_key(&r, &key);
			pipeline_translate(n->s, &key, &n->v, NULL);
			pipeline_translate(n->s, &key, other, &trace);
			assert_same(&key, &n->v, &key, other, true);
		}
		net_destroy(n);
	}
	random_fini(&r);
	free(other);
}

/* What people and tools read of a cached flow: all of it, but for fields that no
 * packet of the type has. */
static void check_text(const struct flow_key *key, const struct verdict *v)
{
	struct match m = { .mask = v->mask }, again;
	const uint64_t *mask = key_words_const(&m.mask.bits);
	struct str text = STR_INIT;
	struct err e = ERR_INIT;

	m.mask.bits.vlan[1].tpid = 0; /* no field has it */
	key_apply_mask(key, &m.mask, &m.key);
	match_format(&m, &text);
	if (match_parse(str_text(&text), &again, &e))
		fail_msg("%s: %s", str_text(&text), e.text);
	for (unsigned i = 0; i < KEY_WORDS; i++) {
		uint64_t read = key_words_const(&again.mask.bits)[i];
		uint64_t k = key_words_const(key)[i];

		if (k & mask[i] & ~read ||
		    (k ^ key_words(&again.key)[i]) & read)
			show("not all of it is told", key, v);
		assert_int_equal(k & mask[i] & ~read, 0);
		assert_int_equal((k ^ key_words(&again.key)[i]) & read, 0);
	}
	str_fini(&text);
}

static void the_text_of_a_mask_tells_all_of_it(void **state UNUSED)
{
	struct flow_key key;
	struct random r;

	random_init(&r, SEED + 4);
	for (unsigned done = 0; done < n_pairs() / 32; done += KEYS_A_NET) {
		struct net *n = random_net(&r);

		for (unsigned i = 0; i < KEYS_A_NET; i++) {
			random_learning(&r, n);
			random_key(&r, &key);
			pipeline_translate(n->s, &key, &n->v, NULL);
			check_text(&key, &n->v);
		}
		net_destroy(n);
	}
	random_fini(&r);
}

/* One of each, with numbers that may be nobody's. */
static void start_here(struct random *r, struct net *n, unsigned kind)
{
	struct ip_addr hop =
		net_ip(random_below(r, 2) ? "10.1.0.3" : "2001:db8:2::4");
	struct flow_key key;

	random_key(r, &key);
	if (kind == 0)
		pipeline_originate(n->s, random_below(r, NET_DOMAINS), &key,
				   &n->v, NULL);
	else if (kind == 1)
		pipeline_route_own(n->s, random_below(r, NET_ROUTERS), &key,
				   &n->v, NULL);
	else
		pipeline_resume(n->s, random_below(r, NET_IFACES), &hop, &key,
				&n->v);
}

static void what_starts_here_runs_too(void **state UNUSED)
{
	struct err e = ERR_INIT;
	struct random r;

	random_init(&r, SEED + 3);
	for (unsigned done = 0; done < n_pairs() / 16; done += KEYS_A_NET) {
		struct net *n = random_net(&r);

		for (unsigned i = 0; i < KEYS_A_NET; i++) {
			random_learning(&r, n);
			start_here(&r, n, i % 3);
			assert_true(n->v.actions.len > 0);
			assert_int_equal(
				acts_check(acts_list(&n->v.actions), false, &e),
				0);
		}
		net_destroy(n);
	}
	random_fini(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			packets_equal_where_it_looked_have_one_verdict),
		cmocka_unit_test(
			a_verdict_is_right_while_its_dependencies_stand),
		cmocka_unit_test(to_be_asked_why_changes_nothing),
		cmocka_unit_test(the_text_of_a_mask_tells_all_of_it),
		cmocka_unit_test(what_starts_here_runs_too),
	};

	return cmocka_run_group_tests(tests, net_enter, net_leave);
}
