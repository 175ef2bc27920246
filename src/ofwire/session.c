/* SPDX-License-Identifier: Apache-2.0 */
#include "ofwire/session.h"

#include "ofwire/prop.h"
#include "ofwire/wire.h"

#define HELLO_VERSIONBITMAP 1u

/* --- hello, echo --- */

void of_hello_encode(struct of_out *o, uint32_t versions, uint32_t xid)
{
	unsigned highest = of_versions_agree(versions, OF_VERSIONS_ALL);
	size_t begin, element;

	must(highest);
	begin = of_msg_begin(o, OF_HELLO, highest, xid);
	/* A single low version needs no bitmap: the header has said it. */
	if (versions != ((2u << highest) - 2)) {
		element = of_prop_begin(o, HELLO_VERSIONBITMAP);
		of_out_int(o, versions, 4);
		of_prop_end(o, element);
	}
	of_msg_end(o, begin);
}

uint32_t of_hello_decode(const struct of_msg *m)
{
	uint32_t up_to =
		m->h.version < 31 ? (2u << m->h.version) - 2 : UINT32_MAX;
	struct cursor c = m->body;
	struct of_prop p;

	while (!cursor_at_end(&c)) {
		if (of_prop_next(&c, &p))
			break;
		/* Only the first 32 versions; there are six. */
		if (p.type == HELLO_VERSIONBITMAP && cursor_left(&p.body) >= 4)
			return cursor_u32(&p.body);
	}
	return up_to;
}

unsigned of_versions_agree(uint32_t a, uint32_t b)
{
	for (unsigned v = OF_VERSION_MAX; v >= OF_VERSION_MIN; v--)
		if (a & b & 1u << v)
			return v;
	return 0;
}

void of_echo_encode(struct of_out *o, enum of_kind kind, unsigned version,
		    uint32_t xid, struct cursor data)
{
	size_t begin = of_msg_begin(o, kind, version, xid);
	size_t n = MIN(cursor_left(&data), OF_MESSAGE_MAX - OF_HEADER_LEN);

	of_out_bytes(o, cursor_take(&data, n), n);
	of_msg_end(o, begin);
}

/* --- features, configuration --- */

static const struct wire features_wire[] = {
	W_INT(struct of_features, datapath_id, 8),
	W_INT(struct of_features, n_buffers, 4),
	W_INT(struct of_features, n_tables, 1),
	W_INT(struct of_features, auxiliary_id, 1),
	W_PAD(2),
	W_INT(struct of_features, capabilities, 4),
	W_INT(struct of_features, actions, 4),
	W_END
};

size_t of_features_begin(struct of_out *o, unsigned version, uint32_t xid,
			 const struct of_features *f)
{
	struct of_features copy = *f;
	size_t begin = of_msg_begin(o, OF_FEATURES_REPLY, version, xid);

	if (version < OF13)
		copy.auxiliary_id = 0;
	if (version > OF10)
		copy.actions = 0;
	wire_write(o, features_wire, &copy);
	return begin;
}

enum of_error of_features_decode(const struct of_msg *m, struct of_features *f)
{
	struct cursor c = m->body;

	memset(f, 0, sizeof(*f));
	wire_read(&c, features_wire, f);
	if (m->h.version < OF13)
		f->auxiliary_id = 0;
	if (m->h.version > OF10)
		f->actions = 0;
	f->ports = c;
	return c.failed ? OF_OFPBRC_BAD_LEN : OF_OK;
}

static const struct wire config_wire[] = {
	W_INT(struct of_config, flags, 2),
	W_INT(struct of_config, miss_send_len, 2), W_END
};

void of_config_encode(struct of_out *o, enum of_kind kind, unsigned version,
		      uint32_t xid, const struct of_config *config)
{
	size_t begin = of_msg_begin(o, kind, version, xid);

	wire_write(o, config_wire, config);
	of_msg_end(o, begin);
}

enum of_error of_config_decode(const struct of_msg *m, struct of_config *config)
{
	struct cursor c = m->body;
	uint16_t known = OF_CONFIG_FRAG_MASK;

	wire_read(&c, config_wire, config);
	if (c.failed)
		return OF_OFPBRC_BAD_LEN;
	if (m->h.version > OF10 && m->h.version < OF13)
		known |= OF_CONFIG_INVALID_TTL;
	if (m->kind == OF_SET_CONFIG && config->flags & ~known)
		return OF_OFPSCFC_BAD_FLAGS;
	return OF_OK;
}

/* --- role --- */

static const struct wire role_wire[] = {
	W_PAD(3), /* the role is a byte in 32 bits */
	W_INT(struct of_role_msg, role, 1), W_PAD(4),
	W_INT(struct of_role_msg, generation_id, 8), W_END
};
static const struct wire role15_wire[] = {
	W_PAD(3),
	W_INT(struct of_role_msg, role, 1),
	W_INT(struct of_role_msg, short_id, 2),
	W_PAD(2),
	W_INT(struct of_role_msg, generation_id, 8),
	W_END
};
static const struct wire role_status_wire[] = {
	W_PAD(3),
	W_INT(struct of_role_msg, role, 1),
	W_INT(struct of_role_msg, reason, 1),
	W_PAD(3),
	W_INT(struct of_role_msg, generation_id, 8),
	W_END
};

static const struct wire *role_table(enum of_kind kind, unsigned version)
{
	if (kind == OF_ROLE_STATUS)
		return role_status_wire;
	return version >= OF15 ? role15_wire : role_wire;
}

void of_role_encode(struct of_out *o, enum of_kind kind, unsigned version,
		    uint32_t xid, const struct of_role_msg *role)
{
	size_t begin = of_msg_begin(o, kind, version, xid);
	struct of_role_msg copy = *role;

	if (!role->has_generation)
		copy.generation_id = UINT64_MAX;
	if (kind == OF_ROLE_STATUS || version >= OF12)
		wire_write(o, role_table(kind, version), &copy);
	else
		/* Nicira's roles: other, master, slave. */
		of_out_int(o, role->role ? role->role - 1u : 0, 4);
	of_msg_end(o, begin);
}

enum of_error of_role_decode(const struct of_msg *m, struct of_role_msg *role)
{
	struct cursor c = m->body, peek = m->body;
	uint32_t number = cursor_u32(&peek);

	memset(role, 0, sizeof(*role));
	if (m->family == OF_FAMILY_NX && number < OF_ROLE_SLAVE) {
		role->role = (uint8_t)(number + 1);
		return OF_OK;
	}
	if (m->family == OF_FAMILY_NX || number > OF_ROLE_SLAVE)
		return OF_OFPRRFC_BAD_ROLE;
	wire_read(&c, role_table(m->kind, m->h.version), role);
	role->has_generation = role->generation_id != UINT64_MAX;
	if (m->kind == OF_ROLE_REQUEST && number == OF_ROLE_NOCHANGE)
		role->has_generation = false;
	if (!role->has_generation)
		role->generation_id = 0;
	return c.failed ? OF_OFPBRC_BAD_LEN : OF_OK;
}

/* --- asynchronous configuration --- */

/* Which reasons there are, before and since 1.4. */
static const struct {
	uint32_t old, new;
} async_valid[N_OF_ASYNC] = {
	[OF_ASYNC_PACKET_IN] = { 0x7, 0x3f },
	[OF_ASYNC_PORT_STATUS] = { 0x7, 0x7 },
	[OF_ASYNC_FLOW_REMOVED] = { 0xf, 0x3f },
	[OF_ASYNC_ROLE_STATUS] = { 0x7, 0x7 },
	[OF_ASYNC_TABLE_STATUS] = { 0, 0x18 },
	[OF_ASYNC_REQUESTFORWARD] = { 0x3, 0x3 },
};
#define ASYNC_PLAIN 3u /* packet in, port status, flow removed: before 1.4 */

static bool is_props(enum of_family family, uint16_t number, unsigned version)
{
	if (family == OF_FAMILY_NX)
		return number == 27;
	return version >= OF14;
}

void of_async_encode(struct of_out *o, enum of_kind kind, unsigned version,
		     uint32_t xid, const struct of_async *a)
{
	size_t begin = of_msg_begin(o, kind, version, xid);

	for (unsigned i = 0; version < OF14 && i < ASYNC_PLAIN; i++) {
		of_out_int(o, a->master[i] & async_valid[i].old, 4);
		of_out_int(o, a->slave[i] & async_valid[i].old, 4);
	}
	for (unsigned i = 0; version >= OF14 && i < 2 * N_OF_ASYNC; i++) {
		/* Each type twice: slave, then master. */
		uint32_t v = i & 1 ? a->master[i / 2] : a->slave[i / 2];
		size_t at = of_prop_begin(o, (uint16_t)i);

		of_out_int(o, v & async_valid[i / 2].new, 4);
		of_prop_end(o, at);
	}
	of_msg_end(o, begin);
}

static enum of_error decode_prop(struct cursor *c, struct of_async *a)
{
	struct of_prop p;
	uint32_t v;
	enum of_error e = of_prop_next(c, &p);

	if (e)
		return e;
	if (p.type >= 2 * N_OF_ASYNC)
		return OF_OFPACFC_UNSUPPORTED;
	v = cursor_u32(&p.body);
	if (v & ~async_valid[p.type / 2].new)
		return OF_OFPACFC_INVALID;
	if (p.type & 1)
		a->master[p.type / 2] = v;
	else
		a->slave[p.type / 2] = v;
	return of_prop_done(&p);
}

enum of_error of_async_decode(const struct of_msg *m, struct of_async *a)
{
	struct of_async copy = *a;
	struct cursor c = m->body;
	enum of_error e = OF_OK;

	if (is_props(m->family, m->number, m->h.version)) {
		while (!e && !cursor_at_end(&c))
			e = decode_prop(&c, &copy);
	} else {
		for (unsigned i = 0; i < ASYNC_PLAIN; i++) {
			copy.master[i] = cursor_u32(&c) & async_valid[i].old;
			copy.slave[i] = cursor_u32(&c) & async_valid[i].old;
		}
		e = of_msg_done(&c);
	}
	if (!e)
		*a = copy;
	return e;
}

/* --- messages of one number --- */

/* Bytes before the number and of it; what follows is padding. */
struct number_place {
	unsigned before, bytes, after;
};

static struct number_place number_place(enum of_kind kind)
{
	if (kind == OF_FLOW_MOD_TABLE_ID)
		return (struct number_place){ 0, 1, 7 };
	if (kind == OF_CT_FLUSH_ZONE || kind == OF_SET_CONTROLLER_ID)
		return (struct number_place){ 6, 2, 0 };
	return (struct number_place){ 0, 4, 0 };
}

void of_number_encode(struct of_out *o, enum of_kind kind, unsigned version,
		      uint32_t xid, uint32_t number)
{
	struct number_place p = number_place(kind);
	size_t begin = of_msg_begin(o, kind, version, xid);

	/* The zone stands last after six zeros, as does the controller's id. */
	of_out_add(o, p.before);
	of_out_int(o, number, p.bytes);
	of_out_add(o, p.after);
	of_msg_end(o, begin);
}

enum of_error of_number_decode(const struct of_msg *m, uint32_t *number)
{
	struct number_place p = number_place(m->kind);
	struct cursor c = m->body;
	const uint8_t *zeros = cursor_take(&c, p.before);

	*number = p.bytes == 4 ? cursor_u32(&c) :
		  p.bytes == 2 ? cursor_u16(&c) :
				 cursor_u8(&c);
	cursor_skip(&c, p.after);
	if (of_msg_done(&c))
		return OF_OFPBRC_BAD_LEN;
	for (unsigned i = 0; i < p.before; i++)
		if (zeros[i])
			return OF_NXBRC_MUST_BE_ZERO;
	return OF_OK;
}

/* --- bundles, forwarded requests --- */

static const struct wire bundle_wire[] = { W_INT(struct of_bundle, id, 4),
					   W_INT(struct of_bundle, type, 2),
					   W_INT(struct of_bundle, flags, 2),
					   W_END };

void of_bundle_encode(struct of_out *o, enum of_kind kind, unsigned version,
		      uint32_t xid, const struct of_bundle *b)
{
	size_t begin = of_msg_begin(o, kind, version, xid);
	struct of_bundle copy = *b;

	if (kind == OF_BUNDLE_ADD_MESSAGE)
		copy.type = 0; /* padding */
	wire_write(o, bundle_wire, &copy);
	if (kind == OF_BUNDLE_ADD_MESSAGE)
		of_out_bytes(o, b->message, b->len);
	of_msg_end(o, begin);
}

static bool inner_header(const struct cursor *c, struct of_header *h)
{
	const void *p = cursor_peek(c, OF_HEADER_LEN);

	return p && of_header_read(p, OF_HEADER_LEN, h);
}

/* What is in an add: a message of the same version and xid. */
static enum of_error decode_inner(const struct of_msg *m, struct cursor *c,
				  struct of_bundle *b)
{
	struct of_header h;

	if (!inner_header(c, &h) || h.length < OF_HEADER_LEN ||
	    h.length > cursor_left(c))
		return OF_OFPBFC_MSG_BAD_LEN;
	if (h.version != m->h.version)
		return OF_OFPBFC_BAD_VERSION;
	if (h.xid != m->h.xid)
		return OF_OFPBFC_MSG_BAD_XID;
	b->type = 0;
	b->len = h.length;
	b->message = cursor_take(c, b->len);
	return OF_OK;
}

/* Experimenter properties, which may be passed over. */
static enum of_error decode_props(struct cursor *c)
{
	struct of_prop p;
	enum of_error e = OF_OK;

	while (!e && !cursor_at_end(c)) {
		e = of_prop_next(c, &p);
		if (!e)
			e = of_prop_unknown(&p);
	}
	return e;
}

enum of_error of_bundle_decode(const struct of_msg *m, struct of_bundle *b)
{
	struct cursor c = m->body;
	enum of_error e;

	memset(b, 0, sizeof(*b));
	wire_read(&c, bundle_wire, b);
	if (c.failed)
		return OF_OFPBRC_BAD_LEN;
	if (b->flags & ~(OF_BUNDLE_ATOMIC | OF_BUNDLE_ORDERED))
		return OF_OFPBFC_BAD_FLAGS;
	if (m->kind == OF_BUNDLE_ADD_MESSAGE) {
		e = decode_inner(m, &c, b);
		if (e)
			return e;
		/* To the alignment of the properties behind it. */
		cursor_skip(&c,
			    MIN(ROUND_UP(b->len, 8) - b->len, cursor_left(&c)));
	} else if (b->type > OF_BUNDLE_DISCARD_REPLY) {
		return OF_OFPBFC_BAD_TYPE;
	}
	return decode_props(&c);
}

void of_forward_encode(struct of_out *o, unsigned version, uint32_t xid,
		       const void *message, size_t len)
{
	size_t begin = of_msg_begin(o, OF_REQUESTFORWARD, version, xid);

	of_out_bytes(o, message, len);
	of_msg_end(o, begin);
}

enum of_error of_forward_decode(const struct of_msg *m, const void **message,
				size_t *len)
{
	struct cursor c = m->body;
	struct of_header h;

	if (!inner_header(&c, &h) || h.length < OF_HEADER_LEN ||
	    h.length > cursor_left(&c))
		return OF_OFPBFC_MSG_BAD_LEN;
	*len = h.length;
	*message = cursor_take(&c, h.length);
	return OF_OK;
}
