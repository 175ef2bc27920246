/* SPDX-License-Identifier: Apache-2.0 */
#include "switch/punt.h"

#include <errno.h>

#include "dp/dp.h"
#include "switch/switch.h"

#define N_SHARES (DP_MAX_PORTS + 1u)

int punt_queue_init(struct punt_queue *q, struct loop *loop, loop_fn *fn,
		    void *arg)
{
	*q = (struct punt_queue){ .loop = loop };
	pthread_mutex_init(&q->lock, NULL);
	list_init(&q->free);
	list_init(&q->full);
	loop_call_init(&q->call, fn, arg);
	q->shares = lazy_alloc(N_SHARES * sizeof(*q->shares));
	q->pool = packet_pool_create(PUNT_SLOTS);
	q->slots = xcalloc(PUNT_SLOTS, sizeof(*q->slots));
	if (!q->shares || !q->pool)
		return -ENOMEM;
	for (unsigned i = 0; i < PUNT_SLOTS; i++) {
		q->slots[i].packet = packet_alloc(q->pool);
		list_push_back(&q->free, &q->slots[i].link);
	}
	return 0;
}

void punt_queue_fini(struct punt_queue *q)
{
	for (unsigned i = 0; q->pool && i < PUNT_SLOTS; i++)
		packet_free(q->slots[i].packet);
	if (q->pool)
		packet_pool_destroy(q->pool);
	lazy_free(q->shares, N_SHARES * sizeof(*q->shares));
	free(q->slots);
	pthread_mutex_destroy(&q->lock);
}

/* A free slot within the port's share, or NULL. Under the lock. */
static struct punt *slot_get(struct punt_queue *q, uint32_t port,
			     uint64_t now_ms)
{
	struct punt_share *s = &q->shares[port % N_SHARES];
	struct punt *p;

	if (!s->known) {
		bucket_init(&s->rate, PUNT_PORT_RATE, PUNT_PORT_BURST, now_ms);
		s->known = true;
	}
	if (s->n >= PUNT_PORT_SLOTS || list_is_empty(&q->free) ||
	    !bucket_take(&s->rate, 1, now_ms))
		return NULL;
	s->n++;
	p = list_entry(list_pop_front(&q->free), struct punt, link);
	p->in_port = port;
	return p;
}

bool punt_queue_put(struct punt_queue *q, const struct packet *p,
		    const struct flow_key *key, const struct act_punt *a,
		    uint64_t now_ms)
{
	struct punt *slot;

	pthread_mutex_lock(&q->lock);
	slot = slot_get(q, p->in_port, now_ms);
	pthread_mutex_unlock(&q->lock);
	if (!slot) {
		__atomic_add_fetch(&q->dropped, 1, __ATOMIC_RELAXED);
		return false;
	}
	packet_copy(slot->packet, p);
	slot->action = *a;
	slot->key = *key;
	pthread_mutex_lock(&q->lock);
	list_push_back(&q->full, &slot->link);
	pthread_mutex_unlock(&q->lock);
	loop_wake(q->loop, &q->call);
	return true;
}

struct punt *punt_queue_take(struct punt_queue *q)
{
	struct punt *p = NULL;

	pthread_mutex_lock(&q->lock);
	if (!list_is_empty(&q->full))
		p = list_entry(list_pop_front(&q->full), struct punt, link);
	pthread_mutex_unlock(&q->lock);
	return p;
}

void punt_queue_done(struct punt_queue *q, struct punt *p)
{
	pthread_mutex_lock(&q->lock);
	q->shares[p->in_port % N_SHARES].n--;
	list_push_back(&q->free, &p->link);
	pthread_mutex_unlock(&q->lock);
}
