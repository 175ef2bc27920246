/* SPDX-License-Identifier: Apache-2.0 */
/* TAP and TUN devices: layer-2 and layer-3 devices whose other end is a file.
 *
 * What      make one, or attach to one that others made; queues, virtio-net
 *           header, offloads, owner, persistence.
 * Why so    the virtio-net header carries GSO and partial checksums both ways,
 *           so frames of 64 kB cross in one system call (D8).
 * Invariant T1 a device is never attached while somebody else holds a queue of
 *           it: TUNSETIFF would change its header under the other's feet.
 * Threads   open and close: the control thread; the descriptors: anyone's.
 * Owns      the descriptors. A device not persistent goes with the last.
 * Refs      linux/if_tun.h; virtio 1.2 5.1.6. */
#ifndef SYS_TUNTAP_H
#define SYS_TUNTAP_H

#include "base/err.h"
#include "sys/nl_link.h"

#define TUNTAP_MAX_QUEUES 8u

/* What the device's user may hand us unfinished, and takes from us. */
enum tuntap_offload {
	TUNTAP_CSUM = 0x01,
	TUNTAP_TSO4 = 0x02,
	TUNTAP_TSO6 = 0x04,
	TUNTAP_TSO_ECN = 0x08,
	TUNTAP_USO4 = 0x20,        /* kernel 6.2 */
	TUNTAP_USO6 = 0x40,        /* kernel 6.2 */
	TUNTAP_TUNNEL_GSO = 0x080, /* kernel 6.17, header of 24 bytes */
	TUNTAP_TUNNEL_GSO_CSUM = 0x100,
};

enum tuntap_mode {
	TUNTAP_MAKE,   /* -EEXIST when the name is taken */
	TUNTAP_ATTACH, /* -ENODEV when there is none */
	TUNTAP_EITHER,
};

struct tuntap_spec {
	const char *name; /* may hold one %d when made: "vnet%d" */
	enum tuntap_mode mode;
	bool tun;          /* layer 3; else TAP */
	bool vnet_hdr;     /* a virtio-net header before each frame */
	unsigned n_queues; /* 0: one; > 1: multi-queue. An existing device
				 * without multi-queue gives one */
	int netns_fd;      /* NL_CURRENT_NS: ours */
	unsigned hdr_len;  /* virtio-net header: 10, 12 (0 means 12) or 24 */
	uint32_t offload;  /* enum tuntap_offload wanted at most */
	bool persist;
	bool has_owner, has_group;
	uint32_t owner, group;
	unsigned sndbuf; /* bytes; 0 the kernel's default */
};

struct tuntap {
	char name[NL_NAME_MAX];
	uint32_t ifindex;
	bool tun, vnet_hdr, multi_queue, made;
	unsigned hdr_len; /* before each frame: 0 without vnet_hdr */
	uint32_t offload; /* what the kernel took */
	unsigned n_queues;
	int fd[TUNTAP_MAX_QUEUES]; /* non-blocking, close-on-exec */
};

/* -EBUSY when another program holds the device. */
int tuntap_open(struct tuntap *t, const struct tuntap_spec *s,
		struct err *e) MUST_CHECK;
/* Closes the descriptors; with `del` a persistent device goes too. */
void tuntap_close(struct tuntap *t, bool del);
int tuntap_set_offload(struct tuntap *t, uint32_t offload,
		       struct err *e) MUST_CHECK;
/* All there are for a header length; open takes of them what the kernel knows. */
uint32_t tuntap_offload_all(unsigned hdr_len);
/* Is there a TAP or TUN of this name, and what is it? -ENODEV, or -EINVAL when
 * the device is of another kind. */
int tuntap_probe(int netns_fd, const char *name, struct nl_tun *out,
		 struct err *e) MUST_CHECK;

#endif
