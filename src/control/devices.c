/* SPDX-License-Identifier: Apache-2.0 */
#include "control/devices.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>

#include "base/str.h"
#include "port/dummy.h"
#include "port/host.h"
#include "port/nic.h"
#include "port/patch.h"
#include "port/stream.h"
#include "port/tap.h"
#include "port/tun.h"
#include "port/tunnel.h"
#include "port/veth.h"
#include "sys/disk.h"
#include "sys/file_io.h"

static const struct view_port *view_port(const struct real_spec *s)
{
	return &s->view->ports[s->port];
}

/* "NAME", "pid:N" or a path, as sys/netns.h reads it; NULL: the daemon's own. */
static char *netns_ref(const struct model_netns *ns)
{
	switch (ns->kind) {
	case MODEL_NETNS_NONE:
		return NULL;
	case MODEL_NETNS_NAME:
	case MODEL_NETNS_PATH:
		return xstrdup(ns->text);
	case MODEL_NETNS_PID:
		return xasprintf("pid:%u", ns->pid);
	}
	return NULL;
}

/* --- the key: what needs a port made anew --- */

static void key_owner(struct str *k, const struct model_port *p)
{
	str_addf(k, " %s:%s queues %u", p->owner ? p->owner : "",
		 p->group ? p->group : "", p->queues);
}

static char *port_key(const struct real_spec *s)
{
	const struct view_port *v = view_port(s);
	const struct model_port *p = v->port;
	char *ns = netns_ref(&p->ns);
	struct str k = STR_INIT;

	str_addf(&k, "%s %s create %d", model_port_type_name(p->type),
		 v->device ? v->device : "", p->create);
	switch (p->type) {
	case MODEL_PORT_TAP:
	case MODEL_PORT_TUN:
		key_owner(&k, p);
		str_addf(&k, " mtu %u", v->mtu);
		break;
	case MODEL_PORT_VETH:
		str_addf(&k, " far %s in %s",
			 v->far_device ? v->far_device : "", ns ? ns : "");
		break;
	case MODEL_PORT_NIC:
		str_addf(&k, " adopt %d by %s mtu %u", p->adopt,
			 v->bridge != VIEW_NONE ?
				 s->view->bridges[v->bridge].name :
				 "",
			 v->mtu);
		break;
	case MODEL_PORT_PATCH:
		str_addf(&k, " peer %s", p->peer);
		break;
	case MODEL_PORT_STREAM:
		str_addf(&k, " path %s group %s mtu %u", p->path ? p->path : "",
			 p->group ? p->group : "", v->mtu);
		break;
	case MODEL_PORT_DUMMY:
	case N_MODEL_PORT_TYPES:
		break;
	}
	free(ns);
	return str_take(&k);
}

char *real_spec_key(const struct real_spec *s)
{
	char text[IP_STR_LEN] = "";
	const struct model_underlay *u = &s->view->underlay;

	if (s->port != VIEW_NONE)
		return port_key(s);
	if (s->bridge != VIEW_NONE)
		return xasprintf("host %s", s->view->bridges[s->bridge].name);
	if (u->address.family)
		ip_addr_format(&u->address, text);
	return xasprintf("tunnel %s port %u mtu %u", text, u->port, u->mtu);
}

/* --- owners --- */

static bool parse_id(const char *text, uint32_t *id)
{
	char *end;
	unsigned long v = strtoul(text, &end, 10);

	*id = (uint32_t)v;
	return *text && !*end;
}

static int find_user(const char *name, uint32_t *id, struct err *e)
{
	const struct passwd *pw = getpwnam(name);

	if (pw)
		*id = pw->pw_uid;
	else if (!parse_id(name, id))
		return err_set(e,
			       "there is no user \"%s\" on this host; name "
			       "one that exists, or a number",
			       name);
	return 0;
}

static int find_group(const char *name, uint32_t *id, struct err *e)
{
	const struct group *gr = getgrnam(name);

	if (gr)
		*id = gr->gr_gid;
	else if (!parse_id(name, id))
		return err_set(e,
			       "there is no group \"%s\" on this host; "
			       "name one that exists, or a number",
			       name);
	return 0;
}

static int find_owner(const struct model_port *p, uint32_t *user,
		      uint32_t *group, struct err *e)
{
	int rc = p->owner ? find_user(p->owner, user, e) : 0;

	if (!rc && p->group)
		rc = find_group(p->group, group, e);
	return rc;
}

/* --- one function a kind --- */

static int make_tap(struct real_port *p, const struct view_port *v,
		    struct err *e)
{
	const struct model_port *m = v->port;
	struct tap_config c = { .device = v->device,
				.make = m->create,
				.queues = m->queues,
				.has_owner = m->owner,
				.has_group = m->group,
				.mtu = v->mtu };

	p->kind = REAL_TAP;
	if (find_owner(m, &c.owner, &c.group, e))
		return -EINVAL;
	p->port = tap_port_create(p->name, &c);
	return 0;
}

static int make_tun(struct real_port *p, const struct view_port *v,
		    struct err *e)
{
	const struct model_port *m = v->port;
	struct tun_config c = { .side = TUN_FOR_PROGRAM,
				.device = v->device,
				.make = m->create,
				.queues = m->queues,
				.has_owner = m->owner,
				.has_group = m->group,
				.mtu = v->mtu };

	p->kind = REAL_TUN;
	if (find_owner(m, &c.owner, &c.group, e))
		return -EINVAL;
	p->port = tun_port_create(p->name, &c);
	return 0;
}

/* The far end's addresses and default routes, in storage of the caller. */
static struct netconf far_netconf(const struct view_port *v,
				  struct netconf_route *routes)
{
	struct netconf n = { .addresses = v->port->addresses.items,
			     .n_addresses = v->port->addresses.n,
			     .routes = routes,
			     .nodad = true };

	for (unsigned i = 0; i < v->n_gateways; i++) {
		struct ip_addr gw = v->gateways[i];
		struct ip_prefix any = { .addr = gw, .len = 0 };

		any = ip_prefix_network(&any);
		routes[n.n_routes++] =
			(struct netconf_route){ .to = any, .via = gw };
	}
	return n;
}

static struct veth_config veth_config_of(const struct real_port *p,
					 const struct view_port *v,
					 struct netconf_route *routes)
{
	return (struct veth_config){ .device = v->device,
				     .make = v->port->create,
				     .mtu = v->mtu,
				     .netns = p->netns,
				     .peer = v->far_device,
				     .mac = v->mac,
				     .netconf = far_netconf(v, routes) };
}

static int make_veth(struct real_port *p, const struct view_port *v)
{
	struct netconf_route routes[VIEW_MAX_GATEWAYS];
	struct veth_config c;

	p->kind = REAL_VETH;
	p->netns = netns_ref(&v->port->ns);
	c = veth_config_of(p, v, routes);
	p->port = veth_port_create(p->name, &c);
	return 0;
}

static int make_nic(struct real_port *p, const struct real_spec *s)
{
	const struct view_port *v = view_port(s);
	struct nic_config c = { .device = v->device, .mtu = v->mtu };

	p->kind = REAL_NIC;
	if (v->port->adopt && v->bridge != VIEW_NONE)
		p->target = xstrdup(s->view->bridges[v->bridge].name);
	p->port = nic_port_create(p->name, &c);
	return 0;
}

static int make_patch(struct real *r, struct real_port *p,
		      const struct view_port *v)
{
	struct real_port *other = real_find(r, v->port->peer);
	struct patch_config c = { .peer = other ? other->port : NULL };

	p->kind = REAL_PATCH;
	p->port = patch_port_create(p->name, &c);
	return 0;
}

static int make_dummy(struct real_port *p, const struct view_port *v)
{
	struct dummy_config c = { .mtu = v->mtu };

	p->kind = REAL_DUMMY;
	p->port = dummy_port_create(p->name, &c);
	return 0;
}

/* In a folder below that of our own sockets, unless the file says where. */
static char *stream_path(const struct real *r, const struct model_port *m,
			 struct err *e)
{
	char *folder, *path = NULL;

	if (m->path)
		return xstrdup(m->path);
	folder = xasprintf("%s/ports", r->run);
	if (!file_make_dir(disk_system(), folder, 0755, e)) {
		/* Others' groups pass through, whatever our umask is. */
		(void)!chmod(folder, 0755);
		path = xasprintf("%s/%s.sock", folder, m->o.name);
	}
	free(folder);
	return path;
}

static int make_stream(struct real *r, struct real_port *p,
		       const struct view_port *v, struct err *e)
{
	const struct model_port *m = v->port;
	struct stream_config c = { .has_group = m->group, .mtu = v->mtu };
	char *path;

	p->kind = REAL_STREAM;
	if (m->group && find_group(m->group, &c.group, e))
		return -EINVAL;
	path = stream_path(r, m, e);
	if (!path)
		return -EIO;
	c.path = path;
	p->port = stream_port_create(p->name, &c);
	free(path);
	return 0;
}

/* Own addresses and routes of a bridge's device; what an adopted NIC brought is
 * not ours to say. */
static struct host_config host_config_of(const struct real_spec *s,
					 struct netconf_route **routes)
{
	const struct view_bridge *b = &s->view->bridges[s->bridge];
	const struct model_bridge_host *h = b->host;
	struct host_config c = { .device = b->name,
				 .mac = b->host_mac,
				 .mtu = h && h->mtu ? h->mtu : b->mtu,
				 .netconf = { .nodad = true } };

	*routes = NULL;
	if (!h)
		return c;
	c.netconf.addresses = h->addresses.items;
	c.netconf.n_addresses = h->addresses.n;
	*routes = xcalloc(h->routes.n, sizeof(**routes));
	c.netconf.routes = *routes;
	for (unsigned i = 0; i < h->routes.n; i++)
		(*routes)[c.netconf.n_routes++] =
			(struct netconf_route){ h->routes.items[i].to,
						h->routes.items[i].via };
	return c;
}

static int make_host(struct real_port *p, const struct real_spec *s)
{
	struct netconf_route *routes;
	struct host_config c = host_config_of(s, &routes);

	p->kind = REAL_HOST;
	p->port = host_port_create(p->name, &c);
	free(routes);
	return 0;
}

static int make_tunnel(struct real_port *p, const struct real_spec *s)
{
	const struct model_underlay *u = &s->view->underlay;
	struct tunnel_config c = { .local = u->address,
				   .udp_port = (uint16_t)u->port,
				   .mtu = u->mtu };

	p->kind = REAL_TUNNEL;
	p->port = tunnel_port_create(p->name, &c);
	return 0;
}

int devices_make(struct real *r, struct real_port *p, const struct real_spec *s,
		 struct err *e)
{
	if (s->port == VIEW_NONE)
		return s->bridge == VIEW_NONE ? make_tunnel(p, s) :
						make_host(p, s);
	switch (view_port(s)->port->type) {
	case MODEL_PORT_TAP:
		return make_tap(p, view_port(s), e);
	case MODEL_PORT_TUN:
		return make_tun(p, view_port(s), e);
	case MODEL_PORT_VETH:
		return make_veth(p, view_port(s));
	case MODEL_PORT_NIC:
		return make_nic(p, s);
	case MODEL_PORT_PATCH:
		return make_patch(r, p, view_port(s));
	case MODEL_PORT_DUMMY:
		return make_dummy(p, view_port(s));
	case MODEL_PORT_STREAM:
		return make_stream(r, p, view_port(s), e);
	case N_MODEL_PORT_TYPES:
		break;
	}
	return err_set(e, "port %s is of a kind that does not exist", p->name);
}

int devices_update(struct real_port *p, const struct real_spec *s,
		   struct err *e)
{
	struct netconf_route far[VIEW_MAX_GATEWAYS], *routes;
	struct host_config h;
	struct veth_config v;
	int rc;

	if (p->kind == REAL_VETH) {
		v = veth_config_of(p, view_port(s), far);
		return veth_port_set(p->port, &v, e);
	}
	if (p->kind != REAL_HOST)
		return 0;
	h = host_config_of(s, &routes);
	rc = host_port_set(p->port, &h, e);
	free(routes);
	return rc;
}
