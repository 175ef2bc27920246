/* SPDX-License-Identifier: Apache-2.0 */
#include "ofwire/packet.h"

#include "ofwire/prop.h"
#include "ofwire/wire.h"

#define NXT_PACKET_IN 17u
#define NXT_PACKET_IN2 30u

struct fixed {
	struct of_packet_in pi;
	uint32_t in_port, phy_port;
	uint16_t total16, match_len;
};

static const struct wire wire10[] = {
	W_INT(struct fixed, pi.buffer_id, 4),
	W_INT(struct fixed, total16, 2),
	W_PORT(struct fixed, in_port, 2),
	W_INT(struct fixed, pi.reason, 1),
	W_PAD(1),
	W_END,
};
static const struct wire wire11[] = {
	W_INT(struct fixed, pi.buffer_id, 4),
	W_PORT(struct fixed, in_port, 4),
	W_PORT(struct fixed, phy_port, 4),
	W_INT(struct fixed, total16, 2),
	W_INT(struct fixed, pi.reason, 1),
	W_INT(struct fixed, pi.table, 1),
	W_END,
};
static const struct wire wire12[] = {
	W_INT(struct fixed, pi.buffer_id, 4),
	W_INT(struct fixed, total16, 2),
	W_INT(struct fixed, pi.reason, 1),
	W_INT(struct fixed, pi.table, 1),
	W_END,
};
static const struct wire wire13[] = {
	W_INT(struct fixed, pi.buffer_id, 4), W_INT(struct fixed, total16, 2),
	W_INT(struct fixed, pi.reason, 1),    W_INT(struct fixed, pi.table, 1),
	W_INT(struct fixed, pi.cookie, 8),    W_END,
};
static const struct wire wire_nx[] = {
	W_INT(struct fixed, pi.buffer_id, 4),
	W_INT(struct fixed, total16, 2),
	W_INT(struct fixed, pi.reason, 1),
	W_INT(struct fixed, pi.table, 1),
	W_INT(struct fixed, pi.cookie, 8),
	W_INT(struct fixed, match_len, 2),
	W_PAD(6),
	W_END,
};

enum {
	PIN_PACKET,
	PIN_FULL_LEN,
	PIN_BUFFER_ID,
	PIN_TABLE,
	PIN_COOKIE,
	PIN_REASON,
	PIN_METADATA,
	PIN_USERDATA,
	PIN_CONTINUATION,
};

static void set_in_port(struct match *m, uint32_t port)
{
	match_init(m);
	m->key.in_port = port;
	MASK_SET(&m->mask, in_port);
}

/* --- writing --- */

static uint8_t reason_in(uint8_t reason, unsigned version)
{
	return version < OF14 && reason > OF_REASON_INVALID_TTL ?
		       OF_REASON_ACTION :
		       reason;
}

static size_t begin_standard(struct of_out *o, const struct fixed *f,
			     unsigned version, uint32_t xid)
{
	size_t at = of_msg_begin(o, OF_PACKET_IN, version, xid);

	if (version == OF10)
		wire_write(o, wire10, f);
	else if (version == OF11)
		wire_write(o, wire11, f);
	else
		wire_write(o, version == OF12 ? wire12 : wire13, f);
	if (version >= OF12) {
		of_match_put(o, version, &f->pi.metadata);
		of_out_add(o, 2); /* the IP header comes to stand aligned */
	}
	return at;
}

static size_t begin_nx(struct of_out *o, const struct fixed *f,
		       unsigned version, uint32_t xid)
{
	size_t at =
		of_msg_begin_as(o, OF_FAMILY_NX, NXT_PACKET_IN, version, xid);
	size_t head = o->len;

	wire_write(o, wire_nx, f);
	of_out_patch16(o, head + 16, of_nxm_put(o, &f->pi.metadata, NULL));
	of_out_add(o, 2);
	return at;
}

static void put_int(struct of_out *o, uint16_t type, uint64_t v, unsigned n)
{
	size_t at = of_prop_begin(o, type);

	of_out_int(o, v, n);
	of_prop_end(o, at);
}

static void put_bytes(struct of_out *o, uint16_t type, struct cursor c)
{
	size_t at = of_prop_begin(o, type), n = cursor_left(&c);

	of_out_bytes(o, cursor_take(&c, n), n);
	of_prop_end(o, at);
}

/* Properties within a property begin at a multiple of 8. */
static void put_nested(struct of_out *o, struct cursor c)
{
	size_t at = of_prop_begin(o, PIN_CONTINUATION), n = cursor_left(&c);

	of_out_add(o, 4);
	of_out_bytes(o, cursor_take(&c, n), n);
	of_prop_end(o, at);
}

static void put_props(struct of_out *o, unsigned version,
		      const struct of_packet_in *pi)
{
	size_t at;

	at = of_prop_begin(o, PIN_PACKET);
	of_out_bytes(o, pi->packet, pi->len);
	of_prop_end(o, at);
	if (pi->total_len != pi->len)
		put_int(o, PIN_FULL_LEN, pi->total_len, 4);
	if (pi->buffer_id != OF_BUFFER_NONE)
		put_int(o, PIN_BUFFER_ID, pi->buffer_id, 4);
	put_int(o, PIN_TABLE, pi->table, 1);
	if (pi->cookie != UINT64_MAX) {
		at = of_prop_begin(o, PIN_COOKIE);
		of_out_add(o, 4);
		of_out_int(o, pi->cookie, 8);
		of_prop_end(o, at);
	}
	put_int(o, PIN_REASON, reason_in(pi->reason, version), 1);
	at = of_prop_begin(o, PIN_METADATA);
	of_oxm_encode(o, version, &pi->metadata);
	of_prop_end(o, at);
	if (cursor_left(&pi->userdata))
		put_bytes(o, PIN_USERDATA, pi->userdata);
	if (pi->has_continuation)
		put_nested(o, pi->continuation);
}

void of_packet_in_encode(struct of_out *o, enum of_packet_in_form form,
			 unsigned version, uint32_t xid,
			 const struct of_packet_in *pi)
{
	struct fixed f = {
		.pi = *pi,
		.in_port = pi->metadata.key.in_port,
		.phy_port = pi->metadata.key.in_port,
		.total16 = (uint16_t)MIN(pi->total_len, 0xffffu),
	};
	size_t at;

	f.pi.reason = reason_in(pi->reason, version);
	if (form == OF_PIN_NXT2) {
		at = of_msg_begin_as(o, OF_FAMILY_NX, NXT_PACKET_IN2, version,
				     xid);
		put_props(o, version, pi);
	} else {
		at = form == OF_PIN_NXT ? begin_nx(o, &f, version, xid) :
					  begin_standard(o, &f, version, xid);
		of_out_bytes(o, pi->packet, pi->len);
	}
	of_msg_end(o, at);
}

void of_resume_encode(struct of_out *o, unsigned version, uint32_t xid,
		      const struct of_packet_in *pi)
{
	size_t at = of_msg_begin(o, OF_RESUME, version, xid);

	put_props(o, version, pi);
	of_msg_end(o, at);
}

/* --- reading --- */

static enum of_error get_prop(struct of_prop *p, struct of_packet_in *pi)
{
	uint64_t high;

	switch (p->type) {
	case PIN_PACKET:
		pi->len = cursor_left(&p->body);
		pi->packet = cursor_take(&p->body, pi->len);
		break;
	case PIN_FULL_LEN:
		pi->total_len = cursor_u32(&p->body);
		break;
	case PIN_BUFFER_ID:
		pi->buffer_id = cursor_u32(&p->body);
		break;
	case PIN_TABLE:
		pi->table = cursor_u8(&p->body);
		break;
	case PIN_COOKIE:
		cursor_skip(&p->body, 4);
		high = cursor_u32(&p->body);
		pi->cookie = high << 32 | cursor_u32(&p->body);
		break;
	case PIN_REASON:
		pi->reason = cursor_u8(&p->body);
		break;
	case PIN_METADATA:
		return of_oxm_decode(p->body, OF_MATCH_LOOSE, &pi->metadata,
				     NULL);
	case PIN_USERDATA:
		pi->userdata = p->body;
		return OF_OK;
	case PIN_CONTINUATION:
		if (!cursor_skip(&p->body, 4))
			return OF_OFPBPC_BAD_LEN;
		pi->continuation = p->body;
		pi->has_continuation = true;
		return OF_OK;
	default:
		return of_prop_unknown(p);
	}
	return of_prop_done(p);
}

static enum of_error get_props(struct cursor *c, struct of_packet_in *pi)
{
	enum of_error e = OF_OK;
	struct of_prop p;

	pi->cookie = UINT64_MAX;
	pi->buffer_id = OF_BUFFER_NONE;
	match_init(&pi->metadata);
	while (!e && !cursor_at_end(c)) {
		e = of_prop_next(c, &p);
		if (!e)
			e = get_prop(&p, pi);
	}
	if (!e && !pi->len)
		return OF_OFPBPC_BAD_LEN;
	if (!pi->total_len)
		pi->total_len = (uint32_t)pi->len;
	return e ? e : pi->total_len < pi->len ? OF_OFPBPC_BAD_VALUE : OF_OK;
}

static enum of_error get_standard(struct cursor *c, unsigned version,
				  struct fixed *f)
{
	enum of_error e;

	f->pi.cookie = UINT64_MAX;
	if (version <= OF11) {
		wire_read(c, version == OF10 ? wire10 : wire11, f);
		set_in_port(&f->pi.metadata, f->in_port);
		return OF_OK;
	}
	wire_read(c, version == OF12 ? wire12 : wire13, f);
	e = of_match_get(c, version, OF_MATCH_LOOSE, &f->pi.metadata);
	cursor_skip(c, 2);
	return e;
}

static enum of_error get_nx(struct cursor *c, struct fixed *f)
{
	enum of_error e;

	wire_read(c, wire_nx, f);
	e = of_nxm_get(c, f->match_len, OF_MATCH_LOOSE, &f->pi.metadata, NULL);
	cursor_skip(c, 2);
	return e;
}

enum of_error of_packet_in_decode(const struct of_msg *m,
				  struct of_packet_in *pi)
{
	struct cursor c = m->body;
	struct fixed f = { 0 };
	enum of_error e;

	if (m->family == OF_FAMILY_NX && m->number != NXT_PACKET_IN) {
		e = get_props(&c, &f.pi);
	} else {
		e = m->family == OF_FAMILY_NX ?
			    get_nx(&c, &f) :
			    get_standard(&c, m->h.version, &f);
		f.pi.total_len = f.total16;
		f.pi.len = cursor_left(&c);
		f.pi.packet = cursor_take(&c, f.pi.len);
		if (!e && c.failed)
			e = OF_OFPBRC_BAD_LEN;
	}
	*pi = f.pi;
	return e;
}

/* --- packet out --- */

struct out_fixed {
	uint32_t buffer_id, in_port;
	uint16_t acts_len;
};

static const struct wire out10[] = {
	W_INT(struct out_fixed, buffer_id, 4),
	W_PORT(struct out_fixed, in_port, 2),
	W_INT(struct out_fixed, acts_len, 2),
	W_END,
};
static const struct wire out11[] = {
	W_INT(struct out_fixed, buffer_id, 4),
	W_PORT(struct out_fixed, in_port, 4),
	W_INT(struct out_fixed, acts_len, 2),
	W_PAD(6),
	W_END,
};
static const struct wire out15[] = {
	W_INT(struct out_fixed, buffer_id, 4),
	W_INT(struct out_fixed, acts_len, 2),
	W_PAD(2),
	W_END,
};

void of_packet_out_fini(struct of_packet_out *po)
{
	of_acts_fini(&po->acts);
}

/* A packet comes from a port, from the controller or from nowhere. */
static bool is_source(uint32_t port)
{
	return port < OF_PORT_MAX || port == OF_PORT_LOCAL ||
	       port == OF_PORT_NONE || port == OF_PORT_CONTROLLER;
}

/* 1.5.1 7.3.6: what the packet itself says is not for the message to say. */
static bool is_pipeline(const struct match *m)
{
	struct flow_key mask = m->mask.bits;

	mask.in_port = mask.packet_type = 0;
	for (unsigned i = 0; i < KEY_PACKET_WORDS; i++)
		if (key_words(&mask)[i])
			return false;
	return true;
}

static enum of_error out_metadata(struct cursor *c, unsigned version,
				  const struct out_fixed *f, struct match *m)
{
	enum of_error e = OF_OK;

	if (version < OF15)
		set_in_port(m, f->in_port);
	else
		e = of_match_get(c, version, OF_MATCH_LOOSE, m);
	if (e)
		return e;
	if (!m->mask.bits.in_port || !is_source(m->key.in_port))
		return OF_OFPBRC_BAD_PORT;
	return is_pipeline(m) ? OF_OK : OF_OFPBRC_PIPELINE_FIELDS_ONLY;
}

enum of_error of_packet_out_decode(const struct of_msg *m,
				   struct of_packet_out *po)
{
	unsigned v = m->h.version;
	struct out_fixed f = { 0 };
	struct cursor c = m->body, acts;
	enum of_error e;

	memset(po, 0, sizeof(*po));
	wire_read(&c, v == OF10 ? out10 : v < OF15 ? out11 : out15, &f);
	po->buffer_id = f.buffer_id;
	e = out_metadata(&c, v, &f, &po->metadata);
	if (e)
		return e;
	acts = cursor_sub(&c, f.acts_len);
	if (c.failed)
		return OF_OFPBRC_BAD_LEN;
	e = of_acts_decode(acts, v, &po->acts);
	if (e) {
		of_packet_out_fini(po);
		return e;
	}
	if (po->buffer_id == OF_BUFFER_NONE) {
		po->len = cursor_left(&c);
		po->packet = cursor_take(&c, po->len);
	}
	return OF_OK;
}

bool of_packet_out_encode(struct of_out *o, unsigned version, uint32_t xid,
			  const struct of_packet_out *po)
{
	struct out_fixed f = { .buffer_id = po->buffer_id,
			       .in_port = po->metadata.key.in_port };
	size_t before = o->len;
	size_t at = of_msg_begin(o, OF_PACKET_OUT, version, xid);
	size_t head = o->len, acts;
	bool whole;

	wire_write(o,
		   version == OF10 ? out10 :
		   version < OF15  ? out11 :
				     out15,
		   &f);
	if (version == OF15)
		of_match_put(o, version, &po->metadata);
	acts = o->len;
	whole = of_acts_encode(o, version, of_acts_list(&po->acts));
	if (!whole || o->len - acts > UINT16_MAX ||
	    o->len - at + po->len > OF_MESSAGE_MAX) {
		of_out_truncate(o, before);
		return false;
	}
	of_out_patch16(o,
		       head + (version == OF10 ? 6 :
			       version == OF15 ? 4 :
						 8),
		       o->len - acts);
	if (po->buffer_id == OF_BUFFER_NONE)
		of_out_bytes(o, po->packet, po->len);
	of_msg_end(o, at);
	return true;
}
