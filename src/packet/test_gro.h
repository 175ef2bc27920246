/* SPDX-License-Identifier: Apache-2.0 */
/* For tests: coalescing of a batch.
 *
 * What      runs of a batch merged by the calls of gro.h, as a receiver makes
 *           them; what was merged goes back to its pool.
 * Why so    the property test and the fuzz target ask for the same thing.
 * Threads   values. */
#ifndef PACKET_TEST_GRO_H
#define PACKET_TEST_GRO_H

#include "packet/gro.h"

/* From the same port and tunnel, as far as anybody can ask later. */
static inline bool same_origin(const struct packet *a, const struct packet *b)
{
	if (a->in_port != b->in_port || a->packet_type != b->packet_type ||
	    (a->flags ^ b->flags) & PACKET_TUNNEL || a->max_len != b->max_len)
		return false;
	return !(a->flags & PACKET_TUNNEL) ||
	       !memcmp(&a->tun, &b->tun,
		       offsetof(struct packet_tunnel, options) +
			       a->tun.options_len);
}

static inline bool batch_add(struct gro *g, const struct packet *p)
{
	return !(p->flags & PACKET_CSUM_PARTIAL) && !packet_is_gso(p) &&
	       same_origin(g->head, p) &&
	       gro_add(g, p->data, p->len, p->flags & PACKET_CSUM_VALID);
}

static inline void gro_batch(struct packet_batch *b)
{
	unsigned n = 0, i = 0;

	while (i < b->n) {
		struct packet *head = b->p[i++];
		struct gro g;

		b->p[n++] = head;
		if (!gro_start(&g, head, head->flags & PACKET_CSUM_VALID))
			continue;
		while (i < b->n && batch_add(&g, b->p[i]))
			packet_free(b->p[i++]);
		gro_finish(&g);
	}
	b->n = n;
}

#endif
