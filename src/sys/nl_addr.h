/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses of devices, and neighbour entries, by netlink.
 *
 * What      list, add, delete; everything that makes an address what it is, so
 *           that one taken from a device can be put on another unchanged.
 * Why so    adopting a NIC moves its addresses with their remaining lifetimes,
 *           labels and flags, and puts them back (rfc4862 5.5.4 lifetimes).
 * Threads   as nl.h. */
#ifndef SYS_NL_ADDR_H
#define SYS_NL_ADDR_H

#include "base/addr.h"
#include "sys/nl.h"

#define NL_FOREVER UINT32_MAX /* lifetime without end */

struct nl_addr {
	uint32_t ifindex;
	struct ip_prefix local; /* the address itself with its prefix length */
	struct ip_addr peer;    /* family 0: none (not point-to-point) */
	struct ip_addr broadcast;      /* IPv4; family 0: none */
	char label[NL_NAME_MAX];       /* IPv4 alias name ("eth0:1"), "" none */
	uint32_t flags;                /* IFA_F_* */
	uint8_t scope;                 /* RT_SCOPE_* */
	uint8_t proto;                 /* IFAPROT_*; 0 unknown */
	uint32_t metric;               /* of the prefix route; 0 default */
	uint32_t valid_s, preferred_s; /* left; NL_FOREVER */
};

struct nl_addrs {
	struct nl_addr *v;
	size_t n;
};

/* Both families. ifindex 0: of all devices. */
int nl_addr_list(struct nl *nl, uint32_t ifindex, struct nl_addrs *out,
		 struct err *e) MUST_CHECK;
void nl_addrs_fini(struct nl_addrs *a);
/* An ordinary permanent address: broadcast of IPv4 worked out, scope global
 * (link for fe80::/10), duplicate detection off when `nodad`. */
struct nl_addr nl_addr_plain(uint32_t ifindex, const struct ip_prefix *p,
			     bool nodad);
/* -EEXIST when it is there; nl_addr_put changes it then instead. State flags
 * (tentative, dadfailed, deprecated) are the kernel's and are not sent. */
int nl_addr_add(struct nl *nl, const struct nl_addr *a,
		struct err *e) MUST_CHECK;
int nl_addr_put(struct nl *nl, const struct nl_addr *a,
		struct err *e) MUST_CHECK;
/* -EADDRNOTAVAIL when it is not there. */
int nl_addr_del(struct nl *nl, const struct nl_addr *a,
		struct err *e) MUST_CHECK;

struct nl_neigh {
	uint32_t ifindex;
	struct ip_addr addr;
	struct eth_addr mac;
	bool has_mac;
	uint16_t state;     /* NUD_* */
	uint8_t flags;      /* NTF_*; NTF_PROXY: a proxied address, no mac */
	uint32_t ext_flags; /* NTF_EXT_* (5.16) */
	uint8_t proto;      /* RTPROT_*; 0 unknown */
};

struct nl_neighs {
	struct nl_neigh *v;
	size_t n;
};

/* Both families, proxied ones too. ifindex 0: of all devices. */
int nl_neigh_list(struct nl *nl, uint32_t ifindex, struct nl_neighs *out,
		  struct err *e) MUST_CHECK;
void nl_neighs_fini(struct nl_neighs *a);
/* Adds or replaces. A state the kernel only reaches by itself (incomplete,
 * delay, probe) is put as stale. */
int nl_neigh_put(struct nl *nl, const struct nl_neigh *n,
		 struct err *e) MUST_CHECK;
int nl_neigh_del(struct nl *nl, const struct nl_neigh *n,
		 struct err *e) MUST_CHECK;

#endif
