/* SPDX-License-Identifier: Apache-2.0 */
/* For tests: random networks, and random packets that mean something in them.
 *
 * What      random_net builds and freezes a network of every kind of object;
 *           random_learning fills or changes its learned tables; random_key
 *           makes a real packet and extracts its key.
 * Why so    properties of the pipeline have to hold for networks nobody thought
 *           of. Stations, addresses and groups come from sets so small that
 *           packets meet what was configured and learned.
 * Threads   one; everything follows from the seed. */
#ifndef PIPELINE_TEST_RANDOM_H
#define PIPELINE_TEST_RANDOM_H

#include "packet/packet.h"
#include "pipeline/test_net.h"

struct random {
	uint64_t seed;
	struct packet_pool *pool;
};

#define RANDOM_STATIONS 6u
#define RANDOM_TUNNEL 40u

void random_init(struct random *r, uint64_t seed);
void random_fini(struct random *r);
unsigned random_below(struct random *r, unsigned n);
static inline bool random_one_in(struct random *r, unsigned n)
{
	return !random_below(r, n);
}

struct net *random_net(struct random *r);
/* One change of a MAC table, a neighbour table or a group; time goes by. */
void random_learning(struct random *r, struct net *n);
/* It came in by some port; NULL when RANDOM_PACKETS are out. */
#define RANDOM_PACKETS 4u
struct packet *random_packet(struct random *r);
void random_key(struct random *r, struct flow_key *key);

#endif
