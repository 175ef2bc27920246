/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/tuntap.h"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "sys/fail.h"
#include "sys/netns.h"

#define TUNTAP_CLONE "/dev/net/tun"
#define TUNTAP_HDR_DEFAULT 12u
#define TUNTAP_HDR_TUNNEL 24u /* room for the tunnel fields (6.17) */

/* --- looking ------------------------------------------------------------- */
/* -ENODEV without a sentence when there is none. */
static int tuntap_find(int netns_fd, const char *name, struct nl_link *out,
		       struct err *e)
{
	struct nl *nl;
	int err = nl_open(&nl, netns_fd, e);

	if (err)
		return err;
	err = nl_link_find(nl, name, out, NULL);
	nl_close(nl);
	if (err && err != -ENODEV)
		return fail_errno(e, err, "cannot look up device %s", name);
	return err;
}

int tuntap_probe(int netns_fd, const char *name, struct nl_tun *out,
		 struct err *e)
{
	struct nl_link link;
	int err = tuntap_find(netns_fd, name, &link, e);

	if (err == -ENODEV)
		return fail_say(e, ENODEV, "there is no device %s", name);
	if (err)
		return err;
	if (strcmp(link.kind, "tun"))
		return fail_say(e, EINVAL,
				"device %s is not a TAP or TUN but "
				"%s",
				name, link.kind[0] ? link.kind : "hardware");
	*out = link.tun;
	return 0;
}

/* May we attach to this device? */
static int tuntap_check(const struct nl_link *l, const struct tuntap_spec *s,
			struct err *e)
{
	if (s->mode == TUNTAP_MAKE)
		return fail_say(e, EEXIST, "there is a device %s already",
				l->name);
	if (strcmp(l->kind, "tun"))
		return fail_say(e, EINVAL,
				"device %s is not a TAP or TUN but "
				"%s: choose another name",
				l->name, l->kind[0] ? l->kind : "hardware");
	if (l->tun.tap == s->tun)
		return fail_say(e, EINVAL, "device %s is a %s, not a %s",
				l->name, s->tun ? "TAP" : "TUN",
				s->tun ? "TUN" : "TAP");
	if (l->tun.n_queues)
		return fail_say(e, EBUSY,
				"device %s is held by another "
				"program (a virtual machine?)",
				l->name);
	return 0;
}

/* --- opening ------------------------------------------------------------- */
static int tuntap_open_clone(void *arg UNUSED)
{
	int fd = open(TUNTAP_CLONE, O_RDWR | O_CLOEXEC | O_NONBLOCK);

	return fd < 0 ? -errno : fd;
}

static int tuntap_explain(const char *name, int err, struct err *e)
{
	if (err == -EBUSY)
		return fail_say(e, EBUSY,
				"device %s is held by another "
				"program (a virtual machine?)",
				name);
	if (err == -EPERM)
		return fail_say(e, EPERM,
				"not permitted to open device %s: "
				"it needs CAP_NET_ADMIN, or a device whose "
				"owner or group we are",
				name);
	return fail_errno(e, err, "cannot open device %s", name);
}

/* One more queue; the first settles the device's name. */
static int tuntap_add_queue(struct tuntap *t, const struct tuntap_spec *s,
			    struct err *e)
{
	struct ifreq ifr = { .ifr_flags = IFF_NO_PI };
	int fd = netns_run(s->netns_fd, tuntap_open_clone, NULL, e);

	if (fd == -ENOENT || fd == -ENODEV)
		return fail_say(e, -fd,
				TUNTAP_CLONE " is missing: load the "
					     "kernel module tun");
	if (fd < 0)
		return fail_errno(e, fd, "cannot open " TUNTAP_CLONE);
	ifr.ifr_flags |= t->tun ? IFF_TUN : IFF_TAP;
	ifr.ifr_flags |= t->vnet_hdr ? IFF_VNET_HDR : 0;
	ifr.ifr_flags |= t->multi_queue ? IFF_MULTI_QUEUE : 0;
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", t->name);
	if (ioctl(fd, TUNSETIFF, &ifr)) {
		int err = -errno;

		close(fd);
		return tuntap_explain(t->name, err, e);
	}
	snprintf(t->name, sizeof(t->name), "%s", ifr.ifr_name);
	t->fd[t->n_queues++] = fd;
	return 0;
}

static int tuntap_set_header(struct tuntap *t, const struct tuntap_spec *s,
			     struct err *e)
{
	int len = (int)(s->hdr_len ? s->hdr_len : TUNTAP_HDR_DEFAULT);

	if (!t->vnet_hdr)
		return 0;
	if (ioctl(t->fd[0], TUNSETVNETHDRSZ, &len))
		return fail_errno(e, errno,
				  "device %s does not take a "
				  "virtio-net header of %d bytes",
				  t->name, len);
	t->hdr_len = (unsigned)len;
	return 0;
}

static int tuntap_set_owner(struct tuntap *t, const struct tuntap_spec *s)
{
	int fd = t->fd[0];

	if (s->has_owner && ioctl(fd, TUNSETOWNER, (unsigned long)s->owner))
		return -errno;
	if (s->has_group && ioctl(fd, TUNSETGROUP, (unsigned long)s->group))
		return -errno;
	if (s->persist && ioctl(fd, TUNSETPERSIST, 1UL))
		return -errno;
	return 0;
}

static int tuntap_set_sndbuf(struct tuntap *t, unsigned bytes)
{
	int sndbuf = (int)bytes;

	for (unsigned i = 0; bytes && i < t->n_queues; i++)
		if (ioctl(t->fd[i], TUNSETSNDBUF, &sndbuf))
			return -errno;
	return 0;
}

static int tuntap_setup(struct tuntap *t, const struct tuntap_spec *s,
			struct err *e)
{
	struct nl_link link;
	int err = tuntap_set_header(t, s, e);

	if (!err)
		err = tuntap_set_offload(t, s->offload, e);
	if (err)
		return err;
	err = tuntap_set_sndbuf(t, s->sndbuf);
	if (!err)
		err = tuntap_find(s->netns_fd, t->name, &link, e);
	/* Persistence last: what fails before leaves nothing behind. */
	if (!err && t->made)
		err = tuntap_set_owner(t, s);
	if (err)
		return fail_errno(e, err, "cannot set device %s up", t->name);
	t->ifindex = link.ifindex;
	return 0;
}

/* What is there decides how it is opened. */
static int tuntap_prepare(struct tuntap *t, const struct tuntap_spec *s,
			  struct err *e)
{
	struct nl_link link;
	int err = -ENODEV;

	if (!strchr(s->name, '%'))
		err = tuntap_find(s->netns_fd, s->name, &link, e);
	if (err == -ENODEV && s->mode == TUNTAP_ATTACH)
		return fail_say(e, ENODEV, "there is no device %s", s->name);
	if (err == -ENODEV) {
		t->made = true;
		t->multi_queue = s->n_queues > 1;
		return 0;
	}
	if (!err)
		err = tuntap_check(&link, s, e);
	if (!err)
		t->multi_queue = link.tun.multi_queue;
	return err;
}

int tuntap_open(struct tuntap *t, const struct tuntap_spec *s, struct err *e)
{
	unsigned n = MAX(s->n_queues, 1u);
	int err;

	*t = (struct tuntap){ .tun = s->tun, .vnet_hdr = s->vnet_hdr };
	must(n <= TUNTAP_MAX_QUEUES);
	if (!nl_link_name_is_valid(s->name))
		return fail_say(e, EINVAL, "\"%s\" cannot be a device's name",
				s->name);
	snprintf(t->name, sizeof(t->name), "%s", s->name);
	err = tuntap_prepare(t, s, e);
	if (err)
		return err;
	if (!t->multi_queue)
		n = 1;
	while (!err && t->n_queues < n)
		err = tuntap_add_queue(t, s, e);
	if (!err)
		err = tuntap_setup(t, s, e);
	if (err)
		tuntap_close(t, false);
	return err;
}

void tuntap_close(struct tuntap *t, bool del)
{
	if (del && t->n_queues)
		/* It may be gone already: then there is nothing to do. */
		(void)!ioctl(t->fd[0], TUNSETPERSIST, 0UL);
	while (t->n_queues)
		close(t->fd[--t->n_queues]);
}

/* --- offloads ------------------------------------------------------------ */
uint32_t tuntap_offload_all(unsigned hdr_len)
{
	uint32_t all = TUNTAP_CSUM | TUNTAP_TSO4 | TUNTAP_TSO6 |
		       TUNTAP_TSO_ECN | TUNTAP_USO4 | TUNTAP_USO6;

	if (hdr_len >= TUNTAP_HDR_TUNNEL)
		all |= TUNTAP_TUNNEL_GSO | TUNTAP_TUNNEL_GSO_CSUM;
	return all;
}

int tuntap_set_offload(struct tuntap *t, uint32_t offload, struct err *e)
{
	/* Newest first: what an older kernel refuses is given up in turn. */
	static const uint32_t give_up[] = {
		0,
		TUNTAP_TUNNEL_GSO | TUNTAP_TUNNEL_GSO_CSUM,
		TUNTAP_USO4 | TUNTAP_USO6,
		TUNTAP_TSO_ECN,
	};
	int err = 0;

	if (!t->vnet_hdr)
		offload = 0;
	offload &= tuntap_offload_all(t->hdr_len);
	for (unsigned i = 0; i < ARRAY_SIZE(give_up); i++) {
		offload &= ~give_up[i];
		err = ioctl(t->fd[0], TUNSETOFFLOAD, (unsigned long)offload);
		if (!err) {
			t->offload = offload;
			return 0;
		}
		if (errno != EINVAL)
			break;
	}
	return fail_errno(e, errno, "cannot set the offloads of device %s",
			  t->name);
}
