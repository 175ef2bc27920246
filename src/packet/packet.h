/* SPDX-License-Identifier: Apache-2.0 */
/* A packet in weft: its bytes, and what the wire does not say about them.
 *
 * What      a buffer with headroom, the frame in it, where its layers start,
 *           offload state (unfinished checksum, GSO), tunnel metadata, in-port.
 * Why so    offload state travels with the packet from port to port and is
 *           spent at the last moment only (decision D8); a frame of 64 kB is
 *           one packet all the way.
 * Invariant P1 buf <= data, data + len <= buf + cap.
 *           P2 csum_start/csum_offset, when PACKET_CSUM_PARTIAL is set, lie
 *              inside the frame (checked where the metadata enters).
 *           P3 a layer offset is PACKET_NO_LAYER or < len.
 * Threads   a packet belongs to one thread at a time; it goes back to the pool
 *           it came from, on the thread that owns that pool.
 * Refs      virtio 1.2 5.1.6 (the offload fields mean what virtio-net's do). */
#ifndef PACKET_PACKET_H
#define PACKET_PACKET_H

#include "base/addr.h"

/* Room kept in front of a received frame: a VLAN or MPLS push, or a whole outer
 * Ethernet + IPv6 + UDP + Geneve-with-options header. */
#define PACKET_HEADROOM 384u
/* Largest frame: an IP packet of 65535 behind Ethernet and two tags. */
#define PACKET_MAX_LEN (65535u + 22u)
#define PACKET_BATCH_MAX 32u
#define PACKET_NO_LAYER 0xffffu
#define TUNNEL_OPTIONS_MAX 252u

enum packet_flag {
	/* The L4 checksum holds only the pseudo-header sum; from csum_start to
	 * the end has still to be summed into csum_start + csum_offset. */
	PACKET_CSUM_PARTIAL = 1 << 0,
	/* A lower layer has verified the L4 checksum. */
	PACKET_CSUM_VALID = 1 << 1,
	/* tun holds the metadata of the tunnel it came out of, or goes into. */
	PACKET_TUNNEL = 1 << 2,
};

/* What a frame longer than the MTU has to be cut into. */
enum gso_type {
	GSO_NONE,
	GSO_TCP4,
	GSO_TCP6,
	GSO_UDP4, /* UDP segmentation (USO), datagrams of gso_size */
	GSO_UDP6,
};

struct packet_tunnel {
	uint64_t id; /* VNI or key */
	struct ip_addr src,
		dst; /* outer addresses; unset: let routing choose */
	uint16_t tp_src, tp_dst; /* outer ports, host order */
	uint16_t flags;          /* TUNNEL_F_* */
	uint8_t tos, ttl;        /* outer; ttl 0: the default */
	uint8_t options_len;     /* Geneve options, multiple of 4 */
	uint8_t options[TUNNEL_OPTIONS_MAX];
};

#define TUNNEL_F_DF 0x01u
#define TUNNEL_F_CSUM 0x02u
#define TUNNEL_F_KEY 0x04u
#define TUNNEL_F_OAM 0x08u

struct packet_pool;

struct packet {
	uint8_t *data; /* first byte of the frame (or of L3, see packet_type) */
	uint32_t len;  /* bytes in the frame */
	uint32_t flags; /* enum packet_flag */
	uint32_t in_port;
	uint32_t packet_type; /* 0 Ethernet, PACKET_TYPE_IP4/IP6 layer 3 only */
	uint16_t l3, l4;      /* offsets from data, or PACKET_NO_LAYER */
	/* Header of an inner packet when an encapsulation was pushed in front of
	 * a GSO or partial-checksum frame: offset of the inner L2, else
	 * PACKET_NO_LAYER. csum_start always refers to the innermost L4. */
	uint16_t inner;
	uint16_t csum_start, csum_offset;
	uint16_t gso_size; /* payload bytes a segment; 0 = no GSO */
	uint8_t gso_type;  /* enum gso_type */
	bool gso_ecn;      /* first segment carries CWR (virtio ECN bit) */
	uint32_t max_len;  /* truncation asked by an action; 0 = none */
	uint8_t *buf;      /* the buffer: cap bytes */
	uint32_t cap;
	struct packet_pool *pool;
	struct packet *next_free; /* the pool's own */
	struct packet_tunnel tun; /* meaningful with PACKET_TUNNEL only */
};

#define PACKET_TYPE_ETHERNET 0u
#define PACKET_TYPE_IP4                                                        \
	0x10800u /* namespace 1, Ethertype (OpenFlow 1.5 7.2.3.8) */
#define PACKET_TYPE_IP6 0x186ddu

struct packet_batch {
	unsigned n;
	struct packet *p[PACKET_BATCH_MAX];
};

/* A pool of `n` buffers of the full size. Address space is reserved at once,
 * memory is used as buffers are touched; the last freed is the first given, so
 * a quiet pool stays small. NULL when the kernel refuses the address space. */
struct packet_pool *packet_pool_create(unsigned n);
/* Every packet must be back. */
void packet_pool_destroy(struct packet_pool *pool);
unsigned packet_pool_free_count(const struct packet_pool *pool);
/* Gives the memory of idle buffers back to the kernel. */
void packet_pool_trim(struct packet_pool *pool);

/* An empty packet (len 0, data at the headroom, metadata reset); NULL when the
 * pool is empty: drop and count. */
struct packet *packet_alloc(struct packet_pool *pool);
void packet_free(struct packet *p);
void packet_batch_free(struct packet_batch *b);
/* A copy with all its metadata, from `pool`; NULL when empty. */
struct packet *packet_clone(const struct packet *p, struct packet_pool *pool);
/* Makes `to` what `from` is, bytes and metadata; each keeps its buffer. */
void packet_copy(struct packet *to, const struct packet *from);
/* Makes `p` hold exactly these bytes (len <= PACKET_MAX_LEN), metadata reset. */
void packet_fill(struct packet *p, const void *bytes, uint32_t len);
void packet_reset_metadata(struct packet *p);

static inline uint32_t packet_headroom(const struct packet *p)
{
	return (uint32_t)(p->data - p->buf);
}

static inline uint32_t packet_tailroom(const struct packet *p)
{
	return p->cap - packet_headroom(p) - p->len;
}

/* Grows at the front by n bytes; NULL when the headroom is used up. Layer
 * offsets, csum_start and inner move along. */
uint8_t *packet_push(struct packet *p, uint32_t n);
/* Takes n bytes off the front; false when the packet is shorter. */
bool packet_pull(struct packet *p, uint32_t n);

static inline bool packet_is_gso(const struct packet *p)
{
	return p->gso_size;
}

#endif
