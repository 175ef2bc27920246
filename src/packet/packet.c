/* SPDX-License-Identifier: Apache-2.0 */
#include "packet/packet.h"

#include <sys/mman.h>

/* A slot is whole pages, so that giving one back to the kernel takes nothing from
 * its neighbours. The buffer begins at one of N_COLOURS places in its first page:
 * the first bytes of a batch's frames do not all fall into the same cache sets. */
#define TAILROOM 64u
#define PAGE 4096u
#define N_COLOURS 12u
#define COLOUR (CACHE_LINE * 5u)
#define BUFFER_CAP                                                             \
	ROUND_UP(PACKET_HEADROOM + PACKET_MAX_LEN + TAILROOM, CACHE_LINE)
#define SLOT_LEN ROUND_UP(BUFFER_CAP + (N_COLOURS - 1) * COLOUR, PAGE)

struct packet_pool {
	struct packet *packets;
	uint8_t *buffers;
	struct packet *free; /* the last freed first */
	unsigned n, n_free;
	unsigned n_used; /* ever handed out */
};

void packet_pool_destroy(struct packet_pool *pool)
{
	if (!pool)
		return;
	must(pool->n_free == pool->n);
	lazy_free(pool->packets, pool->n * sizeof(*pool->packets));
	lazy_free(pool->buffers, (size_t)pool->n * SLOT_LEN);
	free(pool);
}

struct packet_pool *packet_pool_create(unsigned n)
{
	struct packet_pool *pool = xzalloc(sizeof(*pool));

	pool->packets = lazy_alloc(n * sizeof(*pool->packets));
	pool->buffers = lazy_alloc((size_t)n * SLOT_LEN);
	if (!pool->packets || !pool->buffers) {
		lazy_free(pool->packets, n * sizeof(*pool->packets));
		lazy_free(pool->buffers, (size_t)n * SLOT_LEN);
		free(pool);
		return NULL;
	}
	pool->n = n;
	pool->n_free = n;
	return pool;
}

unsigned packet_pool_free_count(const struct packet_pool *pool)
{
	return pool->n_free;
}

static uint8_t *slot_of(const struct packet_pool *pool, unsigned i)
{
	return pool->buffers + (size_t)i * SLOT_LEN;
}

void packet_pool_trim(struct packet_pool *pool)
{
	for (struct packet *p = pool->free; p; p = p->next_free)
		(void)madvise(slot_of(pool, (unsigned)(p - pool->packets)),
			      SLOT_LEN, MADV_DONTNEED);
}

/* Packets never used are not on the list: touching them would make them
 * resident. They are handed out in order when the list is empty. */
static struct packet *pool_fresh(struct packet_pool *pool)
{
	unsigned i = pool->n_used;
	struct packet *p;

	if (i == pool->n)
		return NULL;
	pool->n_used++;
	p = &pool->packets[i];
	p->pool = pool;
	p->buf = slot_of(pool, i) + i % N_COLOURS * COLOUR;
	p->cap = BUFFER_CAP;
	return p;
}

void packet_reset_metadata(struct packet *p)
{
	p->flags = 0;
	p->in_port = 0;
	p->packet_type = PACKET_TYPE_ETHERNET;
	p->l3 = p->l4 = p->inner = PACKET_NO_LAYER;
	p->csum_start = p->csum_offset = 0;
	p->gso_size = 0;
	p->gso_type = GSO_NONE;
	p->gso_ecn = false;
	p->max_len = 0;
}

struct packet *packet_alloc(struct packet_pool *pool)
{
	struct packet *p = pool->free;

	if (likely(p))
		pool->free = p->next_free;
	else
		p = pool_fresh(pool);
	if (unlikely(!p))
		return NULL;
	pool->n_free--;
	p->data = p->buf + PACKET_HEADROOM;
	p->len = 0;
	packet_reset_metadata(p);
	return p;
}

void packet_free(struct packet *p)
{
	struct packet_pool *pool = p->pool;

	p->next_free = pool->free;
	pool->free = p;
	pool->n_free++;
}

void packet_batch_free(struct packet_batch *b)
{
	for (unsigned i = 0; i < b->n; i++)
		packet_free(b->p[i]);
	b->n = 0;
}

static void copy_tunnel(struct packet_tunnel *to,
			const struct packet_tunnel *from)
{
	memcpy(to, from,
	       offsetof(struct packet_tunnel, options) + from->options_len);
}

void packet_copy(struct packet *to, const struct packet *from)
{
	uint32_t headroom = packet_headroom(from);

	to->data = to->buf + headroom;
	to->len = from->len;
	memcpy(to->data, from->data, from->len);
	to->flags = from->flags;
	to->in_port = from->in_port;
	to->packet_type = from->packet_type;
	to->l3 = from->l3;
	to->l4 = from->l4;
	to->inner = from->inner;
	to->csum_start = from->csum_start;
	to->csum_offset = from->csum_offset;
	to->gso_size = from->gso_size;
	to->gso_type = from->gso_type;
	to->gso_ecn = from->gso_ecn;
	to->max_len = from->max_len;
	if (from->flags & PACKET_TUNNEL)
		copy_tunnel(&to->tun, &from->tun);
}

struct packet *packet_clone(const struct packet *p, struct packet_pool *pool)
{
	struct packet *c = packet_alloc(pool);

	if (c)
		packet_copy(c, p);
	return c;
}

void packet_fill(struct packet *p, const void *bytes, uint32_t len)
{
	must(len <= PACKET_MAX_LEN);
	p->data = p->buf + PACKET_HEADROOM;
	p->len = len;
	memcpy(p->data, bytes, len);
	packet_reset_metadata(p);
}

static uint16_t moved(uint16_t layer, int by)
{
	return layer == PACKET_NO_LAYER ? layer : (uint16_t)(layer + by);
}

/* A layer that was in front of what was taken away is gone. */
static uint16_t pulled(uint16_t layer, uint32_t n)
{
	return layer == PACKET_NO_LAYER || layer < n ? PACKET_NO_LAYER :
						       (uint16_t)(layer - n);
}

uint8_t *packet_push(struct packet *p, uint32_t n)
{
	if (unlikely(packet_headroom(p) < n))
		return NULL;
	p->data -= n;
	p->len += n;
	p->l3 = moved(p->l3, (int)n);
	p->l4 = moved(p->l4, (int)n);
	p->inner = moved(p->inner, (int)n);
	if (p->flags & PACKET_CSUM_PARTIAL)
		p->csum_start = (uint16_t)(p->csum_start + n);
	return p->data;
}

bool packet_pull(struct packet *p, uint32_t n)
{
	if (unlikely(p->len < n))
		return false;
	if (p->flags & PACKET_CSUM_PARTIAL && p->csum_start < n)
		return false;
	p->data += n;
	p->len -= n;
	p->l3 = pulled(p->l3, n);
	p->l4 = pulled(p->l4, n);
	p->inner = pulled(p->inner, n);
	if (p->flags & PACKET_CSUM_PARTIAL)
		p->csum_start = (uint16_t)(p->csum_start - n);
	return true;
}
