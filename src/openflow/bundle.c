/* SPDX-License-Identifier: Apache-2.0 */
/* Bundles: changes kept until they are to be made, all or none. */
#include "openflow/inside.h"

static struct of_bundle_open *find(struct of_conn *c, uint32_t id)
{
	struct of_bundle_open *b;

	list_for_each(b, &c->bundles, link)
		if (b->id == id)
			return b;
	return NULL;
}

static void forget(struct of_conn *c, struct of_bundle_open *b)
{
	list_del(&b->link);
	c->n_bundles--;
	c->bundle_bytes -= b->messages.len;
	of_out_fini(&b->messages);
	free(b);
}

void bundle_forget_all(struct of_conn *c)
{
	struct of_bundle_open *b, *next;

	list_for_each_safe(b, next, &c->bundles, link)
		forget(c, b);
}

/* Opens it, when there is room; NULL with the reason. */
static struct of_bundle_open *
open_new(struct of_conn *c, const struct of_bundle *said, enum of_error *e)
{
	struct of_bundle_open *b;

	*e = OF_OFPBFC_OUT_OF_BUNDLES;
	if (c->n_bundles >= BUNDLES_MAX)
		return NULL;
	*e = OF_OFPBFC_BAD_FLAGS;
	if (said->flags & ~(OF_BUNDLE_ATOMIC | OF_BUNDLE_ORDERED))
		return NULL;
	*e = OF_OK;
	b = xzalloc(sizeof(*b));
	b->id = said->id;
	b->flags = said->flags;
	list_push_back(&c->bundles, &b->link);
	c->n_bundles++;
	return b;
}

/* --- committing --- */

/* Serves each; stops at the first that is refused, which is answered. */
static enum of_error serve_all(struct of_request *r,
			       const struct of_bundle_open *b)
{
	size_t at = 0;

	while (at < b->messages.len) {
		struct of_request one = { .c = r->c, .of = r->of };
		struct of_header h;
		enum of_error e;

		one.bytes = b->messages.b + at;
		must(of_header_read(one.bytes, b->messages.len - at, &h));
		one.len = h.length;
		at += h.length;
		e = of_msg_open(one.bytes, one.len, &one.m);
		if (!e)
			e = of_request_serve(&one);
		if (!e)
			continue;
		of_error_encode(&r->c->out, e, one.bytes, one.len);
		return OF_OFPBFC_MSG_FAILED;
	}
	return OF_OK;
}

/* All of it, or nothing. */
static enum of_error commit(struct of_request *r, struct of_bundle_open *b)
{
	enum of_error e;

	switch_of_begin(r->of);
	e = serve_all(r, b);
	if (e)
		switch_of_rollback(r->of);
	else
		switch_of_commit(r->of);
	return e;
}

static enum of_error commit_and_forget(struct of_request *r,
				       struct of_bundle_open *b)
{
	enum of_error e = commit(r, b);
	struct of_out errors = r->c->out;

	forget(r->c, b);
	if (!e)
		return OF_OK;
	/* What was wrong with the message is said before what that did. */
	r->c->out = (struct of_out)OF_OUT_INIT;
	of_conn_send(r->c, errors.b, errors.len);
	of_out_fini(&errors);
	return e;
}

static void answer(struct of_request *r, const struct of_bundle *said)
{
	struct of_bundle reply = *said;

	reply.type++;
	of_bundle_encode(&r->c->out, OF_BUNDLE_CONTROL, r->m.h.version,
			 r->m.h.xid, &reply);
}

static enum of_error control(struct of_request *r, const struct of_bundle *said)
{
	struct of_bundle_open *b = find(r->c, said->id);
	enum of_error e;

	switch (said->type) {
	case OF_BUNDLE_OPEN_REQUEST:
		if (b)
			return OF_OFPBFC_BAD_ID;
		(void)open_new(r->c, said, &e);
		return e;
	case OF_BUNDLE_CLOSE_REQUEST:
		if (!b)
			return OF_OFPBFC_BAD_ID;
		if (b->closed)
			return OF_OFPBFC_BUNDLE_CLOSED;
		b->closed = true;
		return b->flags == said->flags ? OF_OK : OF_OFPBFC_BAD_FLAGS;
	case OF_BUNDLE_COMMIT_REQUEST:
		if (!b)
			return OF_OFPBFC_BAD_ID;
		return commit_and_forget(r, b);
	case OF_BUNDLE_DISCARD_REQUEST:
		if (!b)
			return OF_OFPBFC_BAD_ID;
		forget(r->c, b);
		return OF_OK;
	default: /* a number from the wire */
		return OF_OFPBFC_BAD_TYPE;
	}
}

enum of_error bundle_control(struct of_request *r)
{
	struct of_bundle said;
	enum of_error e = of_bundle_decode(&r->m, &said);

	if (!e)
		e = control(r, &said);
	if (!e)
		answer(r, &said);
	return e;
}

/* Changes of tables; a barrier or a question makes no sense in one. */
static bool fits(enum of_kind kind)
{
	return kind == OF_FLOW_MOD || kind == OF_GROUP_MOD ||
	       kind == OF_PACKET_OUT || kind == OF_PORT_MOD;
}

enum of_error bundle_add(struct of_request *r)
{
	struct of_bundle said;
	struct of_bundle_open *b;
	struct of_msg m;
	enum of_error e = of_bundle_decode(&r->m, &said);

	if (e)
		return e;
	if (said.len < OF_HEADER_LEN)
		return OF_OFPBFC_MSG_BAD_LEN;
	e = of_msg_open(said.message, said.len, &m);
	if (e)
		return e;
	if (m.h.version != r->m.h.version)
		return OF_OFPBFC_BAD_VERSION;
	if (m.h.xid != r->m.h.xid)
		return OF_OFPBFC_MSG_BAD_XID;
	if (!fits(m.kind))
		return OF_OFPBFC_MSG_UNSUP;
	b = find(r->c, said.id);
	if (!b)
		b = open_new(r->c, &said, &e);
	if (!b)
		return e;
	if (b->closed)
		return OF_OFPBFC_BUNDLE_CLOSED;
	if (b->flags != said.flags)
		return OF_OFPBFC_BAD_FLAGS;
	if (r->c->bundle_bytes + said.len > BUNDLE_BYTES)
		return OF_OFPBFC_MSG_TOO_MANY;
	of_out_bytes(&b->messages, said.message, said.len);
	r->c->bundle_bytes += said.len;
	return OF_OK;
}
