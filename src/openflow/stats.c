/* SPDX-License-Identifier: Apache-2.0 */
/* Questions: multiparts and their answers in as many messages as they need. */
#include "openflow/inside.h"

#include <stdio.h>

#include "ofwire/flow.h"
#include "ofwire/meter.h"
#include "ofwire/table.h"

/* One answer being written, part by part. */
struct reply {
	struct of_request *r;
	struct of_parts parts;
	struct of_dialect d;
	uint8_t table; /* of statistics of tables */
};

static void reply_begin(struct reply *p, struct of_request *r,
			enum of_kind kind)
{
	p->r = r;
	p->d = r->c->d;
	of_parts_init(
		&p->parts, &r->c->out,
		of_msg_begin(&r->c->out, kind, r->m.h.version, r->m.h.xid));
}

static struct of_out *part_begin(struct reply *p)
{
	of_parts_begin(&p->parts);
	return &p->r->c->out;
}

/* What no message can hold is left out: one rule of 64 kB of actions. */
static void part_end(struct reply *p)
{
	(void)!of_parts_end(&p->parts);
}

static enum of_error reply_end(struct reply *p)
{
	of_parts_fini(&p->parts);
	return OF_OK;
}

/* --- the switch --- */

static enum of_error desc(struct of_request *r)
{
	struct of_desc d = { .manufacturer = "weft",
			     .hardware = "weft",
			     .software = WEFT_VERSION,
			     .serial = "None" };

	snprintf(d.datapath, sizeof(d.datapath), "%s",
		 of_hub_bridge(r->c->hub));
	of_desc_encode(&r->c->out, r->m.h.version, r->m.h.xid, &d);
	return OF_OK;
}

/* --- rules --- */

static void put_flow(void *ctx, const struct of_flow_stats *fs)
{
	struct reply *p = ctx;

	of_flow_stats_encode(part_begin(p), &p->d, fs);
	part_end(p);
}

static bool is_nxm(const struct of_request *r)
{
	return r->m.family == OF_FAMILY_NXSTAT;
}

static enum of_error flows(struct of_request *r)
{
	struct of_flow_query q;
	enum of_error e = of_flow_query_decode(&r->m, &q);
	struct reply p;
	size_t begin;

	if (e)
		return e;
	p.r = r;
	p.d = r->c->d;
	p.d.nxm = is_nxm(r);
	begin = p.d.nxm ? of_msg_begin_as(&r->c->out, OF_FAMILY_NXSTAT_REPLY,
					  r->m.number, r->m.h.version,
					  r->m.h.xid) :
			  of_msg_begin(&r->c->out, OF_FLOW_STATS_REPLY,
				       r->m.h.version, r->m.h.xid);
	of_parts_init(&p.parts, &r->c->out, begin);
	switch_of_flows(r->of, &q, put_flow, &p);
	return reply_end(&p);
}

static enum of_error aggregate(struct of_request *r)
{
	struct of_dialect d = r->c->d;
	struct of_flow_query q;
	struct of_counts counts;
	enum of_error e = of_flow_query_decode(&r->m, &q);

	if (e)
		return e;
	d.nxm = is_nxm(r);
	switch_of_aggregate(r->of, &q, &counts);
	of_aggregate_encode(&r->c->out, &d, r->m.h.xid, &counts);
	return OF_OK;
}

/* --- tables --- */

static void put_table(struct reply *p, uint8_t id)
{
	struct of_table_stats s = {
		.id = id,
		.wildcards10 = 0x3fffff,
		.match11 = 0x3ff,
		.wildcards11 = 0x3ff,
		.instructions = 0x7,
		.write_actions = 0x3fff,
		.apply_actions = 0x3fff,
		.match12 = 0xfffffffff,
		.wildcards12 = 0xfffffffff,
		.write_fields12 = 0xfffffffff,
		.apply_fields12 = 0xfffffffff,
		.metadata_match = UINT64_MAX,
		.metadata_write = UINT64_MAX,
		.max = 1000000,
		.active = (uint32_t)switch_of_table_count(p->r->of, id),
	};

	if (id)
		snprintf(s.name, sizeof(s.name), "table%u", id);
	else
		snprintf(s.name, sizeof(s.name), "classifier");
	of_table_stats_put(part_begin(p), p->d.version, &s);
	part_end(p);
}

static enum of_error tables(struct of_request *r)
{
	struct reply p;

	reply_begin(&p, r, OF_TABLE_STATS_REPLY);
	for (unsigned i = 0; i < OF_N_TABLES; i++)
		put_table(&p, (uint8_t)i);
	return reply_end(&p);
}

static enum of_error table_desc(struct of_request *r)
{
	struct reply p;

	reply_begin(&p, r, OF_TABLE_DESC_REPLY);
	for (unsigned i = 0; i < OF_N_TABLES; i++) {
		struct of_table t = { .id = (uint8_t)i };

		of_table_desc_put(part_begin(&p), &t);
		part_end(&p);
	}
	return reply_end(&p);
}

static void all_fields(struct of_table_features *f)
{
	for (unsigned i = 0; i < N_FIELDS; i++) {
		const struct field *field = field_get((enum field_id)i);

		if (!oxm_find((enum field_id)i, OF13))
			continue;
		of_field_set_put(&f->match, i);
		if (field->mask == FIELD_MASK_ANY)
			of_field_set_put(&f->mask, i);
		if (!field->settable)
			continue;
		of_field_set_put(&f->hit.write_fields, i);
		of_field_set_put(&f->hit.apply_fields, i);
	}
}

static void put_features(struct reply *p, struct of_table_features *f,
			 unsigned id)
{
	memset(f->hit.next, 0, sizeof(f->hit.next));
	for (unsigned t = id + 1; t < OF_N_TABLES; t++)
		f->hit.next[t / 64] |= 1ull << t % 64;
	f->miss = f->hit;
	f->id = (uint8_t)id;
	snprintf(f->name, sizeof(f->name), id ? "table%u" : "classifier", id);
	of_table_features_put(part_begin(p), p->d.version, f);
	part_end(p);
}

static enum of_error table_features(struct of_request *r)
{
	struct of_table_features f = { .metadata_match = UINT64_MAX,
				       .metadata_write = UINT64_MAX,
				       .max = 1000000,
				       .has_props = true };
	struct reply p;

	if (cursor_left(&r->m.body))
		return OF_OFPTFFC_EPERM; /* they are as they are */
	f.hit.instructions = 0x1e; /* goto, metadata, write, apply, clear */
	f.hit.instructions |= 0x20;
	f.hit.write_actions = f.hit.apply_actions = 0x3de0001 | 1u << 17;
	all_fields(&f);
	reply_begin(&p, r, OF_TABLE_FEATURES_STATS_REPLY);
	for (unsigned i = 0; i < OF_N_TABLES; i++)
		put_features(&p, &f, i);
	return reply_end(&p);
}

/* --- ports --- */

static void put_port(void *ctx, const struct of_port *port)
{
	struct reply *p = ctx;

	of_port_put(part_begin(p), p->d.version, port);
	part_end(p);
}

static enum of_error port_desc(struct of_request *r)
{
	struct of_port_query q;
	enum of_error e = of_port_query_decode(&r->m, &q);
	struct reply p;

	if (e)
		return e;
	reply_begin(&p, r, OF_PORT_DESC_STATS_REPLY);
	if (!switch_of_ports(r->of, q.port, put_port, &p))
		return OF_OFPBRC_BAD_PORT;
	return reply_end(&p);
}

static void put_port_stats(void *ctx, const struct of_port_stats *s)
{
	struct reply *p = ctx;

	of_port_stats_put(part_begin(p), p->d.version, s);
	part_end(p);
}

static enum of_error port_stats(struct of_request *r)
{
	struct of_port_query q;
	enum of_error e = of_port_query_decode(&r->m, &q);
	struct reply p;

	if (e)
		return e;
	reply_begin(&p, r, OF_PORT_STATS_REPLY);
	if (!switch_of_port_stats(r->of, q.port, put_port_stats, &p))
		return OF_OFPBRC_BAD_PORT;
	return reply_end(&p);
}

/* Ports have no queues of OpenFlow's. */
static void no_port(void *ctx UNUSED, const struct of_port *p UNUSED)
{
}

static enum of_error queue_query(struct of_request *r, struct of_port_query *q)
{
	enum of_error e = of_port_query_decode(&r->m, q);

	if (e)
		return e;
	if (q->port != OF_PORT_NONE && q->port != OF_PORT_ALL &&
	    !switch_of_ports(r->of, q->port, no_port, NULL))
		return OF_OFPQOFC_BAD_PORT;
	return OF_OK;
}

static enum of_error queue_stats(struct of_request *r)
{
	struct of_port_query q;
	enum of_error e = queue_query(r, &q);
	struct reply p;

	if (e)
		return e;
	if (q.queue != OF_QUEUE_ALL)
		return OF_OFPQOFC_BAD_QUEUE;
	reply_begin(&p, r, OF_QUEUE_STATS_REPLY);
	return reply_end(&p);
}

static enum of_error queue_config(struct of_request *r)
{
	struct of_port_query q;
	enum of_error e = queue_query(r, &q);

	if (e)
		return e;
	of_msg_end(&r->c->out, of_queues_begin(&r->c->out, r->m.h.version,
					       r->m.h.xid, q.port));
	return OF_OK;
}

/* --- groups and meters --- */

static void put_group_stats(void *ctx, const struct of_group *g UNUSED,
			    const struct of_group_stats *s)
{
	struct reply *p = ctx;

	of_group_stats_put(part_begin(p), p->d.version, s);
	part_end(p);
}

static void put_group_desc(void *ctx, const struct of_group *g,
			   const struct of_group_stats *s UNUSED)
{
	struct reply *p = ctx;

	of_group_desc_put(part_begin(p), p->d.version, g);
	part_end(p);
}

static enum of_error groups(struct of_request *r, bool want_stats)
{
	enum of_kind kind =
		want_stats ? OF_GROUP_STATS_REPLY : OF_GROUP_DESC_STATS_REPLY;
	uint32_t id;
	enum of_error e = of_group_query_decode(&r->m, &id);
	struct reply p;

	if (e)
		return e;
	reply_begin(&p, r, kind);
	switch_of_groups(r->of, id,
			 want_stats ? put_group_stats : put_group_desc, &p);
	return reply_end(&p);
}

static enum of_error group_features(struct of_request *r)
{
	struct of_group_features f = {
		.types = 0xf,
		.capabilities = 0x7, /* weight, liveness, chaining */
	};

	for (unsigned i = 0; i < N_OF_GROUP_TYPES; i++) {
		f.max_groups[i] = 65536;
		f.actions[i] = 0x3de0001 | 1u << 17;
	}
	of_group_features_encode(&r->c->out, r->m.h.version, r->m.h.xid, &f);
	return OF_OK;
}

/* There are none, and a list of none says so. */
static enum of_error no_parts(struct of_request *r, enum of_kind kind)
{
	struct reply p;

	reply_begin(&p, r, kind);
	return reply_end(&p);
}

static enum of_error meter_features(struct of_request *r)
{
	struct of_meter_features none = { 0 };

	of_meter_features_encode(&r->c->out, r->m.h.version, r->m.h.xid, &none);
	return OF_OK;
}

/* flat table */
static enum of_error answer(struct of_request *r)
{
	switch (r->m.kind) {
	case OF_DESC_STATS_REQUEST:
		return desc(r);
	case OF_FLOW_STATS_REQUEST:
		return flows(r);
	case OF_AGGREGATE_STATS_REQUEST:
		return aggregate(r);
	case OF_TABLE_STATS_REQUEST:
		return tables(r);
	case OF_TABLE_DESC_REQUEST:
		return table_desc(r);
	case OF_TABLE_FEATURES_STATS_REQUEST:
		return table_features(r);
	case OF_PORT_DESC_STATS_REQUEST:
		return port_desc(r);
	case OF_PORT_STATS_REQUEST:
		return port_stats(r);
	case OF_QUEUE_STATS_REQUEST:
		return queue_stats(r);
	case OF_QUEUE_GET_CONFIG_REQUEST:
		return queue_config(r);
	case OF_GROUP_STATS_REQUEST:
		return groups(r, true);
	case OF_GROUP_DESC_STATS_REQUEST:
		return groups(r, false);
	case OF_GROUP_FEATURES_STATS_REQUEST:
		return group_features(r);
	case OF_METER_STATS_REQUEST:
		return no_parts(r, OF_METER_STATS_REPLY);
	case OF_METER_CONFIG_STATS_REQUEST:
		return no_parts(r, OF_METER_CONFIG_STATS_REPLY);
	case OF_METER_FEATURES_STATS_REQUEST:
		return meter_features(r);
	default: /* kinds that are known, but not served here */
		return r->m.family == OF_FAMILY_STAT ? OF_OFPBRC_BAD_STAT :
						       OF_OFPBRC_BAD_TYPE;
	}
}

/* A question in several messages is one about features of tables: refused. */
enum of_error stats_serve(struct of_request *r)
{
	if (r->m.flags & OF_STAT_MORE)
		return OF_OFPBRC_MULTIPART_BUFFER_OVERFLOW;
	return answer(r);
}
