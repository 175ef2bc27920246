/* SPDX-License-Identifier: Apache-2.0 */
#include "port/queue.h"

#include <errno.h>

int queue_open(struct queue *q, unsigned size)
{
	int err;

	*q = (struct queue){ .size = size };
	err = wake_init(&q->wake);
	if (err)
		return err;
	q->pool = packet_pool_create(size);
	if (!q->pool) {
		wake_fini(&q->wake);
		return -ENOMEM;
	}
	pthread_mutex_init(&q->lock, NULL);
	q->ring = xcalloc(size, sizeof(struct packet *));
	return 0;
}

static struct packet *queue_pop(struct queue *q)
{
	struct packet *p = q->ring[q->head];

	q->head = (q->head + 1) % q->size;
	q->n--;
	return p;
}

void queue_close(struct queue *q)
{
	while (q->n)
		packet_free(queue_pop(q));
	packet_pool_destroy(q->pool);
	free(q->ring);
	pthread_mutex_destroy(&q->lock);
	wake_fini(&q->wake);
}

int queue_fd(const struct queue *q)
{
	return q->wake.fd;
}

static bool queue_push(struct queue *q, const struct packet *p)
{
	struct packet *copy = packet_clone(p, q->pool);

	if (!copy)
		return false;
	q->ring[(q->head + q->n++) % q->size] = copy;
	return true;
}

void queue_put(struct queue *q, struct packet_batch *b, struct port_counters *c)
{
	bool wake;

	pthread_mutex_lock(&q->lock);
	wake = !q->n;
	for (unsigned i = 0; i < b->n; i++) {
		if (!queue_push(q, b->p[i])) {
			c->drops[DROP_TX_FULL]++;
			continue;
		}
		c->tx_packets++;
		c->tx_bytes += b->p[i]->len;
	}
	pthread_mutex_unlock(&q->lock);
	if (wake)
		wake_signal(&q->wake);
	packet_batch_free(b);
}

int queue_take(struct queue *q, struct packet_batch *b,
	       struct packet_pool *pool, uint64_t *pool_empty)
{
	unsigned before = b->n;
	bool more;

	/* Before looking: whoever puts after the look signals again. */
	wake_clear(&q->wake);
	pthread_mutex_lock(&q->lock);
	while (q->n && b->n < PACKET_BATCH_MAX) {
		struct packet *p = queue_pop(q);
		struct packet *copy = packet_clone(p, pool);

		packet_free(p);
		if (copy)
			b->p[b->n++] = copy;
		else
			++*pool_empty;
	}
	more = q->n;
	pthread_mutex_unlock(&q->lock);
	if (more)
		wake_signal(&q->wake);
	return (int)(b->n - before);
}

unsigned queue_length(struct queue *q)
{
	unsigned n;

	pthread_mutex_lock(&q->lock);
	n = q->n;
	pthread_mutex_unlock(&q->lock);
	return n;
}
