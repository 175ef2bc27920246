/* SPDX-License-Identifier: Apache-2.0 */
#include "port/patch.h"

#include <pthread.h>

#include "port/queue.h"
#include "sys/fail.h"

/* One direction: what is sent to the port on one side and received on the
 * other. */
struct patch_way {
	struct queue q;
	bool open; /* its receiver is attached */
};

/* Shared by both ports, gone with the second. */
struct patch_pair {
	struct patch_way way[2]; /* by receiver */
	bool there[2];
};

struct patch_port {
	struct port port;
	struct patch_pair *pair;
	unsigned side;
};

static struct patch_port *patch_of(struct port *p)
{
	return container_of(p, struct patch_port, port);
}

/* Both ends are up or neither is; the other's state is its own to say, so each
 * asks when it matters. */
static bool patch_is_up(const struct patch_port *pp)
{
	return pp->pair->way[0].open && pp->pair->way[1].open;
}

static int patch_attach(struct port *p, struct err *e)
{
	struct patch_port *pp = patch_of(p);
	struct patch_way *w = &pp->pair->way[pp->side];
	int err = queue_open(&w->q, PATCH_QUEUE);

	if (err)
		return fail_errno(e, err, "cannot make patch port %s", p->name);
	w->open = true;
	p->caps = PORT_CAP_CSUM | PORT_CAP_TSO4 | PORT_CAP_TSO6 |
		  PORT_CAP_USO4 | PORT_CAP_USO6 | PORT_CAP_ECN;
	p->mtu = 65535;
	port_set_state(p, PORT_UP);
	return 0;
}

static void patch_detach(struct port *p, bool keep UNUSED)
{
	struct patch_port *pp = patch_of(p);
	struct patch_way *w = &pp->pair->way[pp->side];

	if (!w->open)
		return;
	w->open = false;
	queue_close(&w->q);
	port_set_state(p, PORT_ABSENT);
}

static void patch_destroy(struct port *p)
{
	struct patch_port *pp = patch_of(p);

	patch_detach(p, false);
	pp->pair->there[pp->side] = false;
	if (!pp->pair->there[!pp->side])
		free(pp->pair);
	free(pp);
}

static int patch_rx_fd(struct port *p, unsigned queue UNUSED)
{
	struct patch_port *pp = patch_of(p);

	return queue_fd(&pp->pair->way[pp->side].q);
}

static int patch_rx(struct port *p, unsigned queue UNUSED,
		    struct packet_batch *b, struct packet_pool *pool)
{
	struct patch_port *pp = patch_of(p);
	struct packet_batch got = { .n = b->n };
	int n = queue_take(&pp->pair->way[pp->side].q, b, pool,
			   &p->rx_drops[0].pool_empty);

	for (unsigned i = got.n; i < b->n; i++)
		b->p[i]->in_port = p->id;
	return n;
}

static void patch_tx(struct port *p, struct packet_batch *b,
		     struct port_counters *c)
{
	struct patch_port *pp = patch_of(p);

	if (patch_is_up(pp)) {
		queue_put(&pp->pair->way[!pp->side].q, b, c);
	} else {
		c->drops[DROP_PORT_DOWN] += b->n;
		packet_batch_free(b);
	}
}

static const struct port_ops patch_ops = {
	.type = "patch",
	.attach = patch_attach,
	.detach = patch_detach,
	.destroy = patch_destroy,
	.rx_fd = patch_rx_fd,
	.rx = patch_rx,
	.tx = patch_tx,
};

struct port *patch_port_create(const char *name, const struct patch_config *c)
{
	struct patch_port *pp = xzalloc(sizeof(*pp));

	port_init(&pp->port, &patch_ops, name);
	if (c->peer) {
		must(c->peer->ops == &patch_ops);
		pp->pair = patch_of(c->peer)->pair;
		pp->side = !patch_of(c->peer)->side;
		must(!pp->pair->there[pp->side]);
	} else {
		pp->pair = xzalloc(sizeof(*pp->pair));
	}
	pp->pair->there[pp->side] = true;
	return &pp->port;
}
