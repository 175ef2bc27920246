/* SPDX-License-Identifier: Apache-2.0 */
/* A rule edits and then says normal: that must be what a bridge without rules
 * does with the packet that the edits make of it. The interpreter edits the real
 * packet; the pipeline, which has the key only, must come to the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "base/err.h"
#include "flow/extract.h"
#include "flow/interp.h"
#include "pipeline/test_random.h"

#define SEED 77ull
#define NETS 40u
#define PACKETS_A_NET 500u
#define PORTS 9u

static const char *const edits[] = {
	"pop_vlan",
	"pop_vlan",
	"push_vlan(tpid=0x8100,vid=10,pcp=3)",
	"push_vlan(tpid=0x8100,vid=20,pcp=0)",
	"push_vlan(tpid=0x88a8,vid=30,pcp=0)",
	"set(vlan_vid=20)",
	"set(vlan_tci=0x0)",
	"set(vlan_tci=0x301e)",
	"set(vlan_tci=0x000a/0x0fff)",
	"set(vlan_tpid=0x88a8)",
	"set_eth(dst=02:00:00:00:fe:00,src=02:00:00:00:00:03)",
	"set(eth_dst=ff:ff:ff:ff:ff:ff)",
	"set(eth_dst=02:00:00:00:00:01)",
	"set(eth_src=00:00:00:00:00:02/00:00:00:00:00:0f)",
	"dec_ttl",
	"set(ip_ttl=1)",
	"set(ip_dst=10.2.0.3)",
	"set(ip_src=0.0.0.0/127.0.0.0)",
	"set(ipv6_dst=2001:db8:2::3)",
	"set(arp_op=1)",
	"set(arp_tpa=10.1.0.1)",
	"set(arp_spa=10.1.0.3)",
	"set(nd_target=2001:db8:1::1)",
	"set(icmpv6_type=135)",
	"set(tcp_dst=99)",
};

/* What came of the packet. */
struct outcome {
	bool is_sent;
	struct flow_key key;
};

static void take_output(void *ctx, struct packet *p, uint32_t port UNUSED)
{
	struct outcome *o = ctx;

	o->is_sent = true;
	flow_key_init(&o->key);
	(void)flow_extract(p, &o->key);
	packet_free(p);
}

static void take_punt(void *ctx UNUSED, const struct packet *p UNUSED,
		      const struct act_punt *a UNUSED)
{
}

static bool pass_meter(void *ctx UNUSED, uint32_t id UNUSED,
		       const struct packet *p UNUSED)
{
	return true;
}

static void take_drop(void *ctx UNUSED, const struct packet *p UNUSED,
		      enum drop reason UNUSED)
{
}

static uint32_t no_random(void *ctx UNUSED)
{
	return 0;
}

static const struct interp_ops ops = {
	.output = take_output,
	.punt = take_punt,
	.meter = pass_meter,
	.drop = take_drop,
	.random = no_random,
};

/* Takes p. */
static struct outcome edited(struct random *r, struct packet *p,
			     const struct acts *list)
{
	struct outcome o = { .is_sent = false };
	struct interp in = { &ops, &o, r->pool };
	struct acts *with_output = xmalloc(sizeof(*with_output));

	acts_clear(with_output);
	acts_append(with_output, acts_list(list));
	acts_output(with_output, 1);
	interp_run(&in, p, acts_list(with_output));
	free(with_output);
	return o;
}

static void random_edits(struct random *r, struct acts *list, struct str *text)
{
	struct err e = ERR_INIT;

	str_clear(text);
	for (unsigned i = 1 + random_below(r, 3); i; i--)
		str_addf(text, "%s%s", text->len ? "," : "",
			 edits[random_below(r, ARRAY_SIZE(edits))]);
	acts_clear(list);
	assert_int_equal(acts_parse(str_text(text), NULL, list, &e), 0);
}

/* The edits, and what a bridge without rules does then. */
static void add_expected(struct net *n, const struct flow_key *key,
			 struct acts *list, struct verdict *v)
{
	pipeline_translate(n->s, key, v, NULL);
	acts_append(list, acts_list(&v->actions));
}

static void assert_same_effects(const struct verdict *ruled,
				const struct verdict *plain)
{
	/* The first is the rule's count. */
	assert_int_equal(ruled->n_effects, plain->n_effects + 1);
	assert_memory_equal(ruled->effects + 1, plain->effects,
			    plain->n_effects * sizeof(plain->effects[0]));
}

struct scratch {
	struct acts list;
	struct verdict v;
	struct str text;
};

/* True when there was something to compare. */
static bool check_packet(struct random *r, struct net *n, struct scratch *s)
{
	struct packet *p = random_packet(r);
	struct snap_bridge *b;
	struct outcome o;
	struct flow_key key;
	char *rule;

	p->in_port = 1 + random_below(r, PORTS);
	b = n->s->ports[p->in_port]->bridge;
	random_edits(r, &s->list, &s->text);
	flow_key_init(&key);
	(void)flow_extract(p, &key);
	o = edited(r, p, &s->list);
	if (!o.is_sent)
		return false;
	add_expected(n, &o.key, &s->list, &s->v);
	rule = xasprintf("actions=%s,normal", str_text(&s->text));
	net_rule(n, b, rule);
	free(rule);
	pipeline_translate(n->s, &key, &n->v, NULL);
	rule_table_destroy(b->rules);
	b->rules = NULL;
	if (n->v.drop == DROP_UNSUPPORTED)
		return false;
	if (!act_list_equal(acts_list(&n->v.actions), acts_list(&s->list))) {
		print_error("%s\n", net_actions(n));
		str_clear(&s->text);
		key_format(&key, &s->text);
		str_add(&s->text, "\n");
		acts_format(acts_list(&s->list), NULL, &s->text);
		fail_msg("is not what should come of\n%s", str_text(&s->text));
	}
	assert_same_effects(&n->v, &s->v);
	return true;
}

static void
normal_does_with_an_edited_packet_what_it_does_with_any(void **state UNUSED)
{
	struct scratch *s = xzalloc(sizeof(*s));
	unsigned n_checked = 0;
	struct random r;

	random_init(&r, SEED);
	for (unsigned k = 0; k < NETS; k++) {
		struct net *n = random_net(&r);

		for (unsigned i = 0; i < n->s->n_bridges; i++) {
			rule_table_destroy(n->s->bridges[i]->rules);
			n->s->bridges[i]->rules = NULL;
			flows_destroy(n->s->bridges[i]->flows);
			n->s->bridges[i]->flows = NULL;
		}
		for (unsigned i = 0; i < PACKETS_A_NET; i++) {
			random_learning(&r, n);
			n_checked += check_packet(&r, n, s);
			rcu_quiescent();
		}
		net_destroy(n);
	}
	/* Edits that do not fit the packet drop it: not too often. */
	assert_in_range(n_checked, NETS * PACKETS_A_NET / 4,
			NETS * PACKETS_A_NET);
	random_fini(&r);
	str_fini(&s->text);
	free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			normal_does_with_an_edited_packet_what_it_does_with_any),
	};

	return cmocka_run_group_tests(tests, net_enter, net_leave);
}
