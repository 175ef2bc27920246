/* SPDX-License-Identifier: Apache-2.0 */
/* Egress: tags, peers, length checks, floods. */
#include "pipeline/xlate.h"

static void pop_tag(struct xlate *x)
{
	acts_pop_vlan(&x->v->actions);
	x->key.vlan[0] = x->key.vlan[1];
	x->key.vlan[1] = (struct key_vlan){ 0 };
	x->tagged = false;
}

static void push_tag(struct xlate *x, uint16_t tpid, uint16_t tci)
{
	acts_push_vlan(&x->v->actions, tpid, tci);
	x->key.vlan[1] = x->key.vlan[0];
	x->key.vlan[0] = (struct key_vlan){ tpid, tci | KEY_VLAN_PRESENT };
	x->tagged = true;
}

void output_untag(struct xlate *x)
{
	if (x->tagged)
		pop_tag(x);
}

/* Puts the domain's tag on, as the port writes it; the priority survives. */
static void output_tag(struct xlate *x, const struct snap_domain *d,
		       const struct snap_port *out)
{
	struct key_vlan old = x->key.vlan[0];
	uint16_t tpid = vlan_port_tpid(&out->vlan);

	if (x->tagged && old.tpid == tpid &&
	    (old.tci & VLAN_VID_MASK) == d->vid)
		return;
	output_untag(x);
	push_tag(x, tpid, (uint16_t)(d->vid | x->pcp));
}

static void egress_tag(struct xlate *x, const struct snap_domain *d,
		       const struct snap_member *m)
{
	if (m->tagged)
		output_tag(x, d, m->port);
	else
		output_untag(x);
}

void output_check_len(struct xlate *x, uint32_t mtu,
		      const struct snap_domain *d, const struct snap_iface *i)
{
	struct trace *t = x->t;
	struct act_punt *punt;
	uint32_t begin;

	if (mtu >= x->mtu_seen || !xlate_is_ip(x))
		return;
	begin = acts_begin(&x->v->actions, ACT_CHECK_LEN, mtu);
	x->t = NULL; /* a condition, not a step of this packet's way */
	punt = xlate_punt(x, PUNT_TOO_BIG, d, i);
	x->t = t;
	if (punt)
		punt->userdata[PUNT_WORD_ADDR] = mtu;
	acts_end(&x->v->actions, begin);
	x->mtu_seen = mtu;
}

static void output_peer(struct xlate *x, const struct snap_domain *d,
			const struct snap_port *peer)
{
	struct packet_tunnel t = { .id = d->vni,
				   .dst = peer->remote,
				   .flags = TUNNEL_F_DF };

	acts_set_tunnel(&x->v->actions, &t);
	acts_output(&x->v->actions, peer->tunnel_port);
}

void output_to_peer(struct xlate *x, const struct snap_domain *d,
		    const struct snap_port *peer)
{
	output_check_len(x, peer->mtu, d, d->iface);
	output_untag(x);
	output_peer(x, d, peer);
	xlate_note(x, TRACE_TUNNEL, peer, "through the tunnel, VNI %u", d->vni);
}

void output_member(struct xlate *x, const struct snap_domain *d,
		   const struct snap_member *m)
{
	/* Ports of one MTU are trusted to keep it; what does not is dropped as it
	 * leaves, as on any bridge. */
	if (x->in && m->port->mtu < x->in->mtu)
		output_check_len(x, m->port->mtu, d, d->iface);
	egress_tag(x, d, m);
	acts_output(&x->v->actions, m->port->id);
	xlate_note(x, TRACE_OUTPUT, m->port, "leaves%s",
		   m->tagged ? " with its VLAN tag" : "");
}

/* Split horizon: what a peer sent in this network it sent to all peers. */
static bool from_peer(const struct xlate *x)
{
	return xlate_from_peer(x) && !x->routed;
}

/* NULL: all of them. */
static bool peer_wants(const struct mcast_found *f, const struct snap_port *p)
{
	return !f || mcast_found_has(f, p->id);
}

static void output_peers_of(struct xlate *x, const struct snap_domain *d,
			    const struct mcast_found *f)
{
	bool any = false;

	if (from_peer(x))
		return;
	for (unsigned i = 0; i < d->n_peers; i++)
		if (peer_wants(f, d->peers[i])) {
			output_check_len(x, d->peers[i]->mtu, d, d->iface);
			any = true;
		}
	if (any)
		output_untag(x);
	for (unsigned i = 0; i < d->n_peers; i++)
		if (peer_wants(f, d->peers[i]))
			output_peer(x, d, d->peers[i]);
}

void output_peers(struct xlate *x, const struct snap_domain *d)
{
	output_peers_of(x, d, NULL);
}

/* What was routed may go back to where it came from: another network of it. */
static bool flood_allowed(const struct xlate *x, const struct snap_port *out)
{
	if (out->blocked || (out == x->in && !x->routed))
		return false;
	return !(x->in && x->in->isolated && out->isolated);
}

/* Members come untagged first (N2), so that tags change at most twice. */
void output_flood(struct xlate *x, const struct snap_domain *d)
{
	uint32_t before = x->v->actions.len;
	unsigned n = 0;

	for (unsigned i = 0; i < d->n_members; i++) {
		const struct snap_member *m = &d->members[i];

		if (!flood_allowed(x, m->port))
			continue;
		egress_tag(x, d, m);
		acts_output(&x->v->actions, m->port->id);
		n++;
	}
	xlate_note(x, TRACE_BRIDGE, d, "flooded to %u ports and %u peers", n,
		   from_peer(x) ? 0 : d->n_peers);
	output_peers(x, d);
	if (x->v->actions.len == before)
		xlate_drop(x, DROP_NO_MEMBERS);
}

void output_group(struct xlate *x, const struct snap_domain *d,
		  const struct mcast_found *f, bool all_peers)
{
	uint32_t before = x->v->actions.len;

	for (unsigned i = 0; i < d->n_members; i++) {
		const struct snap_member *m = &d->members[i];

		if (flood_allowed(x, m->port) &&
		    mcast_found_has(f, m->port->id)) {
			egress_tag(x, d, m);
			acts_output(&x->v->actions, m->port->id);
		}
	}
	xlate_note(x, TRACE_BRIDGE, d, "to those who asked for the group");
	output_peers_of(x, d, all_peers ? NULL : f);
	if (x->v->actions.len == before)
		xlate_drop(x, DROP_NO_MEMBERS);
}
