/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of OpenFlow against a linear evaluation that is too simple to be wrong:
 * each rule is tried, each action is done on a plain copy of the key. */
#include "pipeline/test_net.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "flow/match.h"

#define NETS 150u
#define RULES 40u
#define TABLES 5u
#define KEYS 200u
#define SENT_MAX 256u

static uint64_t seed;

static unsigned below(unsigned n)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (unsigned)(seed >> 33) % n;
}

/* What left: where, and what it was then. */
struct sent {
	unsigned n;
	struct {
		uint32_t port, ip_dst;
		uint16_t tcp_dst;
	} v[SENT_MAX];
};

static void send(struct sent *s, uint32_t port, const struct flow_key *k)
{
	must(s->n < SENT_MAX);
	s->v[s->n].port = port;
	s->v[s->n].ip_dst = k->ip4_dst;
	s->v[s->n++].tcp_dst = k->tp_dst;
}

/* --- the oracle --- */

struct plain {
	unsigned n;
	struct flow_rule *v[RULES];
	struct match m[RULES];
};

static void evaluate(const struct plain *p, unsigned table, struct flow_key *k,
		     struct sent *out);

static void act(const struct plain *p, const struct of_act *a,
		struct flow_key *k, struct sent *out)
{
	const struct of_act_output *o = (const void *)a;
	const struct of_act_int *v = (const void *)a;
	const struct of_act_tp *tp = (const void *)a;
	const struct of_act_resubmit *re = (const void *)a;
	const struct of_act_metadata *md = (const void *)a;
	const struct of_act_set *set = (const void *)a;

	switch (a->kind) {
	case OFA_OUTPUT:
		if (o->port != k->in_port)
			send(out, o->port, k);
		break;
	case OFA_SET_FIELD:
		k->reg[set->field - FIELD_REG0] =
			(uint32_t)field_to_u64(&set->value);
		break;
	case OFA_SET_TP_DST:
		k->tp_dst = tp->v;
		break;
	case OFA_SET_IP4_DST:
		k->ip4_dst = (uint32_t)v->v;
		break;
	case OFA_RESUBMIT:
		evaluate(p, re->table, k, out);
		break;
	case OFA_WRITE_METADATA:
		k->metadata =
			(k->metadata & ~md->mask) | (md->value & md->mask);
		break;
	case OFA_GOTO_TABLE:
		evaluate(p, (unsigned)v->v, k, out);
		break;
	default:
		fail_msg("the generator makes no such action");
	}
}

static void evaluate(const struct plain *p, unsigned table, struct flow_key *k,
		     struct sent *out)
{
	const struct flow_rule *best = NULL;

	for (unsigned i = 0; i < p->n; i++)
		if (p->v[i]->table == table && match_covers(&p->m[i], k) &&
		    (!best || p->v[i]->cls.priority > best->cls.priority))
			best = p->v[i];
	if (!best)
		return;
	of_act_for_each(a, flow_rule_acts(best))
		act(p, a, k, out);
}

/* --- the verdict, read --- */

static void read_verdict(const struct verdict *v, struct flow_key k,
			 struct sent *out)
{
	act_list_for_each(a, acts_list(&v->actions)) {
		const struct act_port *o = (const void *)a;
		const struct act_set *set = (const void *)a;
		const uint8_t *value = (const uint8_t *)(set + 1);

		if (a->op == ACT_OUTPUT)
			send(out, o->port, &k);
		else if (a->op == ACT_SET_FIELD)
			field_set_masked(&k, (enum field_id)set->field, value,
					 value + ROUND_UP(set->n, 8));
		else
			assert_int_equal(a->op, ACT_DROP);
	}
}

/* --- chance --- */

static void random_match(char *text, size_t len)
{
	switch (below(7)) {
	case 0:
		snprintf(text, len, "in_port=%u,", 1 + below(4));
		break;
	case 1:
		snprintf(text, len, "tcp,tp_dst=%u/0x3,", below(4));
		break;
	case 2:
		snprintf(text, len, "tcp,tp_dst=%u,", below(8));
		break;
	case 3:
		snprintf(text, len, "ip,nw_dst=10.0.%u.0/%u,", below(4),
			 22 + below(3));
		break;
	case 4:
		snprintf(text, len, "reg0=%u,", below(3));
		break;
	case 5:
		snprintf(text, len, "metadata=%u/0x1,reg1=%u,", below(2),
			 below(3));
		break;
	default:
		*text = '\0';
	}
}

/* Tables lead on to higher ones only: the oracle knows no limit. */
static void random_acts(char *text, size_t len, unsigned table)
{
	static const char *const edits[] = {
		"load:1->NXM_NX_REG0[],",
		"load:2->NXM_NX_REG1[],",
		"mod_tp_dst:3,",
		"mod_nw_dst:10.0.2.1,",
		"output:2,",
		"output:3,",
		"output:1,",
		"",
	};
	size_t at = 0;

	for (unsigned i = below(4); i; i--)
		at += (size_t)snprintf(text + at, len - at, "%s",
				       edits[below(ARRAY_SIZE(edits))]);
	if (table + 1 < TABLES && below(2))
		at += (size_t)snprintf(text + at, len - at, "resubmit(,%u),",
				       table + 1 + below(TABLES - table - 1));
	at += (size_t)snprintf(text + at, len - at, "output:4");
	if (below(3) == 0)
		at += (size_t)snprintf(text + at, len - at,
				       ",write_metadata:%u/0x3", below(4));
	if (table + 1 < TABLES && below(2))
		snprintf(text + at, len - at, ",goto_table:%u",
			 table + 1 + below(TABLES - table - 1));
}

static struct net *random_tables(struct plain *p)
{
	struct net *n = net_create();
	struct snap_bridge *b = net_bridge(n, false);
	char match[128], acts[256], text[512];

	net_domain(n, b, 0, 0);
	for (uint32_t i = 1; i <= 4; i++)
		net_port(n, i, b, "");
	p->n = 0;
	for (unsigned i = 0; i < RULES; i++) {
		unsigned table = below(TABLES);

		random_match(match, sizeof(match));
		random_acts(acts, sizeof(acts), table);
		snprintf(text, sizeof(text),
			 "table=%u,priority=%u,%sactions=%s", table, i + 1,
			 match, acts);
		p->v[p->n] = net_flow(n, b, text);
		cls_rule_match(&p->v[p->n]->cls, &p->m[p->n]);
		p->n++;
	}
	net_freeze(n);
	return n;
}

static void assert_agree(const struct sent *a, const struct sent *b)
{
	assert_int_equal(a->n, b->n);
	for (unsigned i = 0; i < a->n; i++) {
		assert_int_equal(a->v[i].port, b->v[i].port);
		assert_int_equal(a->v[i].ip_dst, b->v[i].ip_dst);
		assert_int_equal(a->v[i].tcp_dst, b->v[i].tcp_dst);
	}
}

static void tables_do_what_a_linear_reading_does(void **state UNUSED)
{
	struct plain *p = xmalloc(sizeof(*p));
	unsigned n_sent = 0;

	seed = 4711;
	for (unsigned i = 0; i < NETS; i++) {
		struct net *n = random_tables(p);

		for (unsigned k = 0; k < KEYS; k++) {
			struct sent want = { 0 }, got = { 0 };
			struct flow_key key, copy;
			char text[128];

			snprintf(text, sizeof(text),
				 "in_port=%u,tcp,nw_dst=10.0.%u.%u,tp_dst=%u",
				 1 + below(4), below(4), below(3), below(8));
			key = copy = net_key(text);
			pipeline_translate(n->s, &key, &n->v, NULL);
			read_verdict(&n->v, key, &got);
			evaluate(p, 0, &copy, &want);
			assert_agree(&want, &got);
			n_sent += got.n;
		}
		net_destroy(n);
	}
	assert_true(n_sent > NETS * KEYS); /* or it proved nothing */
	free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tables_do_what_a_linear_reading_does),
	};

	return cmocka_run_group_tests(tests, net_enter, net_leave);
}
