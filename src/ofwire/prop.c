/* SPDX-License-Identifier: Apache-2.0 */
#include "ofwire/prop.h"

enum of_error of_prop_next(struct cursor *c, struct of_prop *p)
{
	uint16_t len;

	memset(p, 0, sizeof(*p));
	p->type = cursor_u16(c);
	len = cursor_u16(c);
	if (c->failed || len < 4)
		return OF_OFPBPC_BAD_LEN;
	p->body = cursor_sub(c, len - 4u);
	/* The padding of the last may be missing where a message ends. */
	cursor_skip(c, MIN(ROUND_UP(len, 8u) - len, cursor_left(c)));
	if (p->type == OF_PROP_EXPERIMENTER) {
		p->vendor = cursor_u32(&p->body);
		p->vendor_type = cursor_u32(&p->body);
	}
	return p->body.failed ? OF_OFPBPC_BAD_LEN : OF_OK;
}

enum of_error of_prop_unknown(const struct of_prop *p)
{
	if (p->type != OF_PROP_EXPERIMENTER)
		return OF_OFPBPC_BAD_TYPE;
	return p->vendor == OF_VENDOR_NICIRA || p->vendor == OF_VENDOR_ONF ?
		       OF_OFPBPC_BAD_EXP_TYPE :
		       OF_OFPBPC_BAD_EXPERIMENTER;
}

enum of_error of_prop_done(const struct of_prop *p)
{
	return p->body.failed || !cursor_at_end(&p->body) ? OF_OFPBPC_BAD_LEN :
							    OF_OK;
}

size_t of_prop_begin(struct of_out *o, uint16_t type)
{
	size_t begin = o->len;

	of_out_int(o, type, 2);
	of_out_int(o, 0, 2);
	return begin;
}

size_t of_prop_begin_vendor(struct of_out *o, uint32_t vendor, uint32_t type)
{
	size_t begin = of_prop_begin(o, OF_PROP_EXPERIMENTER);

	of_out_int(o, vendor, 4);
	of_out_int(o, type, 4);
	return begin;
}

void of_prop_end(struct of_out *o, size_t begin)
{
	of_out_patch16(o, begin + 2, o->len - begin);
	of_out_pad(o, begin, 8);
}
