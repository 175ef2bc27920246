/* SPDX-License-Identifier: Apache-2.0 */
/* Peers: the other hosts, and which networks they take part in.
 *
 * What      underlay address -> peer port, VXLAN network identifier -> domain,
 *           and per identifier the peers that broadcasts are replicated to.
 * Why so    to the switch each peer is a port of its own, so that a station is
 *           "behind" a peer as it is behind a port. Built whole, then frozen.
 * Invariant Q1 an address, a port number, an identifier each occur once. Q2 a
 *           replication list is ascending and names known peers only.
 * Threads   build: the control thread. find: any thread, read-only. The count of
 *           strangers: any thread (atomic); its rate: the control thread.
 * Owns      all of it.
 * Refs      RFC 7348 4 (learning, replication), 5 (24-bit identifier). */
#ifndef OVERLAY_PEERS_H
#define OVERLAY_PEERS_H

#include "base/addr.h"
#include "base/err.h"

#define PEERS_MAX 4096u
#define PEERS_VNIS_MAX 65536u
#define VNI_MAX 0xffffffu
#define PEERS_NONE 0xffffffffu

struct peer_spec {
	struct ip_addr remote;
	uint32_t port; /* its peer port */
};

struct vni_spec {
	uint32_t vni;
	uint32_t domain;
	const uint32_t *ports; /* peers that have this network */
	unsigned n_ports;
};

struct peers;

/* NULL, with a sentence in `e`, when something occurs twice or is out of range. */
struct peers *peers_build(const struct peer_spec *peers, unsigned n_peers,
			  const struct vni_spec *vnis, unsigned n_vnis,
			  struct err *e) MUST_CHECK;
void peers_destroy(struct peers *p);
/* The peer port of an underlay address; 0 when it is none of ours. */
uint32_t peers_find(const struct peers *p, const struct ip_addr *remote);
/* The domain of an identifier, or PEERS_NONE. */
uint32_t peers_domain(const struct peers *p, uint32_t vni);
/* The peers of an identifier; *n is 0 when there are none. */
const uint32_t *peers_of_vni(const struct peers *p, uint32_t vni, unsigned *n);

/* Packets from strangers: told once in a while, not one by one. */
#define STRANGERS_REPORT_MS 10000u
struct strangers {
	uint64_t n;        /* atomic */
	uint64_t reported; /* of n, told already */
	uint64_t next_ms;
};
void strangers_note(struct strangers *s);
/* How many since the last report; 0 when it is too early or there were none. */
uint64_t strangers_due(struct strangers *s, uint64_t now_ms);

#endif
