/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of tunnel.c, tunnel_rx.c and tunnel_tx.c.
 *
 * What      the sockets, and what each half keeps.
 * Threads   rx half: the worker of its queue. tx half: any, it is only read. */
#ifndef PORT_TUNNEL_INNER_H
#define PORT_TUNNEL_INNER_H

#include "port/tunnel.h"
#include "sys/thread.h"
#include "sys/udp_socket.h"

#define TUNNEL_HEADER 8u /* VXLAN */
#define TUNNEL_RCVBUF (8u << 20)
#define TUNNEL_SNDBUF (4u << 20)
/* Large messages taken at a time: more would leave the CPU's cache. */
#define TUNNEL_LARGE_MAX 4u

enum tunnel_family { TUNNEL_IP4, TUNNEL_IP6, N_TUNNEL_FAMILIES };

/* Datagrams that came together, those up to `at` being dealt with. */
struct tunnel_message {
	struct packet *p; /* holds them all: [data, data + len) */
	uint32_t at;
	uint32_t step; /* bytes of each but the last, header included */
	struct udp_socket_info info;
};

struct tunnel_rx {
	int fd;
	/* What the worker sleeps on: the socket, and `more` while messages wait
	 * here for room in a batch. */
	struct poller poller;
	struct wake more;
	bool more_set;
	bool large; /* the last messages were coalesced */
	struct tunnel_message messages[PACKET_BATCH_MAX];
	unsigned head, n;
};

struct tunnel_port {
	struct port port;
	struct tunnel_config config;
	struct tunnel_rx rx[N_TUNNEL_FAMILIES];    /* by queue */
	int tx[N_TUNNEL_FAMILIES][TUNNEL_SOURCES]; /* -1: no such family */
	bool attached;
};

static inline struct tunnel_port *tunnel_of(struct port *p)
{
	return container_of(p, struct tunnel_port, port);
}

int tunnel_rx_init(struct tunnel_rx *r, int fd) MUST_CHECK;
void tunnel_rx_fini(struct tunnel_rx *r);
int tunnel_rx(struct port *p, unsigned queue, struct packet_batch *b,
	      struct packet_pool *pool);
void tunnel_tx(struct port *p, struct packet_batch *b, struct port_counters *c);

#endif
