/* SPDX-License-Identifier: Apache-2.0 */
#include "ofwire/table.h"

#include "ofwire/prop.h"
#include "ofwire/wire.h"

enum { TABLE_EVICTION = 2, TABLE_VACANCY = 3 };
#define CONFIG14 (OF_TABLE_EVICTION | OF_TABLE_VACANCY)
#define STATUS_DOWN 3u
#define STATUS_UP 4u

/* --- changes, description --- */

static void put_props(struct of_out *o, const struct of_table *t)
{
	size_t at;

	if (t->has_eviction) {
		at = of_prop_begin(o, TABLE_EVICTION);
		of_out_int(o, t->eviction, 4);
		of_prop_end(o, at);
	}
	if (t->has_vacancy) {
		at = of_prop_begin(o, TABLE_VACANCY);
		of_out_int(o, t->vacancy_down, 1);
		of_out_int(o, t->vacancy_up, 1);
		of_out_int(o, t->vacancy, 1);
		of_out_add(o, 1);
		of_prop_end(o, at);
	}
}

static enum of_error get_vacancy(struct of_prop *p, struct of_table *t,
				 bool change)
{
	t->has_vacancy = true;
	t->vacancy_down = cursor_u8(&p->body);
	t->vacancy_up = cursor_u8(&p->body);
	t->vacancy = cursor_u8(&p->body);
	cursor_skip(&p->body, 1);
	if (t->vacancy_down > t->vacancy_up || t->vacancy_up > 100 ||
	    (change && t->vacancy))
		return OF_OFPBPC_BAD_VALUE;
	return of_prop_done(p);
}

static enum of_error get_eviction(struct of_prop *p, struct of_table *t)
{
	t->has_eviction = true;
	t->eviction = cursor_u32(&p->body);
	if (t->eviction &
	    ~(OF_EVICT_OTHER | OF_EVICT_IMPORTANCE | OF_EVICT_LIFETIME))
		return OF_OFPBPC_BAD_VALUE;
	return of_prop_done(p);
}

static enum of_error get_props(struct cursor *c, struct of_table *t,
			       bool change)
{
	enum of_error e = OF_OK;
	struct of_prop p;

	while (!e && !cursor_at_end(c)) {
		e = of_prop_next(c, &p);
		if (e)
			break;
		if (p.type == TABLE_EVICTION)
			e = get_eviction(&p, t);
		else if (p.type == TABLE_VACANCY)
			e = get_vacancy(&p, t, change);
		else
			e = of_prop_unknown(&p);
	}
	return e;
}

void of_table_mod_encode(struct of_out *o, unsigned version, uint32_t xid,
			 const struct of_table *t)
{
	size_t at = of_msg_begin(o, OF_TABLE_MOD, version, xid);

	of_out_int(o, t->id, 1);
	of_out_add(o, 3);
	of_out_int(o, t->config, 4);
	if (version >= OF14)
		put_props(o, t);
	of_msg_end(o, at);
}

enum of_error of_table_mod_decode(const struct of_msg *m, struct of_table *t)
{
	unsigned v = m->h.version;
	struct cursor c = m->body;
	/* 1.3 keeps the bits of before, and means nothing by them. */
	uint32_t known = v < OF14 ? OF_TABLE_CONFIG_MASK : CONFIG14;

	memset(t, 0, sizeof(*t));
	t->id = cursor_u8(&c);
	cursor_skip(&c, 3);
	t->config = cursor_u32(&c);
	if (t->config & ~known)
		return OF_OFPTMFC_BAD_CONFIG;
	return v >= OF14 ? get_props(&c, t, true) : of_msg_done(&c);
}

void of_table_desc_put(struct of_out *o, const struct of_table *t)
{
	size_t begin = o->len;

	of_out_int(o, 0, 2);
	of_out_int(o, t->id, 1);
	of_out_add(o, 1);
	of_out_int(o, t->config, 4);
	put_props(o, t);
	of_out_patch16(o, begin, o->len - begin);
}

enum of_error of_table_desc_get(struct cursor *c, struct of_table *t)
{
	struct cursor peek = *c, part;

	memset(t, 0, sizeof(*t));
	part = cursor_sub(c, cursor_u16(&peek));
	cursor_skip(&part, 2);
	t->id = cursor_u8(&part);
	cursor_skip(&part, 1);
	t->config = cursor_u32(&part);
	return part.failed ? OF_OFPBRC_BAD_LEN : get_props(&part, t, false);
}

void of_table_status_encode(struct of_out *o, unsigned version, uint32_t xid,
			    uint8_t reason, const struct of_table *t)
{
	size_t at = of_msg_begin(o, OF_TABLE_STATUS, version, xid);

	of_out_int(o, reason, 1);
	of_out_add(o, 7);
	of_table_desc_put(o, t);
	of_msg_end(o, at);
}

enum of_error of_table_status_decode(const struct of_msg *m, uint8_t *reason,
				     struct of_table *t)
{
	struct cursor c = m->body;
	enum of_error e;

	*reason = cursor_u8(&c);
	cursor_skip(&c, 7);
	e = of_table_desc_get(&c, t);
	if (e)
		return e;
	if (*reason != STATUS_DOWN && *reason != STATUS_UP)
		return OF_OFPBPC_BAD_VALUE;
	return of_msg_done(&c);
}

/* --- statistics --- */

#define S32(name) W_INT(struct of_table_stats, name, 4)
#define S64(name) W_INT(struct of_table_stats, name, 8)
#define S_ID W_INT(struct of_table_stats, id, 1)
#define S_NAME W_BYTES(struct of_table_stats, name, OF_TABLE_NAME_LEN)

static const struct wire stats10[] = {
	S_ID,     W_PAD(3),    S_NAME,       S32(wildcards10),
	S32(max), S32(active), S64(lookups), S64(matches),
	W_END,
};
static const struct wire stats11[] = {
	S_ID,
	W_PAD(7),
	S_NAME,
	S32(wildcards11),
	S32(match11),
	S32(instructions),
	S32(write_actions),
	S32(apply_actions),
	S32(config),
	S32(max),
	S32(active),
	S64(lookups),
	S64(matches),
	W_END,
};
static const struct wire stats12[] = {
	S_ID,
	W_PAD(7),
	S_NAME,
	S64(match12),
	S64(wildcards12),
	S32(write_actions),
	S32(apply_actions),
	S64(write_fields12),
	S64(apply_fields12),
	S64(metadata_match),
	S64(metadata_write),
	S32(instructions),
	S32(config),
	S32(max),
	S32(active),
	S64(lookups),
	S64(matches),
	W_END,
};
static const struct wire stats13[] = {
	S_ID, W_PAD(3), S32(active), S64(lookups), S64(matches), W_END,
};

static const struct wire *stats_table(unsigned version)
{
	switch (version) {
	case OF10:
		return stats10;
	case OF11:
		return stats11;
	case OF12:
		return stats12;
	default:
		return stats13;
	}
}

void of_table_stats_put(struct of_out *o, unsigned version,
			const struct of_table_stats *s)
{
	wire_write(o, stats_table(version), s);
}

enum of_error of_table_stats_get(struct cursor *c, unsigned version,
				 struct of_table_stats *s)
{
	memset(s, 0, sizeof(*s));
	wire_read(c, stats_table(version), s);
	s->name[OF_TABLE_NAME_LEN - 1] = '\0';
	return c->failed ? OF_OFPBRC_BAD_LEN : OF_OK;
}

/* --- the switch --- */

static const struct wire desc_wire[] = {
	W_BYTES(struct of_desc, manufacturer, 256),
	W_BYTES(struct of_desc, hardware, 256),
	W_BYTES(struct of_desc, software, 256),
	W_BYTES(struct of_desc, serial, 32),
	W_BYTES(struct of_desc, datapath, 256),
	W_END,
};

void of_desc_encode(struct of_out *o, unsigned version, uint32_t xid,
		    const struct of_desc *d)
{
	size_t at = of_msg_begin(o, OF_DESC_STATS_REPLY, version, xid);

	wire_write(o, desc_wire, d);
	of_msg_end(o, at);
}

enum of_error of_desc_decode(const struct of_msg *m, struct of_desc *d)
{
	struct cursor c = m->body;

	wire_read(&c, desc_wire, d);
	d->manufacturer[255] = d->hardware[255] = d->software[255] = '\0';
	d->datapath[255] = d->serial[31] = '\0';
	return of_msg_done(&c);
}

/* --- tunnel options --- */

static const struct wire tlv_wire[] = {
	W_INT(struct of_tlv, option_class, 2),
	W_INT(struct of_tlv, option_type, 1),
	W_INT(struct of_tlv, option_len, 1),
	W_INT(struct of_tlv, index, 2),
	W_PAD(2),
	W_END,
};

void of_tlv_encode(struct of_out *o, enum of_kind kind, unsigned version,
		   uint32_t xid, const struct of_tlv_table *t)
{
	size_t at = of_msg_begin(o, kind, version, xid);

	if (kind == OF_TLV_TABLE_MOD) {
		of_out_int(o, t->command, 2);
		of_out_add(o, 6);
	} else {
		of_out_int(o, t->max_space, 4);
		of_out_int(o, t->max_fields, 2);
		of_out_add(o, 10);
	}
	for (unsigned i = 0; i < t->n; i++)
		wire_write(o, tlv_wire, &t->maps[i]);
	of_msg_end(o, at);
}

static enum of_error get_tlv(struct cursor *c, struct of_tlv_table *t)
{
	struct of_tlv *map = &t->maps[t->n];

	if (t->n == OF_TLV_MAX)
		return OF_NXTTMFC_TABLE_FULL;
	wire_read(c, tlv_wire, map);
	if (c->failed)
		return OF_OFPBRC_BAD_LEN;
	if (map->index >= OF_TLV_MAX)
		return OF_NXTTMFC_BAD_FIELD_IDX;
	if (map->option_len % 4 || map->option_len > 124 ||
	    (!map->option_len && t->command != OF_TLV_DELETE))
		return OF_NXTTMFC_BAD_OPT_LEN;
	t->n++;
	return OF_OK;
}

enum of_error of_tlv_decode(const struct of_msg *m, struct of_tlv_table *t)
{
	struct cursor c = m->body;
	enum of_error e = OF_OK;

	memset(t, 0, sizeof(*t));
	if (m->kind == OF_TLV_TABLE_MOD) {
		t->command = cursor_u16(&c);
		cursor_skip(&c, 6);
		if (t->command > OF_TLV_CLEAR)
			return OF_NXTTMFC_BAD_COMMAND;
	} else {
		t->max_space = cursor_u32(&c);
		t->max_fields = cursor_u16(&c);
		cursor_skip(&c, 10);
	}
	while (!e && !cursor_at_end(&c))
		e = get_tlv(&c, t);
	return !e && c.failed ? OF_OFPBRC_BAD_LEN : e;
}
