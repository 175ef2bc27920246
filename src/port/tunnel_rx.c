/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "packet/gro.h"
#include "packet/outer.h"
#include "port/tunnel_inner.h"

#define ETHERNET_MIN 14u

/* What one recvmmsg fills. */
struct tunnel_receive {
	struct mmsghdr m[PACKET_BATCH_MAX];
	struct iovec iov[PACKET_BATCH_MAX];
	struct sockaddr_storage name[PACKET_BATCH_MAX];
	uint8_t control[PACKET_BATCH_MAX][UDP_SOCKET_CMSG_LEN]
		__attribute__((aligned(8)));
};

int tunnel_rx_init(struct tunnel_rx *r, int fd)
{
	int err;

	*r = (struct tunnel_rx){ .fd = fd };
	err = poller_init(&r->poller);
	if (err)
		return err;
	err = wake_init(&r->more);
	if (!err)
		err = poller_add(&r->poller, fd, POLLER_READ, 0);
	if (!err)
		err = poller_add(&r->poller, r->more.fd, POLLER_READ, 1);
	if (err) {
		wake_fini(&r->more);
		poller_fini(&r->poller);
	}
	return err;
}

void tunnel_rx_fini(struct tunnel_rx *r)
{
	while (r->n--)
		packet_free(r->messages[r->head++].p);
	r->n = 0;
	wake_fini(&r->more);
	poller_fini(&r->poller);
	close(r->fd);
}

/* --- reading ---------------------------------------------------------------- */
/* Buffers for `want` messages; how many there were. */
static unsigned tunnel_prepare(struct tunnel_rx *r, struct tunnel_receive *v,
			       unsigned want, struct packet_pool *pool)
{
	unsigned n;

	for (n = 0; n < want; n++) {
		struct packet *p = packet_alloc(pool);

		if (!p)
			break;
		r->messages[n].p = p;
		v->iov[n] = (struct iovec){ p->data, packet_tailroom(p) };
		v->m[n].msg_hdr = (struct msghdr){
			.msg_name = &v->name[n],
			.msg_namelen = sizeof(v->name[n]),
			.msg_iov = &v->iov[n],
			.msg_iovlen = 1,
			.msg_control = v->control[n],
			.msg_controllen = sizeof(v->control[n]),
		};
	}
	return n;
}

static bool tunnel_message_set(struct tunnel_message *m,
			       const struct mmsghdr *h)
{
	m->p->len = h->msg_len;
	m->at = 0;
	m->step = h->msg_len;
	if (h->msg_hdr.msg_flags & (MSG_TRUNC | MSG_CTRUNC) ||
	    !udp_socket_decode(&h->msg_hdr, &m->info))
		return false;
	if (m->info.segment_len && m->info.segment_len < m->step)
		m->step = m->info.segment_len;
	return true;
}

/* A frame goes unread so that the socket does not stay readable. */
static void tunnel_discard(struct tunnel_rx *r, struct port_rx_drops *drops)
{
	uint8_t scrap;

	if (recv(r->fd, &scrap, 1, MSG_DONTWAIT) >= 0)
		drops->pool_empty++;
}

/* Fills r->messages from the socket. */
static void tunnel_receive(struct tunnel_rx *r, struct packet_pool *pool,
			   struct port_rx_drops *drops)
{
	unsigned n = r->large ? TUNNEL_LARGE_MAX : PACKET_BATCH_MAX;
	struct tunnel_receive v;
	int got;

	n = tunnel_prepare(r, &v, n, pool);
	if (!n) {
		tunnel_discard(r, drops);
		return;
	}
	/* An error is one that the network sent back (U2): it is cleared by
	 * being told. */
	got = recvmmsg(r->fd, v.m, n, MSG_DONTWAIT, NULL);
	for (unsigned i = (unsigned)MAX(got, 0); i < n; i++)
		packet_free(r->messages[i].p);
	r->head = 0;
	r->large = false;
	for (int i = 0; i < got; i++) {
		struct tunnel_message m = r->messages[i];

		if (tunnel_message_set(&m, &v.m[i])) {
			r->large |= m.step < m.p->len;
			r->messages[r->n++] = m;
		} else {
			drops->malformed++;
			packet_free(m.p);
		}
	}
}

/* --- frames of a message ------------------------------------------------------ */
struct tunnel_frame {
	const uint8_t *data;
	uint32_t len, vni;
};

/* The next datagram's frame. False: the datagram is none of ours. */
static bool tunnel_next(struct tunnel_message *m, struct tunnel_frame *f)
{
	const uint8_t *at = m->p->data + m->at;
	uint32_t len = MIN(m->step, m->p->len - m->at);

	m->at += len;
	if (len < TUNNEL_HEADER + ETHERNET_MIN ||
	    !vxlan_decode(at, len, &f->vni))
		return false;
	f->data = at + TUNNEL_HEADER;
	f->len = len - TUNNEL_HEADER;
	return true;
}

static bool tunnel_message_done(const struct tunnel_message *m)
{
	return m->at >= m->p->len;
}

static void tunnel_describe(struct port *port, struct packet *p,
			    const struct tunnel_message *m, uint32_t vni)
{
	struct packet_tunnel *t = &p->tun;

	p->in_port = port->id;
	p->flags |= PACKET_TUNNEL;
	t->id = vni;
	t->src = m->info.remote;
	t->dst = m->info.local;
	t->tp_src = m->info.remote_port;
	t->tp_dst = tunnel_of(port)->config.udp_port;
	t->flags = TUNNEL_F_KEY;
	t->tos = m->info.tos;
	t->ttl = 0;
	t->options_len = 0;
}

/* A run of frames under way: the last packet of the batch may still grow. */
struct tunnel_run {
	struct gro gro;
	uint32_t vni;
	bool open;
};

static void tunnel_run_end(struct tunnel_run *run)
{
	if (run->open)
		gro_finish(&run->gro);
	run->open = false;
}

static void tunnel_run_start(struct tunnel_run *run, struct packet *p,
			     uint32_t vni)
{
	run->vni = vni;
	run->open = gro_start(&run->gro, p, false);
}

/* The frame in a packet of its own. */
static struct packet *tunnel_copy(const struct tunnel_frame *f,
				  struct packet_pool *pool)
{
	struct packet *p = packet_alloc(pool);

	if (p) {
		memcpy(p->data, f->data, f->len);
		p->len = f->len;
	}
	return p;
}

/* Where the frames of a message go. */
struct tunnel_out {
	struct port *port;
	struct packet_batch *b;
	struct packet_pool *pool;
	struct port_rx_drops *drops;
};

/* Gives the frames behind `run` as long as the batch has room. */
static void tunnel_give(struct tunnel_message *m, struct tunnel_run *run,
			const struct tunnel_out *o)
{
	struct tunnel_frame f;
	struct packet *p;

	while (!tunnel_message_done(m) && o->b->n < PACKET_BATCH_MAX) {
		if (!tunnel_next(m, &f)) {
			o->drops->malformed++;
			continue;
		}
		if (run->open && f.vni == run->vni &&
		    gro_add(&run->gro, f.data, f.len, false))
			continue;
		tunnel_run_end(run);
		p = tunnel_copy(&f, o->pool);
		if (!p) {
			o->drops->pool_empty++;
			continue;
		}
		tunnel_describe(o->port, p, m, f.vni);
		o->b->p[o->b->n++] = p;
		tunnel_run_start(run, p, f.vni);
	}
	tunnel_run_end(run);
}

/* The message's own buffer becomes its first packet, the others are appended to
 * it or copied out. The batch must have room for all. */
static void tunnel_take_over(struct tunnel_message *m,
			     const struct tunnel_out *o)
{
	struct tunnel_run run = { .open = false };
	struct packet *p = m->p, whole = *p;
	struct tunnel_frame f;

	if (!tunnel_next(m, &f)) {
		o->drops->malformed++;
		tunnel_give(m, &run, o);
		packet_free(p);
		return;
	}
	p->data = (uint8_t *)f.data;
	p->len = f.len;
	tunnel_describe(o->port, p, m, f.vni);
	o->b->p[o->b->n++] = p;
	if (m->at >= whole.len)
		return;
	tunnel_run_start(&run, p, f.vni);
	/* The rest is read where it was: behind the first. */
	m->p = &whole;
	tunnel_give(m, &run, o);
}

/* One message; false: the batch is full and some of it is left. */
static bool tunnel_message_give(struct tunnel_message *m,
				const struct tunnel_out *o)
{
	struct tunnel_run run = { .open = false };
	uint32_t left = m->p->len - m->at;

	if (!m->at && DIV_ROUND_UP(left, MAX(m->step, 1u)) <=
			      PACKET_BATCH_MAX - o->b->n) {
		tunnel_take_over(m, o);
		return true;
	}
	/* Another batch may have room for all of it. */
	if (!m->at && o->b->n)
		return false;
	tunnel_give(m, &run, o);
	if (!tunnel_message_done(m))
		return false;
	packet_free(m->p);
	return true;
}

/* --- port_ops --------------------------------------------------------------------- */
static void tunnel_more(struct tunnel_rx *r)
{
	if (r->more_set == (r->n > 0))
		return;
	r->more_set = r->n > 0;
	if (r->more_set)
		wake_signal(&r->more);
	else
		wake_clear(&r->more);
}

int tunnel_rx(struct port *p, unsigned queue, struct packet_batch *b,
	      struct packet_pool *pool)
{
	struct tunnel_rx *r = &tunnel_of(p)->rx[queue];
	struct tunnel_out o = { p, b, pool, &p->rx_drops[queue] };
	unsigned before = b->n;

	if (!r->n)
		tunnel_receive(r, pool, o.drops);
	while (r->n && b->n < PACKET_BATCH_MAX &&
	       tunnel_message_give(&r->messages[r->head], &o)) {
		r->head++;
		r->n--;
	}
	tunnel_more(r);
	return (int)(b->n - before);
}
