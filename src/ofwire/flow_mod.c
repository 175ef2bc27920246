/* SPDX-License-Identifier: Apache-2.0 */
#include "ofwire/flow.h"

#include "ofwire/wire.h"

#define NXT_FLOW_MOD 13u
#define EMERG10 4u
#define WC10_ALL 0x3fffffu
#define PRIORITY_MAX 0xffffu

/* What stands on the wire beside match and actions. */
struct fixed {
	uint64_t cookie, cookie_mask;
	uint16_t command, idle, hard, priority, flags, importance, match_len;
	uint8_t table;
	uint32_t buffer_id, out_port, out_group;
};

static const struct wire wire10[] = {
	W_INT(struct fixed, cookie, 8),
	W_INT(struct fixed, command, 2),
	W_INT(struct fixed, idle, 2),
	W_INT(struct fixed, hard, 2),
	W_INT(struct fixed, priority, 2),
	W_INT(struct fixed, buffer_id, 4),
	W_PORT(struct fixed, out_port, 2),
	W_INT(struct fixed, flags, 2),
	W_END,
};
static const struct wire wire_nx[] = {
	W_INT(struct fixed, cookie, 8),
	W_INT(struct fixed, command, 2),
	W_INT(struct fixed, idle, 2),
	W_INT(struct fixed, hard, 2),
	W_INT(struct fixed, priority, 2),
	W_INT(struct fixed, buffer_id, 4),
	W_PORT(struct fixed, out_port, 2),
	W_INT(struct fixed, flags, 2),
	W_INT(struct fixed, match_len, 2),
	W_PAD(6),
	W_END,
};
static const struct wire wire11[] = {
	W_INT(struct fixed, cookie, 8),
	W_INT(struct fixed, cookie_mask, 8),
	W_INT(struct fixed, table, 1),
	W_INT(struct fixed, command, 1),
	W_INT(struct fixed, idle, 2),
	W_INT(struct fixed, hard, 2),
	W_INT(struct fixed, priority, 2),
	W_INT(struct fixed, buffer_id, 4),
	W_PORT(struct fixed, out_port, 4),
	W_INT(struct fixed, out_group, 4),
	W_INT(struct fixed, flags, 2),
	W_INT(struct fixed, importance, 2),
	W_END,
};

void of_flow_mod_fini(struct of_flow_mod *fm)
{
	of_acts_fini(&fm->acts);
}

/* --- reading --- */

static bool is_modify(const struct of_flow_mod *fm)
{
	return fm->command == OF_FLOW_MODIFY ||
	       fm->command == OF_FLOW_MODIFY_STRICT;
}

static bool is_delete(const struct of_flow_mod *fm)
{
	return fm->command >= OF_FLOW_DELETE;
}

static enum of_error set_flags(struct of_flow_mod *fm, uint16_t flags,
			       unsigned version)
{
	uint16_t known = OF_FLOW_SEND_REM | OF_FLOW_CHECK_OVERLAP;

	if (version == OF10)
		known |= EMERG10;
	if (version >= OF12)
		known |= OF_FLOW_RESET_COUNTS;
	if (version >= OF13)
		known |= OF_FLOW_NO_PKT_COUNTS | OF_FLOW_NO_BYT_COUNTS;
	if (flags & ~known)
		return OF_OFPFMFC_BAD_FLAGS;
	fm->flags = flags;
	if (version == OF10 && flags & EMERG10)
		fm->flags = (flags & (uint16_t)~EMERG10) | OF_FLOW_EMERG;
	return OF_OK;
}

static enum of_error set_common(struct of_flow_mod *fm, const struct fixed *f,
				unsigned version)
{
	if (f->command > OF_FLOW_DELETE_STRICT)
		return OF_OFPFMFC_BAD_COMMAND;
	fm->command = (uint8_t)f->command;
	fm->table = f->table;
	fm->priority = f->priority;
	fm->idle = f->idle;
	fm->hard = f->hard;
	fm->importance = version >= OF14 ? f->importance : 0;
	fm->buffer_id = f->buffer_id;
	/* They limit deletions, and nothing else. */
	fm->out_port = is_delete(fm) ? f->out_port : OF_PORT_NONE;
	fm->out_group = is_delete(fm) ? f->out_group : OF_GROUP_ANY;
	return set_flags(fm, f->flags, version);
}

/* 1.0: the high byte of the command is a table, once that is agreed on. */
static void split_command(struct fixed *f, const struct of_dialect *d)
{
	f->table = OF_TABLE_ALL;
	f->out_group = OF_GROUP_ANY;
	if (!d->table_id)
		return;
	f->table = (uint8_t)(f->command >> 8);
	f->command &= 0xff;
}

static enum of_error decode10(struct cursor *c, const struct of_dialect *d,
			      struct of_flow_mod *fm)
{
	struct fixed f = { 0 };
	struct cursor peek = *c;
	uint32_t wildcards = cursor_u32(&peek);
	enum of_error e = of_match_get(c, OF10, OF_MATCH_STRICT, &fm->match);

	if (e)
		return e;
	wire_read(c, wire10, &f);
	split_command(&f, d);
	fm->new_cookie = f.cookie;
	e = set_common(fm, &f, OF10);
	/* 1.0.0 3.4: an exact match has the highest priority. */
	if (!(wildcards & WC10_ALL))
		fm->priority = PRIORITY_MAX;
	return e;
}

static enum of_error decode_nx(struct cursor *c, const struct of_dialect *d,
			       struct of_flow_mod *fm)
{
	struct of_cookie cookie;
	struct fixed f = { 0 };
	enum of_error e;

	wire_read(c, wire_nx, &f);
	split_command(&f, d);
	e = of_nxm_get(c, f.match_len, OF_MATCH_STRICT, &fm->match, &cookie);
	if (e)
		return e;
	fm->new_cookie = f.cookie;
	e = set_common(fm, &f, OF10);
	/* An addition is not chosen by a cookie. */
	if (!e && fm->command == OF_FLOW_ADD && cookie.mask)
		return OF_NXBRC_NXM_INVALID;
	fm->cookie = cookie.value;
	fm->cookie_mask = cookie.mask;
	return e;
}

static enum of_error decode11(struct cursor *c, unsigned version,
			      struct of_flow_mod *fm)
{
	struct fixed f = { 0 };
	enum of_error e;

	wire_read(c, wire11, &f);
	e = of_match_get(c, version, OF_MATCH_STRICT, &fm->match);
	if (!e)
		e = set_common(fm, &f, version);
	if (e)
		return e;
	if (fm->command == OF_FLOW_ADD) {
		fm->new_cookie = f.cookie;
		return OF_OK;
	}
	fm->cookie = f.cookie_mask ? f.cookie : 0;
	fm->cookie_mask = f.cookie_mask;
	fm->new_cookie = OF_COOKIE_KEEP;
	/* 1.1.0 A.3.4.1: a modification that finds none adds. */
	if (version == OF11 && is_modify(fm) && !f.cookie_mask)
		fm->new_cookie = f.cookie;
	return OF_OK;
}

enum of_error of_flow_mod_decode(const struct of_msg *m,
				 const struct of_dialect *d,
				 struct of_flow_mod *fm)
{
	struct cursor c = m->body;
	unsigned v = m->h.version;
	bool nx = m->family == OF_FAMILY_NX;
	enum of_error e;

	memset(fm, 0, sizeof(*fm));
	if (nx)
		e = decode_nx(&c, d, fm);
	else
		e = v == OF10 ? decode10(&c, d, fm) : decode11(&c, v, fm);
	if (!e && c.failed)
		e = OF_OFPBRC_BAD_LEN;
	if (e || is_delete(fm))
		return e;
	e = v == OF10 || nx ? of_acts_decode(c, v, &fm->acts) :
			      of_insts_decode(c, v, &fm->acts);
	if (e)
		of_flow_mod_fini(fm);
	else
		of_acts_settle(&fm->acts, &fm->match);
	return e;
}

/* --- writing --- */

static uint16_t flags_of(const struct of_flow_mod *fm, unsigned version)
{
	uint16_t flags = fm->flags & (OF_FLOW_SEND_REM | OF_FLOW_CHECK_OVERLAP);

	if (version == OF10 && fm->flags & OF_FLOW_EMERG)
		flags |= EMERG10;
	if (version >= OF12)
		flags |= fm->flags & OF_FLOW_RESET_COUNTS;
	if (version >= OF13)
		flags |= fm->flags &
			 (OF_FLOW_NO_PKT_COUNTS | OF_FLOW_NO_BYT_COUNTS);
	return flags;
}

static struct fixed fixed_of(const struct of_flow_mod *fm,
			     const struct of_dialect *d)
{
	struct fixed f = {
		.cookie = fm->new_cookie,
		.command = fm->command,
		.idle = fm->idle,
		.hard = fm->hard,
		.priority = fm->priority,
		.flags = flags_of(fm, d->version),
		.importance = d->version >= OF14 ? fm->importance : 0,
		.table = fm->table,
		.buffer_id = fm->buffer_id,
		.out_port = fm->out_port,
		.out_group = fm->out_group,
	};

	if (d->version == OF10) {
		if (d->table_id)
			f.command |= (uint16_t)(fm->table << 8);
	} else if (fm->command != OF_FLOW_ADD && fm->cookie_mask) {
		f.cookie = fm->cookie;
		f.cookie_mask = fm->cookie_mask;
	} else if (fm->new_cookie == OF_COOKIE_KEEP &&
		   fm->command != OF_FLOW_ADD) {
		f.cookie = 0;
	}
	return f;
}

static size_t encode10(struct of_out *o, const struct fixed *f, uint32_t xid,
		       const struct match *match)
{
	size_t at = of_msg_begin(o, OF_FLOW_MOD, OF10, xid);

	of_match_put(o, OF10, match);
	wire_write(o, wire10, f);
	return at;
}

static size_t encode_nx(struct of_out *o, const struct fixed *f, uint32_t xid,
			const struct of_flow_mod *fm)
{
	struct of_cookie cookie = { fm->cookie, fm->cookie_mask };
	size_t at = of_msg_begin_as(o, OF_FAMILY_NX, NXT_FLOW_MOD, OF10, xid);
	size_t head = o->len, len;

	wire_write(o, wire_nx, f);
	len = of_nxm_put(o, &fm->match, &cookie);
	of_out_patch16(o, head + 24, len);
	return at;
}

static size_t encode11(struct of_out *o, const struct fixed *f, unsigned v,
		       uint32_t xid, const struct match *match)
{
	size_t at = of_msg_begin(o, OF_FLOW_MOD, v, xid);

	wire_write(o, wire11, f);
	of_match_put(o, v, match);
	return at;
}

bool of_flow_mod_encode(struct of_out *o, const struct of_dialect *d,
			uint32_t xid, const struct of_flow_mod *fm)
{
	struct fixed f = fixed_of(fm, d);
	struct of_act_list list = of_acts_list(&fm->acts);
	size_t before = o->len, at;
	bool whole;

	if (d->version == OF10 && d->nxm)
		at = encode_nx(o, &f, xid, fm);
	else if (d->version == OF10)
		at = encode10(o, &f, xid, &fm->match);
	else
		at = encode11(o, &f, d->version, xid, &fm->match);
	whole = d->version == OF10 ? of_acts_encode(o, OF10, list) :
				     of_insts_encode(o, d->version, list);
	if (!whole || o->len - at > OF_MESSAGE_MAX) {
		of_out_truncate(o, before);
		return false;
	}
	of_msg_end(o, at);
	return true;
}
