/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a message about flows: what decodes is written again, and the
 * second reading equals the first. */
#include "ofwire/acts_text.h"
#include "ofwire/flow.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct of_msg reopened(const struct of_out *o)
{
	struct of_msg m;

	must(of_msg_open(o->b, o->len, &m) == OF_OK);
	return m;
}

static bool same_acts(const struct of_acts *a, const struct of_acts *b)
{
	return of_act_list_equal(of_acts_list(a), of_acts_list(b));
}

/* Several ways to say a thing become one by the first writing. */
static void check_flow_mod(const struct of_msg *m, struct of_out *o,
			   uint8_t version)
{
	struct of_dialect d = { .version = m->h.version,
				.nxm = m->family == OF_FAMILY_NX,
				.table_id = true };
	struct of_dialect to = { version, true, true };
	struct of_flow_mod a, b, c;
	struct str text = STR_INIT;
	struct of_msg again;

	if (of_flow_mod_decode(m, &d, &a) != OF_OK)
		return;
	must(a.acts.len <= OF_ACTS_GROWTH * m->h.length);
	of_acts_format(of_acts_list(&a.acts), NULL, &text);
	str_fini(&text);
	if (of_flow_mod_encode(o, &to, 1, &a)) {
		again = reopened(o);
		must(of_flow_mod_decode(&again, &to, &b) == OF_OK);
		of_out_truncate(o, 0);
		must(of_flow_mod_encode(o, &to, 1, &b));
		again = reopened(o);
		must(of_flow_mod_decode(&again, &to, &c) == OF_OK);
		must(match_equal(&b.match, &c.match));
		must(same_acts(&b.acts, &c.acts));
		must(b.cookie == c.cookie && b.new_cookie == c.new_cookie);
		of_flow_mod_fini(&b);
		of_flow_mod_fini(&c);
	}
	of_flow_mod_fini(&a);
}

static void check_query(const struct of_msg *m, struct of_out *o)
{
	struct of_dialect d = { .version = m->h.version,
				.nxm = m->family == OF_FAMILY_NXSTAT };
	struct of_flow_query a, b;
	struct of_msg again;

	if (of_flow_query_decode(m, &a) != OF_OK)
		return;
	of_flow_query_encode(o, m->kind, &d, 1, &a);
	again = reopened(o);
	must(of_flow_query_decode(&again, &b) == OF_OK);
	must(a.cookie == b.cookie && a.out_port == b.out_port);
}

static void check_stats(struct of_msg *m, struct of_out *o)
{
	struct of_dialect d = { .version = m->h.version,
				.nxm = m->family == OF_FAMILY_NXSTAT_REPLY };
	struct of_flow_stats fs;

	while (!cursor_at_end(&m->body)) {
		if (of_flow_stats_decode(m, &fs) != OF_OK)
			return;
		of_flow_stats_encode(o, &d, &fs);
		of_flow_stats_fini(&fs);
	}
}

static void check_removed(const struct of_msg *m, struct of_out *o)
{
	struct of_dialect d = { .version = m->h.version,
				.nxm = m->family == OF_FAMILY_NX };
	struct of_flow_removed a, b;
	struct of_msg again;

	if (of_flow_removed_decode(m, &a) != OF_OK)
		return;
	of_flow_removed_encode(o, &d, 1, &a);
	again = reopened(o);
	must(of_flow_removed_decode(&again, &b) == OF_OK);
	must(a.cookie == b.cookie && a.table == b.table);
}

static void check(struct of_msg *m, struct of_out *o)
{
	struct of_counts counts;

	if (m->kind == OF_FLOW_MOD) {
		check_flow_mod(m, o, m->h.version);
		of_out_truncate(o, 0);
		check_flow_mod(m, o, OF10);
		of_out_truncate(o, 0);
		check_flow_mod(m, o, OF13);
		of_out_truncate(o, 0);
		check_flow_mod(m, o, OF15);
	} else if (m->kind == OF_FLOW_STATS_REQUEST ||
		   m->kind == OF_AGGREGATE_STATS_REQUEST) {
		check_query(m, o);
	} else if (m->kind == OF_FLOW_STATS_REPLY) {
		check_stats(m, o);
	} else if (m->kind == OF_FLOW_REMOVED) {
		check_removed(m, o);
	} else if (m->kind == OF_AGGREGATE_STATS_REPLY) {
		must(of_aggregate_decode(m, &counts) < N_OF_ERRORS);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct of_out o = OF_OUT_INIT;
	struct of_msg m;

	if (of_msg_open(data, size, &m) == OF_OK)
		check(&m, &o);
	of_out_fini(&o);
	return 0;
}
