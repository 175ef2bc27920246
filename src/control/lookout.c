/* SPDX-License-Identifier: Apache-2.0 */
#include "control/lookout.h"

#include <inttypes.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <sys/socket.h>

#include "control/netstate.h"
#include "sys/netlink.h"

#define ANSWER_MS 250u
#define PING_LEN 64u
#define PING_ID 0x5745u

/* What the kernel says, once for each look. */
struct look {
	struct nl_routes routes;
	struct nl_neighs neighs;
	struct nl_addrs addrs;
	bool ok; /* false: it could not be asked; then nothing is judged */
};

static void look_take(struct look *k, struct nl *nl)
{
	*k = (struct look){ 0 };
	k->ok = !nl_route_list(nl, 0, &k->routes, NULL) &&
		!nl_neigh_list(nl, 0, &k->neighs, NULL) &&
		!nl_addr_list(nl, 0, &k->addrs, NULL);
}

static void look_fini(struct look *k)
{
	nl_routes_fini(&k->routes);
	nl_neighs_fini(&k->neighs);
	nl_addrs_fini(&k->addrs);
}

static bool is_default(const struct nl_route *r)
{
	return !r->dst.len && r->table == RT_TABLE_MAIN &&
	       r->type == RTN_UNICAST;
}

static bool has_default(const struct look *k, uint16_t family)
{
	for (size_t i = 0; i < k->routes.n; i++)
		if (is_default(&k->routes.v[i]) &&
		    k->routes.v[i].family == family)
			return true;
	return false;
}

static bool is_used_gateway(const struct look *k, const struct ip_addr *a)
{
	for (size_t i = 0; i < k->routes.n; i++)
		if (is_default(&k->routes.v[i]) &&
		    ip_addr_equal(&k->routes.v[i].gateway, a))
			return true;
	return false;
}

static bool has_address(const struct look *k, const struct ip_addr *a)
{
	for (size_t i = 0; i < k->addrs.n; i++)
		if (ip_addr_equal(&k->addrs.v[i].local.addr, a))
			return true;
	return false;
}

/* An entry that is not confirmed for the moment may still be right. */
static bool has_neighbour(const struct look *k, const struct ip_addr *a)
{
	for (size_t i = 0; i < k->neighs.n; i++)
		if (ip_addr_equal(&k->neighs.v[i].addr, a) &&
		    !(k->neighs.v[i].state & (NUD_FAILED | NUD_INCOMPLETE)))
			return k->neighs.v[i].has_mac;
	return false;
}

/* --- hosts ---------------------------------------------------------------- */

static bool host_answered(struct lookout_host *h, unsigned ms)
{
	struct ping_answer a;

	while (ping_wait(&h->ping, ms, &a))
		if (a.kind == PING_ECHO && ip_addr_equal(&a.from, &h->address))
			return true;
	return false;
}

static bool host_ask(struct lookout_host *h)
{
	return !ping_echo(&h->ping, &h->address, PING_LEN, ++h->seq);
}

static struct lookout_host *host_find(struct lookout *l,
				      const struct ip_addr *a)
{
	for (unsigned i = 0; i < l->n_hosts; i++)
		if (ip_addr_equal(&l->hosts[i].address, a))
			return &l->hosts[i];
	return NULL;
}

/* NULL: there is no room, or it is there already. A link-local address says
 * nothing without its device. */
static struct lookout_host *host_open(struct lookout *l,
				      const struct ip_addr *a)
{
	struct lookout_host *h = &l->hosts[l->n_hosts];
	const struct ip_addr any = { 0 };

	if (!a->family || l->n_hosts == LOOKOUT_HOSTS || host_find(l, a) ||
	    (!ip_addr_is_ip4(a) && ip6_addr_is_link_local(a->a)))
		return NULL;
	*h = (struct lookout_host){ .address = *a };
	if (ping_open(&h->ping, a->family, (uint16_t)(PING_ID + l->n_hosts),
		      &any, NULL))
		return NULL;
	l->n_hosts++;
	return h;
}

/* The last one again. */
static void host_close(struct lookout *l)
{
	ping_close(&l->hosts[--l->n_hosts].ping);
}

static void watch_gateway(struct lookout *l, struct nl *nl,
			  const struct ip_addr *a)
{
	struct lookout_host *h = host_open(l, a);
	struct look k;

	if (!h)
		return;
	h->is_gateway = true;
	if (host_ask(h) && host_answered(h, ANSWER_MS))
		return;
	look_take(&k, nl);
	h->by_neighbour = has_neighbour(&k, a);
	if (!h->by_neighbour) {
		host_close(l);
		if (l->n_mute < LOOKOUT_HOSTS)
			l->mute[l->n_mute++] = *a;
	}
	look_fini(&k);
}

static void watch_caller(struct lookout *l, const char *caller)
{
	struct lookout_host *h;
	struct ip_addr a;

	if (!caller || ip_addr_parse(caller, &a))
		return;
	h = host_open(l, &a);
	if (h && !(host_ask(h) && host_answered(h, ANSWER_MS)))
		host_close(l);
}

static bool was_mute(const struct lookout *l, const struct ip_addr *a)
{
	for (unsigned i = 0; i < l->n_mute; i++)
		if (ip_addr_equal(&l->mute[i], a))
			return true;
	return false;
}

/* Gateways that the change has brought: there, or not. */
static void watch_new_gateways(struct lookout *l, const struct look *k)
{
	for (size_t i = 0; i < k->routes.n; i++) {
		const struct nl_route *r = &k->routes.v[i];
		struct lookout_host *h;

		if (!is_default(r) || !l->has_default[r->family != AF_INET] ||
		    was_mute(l, &r->gateway))
			continue;
		h = host_open(l, &r->gateway);
		if (h)
			h->is_gateway = h->is_new = h->by_neighbour = true;
	}
}

static bool host_is_there(struct lookout_host *h, const struct look *k)
{
	bool answered = host_answered(h, 0);

	return answered ||
	       (h->by_neighbour && k->ok && has_neighbour(k, &h->address));
}

/* Every host is asked again; what answered since the last time is not silent. */
static void hear_hosts(struct lookout *l, const struct look *k)
{
	for (unsigned i = 0; i < l->n_hosts; i++) {
		struct lookout_host *h = &l->hosts[i];

		h->silent = host_is_there(h, k) ? 0 : h->silent + 1;
		host_ask(h);
	}
}

static char *silent_host(const struct lookout *l, const struct look *k)
{
	char text[IP_STR_LEN];

	for (unsigned i = 0; i < l->n_hosts; i++) {
		const struct lookout_host *h = &l->hosts[i];

		if (h->silent < LOOKOUT_SILENT ||
		    (h->is_gateway && !is_used_gateway(k, &h->address)))
			continue;
		ip_addr_format(&h->address, text);
		if (h->is_new)
			return xasprintf("the new gateway %s is not there",
					 text);
		return xasprintf("%s %s stopped answering",
				 h->is_gateway ? "the gateway" :
						 "the caller's host",
				 text);
	}
	return NULL;
}

/* --- the caller's connection ---------------------------------------------- */

static bool flow_parse(const char *text, struct tcp_flow *f)
{
	char remote[IP_STR_LEN], local[IP_STR_LEN];

	_Static_assert(IP_STR_LEN > 45, "the form below");
	return sscanf(text, "%45s %" SCNu16 " %45s %" SCNu16, remote,
		      &f->remote_port, local, &f->local_port) == 4 &&
	       !ip_addr_parse(remote, &f->remote) &&
	       !ip_addr_parse(local, &f->local) &&
	       f->local.family == f->remote.family;
}

static void watch_flow(struct lookout *l, const struct look *k,
		       const char *connection)
{
	struct tcp_state t;

	if (!connection || !flow_parse(connection, &l->flow))
		return;
	l->has_flow = !tcp_state_ask(&l->flow, &t) && t.established;
	l->has_address = l->has_flow && has_address(k, &l->flow.local);
}

/* One that has ended says nothing any more: he may have logged out. */
static bool flow_is_stuck(struct lookout *l)
{
	struct tcp_state t;

	if (l->has_flow && (tcp_state_ask(&l->flow, &t) || !t.established))
		l->has_flow = false;
	return l->has_flow && t.unacked && t.retransmits;
}

/* --- the doors ------------------------------------------------------------ */

void lookout_begin(struct lookout *l, struct nl *nl, const char *caller,
		   const char *connection)
{
	struct look k;

	*l = (struct lookout){ .before = netstate_take(nl) };
	look_take(&k, nl);
	if (k.ok) {
		l->has_default[0] = has_default(&k, AF_INET);
		l->has_default[1] = has_default(&k, AF_INET6);
		watch_flow(l, &k, connection);
	}
	for (size_t i = 0; k.ok && i < k.routes.n; i++)
		if (is_default(&k.routes.v[i]))
			watch_gateway(l, nl, &k.routes.v[i].gateway);
	watch_caller(l, caller);
	look_fini(&k);
}

unsigned lookout_n_watched(const struct lookout *l)
{
	return l->n_hosts + l->has_flow + l->has_address + l->has_default[0] +
	       l->has_default[1];
}

static void count(unsigned *seconds, bool is_wrong)
{
	*seconds = is_wrong ? *seconds + 1 : 0;
}

/* What of our own is gone, or does not pass. */
static char *lost_here(struct lookout *l, const struct look *k)
{
	char text[IP_STR_LEN];

	count(&l->stuck, flow_is_stuck(l));
	count(&l->homeless, l->has_address && !has_address(k, &l->flow.local));
	count(&l->routeless,
	      (l->has_default[0] && !has_default(k, AF_INET)) ||
		      (l->has_default[1] && !has_default(k, AF_INET6)));
	if (l->homeless >= LOOKOUT_SILENT)
		return xasprintf("the caller's connection lost our address %s",
				 ip_addr_format(&l->flow.local, text));
	if (l->stuck >= LOOKOUT_SILENT)
		return xasprintf("the caller's connection from %s got stuck",
				 ip_addr_format(&l->flow.remote, text));
	if (l->routeless >= LOOKOUT_SILENT)
		return xstrdup("the default route is gone");
	return NULL;
}

char *lookout_lost(struct lookout *l, struct nl *nl)
{
	char *why = NULL;
	struct look k;

	look_take(&k, nl);
	if (k.ok) {
		watch_new_gateways(l, &k);
		hear_hosts(l, &k);
		why = lost_here(l, &k);
		if (!why)
			why = silent_host(l, &k);
	}
	look_fini(&k);
	return why;
}

/* --- after an undo -------------------------------------------------------- */

static bool hosts_are_back(struct lookout *l, const struct look *k,
			   struct str *said)
{
	char text[IP_STR_LEN];
	bool back = true;

	hear_hosts(l, k);
	for (unsigned i = 0; i < l->n_hosts; i++) {
		struct lookout_host *h = &l->hosts[i];

		if (h->is_new)
			continue;
		back &= !h->silent;
		str_addf(said, "%s %s %s, ",
			 h->is_gateway ? "the gateway" : "the caller's host",
			 ip_addr_format(&h->address, text),
			 h->silent ? "does not answer" : "answers");
	}
	return back;
}

static bool flow_is_back(struct lookout *l, struct str *said)
{
	bool had = l->has_flow, stuck = flow_is_stuck(l);

	if (had)
		str_addf(said, "the caller's connection %s, ",
			 !l->has_flow ? "has ended" :
			 stuck        ? "is stuck" :
					"works");
	return !stuck;
}

static bool state_is_back(const struct lookout *l, struct nl *nl,
			  struct str *said)
{
	struct str told = STR_INIT;
	char *now = l->before ? netstate_take(nl) : NULL;
	unsigned n = 0;

	if (now)
		n = netstate_compare(l->before, now, LOOKOUT_TOLD, &told);
	if (!now)
		str_add(said, "the kernel does not say what devices, "
			      "addresses and routes there are");
	else if (!n)
		str_add(said, "devices, addresses and routes are as before");
	else
		str_addf(said, "not as before: %s", str_text(&told));
	if (n > LOOKOUT_TOLD)
		str_addf(said, " and %u more", n - LOOKOUT_TOLD);
	str_fini(&told);
	free(now);
	return now && !n;
}

bool lookout_is_back(struct lookout *l, struct nl *nl, struct str *said)
{
	struct look k;
	bool back;

	look_take(&k, nl);
	back = hosts_are_back(l, &k, said);
	back &= flow_is_back(l, said);
	back &= state_is_back(l, nl, said);
	look_fini(&k);
	return back;
}

void lookout_end(struct lookout *l)
{
	while (l->n_hosts)
		host_close(l);
	free(l->before);
	*l = (struct lookout){ 0 };
}
