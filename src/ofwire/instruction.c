/* SPDX-License-Identifier: Apache-2.0 */
#include "ofwire/act_codec.h"

enum {
	INST_GOTO_TABLE = 1,
	INST_WRITE_METADATA,
	INST_WRITE_ACTIONS,
	INST_APPLY_ACTIONS,
	INST_CLEAR_ACTIONS,
	INST_METER, /* 1.3 and 1.4 */
	N_INSTS
};
#define INST_EXPERIMENTER 0xffffu

/* What each kind's body may be; SIZE_MAX: any multiple of 8 behind 4. */
static const size_t body_len[N_INSTS] = {
	[INST_GOTO_TABLE] = 4,           [INST_WRITE_METADATA] = 20,
	[INST_WRITE_ACTIONS] = SIZE_MAX, [INST_APPLY_ACTIONS] = SIZE_MAX,
	[INST_CLEAR_ACTIONS] = 4,        [INST_METER] = 4,
};

/* The bodies found; a cursor without memory: not there. */
struct insts {
	struct cursor body[N_INSTS];
};

static enum of_error known(uint16_t type, unsigned version)
{
	if (type == INST_EXPERIMENTER)
		return OF_OFPBIC_BAD_EXPERIMENTER;
	if (!type || type >= N_INSTS)
		return OF_OFPBIC_UNKNOWN_INST;
	if (type == INST_METER && (version < OF13 || version > OF14))
		return OF_OFPBIC_UNKNOWN_INST;
	return OF_OK;
}

static enum of_error inst_find(struct cursor *c, unsigned version,
			       struct insts *found)
{
	uint16_t type = cursor_u16(c), len = cursor_u16(c);
	struct cursor body;
	enum of_error e;

	if (c->failed || len < 8 || len % 8)
		return OF_OFPBIC_BAD_LEN;
	body = cursor_sub(c, len - 4u);
	if (body.failed)
		return OF_OFPBIC_BAD_LEN;
	e = known(type, version);
	if (e)
		return e;
	if (found->body[type].at)
		return OF_OFPBIC_DUP_INST;
	if (body_len[type] != SIZE_MAX && cursor_left(&body) != body_len[type])
		return OF_OFPBIC_BAD_LEN;
	found->body[type] = body;
	return OF_OK;
}

static enum of_error get_write(struct cursor c, struct act_reader *r)
{
	size_t at = r->out->len;
	enum of_error e;

	of_acts_add(r->out, OFA_WRITE_ACTIONS, 0);
	cursor_skip(&c, 4);
	e = act_list_get(c, r);
	if (!e)
		of_acts_end(r->out, at);
	return e;
}

static enum of_error get_apply(struct cursor c, struct act_reader *r)
{
	cursor_skip(&c, 4);
	return act_list_get(c, r);
}

static const struct wire metadata_wire[] = {
	W_PAD(4),
	W_INT(struct of_act_metadata, value, 8),
	W_INT(struct of_act_metadata, mask, 8),
	W_END,
};

/* In the order in which a packet meets them, whatever order they came in. */
static enum of_error insts_get(const struct insts *f, struct act_reader *r)
{
	struct cursor c;
	enum of_error e = OF_OK;

	c = f->body[INST_METER];
	if (c.at)
		of_acts_int(r->out, OFA_METER, cursor_u32(&c));
	if (f->body[INST_APPLY_ACTIONS].at)
		e = get_apply(f->body[INST_APPLY_ACTIONS], r);
	if (f->body[INST_CLEAR_ACTIONS].at)
		of_acts_add(r->out, OFA_CLEAR_ACTIONS, 0);
	if (!e && f->body[INST_WRITE_ACTIONS].at)
		e = get_write(f->body[INST_WRITE_ACTIONS], r);
	c = f->body[INST_WRITE_METADATA];
	if (c.at)
		wire_read(&c, metadata_wire,
			  of_acts_add(r->out, OFA_WRITE_METADATA, 0));
	c = f->body[INST_GOTO_TABLE];
	if (c.at)
		of_acts_int(r->out, OFA_GOTO_TABLE, cursor_u8(&c));
	return e;
}

enum of_error of_insts_decode(struct cursor c, unsigned version,
			      struct of_acts *out)
{
	struct act_reader r = { .out = out, .version = version };
	struct insts found = { 0 };
	size_t before = out->len;
	enum of_error e = OF_OK;

	while (!e && !cursor_at_end(&c))
		e = inst_find(&c, version, &found);
	if (!e)
		e = insts_get(&found, &r);
	if (e)
		out->len = before;
	return e;
}

/* --- writing --- */

static size_t begin(struct of_out *o, uint16_t type)
{
	size_t at = o->len;

	of_out_int(o, type, 2);
	of_out_int(o, 0, 2);
	return at;
}

static bool end(struct of_out *o, size_t at)
{
	if (o->len - at > UINT16_MAX) {
		of_out_truncate(o, at);
		return false;
	}
	of_out_patch16(o, at + 2, o->len - at);
	return true;
}

static bool put_actions(struct of_out *o, uint16_t type, unsigned version,
			struct of_act_list list)
{
	size_t at = begin(o, type);
	bool whole;

	of_out_add(o, 4);
	whole = act_list_put(o, version, list);
	return end(o, at) && whole;
}

static bool put_inst(struct of_out *o, unsigned version, const struct of_act *a)
{
	const struct of_act_int *number = (const void *)a;
	size_t at;

	switch (a->kind) {
	case OFA_METER:
		at = begin(o, INST_METER);
		of_out_int(o, number->v, 4);
		return end(o, at);
	case OFA_CLEAR_ACTIONS:
		at = begin(o, INST_CLEAR_ACTIONS);
		of_out_add(o, 4);
		return end(o, at);
	case OFA_WRITE_ACTIONS:
		return put_actions(o, INST_WRITE_ACTIONS, version,
				   of_act_nested(a));
	case OFA_WRITE_METADATA:
		at = begin(o, INST_WRITE_METADATA);
		wire_write(o, metadata_wire, a);
		return end(o, at);
	default:
		at = begin(o, INST_GOTO_TABLE);
		of_out_int(o, number->v, 1);
		of_out_add(o, 3);
		return end(o, at);
	}
}

/* The list's own actions stand before its instructions; those from `from` to
 * `to` go into one apply. */
static bool put_apply(struct of_out *o, unsigned version,
		      const struct of_act *from, const void *to)
{
	size_t len = (size_t)((const char *)to - (const char *)from);
	struct of_act_list list = { from, len };

	return !len || put_actions(o, INST_APPLY_ACTIONS, version, list);
}

bool of_insts_encode(struct of_out *o, unsigned version,
		     struct of_act_list list)
{
	const char *stop = (const char *)list.first + list.len;
	const struct of_act *actions = list.first;
	bool whole = true, applied = false;

	if (list.len && list.first->kind == OFA_METER &&
	    (version == OF13 || version == OF14)) {
		whole &= put_inst(o, version, list.first);
		actions = (const void *)((const char *)list.first +
					 list.first->len);
	}
	of_act_for_each(a, list) {
		if (!of_act_is_instruction(a))
			continue;
		if (!applied)
			whole &= put_apply(o, version, actions, a);
		applied = true;
		whole &= put_inst(o, version, a);
	}
	if (!applied && list.len)
		whole &= put_apply(o, version, actions, stop);
	return whole;
}
