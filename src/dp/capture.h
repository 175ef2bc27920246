/* SPDX-License-Identifier: Apache-2.0 */
/* Capture: copies of packets as they pass, for who wants to see them.
 *
 * What      a capture asks for points (in, out, drop), ports and a filter; what
 *           passes is copied, with all that is known of it, into a ring a thread,
 *           from which the control thread takes it.
 * Why so    a worker never waits for who looks: a ring that is full loses the
 *           copy and counts it, the packet goes on. Each capture has rings of its
 *           own, so that one that is not read costs only itself. With none
 *           running a packet pays one test of a pointer.
 * Invariant C1 a ring has one writer, its thread, and one reader, the control
 *           thread. C2 a record is whole in one piece. C3 what was taken and what
 *           was lost make together all that passed the filter.
 * Bounds    CAPTURE_MAX captures, CAPTURE_RING_BYTES a thread and capture, which
 *           cost memory as they are used.
 * Threads   capture_packet: workers, inside RCU, and the control thread. All else:
 *           the control thread.
 * Owns      rings and a copy of the filter. */
#ifndef DP_CAPTURE_H
#define DP_CAPTURE_H

#include "base/env.h"
#include "flow/action.h"
#include "flow/key.h"
#include "packet/filter.h"
#include "packet/packet.h"
#include "port/port.h"

#define CAPTURE_MAX 8u /* at once */
#define CAPTURE_RING_BYTES (4u << 20)
#define CAPTURE_ACTIONS_MAX 1024u /* bytes of a list; a longer is not told */

enum capture_point {
	CAPTURE_IN = 1 << 0,   /* received, before any change */
	CAPTURE_OUT = 1 << 1,  /* as the port is given it */
	CAPTURE_DROP = 1 << 2, /* as it was when it was dropped */
};

struct capture_spec {
	struct env *env;
	unsigned points;     /* enum capture_point, ored */
	uint32_t snap;       /* bytes of a packet that are kept */
	bool offloads_whole; /* of GSO and unfinished checksums all bytes */
	bool with_keys;
	bool all_ports; /* else those of capture_set_port */
	/* Of tunnels only what goes to and from it; family 0: all. */
	struct ip_addr peer;
	struct filter ethernet, ip; /* for frames, for layer 3; were checked */
	/* Any thread, must not block: there is something to take. */
	void (*notify)(void *ctx);
	void *ctx;
};

struct capture;

struct capture_record {
	uint32_t size;  /* of all of it, a multiple of 8 */
	uint32_t point; /* enum capture_point */
	uint64_t time_ns;
	uint32_t port; /* where: it came in there, leaves there, or dropped */
	uint32_t in_port;
	uint32_t len, kept; /* bytes of the packet; of them in the record */
	uint32_t packet_type, flags;
	uint16_t l3, l4, inner, csum_start, csum_offset, gso_size;
	uint8_t gso_type;
	bool gso_ecn;
	bool has_key;         /* IN, DROP, when asked for */
	uint16_t drop;        /* DROP: enum drop */
	uint16_t actions_len; /* IN: bytes of the list that will be run */
	struct ip_addr tun_src, tun_dst; /* with PACKET_TUNNEL in flags */
	uint64_t tun_id;
	uint16_t tun_tp_src, tun_tp_dst;
	uint8_t tun_tos, tun_ttl;
	uint16_t zero;
	uint64_t tail[]; /* key, actions, bytes */
};

/* `n_threads` writers. NULL when the kernel refuses the address space. */
struct capture *capture_create(const struct capture_spec *spec,
			       unsigned n_threads);
void capture_destroy(struct capture *c);
/* Nothing more is put; what is in the rings can still be taken. */
void capture_end(struct capture *c);
void capture_set_port(struct capture *c, uint32_t port, bool on);
/* The oldest record, valid until capture_next; NULL: none. */
const struct capture_record *capture_peek(struct capture *c);
void capture_next(struct capture *c);
/* Copies that found no room. */
uint64_t capture_lost(const struct capture *c);

const struct flow_key *capture_record_key(const struct capture_record *r);
struct act_list capture_record_actions(const struct capture_record *r);
const uint8_t *capture_record_bytes(const struct capture_record *r);
/* Makes `p` the packet of the record, as far as it was kept. */
void capture_record_packet(const struct capture_record *r, struct packet *p);

/* --- for datapaths --- */

/* All that run; NULL: none. Published by RCU, never edited. */
struct capture_set {
	unsigned n;
	struct capture *c[CAPTURE_MAX];
};

struct capture_event {
	enum capture_point point;
	enum drop drop;
	uint32_t port;
	const struct flow_key *key; /* or NULL */
	struct act_list actions;
};

void capture_packet(const struct capture_set *s, unsigned thread,
		    const struct packet *p, const struct capture_event *ev);
/* A new set with one more, one fewer; NULL: an empty one. */
struct capture_set *capture_set_with(const struct capture_set *s,
				     struct capture *c);
struct capture_set *capture_set_without(const struct capture_set *s,
					const struct capture *c);
/* With its captures; NULL is fine. */
void capture_set_destroy(struct capture_set *s);

#endif
