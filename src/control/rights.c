/* SPDX-License-Identifier: Apache-2.0 */
#include "control/rights.h"

#include <errno.h>

#include "base/str.h"

static bool needs_device(enum model_port_type t)
{
	switch (t) {
	case MODEL_PORT_TAP:
	case MODEL_PORT_TUN:
	case MODEL_PORT_VETH:
	case MODEL_PORT_NIC:
		return true;
	case MODEL_PORT_PATCH:
	case MODEL_PORT_DUMMY:
	case MODEL_PORT_STREAM:
	case N_MODEL_PORT_TYPES:
		return false;
	}
	return false;
}

static int refuse_port(const struct model_port *p, const char *missing,
		       struct err *e)
{
	err_set(e,
		"port %s: a %s port needs a device, and this weftd may make or "
		"open none (it runs without %s); make the port of type stream, "
		"or run weftd as root",
		p->o.name, model_port_type_name(p->type), missing);
	err_place(e, p->o.origin.file, p->o.origin.line, p->o.origin.column);
	return -EPERM;
}

static int refuse_bridge(const char *name, const char *missing, struct err *e)
{
	err_set(e,
		"bridge %s: the host's own port on it needs a device, and this "
		"weftd may make none (it runs without %s); leave \"host\" out, "
		"or run weftd as root",
		name, missing);
	return -EPERM;
}

int rights_check(const struct model_view *v, const struct priv *has,
		 struct err *e)
{
	const char *missing;

	if (has->has[PRIV_NET_ADMIN] && has->has[PRIV_NET_RAW])
		return 0;
	missing = priv_name(has->has[PRIV_NET_ADMIN] ? PRIV_NET_RAW :
						       PRIV_NET_ADMIN);
	for (unsigned i = 0; i < v->n_ports; i++)
		if (v->ports[i].port->enabled &&
		    needs_device(v->ports[i].port->type))
			return refuse_port(v->ports[i].port, missing, e);
	for (unsigned i = 0; i < v->n_bridges; i++)
		if (v->bridges[i].has_host)
			return refuse_bridge(v->bridges[i].name, missing, e);
	return 0;
}
