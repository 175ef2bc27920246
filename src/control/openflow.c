/* SPDX-License-Identifier: Apache-2.0 */
#include "control/openflow.h"

#include "base/hash.h"
#include "base/log.h"
#include "base/str.h"
#include "control/internal.h"
#include "openflow/hub.h"
#include "port/port.h"
#include "sys/stream.h"

#define SOCKET_MODE 0600u
/* A locally administered address stands for a bridge without a device. */
#define LOCAL_BIT 0x020000000000ull
#define MAC_BITS 0xffffffffffffull

struct openflow_bridge {
	char *name;
	struct of_hub *hub;
	struct stream_listener *mgmt, *snoop;
	bool wanted;
};

/* A stream and the connection that it carries. */
struct joined {
	struct stream *s;
	struct of_conn *conn;
};

/* --- one connection --- */

static void on_send(void *ctx, const void *bytes, size_t n)
{
	struct joined *j = ctx;

	stream_send(j->s, bytes, n);
}

static void on_end(void *ctx, const char *why)
{
	struct joined *j = ctx;

	log_debug("openflow: %s: %s", stream_peer(j->s), why);
	stream_close_sent(j->s);
	free(j);
}

static const struct of_conn_ops conn_ops = { .send = on_send, .end = on_end };

static size_t on_rx(void *arg, const char *bytes, size_t n)
{
	struct joined *j = arg;
	bool over;

	return of_conn_rx(j->conn, bytes, n, &over);
}

static void on_closed(void *arg, const char *why UNUSED)
{
	struct joined *j = arg;

	of_conn_destroy(j->conn);
	free(j);
}

static void on_probe(void *arg)
{
	struct joined *j = arg;

	of_conn_probe(j->conn);
}

static const struct stream_ops stream_ops = {
	.rx = on_rx,
	.probe = on_probe,
	.closed = on_closed,
};

static void join(struct of_hub *hub, enum of_conn_kind kind, struct stream *s)
{
	struct joined *j = xzalloc(sizeof(*j));

	j->s = s;
	stream_set_ops(s, &stream_ops, j);
	stream_set_probe(s, 0);
	j->conn = of_conn_create(hub, kind, &conn_ops, j);
	if (j->conn)
		return;
	log_warn("openflow: %s: too many connections to bridge %s",
		 stream_peer(s), of_hub_bridge(hub));
	stream_close(s);
	free(j);
}

static void on_mgmt(void *arg, struct stream *s)
{
	join(arg, OF_CONN_SERVICE, s);
}

static void on_snoop(void *arg, struct stream *s)
{
	join(arg, OF_CONN_SNOOP, s);
}

/* --- one bridge --- */

static struct stream_listener *
listen_at(struct control *c, struct of_hub *hub, const char *suffix,
	  void (*accepted)(void *arg, struct stream *s))
{
	char *name = xasprintf("punix:%s/%s.%s", c->config.run,
			       of_hub_bridge(hub), suffix);
	struct stream_listen_spec spec = { .name = name,
					   .mode = SOCKET_MODE,
					   .max_clients = OF_HUB_CONNS,
					   .accepted = accepted,
					   .arg = hub };
	struct err e = ERR_INIT;
	struct stream_listener *l;

	l = stream_listener_create(c->config.loop, &spec, &e);
	if (!l)
		log_warn("openflow: %s", e.text);
	err_fini(&e);
	free(name);
	return l;
}

static uint64_t datapath_id(struct control *c, const char *bridge)
{
	const struct real_port *host = real_find(&c->real, bridge);

	if (host && !eth_addr_is_zero(host->port->mac))
		return eth_addr_to_u64(host->port->mac);
	return LOCAL_BIT | (hash_string(bridge, 0) & (MAC_BITS >> 8));
}

static void bridge_begin(struct control *c, const char *name)
{
	struct openflow_sockets *all = &c->openflow;
	struct of_hub_config config = { .env = c->config.env,
					.sw = c->sw,
					.bridge = name,
					.datapath_id = datapath_id(c, name) };
	struct openflow_bridge b = { .name = xstrdup(name), .wanted = true };

	b.hub = of_hub_create(&config);
	b.mgmt = listen_at(c, b.hub, "mgmt", on_mgmt);
	b.snoop = listen_at(c, b.hub, "snoop", on_snoop);
	all->v = xrealloc(all->v, (all->n + 1) * sizeof(*all->v));
	all->v[all->n++] = b;
}

static void bridge_end(struct openflow_bridge *b)
{
	stream_listener_destroy(b->mgmt);
	stream_listener_destroy(b->snoop);
	of_hub_destroy(b->hub);
	free(b->name);
}

static struct openflow_bridge *find(struct control *c, const char *name)
{
	for (unsigned i = 0; i < c->openflow.n; i++)
		if (!strcmp(c->openflow.v[i].name, name))
			return &c->openflow.v[i];
	return NULL;
}

static void want(struct control *c, const char *name)
{
	struct openflow_bridge *b = find(c, name);

	if (!b) {
		bridge_begin(c, name);
		return;
	}
	b->wanted = true;
	of_hub_refresh(b->hub);
}

static void end_unwanted(struct openflow_sockets *all)
{
	unsigned n = 0;

	for (unsigned i = 0; i < all->n; i++) {
		if (all->v[i].wanted)
			all->v[n++] = all->v[i];
		else
			bridge_end(&all->v[i]);
	}
	all->n = n;
}

void openflow_follow(struct control *c, const struct model_view *v)
{
	for (unsigned i = 0; i < c->openflow.n; i++)
		c->openflow.v[i].wanted = false;
	for (unsigned i = 0; i < v->n_bridges; i++)
		if (v->bridges[i].bridge && v->bridges[i].bridge->openflow)
			want(c, v->bridges[i].name);
	end_unwanted(&c->openflow);
}

void openflow_end(struct control *c)
{
	for (unsigned i = 0; i < c->openflow.n; i++)
		c->openflow.v[i].wanted = false;
	end_unwanted(&c->openflow);
	free(c->openflow.v);
	c->openflow = (struct openflow_sockets){ 0 };
}
