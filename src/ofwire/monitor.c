/* SPDX-License-Identifier: Apache-2.0 */
#include "ofwire/monitor.h"

#include "ofwire/wire.h"

#define FLAGS_KNOWN 0x7fu
#define FLAGS_NX 0x3fu
#define HEAD_LEN 8u

/* Nicira's events, by ours: it has no initial, no paused. */
static const uint8_t nx_event[] = { 0, 0, 1, 2, 3 };
static const uint8_t from_nx[] = { OF_UPDATE_ADDED, OF_UPDATE_REMOVED,
				   OF_UPDATE_MODIFIED, OF_UPDATE_ABBREV };

struct request {
	struct of_monitor m;
	uint16_t match_len;
};

static const struct wire request_nx[] = {
	W_INT(struct request, m.id, 4),
	W_INT(struct request, m.flags, 2),
	W_PORT(struct request, m.out_port, 2),
	W_INT(struct request, match_len, 2),
	W_INT(struct request, m.table, 1),
	W_PAD(5),
	W_END,
};
static const struct wire request_onf[] = {
	W_INT(struct request, m.id, 4),
	W_INT(struct request, m.flags, 2),
	W_INT(struct request, match_len, 2),
	W_PORT(struct request, m.out_port, 4),
	W_INT(struct request, m.table, 1),
	W_PAD(3),
	W_END,
};
static const struct wire request14[] = {
	W_INT(struct request, m.id, 4),
	W_PORT(struct request, m.out_port, 4),
	W_INT(struct request, m.out_group, 4),
	W_INT(struct request, m.flags, 2),
	W_INT(struct request, m.table, 1),
	W_INT(struct request, m.command, 1),
	W_END,
};

/* ONF's match has the standard's header, and its length is said twice. */
static void put_match(struct of_out *o, unsigned version, size_t len_at,
		      const struct match *m)
{
	size_t begin = o->len, len;

	if (version < OF13) {
		len = of_nxm_put(o, m, NULL);
	} else {
		of_match_put(o, version, m);
		len = get_be16(o->b + begin + 2);
	}
	of_out_patch16(o, len_at, len);
}

void of_monitor_put(struct of_out *o, unsigned version,
		    const struct of_monitor *mon)
{
	struct request r = { .m = *mon };
	size_t begin = o->len;

	if (version >= OF14) {
		wire_write(o, request14, &r);
		of_match_put(o, version, &mon->match);
		return;
	}
	r.m.flags &= FLAGS_NX;
	wire_write(o, version < OF13 ? request_nx : request_onf, &r);
	put_match(o, version, begin + (version < OF13 ? 8 : 6), &mon->match);
}

enum of_error of_monitor_get(struct cursor *c, unsigned version,
			     struct of_monitor *mon)
{
	struct request r = { .m.out_group = OF_GROUP_ANY };
	uint16_t known = version < OF14 ? FLAGS_NX : FLAGS_KNOWN;
	enum of_error e;

	wire_read(c,
		  version < OF13 ? request_nx :
		  version < OF14 ? request_onf :
				   request14,
		  &r);
	if (c->failed)
		return OF_OFPBRC_BAD_LEN;
	if (r.m.command > OF_MONITOR_COMMAND_DELETE)
		return OF_OFPMOFC_BAD_COMMAND;
	if (r.m.flags & ~known)
		return OF_OFPMOFC_BAD_FLAGS;
	e = version < OF13 ?
		    of_nxm_get(c, r.match_len, OF_MATCH_STRICT, &r.m.match,
			       NULL) :
		    of_match_get(c, version, OF_MATCH_STRICT, &r.m.match);
	*mon = r.m;
	return e;
}

/* --- updates --- */

struct full {
	struct of_update u;
	uint16_t reason16, match_len;
};

static const struct wire full_nx[] = {
	W_INT(struct full, reason16, 2),
	W_INT(struct full, u.priority, 2),
	W_INT(struct full, u.idle, 2),
	W_INT(struct full, u.hard, 2),
	W_INT(struct full, match_len, 2),
	W_INT(struct full, u.table, 1),
	W_PAD(1),
	W_INT(struct full, u.cookie, 8),
	W_END,
};
static const struct wire full14[] = {
	W_INT(struct full, u.table, 1),    W_INT(struct full, u.reason, 1),
	W_INT(struct full, u.idle, 2),     W_INT(struct full, u.hard, 2),
	W_INT(struct full, u.priority, 2), W_PAD(4),
	W_INT(struct full, u.cookie, 8),   W_END,
};

void of_update_fini(struct of_update *u)
{
	of_acts_fini(&u->acts);
}

static bool is_full(uint8_t event)
{
	return event < OF_UPDATE_ABBREV;
}

static bool put_full(struct of_out *o, unsigned version,
		     const struct of_update *u)
{
	struct full f = { .u = *u, .reason16 = u->reason };
	struct of_act_list list = of_acts_list(&u->acts);
	size_t begin = o->len;

	wire_write(o, version < OF13 ? full_nx : full14, &f);
	if (version < OF13)
		put_match(o, version, begin + 8, &u->match);
	else
		of_match_put(o, version, &u->match);
	/* Nicira's form has actions alone, in 1.1 and 1.2 too. */
	return version < OF13 ? of_acts_encode(o, version, list) :
				of_insts_encode(o, version, list);
}

bool of_update_put(struct of_out *o, unsigned version,
		   const struct of_update *u)
{
	size_t begin = o->len;
	bool whole = true;

	of_out_int(o, 0, 2);
	of_out_int(o,
		   version < OF14 && u->event < ARRAY_SIZE(nx_event) ?
			   nx_event[u->event] :
			   u->event,
		   2);
	if (is_full(u->event))
		whole = put_full(o, version, u);
	else
		of_out_int(o, u->event == OF_UPDATE_ABBREV ? u->xid : 0, 4);
	of_out_patch16(o, begin, MIN(o->len - begin, UINT16_MAX));
	return whole;
}

static enum of_error get_full(struct cursor *c, unsigned version,
			      struct of_update *u)
{
	struct full f = { .u = *u };
	enum of_error e;

	wire_read(c, version < OF13 ? full_nx : full14, &f);
	if (version < OF13) {
		f.u.reason = (uint8_t)f.reason16;
		e = of_nxm_get(c, f.match_len, OF_MATCH_LOOSE, &f.u.match,
			       NULL);
	} else {
		e = of_match_get(c, version, OF_MATCH_LOOSE, &f.u.match);
	}
	if (!e && c->failed)
		e = OF_OFPBRC_BAD_LEN;
	if (!e)
		e = version < OF13 ? of_acts_decode(*c, version, &f.u.acts) :
				     of_insts_decode(*c, version, &f.u.acts);
	*u = f.u;
	return e;
}

static enum of_error get_event(struct cursor *c, unsigned version,
			       uint8_t *event)
{
	uint16_t raw = cursor_u16(c);

	if (version >= OF14) {
		*event = (uint8_t)raw;
		return raw > OF_UPDATE_RESUMED ? OF_NXBRC_FM_BAD_EVENT : OF_OK;
	}
	if (raw >= ARRAY_SIZE(from_nx))
		return OF_NXBRC_FM_BAD_EVENT;
	*event = from_nx[raw];
	return OF_OK;
}

enum of_error of_update_get(struct cursor *c, unsigned version,
			    struct of_update *u)
{
	struct cursor peek = *c, part;
	uint16_t len = cursor_u16(&peek);
	enum of_error e;

	memset(u, 0, sizeof(*u));
	part = cursor_sub(c, len);
	if (part.failed || len < HEAD_LEN || len % 8)
		return OF_OFPBRC_BAD_LEN;
	cursor_skip(&part, 2);
	e = get_event(&part, version, &u->event);
	if (e)
		return e;
	if (is_full(u->event))
		return get_full(&part, version, u);
	u->xid = cursor_u32(&part);
	return of_msg_done(&part);
}
