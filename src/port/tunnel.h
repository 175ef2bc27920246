/* SPDX-License-Identifier: Apache-2.0 */
/* A tunnel port: VXLAN to and from all peers through UDP sockets.
 *
 * What      rx gives the frames that were inside, with packet_tunnel metadata
 *           (VNI, outer addresses, TOS, ports); tx sends each packet to the
 *           address in its metadata.
 *           Queue 0 is IPv4's, or IPv6's when it is alone; queue 1 IPv6's.
 * Why so    the kernel routes the underlay. A GSO frame crosses whole: cut into
 *           wire-size datagrams by one UDP_SEGMENT send, coalesced by UDP_GRO
 *           and packet/gro.h at the far side.
 * Invariant U1 no inner checksum leaves unfinished.
 *           U2 nothing the network answers (ICMP errors, resets, a route that is
 *           missing) stops the port.
 *           U3 whether a sender is a peer is the pipeline's question; rx has
 *           only checked that the datagram is VXLAN (RFC 7348 5).
 *           U4 datagrams carry a UDP checksum: the kernel cuts only such, and
 *           a device's offload makes it cheap (RFC 7348 5 allows it).
 * Threads   as port.h.
 * Refs      RFC 7348, RFC 6040 (ECN is carried in packet_tunnel.tos both ways). */
#ifndef PORT_TUNNEL_H
#define PORT_TUNNEL_H

#include "port/port.h"

#define TUNNEL_UDP_PORT 4789u /* IANA's; Linux and Swarm also use 8472 */
/* Source ports we send from: enough for ECMP and receive queues to spread. */
#define TUNNEL_SOURCES 16u

struct tunnel_config {
	struct ip_addr local; /* family 0: every address, both families */
	uint16_t udp_port;    /* 0: TUNNEL_UDP_PORT */
	uint32_t mtu;         /* of the underlay, outer IP packet; 0: 1500 */
	bool fragment;        /* may be fragmented on the way; else DF is set
			       * and what is too big is dropped TOO_BIG */
};

struct port *tunnel_port_create(const char *name,
				const struct tunnel_config *c);

#endif
