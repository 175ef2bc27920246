/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/priv.h"

#include <cap-ng.h>

static const struct {
	unsigned cap;
	const char *name, *loss;
} privs[N_PRIVS] = {
	[PRIV_NET_ADMIN] = { CAP_NET_ADMIN, "CAP_NET_ADMIN",
			     "no device can be made, moved or addressed" },
	[PRIV_NET_RAW] = { CAP_NET_RAW, "CAP_NET_RAW",
			   "no existing device (veth, nic) can be attached" },
	[PRIV_SYS_ADMIN] = { CAP_SYS_ADMIN, "CAP_SYS_ADMIN",
			     "no other network namespace can be entered" },
	[PRIV_BPF] = { CAP_BPF, "CAP_BPF",
		       "the host's stack is kept out of attached devices by "
		       "nftables instead of BPF" },
	[PRIV_NET_BIND] = { CAP_NET_BIND_SERVICE, "CAP_NET_BIND_SERVICE",
			    "no service below port 1024 can be offered" },
};

void priv_probe(struct priv *p)
{
	must(!capng_get_caps_process());
	for (unsigned i = 0; i < N_PRIVS; i++)
		p->has[i] =
			capng_have_capability(CAPNG_EFFECTIVE, privs[i].cap);
	/* CAP_SYS_ADMIN includes what CAP_BPF was split off it for (5.8). */
	if (p->has[PRIV_SYS_ADMIN])
		p->has[PRIV_BPF] = true;
}

const char *priv_name(enum priv_cap c)
{
	return privs[c].name;
}

const char *priv_loss(enum priv_cap c)
{
	return privs[c].loss;
}

void priv_explain(const struct priv *p, struct str *out)
{
	for (unsigned i = 0; i < N_PRIVS; i++)
		if (!p->has[i])
			str_addf(out, "without %s, %s\n", privs[i].name,
				 privs[i].loss);
}
