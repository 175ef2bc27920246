/* SPDX-License-Identifier: Apache-2.0 */
/* Facts: what the host and the other hosts say when asked.
 *
 * What      settings, devices, addresses, firewalls, holders of ports, far ends
 *           in their namespaces, answers of peers.
 * Why so    asking (here) and judging (checks.h) are apart: a judge can be shown
 *           any host, and what cannot be made in a namespace is written under a
 *           root of the test's own.
 * Invariant F1 what could not be found out is marked unknown (FACT_UNKNOWN, a
 *           family of 0, n of 0): no check takes it for good or bad.
 * Threads   the doctor's; blocks for FACTS_MS_MAX at most.
 * Owns      its arrays. */
#ifndef DOCTOR_FACTS_H
#define DOCTOR_FACTS_H

#include "doctor/subject.h"
#include "sys/ethtool.h"
#include "sys/frame_pass.h"
#include "sys/netlink.h"
#include "sys/nf_chain.h"
#include "sys/priv.h"
#include "sys/proc.h"

#define FACT_UNKNOWN (-1)
#define FACTS_MS_MAX 5000u

struct fact_device {
	struct nl_link link;
	struct ethtool_info offload;
	long rp_filter; /* of the device; FACT_UNKNOWN */
	long flags;     /* as sysfs tells them, promiscuity counted */
	bool wireless;
	char manager[PROC_NAME_MAX]; /* "NetworkManager", ...; "" nobody */
};

/* The far end of a veth port, looked at in its namespace. */
struct fact_far {
	bool there;
	struct nl_link link;
	bool passed_known; /* frames were tried */
	enum frame_pass_result passed;
	uint64_t bad_checksums; /* that its namespace's stack threw away ... */
	uint64_t received;      /* ... of so many */
	struct nl_addr *addrs;
	size_t n_addrs;
};

enum fact_reach {
	FACT_UNASKED, /* no right to, or too many peers */
	FACT_ANSWERS,
	FACT_SILENT,
	FACT_NO_ROUTE,
	FACT_REFUSED, /* a router on the way says unreachable */
};

struct fact_peer {
	enum fact_reach reach;
	uint32_t mtu;      /* the largest that passed with DF; 0: none did */
	uint32_t told_mtu; /* what a router said; 0: nothing */
	bool mtu_asked;
	bool clock_known;
	int64_t clock_ms; /* theirs less ours */
	uint32_t rtt_ms;
};

#define FACT_HELD_MAX 8u
struct fact_held {
	uint16_t port;
	const char *protocol;
	struct proc_holder by;
};

struct facts {
	char kernel[PROC_NAME_MAX];
	char vendor[PROC_NAME_MAX], product[PROC_NAME_MAX]; /* DMI */
	long ip_forward, ip6_forward, rp_filter_all;
	long bridge_nf_ip, bridge_nf_ip6;
	long conntrack, conntrack_max;
	uint64_t rp_dropped, bad_checksums;
	uint64_t received; /* what bad_checksums are part of */
	bool dev_net_tun;
	struct priv priv;
	struct fact_device *devices;
	unsigned n_devices;
	struct nl_addrs addrs;
	struct nf_chain forward_drops[NF_CHAINS_MAX];
	/* A rule there names a device of weft's: somebody saw to it. */
	bool forward_seen[NF_CHAINS_MAX];
	int n_forward_drops; /* FACT_UNKNOWN */
	struct fact_held held[FACT_HELD_MAX];
	unsigned n_held;
	int self;                /* our own pid */
	struct fact_far *far;    /* one a port of the subject */
	struct fact_peer *peers; /* one a peer of the subject */
	unsigned n_ports, n_peers;
};

struct facts_world {
	const char *root; /* in front of /proc, /sys, /run, /dev; "" */
	uint32_t seed;    /* random: ids of questions */
};

void facts_gather(struct facts *f, const struct subject *s,
		  const struct facts_world *w);
void facts_fini(struct facts *f);
/* Fills f->peers (peers.c); within FACTS_MS_MAX. */
void facts_ask_peers(struct facts *f, const struct subject *s, uint32_t seed);
/* Fills f->far (far.c). */
void facts_look_far(struct facts *f, const struct subject *s,
		    const struct facts_world *w);

const struct fact_device *fact_device(const struct facts *f,
				      const char *device);
const struct fact_device *fact_device_by_index(const struct facts *f,
					       uint32_t ifindex);
/* The local device that has this address, or NULL. */
const struct fact_device *fact_device_of_address(const struct facts *f,
						 const struct ip_addr *a);

#endif
