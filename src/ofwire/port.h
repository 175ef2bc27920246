/* SPDX-License-Identifier: Apache-2.0 */
/* Ports and queues: description, status, change, statistics.
 *
 * What      ofp_port of all versions, PORT_STATUS, PORT_MOD, PORT_STATS,
 *           PORT_DESC requests, QUEUE_GET_CONFIG and QUEUE_STATS.
 * Why so    a port is one struct; link features have 1.1's bits above the wire.
 * Threads   values.
 * Refs      OpenFlow 1.0.0 5.2.1, 5.3.4, 5.3.5; 1.5.1 7.2.1, 7.2.2, 7.3.4.3,
 *           7.3.5.6, 7.3.5.7, 7.4.3. */
#ifndef OFWIRE_PORT_H
#define OFWIRE_PORT_H

#include "base/addr.h"
#include "ofwire/message.h"

#define OF_PORT_NAME_LEN 32u

#define OF_PORT_DOWN 0x1u
#define OF_PORT_NO_STP 0x2u /* 1.0 */
#define OF_PORT_NO_RECV 0x4u
#define OF_PORT_NO_RECV_STP 0x8u /* 1.0 */
#define OF_PORT_NO_FLOOD 0x10u   /* 1.0 */
#define OF_PORT_NO_FWD 0x20u
#define OF_PORT_NO_PACKET_IN 0x40u

#define OF_PORT_LINK_DOWN 0x1u
#define OF_PORT_BLOCKED 0x2u    /* 1.1 on */
#define OF_PORT_LIVE 0x4u       /* 1.1 on */
#define OF_PORT_STP_MASK 0x300u /* 1.0 */

struct of_port {
	uint32_t number;
	struct eth_addr mac;
	char name[OF_PORT_NAME_LEN]; /* ends with NUL */
	uint32_t config, state;
	uint32_t curr, advertised, supported, peer; /* features, 1.1's bits */
	uint32_t curr_kbps, max_kbps;
};

/* Within FEATURES_REPLY (to 1.2), PORT_STATUS, PORT_DESC_STATS_REPLY. */
void of_port_put(struct of_out *o, unsigned version, const struct of_port *p);
/* Takes the next. */
enum of_error of_port_get(struct cursor *c, unsigned version,
			  struct of_port *p) MUST_CHECK;

enum of_port_reason { OF_PORT_ADDED, OF_PORT_DELETED, OF_PORT_MODIFIED };
void of_port_status_encode(struct of_out *o, unsigned version, uint32_t xid,
			   uint8_t reason, const struct of_port *p);
enum of_error of_port_status_decode(const struct of_msg *m, uint8_t *reason,
				    struct of_port *p) MUST_CHECK;

struct of_port_mod {
	uint32_t number;
	struct eth_addr mac;
	uint32_t config, mask;
	uint32_t advertise; /* 0: as it is */
};

void of_port_mod_encode(struct of_out *o, unsigned version, uint32_t xid,
			const struct of_port_mod *pm);
enum of_error of_port_mod_decode(const struct of_msg *m,
				 struct of_port_mod *pm) MUST_CHECK;

struct of_port_stats {
	uint32_t number;
	uint32_t duration_sec, duration_nsec; /* all ones: unknown */
	/* All ones: not counted. */
	uint64_t rx_packets, tx_packets, rx_bytes, tx_bytes, rx_dropped,
		tx_dropped, rx_errors, tx_errors, rx_frame, rx_over, rx_crc,
		collisions;
};

void of_port_stats_put(struct of_out *o, unsigned version,
		       const struct of_port_stats *s);
/* Takes the next off the body of a reply. */
enum of_error of_port_stats_get(struct cursor *c, unsigned version,
				struct of_port_stats *s) MUST_CHECK;

struct of_queue_stats {
	uint32_t port, queue;
	uint64_t tx_bytes, tx_packets, tx_errors;
	uint32_t duration_sec, duration_nsec;
};

void of_queue_stats_put(struct of_out *o, unsigned version,
			const struct of_queue_stats *s);
enum of_error of_queue_stats_get(struct cursor *c, unsigned version,
				 struct of_queue_stats *s) MUST_CHECK;

/* Which port and queue are asked for: PORT_STATS_REQUEST,
 * PORT_DESC_STATS_REQUEST (before 1.5 all), QUEUE_STATS_REQUEST,
 * QUEUE_GET_CONFIG_REQUEST. OF_PORT_NONE, OF_QUEUE_ALL: all. */
struct of_port_query {
	uint32_t port, queue;
};

void of_port_query_encode(struct of_out *o, enum of_kind kind, unsigned version,
			  uint32_t xid, const struct of_port_query *q);
enum of_error of_port_query_decode(const struct of_msg *m,
				   struct of_port_query *q) MUST_CHECK;

/* One queue of QUEUE_GET_CONFIG_REPLY. Rates in tenths of a percent; above
 * 1000: not set. */
#define OF_QUEUE_NO_RATE 0xffffu
struct of_queue {
	uint32_t port, queue;
	uint16_t min_rate, max_rate;
};

/* The reply's headers, with the port before 1.4. */
size_t of_queues_begin(struct of_out *o, unsigned version, uint32_t xid,
		       uint32_t port);
void of_queue_put(struct of_out *o, unsigned version, const struct of_queue *q);
/* Takes the reply's own head off the body: the port, before 1.4. */
enum of_error of_queues_head(struct of_msg *m, uint32_t *port) MUST_CHECK;
enum of_error of_queue_get(struct cursor *c, unsigned version,
			   struct of_queue *q) MUST_CHECK;

#endif
