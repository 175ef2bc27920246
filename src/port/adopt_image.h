/* SPDX-License-Identifier: Apache-2.0 */
/* What a host has on a device, as a value.
 *
 * What      addresses, routes, rules, neighbours and settings of one device:
 *           taken from the kernel, put on another device, stripped from one.
 * Why so    adopting and giving back are the same two moves in opposite
 *           directions; this file knows how to move, adopt.c when.
 * Invariant A4 what the kernel makes by itself (local table, link-local prefix,
 *           multicast) is never in an image.
 * Threads   the control thread.
 * Owns      its arrays; adopt_image_fini frees. */
#ifndef PORT_ADOPT_IMAGE_H
#define PORT_ADOPT_IMAGE_H

#include "port/netconf.h"
#include "sys/netlink.h"

#define ADOPT_SETTING_MAX 40u

/* net/FAMILY/conf/DEVICE/NAME */
struct adopt_setting {
	char family[5]; /* "ipv4", "ipv6" */
	char name[ADOPT_SETTING_MAX];
	long value;
};

struct adopt_image {
	char device[NL_NAME_MAX]; /* where it was taken from */
	uint32_t ifindex;
	struct eth_addr mac;
	uint32_t mtu;
	struct nl_addr *addrs;
	struct nl_route *routes;
	struct nl_rule *rules;
	struct nl_neigh *neighs;
	struct adopt_setting *settings;
	unsigned n_addrs, n_routes, n_rules, n_neighs, n_settings;
};

/* The device as it is. */
int adopt_image_take(struct nl *nl, const struct nl_link *link,
		     struct adopt_image *out, struct err *e) MUST_CHECK;
void adopt_image_fini(struct adopt_image *im);

/* Adding takes over what the item owns. */
void adopt_image_add_addr(struct adopt_image *im, const struct nl_addr *a);
void adopt_image_add_route(struct adopt_image *im, const struct nl_route *r);
void adopt_image_add_rule(struct adopt_image *im, const struct nl_rule *r);
void adopt_image_add_neigh(struct adopt_image *im, const struct nl_neigh *n);
void adopt_image_add_setting(struct adopt_image *im,
			     const struct adopt_setting *s);

/* Adds addresses, routes, rules and neighbours of `from` that `im` lacks. The
 * devices may differ: `from` is moved to im's. */
void adopt_image_merge(struct adopt_image *im, const struct adopt_image *from);
/* Takes out the addresses, routes and rules that `own` has. */
void adopt_image_subtract(struct adopt_image *im,
			  const struct adopt_image *own);
/* ... or that a port gave to its device. */
void adopt_image_subtract_netconf(struct adopt_image *im,
				  const struct netconf *own);
/* ... or link-local addresses that `but` does not have: those the kernel made. */
void adopt_image_subtract_link_local(struct adopt_image *im,
				     const struct adopt_image *but);

/* Where an image goes. */
struct adopt_place {
	const char *device;
	uint32_t ifindex;
};

/* Puts everything but the settings on that device, beside what is there; a route
 * with the same destination and metric moves in one step. */
int adopt_image_put(struct nl *nl, const struct adopt_image *im,
		    const struct adopt_place *to, struct err *e) MUST_CHECK;
/* Takes it off the device; what is gone already is fine. */
void adopt_image_strip(struct nl *nl, const struct adopt_image *im,
		       const struct adopt_place *from);
/* Rules name a device and outlive it. */
void adopt_image_strip_rules(struct nl *nl, const struct adopt_image *im,
			     const char *device);
/* Settings, as far as the kernel has them and lets us. */
void adopt_image_put_settings(const struct adopt_image *im, const char *device);

#endif
