/* SPDX-License-Identifier: Apache-2.0 */
#include "ofwire/group.h"

#include "ofwire/oxm.h"
#include "ofwire/prop.h"
#include "ofwire/wire.h"

#define BUCKET11_LEN 16u
#define BUCKET15_LEN 8u
#define VENDOR_NTR 0x154du
#define VENDOR_NTR_OLD 0x1540u
#define NTR_METHOD 1u

enum { BUCKET_WEIGHT, BUCKET_WATCH_PORT, BUCKET_WATCH_GROUP };

void of_group_fini(struct of_group *g)
{
	for (size_t i = 0; i < g->n_buckets; i++)
		of_acts_fini(&g->buckets[i].acts);
	free(g->buckets);
	g->buckets = NULL;
	g->n_buckets = 0;
}

struct of_bucket *of_group_bucket(struct of_group *g)
{
	struct of_bucket *b;

	/* Doubling: the room is a power of two. */
	if (!(g->n_buckets & (g->n_buckets - 1)))
		g->buckets = xrealloc(g->buckets, MAX(g->n_buckets * 2, 1u) *
							  sizeof(*g->buckets));
	b = &g->buckets[g->n_buckets++];
	memset(b, 0, sizeof(*b));
	b->watch_port = OF_PORT_NONE;
	b->watch_group = OF_GROUP_ANY;
	return b;
}

/* 1.0 has groups as an extension, in 1.5's layout, with 1.0's actions. */
static bool is_15(unsigned version)
{
	return version == OF15 || version == OF10;
}

/* --- buckets --- */

static const struct wire bucket11[] = {
	W_INT(struct of_bucket, weight, 2),
	W_PORT(struct of_bucket, watch_port, 4),
	W_INT(struct of_bucket, watch_group, 4),
	W_PAD(4),
	W_END,
};

static bool put_bucket11(struct of_out *o, unsigned version,
			 const struct of_bucket *b)
{
	size_t begin = o->len;
	bool whole;

	of_out_int(o, 0, 2);
	wire_write(o, bucket11, b);
	whole = of_acts_encode(o, version, of_acts_list(&b->acts));
	if (o->len - begin > UINT16_MAX) {
		of_out_truncate(o, begin);
		return false;
	}
	of_out_patch16(o, begin, o->len - begin);
	return whole;
}

static void put_prop(struct of_out *o, uint16_t type, uint32_t v, unsigned n)
{
	size_t at = of_prop_begin(o, type);

	of_out_int(o, v, n);
	of_out_add(o, 4 - n);
	of_prop_end(o, at);
}

static bool put_bucket15(struct of_out *o, unsigned version, bool weighs,
			 const struct of_bucket *b)
{
	size_t begin = o->len, acts;
	bool whole;

	of_out_add(o, 4);
	of_out_int(o, b->id, 4);
	whole = of_acts_encode(o, version, of_acts_list(&b->acts));
	acts = o->len - begin - BUCKET15_LEN;
	if (b->weight || weighs)
		put_prop(o, BUCKET_WEIGHT, b->weight, 2);
	if (b->watch_port != OF_PORT_NONE)
		put_prop(o, BUCKET_WATCH_PORT, b->watch_port, 4);
	if (b->watch_group != OF_GROUP_ANY)
		put_prop(o, BUCKET_WATCH_GROUP, b->watch_group, 4);
	if (o->len - begin > UINT16_MAX) {
		of_out_truncate(o, begin);
		return false;
	}
	of_out_patch16(o, begin, o->len - begin);
	of_out_patch16(o, begin + 2, acts);
	return whole;
}

static bool put_buckets(struct of_out *o, unsigned version,
			const struct of_group *g)
{
	bool whole = true, weighs = g->type == OF_GROUP_TYPE_SELECT;

	for (size_t i = 0; i < g->n_buckets; i++)
		whole &= is_15(version) ?
				 put_bucket15(o, version, weighs,
					      &g->buckets[i]) :
				 put_bucket11(o, version, &g->buckets[i]);
	return whole;
}

static enum of_error bucket_prop(struct of_prop *p, struct of_bucket *b)
{
	switch (p->type) {
	case BUCKET_WEIGHT:
		b->weight = cursor_u16(&p->body);
		cursor_skip(&p->body, 2);
		break;
	case BUCKET_WATCH_PORT:
		b->watch_port = cursor_u32(&p->body);
		break;
	case BUCKET_WATCH_GROUP:
		b->watch_group = cursor_u32(&p->body);
		break;
	default:
		return of_prop_unknown(p);
	}
	return of_prop_done(p);
}

static enum of_error get_bucket15(struct cursor *c, unsigned version,
				  struct of_bucket *b)
{
	uint16_t acts_len = cursor_u16(c);
	struct cursor acts;
	struct of_prop p;
	enum of_error e;

	b->id = cursor_u32(c);
	acts = cursor_sub(c, acts_len);
	if (c->failed)
		return OF_OFPGMFC_BAD_BUCKET;
	e = of_acts_decode(acts, version, &b->acts);
	while (!e && !cursor_at_end(c)) {
		e = of_prop_next(c, &p);
		if (!e)
			e = bucket_prop(&p, b);
	}
	return e;
}

static enum of_error get_bucket(struct cursor *c, unsigned version,
				struct of_group *g)
{
	uint32_t index = (uint32_t)g->n_buckets;
	size_t head = is_15(version) ? BUCKET15_LEN : BUCKET11_LEN;
	struct of_bucket *b;
	struct cursor part;
	uint16_t len = cursor_u16(c);

	if (c->failed || len < head || len % 8)
		return OF_OFPGMFC_BAD_BUCKET;
	part = cursor_sub(c, len - 2u);
	if (part.failed)
		return OF_OFPGMFC_BAD_BUCKET;
	b = of_group_bucket(g);
	if (is_15(version))
		return get_bucket15(&part, version, b);
	b->id = index;
	wire_read(&part, bucket11, b);
	return of_acts_decode(part, version, &b->acts);
}

static enum of_error get_buckets(struct cursor c, unsigned version,
				 struct of_group *g)
{
	enum of_error e = OF_OK;

	while (!e && !cursor_at_end(&c))
		e = get_bucket(&c, version, g);
	return e;
}

/* --- the selection method --- */

static void put_method(struct of_out *o, unsigned version,
		       const struct of_group *g)
{
	size_t at;

	if (!g->method[0])
		return;
	at = of_prop_begin_vendor(o, VENDOR_NTR, NTR_METHOD);
	of_out_add(o, 4);
	of_out_bytes(o, g->method, OF_METHOD_LEN);
	of_out_int(o, g->method_param, 8);
	for (unsigned i = 0; i < g->n_fields; i++) {
		const struct oxm *oxm =
			oxm_find(g->fields[i].field, MAX(version, OF15));

		oxm_header_put(o, oxm, false);
		oxm_value_put(o, oxm, &g->fields[i].mask);
	}
	of_prop_end(o, at);
}

/* A field's "value" is the mask of what is hashed. */
static enum of_error get_field(struct cursor *c, struct of_group *g)
{
	struct oxm_header h;
	struct oxm_value v;
	enum of_error e = oxm_header_get(c, &h);
	uint64_t n;

	if (e)
		return e;
	if (h.has_mask)
		return OF_OFPBMC_BAD_MASK;
	e = oxm_value_get(c, &h, &v);
	/* All ones stand for the whole field, however wide it is. */
	if (e == OF_OFPBMC_BAD_VALUE)
		e = OF_OK;
	if (e)
		return e;
	if (g->n_fields == OF_METHOD_FIELDS)
		return OF_OFPBPC_TOO_MANY;
	for (unsigned i = 0; i < g->n_fields; i++)
		if (g->fields[i].field == h.oxm->field)
			return OF_OFPBMC_DUP_FIELD;
	n = field_to_u64(&v.value);
	if (!n && field_get(h.oxm->field)->bits <= 64)
		return OF_OFPBMC_BAD_MASK;
	g->fields[g->n_fields].field = h.oxm->field;
	g->fields[g->n_fields++].mask = v.value;
	return OF_OK;
}

static enum of_error get_method(struct of_prop *p, struct of_group *g)
{
	uint64_t high;
	enum of_error e = OF_OK;

	if (g->type != OF_GROUP_TYPE_SELECT)
		return OF_OFPBPC_BAD_VALUE;
	cursor_skip(&p->body, 4);
	cursor_copy(&p->body, g->method, OF_METHOD_LEN);
	high = cursor_u32(&p->body);
	g->method_param = high << 32 | cursor_u32(&p->body);
	if (p->body.failed)
		return OF_OFPBPC_BAD_LEN;
	if (!memchr(g->method, 0, OF_METHOD_LEN) ||
	    (strcmp(g->method, "hash") && strcmp(g->method, "dp_hash")))
		return OF_OFPBPC_BAD_VALUE;
	/* Nothing but NULs behind the name. */
	memset(g->method + strlen(g->method), 0,
	       OF_METHOD_LEN - strlen(g->method));
	if (!cursor_at_end(&p->body) && strcmp(g->method, "hash"))
		return OF_OFPBPC_BAD_VALUE;
	while (!e && !cursor_at_end(&p->body))
		e = get_field(&p->body, g);
	return e;
}

static enum of_error get_props(struct cursor *c, struct of_group *g)
{
	enum of_error e = OF_OK;
	struct of_prop p;

	while (!e && !cursor_at_end(c)) {
		e = of_prop_next(c, &p);
		if (e)
			break;
		if (p.type == OF_PROP_EXPERIMENTER &&
		    p.vendor_type == NTR_METHOD &&
		    (p.vendor == VENDOR_NTR || p.vendor == VENDOR_NTR_OLD))
			e = get_method(&p, g);
		else
			e = of_prop_unknown(&p);
	}
	return e;
}

/* --- changes --- */

static const struct wire mod11[] = {
	W_INT(struct of_group, command, 2),
	W_INT(struct of_group, type, 1),
	W_PAD(1),
	W_INT(struct of_group, id, 4),
	W_END,
};

bool of_group_mod_encode(struct of_out *o, unsigned version, uint32_t xid,
			 const struct of_group *g)
{
	size_t before = o->len,
	       at = of_msg_begin(o, OF_GROUP_MOD, version, xid);
	size_t buckets, len_at = 0;
	bool whole;

	wire_write(o, mod11, g);
	if (is_15(version)) {
		len_at = o->len;
		of_out_add(o, 4);
		of_out_int(o, g->command_bucket, 4);
	}
	buckets = o->len;
	whole = put_buckets(o, version, g);
	if (len_at && o->len - buckets <= UINT16_MAX) {
		of_out_patch16(o, len_at, o->len - buckets);
		put_method(o, version, g);
	}
	if (!whole || o->len - at > OF_MESSAGE_MAX) {
		of_out_truncate(o, before);
		return false;
	}
	of_msg_end(o, at);
	return true;
}

static enum of_error check_command(const struct of_group *g, unsigned version)
{
	switch (g->command) {
	case OF_GROUP_ADD:
	case OF_GROUP_MODIFY:
	case OF_GROUP_DELETE:
	case OF_GROUP_ADD_OR_MODIFY:
		return OF_OK;
	case OF_GROUP_INSERT_BUCKET:
		return is_15(version) ? OF_OK : OF_OFPGMFC_BAD_COMMAND;
	case OF_GROUP_REMOVE_BUCKET:
		if (!is_15(version))
			return OF_OFPGMFC_BAD_COMMAND;
		return g->n_buckets ? OF_OFPGMFC_BAD_BUCKET : OF_OK;
	default:
		return OF_OFPGMFC_BAD_COMMAND;
	}
}

static bool watches(const struct of_bucket *b)
{
	return b->watch_port != OF_PORT_NONE || b->watch_group != OF_GROUP_ANY;
}

static enum of_error check_bucket(const struct of_group *g,
				  const struct of_bucket *b)
{
	if (b->weight && g->type != OF_GROUP_TYPE_SELECT &&
	    g->command != OF_GROUP_INSERT_BUCKET)
		return OF_OFPGMFC_INVALID_GROUP;
	if (g->type == OF_GROUP_TYPE_FF && !watches(b))
		return OF_OFPGMFC_INVALID_GROUP;
	if ((g->type == OF_GROUP_TYPE_ALL ||
	     g->type == OF_GROUP_TYPE_INDIRECT) &&
	    watches(b))
		return OF_OFPGMFC_WATCH_UNSUPPORTED;
	return OF_OK;
}

/* The ids that commands name buckets by are none of a bucket. */
static enum of_error check_ids(const struct of_group *g, unsigned version)
{
	if (!is_15(version))
		return OF_OK;
	for (size_t i = 0; i < g->n_buckets; i++)
		if (g->buckets[i].id > OF_BUCKET_MAX)
			return OF_OFPGMFC_BAD_BUCKET;
	if (g->command == OF_GROUP_INSERT_BUCKET &&
	    g->command_bucket > OF_BUCKET_MAX &&
	    g->command_bucket != OF_BUCKET_FIRST &&
	    g->command_bucket != OF_BUCKET_LAST)
		return OF_OFPGMFC_BAD_BUCKET;
	return OF_OK;
}

static enum of_error check_group(const struct of_group *g, unsigned version)
{
	enum of_error e;

	if (g->type >= N_OF_GROUP_TYPES)
		return OF_OFPGMFC_BAD_TYPE;
	if (g->type == OF_GROUP_TYPE_INDIRECT && g->n_buckets != 1 &&
	    g->command != OF_GROUP_DELETE)
		return OF_OFPGMFC_INVALID_GROUP;
	e = check_command(g, version);
	for (size_t i = 0; !e && i < g->n_buckets; i++)
		e = check_bucket(g, &g->buckets[i]);
	return e ? e : check_ids(g, version);
}

static enum of_error mod_get(struct cursor *c, unsigned version,
			     struct of_group *g)
{
	struct cursor buckets;
	uint16_t len;
	enum of_error e;

	wire_read(c, mod11, g);
	if (is_15(version)) {
		len = cursor_u16(c);
		cursor_skip(c, 2);
		g->command_bucket = cursor_u32(c);
		buckets = cursor_sub(c, len);
	} else {
		buckets = cursor_sub(c, cursor_left(c));
	}
	if (c->failed)
		return OF_OFPGMFC_BAD_BUCKET;
	e = get_buckets(buckets, version, g);
	if (!e)
		e = get_props(c, g);
	return e ? e : check_group(g, version);
}

enum of_error of_group_mod_decode(const struct of_msg *m, struct of_group *g)
{
	struct cursor c = m->body;
	enum of_error e;

	memset(g, 0, sizeof(*g));
	g->command_bucket = OF_BUCKET_ALL;
	e = mod_get(&c, m->h.version, g);
	if (e)
		of_group_fini(g);
	return e;
}

/* --- description --- */

void of_group_desc_put(struct of_out *o, unsigned version,
		       const struct of_group *g)
{
	size_t begin = o->len, len_at, buckets;

	of_out_int(o, 0, 2);
	of_out_int(o, g->type, 1);
	of_out_add(o, 1);
	of_out_int(o, g->id, 4);
	len_at = o->len;
	if (is_15(version))
		of_out_add(o, 8);
	buckets = o->len;
	(void)put_buckets(o, version, g);
	if (is_15(version)) {
		of_out_patch16(o, len_at, MIN(o->len - buckets, UINT16_MAX));
		put_method(o, version, g);
	}
	of_out_patch16(o, begin, MIN(o->len - begin, UINT16_MAX));
}

enum of_error of_group_desc_get(struct cursor *c, unsigned version,
				struct of_group *g)
{
	struct cursor peek = *c, part, buckets;
	uint16_t len;
	enum of_error e;

	memset(g, 0, sizeof(*g));
	g->command_bucket = OF_BUCKET_ALL;
	part = cursor_sub(c, cursor_u16(&peek));
	cursor_skip(&part, 2);
	g->type = cursor_u8(&part);
	cursor_skip(&part, 1);
	g->id = cursor_u32(&part);
	len = (uint16_t)cursor_left(&part);
	if (is_15(version)) {
		len = cursor_u16(&part);
		cursor_skip(&part, 6);
	}
	buckets = cursor_sub(&part, len);
	if (part.failed)
		return OF_OFPBRC_BAD_LEN;
	e = get_buckets(buckets, version, g);
	if (!e)
		e = get_props(&part, g);
	if (e)
		of_group_fini(g);
	return e;
}

/* --- which group; statistics; features --- */

void of_group_query_encode(struct of_out *o, enum of_kind kind,
			   unsigned version, uint32_t xid, uint32_t id)
{
	size_t at = of_msg_begin(o, kind, version, xid);

	if (kind == OF_GROUP_STATS_REQUEST || is_15(version)) {
		of_out_int(o, id, 4);
		of_out_add(o, 4);
	}
	of_msg_end(o, at);
}

enum of_error of_group_query_decode(const struct of_msg *m, uint32_t *id)
{
	struct cursor c = m->body;

	*id = OF_GROUP_ALL;
	if (cursor_at_end(&c))
		return OF_OK;
	*id = cursor_u32(&c);
	cursor_skip(&c, 4);
	return of_msg_done(&c);
}

#define STATS_COUNTS                                                           \
	W_INT(struct of_group_stats, id, 4),                                   \
		W_INT(struct of_group_stats, refs, 4), W_PAD(4),               \
		W_INT(struct of_group_stats, packets, 8),                      \
		W_INT(struct of_group_stats, bytes, 8)

static const struct wire stats11[] = { W_PAD(2), STATS_COUNTS, W_END };
static const struct wire stats13[] = {
	W_PAD(2),
	STATS_COUNTS,
	W_INT(struct of_group_stats, duration_sec, 4),
	W_INT(struct of_group_stats, duration_nsec, 4),
	W_END,
};
static const struct wire bucket_wire[] = {
	W_INT(struct of_bucket_stats, packets, 8),
	W_INT(struct of_bucket_stats, bytes, 8),
	W_END,
};

/* 1.0's extension has the layout of 1.3. */
static const struct wire *stats_table(unsigned version)
{
	return version == OF11 || version == OF12 ? stats11 : stats13;
}

void of_group_stats_put(struct of_out *o, unsigned version,
			const struct of_group_stats *s)
{
	size_t begin = o->len;

	of_out_int(o, 0, 2);
	wire_write(o, stats_table(version), s);
	for (size_t i = 0; i < s->n_buckets; i++)
		wire_write(o, bucket_wire, &s->buckets[i]);
	of_out_patch16(o, begin, MIN(o->len - begin, UINT16_MAX));
}

enum of_error of_group_stats_get(struct cursor *c, unsigned version,
				 struct of_group_stats *s)
{
	struct cursor peek = *c, part;

	memset(s, 0, sizeof(*s));
	part = cursor_sub(c, cursor_u16(&peek));
	cursor_skip(&part, 2);
	wire_read(&part, stats_table(version), s);
	s->n_buckets = cursor_left(&part) / wire_len(bucket_wire);
	if (part.failed || cursor_left(&part) % wire_len(bucket_wire))
		return OF_OFPBRC_BAD_LEN;
	s->buckets = xcalloc(s->n_buckets + 1, sizeof(*s->buckets));
	for (size_t i = 0; i < s->n_buckets; i++)
		wire_read(&part, bucket_wire, &s->buckets[i]);
	return OF_OK;
}

void of_group_stats_fini(struct of_group_stats *s)
{
	free(s->buckets);
	s->buckets = NULL;
}

#define FEATURE(name, i) W_INT(struct of_group_features, name[i], 4)
static const struct wire features_wire[] = {
	W_INT(struct of_group_features, types, 4),
	W_INT(struct of_group_features, capabilities, 4),
	FEATURE(max_groups, 0),
	FEATURE(max_groups, 1),
	FEATURE(max_groups, 2),
	FEATURE(max_groups, 3),
	FEATURE(actions, 0),
	FEATURE(actions, 1),
	FEATURE(actions, 2),
	FEATURE(actions, 3),
	W_END,
};

void of_group_features_encode(struct of_out *o, unsigned version, uint32_t xid,
			      const struct of_group_features *f)
{
	size_t at =
		of_msg_begin(o, OF_GROUP_FEATURES_STATS_REPLY, version, xid);

	wire_write(o, features_wire, f);
	of_msg_end(o, at);
}

enum of_error of_group_features_decode(const struct of_msg *m,
				       struct of_group_features *f)
{
	struct cursor c = m->body;

	wire_read(&c, features_wire, f);
	return of_msg_done(&c);
}
