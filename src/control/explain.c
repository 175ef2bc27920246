/* SPDX-License-Identifier: Apache-2.0 */
/* Explain: the way a packet would take, told by the function that forwards. */
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>

#include "control/advice.h"
#include "control/internal.h"
#include "flow/extract.h"
#include "flow/match.h"
#include "packet/headers.h"
#include "packet/pcapng.h"
#include "switch/switch.h"

#define SOURCE_PORT 40000u
#define TTL 64u
#define LINK_RAW 12 /* what libpcap calls IP without a frame on Linux */
#define NAME_MAX_LEN 128u

struct endpoint {
	char name[NAME_MAX_LEN]; /* as asked, without the port */
	bool has_tp;
	uint16_t tp;
	const struct model_port *port; /* of whichever host; or NULL */
	struct ip_addr ip4, ip6;       /* family 0: none */
};

/* --- reading what was asked --- */

static const struct model_port *port_by_name(const struct model_host *h,
					     const char *name)
{
	return model_host_port(h, name);
}

static const struct model_port *port_by_ip(const struct model_host *h,
					   const struct ip_addr *ip)
{
	for (unsigned i = 0; i < h->ports.n; i++) {
		const struct model_port *p = &h->ports.items[i];

		for (unsigned a = 0; a < p->addresses.n; a++)
			if (ip_addr_equal(&p->addresses.items[a].addr, ip))
				return p;
	}
	return NULL;
}

static const struct model_port *
find_port(const struct model *m, const char *name, const struct ip_addr *ip)
{
	const struct model_port *p =
		ip ? port_by_ip(&m->local, ip) : port_by_name(&m->local, name);

	for (unsigned i = 0; i < m->hosts.n && !p; i++)
		p = ip ? port_by_ip(&m->hosts.items[i], ip) :
			 port_by_name(&m->hosts.items[i], name);
	return p;
}

static void take_address(struct endpoint *ep, const struct ip_addr *a)
{
	struct ip_addr *to = ip_addr_is_ip4(a) ? &ep->ip4 : &ep->ip6;

	if (!to->family)
		*to = *a;
}

/* "name", "address", "name:80", "10.0.0.1:80", "[fd00::1]:80" */
static int split_port(const char *text, struct endpoint *ep, struct err *e)
{
	const char *start = text, *end = text + strlen(text);
	const char *colon = strrchr(text, ':');
	unsigned long tp;
	char *stop;

	if (*text == '[') {
		start++;
		end = strchr(text, ']');
		if (!end || (end[1] && end[1] != ':'))
			return err_set(e,
				       "\"%s\": an IPv6 address with a port "
				       "is written [ADDRESS]:PORT",
				       text);
		colon = end[1] ? end + 1 : NULL;
	} else if (colon && strchr(text, ':') != colon) {
		colon = NULL; /* a bare IPv6 address */
	} else if (colon) {
		end = colon;
	}
	if ((size_t)(end - start) >= sizeof(ep->name))
		return err_set(e, "\"%s\": too long for a name", text);
	memcpy(ep->name, start, (size_t)(end - start));
	if (!colon)
		return 0;
	tp = strtoul(colon + 1, &stop, 10);
	if (*stop || stop == colon + 1 || tp > 65535)
		return err_set(e, "\"%s\": a port is a number from 0 to 65535",
			       colon + 1);
	ep->has_tp = true;
	ep->tp = (uint16_t)tp;
	return 0;
}

static int read_endpoint(struct control *c, const char *text,
			 struct endpoint *ep, struct err *e)
{
	struct ip_addr ip;

	*ep = (struct endpoint){ 0 };
	if (split_port(text, ep, e))
		return -EINVAL;
	if (!ip_addr_parse(ep->name, &ip)) {
		ep->port = find_port(c->model, NULL, &ip);
		take_address(ep, &ip);
		return 0;
	}
	ep->port = find_port(c->model, ep->name, NULL);
	if (!ep->port)
		return err_set(e,
			       "\"%s\" is neither an address nor a port of "
			       "the applied file; weft show ports lists "
			       "them",
			       ep->name);
	for (unsigned i = 0; i < ep->port->addresses.n; i++)
		take_address(ep, &ep->port->addresses.items[i].addr);
	return 0;
}

/* --- the packet --- */

struct question {
	struct control *c;
	const struct snapshot *s;
	struct endpoint from, to;
	struct ip_addr src, dst;
	const struct snap_port *in;
	const struct snap_domain *domain; /* where the source is */
	struct flow_key key;
};

static int choose_family(struct question *q, struct err *e)
{
	if (q->from.ip4.family && q->to.ip4.family) {
		q->src = q->from.ip4;
		q->dst = q->to.ip4;
	} else if (q->from.ip6.family && q->to.ip6.family) {
		q->src = q->from.ip6;
		q->dst = q->to.ip6;
	} else {
		return err_set(e,
			       "%s and %s have no addresses of the same "
			       "family that are known here; ask with "
			       "addresses, or say them in the file",
			       q->from.name, q->to.name);
	}
	return 0;
}

/* The port a station is behind, by what was learned of it. */
static const struct snap_port *learned_port(struct question *q,
					    struct eth_addr *mac)
{
	for (unsigned i = 0; i < q->s->n_domains; i++) {
		const struct snap_domain *d = q->s->domains[i];
		struct neigh_found n;
		struct mac_found at;
		struct dep dep;

		if (!d || !d->neigh)
			continue;
		n = neigh_find(d->neigh, &q->src, &dep);
		if (!n.found || !n.usable)
			continue;
		at = mac_table_find(d->bridge->macs, d->vid, n.mac, &dep);
		if (!at.found)
			continue;
		*mac = n.mac;
		q->domain = d;
		return snapshot_port(q->s, at.port);
	}
	return NULL;
}

static const struct snap_domain *port_domain(const struct question *q,
					     const struct snap_port *p)
{
	for (unsigned i = 0; i < q->s->n_domains; i++) {
		const struct snap_domain *d = q->s->domains[i];

		for (unsigned m = 0; d && m < d->n_members; m++)
			if (d->members[m].port == p && !d->members[m].tagged)
				return d;
	}
	return NULL;
}

static int find_source(struct question *q, struct err *e)
{
	const struct model_port *p = q->from.port;
	struct real_port *r = p ? real_find(&q->c->real, p->o.name) : NULL;
	uint32_t i = r ? model_view_port(q->c->view, p->o.name) : VIEW_NONE;
	struct eth_addr mac = { { 0 } };

	if (i != VIEW_NONE) {
		q->in = snapshot_port(q->s, r->id);
		mac = q->c->view->ports[i].mac;
		q->domain = q->in ? port_domain(q, q->in) : NULL;
	} else {
		q->in = learned_port(q, &mac);
	}
	if (!q->in && p)
		return err_set(e, "%s is on another host; ask there",
			       q->from.name);
	if (!q->in)
		return err_set(e,
			       "nobody here is known to have the address "
			       "%s; name the port it comes from",
			       q->from.name);
	if (eth_addr_is_zero(mac))
		mac = model_mac("explain", q->from.name);
	q->key.eth_src = mac;
	q->key.in_port = q->in->id;
	return 0;
}

/* The network that the source's domain is of; NULL: a plain bridge. */
static const struct model_network *network_of(const struct question *q)
{
	for (uint32_t i = 0; i < q->c->view->n_domains; i++) {
		const struct model_network *n = q->c->view->domains[i].network;

		if (n && !strcmp(n->o.name, q->domain->name))
			return n;
	}
	return NULL;
}

/* Without any, every station is on the link, as on a plain switch. */
static bool has_subnets(const struct question *q)
{
	const struct model_network *n = network_of(q);

	return n && n->subnets.n;
}

static bool on_link(const struct question *q)
{
	const struct model_network *n = network_of(q);

	for (unsigned s = 0; n && s < n->subnets.n; s++)
		if (ip_prefix_contains(&n->subnets.items[s], &q->dst))
			return true;
	return false;
}

/* What the file says of it, or what weft gives the far end of a veth it makes;
 * zero: not known. */
static struct eth_addr port_mac(const struct question *q,
				const struct model_port *p)
{
	const struct model *m = q->c->model;
	uint32_t i = model_view_port(q->c->view, p->o.name);
	struct eth_addr mac = p->mac;

	if (i != VIEW_NONE && q->c->view->ports[i].port == p)
		return q->c->view->ports[i].mac;
	for (i = 0; i < m->hosts.n && eth_addr_is_zero(mac); i++) {
		const struct model_host *h = &m->hosts.items[i];
		char *full;

		if (model_host_port(h, p->o.name) != p ||
		    p->type != MODEL_PORT_VETH || !p->create)
			continue;
		full = xasprintf("%s/%s", h->o.name, p->o.name);
		mac = model_mac("veth", full);
		free(full);
	}
	return mac;
}

static int station_mac(struct question *q)
{
	struct eth_addr mac = { { 0 } };
	struct neigh_found n = { 0 };
	struct dep dep;

	if (q->domain->neigh)
		n = neigh_find(q->domain->neigh, &q->dst, &dep);
	if (n.found && n.usable)
		mac = n.mac;
	else if (q->to.port)
		mac = port_mac(q, q->to.port);
	if (eth_addr_is_zero(mac))
		mac = model_mac("explain", q->to.name);
	q->key.eth_dst = mac;
	return 0;
}

/* The router itself, at an address of its own in this network. */
static bool is_router(const struct question *q)
{
	const struct snap_iface *i = q->domain->iface;

	for (unsigned n = 0; i && n < i->n_addresses; n++)
		if (ip_addr_equal(&i->addresses[n].addr, &q->dst))
			return true;
	return false;
}

/* Whom the source addresses the frame to: the station on its own network, else
 * the router. */
static int find_next(struct question *q, struct err *e)
{
	if (q->in->kind == SNAP_PORT_ROUTED)
		return 0;
	if (!q->domain)
		return err_set(e,
			       "port %s is in no network where an address "
			       "could be asked for",
			       q->in->name);
	if (!is_router(q) && (on_link(q) || !has_subnets(q)))
		return station_mac(q);
	if (!q->domain->iface)
		return err_set(e,
			       "%s is not on network %s and that network "
			       "has no router; give it one under routers:",
			       q->to.name, q->domain->name);
	q->key.eth_dst = q->domain->iface->router->mac;
	return 0;
}

static void fill_key(struct question *q, const char *proto)
{
	struct flow_key *k = &q->key;
	bool ip6 = !ip_addr_is_ip4(&q->dst);

	k->eth_type = ip6 ? ETH_TYPE_IP6 : ETH_TYPE_IP4;
	if (q->in->kind == SNAP_PORT_ROUTED)
		k->packet_type = ip6 ? PACKET_TYPE_IP6 : PACKET_TYPE_IP4;
	k->ip_ttl = TTL;
	if (ip6) {
		k->ip6_src = q->src.a;
		k->ip6_dst = q->dst.a;
	} else {
		k->ip4_src = ip_addr_ip4(&q->src);
		k->ip4_dst = ip_addr_ip4(&q->dst);
	}
	if (!q->to.has_tp) {
		k->ip_proto = ip6 ? IP_PROTO_ICMP6 : IP_PROTO_ICMP;
		k->tp_src = ip6 ? ICMP6_ECHO_REQUEST : ICMP_ECHO_REQUEST;
		return;
	}
	k->ip_proto = !strcmp(proto, "udp") ? IP_PROTO_UDP : IP_PROTO_TCP;
	k->tp_src = SOURCE_PORT;
	k->tp_dst = q->to.tp;
}

/* --- the answer --- */

struct telling {
	struct trace trace;
	struct json_object *steps;
};

static void put_text(struct json_object *o, const char *key, const char *text)
{
	json_object_object_add(o, key,
			       text ? json_object_new_string(text) : NULL);
}

static void on_step(struct trace *t, const struct trace_step *step)
{
	struct telling *tell = container_of(t, struct telling, trace);
	struct json_object *o = json_object_new_object();

	put_text(o, "kind", trace_kind_name(step->kind));
	json_object_object_add(o, "hop", json_object_new_int((int)step->depth));
	put_text(o, "object", step->object);
	put_text(o, "text", step->text);
	if (step->origin.line) {
		put_text(o, "file", step->origin.file);
		json_object_object_add(
			o, "line", json_object_new_int((int)step->origin.line));
	}
	json_object_array_add(tell->steps, o);
}

static const char *port_name(void *ctx, uint32_t port)
{
	const struct snap_port *p = snapshot_port(ctx, port);

	return p ? p->name : NULL;
}

/* A list that only drops is a drop. */
static void say_drop(struct verdict *v)
{
	struct act_list list = acts_list(&v->actions);
	const struct act_u32 *drop = (const void *)list.first;

	if (!v->drop && list.len && list.first->op == ACT_DROP)
		v->drop = (uint16_t)drop->value;
}

/* --- which cache holds it --- */

#define CACHE_LOOK                                                             \
	16384u /* flows: workers wait while they are looked through */

struct cache_look {
	const struct flow_key *key;
	unsigned n;
	const char *where; /* NULL: nowhere */
	uint64_t packets;
};

static void look_at_flow(void *ctx, const struct dp_flow *f)
{
	struct cache_look *l = ctx;

	l->n++;
	if (!f->fresh || !key_equal_under(l->key, f->key, f->mask))
		return;
	l->where = f->in_kernel ? "kernel" : "worker";
	l->packets = f->packets;
}

/* Not said when there are more flows than may be looked through. */
static void put_cache(struct question *q, struct json_object *o)
{
	struct cache_look l = { .key = &q->key };

	switch_dp_ops(q->c->sw)->flow_dump(switch_dp(q->c->sw), CACHE_LOOK,
					   look_at_flow, &l);
	if (!l.where && l.n == CACHE_LOOK)
		return;
	put_text(o, "cache", l.where);
	if (l.where)
		json_object_object_add(o, "cached_packets",
				       json_object_new_uint64(l.packets));
}

static void put_drop(struct json_object *o, enum drop d)
{
	put_text(o, "drop", d ? drop_name(d) : NULL);
	put_text(o, "why", d ? drop_sentence(d) : NULL);
	if (d)
		put_text(o, "advice", advice_of_drop(d));
}

static struct json_object *answer(struct question *q)
{
	struct telling tell = { { on_step }, json_object_new_array() };
	struct act_names names = {
		.port_name = port_name,
		.ctx = (void *)(uintptr_t)q->s,
	};
	struct json_object *o = json_object_new_object();
	struct verdict *v = xzalloc(sizeof(*v));
	struct str text = STR_INIT;

	key_format(&q->key, &text);
	put_text(o, "packet", str_text(&text));
	str_clear(&text);
	switch_explain(q->c->sw, &q->key, v, &tell.trace);
	acts_format(acts_list(&v->actions), &names, &text);
	say_drop(v);
	put_text(o, "from", q->from.name);
	put_text(o, "to", q->to.name);
	json_object_object_add(o, "steps", tell.steps);
	put_text(o, "actions", str_text(&text));
	put_drop(o, (enum drop)v->drop);
	str_fini(&text);
	free(v);
	return o;
}

static const char *param(struct json_object *params, const char *key)
{
	struct json_object *v;

	return params && json_object_object_get_ex(params, key, &v) &&
			       json_object_is_type(v, json_type_string) ?
		       json_object_get_string(v) :
		       NULL;
}

struct json_object *explain_key(struct control *c, const struct flow_key *key,
				const char *from)
{
	struct question q = { .c = c,
			      .s = switch_snapshot(c->sw),
			      .key = *key };

	snprintf(q.from.name, sizeof(q.from.name), "%s", from);
	return answer(&q);
}

/* --- the rule behind a verdict --- */

struct rule_seen {
	struct trace trace;
	struct explain_rule *out;
	bool found;
};

static void on_rule(struct trace *t, const struct trace_step *step)
{
	struct rule_seen *seen = container_of(t, struct rule_seen, trace);
	struct explain_rule *to = seen->out;

	if (step->kind != TRACE_RULE)
		return;
	seen->found = true;
	snprintf(to->bridge, sizeof(to->bridge), "%s", step->object);
	snprintf(to->text, sizeof(to->text), "%s", step->text);
	to->line = step->origin.line;
	if (to->line)
		snprintf(to->file, sizeof(to->file), "%s", step->origin.file);
}

bool explain_rule_of(struct control *c, const struct flow_key *key,
		     struct act_list done, struct explain_rule *out)
{
	struct rule_seen seen = { { on_rule }, out, false };
	struct verdict *v = xzalloc(sizeof(*v));
	bool same;

	switch_explain(c->sw, key, v, &seen.trace);
	/* As the datapath says it. */
	if (!v->actions.len)
		acts_drop(&v->actions,
			  v->drop ? (enum drop)v->drop : DROP_NO_RULE);
	same = act_list_equal(done, acts_list(&v->actions));
	free(v);
	return seen.found && same;
}

/* --- a packet in words --- */

/* The port it comes in at, by name. */
static int name_source(struct question *q, const char *name, struct err *e)
{
	struct real_port *p = real_find(&q->c->real, name);
	uint32_t i = model_view_port(q->c->view, name);

	if (!p)
		return err_set(e,
			       "name the port that the packet comes in at; "
			       "\"%s\" is none (weft show ports lists them)",
			       name);
	snprintf(q->from.name, sizeof(q->from.name), "%s", name);
	q->key.in_port = p->id;
	q->in = snapshot_port(q->s, p->id);
	q->domain = q->in ? port_domain(q, q->in) : NULL;
	q->from.port = find_port(q->c->model, name, NULL);
	if (eth_addr_is_zero(q->key.eth_src) && i != VIEW_NONE)
		q->key.eth_src = q->c->view->ports[i].mac;
	return 0;
}

static bool is_ip(const struct flow_key *k)
{
	return k->eth_type == ETH_TYPE_IP4 || k->eth_type == ETH_TYPE_IP6;
}

static struct ip_addr key_dst(const struct flow_key *k)
{
	return k->eth_type == ETH_TYPE_IP4 ? ip_addr_from_ip4(k->ip4_dst) :
					     ip_addr_from_ip6(k->ip6_dst);
}

static bool has_dst(const struct flow_key *k)
{
	return k->ip4_dst || !ip6_addr_is_zero(k->ip6_dst);
}

/* The frame's destination for a group; false: it is for one station. */
static bool group_mac(struct flow_key *k)
{
	uint32_t ip = k->ip4_dst;

	if (k->eth_type == ETH_TYPE_IP6 && ip6_addr_is_multicast(k->ip6_dst))
		k->eth_dst = ip6_addr_multicast_mac(k->ip6_dst);
	else if (ip == UINT32_MAX)
		k->eth_dst = eth_addr_from_u64(0xffffffffffffull);
	else if (ip >> 28 == 0xe)
		k->eth_dst =
			eth_addr_from_u64(0x01005e000000ull | (ip & 0x7fffff));
	else
		return false;
	return true;
}

static void complete_source(struct question *q)
{
	struct flow_key *k = &q->key;

	for (unsigned i = 0; q->from.port && i < q->from.port->addresses.n; i++)
		take_address(&q->from, &q->from.port->addresses.items[i].addr);
	if (k->eth_type == ETH_TYPE_IP4 && !k->ip4_src && q->from.ip4.family)
		k->ip4_src = ip_addr_ip4(&q->from.ip4);
	if (k->eth_type == ETH_TYPE_IP6 && ip6_addr_is_zero(k->ip6_src) &&
	    q->from.ip6.family)
		k->ip6_src = q->from.ip6.a;
}

/* What was left out is what the port's station would send. */
static void complete_key(struct question *q)
{
	struct flow_key *k = &q->key;
	struct err e = ERR_INIT;

	if (!is_ip(k))
		return;
	complete_source(q);
	if (!k->ip_ttl)
		k->ip_ttl = TTL;
	if (!q->in || !has_dst(k) || !eth_addr_is_zero(k->eth_dst) ||
	    k->vlan[0].tci || group_mac(k))
		return;
	q->dst = key_dst(k);
	ip_addr_format(&q->dst, q->to.name);
	q->to.port = find_port(q->c->model, NULL, &q->dst);
	/* No way to it: it is asked about as it is. */
	if (find_next(q, &e))
		err_fini(&e);
}

/* "in_port=vm1,tcp,..." with a port's name, taken out of the text. */
static char *take_in_port(const char *text, char **name)
{
	const char *at = strstr(text, "in_port="), *value, *end;
	struct str rest = STR_INIT;

	if (!at || (at != text && at[-1] != ','))
		return xstrdup(text);
	value = at + strlen("in_port=");
	end = value + strcspn(value, ",");
	*name = xstrndup(value, (size_t)(end - value));
	str_add_n(&rest, text, (size_t)(at - text));
	str_add(&rest, *end ? end + 1 : end);
	return str_take(&rest);
}

static const char *name_of_number(struct question *q, const char *text)
{
	char *end;
	unsigned long id = strtoul(text, &end, 10);
	struct real_port *p =
		*text && !*end ? real_by_id(&q->c->real, (uint32_t)id) : NULL;

	return p ? p->name : text;
}

static struct json_object *explain_packet(struct question *q, const char *text,
					  const char *from, struct err *e)
{
	char *name = NULL, *rest = take_in_port(text, &name);
	int rc = key_parse(rest, &q->key, e);

	if (!from)
		from = name ? name_of_number(q, name) : "";
	if (!rc)
		rc = name_source(q, from, e);
	if (!rc)
		complete_key(q);
	free(name);
	free(rest);
	return rc ? NULL : answer(q);
}

/* --- a packet as bytes --- */

static int digit(char ch)
{
	if (ch >= '0' && ch <= '9')
		return ch - '0';
	return ch >= 'a' && ch <= 'f' ? ch - 'a' + 10 : -1;
}

static int read_bytes(const char *hex, struct packet *p, struct err *e)
{
	size_t len = strlen(hex);

	if (!len || len % 2 || len / 2 > PACKET_MAX_LEN)
		return err_set(e,
			       "bytes: 1 to %u of them are wanted, two "
			       "hexadecimal digits each",
			       PACKET_MAX_LEN);
	for (size_t i = 0; i < len; i++) {
		int d = digit(hex[i]);

		if (d < 0)
			return err_set(e,
				       "bytes: \"%c\" is no hexadecimal "
				       "digit",
				       hex[i]);
		p->data[i / 2] = (uint8_t)(p->data[i / 2] << 4 | d);
	}
	p->len = (uint32_t)(len / 2);
	return 0;
}

/* Frames at ports with an Ethernet header, IP packets at those without. */
static int read_type(const struct real_port *in, int64_t link, struct packet *p,
		     struct err *e)
{
	bool ip = link == PCAPNG_LINK_IP || link == LINK_RAW;

	if (!ip && link != PCAPNG_LINK_ETHERNET)
		return err_set(e,
			       "packets of link type %lld are neither Ethernet "
			       "nor IP",
			       (long long)link);
	if (ip != in->port->ops->layer3)
		return err_set(e, "port %s carries %s, and the packet is %s",
			       in->name, ip ? "Ethernet frames" : "IP",
			       ip ? "IP without a frame" : "an Ethernet frame");
	if (ip)
		p->packet_type = p->data[0] >> 4 == 6 ? PACKET_TYPE_IP6 :
							PACKET_TYPE_IP4;
	p->in_port = in->id;
	return 0;
}

static int read_packet(struct question *q, const struct real_port *in,
		       struct json_object *params, struct err *e)
{
	struct packet_pool *pool = packet_pool_create(1);
	struct packet *p = pool ? packet_alloc(pool) : NULL;
	struct json_object *link = NULL;
	int rc;

	if (!p)
		return err_set(e, "no memory is left for a packet");
	json_object_object_get_ex(params, "link", &link);
	rc = read_bytes(param(params, "bytes"), p, e);
	if (!rc)
		rc = read_type(in, json_object_get_int64(link), p, e);
	if (!rc && flow_extract(p, &q->key) != DROP_NONE)
		rc = err_set(e, "the packet ends amid its first header");
	packet_free(p);
	packet_pool_destroy(pool);
	return rc;
}

static struct json_object *
explain_bytes(struct question *q, struct json_object *params, struct err *e)
{
	const char *from = param(params, "from");
	struct real_port *in = from ? real_find(&q->c->real, from) : NULL;

	if (!in) {
		err_set(e,
			"name the port that the packet comes in at; \"%s\" is "
			"none (weft show ports lists them)",
			from ? from : "");
		return NULL;
	}
	if (read_packet(q, in, params, e))
		return NULL;
	snprintf(q->from.name, sizeof(q->from.name), "%s", from);
	return answer(q);
}

static struct json_object *with_cache(struct question *q, struct json_object *o)
{
	if (o)
		put_cache(q, o);
	return o;
}

struct json_object *explain(struct control *c, struct json_object *params,
			    struct err *e)
{
	struct question q = { .c = c, .s = switch_snapshot(c->sw) };
	const char *from = param(params, "from"), *to = param(params, "to");
	const char *proto = param(params, "proto");
	const char *packet = param(params, "packet");

	if (param(params, "bytes"))
		return with_cache(&q, explain_bytes(&q, params, e));
	if (packet)
		return with_cache(&q, explain_packet(&q, packet, from, e));
	if (!from || !to) {
		err_set(e, "say from where and to where: weft explain A -> B");
		return NULL;
	}
	if (read_endpoint(c, from, &q.from, e) ||
	    read_endpoint(c, to, &q.to, e) || choose_family(&q, e) ||
	    find_source(&q, e) || find_next(&q, e))
		return NULL;
	fill_key(&q, proto ? proto : "tcp");
	return with_cache(&q, answer(&q));
}
