/* SPDX-License-Identifier: Apache-2.0 */
#include "port/devio.h"

#include <errno.h>
#include <sys/socket.h>

#include "port/frame.h"
#include "port/link.h"
#include "sys/fail.h"

/* Large frames of one batch: more would leave the CPU's cache before they are
 * sent on. */
#define DEVIO_LARGE_MAX 8u
/* Vain asking before the socket is asked what is wrong: seldom enough to cost
 * nothing, soon enough for a descriptor that polls as failed. */
#define DEVIO_EMPTY_MASK 15u

static struct devio *devio_of(struct port *p)
{
	return container_of(p, struct devio, port);
}

/* --- opening and closing -------------------------------------------------- */
int devio_find(struct devio *d, struct nl_link *out, struct err *e)
{
	struct nl *nl;
	int err = nl_open(&nl, NL_CURRENT_NS, e);

	if (err)
		return err;
	err = nl_link_find(nl, d->port.device, out, e);
	nl_close(nl);
	return err;
}

static uint32_t devio_caps(void)
{
	uint32_t caps =
		PORT_CAP_CSUM | PORT_CAP_TSO4 | PORT_CAP_TSO6 | PORT_CAP_ECN;

	if (packet_ring_takes_uso())
		caps |= PORT_CAP_USO4 | PORT_CAP_USO6;
	return caps;
}

/* On a device of our own a filter that outlives a crash is welcome: the next
 * daemon finds the device guarded. It also spares the grace period that a tcx
 * link waits for, 15 ms a port each way. */
static int devio_guard(struct devio *d, const struct devio_spec *s,
		       uint32_t ifindex, struct err *e)
{
	if (s->made && !guard_install_kind(&d->guard, GUARD_CLSACT,
					   NL_CURRENT_NS, ifindex, NULL))
		return 0;
	return guard_install(&d->guard, NL_CURRENT_NS, ifindex, e);
}

static int devio_listen(struct devio *d)
{
	return packet_ring_listen(
		&d->ring, d->port.ops->layer3 ? -1 : guard_hear_program());
}

static bool devio_holding;
static struct list devio_held = { &devio_held, &devio_held };

void devio_hold(void)
{
	devio_holding = true;
}

/* It listens first: for the time of a system call a frame may be passed on by the
 * old program and by us, which is better than by nobody. */
static void devio_take_over(struct devio *d)
{
	const struct devio_spec s = { .made = d->made };
	int err = devio_listen(d);

	if (!err)
		err = devio_guard(d, &s, d->port.ifindex, NULL);
	if (err)
		port_set_state(&d->port, PORT_DOWN);
}

void devio_release(void)
{
	while (!list_is_empty(&devio_held))
		devio_take_over(list_entry(list_pop_front(&devio_held),
					   struct devio, held));
	devio_holding = false;
}

static int devio_begin(struct devio *d, const struct nl_link *link,
		       const struct devio_spec *s, struct err *e)
{
	int err;

	d->guard = (struct guard)GUARD_INIT;
	if (devio_holding && s->made && guard_is_left(link->ifindex)) {
		list_push_back(&devio_held, &d->held);
		return 0;
	}
	err = devio_guard(d, s, link->ifindex, e);
	if (err)
		return err;
	err = devio_listen(d);
	if (!err)
		return 0;
	guard_remove(&d->guard);
	return fail_errno(e, err, "device %s cannot be heard", link->name);
}

int devio_open(struct devio *d, const struct nl_link *link,
	       const struct devio_spec *s, struct err *e)
{
	struct packet_ring_spec rs = { .ifindex = link->ifindex,
				       .promiscuous = s->promiscuous,
				       .busy = s->busy };
	int err;

	must(!d->attached);
	err = packet_ring_open(&d->ring, &rs, e);
	if (err)
		return err;
	list_init(&d->held);
	err = devio_begin(d, link, s, e);
	if (err) {
		packet_ring_close(&d->ring);
		return err;
	}
	d->attached = true;
	d->made = s->made;
	d->empty = 0;
	d->port.caps = devio_caps();
	d->port.n_queues = 1;
	d->port.hook = PORT_HOOK_INGRESS;
	port_link_set(&d->port, link);
	return 0;
}

void devio_close(struct devio *d, bool keep)
{
	if (!d->attached)
		return;
	list_del(&d->held);
	packet_ring_close(&d->ring);
	if (keep && d->made)
		guard_leave(&d->guard);
	else
		guard_remove(&d->guard);
	d->attached = false;
	d->port.hook = PORT_HOOK_NONE;
	d->port.ifindex = 0;
	port_set_state(&d->port, PORT_ABSENT);
}

bool devio_mend(struct port *p, bool told)
{
	struct devio *d = devio_of(p);

	return d->attached && guard_mend(&d->guard, told);
}

/* --- receiving ------------------------------------------------------------ */
int devio_rx_fd(struct port *p, unsigned queue UNUSED)
{
	return devio_of(p)->ring.fd;
}

/* The whole frame with its header, straight into the packet; its length. */
static int devio_read(struct devio *d, const struct packet_ring_slot *s,
		      struct packet *p)
{
	uint8_t *at = p->data - PACKET_SOCKET_HDR_LEN;

	if (s->queued)
		return packet_ring_read(&d->ring, at,
					p->cap - (uint32_t)(at - p->buf));
	if (s->wire_len > s->len)
		return -ENOBUFS;
	memcpy(at, s->header, PACKET_SOCKET_HDR_LEN + s->len);
	return (int)(PACKET_SOCKET_HDR_LEN + s->len);
}

static bool devio_take(struct devio *d, const struct packet_ring_slot *s,
		       struct packet *p)
{
	struct port_rx_drops *drops = &d->port.rx_drops[0];
	int n = devio_read(d, s, p);
	struct vnet_header h;

	if (unlikely(n < (int)PACKET_SOCKET_HDR_LEN)) {
		++*(n == -ENOBUFS ? &drops->full : &drops->malformed);
		return false;
	}
	memcpy(&h, p->data - PACKET_SOCKET_HDR_LEN, sizeof(h));
	if (unlikely(!frame_accept(&d->port, p,
				   (uint32_t)n - PACKET_SOCKET_HDR_LEN, &h))) {
		drops->malformed++;
		return false;
	}
	if (s->has_vlan)
		frame_push_vlan(p, s->tpid, s->tci);
	return true;
}

/* One slot; the frame ends in the batch or is counted. */
static void devio_rx_one(struct devio *d, const struct packet_ring_slot *s,
			 struct packet_batch *b, struct packet_pool *pool)
{
	struct port_rx_drops *drops = &d->port.rx_drops[0];
	struct packet *p = packet_alloc(pool);
	uint8_t scrap;

	if (unlikely(s->losing))
		drops->full += packet_ring_lost(&d->ring);
	if (unlikely(!p)) {
		drops->pool_empty++;
		if (s->queued)
			(void)!packet_ring_read(&d->ring, &scrap, 1);
	} else if (likely(devio_take(d, s, p))) {
		b->p[b->n++] = p;
	} else {
		packet_free(p);
	}
	packet_ring_next(&d->ring);
}

/* Nothing to receive: is it because something is wrong? */
static int devio_rx_empty(struct devio *d)
{
	int err;

	if ((d->empty++ & DEVIO_EMPTY_MASK) != DEVIO_EMPTY_MASK)
		return 0;
	err = packet_ring_error(&d->ring);
	if (err)
		port_set_state(&d->port,
			       err == -ENODEV ? PORT_ABSENT : PORT_DOWN);
	return err == -ENODEV ? err : 0;
}

int devio_rx(struct port *p, unsigned queue UNUSED, struct packet_batch *b,
	     struct packet_pool *pool)
{
	struct devio *d = devio_of(p);
	unsigned before = b->n, n_large = 0, n_seen = 0;
	struct packet_ring_slot s;

	while (b->n < PACKET_BATCH_MAX && n_seen < PACKET_BATCH_MAX &&
	       n_large < DEVIO_LARGE_MAX && packet_ring_peek(&d->ring, &s)) {
		devio_rx_one(d, &s, b, pool);
		n_large += s.queued;
		n_seen++;
	}
	if (!n_seen)
		return devio_rx_empty(d);
	d->empty = 0;
	/* What speaks is up, before netlink says so. */
	if (unlikely(port_get_state(p) == PORT_DOWN))
		port_set_state(p, PORT_UP);
	return (int)(b->n - before);
}

/* --- sending --------------------------------------------------------------- */
struct devio_send {
	struct vnet_header h[PACKET_BATCH_MAX];
	struct iovec iov[PACKET_BATCH_MAX][2];
	struct mmsghdr m[PACKET_BATCH_MAX];
};

static void devio_send_add(struct devio_send *s, unsigned i, struct packet *p)
{
	packet_offload_to_vnet(p, &s->h[i]);
	s->iov[i][0] = (struct iovec){ &s->h[i], PACKET_SOCKET_HDR_LEN };
	s->iov[i][1] = (struct iovec){ p->data, p->len };
	s->m[i].msg_hdr =
		(struct msghdr){ .msg_iov = s->iov[i], .msg_iovlen = 2 };
}

/* Sends [from, n): how many went, at least one, or -errno of the first. */
static int devio_send_some(int fd, struct devio_send *s, unsigned from,
			   unsigned n)
{
	int sent;

	if (n - from == 1)
		sent = sendmsg(fd, &s->m[from].msg_hdr, MSG_DONTWAIT) < 0 ? -1 :
									    1;
	else
		sent = sendmmsg(fd, s->m + from, n - from, MSG_DONTWAIT);
	return sent < 0 ? -errno : sent;
}

void devio_tx(struct port *p, struct packet_batch *b, struct port_counters *c)
{
	int fd = devio_of(p)->ring.fd;
	struct devio_send s;

	if (frame_tx_refuse(p, b, c))
		return;
	for (unsigned i = 0; i < b->n; i++)
		devio_send_add(&s, i, b->p[i]);
	for (unsigned done = 0; done < b->n;) {
		int sent = devio_send_some(fd, &s, done, b->n);

		if (unlikely(sent <= 0)) {
			c->drops[frame_tx_drop(-sent)]++;
			c->tx_errors++;
			done++;
			continue;
		}
		c->tx_packets += (unsigned)sent;
		for (; sent; sent--)
			c->tx_bytes += b->p[done++]->len;
	}
	packet_batch_free(b);
}
