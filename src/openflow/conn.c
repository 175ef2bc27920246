/* SPDX-License-Identifier: Apache-2.0 */
/* Connections: framing, hello, who serves what. */
#include "openflow/inside.h"

/* --- the hub --- */

void of_hub_refresh(struct of_hub *hub)
{
	struct switch_of *of = switch_of_find(hub->config.sw, hub->bridge);

	if (of)
		switch_of_watch(of, &async_ops, hub);
}

struct of_hub *of_hub_create(const struct of_hub_config *config)
{
	struct of_hub *hub = xzalloc(sizeof(*hub));

	hub->config = *config;
	hub->bridge = xstrdup(config->bridge);
	hub->config.bridge = hub->bridge;
	list_init(&hub->conns);
	of_hub_refresh(hub);
	return hub;
}

void of_hub_destroy(struct of_hub *hub)
{
	struct of_conn *c, *next;
	struct switch_of *of;

	if (!hub)
		return;
	list_for_each_safe(c, next, &hub->conns, link)
		of_conn_end(c, "the bridge is no more");
	of = switch_of_find(hub->config.sw, hub->bridge);
	if (of)
		switch_of_watch(of, NULL, NULL);
	free(hub->bridge);
	free(hub);
}

const char *of_hub_bridge(const struct of_hub *hub)
{
	return hub->bridge;
}

unsigned of_hub_n_conns(const struct of_hub *hub)
{
	return hub->n_conns;
}

/* --- bytes out --- */

static void snoop(const struct of_conn *from, const void *bytes, size_t n)
{
	struct of_conn *c;

	if (from->kind == OF_CONN_SNOOP || !from->d.version)
		return;
	list_for_each(c, &from->hub->conns, link)
		if (c->kind == OF_CONN_SNOOP && c->d.version)
			c->ops->send(c->ctx, bytes, n);
}

void of_conn_send(struct of_conn *c, const void *bytes, size_t n)
{
	if (!n)
		return;
	snoop(c, bytes, n);
	c->ops->send(c->ctx, bytes, n);
}

void of_conn_flush(struct of_conn *c)
{
	of_conn_send(c, c->out.b, c->out.len);
	of_out_truncate(&c->out, 0);
}

/* --- life --- */

struct of_conn *of_conn_create(struct of_hub *hub, enum of_conn_kind kind,
			       const struct of_conn_ops *ops, void *ctx)
{
	struct of_conn *c;

	if (hub->n_conns >= OF_HUB_CONNS)
		return NULL;
	c = xzalloc(sizeof(*c));
	c->hub = hub;
	c->kind = kind;
	c->ops = ops;
	c->ctx = ctx;
	c->role = OF_ROLE_EQUAL;
	c->listens = kind == OF_CONN_CONTROLLER;
	c->config.miss_send_len = c->listens ? 128 : 0;
	serve_async_default(&c->async);
	list_init(&c->bundles);
	list_push_back(&hub->conns, &c->link);
	hub->n_conns++;
	of_hello_encode(&c->out, OF_VERSIONS_ALL, 1);
	of_conn_flush(c);
	return c;
}

void of_conn_destroy(struct of_conn *c)
{
	list_del(&c->link);
	c->hub->n_conns--;
	bundle_forget_all(c);
	of_out_fini(&c->out);
	free(c);
}

void of_conn_end(struct of_conn *c, const char *why)
{
	const struct of_conn_ops *ops = c->ops;
	void *ctx = c->ctx;

	of_conn_destroy(c);
	ops->end(ctx, why);
}

void of_conn_probe(struct of_conn *c)
{
	struct cursor nothing = cursor_init(NULL, 0);

	of_echo_encode(&c->out, OF_ECHO_REQUEST,
		       c->d.version ? c->d.version : OF10, 0, nothing);
	of_conn_flush(c);
}

/* --- hello --- */

static void take_hello(struct of_conn *c, const struct of_msg *m)
{
	unsigned version =
		of_versions_agree(OF_VERSIONS_ALL, of_hello_decode(m));

	if (version) {
		c->d.version = (uint8_t)version;
		return;
	}
	of_error_encode_hello(&c->out, OF10, m->h.xid,
			      "versions 1.0 to 1.5 are spoken here");
	of_conn_flush(c);
	c->why = "no version of OpenFlow is spoken by both";
}

/* --- who serves what --- */

/* What a slave may not do (1.5.1 6.3.6). */
static bool changes_something(enum of_kind kind)
{
	switch (kind) {
	case OF_FLOW_MOD:
	case OF_GROUP_MOD:
	case OF_PORT_MOD:
	case OF_TABLE_MOD:
	case OF_METER_MOD:
	case OF_PACKET_OUT:
	case OF_BUNDLE_CONTROL:
	case OF_BUNDLE_ADD_MESSAGE:
	case OF_TLV_TABLE_MOD:
		return true;
	default: /* most kinds of message */
		return false;
	}
}

static enum of_error serve_change(struct of_request *r)
{
	switch (r->m.kind) {
	case OF_FLOW_MOD:
		return mods_flow(r);
	case OF_GROUP_MOD:
		return mods_group(r);
	case OF_PORT_MOD:
		return mods_port(r);
	case OF_TABLE_MOD:
		return mods_table(r);
	case OF_PACKET_OUT:
		return mods_packet_out(r);
	case OF_BUNDLE_CONTROL:
		return bundle_control(r);
	case OF_BUNDLE_ADD_MESSAGE:
		return bundle_add(r);
	default: /* the other kinds */
		return stats_serve(r);
	}
}

static enum of_error serve(struct of_request *r)
{
	switch (r->m.kind) {
	case OF_HELLO:
	case OF_ERROR:
	case OF_ECHO_REPLY:
		return OF_OK;
	case OF_ECHO_REQUEST:
		return serve_echo(r);
	case OF_FEATURES_REQUEST:
		return serve_features(r);
	case OF_GET_CONFIG_REQUEST:
		return serve_get_config(r);
	case OF_SET_CONFIG:
		return serve_set_config(r);
	case OF_BARRIER_REQUEST:
		return serve_barrier(r);
	case OF_ROLE_REQUEST:
		return serve_role(r);
	case OF_GET_ASYNC_REQUEST:
		return serve_get_async(r);
	case OF_SET_ASYNC_CONFIG:
		return serve_set_async(r);
	case OF_SET_FLOW_FORMAT:
	case OF_FLOW_MOD_TABLE_ID:
	case OF_SET_PACKET_IN_FORMAT:
	case OF_SET_CONTROLLER_ID:
		return serve_number(r);
	default: /* the other kinds */
		return serve_change(r);
	}
}

enum of_error of_request_serve(struct of_request *r)
{
	if (r->c->role == OF_ROLE_SLAVE && changes_something(r->m.kind))
		return OF_OFPBRC_IS_SECONDARY;
	return serve(r);
}

static void refuse(struct of_conn *c, enum of_error e, const uint8_t *bytes,
		   size_t len)
{
	of_out_truncate(&c->out, 0);
	of_error_encode(&c->out, e, bytes, len);
	of_conn_flush(c);
}

/* One whole message. */
static void take_message(struct of_conn *c, const uint8_t *bytes, size_t len)
{
	struct of_request r = { .c = c, .bytes = bytes, .len = len };
	enum of_error e = of_msg_open(bytes, len, &r.m);

	if (!c->d.version) {
		if (!e && r.m.kind == OF_HELLO)
			take_hello(c, &r.m);
		else
			c->why = "the first message is no hello";
		return;
	}
	if (c->kind == OF_CONN_SNOOP)
		return;
	snoop(c, bytes, len);
	if (r.m.h.version != c->d.version)
		e = e && r.m.h.type == 0 ? OF_OK : OF_OFPBRC_BAD_VERSION;
	if (r.m.h.type == 1)
		return; /* an error that it makes of something: not answered */
	r.of = switch_of_find(c->hub->config.sw, c->hub->bridge);
	if (!e && !r.of)
		e = OF_OFPBRC_EPERM;
	if (!e)
		e = of_request_serve(&r);
	if (e)
		refuse(c, e, bytes, len);
	else
		of_conn_flush(c);
}

size_t of_conn_rx(struct of_conn *c, const void *bytes, size_t n, bool *over)
{
	const uint8_t *b = bytes;
	struct of_header h;
	size_t at = 0;

	*over = false;
	while (!c->why && of_header_read(b + at, n - at, &h)) {
		if (h.length < OF_HEADER_LEN) {
			c->why = "a message is shorter than its header";
			break;
		}
		if (h.length > n - at)
			break;
		take_message(c, b + at, h.length);
		at += h.length;
	}
	if (c->why) {
		*over = true;
		of_conn_end(c, c->why);
	}
	return at;
}
