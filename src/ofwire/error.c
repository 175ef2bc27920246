/* SPDX-License-Identifier: Apache-2.0 */
#include "ofwire/error.h"

#define TYPE_EXPERIMENTER 0xffffu /* 1.2 and later */
#define TYPE_NICIRA 0xb0c2u       /* before: a type that nobody uses */

#define OF 0u
#define NX OF_VENDOR_NICIRA
#define ONF OF_VENDOR_ONF

struct code {
	uint16_t error; /* enum of_error */
	uint8_t from, to;
	uint32_t vendor;
	uint16_t type, code;
};

static const struct code codes[] = {
#define ERROR(name)
#define CODE(name, who, from_, to_, type_, code_)                              \
	{ OF_##name, from_, to_, who, type_, code_ },
#include "ofwire/errors.def"
#undef ERROR
#undef CODE
};

static const char *const names[] = {
#define ERROR(name) [OF_##name] = #name,
#define CODE(...)
#include "ofwire/errors.def"
#undef ERROR
#undef CODE
};

const char *of_error_name(enum of_error e)
{
	return (unsigned)e < N_OF_ERRORS ? names[e] : NULL;
}

enum of_error of_error_by_name(const char *name)
{
	for (unsigned i = 1; i < N_OF_ERRORS; i++)
		if (!strcmp(names[i], name))
			return (enum of_error)i;
	return OF_OK;
}

enum of_error of_error_by_code(unsigned version, uint32_t vendor, uint16_t type,
			       uint16_t code)
{
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		const struct code *c = &codes[i];

		if (c->vendor == vendor && c->type == type && c->code == code &&
		    version >= c->from && version <= c->to)
			return (enum of_error)c->error;
	}
	return OF_OK;
}

static const struct code *code_of(enum of_error e, unsigned version)
{
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
		if (codes[i].error == e && version >= codes[i].from &&
		    version <= codes[i].to)
			return &codes[i];
	return NULL;
}

static void put_code(struct of_out *o, const struct code *c, unsigned version)
{
	if (!c->vendor) {
		of_out_int(o, c->type, 2);
		of_out_int(o, c->code, 2);
	} else if (version >= OF12) {
		of_out_int(o, TYPE_EXPERIMENTER, 2);
		of_out_int(o, c->code, 2);
		of_out_int(o, c->vendor, 4);
	} else {
		of_out_int(o, TYPE_NICIRA, 2);
		of_out_int(o, 0, 2);
		of_out_int(o, c->vendor, 4);
		of_out_int(o, c->type, 2);
		of_out_int(o, c->code, 2);
	}
}

static size_t begin(struct of_out *o, enum of_error e, unsigned version,
		    uint32_t xid)
{
	const struct code *c = code_of(e, version);
	size_t at = of_msg_begin(o, OF_ERROR, version, xid);

	if (!c)
		c = code_of(OF_NXBRC_UNENCODABLE_ERROR, version);
	must(c);
	put_code(o, c, version);
	return at;
}

void of_error_encode(struct of_out *o, enum of_error e, const void *request,
		     size_t len)
{
	struct of_header h = { 0 };
	size_t at;

	(void)of_header_read(request, len, &h);
	at = begin(o, e, CLAMP(h.version, OF_VERSION_MIN, OF_VERSION_MAX),
		   h.xid);
	of_out_bytes(o, request, MIN(len, OF_ERROR_ECHO_MAX));
	of_msg_end(o, at);
}

void of_error_encode_hello(struct of_out *o, unsigned version, uint32_t xid,
			   const char *text)
{
	size_t at = begin(o, OF_OFPHFC_INCOMPATIBLE, version, xid);

	of_out_bytes(o, text, MIN(strlen(text), OF_MESSAGE_MAX / 2));
	of_msg_end(o, at);
}

enum of_error of_error_decode(const struct of_msg *m, struct of_error_msg *out)
{
	struct cursor c = m->body;

	memset(out, 0, sizeof(*out));
	out->type = cursor_u16(&c);
	out->code = cursor_u16(&c);
	if (m->h.version >= OF12 && out->type == TYPE_EXPERIMENTER) {
		out->vendor = cursor_u32(&c);
	} else if (m->h.version < OF12 && out->type == TYPE_NICIRA) {
		out->vendor = cursor_u32(&c);
		out->type = cursor_u16(&c);
		out->code = cursor_u16(&c);
	}
	if (c.failed)
		return OF_OFPBRC_BAD_LEN;
	out->error = of_error_by_code(m->h.version, out->vendor, out->type,
				      out->code);
	out->len = cursor_left(&c);
	out->data = cursor_take(&c, out->len);
	return OF_OK;
}
