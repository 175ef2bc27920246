/* SPDX-License-Identifier: Apache-2.0 */
#include "port/dummy.h"

#include "port/queue.h"
#include "sys/fail.h"

/* The queues live as long as the port, so that a test may fill them before
 * attaching and look at them after. */
struct dummy_port {
	struct port port;
	struct dummy_config config;
	struct queue in, out;
	_Atomic(int) error;
};

static struct dummy_port *dummy_of(struct port *p)
{
	return container_of(p, struct dummy_port, port);
}

static int dummy_attach(struct port *p, struct err *e)
{
	struct dummy_port *d = dummy_of(p);
	int err = atomic_load(&d->error);

	if (err)
		return fail_errno(e, err, "cannot attach dummy port %s",
				  p->name);
	p->caps = d->config.caps;
	p->mtu = d->config.mtu ? d->config.mtu : 1500;
	p->mac = d->config.mac;
	port_set_state(p, PORT_UP);
	return 0;
}

static void dummy_detach(struct port *p, bool keep UNUSED)
{
	port_set_state(p, PORT_ABSENT);
}

static void dummy_destroy(struct port *p)
{
	struct dummy_port *d = dummy_of(p);

	queue_close(&d->in);
	queue_close(&d->out);
	free(d);
}

static int dummy_rx_fd(struct port *p, unsigned queue UNUSED)
{
	return queue_fd(&dummy_of(p)->in);
}

static int dummy_rx(struct port *p, unsigned queue UNUSED,
		    struct packet_batch *b, struct packet_pool *pool)
{
	struct dummy_port *d = dummy_of(p);
	int err = atomic_load(&d->error);
	unsigned before = b->n;
	int n;

	if (err)
		return err;
	if (port_get_state(p) != PORT_UP)
		return 0;
	n = queue_take(&d->in, b, pool, &p->rx_drops[0].pool_empty);
	for (unsigned i = before; i < b->n; i++)
		b->p[i]->in_port = p->id;
	return n;
}

static void dummy_sink(struct packet_batch *b, struct port_counters *c)
{
	for (unsigned i = 0; i < b->n; i++) {
		c->tx_packets++;
		c->tx_bytes += b->p[i]->len;
	}
	packet_batch_free(b);
}

static void dummy_tx(struct port *p, struct packet_batch *b,
		     struct port_counters *c)
{
	struct dummy_port *d = dummy_of(p);

	if (port_get_state(p) != PORT_UP || atomic_load(&d->error)) {
		c->drops[DROP_PORT_DOWN] += b->n;
		packet_batch_free(b);
	} else if (d->config.record) {
		queue_put(&d->out, b, c);
	} else {
		dummy_sink(b, c);
	}
}

#define DUMMY_OPS(l3)                                                          \
	{                                                                      \
		.type = "dummy", .layer3 = l3, .attach = dummy_attach,         \
		.detach = dummy_detach, .destroy = dummy_destroy,              \
		.rx_fd = dummy_rx_fd, .rx = dummy_rx, .tx = dummy_tx,          \
	}

static const struct port_ops dummy_ops = DUMMY_OPS(false);
static const struct port_ops dummy_l3_ops = DUMMY_OPS(true);

struct port *dummy_port_create(const char *name, const struct dummy_config *c)
{
	struct dummy_port *d = xzalloc(sizeof(*d));

	port_init(&d->port, c->layer3 ? &dummy_l3_ops : &dummy_ops, name);
	d->config = *c;
	must(!queue_open(&d->in, DUMMY_QUEUE));
	must(!queue_open(&d->out, DUMMY_QUEUE));
	return &d->port;
}

bool dummy_inject(struct port *p, const void *bytes, uint32_t len,
		  const struct packet *like)
{
	struct dummy_port *d = dummy_of(p);
	struct port_counters c = { 0 };
	struct packet_batch b = { 0 };
	/* A pool of one, only to carry the bytes into the queue's own. */
	struct packet_pool *pool = packet_pool_create(1);
	struct packet *pkt;

	must(pool && len <= PACKET_MAX_LEN);
	pkt = like ? packet_clone(like, pool) : packet_alloc(pool);
	memcpy(pkt->data, bytes, len);
	pkt->len = len;
	b.p[b.n++] = pkt;
	queue_put(&d->in, &b, &c);
	packet_pool_destroy(pool);
	return c.tx_packets;
}

unsigned dummy_sent(struct port *p)
{
	return queue_length(&dummy_of(p)->out);
}

struct packet *dummy_take(struct port *p, struct packet_pool *pool)
{
	struct packet_batch b = { .n = PACKET_BATCH_MAX - 1 };
	uint64_t pool_empty = 0;

	if (queue_take(&dummy_of(p)->out, &b, pool, &pool_empty) != 1)
		return NULL;
	return b.p[PACKET_BATCH_MAX - 1];
}

void dummy_fail(struct port *p, int error)
{
	atomic_store(&dummy_of(p)->error, error);
}
