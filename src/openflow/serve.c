/* SPDX-License-Identifier: Apache-2.0 */
/* What concerns the connection itself. */
#include "openflow/inside.h"

#include "ofwire/flow.h"

#define REASONS(n) ((1u << (n)) - 1)
#define ACTIONS10 0xfffu /* all of 1.0's */

enum of_error serve_echo(struct of_request *r)
{
	of_echo_encode(&r->c->out, OF_ECHO_REPLY, r->m.h.version, r->m.h.xid,
		       r->m.body);
	return OF_OK;
}

struct put_port {
	struct of_out *out;
	unsigned version;
};

static void put_port(void *ctx, const struct of_port *p)
{
	struct put_port *to = ctx;

	of_port_put(to->out, to->version, p);
}

enum of_error serve_features(struct of_request *r)
{
	unsigned v = r->m.h.version;
	struct put_port to = { &r->c->out, v };
	struct of_features f = {
		.datapath_id = r->c->hub->config.datapath_id,
		.n_tables = OF_N_TABLES,
		.capabilities = OF_CAP_FLOW_STATS | OF_CAP_TABLE_STATS |
				OF_CAP_PORT_STATS | OF_CAP_QUEUE_STATS,
		.actions = v == OF10 ? ACTIONS10 : 0,
	};
	size_t begin;

	if (v <= OF11)
		f.capabilities |= OF_CAP_ARP_MATCH_IP;
	if (v >= OF11)
		f.capabilities |= OF_CAP_GROUP_STATS;
	if (v >= OF15)
		f.capabilities |= OF_CAP_BUNDLES;
	begin = of_features_begin(&r->c->out, v, r->m.h.xid, &f);
	if (v < OF13)
		switch_of_ports(r->of, OF_PORT_NONE, put_port, &to);
	if (r->c->out.len - begin > OF_MESSAGE_MAX)
		return OF_OFPBRC_UNKNOWN; /* 1.0 to 1.2 have no way to say it */
	of_msg_end(&r->c->out, begin);
	return OF_OK;
}

enum of_error serve_get_config(struct of_request *r)
{
	of_config_encode(&r->c->out, OF_GET_CONFIG_REPLY, r->m.h.version,
			 r->m.h.xid, &r->c->config);
	return OF_OK;
}

enum of_error serve_set_config(struct of_request *r)
{
	struct of_config config;
	enum of_error e = of_config_decode(&r->m, &config);

	if (e)
		return e;
	r->c->config.miss_send_len = config.miss_send_len;
	r->c->config.flags = config.flags & OF_CONFIG_INVALID_TTL;
	if (config.miss_send_len)
		r->c->listens = true;
	return OF_OK;
}

enum of_error serve_barrier(struct of_request *r)
{
	switch_of_barrier(r->of);
	of_msg_encode_empty(&r->c->out, OF_BARRIER_REPLY, r->m.h.version,
			    r->m.h.xid);
	return OF_OK;
}

/* --- roles --- */

/* 1.5.1 6.3.6: older than the newest by a signed distance. */
static bool is_stale(const struct of_hub *hub, uint64_t generation)
{
	return hub->has_generation &&
	       (int64_t)(generation - hub->generation) < 0;
}

static void become_master(struct of_conn *c)
{
	struct of_conn *o;

	list_for_each(o, &c->hub->conns, link) {
		if (o == c || o->role != OF_ROLE_MASTER)
			continue;
		o->role = OF_ROLE_SLAVE;
		async_role(o, 0);
	}
}

enum of_error serve_role(struct of_request *r)
{
	struct of_hub *hub = r->c->hub;
	struct of_role_msg role;
	enum of_error e = of_role_decode(&r->m, &role);

	if (e)
		return e;
	if (role.role == OF_ROLE_MASTER || role.role == OF_ROLE_SLAVE) {
		if (role.has_generation && is_stale(hub, role.generation_id))
			return OF_OFPRRFC_STALE;
		if (role.has_generation) {
			hub->has_generation = true;
			hub->generation = role.generation_id;
		}
	}
	if (role.role == OF_ROLE_MASTER)
		become_master(r->c);
	if (role.role != OF_ROLE_NOCHANGE)
		r->c->role = role.role;
	role.role = r->c->role;
	role.has_generation = hub->has_generation;
	role.generation_id = hub->has_generation ? hub->generation : UINT64_MAX;
	of_role_encode(&r->c->out, OF_ROLE_REPLY, r->m.h.version, r->m.h.xid,
		       &role);
	return OF_OK;
}

/* --- what it wants to hear --- */

void serve_async_default(struct of_async *a)
{
	uint32_t packets = REASONS(6) & ~(1u << OF_REASON_INVALID_TTL);

	memset(a, 0, sizeof(*a));
	a->master[OF_ASYNC_PACKET_IN] = packets;
	a->master[OF_ASYNC_PORT_STATUS] = REASONS(3);
	a->slave[OF_ASYNC_PORT_STATUS] = REASONS(3);
	a->master[OF_ASYNC_FLOW_REMOVED] = REASONS(6);
	a->master[OF_ASYNC_ROLE_STATUS] = REASONS(3);
	a->slave[OF_ASYNC_ROLE_STATUS] = REASONS(3);
}

enum of_error serve_get_async(struct of_request *r)
{
	of_async_encode(&r->c->out, OF_GET_ASYNC_REPLY, r->m.h.version,
			r->m.h.xid, &r->c->async);
	return OF_OK;
}

enum of_error serve_set_async(struct of_request *r)
{
	enum of_error e = of_async_decode(&r->m, &r->c->async);

	if (!e)
		r->c->listens = true;
	return e;
}

enum of_error serve_number(struct of_request *r)
{
	uint32_t n;
	enum of_error e = of_number_decode(&r->m, &n);

	if (e)
		return e;
	switch (r->m.kind) {
	case OF_SET_FLOW_FORMAT:
		r->c->d.nxm = n != 0;
		break;
	case OF_FLOW_MOD_TABLE_ID:
		r->c->d.table_id = n != 0;
		break;
	case OF_SET_PACKET_IN_FORMAT:
		r->c->packet_in_form = (uint8_t)n;
		break;
	default: /* conn.c sends no other kind here */
		r->c->id = (uint16_t)n;
	}
	return OF_OK;
}
