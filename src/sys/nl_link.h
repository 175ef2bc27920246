/* SPDX-License-Identifier: Apache-2.0 */
/* Links (network devices) by netlink.
 *
 * What      list, find, add, delete and change devices of one namespace.
 * Why so    one struct nl_link_change says everything that can be set, so that
 *           a device is made, named, addressed, moved and brought up by a
 *           single request.
 * Threads   as nl.h. */
#ifndef SYS_NL_LINK_H
#define SYS_NL_LINK_H

#include "base/addr.h"
#include "sys/nl.h"

#define NL_NO_NSID (-1)

/* IFLA_TUN_*: what a TAP or TUN device is, whoever made it. */
struct nl_tun {
	bool tap, vnet_hdr, multi_queue, persist, packet_info;
	bool has_owner, has_group;
	uint32_t owner, group;
	uint32_t n_queues; /* descriptors attached now */
};

struct nl_link {
	uint32_t ifindex;
	char name[NL_NAME_MAX];
	char kind
		[NL_NAME_MAX]; /* "veth", "tun", "bridge"...; "" for hardware */
	uint16_t hw_type;      /* ARPHRD_*: 1 Ethernet, 772 loopback, ... */
	struct eth_addr mac;   /* zero when not Ethernet-like */
	struct eth_addr permanent_mac;
	uint32_t mtu, min_mtu, max_mtu;
	uint32_t flags;    /* IFF_UP, IFF_RUNNING, IFF_LOWER_UP, ... */
	uint8_t operstate; /* IF_OPER_* (RFC 2863) */
	bool carrier;
	uint32_t master; /* ifindex, 0 none */
	uint32_t link;   /* veth: the peer's ifindex; vlan: the parent's */
	int32_t link_nsid; /* id of the namespace `link` is in; NL_NO_NSID: ours */
	uint32_t gso_max_size; /* bytes */
	uint32_t gso_max_segs;
	uint32_t tso_max_size; /* what the hardware takes; 0 unknown */
	uint32_t group;
	uint32_t n_tx_queues, n_rx_queues;
	struct nl_tun tun; /* kind "tun" only */
};

struct nl_links {
	struct nl_link *v;
	size_t n;
};

/* Everything in the namespace, by ifindex. nl_links_fini frees. */
int nl_link_list(struct nl *nl, struct nl_links *out, struct err *e) MUST_CHECK;
void nl_links_fini(struct nl_links *l);
/* -ENODEV, with a sentence, when there is none. */
int nl_link_find(struct nl *nl, const char *name, struct nl_link *out,
		 struct err *e) MUST_CHECK;
int nl_link_get(struct nl *nl, uint32_t ifindex, struct nl_link *out,
		struct err *e) MUST_CHECK;
bool nl_link_is_up(const struct nl_link *l);

/* May this be a device's name? 1-15 bytes, no '/', no space, not "." "..". */
bool nl_link_name_is_valid(const char *name);

enum nl_link_field {
	NL_LINK_NAME = 1 << 0,
	NL_LINK_MAC = 1 << 1,
	NL_LINK_MTU = 1 << 2,
	NL_LINK_UP = 1 << 3,
	NL_LINK_MASTER = 1 << 4, /* 0: none */
	NL_LINK_NETNS = 1 << 5,
	NL_LINK_ADDRGEN_NONE = 1 << 6, /* no IPv6 link-local by itself */
	NL_LINK_GROUP = 1 << 7,
	NL_LINK_GSO_MAX_SIZE = 1 << 8,
	NL_LINK_PROMISC = 1 << 9,
	NL_LINK_MULTICAST = 1 << 10,
	NL_LINK_ARP = 1 << 11,    /* false: NOARP */
	NL_LINK_QUEUES = 1 << 12, /* only when the device is made */
};

/* What to set: only the members named in `set` count. */
struct nl_link_change {
	uint32_t set; /* enum nl_link_field */
	char name[NL_NAME_MAX];
	struct eth_addr mac;
	uint32_t mtu;
	bool up, promisc, multicast, arp;
	uint32_t master;
	int netns_fd;
	uint32_t group;
	uint32_t gso_max_size;
	uint32_t n_queues;
};

/* A veth pair in one request; each end named, addressed, sized, in its
 * namespace and up as its change says (names required). */
int nl_link_add_veth(struct nl *nl, const struct nl_link_change *end,
		     const struct nl_link_change *peer,
		     struct err *e) MUST_CHECK;
/* kind: "dummy", "bridge", or another that needs no data. */
int nl_link_add(struct nl *nl, const char *kind, const struct nl_link_change *c,
		struct err *e) MUST_CHECK;
int nl_link_add_vlan(struct nl *nl, uint32_t parent, uint16_t vid,
		     const struct nl_link_change *c, struct err *e) MUST_CHECK;
int nl_link_set(struct nl *nl, uint32_t ifindex, const struct nl_link_change *c,
		struct err *e) MUST_CHECK;
int nl_link_del(struct nl *nl, uint32_t ifindex, struct err *e) MUST_CHECK;
/* All devices of a group with one request: a thousand in one grace period of
 * the kernel instead of a thousand. `group` > 0. */
int nl_link_del_group(struct nl *nl, uint32_t group, struct err *e) MUST_CHECK;

int nl_link_set_up(struct nl *nl, uint32_t ifindex, bool up,
		   struct err *e) MUST_CHECK;
int nl_link_set_mtu(struct nl *nl, uint32_t ifindex, uint32_t mtu,
		    struct err *e) MUST_CHECK;
int nl_link_set_mac(struct nl *nl, uint32_t ifindex, struct eth_addr mac,
		    struct err *e) MUST_CHECK;
int nl_link_set_name(struct nl *nl, uint32_t ifindex, const char *name,
		     struct err *e) MUST_CHECK;
int nl_link_set_netns(struct nl *nl, uint32_t ifindex, int netns_fd,
		      struct err *e) MUST_CHECK;
int nl_link_set_master(struct nl *nl, uint32_t ifindex, uint32_t master,
		       struct err *e) MUST_CHECK;
int nl_link_set_addrgen_none(struct nl *nl, uint32_t ifindex,
			     struct err *e) MUST_CHECK;

/* The id this namespace knows another by (link_nsid), NL_NO_NSID when none. */
int nl_nsid_of(struct nl *nl, int netns_fd, int32_t *nsid,
	       struct err *e) MUST_CHECK;

#endif
