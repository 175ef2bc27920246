/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/test_net.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>
#include <cmocka.h>

#include "base/err.h"
#include "l3/wire.h"
#include "ofwire/acts_text.h"
#include "packet/checksum.h"
#include "packet/headers.h"

#define SEED 7u
#define JOINED_MS (MCAST_SETTLE_MS + 1000u)

static const char *net_name(struct net *n, char *name)
{
	must(n->n_names < NET_NAMES);
	n->names[n->n_names++] = name;
	return name;
}

static void tell(struct trace *t, const struct trace_step *step)
{
	struct net *n = container_of(t, struct net, trace);

	str_addf(&n->told, "%u %s %s: %s\n", step->depth,
		 trace_kind_name(step->kind), step->object, step->text);
}

struct net *net_create(void)
{
	struct net *n = xzalloc(sizeof(*n));
	struct snapshot *s = xzalloc(sizeof(*s));

	*s = (struct snapshot){
		.ports = xcalloc(NET_PORTS, sizeof(*s->ports)),
		.n_ports = NET_PORTS,
		.bridges = xcalloc(NET_BRIDGES, sizeof(*s->bridges)),
		.domains = xcalloc(NET_DOMAINS, sizeof(*s->domains)),
		.routers = xcalloc(NET_ROUTERS, sizeof(*s->routers)),
		.ifaces = xcalloc(NET_IFACES, sizeof(*s->ifaces)),
	};
	n->s = s;
	n->trace.step = tell;
	env_test_init(&n->env, SEED);
	return n;
}

static void no_packet(struct packet *p UNUSED)
{
}

void net_destroy(struct net *n)
{
	struct snapshot *s = n->s;

	for (unsigned i = 0; i < s->n_domains; i++) {
		neigh_destroy(s->domains[i]->neigh, no_packet);
		mcast_destroy(s->domains[i]->mcast);
	}
	for (unsigned i = 0; i < s->n_bridges; i++) {
		mac_table_destroy(s->bridges[i]->macs);
		rule_table_destroy(s->bridges[i]->rules);
		flows_destroy(s->bridges[i]->flows);
	}
	snapshot_free(s);
	rcu_barrier_wait();
	for (unsigned i = 0; i < n->n_names; i++)
		free(n->names[i]);
	str_fini(&n->told);
	str_fini(&n->text);
	free(n);
}

int net_enter(void **state UNUSED)
{
	rcu_thread_register();
	return 0;
}

int net_leave(void **state UNUSED)
{
	rcu_thread_unregister();
	return 0;
}

/* --- bridges, domains, ports --- */

struct snap_bridge *net_bridge(struct net *n, bool vlan_aware)
{
	struct snapshot *s = n->s;
	struct mac_config c = { .id = s->n_bridges, .seed = SEED };
	struct snap_bridge *b = xzalloc(sizeof(*b));

	must(s->n_bridges < NET_BRIDGES);
	b->id = s->n_bridges;
	b->name = net_name(n, xasprintf("br%u", b->id));
	b->vlan_aware = vlan_aware;
	b->macs = mac_table_create(&c, &n->stamps);
	b->domains = xcalloc(NET_DOMAINS, sizeof(*b->domains));
	b->probe_mac = eth_addr_from_u64(0x030000000000ull | b->id);
	s->bridges[s->n_bridges++] = b;
	return b;
}

/* Into the bridge's list, sorted. */
static void add_domain(struct snap_bridge *b, struct snap_domain *d)
{
	unsigned i = b->n_domains++;

	for (; i && b->domains[i - 1]->vid > d->vid; i--)
		b->domains[i] = b->domains[i - 1];
	b->domains[i] = d;
}

struct snap_domain *net_domain(struct net *n, struct snap_bridge *b,
			       uint16_t vid, uint32_t vni)
{
	struct snapshot *s = n->s;
	struct snap_domain *d = xzalloc(sizeof(*d));

	must(s->n_domains < NET_DOMAINS);
	*d = (struct snap_domain){
		.id = s->n_domains,
		.name = net_name(n, xasprintf("net%u", vid)),
		.bridge = b,
		.vid = vid,
		.vni = vni,
		.mtu = 1500,
		.members = xcalloc(NET_PORTS, sizeof(*d->members)),
		.peers = xcalloc(NET_PORTS, sizeof(*d->peers)),
	};
	s->domains[s->n_domains++] = d;
	add_domain(b, d);
	return d;
}

void net_resolve(struct net *n, struct snap_domain *d)
{
	struct neigh_config c = { .id = d->id,
				  .seed = SEED,
				  .env = &n->env.env };

	if (!d->neigh)
		d->neigh = neigh_create(&c, &n->stamps);
}

void net_snoop(struct net *n, struct snap_domain *d)
{
	struct mcast_config c = {
		.id = d->id, .seed = SEED, .querier = true, .mac = net_mac(0xf0)
	};

	d->mcast = mcast_create(&c, &n->stamps, 0);
	mcast_tick(d->mcast, 0);
	mcast_tick(d->mcast, JOINED_MS);
}

static struct snap_port *new_port(struct net *n, uint32_t id,
				  enum snap_port_kind kind)
{
	struct snap_port *p = xzalloc(sizeof(*p));

	must(id && id < NET_PORTS && !n->s->ports[id]);
	*p = (struct snap_port){ .id = id,
				 .kind = kind,
				 .name = net_name(n, xasprintf("p%u", id)),
				 .mtu = 1500 };
	n->s->ports[id] = p;
	return p;
}

static uint16_t next_vid(char **save)
{
	const char *word = strtok_r(NULL, " ", save);

	return word ? (uint16_t)strtoul(word, NULL, 10) : 0;
}

static void parse_vlans(struct vlan_port *v, const char *text)
{
	char *copy = xstrdup(text), *save = NULL;
	char *mode = strtok_r(copy, " ", &save);
	uint16_t vid;

	for (v->mode = VLAN_TRUNK; strcmp(mode, vlan_mode_name(v->mode));)
		must(v->mode++ < VLAN_QINQ);
	if (v->mode != VLAN_TRUNK)
		v->pvid = next_vid(&save);
	while ((vid = next_vid(&save)))
		vlan_set_add(&v->allowed, vid);
	free(copy);
}

struct snap_port *net_port(struct net *n, uint32_t id, struct snap_bridge *b,
			   const char *vlan)
{
	struct snap_port *p = new_port(n, id, SNAP_PORT_BRIDGED);

	p->bridge = b;
	if (*vlan)
		parse_vlans(&p->vlan, vlan);
	return p;
}

struct snap_port *net_tunnel(struct net *n, uint32_t id)
{
	struct snap_port *p = new_port(n, id, SNAP_PORT_TUNNEL);

	p->mtu = UINT32_MAX;
	return p;
}

static uint32_t tunnel_id(const struct net *n)
{
	for (uint32_t i = 0; i < NET_PORTS; i++)
		if (n->s->ports[i] && n->s->ports[i]->kind == SNAP_PORT_TUNNEL)
			return i;
	return 0;
}

struct snap_port *net_peer(struct net *n, uint32_t id, const char *remote)
{
	struct snap_port *p = new_port(n, id, SNAP_PORT_PEER);

	p->remote = net_ip(remote);
	p->tunnel_port = tunnel_id(n);
	return p;
}

struct snap_port *net_routed(struct net *n, uint32_t id)
{
	return new_port(n, id, SNAP_PORT_ROUTED);
}

/* --- routers --- */

struct snap_router *net_router(struct net *n)
{
	struct snapshot *s = n->s;
	struct snap_router *r = xzalloc(sizeof(*r));

	must(s->n_routers < NET_ROUTERS);
	r->id = s->n_routers;
	r->name = net_name(n, xasprintf("r%u", r->id));
	r->mac = eth_addr_from_u64(0x02000000fe00ull | r->id);
	s->routers[s->n_routers++] = r;
	return r;
}

static struct route *add_route(struct net *n, const struct snap_router *r,
			       const struct ip_prefix *to, enum route_kind kind)
{
	struct route *list = n->routes[r->id], *new;

	for (unsigned i = 0; i < n->n_routes[r->id]; i++)
		if (kind == ROUTE_VIA && list[i].kind == kind &&
		    ip_prefix_equal(&list[i].prefix, to))
			return &list[i];
	must(n->n_routes[r->id] < NET_ROUTES);
	new = &list[n->n_routes[r->id]++];
	*new = (struct route){ .prefix = *to, .kind = kind };
	return new;
}

static struct ip_prefix prefix(const char *text)
{
	struct ip_prefix p;

	if (ip_prefix_parse(text, &p))
		fail_msg("%s is no prefix", text);
	return p;
}

static void add_hop(struct route *r, const struct snap_iface *i,
		    const char *gateway)
{
	struct route_hop *h = &r->hops[r->n_hops++];

	must(r->n_hops <= ROUTE_MAX_HOPS);
	h->iface = i->id;
	if (gateway)
		h->gateway = net_ip(gateway);
}

static struct snap_iface *new_iface(struct net *n, struct snap_router *r)
{
	struct snapshot *s = n->s;
	struct snap_iface *i = xzalloc(sizeof(*i));

	must(s->n_ifaces < NET_IFACES);
	*i = (struct snap_iface){ .id = s->n_ifaces,
				  .router = r,
				  .mtu = 1500,
				  .addresses =
					  xcalloc(8, sizeof(*i->addresses)) };
	s->ifaces[s->n_ifaces++] = i;
	return i;
}

void net_address(struct net *n, struct snap_iface *i, const char *address)
{
	struct ip_prefix p = prefix(address), net = ip_prefix_network(&p);
	struct ip_prefix own = { p.addr, ip_addr_is_ip4(&p.addr) ? 32 : 128 };
	struct route *local;

	must(i->n_addresses < 8);
	i->addresses[i->n_addresses++] = p;
	add_hop(add_route(n, i->router, &net, ROUTE_CONNECTED), i, NULL);
	local = add_route(n, i->router, &own, ROUTE_CONNECTED);
	local->cookie = ROUTE_COOKIE_LOCAL;
	add_hop(local, i, NULL);
	if (i->domain)
		neigh_set_own(i->domain->neigh, i->addresses, i->n_addresses,
			      i->router->mac);
}

struct snap_iface *net_iface(struct net *n, struct snap_router *r,
			     struct snap_domain *d, const char *address)
{
	struct snap_iface *i = new_iface(n, r);

	net_resolve(n, d);
	i->domain = d;
	d->iface = i;
	i->addresses[i->n_addresses++] = (struct ip_prefix){
		ip_addr_from_ip6(ip6_addr_link_local(r->mac)), 64
	};
	net_address(n, i, address);
	return i;
}

struct snap_iface *net_iface_on(struct net *n, struct snap_router *r,
				struct snap_port *p, const char *address)
{
	struct snap_iface *i = new_iface(n, r);

	i->port = p;
	p->iface = i;
	net_address(n, i, address);
	return i;
}

struct snap_iface *net_remote(struct net *n, struct snap_router *r,
			      struct snap_domain *d,
			      const struct snap_port *peer, const char *to)
{
	struct snap_iface *i = new_iface(n, r);
	struct ip_prefix p = prefix(to);

	i->domain = d;
	i->peer = peer;
	i->mtu = peer->mtu;
	add_hop(add_route(n, r, &p, ROUTE_CONNECTED), i, NULL);
	return i;
}

void net_route(struct net *n, struct snap_router *r, const char *to,
	       const char *via, const struct snap_iface *i)
{
	struct ip_prefix p = prefix(to);

	if (!via)
		add_route(n, r, &p, ROUTE_BLACKHOLE);
	else if (!strcmp(via, "unreachable"))
		add_route(n, r, &p, ROUTE_UNREACHABLE);
	else
		add_hop(add_route(n, r, &p, ROUTE_VIA), i, via);
}

struct rule *net_rule(struct net *n, struct snap_bridge *b, const char *text)
{
	struct rule_spec *spec = xmalloc(sizeof(*spec));
	struct rule_what what = { 0 };
	struct err e = ERR_INIT;
	struct rule *r;

	acts_clear(&spec->actions);
	if (rule_parse(text, NULL, spec, &e))
		fail_msg("%s: %s", text, e.text);
	if (!b->rules)
		b->rules = rule_table_create();
	what.priority = spec->priority;
	what.actions = acts_list(&spec->actions);
	what.counter = rule_table_count(b->rules) + 1;
	what.origin = (struct snap_origin){ "net.yaml", what.counter };
	r = rule_table_put(b->rules, &spec->match, &what);
	free(spec);
	(void)n;
	return r;
}

/* --- freezing --- */

static void add_members(struct net *n, struct snap_domain *d, bool tagged)
{
	for (unsigned i = 0; i < NET_PORTS; i++) {
		const struct snap_port *p = n->s->ports[i];
		enum vlan_out out = VLAN_OUT_UNTAGGED;

		if (!p || p->bridge != d->bridge)
			continue;
		if (d->bridge->vlan_aware)
			out = vlan_egress(&p->vlan, d->vid);
		if (out == (tagged ? VLAN_OUT_TAGGED : VLAN_OUT_UNTAGGED))
			d->members[d->n_members++] =
				(struct snap_member){ p, tagged };
	}
}

static void freeze_peers(struct net *n)
{
	struct peer_spec peers[NET_PORTS];
	struct vni_spec vnis[NET_DOMAINS];
	uint32_t ports[NET_PORTS];
	struct err e = ERR_INIT;
	unsigned n_peers = 0, n_vnis = 0;

	for (uint32_t i = 0; i < NET_PORTS; i++) {
		const struct snap_port *p = n->s->ports[i];

		if (!p || p->kind != SNAP_PORT_PEER)
			continue;
		peers[n_peers] = (struct peer_spec){ p->remote, i };
		ports[n_peers++] = i;
	}
	for (unsigned i = 0; i < n->s->n_domains; i++) {
		struct snap_domain *d = n->s->domains[i];

		if (!d->vni)
			continue;
		vnis[n_vnis++] =
			(struct vni_spec){ d->vni, d->id, ports, n_peers };
		for (unsigned k = 0; k < n_peers; k++)
			d->peers[d->n_peers++] = n->s->ports[ports[k]];
	}
	if (!tunnel_id(n))
		return;
	n->s->peers = peers_build(peers, n_peers, vnis, n_vnis, &e);
	if (!n->s->peers)
		fail_msg("%s", e.text);
}

static void number_ports(struct net *n, struct snap_bridge *b)
{
	b->of_ports = xcalloc(NET_PORTS, sizeof(*b->of_ports));
	for (unsigned i = 1; i < NET_PORTS; i++) {
		struct snap_port *p = n->s->ports[i];

		if (!p || p->bridge != b)
			continue;
		p->of_port = i;
		b->of_ports[b->n_of_ports++] = p;
	}
}

void net_freeze(struct net *n)
{
	for (unsigned i = 0; i < n->s->n_bridges; i++)
		number_ports(n, n->s->bridges[i]);
	for (unsigned i = 0; i < n->s->n_domains; i++) {
		add_members(n, n->s->domains[i], false);
		add_members(n, n->s->domains[i], true);
	}
	freeze_peers(n);
	for (unsigned i = 0; i < n->s->n_routers; i++)
		n->s->routers[i]->routes =
			route_table_build(n->routes[i], n->n_routes[i]);
}

/* --- OpenFlow --- */

static struct of_acts net_acts(const char *text)
{
	struct of_acts acts = OF_ACTS_INIT;
	struct err e = ERR_INIT;

	if (of_acts_parse(text, NULL, &acts, &e))
		fail_msg("%s: %s", text, e.text);
	return acts;
}

static struct flows *net_flows(struct net *n, struct snap_bridge *b)
{
	if (!b->flows)
		b->flows = flows_create(&n->stamps, b->id);
	return b->flows;
}

struct flow_rule *net_flow(struct net *n, struct snap_bridge *b,
			   const char *text)
{
	struct flows *f = net_flows(n, b);
	unsigned table = 0, priority = RULE_PRIORITY_DEFAULT;
	char *copy = xstrdup(text), *at = copy;
	char *acts_at = strstr(copy, "actions=");
	struct of_acts acts = net_acts(acts_at + 8);
	struct err e = ERR_INIT;
	struct flow_rule *r;
	struct match m;

	acts_at[acts_at > copy ? -1 : 0] = '\0';
	if (!strncmp(at, "table=", 6)) {
		table = (unsigned)strtoul(at + 6, &at, 10);
		at += *at == ',';
	}
	if (!strncmp(at, "priority=", 9)) {
		priority = (unsigned)strtoul(at + 9, &at, 10);
		at += *at == ',';
	}
	if (match_parse(at, &m, &e))
		fail_msg("%s: %s", text, e.text);
	r = flow_rule_create(&m, priority, of_acts_list(&acts));
	r->table = (uint8_t)table;
	r->counter = (uint32_t)f->n;
	flows_put(f, r, flows_find_exactly(f, r->table, &m, priority));
	of_acts_fini(&acts);
	free(copy);
	return r;
}

struct flow_group *net_group(struct net *n, struct snap_bridge *b,
			     struct of_group what, const char *buckets)
{
	char *copy = xstrdup(buckets), *save = NULL;
	struct flow_group *g;

	for (char *t = strtok_r(copy, "|", &save); t;
	     t = strtok_r(NULL, "|", &save)) {
		struct of_bucket *k = of_group_bucket(&what);

		k->id = (uint32_t)what.n_buckets - 1;
		k->weight = 1;
		if (what.type == OF_GROUP_TYPE_FF)
			k->watch_port = k->id + 1;
		k->acts = net_acts(t);
	}
	g = flow_group_create(&what);
	flows_group_put(net_flows(n, b), g);
	free(copy);
	return g;
}

/* --- what is learned --- */

struct eth_addr net_mac(unsigned i)
{
	return eth_addr_from_u64(0x020000000000ull | i);
}

struct ip_addr net_ip(const char *text)
{
	struct ip_addr a;

	if (ip_addr_parse(text, &a))
		fail_msg("%s is no address", text);
	return a;
}

void net_learn(struct net *n, const struct snap_domain *d, unsigned station,
	       uint32_t port)
{
	mac_table_learn(d->bridge->macs, d->vid, net_mac(station), port,
			env_now_ms(&n->env.env));
}

void net_neigh(struct net *n, const struct snap_domain *d, const char *ip,
	       unsigned station)
{
	struct neigh_news news = { .kind = NEIGH_ASKS,
				   .override = true,
				   .has_mac = true,
				   .create = true,
				   .in_port = 1,
				   .ip = net_ip(ip),
				   .mac = net_mac(station) };

	neigh_learn(d->neigh, &news, env_now_ms(&n->env.env));
}

static uint32_t igmp_report(uint8_t *b, const struct ip_addr *group)
{
	uint8_t *igmp = wire_ip4(b, 0xc0000201u, ip_addr_ip4(group), 0, 28);

	b[8] = 1;
	b[9] = IP_PROTO_IGMP;
	put_be16(b + 10, 0);
	put_be16(b + 10, checksum(b, 20));
	igmp[0] = 0x16;
	put_be32(igmp + 4, ip_addr_ip4(group));
	put_be16(igmp + 2, checksum(igmp, 8));
	return 28;
}

static uint32_t mld_report(uint8_t *b, const struct ip_addr *group)
{
	static const uint8_t options[8] = { IP_PROTO_ICMP6, 0, 5, 2, 0, 0, 1 };
	struct ip6_addr src = ip6_addr_link_local(net_mac(1));

	wire_ip6(b, src, group->a, 1, 32);
	b[6] = IP_PROTO_HOPOPTS;
	memcpy(b + 40, options, sizeof(options));
	b[48] = 131;
	memcpy(b + 56, group->a.b, 16);
	wire_icmp6_csum(b + 48, 24, src, group->a);
	return 72;
}

void net_join(struct net *n, const struct snap_domain *d, uint32_t port,
	      const struct ip_addr *group)
{
	uint8_t b[80] = { 0 };
	uint32_t len = ip_addr_is_ip4(group) ? igmp_report(b, group) :
					       mld_report(b, group);
	uint64_t now = env_now_ms(&n->env.env);

	assert_int_equal(mcast_rx(d->mcast, port, b, len, MAX(now, JOINED_MS)),
			 MCAST_REPORT);
}

/* --- asking --- */

struct flow_key net_key(const char *text)
{
	struct err e = ERR_INIT;
	struct flow_key k;

	if (key_parse(text, &k, &e))
		fail_msg("%s: %s", text, e.text);
	return k;
}

const char *net_actions(struct net *n)
{
	str_clear(&n->text);
	acts_format(acts_list(&n->v.actions), NULL, &n->text);
	return str_text(&n->text);
}

const char *net_translate(struct net *n, const char *key)
{
	struct flow_key k = net_key(key);

	str_clear(&n->told);
	pipeline_translate(n->s, &k, &n->v, &n->trace);
	return net_actions(n);
}

void net_expect(struct net *n, const char *key, const char *actions)
{
	assert_string_equal(net_translate(n, key), actions);
}

bool net_looked_at(const struct net *n, const char *match)
{
	struct err e = ERR_INIT;
	struct match m;

	if (match_parse(match, &m, &e))
		fail_msg("%s: %s", match, e.text);
	return mask_is_subset(&m.mask, &n->v.mask);
}

bool net_has_effect(const struct net *n, enum effect_kind kind)
{
	for (unsigned i = 0; i < n->v.n_effects; i++)
		if (n->v.effects[i].kind == kind)
			return true;
	return false;
}

bool net_is_fresh(const struct net *n, const struct verdict *v)
{
	for (unsigned i = 0; i < v->n_deps; i++)
		if (!stamp_is_fresh(&n->stamps, v->deps[i]))
			return false;
	return true;
}
