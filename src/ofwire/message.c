/* SPDX-License-Identifier: Apache-2.0 */
#include "ofwire/message.h"

#include <strings.h>

#include "ofwire/wire.h"

#define TYPE_VENDOR 4u
#define STAT_VENDOR 0xffffu

struct row {
	uint8_t kind, family, from, to;
	uint16_t number, bytes, step;
};

static const struct row rows[] = {
#define KIND(kind)
#define ROW(kind_, family_, from_, to_, number_, bytes_, step_)                \
	{ OF_##kind_, OF_FAMILY_##family_, from_, to_, number_, bytes_, step_ },
#include "ofwire/messages.def"
#undef KIND
#undef ROW
};

static const char *const kind_names[] = {
#define KIND(kind) [OF_##kind] = #kind,
#define ROW(...)
#include "ofwire/messages.def"
#undef KIND
#undef ROW
};

_Static_assert(N_OF_KINDS < 256, "a kind fits a byte");

static const char *const version_names[] = {
	[OF10] = "OpenFlow10", [OF11] = "OpenFlow11", [OF12] = "OpenFlow12",
	[OF13] = "OpenFlow13", [OF14] = "OpenFlow14", [OF15] = "OpenFlow15",
};

const char *of_version_name(unsigned version)
{
	return version < ARRAY_SIZE(version_names) ? version_names[version] :
						     NULL;
}

unsigned of_version_by_name(const char *name)
{
	if (!strncasecmp(name, "OpenFlow", 8))
		name += 8;
	if (name[0] != '1')
		return 0;
	name += name[1] == '.' ? 2 : 1;
	if (name[0] < '0' || name[0] > '5' || name[1])
		return 0;
	return (unsigned)(name[0] - '0') + OF10;
}

const char *of_kind_name(enum of_kind kind)
{
	return (unsigned)kind < N_OF_KINDS && kind_names[kind] ?
		       kind_names[kind] :
		       "none";
}

/* --- opening --- */

static const struct wire header_wire[] = { W_INT(struct of_header, version, 1),
					   W_INT(struct of_header, type, 1),
					   W_INT(struct of_header, length, 2),
					   W_INT(struct of_header, xid, 4),
					   W_END };

bool of_header_read(const void *data, size_t len, struct of_header *h)
{
	struct cursor c = cursor_init(data, len);

	wire_read(&c, header_wire, h);
	return !c.failed;
}

/* The multipart request and reply had other types in 1.0. */
static uint8_t stat_type(unsigned version, bool reply)
{
	uint8_t request = version == OF10 ? 16 : 18;

	return (uint8_t)(request + reply);
}

static bool vendor_family(uint32_t vendor, enum of_family *family)
{
	if (vendor == OF_VENDOR_NICIRA)
		*family = OF_FAMILY_NX;
	else if (vendor == OF_VENDOR_ONF)
		*family = OF_FAMILY_ONF;
	else
		return false;
	return true;
}

static enum of_error open_vendor(struct cursor *c, enum of_family *family,
				 uint16_t *number)
{
	uint32_t vendor = cursor_u32(c), subtype;

	if (c->failed)
		return OF_OFPBRC_BAD_LEN;
	if (!vendor_family(vendor, family))
		return OF_OFPBRC_BAD_VENDOR;
	subtype = cursor_u32(c);
	if (c->failed)
		return OF_OFPBRC_BAD_LEN;
	*number = (uint16_t)MIN(subtype, UINT16_MAX);
	return OF_OK;
}

static enum of_error open_stat(struct cursor *c, struct of_msg *m)
{
	bool reply = m->h.type & 1;
	enum of_error e;

	m->number = cursor_u16(c);
	m->flags = cursor_u16(c);
	/* 1.0 has no padding here. */
	if (m->h.version != OF10)
		cursor_skip(c, 4);
	m->family = OF_FAMILY_STAT;
	if (m->number == STAT_VENDOR) {
		e = open_vendor(c, &m->family, &m->number);
		if (e)
			return e;
		if (m->h.version == OF10 && m->family == OF_FAMILY_NX)
			cursor_skip(c, 4);
		m->family++;
	}
	m->family += reply;
	return c->failed ? OF_OFPBRC_BAD_LEN : OF_OK;
}

static enum of_error open_headers(struct cursor *c, struct of_msg *m)
{
	unsigned v = m->h.version;

	m->flags = 0;
	m->number = m->h.type;
	m->family = OF_FAMILY_MSG;
	if (m->h.type == TYPE_VENDOR)
		return open_vendor(c, &m->family, &m->number);
	if (m->h.type == stat_type(v, false) || m->h.type == stat_type(v, true))
		return open_stat(c, m);
	return OF_OK;
}

static const struct row *row_find(enum of_family family, uint16_t number,
				  unsigned version)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].family == family && rows[i].number == number &&
		    version >= rows[i].from && version <= rows[i].to)
			return &rows[i];
	return NULL;
}

static enum of_error unknown(enum of_family family)
{
	switch (family) {
	case OF_FAMILY_MSG:
		return OF_OFPBRC_BAD_TYPE;
	case OF_FAMILY_STAT:
	case OF_FAMILY_STAT_REPLY:
		return OF_OFPBRC_BAD_STAT;
	case OF_FAMILY_NX:
	case OF_FAMILY_NXSTAT:
	case OF_FAMILY_NXSTAT_REPLY:
	case OF_FAMILY_ONF:
	case OF_FAMILY_ONFSTAT:
	case OF_FAMILY_ONFSTAT_REPLY:
		break;
	}
	return OF_OFPBRC_BAD_SUBTYPE;
}

static bool length_fits(const struct row *r, size_t left)
{
	if (left < r->bytes)
		return false;
	return r->step ? !((left - r->bytes) % r->step) : left == r->bytes;
}

/* A hello may be of a version yet to come: its form is the same in all. */
static enum of_error open_foreign(struct cursor *c, struct of_msg *m)
{
	if (m->h.version < OF_VERSION_MIN || m->h.type)
		return OF_OFPBRC_BAD_VERSION;
	m->kind = OF_HELLO;
	m->family = OF_FAMILY_MSG;
	m->number = m->flags = 0;
	m->body = *c;
	return OF_OK;
}

enum of_error of_msg_open(const void *data, size_t len, struct of_msg *m)
{
	struct cursor c = cursor_init(data, len);
	const struct row *r;
	enum of_error e;

	memset(&m->h, 0, sizeof(m->h));
	wire_read(&c, header_wire, &m->h);
	if (c.failed || m->h.length != len)
		return OF_OFPBRC_BAD_LEN;
	if (m->h.version < OF_VERSION_MIN || m->h.version > OF_VERSION_MAX)
		return open_foreign(&c, m);
	e = open_headers(&c, m);
	if (e)
		return e;
	r = row_find(m->family, m->number, m->h.version);
	if (!r)
		return unknown(m->family);
	if (!length_fits(r, cursor_left(&c)))
		return OF_OFPBRC_BAD_LEN;
	m->kind = r->kind;
	m->body = c;
	return OF_OK;
}

enum of_error of_msg_done(const struct cursor *body)
{
	return body->failed || !cursor_at_end(body) ? OF_OFPBRC_BAD_LEN : OF_OK;
}

/* --- writing --- */

static const struct row *row_for(enum of_kind kind, unsigned version)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].kind == kind && version >= rows[i].from &&
		    version <= rows[i].to)
			return &rows[i];
	return NULL;
}

bool of_kind_exists(enum of_kind kind, unsigned version)
{
	return row_for(kind, version) != NULL;
}

static void stat_headers(struct of_out *o, enum of_family family,
			 uint16_t number, unsigned version)
{
	bool plain = family == OF_FAMILY_STAT || family == OF_FAMILY_STAT_REPLY;
	bool onf = family >= OF_FAMILY_ONF;

	of_out_int(o, plain ? number : STAT_VENDOR, 2);
	of_out_int(o, 0, 2);
	if (version != OF10)
		of_out_add(o, 4);
	if (plain)
		return;
	of_out_int(o, onf ? OF_VENDOR_ONF : OF_VENDOR_NICIRA, 4);
	of_out_int(o, number, 4);
	if (version == OF10 && !onf)
		of_out_add(o, 4);
}

size_t of_msg_begin_as(struct of_out *o, enum of_family family, uint16_t number,
		       unsigned version, uint32_t xid)
{
	struct of_header h = { .version = (uint8_t)version, .xid = xid };
	bool vendor = family == OF_FAMILY_NX || family == OF_FAMILY_ONF;
	bool reply = family == OF_FAMILY_STAT_REPLY ||
		     family == OF_FAMILY_NXSTAT_REPLY ||
		     family == OF_FAMILY_ONFSTAT_REPLY;
	size_t begin = o->len;

	if (family == OF_FAMILY_MSG)
		h.type = (uint8_t)number;
	else if (vendor)
		h.type = TYPE_VENDOR;
	else
		h.type = stat_type(version, reply);
	wire_write(o, header_wire, &h);
	if (vendor) {
		of_out_int(o,
			   family == OF_FAMILY_ONF ? OF_VENDOR_ONF :
						     OF_VENDOR_NICIRA,
			   4);
		of_out_int(o, number, 4);
	} else if (family != OF_FAMILY_MSG) {
		stat_headers(o, family, number, version);
	}
	return begin;
}

size_t of_msg_begin(struct of_out *o, enum of_kind kind, unsigned version,
		    uint32_t xid)
{
	const struct row *r = row_for(kind, version);

	must(r);
	return of_msg_begin_as(o, r->family, r->number, version, xid);
}

void of_msg_end(struct of_out *o, size_t begin)
{
	size_t len = o->len - begin;

	must(len >= OF_HEADER_LEN && len <= OF_MESSAGE_MAX);
	of_out_patch16(o, begin + 2, len);
}

void of_msg_encode_empty(struct of_out *o, enum of_kind kind, unsigned version,
			 uint32_t xid)
{
	of_msg_end(o, of_msg_begin(o, kind, version, xid));
}

/* --- multiparts --- */

void of_parts_init(struct of_parts *p, struct of_out *o, size_t begin)
{
	*p = (struct of_parts){ o, begin, o->len - begin, 0 };
}

void of_parts_fixed(struct of_parts *p)
{
	p->headers = p->o->len - p->message;
}

void of_parts_begin(struct of_parts *p)
{
	p->part = p->o->len;
}

bool of_parts_end(struct of_parts *p)
{
	size_t n = p->o->len - p->part, before = p->part - p->message;

	if (before + n <= OF_MESSAGE_MAX)
		return true;
	if (p->headers + n > OF_MESSAGE_MAX) {
		of_out_truncate(p->o, p->part);
		return false;
	}
	/* Room for the headers, then the part slides behind them. */
	of_out_add(p->o, p->headers);
	memmove(p->o->b + p->part + p->headers, p->o->b + p->part, n);
	memcpy(p->o->b + p->part, p->o->b + p->message, p->headers);
	put_be16(p->o->b + p->message + 2, (uint16_t)before);
	put_be16(p->o->b + p->message + OF_HEADER_LEN + 2, OF_STAT_MORE);
	p->message = p->part;
	return true;
}

void of_parts_fini(struct of_parts *p)
{
	of_msg_end(p->o, p->message);
}
