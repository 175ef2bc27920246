/* SPDX-License-Identifier: Apache-2.0 */
/* A packet socket whose small frames lie in memory shared with the kernel.
 *
 * What      packet_socket.h's hearing, by a TPACKET_V2 ring: the kernel writes
 *           small frames into slots; a frame larger than a slot waits in the
 *           socket's queue, with a slot in its place that says so.
 * Why so    asking for a frame and taking a small one costs no system call and
 *           no allocation (1.4 times the frames a second of recvmmsg, and a
 *           worker may ask again for some microseconds before it sleeps), while
 *           a 64 kB frame still needs one copy and no slot of 64 kB.
 *           Giving a socket its ring, and closing it, waits for the kernel's
 *           grace period (10 to 30 ms). A few threads that live only as long as
 *           there is such work keep a small stock of sockets ready and close
 *           those done with, so that a thousand ports come and go in seconds.
 * Invariant R1 slots and queued frames are in the order of arrival.
 *           R2 what we send we do not hear.
 *           R3 nothing of another device is ever received.
 * Threads   open, close: the control thread. peek, next, read: one at a time.
 *           Sending on fd: any.
 * Owns      descriptor and mapping.
 * Refs      packet(7); kernel Documentation/networking/packet_mmap.rst. */
#ifndef SYS_PACKET_RING_H
#define SYS_PACKET_RING_H

#include "base/err.h"
#include "sys/packet_socket.h"

#define PACKET_RING_SMALL_SLOT 256u /* bytes: frames up to 180 */
#define PACKET_RING_SMALL_SLOTS 1024u
#define PACKET_RING_BUSY_SLOT 2048u /* frames up to 1972 */
#define PACKET_RING_BUSY_SLOTS 1024u
#define PACKET_RING_SNDBUF (4u << 20)

struct packet_ring {
	int fd; /* non-blocking, close-on-exec */
	uint32_t ifindex;
	uint8_t *base;
	unsigned slot_bytes, n_slots, head;
};

#define PACKET_RING_INIT                                                       \
	{                                                                      \
		.fd = -1                                                       \
	}

struct packet_ring_spec {
	uint32_t ifindex; /* in the calling thread's namespace */
	bool promiscuous;
	bool busy; /* the larger ring, for frames of an Ethernet's size */
};

/* Deaf until packet_ring_listen: whoever opens it may first see to it that
 * nobody else hears the device. */
int packet_ring_open(struct packet_ring *r, const struct packet_ring_spec *s,
		     struct err *e) MUST_CHECK;
/* Hears what `filter` (a program's descriptor) keeps; all by -1. */
int packet_ring_listen(struct packet_ring *r, int filter) MUST_CHECK;
/* A PACKET_RING_INIT ring and a second call are harmless. */
void packet_ring_close(struct packet_ring *r);

/* What the next slot says. */
struct packet_ring_slot {
	const uint8_t *header; /* PACKET_SOCKET_HDR_LEN bytes, then the frame */
	uint32_t len;          /* of the frame here, without header */
	uint32_t wire_len;     /* of the whole frame; cut when more than len */
	bool queued;           /* it is in the queue instead: read it */
	bool has_vlan;         /* the tag the kernel took off */
	bool losing;           /* frames were lost since packet_ring_lost */
	uint16_t tci, tpid;
};

/* False: no frame waits. */
bool packet_ring_peek(struct packet_ring *r, struct packet_ring_slot *s);
/* Gives the slot back to the kernel; what peek showed is gone. */
void packet_ring_next(struct packet_ring *r);
/* Reads a queued frame (header first) into buf: bytes, or -errno; -EMSGSIZE when
 * it is longer than cap. */
int packet_ring_read(struct packet_ring *r, void *buf, uint32_t cap);
/* Frames the kernel had no room for since the last call. */
uint32_t packet_ring_lost(struct packet_ring *r);
/* 0; -ENETDOWN: the device went down; -ENODEV: it is gone, close. Clears what
 * makes the descriptor poll as failed. A device that is gone polls as failed once,
 * when it goes down; from then on only netlink and asking tell. */
int packet_ring_error(struct packet_ring *r);
/* May a header sent here ask for UDP segmentation? (kernel 6.2) */
bool packet_ring_takes_uso(void);

#endif
