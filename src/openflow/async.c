/* SPDX-License-Identifier: Apache-2.0 */
/* What happens on the bridge, told to those who want to hear it. */
#include "openflow/inside.h"

static bool wants(const struct of_conn *c, enum of_async_type type,
		  unsigned reason)
{
	const uint32_t *bits =
		c->role == OF_ROLE_SLAVE ? c->async.slave : c->async.master;

	return c->d.version && c->listens && c->kind != OF_CONN_SNOOP &&
	       bits[type] >> reason & 1u;
}

static void on_flow_removed(void *ctx, const struct of_flow_removed *fr)
{
	struct of_hub *hub = ctx;
	struct of_conn *c;

	list_for_each(c, &hub->conns, link) {
		struct of_out o = OF_OUT_INIT;

		if (!wants(c, OF_ASYNC_FLOW_REMOVED, fr->reason))
			continue;
		of_flow_removed_encode(&o, &c->d, 0, fr);
		of_conn_send(c, o.b, o.len);
		of_out_fini(&o);
	}
}

/* Before 1.4 an action is an action, and before 1.3 a miss is a miss. */
static uint8_t reason_in(unsigned version, uint8_t reason)
{
	if (version < OF14 && reason > OF_REASON_INVALID_TTL)
		return OF_REASON_ACTION;
	return reason;
}

static size_t room_for(const struct of_conn *c,
		       const struct switch_packet_in *pi)
{
	size_t most = pi->max_len ? pi->max_len : OF_MESSAGE_MAX;

	if (pi->reason == OF_REASON_INVALID_TTL)
		most = c->config.miss_send_len;
	return MIN(MIN(pi->len, most), (size_t)OF_MESSAGE_MAX - 512);
}

static void tell_packet(struct of_conn *c, const struct switch_packet_in *pi)
{
	struct of_packet_in out = {
		.packet = pi->packet,
		.len = room_for(c, pi),
		.total_len = (uint32_t)pi->len,
		.buffer_id = OF_BUFFER_NONE,
		.reason = reason_in(c->d.version, pi->reason),
		.table = pi->table,
		.cookie = pi->cookie,
	};
	struct of_out o = OF_OUT_INIT;

	match_init(&out.metadata);
	out.metadata.key.in_port = pi->of_port;
	MASK_SET(&out.metadata.mask, in_port);
	out.metadata.key.metadata = pi->metadata;
	if (pi->metadata)
		MASK_SET(&out.metadata.mask, metadata);
	of_packet_in_encode(&o, c->packet_in_form, c->d.version, 0, &out);
	of_conn_send(c, o.b, o.len);
	of_out_fini(&o);
}

static void on_packet_in(void *ctx, const struct switch_packet_in *pi)
{
	struct of_hub *hub = ctx;
	struct of_conn *c;

	list_for_each(c, &hub->conns, link) {
		if (c->id != pi->controller)
			continue;
		if (pi->reason == OF_REASON_INVALID_TTL &&
		    c->config.flags & OF_CONFIG_INVALID_TTL && c->listens &&
		    c->d.version)
			tell_packet(c, pi);
		else if (wants(c, OF_ASYNC_PACKET_IN,
			       reason_in(c->d.version, pi->reason)))
			tell_packet(c, pi);
	}
}

static void on_port_status(void *ctx, uint8_t reason, const struct of_port *p)
{
	struct of_hub *hub = ctx;
	struct of_conn *c;

	list_for_each(c, &hub->conns, link) {
		struct of_out o = OF_OUT_INIT;

		if (!wants(c, OF_ASYNC_PORT_STATUS, reason))
			continue;
		of_port_status_encode(&o, c->d.version, 0, reason, p);
		of_conn_send(c, o.b, o.len);
		of_out_fini(&o);
	}
}

const struct switch_of_ops async_ops = {
	.flow_removed = on_flow_removed,
	.packet_in = on_packet_in,
	.port_status = on_port_status,
};

void async_role(struct of_conn *c, uint8_t reason)
{
	struct of_role_msg m = { .role = c->role,
				 .reason = reason,
				 .has_generation = c->hub->has_generation,
				 .generation_id = c->hub->generation };
	struct of_out o = OF_OUT_INIT;

	if (!of_kind_exists(OF_ROLE_STATUS, c->d.version) ||
	    !wants(c, OF_ASYNC_ROLE_STATUS, reason))
		return;
	of_role_encode(&o, OF_ROLE_STATUS, c->d.version, 0, &m);
	of_conn_send(c, o.b, o.len);
	of_out_fini(&o);
}
