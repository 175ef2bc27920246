/* SPDX-License-Identifier: Apache-2.0 */
#include "model/names.h"

#include <stdio.h>

#include "model/schema.h"

/* `given`, else the port's own name; "" when that cannot be a device's. */
static void device_or_name(const char *given, const struct model_port *p,
			   char out[MODEL_DEVICE_MAX + 1])
{
	const char *s = given ? given : p->o.name;

	*out = '\0';
	if (schema_is_device(s))
		snprintf(out, MODEL_DEVICE_MAX + 1, "%s", s);
}

/* Both ends of a veth that we make. */
static void veth_names(const struct model_port *p, struct names *out)
{
	struct eth_addr h;

	device_or_name(p->host_device, p, out->near);
	if (!*out->near) {
		h = model_mac("device", p->o.name);
		snprintf(out->near, sizeof(out->near),
			 "%.3s-%02x%02x%02x%02x%02x", p->o.name, h.b[1], h.b[2],
			 h.b[3], h.b[4], h.b[5]);
	}
	if (p->device)
		snprintf(out->far, sizeof(out->far), "%s", p->device);
	else if (p->ns.kind != MODEL_NETNS_NONE)
		snprintf(out->far, sizeof(out->far), "eth0");
}

void names_of_port(const struct model_port *p, struct names *out)
{
	*out = (struct names){ "", "" };
	switch (p->type) {
	case MODEL_PORT_VETH:
		if (p->create)
			veth_names(p, out);
		else
			device_or_name(p->device, p, out->near);
		break;
	case MODEL_PORT_TAP:
	case MODEL_PORT_TUN:
	case MODEL_PORT_NIC:
	case MODEL_PORT_DUMMY:
		device_or_name(p->device, p, out->near);
		break;
	case MODEL_PORT_PATCH:
	case MODEL_PORT_STREAM:
	case N_MODEL_PORT_TYPES:
		break;
	}
}
