/* SPDX-License-Identifier: Apache-2.0 */
/* Packets to controllers, and from them. */
#include "switch/of_inside.h"

#include "flow/extract.h"
#include "packet/checksum.h"

static uint64_t word64(const uint32_t *w)
{
	return w[0] | (uint64_t)w[1] << 32;
}

static uint32_t of_port_of(const struct vswitch *sw, uint32_t id)
{
	const struct snap_port *p = snapshot_port(sw->snapshot, id);

	return p && p->of_port ? p->of_port : OF_PORT_CONTROLLER;
}

/* Did it come in by this bridge, or by none? A rule of a file may punt, too, and
 * says nothing of a bridge. */
static bool is_of(const struct vswitch *sw, const struct sw_bridge *b,
		  uint32_t in_port)
{
	const struct snap_port *p = snapshot_port(sw->snapshot, in_port);

	return !in_port || (p && p->bridge && p->bridge->id == b->id);
}

/* A frame that was to be finished by whoever sends it is finished here. */
void sw_of_punted(struct vswitch *sw, const struct punt *p)
{
	const uint32_t *w = p->action.userdata;
	const struct sw_bridge *b =
		sw_bridge(sw, PUNT_FLOW_BRIDGE(w[PUNT_FLOW_PLACE]));
	struct switch_packet_in pi = {
		.len = p->packet->len,
		.max_len = p->action.max_len,
		.controller = (uint16_t)w[PUNT_FLOW_CONTROLLER],
		.of_port = of_port_of(sw, p->in_port),
		.reason = (uint8_t)PUNT_FLOW_REASON(w[PUNT_FLOW_PLACE]),
		.table = (uint8_t)PUNT_FLOW_TABLE(w[PUNT_FLOW_PLACE]),
		.cookie = word64(&w[PUNT_FLOW_COOKIE]),
		.metadata = word64(&w[PUNT_FLOW_METADATA]),
	};

	if (!b || !b->of || !is_of(sw, b, p->in_port) || !b->of->ops ||
	    !b->of->ops->packet_in)
		return;
	if (p->packet->flags & PACKET_CSUM_PARTIAL)
		packet_csum_finish(p->packet);
	pi.packet = p->packet->data;
	b->of->ops->packet_in(b->of->ctx, &pi);
}

static const struct snap_bridge *snap_of(const struct switch_of *of)
{
	return of->sw->snapshot->bridges[of->bridge];
}

static void run(struct switch_of *of, const struct pipeline_out *out,
		struct packet *p)
{
	struct vswitch *sw = of->sw;
	struct verdict *v = sw->verdict;
	struct dp_use use = { .in_port = p->in_port,
			      .packets = 1,
			      .bytes = p->len,
			      .used_ms = sw_now(sw) };
	struct flow_key key;

	flow_key_init(&key);
	(void)flow_extract(p, &key); /* what does not parse stays zero */
	pipeline_packet_out(sw->snapshot, out, &key, v, NULL);
	if (v->n_effects)
		sw_callbacks.apply(sw, v->effects, v->n_effects, &use);
	sw->config.dp->execute(sw->dp, p, acts_list(&v->actions));
}

enum of_error switch_of_packet_out(struct switch_of *of,
				   const struct of_packet_out *po)
{
	struct of_act_list acts = of_acts_list(&po->acts);
	uint32_t in = po->metadata.key.in_port;
	const struct snap_port *from = snap_bridge_of_port(snap_of(of), in);
	struct pipeline_out out = { snap_of(of), &acts, in };
	enum of_error e = switch_of_check(of, acts, 0);
	struct packet *p;

	if (e)
		return e;
	if (po->buffer_id != OF_BUFFER_NONE)
		return OF_OFPBRC_BUFFER_UNKNOWN;
	if (!from && in < OF_PORT_MAX)
		return OF_OFPBRC_BAD_PORT;
	if (po->len < 14 || po->len > PACKET_MAX_LEN)
		return OF_OFPBRC_BAD_PACKET;
	p = packet_alloc(of->sw->pool);
	if (!p)
		return OF_OK; /* lost, as a packet may be */
	packet_fill(p, po->packet, (uint32_t)po->len);
	p->in_port = from ? from->id : 0;
	run(of, &out, p);
	return OF_OK;
}
