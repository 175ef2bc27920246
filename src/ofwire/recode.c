/* SPDX-License-Identifier: Apache-2.0 */
#include "ofwire/recode.h"

#include "ofwire/group.h"
#include "ofwire/meter.h"
#include "ofwire/monitor.h"
#include "ofwire/packet.h"
#include "ofwire/port.h"
#include "ofwire/table.h"

/* Takes one part off the cursor and writes it. */
typedef enum of_error part_fn(struct cursor *c, unsigned version,
			      struct of_out *o);

static enum of_error port_desc(struct cursor *c, unsigned v, struct of_out *o)
{
	struct of_port p;
	enum of_error e = of_port_get(c, v, &p);

	if (!e)
		of_port_put(o, v, &p);
	return e;
}

static enum of_error port_stats(struct cursor *c, unsigned v, struct of_out *o)
{
	struct of_port_stats s;
	enum of_error e = of_port_stats_get(c, v, &s);

	if (!e)
		of_port_stats_put(o, v, &s);
	return e;
}

static enum of_error queue_stats(struct cursor *c, unsigned v, struct of_out *o)
{
	struct of_queue_stats s;
	enum of_error e = of_queue_stats_get(c, v, &s);

	if (!e)
		of_queue_stats_put(o, v, &s);
	return e;
}

static enum of_error queue(struct cursor *c, unsigned v, struct of_out *o)
{
	struct of_queue q;
	enum of_error e = of_queue_get(c, v, &q);

	if (!e)
		of_queue_put(o, v, &q);
	return e;
}

static enum of_error group_desc(struct cursor *c, unsigned v, struct of_out *o)
{
	struct of_group g;
	enum of_error e = of_group_desc_get(c, v, &g);

	if (!e)
		of_group_desc_put(o, v, &g);
	of_group_fini(&g);
	return e;
}

static enum of_error group_stats(struct cursor *c, unsigned v, struct of_out *o)
{
	struct of_group_stats s;
	enum of_error e = of_group_stats_get(c, v, &s);

	if (!e)
		of_group_stats_put(o, v, &s);
	of_group_stats_fini(&s);
	return e;
}

static enum of_error meter_config(struct cursor *c, unsigned v,
				  struct of_out *o)
{
	struct of_meter m;
	enum of_error e = of_meter_config_get(c, &m);

	(void)v;
	if (!e)
		of_meter_config_put(o, &m);
	of_meter_fini(&m);
	return e;
}

static enum of_error meter_stats(struct cursor *c, unsigned v, struct of_out *o)
{
	struct of_meter_stats s;
	enum of_error e = of_meter_stats_get(c, &s);

	(void)v;
	if (!e)
		of_meter_stats_put(o, &s);
	of_meter_stats_fini(&s);
	return e;
}

static enum of_error table_desc(struct cursor *c, unsigned v, struct of_out *o)
{
	struct of_table t;
	enum of_error e = of_table_desc_get(c, &t);

	(void)v;
	if (!e)
		of_table_desc_put(o, &t);
	return e;
}

static enum of_error table_stats(struct cursor *c, unsigned v, struct of_out *o)
{
	struct of_table_stats s;
	enum of_error e = of_table_stats_get(c, v, &s);

	if (!e)
		of_table_stats_put(o, v, &s);
	return e;
}

static enum of_error table_features(struct cursor *c, unsigned v,
				    struct of_out *o)
{
	struct of_table_features f;
	enum of_error e = of_table_features_get(c, v, &f);

	if (!e)
		of_table_features_put(o, v, &f);
	return e;
}

static enum of_error monitor(struct cursor *c, unsigned v, struct of_out *o)
{
	struct of_monitor m;
	enum of_error e = of_monitor_get(c, v, &m);

	if (!e)
		of_monitor_put(o, v, &m);
	return e;
}

static enum of_error update(struct cursor *c, unsigned v, struct of_out *o)
{
	struct of_update u;
	enum of_error e = of_update_get(c, v, &u);

	if (!e)
		(void)of_update_put(o, v, &u);
	of_update_fini(&u);
	return e;
}

static part_fn *part_of(enum of_kind kind)
{
	switch ((int)kind) {
	case OF_PORT_DESC_STATS_REPLY:
		return port_desc;
	case OF_PORT_STATS_REPLY:
		return port_stats;
	case OF_QUEUE_STATS_REPLY:
		return queue_stats;
	case OF_GROUP_DESC_STATS_REPLY:
		return group_desc;
	case OF_GROUP_STATS_REPLY:
		return group_stats;
	case OF_METER_CONFIG_STATS_REPLY:
		return meter_config;
	case OF_METER_STATS_REPLY:
		return meter_stats;
	case OF_TABLE_DESC_REPLY:
		return table_desc;
	case OF_TABLE_STATS_REPLY:
		return table_stats;
	case OF_TABLE_FEATURES_STATS_REQUEST:
	case OF_TABLE_FEATURES_STATS_REPLY:
		return table_features;
	case OF_FLOW_MONITOR_STATS_REQUEST:
		return monitor;
	case OF_FLOW_MONITOR_STATS_REPLY:
		return update;
	default:
		return NULL;
	}
}

static enum of_error recode_parts(const struct of_msg *m, struct of_out *o)
{
	part_fn *part = part_of(m->kind);
	struct cursor c = m->body;
	enum of_error e = OF_OK;
	struct of_parts p;

	of_parts_init(&p, o,
		      of_msg_begin_as(o, m->family, m->number, m->h.version,
				      m->h.xid));
	while (!e && !cursor_at_end(&c)) {
		of_parts_begin(&p);
		e = part(&c, m->h.version, o);
		if (!of_parts_end(&p))
			break;
	}
	of_parts_fini(&p);
	return e;
}

static enum of_error recode_queues(const struct of_msg *m, struct of_out *o)
{
	struct of_msg copy = *m;
	uint32_t port;
	enum of_error e = of_queues_head(&copy, &port);
	size_t at;

	if (e)
		return e;
	at = of_queues_begin(o, m->h.version, m->h.xid, port);
	while (!e && !cursor_at_end(&copy.body) && o->len < OF_MESSAGE_MAX / 2)
		e = queue(&copy.body, m->h.version, o);
	of_msg_end(o, at);
	return e;
}

static enum of_error recode_packet(const struct of_msg *m, struct of_out *o)
{
	enum of_packet_in_form form = m->family != OF_FAMILY_NX ?
					      OF_PIN_STANDARD :
				      m->number == 17 ? OF_PIN_NXT :
							OF_PIN_NXT2;
	struct of_packet_out po;
	struct of_packet_in pi;
	enum of_error e;

	if (m->kind == OF_PACKET_OUT) {
		e = of_packet_out_decode(m, &po);
		if (!e)
			(void)of_packet_out_encode(o, m->h.version, m->h.xid,
						   &po);
		of_packet_out_fini(&po);
		return e;
	}
	e = of_packet_in_decode(m, &pi);
	/* Names of fields may be longer than they came, so not the longest. */
	if (e || m->h.length > OF_MESSAGE_MAX / 4)
		return e;
	if (m->kind == OF_RESUME)
		of_resume_encode(o, m->h.version, m->h.xid, &pi);
	else
		of_packet_in_encode(o, form, m->h.version, m->h.xid, &pi);
	return OF_OK;
}

static enum of_error recode_port(const struct of_msg *m, struct of_out *o)
{
	struct of_port_query q;
	struct of_port_mod pm;
	struct of_port p;
	uint8_t reason;
	enum of_error e;

	if (m->kind == OF_PORT_STATUS) {
		e = of_port_status_decode(m, &reason, &p);
		if (!e)
			of_port_status_encode(o, m->h.version, m->h.xid, reason,
					      &p);
	} else if (m->kind == OF_PORT_MOD) {
		e = of_port_mod_decode(m, &pm);
		if (!e)
			of_port_mod_encode(o, m->h.version, m->h.xid, &pm);
	} else {
		e = of_port_query_decode(m, &q);
		if (!e)
			of_port_query_encode(o, m->kind, m->h.version, m->h.xid,
					     &q);
	}
	return e;
}

static enum of_error recode_group(const struct of_msg *m, struct of_out *o)
{
	struct of_group_features f;
	struct of_group g;
	uint32_t id;
	enum of_error e;

	if (m->kind == OF_GROUP_MOD) {
		e = of_group_mod_decode(m, &g);
		if (!e)
			(void)of_group_mod_encode(o, m->h.version, m->h.xid,
						  &g);
		of_group_fini(&g);
	} else if (m->kind == OF_GROUP_FEATURES_STATS_REPLY) {
		e = of_group_features_decode(m, &f);
		if (!e)
			of_group_features_encode(o, m->h.version, m->h.xid, &f);
	} else {
		e = of_group_query_decode(m, &id);
		if (!e)
			of_group_query_encode(o, m->kind, m->h.version,
					      m->h.xid, id);
	}
	return e;
}

static enum of_error recode_meter(const struct of_msg *m, struct of_out *o)
{
	struct of_meter_features f;
	struct of_meter meter;
	uint32_t id;
	enum of_error e;

	if (m->kind == OF_METER_MOD) {
		e = of_meter_mod_decode(m, &meter);
		if (!e)
			of_meter_mod_encode(o, m->h.version, m->h.xid, &meter);
		of_meter_fini(&meter);
	} else if (m->kind == OF_METER_FEATURES_STATS_REPLY) {
		e = of_meter_features_decode(m, &f);
		if (!e)
			of_meter_features_encode(o, m->h.version, m->h.xid, &f);
	} else {
		e = of_meter_query_decode(m, &id);
		if (!e)
			of_meter_query_encode(o, m->kind, m->h.version,
					      m->h.xid, id);
	}
	return e;
}

static enum of_error recode_table(const struct of_msg *m, struct of_out *o)
{
	struct of_tlv_table tlv;
	struct of_table t;
	struct of_desc d;
	uint8_t reason;
	enum of_error e;

	if (m->kind == OF_TABLE_MOD) {
		e = of_table_mod_decode(m, &t);
		if (!e)
			of_table_mod_encode(o, m->h.version, m->h.xid, &t);
	} else if (m->kind == OF_TABLE_STATUS) {
		e = of_table_status_decode(m, &reason, &t);
		if (!e)
			of_table_status_encode(o, m->h.version, m->h.xid,
					       reason, &t);
	} else if (m->kind == OF_DESC_STATS_REPLY) {
		e = of_desc_decode(m, &d);
		if (!e)
			of_desc_encode(o, m->h.version, m->h.xid, &d);
	} else {
		e = of_tlv_decode(m, &tlv);
		if (!e)
			of_tlv_encode(o, m->kind, m->h.version, m->h.xid, &tlv);
	}
	return e;
}

enum of_error recode(const struct of_msg *m, struct of_out *o)
{
	if (part_of(m->kind))
		return recode_parts(m, o);
	switch ((int)m->kind) {
	case OF_PACKET_IN:
	case OF_PACKET_OUT:
	case OF_RESUME:
		return recode_packet(m, o);
	case OF_PORT_STATUS:
	case OF_PORT_MOD:
	case OF_PORT_STATS_REQUEST:
	case OF_PORT_DESC_STATS_REQUEST:
	case OF_QUEUE_STATS_REQUEST:
	case OF_QUEUE_GET_CONFIG_REQUEST:
		return recode_port(m, o);
	case OF_QUEUE_GET_CONFIG_REPLY:
		return recode_queues(m, o);
	case OF_GROUP_MOD:
	case OF_GROUP_STATS_REQUEST:
	case OF_GROUP_DESC_STATS_REQUEST:
	case OF_GROUP_FEATURES_STATS_REPLY:
		return recode_group(m, o);
	case OF_METER_MOD:
	case OF_METER_STATS_REQUEST:
	case OF_METER_CONFIG_STATS_REQUEST:
	case OF_METER_FEATURES_STATS_REPLY:
		return recode_meter(m, o);
	case OF_TABLE_MOD:
	case OF_TABLE_STATUS:
	case OF_DESC_STATS_REPLY:
	case OF_TLV_TABLE_MOD:
	case OF_TLV_TABLE_REPLY:
		return recode_table(m, o);
	default:
		return OF_OK;
	}
}
