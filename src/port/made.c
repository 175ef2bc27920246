/* SPDX-License-Identifier: Apache-2.0 */
#include "port/made.h"

#include <errno.h>

#include "port/reaper.h"
#include "sys/fail.h"
#include "sys/tuntap.h"

/* What the kernel gives a new device. It stays with the device, and programs
 * that do not set it rely on it. */
#define MADE_HDR_LEN 10u

/* Persistent and held by nobody: whoever it is for opens it by name. */
static int made_make(const struct made_spec *m, struct err *e)
{
	struct tuntap_spec s = { .name = m->name,
				 .mode = TUNTAP_MAKE,
				 .tun = m->tun,
				 .vnet_hdr = true,
				 .hdr_len = MADE_HDR_LEN,
				 .n_queues = m->queues,
				 .netns_fd = NL_CURRENT_NS,
				 .persist = true,
				 .has_owner = m->has_owner,
				 .has_group = m->has_group,
				 .owner = m->owner,
				 .group = m->group };
	struct tuntap t;
	int err = tuntap_open(&t, &s, e);

	if (!err)
		tuntap_close(&t, false);
	return err;
}

static int made_check(const struct made_spec *m, const struct nl_link *l,
		      struct err *e)
{
	const char *want = m->tun ? "TUN" : "TAP";

	if (strcmp(l->kind, "tun"))
		return fail_say(e, EINVAL,
				"device %s is not a %s but %s: "
				"choose another name or type",
				l->name, want,
				l->kind[0] ? l->kind : "hardware");
	if (l->tun.tap == m->tun)
		return fail_say(e, EINVAL, "device %s is not a %s", l->name,
				want);
	return 0;
}

static int made_set(struct nl *nl, const struct made_spec *m, struct nl_link *l,
		    struct err *e)
{
	struct nl_link_change c = { .set = NL_LINK_UP | NL_LINK_ADDRGEN_NONE,
				    .up = true };
	int err;

	if (m->mtu) {
		c.set |= NL_LINK_MTU;
		c.mtu = m->mtu;
	}
	err = nl_link_set(nl, l->ifindex, &c, e);
	return err ? err : nl_link_get(nl, l->ifindex, l, e);
}

int made_find(const struct made_spec *m, struct nl_link *out, struct err *e)
{
	struct nl *nl;
	int err;

	reaper_settle();
	err = nl_open(&nl, NL_CURRENT_NS, e);
	if (err)
		return err;
	err = nl_link_find(nl, m->name, out, m->make ? NULL : e);
	if (err == -ENODEV && m->make) {
		err = made_make(m, e);
		if (!err)
			err = nl_link_find(nl, m->name, out, e);
	}
	if (!err)
		err = made_check(m, out, e);
	if (!err)
		err = made_set(nl, m, out, e);
	nl_close(nl);
	return err;
}
