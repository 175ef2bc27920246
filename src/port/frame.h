/* SPDX-License-Identifier: Apache-2.0 */
/* Between the kernel's bytes and a packet: what devio and fdio share.
 *
 * What      making a packet of what was read, with its virtio-net header and the
 *           tag the kernel took off; counting why a send failed.
 * Threads   a packet's owner. */
#ifndef PORT_FRAME_H
#define PORT_FRAME_H

#include "packet/headers.h"
#include "packet/offload.h"
#include "port/nested.h"
#include "port/port.h"

/* A frame of `len` bytes is at p->data. False: not a frame that can be, or its
 * offload fields lie. */
static inline bool frame_accept(const struct port *port, struct packet *p,
				uint32_t len, const struct vnet_header *h)
{
	p->len = len;
	p->in_port = port->id;
	if (port->ops->layer3) {
		if (!len)
			return false;
		if (*p->data >> 4 == 4)
			p->packet_type = PACKET_TYPE_IP4;
		else if (*p->data >> 4 == 6)
			p->packet_type = PACKET_TYPE_IP6;
		else
			return false;
	} else if (len < ETH_HEADER_LEN) {
		return false;
	}
	return likely(packet_offload_from_vnet(p, h) == DROP_NONE) ||
	       nested_accept(p, h);
}

/* Puts the tag back behind the addresses (V2). */
void frame_push_vlan(struct packet *p, uint16_t tpid, uint16_t tci);
/* Why the kernel did not take it. */
enum drop frame_tx_drop(int err);

/* The port is not up: everything is dropped. True when so. */
static inline bool frame_tx_refuse(const struct port *port,
				   struct packet_batch *b,
				   struct port_counters *c)
{
	if (likely(port_get_state(port) == PORT_UP))
		return false;
	c->drops[DROP_PORT_DOWN] += b->n;
	packet_batch_free(b);
	return true;
}

#endif
