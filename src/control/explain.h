/* SPDX-License-Identifier: Apache-2.0 */
/* Explain: the way a packet would take, told by the function that forwards.
 *
 * What      a question (who to whom; a packet in words or bytes; one that comes in
 *           by a tunnel) becomes a key and, where it can, a packet; translation is
 *           traced, and the interpreter runs the verdict on the packet.
 * Why so    nothing is told that was not decided and done by the code that
 *           forwards: explain_test scenes send the packet and compare.
 * Threads   the control thread.
 * Owns      a question owns its pool and packet. */
#ifndef CONTROL_EXPLAIN_H
#define CONTROL_EXPLAIN_H

#include "control/internal.h"
#include "packet/packet.h"

#define EXPLAIN_NAME_MAX 128u
/* Flows looked through for the one that covers a packet: workers wait
 * meanwhile. */
#define EXPLAIN_FLOWS 16384u
#define EXPLAIN_FLOWS_FAR 1024u /* for another host */

struct endpoint {
	char name[EXPLAIN_NAME_MAX]; /* as asked, without the port */
	bool has_tp;
	uint16_t tp;
	const struct model_port *port; /* of whichever host; or NULL */
	struct ip_addr ip4, ip6;       /* family 0: none */
};

struct question {
	struct control *c;
	const struct snapshot *s;
	struct endpoint from, to;
	struct ip_addr src, dst;
	const struct snap_port *in;
	const struct snap_domain *domain; /* where the source is */
	struct flow_key key;
	struct packet_pool *pool;
	struct packet *packet; /* with this key; NULL: none could be made */
	unsigned flows_max;
};

void question_init(struct question *q, struct control *c);
void question_fini(struct question *q);

/* explain_names.c: whom names and addresses mean. */
const struct model_port *explain_find_port(const struct model *m,
					   const char *name,
					   const struct ip_addr *ip);
/* The first of each family. */
void endpoint_take_address(struct endpoint *ep, const struct ip_addr *a);
/* The domain that untagged frames of the port are in, or NULL. */
const struct snap_domain *explain_port_domain(const struct question *q,
					      const struct snap_port *p);
/* From `from` to `to`, as the station there would send it. */
int explain_pair(struct question *q, const char *from, const char *to,
		 const char *proto, struct err *e) MUST_CHECK;
/* The frame's destination, for q->dst: the station, else the router. */
int explain_next(struct question *q, struct err *e) MUST_CHECK;

/* explain_packet.c: a packet given in full. `from` may be NULL when the text
 * names the port. */
int explain_words(struct question *q, const char *text, const char *from,
		  struct err *e) MUST_CHECK;
/* Hexadecimal digits; `link` is libpcap's link type. */
int explain_bytes(struct question *q, const char *hex, int64_t link,
		  const char *from, struct err *e) MUST_CHECK;
/* As it comes out of the tunnel from `peer`. */
struct explain_arrival {
	const struct ip_addr *peer;
	const char *name; /* the peer's */
	uint32_t vni;
};
int explain_arrived(struct question *q, const char *hex,
		    const struct explain_arrival *a, struct err *e) MUST_CHECK;

/* explain_answer.c */
struct json_object *explain_answer(struct question *q);
/* Adds which cache holds it. */
void explain_put_cache(struct question *q, struct json_object *o);
/* A member that is text; nothing for NULL. */
const char *explain_param(struct json_object *o, const char *key);

/* explain_far.c: what the next host says. */
/* Answers `call` with `root` (taken), with what other hosts say in it. */
void explain_far_ask(struct control *c, struct rpc_call *call,
		     struct json_object *root);

#endif
