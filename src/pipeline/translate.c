/* SPDX-License-Identifier: Apache-2.0 */
/* The entry: which port, which domain. */
#include <stdio.h>

#include "base/str.h"
#include "overlay/note.h"
#include "pipeline/xlate.h"

const char *trace_kind_name(enum trace_kind k)
{
	static const char *const names[] = {
		[TRACE_PORT] = "port",     [TRACE_RULE] = "rule",
		[TRACE_BRIDGE] = "bridge", [TRACE_ROUTER] = "router",
		[TRACE_TUNNEL] = "tunnel", [TRACE_SLOW] = "control",
		[TRACE_DROP] = "drop",     [TRACE_OUTPUT] = "output",
	};

	return names[k];
}

void xlate_trace(struct xlate *x, struct trace_at at, const char *fmt, ...)
{
	struct str text = STR_INIT;
	struct trace_step step;
	va_list ap;

	va_start(ap, fmt);
	str_addv(&text, fmt, ap);
	va_end(ap);
	step = (struct trace_step){ at.kind, x->hops, at.name, str_text(&text),
				    at.origin };
	x->t->step(x->t, &step);
	str_fini(&text);
}

void xlate_drop(struct xlate *x, enum drop reason)
{
	struct trace_at at = { TRACE_DROP, drop_name(reason), { NULL, 0 } };

	acts_drop(&x->v->actions, reason);
	x->v->drop = (uint16_t)reason;
	if (unlikely(x->t))
		xlate_trace(x, at, "%s", drop_sentence(reason));
}

struct act_punt *xlate_punt(struct xlate *x, enum punt_reason reason,
			    const struct snap_domain *d,
			    const struct snap_iface *i)
{
	struct trace_at at = { TRACE_SLOW,
			       punt_reason_name(reason),
			       { NULL, 0 } };
	struct act_punt *a = acts_punt(&x->v->actions, reason);

	if (unlikely(x->t))
		xlate_trace(x, at, "a copy goes to the control thread");
	if (a) {
		a->userdata[PUNT_WORD_DOMAIN] = d ? d->id : PUNT_NONE;
		a->userdata[PUNT_WORD_IFACE] = i ? i->id : PUNT_NONE;
	}
	return a;
}

void xlate_punt_addr(struct act_punt *a, const struct ip_addr *addr)
{
	if (a)
		memcpy(&a->userdata[PUNT_WORD_ADDR], addr->a.b, 16);
}

struct ip_addr xlate_ip_dst(const struct xlate *x)
{
	if (x->key.eth_type == ETH_TYPE_IP6)
		return ip_addr_from_ip6(x->key.ip6_dst);
	return ip_addr_from_ip4(x->key.ip4_dst);
}

struct ip_addr xlate_ip_src(const struct xlate *x)
{
	if (x->key.eth_type == ETH_TYPE_IP6)
		return ip_addr_from_ip6(x->key.ip6_src);
	return ip_addr_from_ip4(x->key.ip4_src);
}

bool xlate_is_ip(struct xlate *x)
{
	xlate_look(x, eth_type);
	return x->plain && (x->key.eth_type == ETH_TYPE_IP4 ||
			    x->key.eth_type == ETH_TYPE_IP6);
}

static const struct snap_domain *
find_domain(struct xlate *x, const struct snap_bridge *b, uint16_t vid)
{
	const struct snap_domain *d = snap_bridge_domain(b, vid);

	if (!d)
		xlate_drop(x, DROP_VLAN_INGRESS);
	return d;
}

/* Which VLAN is the frame in, by its tag and its port? Dropped when in none. */
static const struct snap_domain *classify(struct xlate *x,
					  const struct snap_bridge *b)
{
	const struct key_vlan *tags = x->key.vlan;
	struct vlan_in in;

	xlate_look(x, vlan);
	if (!b->vlan_aware) {
		x->plain = !tags[0].tpid;
		return find_domain(x, b, 0);
	}
	in = vlan_classify(&x->in->vlan, tags[0]);
	if (in.drop) {
		xlate_note(x, TRACE_PORT, x->in,
			   tags[0].tpid ? "does not carry its VLAN, %u" :
					  "takes no frames without a tag",
			   tags[0].tci & VLAN_VID_MASK);
		xlate_drop(x, (enum drop)in.drop);
		return NULL;
	}
	x->tagged = in.has_tag;
	x->pcp = in.has_tag ? tags[0].tci & XLATE_PCP_MASK : 0;
	x->plain = !tags[in.has_tag].tpid;
	return find_domain(x, b, in.vid);
}

static bool is_probe(struct xlate *x, const struct snap_bridge *b)
{
	xlate_look(x, eth_dst);
	return b->loop_guard && eth_addr_equal(x->key.eth_dst, b->probe_mac);
}

void xlate_normal(struct xlate *x)
{
	const struct snap_bridge *b = x->in->bridge;
	const struct snap_domain *d;

	if (is_probe(x, b)) {
		xlate_punt(x, PUNT_LOOP_PROBE, NULL, NULL);
		return;
	}
	if (x->in->blocked) {
		xlate_drop(x, DROP_LOOP);
		return;
	}
	d = classify(x, b);
	if (d)
		bridge_rx(x, d);
}

static struct ip_addr tunnel_source(struct xlate *x)
{
	xlate_look(x, tun_src);
	xlate_look(x, tun6_src);
	if (x->key.tun_src)
		return ip_addr_from_ip4(x->key.tun_src);
	return ip_addr_from_ip6(x->key.tun6_src);
}

static bool is_note(struct xlate *x)
{
	xlate_look(x, eth_type);
	xlate_look(x, vlan);
	return x->key.eth_type == NOTE_ETHERTYPE && !x->key.vlan[0].tpid;
}

static void tunnel_rx(struct xlate *x)
{
	struct ip_addr remote = tunnel_source(x);
	const struct snap_port *peer = snapshot_peer(x->s, &remote);
	const struct snap_domain *d;

	if (!peer) {
		xlate_drop(x, DROP_NOT_A_PEER);
		return;
	}
	xlate_look(x, tun_id);
	if (x->key.tun_id == NOTE_VNI && is_note(x)) {
		xlate_punt(x, PUNT_NOTE, NULL, NULL);
		return;
	}
	d = x->key.tun_id <= 0xffffff ?
		    snapshot_vni(x->s, (uint32_t)x->key.tun_id) :
		    NULL;
	if (!d) {
		xlate_drop(x, DROP_NO_NETWORK);
		return;
	}
	x->in = peer;
	xlate_look(x, vlan);
	x->plain = !x->key.vlan[0].tpid;
	xlate_note(x, TRACE_TUNNEL, peer, "came through the tunnel, VNI %u",
		   d->vni);
	bridge_rx(x, d);
}

/* A port may be there before a router takes it. */
static void routed_rx(struct xlate *x)
{
	x->plain = true;
	if (x->in->iface)
		router_rx(x, x->in->iface);
	else
		xlate_drop(x, DROP_NO_BRIDGE);
}

static void port_rx(struct xlate *x)
{
	switch (x->in->kind) {
	case SNAP_PORT_BRIDGED:
		if (x->in->bridge->flows)
			flow_run(x);
		else if (x->in->bridge->rules)
			rule_run(x);
		else
			xlate_normal(x);
		return;
	case SNAP_PORT_TUNNEL:
		tunnel_rx(x);
		return;
	case SNAP_PORT_ROUTED:
		routed_rx(x);
		return;
	case SNAP_PORT_PEER:
		break;
	}
	xlate_drop(x, DROP_NO_PORT);
}

static void xlate_begin(struct xlate *x, const struct snapshot *s,
			const struct flow_key *key, struct verdict *v)
{
	verdict_init(v);
	verdict_add_dep(v, (struct dep){ STAMP_SNAPSHOT, s->generation });
	*x = (struct xlate){
		.s = s, .v = v, .key = *key, .mtu_seen = UINT32_MAX
	};
}

static bool any_bit(const void *mask, size_t begin, size_t end)
{
	const uint8_t *m = mask;

	for (size_t i = begin; i < end; i++)
		if (m[i])
			return true;
	return false;
}

#define FROM(member) offsetof(struct flow_key, member)

/* A few bits of an address are enough for the classifier to leave a rule, but
 * they say nothing to people, and little to a cache, without the type of the
 * header that they stand in. */
static void look_at_types(struct xlate *x)
{
	const struct flow_key *m = &x->v->mask.bits;

	if (any_bit(m, FROM(tp_src), FROM(arp_op)))
		xlate_look(x, ip_proto);
	if (m->ip_frag || m->ip_proto ||
	    any_bit(m, FROM(ip4_src), FROM(tun_id)))
		xlate_look(x, eth_type);
}

void xlate_end(struct xlate *x)
{
	look_at_types(x);
	if (x->v->actions.overflow) {
		acts_clear(&x->v->actions);
		x->v->cacheable = false;
		xlate_drop(x, DROP_UNSUPPORTED);
	}
}

void pipeline_translate(const struct snapshot *s, const struct flow_key *key,
			struct verdict *v, struct trace *t)
{
	struct xlate x;

	xlate_begin(&x, s, key, v);
	x.t = t;
	x.in = snapshot_port(s, key->in_port);
	if (x.in) {
		xlate_note(&x, TRACE_PORT, x.in, "enters");
		port_rx(&x);
	} else {
		xlate_drop(&x, DROP_NO_BRIDGE);
	}
	xlate_end(&x);
}

void pipeline_packet_out(const struct snapshot *s,
			 const struct pipeline_out *out,
			 const struct flow_key *key, struct verdict *v,
			 struct trace *t)
{
	struct xlate x;

	xlate_begin(&x, s, key, v);
	x.t = t;
	x.in = snapshot_port(s, key->in_port);
	if (x.in && x.in->bridge != out->bridge)
		x.in = NULL;
	flow_run_out(&x, out);
	xlate_end(&x);
}

void pipeline_originate(const struct snapshot *s, uint32_t domain,
			const struct flow_key *key, struct verdict *v,
			struct trace *t)
{
	const struct snap_domain *d = snapshot_domain(s, domain);
	struct xlate x;

	xlate_begin(&x, s, key, v);
	x.t = t;
	x.plain = true;
	if (d)
		bridge_forward(&x, d);
	else
		xlate_drop(&x, DROP_NO_BRIDGE);
	xlate_end(&x);
}

void pipeline_route_own(const struct snapshot *s, uint32_t router,
			const struct flow_key *key, struct verdict *v,
			struct trace *t)
{
	struct xlate x;

	xlate_begin(&x, s, key, v);
	x.t = t;
	x.plain = true;
	if (router < s->n_routers)
		router_forward(&x, s->routers[router], NULL);
	else
		xlate_drop(&x, DROP_NO_ROUTE);
	xlate_end(&x);
}
