/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <sys/socket.h>

#include "packet/checksum.h"
#include "packet/outer.h"
#include "packet/segment.h"
#include "port/frame.h"
#include "port/tunnel_inner.h"

/* Payload of one UDP datagram before the kernel cuts it: what fits IPv4. */
#define TUNNEL_SEND_MAX 65507u

union tunnel_control {
	uint8_t bytes[UDP_SOCKET_CMSG_LEN];
	struct cmsghdr align;
};

/* A message under construction: where to, and what is said beside the bytes. */
struct tunnel_send {
	struct sockaddr_storage name;
	union tunnel_control control;
};

static void tunnel_send_to(struct msghdr *m, struct tunnel_send *s,
			   const struct tunnel_port *t, const struct packet *p,
			   uint32_t segment_len)
{
	struct udp_socket_info info = {
		.remote = p->tun.dst,
		.remote_port =
			p->tun.tp_dst ? p->tun.tp_dst : t->config.udp_port,
		.local = p->tun.src,
		.tos = p->tun.tos,
		.has_tos = p->tun.tos,
		.segment_len = (uint16_t)segment_len,
	};

	m->msg_name = &s->name;
	m->msg_control = &s->control;
	udp_socket_encode(m, &info);
}

static void tunnel_count_drop(struct port_counters *c, enum drop d)
{
	c->drops[d]++;
	c->tx_errors++;
}

static void tunnel_count_sent(struct port_counters *c, const struct packet *p)
{
	c->tx_packets++;
	c->tx_bytes += p->len;
}

/* --- one frame that is cut ------------------------------------------------------ */
struct tunnel_cut {
	struct segment_plan plan;
	uint32_t header; /* in front of each payload, VXLAN's included */
	uint8_t headers[UDP_SOCKET_MAX_SEGMENTS]
		       [TUNNEL_HEADER + SEGMENT_HEADERS_MAX];
	struct iovec iov[UDP_SOCKET_MAX_SEGMENTS][2];
};

/* Segments [i, i + n) as vectors: each with its headers. */
static void tunnel_cut_fill(struct tunnel_cut *k, unsigned i, unsigned n)
{
	uint32_t vni = (uint32_t)k->plan.p->tun.id;

	for (unsigned s = 0; s < n; s++) {
		const uint8_t *payload;
		uint32_t len;

		vxlan_encode(vni, k->headers[s]);
		segment_plan_at(&k->plan, i + s, k->headers[s] + TUNNEL_HEADER,
				&payload, &len);
		k->iov[s][0] = (struct iovec){ k->headers[s], k->header };
		k->iov[s][1] = (struct iovec){ (void *)payload, len };
	}
}

/* One by one: where the kernel or the route does not cut. */
static int tunnel_cut_singly(int fd, struct msghdr *m, struct tunnel_cut *k,
			     unsigned n)
{
	for (unsigned s = 0; s < n; s++) {
		m->msg_iov = k->iov[s];
		m->msg_iovlen = 2;
		if (sendmsg(fd, m, MSG_DONTWAIT) < 0)
			return -errno;
	}
	return 0;
}

/* Segments [i, i + n) in one call. */
static int tunnel_cut_send(const struct tunnel_port *t, int fd,
			   struct tunnel_cut *k, unsigned i, unsigned n)
{
	uint32_t wire = k->header + k->plan.step;
	struct tunnel_send s;
	struct msghdr m = { .msg_iov = k->iov[0], .msg_iovlen = 2 * n };

	tunnel_cut_fill(k, i, n);
	tunnel_send_to(&m, &s, t, k->plan.p, n > 1 ? wire : 0);
	if (sendmsg(fd, &m, MSG_DONTWAIT) >= 0)
		return 0;
	if (n == 1 || (errno != EINVAL && errno != EIO))
		return -errno;
	tunnel_send_to(&m, &s, t, k->plan.p, 0);
	return tunnel_cut_singly(fd, &m, k, n);
}

static void tunnel_tx_cut(const struct tunnel_port *t, int fd,
			  const struct packet *p, struct port_counters *c)
{
	struct tunnel_cut k;
	unsigned most;

	if (!segment_plan_init(&k.plan, p)) {
		tunnel_count_drop(c, DROP_TX_ERROR);
		return;
	}
	k.header = TUNNEL_HEADER + k.plan.header_len;
	most = MIN(UDP_SOCKET_MAX_SEGMENTS,
		   TUNNEL_SEND_MAX / (k.header + k.plan.step));
	for (unsigned i = 0; i < k.plan.n; i += most) {
		unsigned n = MIN(most, k.plan.n - i);
		int err = tunnel_cut_send(t, fd, &k, i, n);

		if (err) {
			tunnel_count_drop(c, frame_tx_drop(-err));
			return;
		}
	}
	tunnel_count_sent(c, p);
}

/* --- frames as they are ----------------------------------------------------------- */
struct tunnel_whole {
	struct mmsghdr m[PACKET_BATCH_MAX];
	struct iovec iov[PACKET_BATCH_MAX][2];
	struct tunnel_send s[PACKET_BATCH_MAX];
	uint8_t header[PACKET_BATCH_MAX][TUNNEL_HEADER];
	const struct packet *p[PACKET_BATCH_MAX];
	unsigned n;
};

static void tunnel_whole_add(struct tunnel_whole *w,
			     const struct tunnel_port *t, struct packet *p)
{
	unsigned i = w->n++;

	packet_csum_finish(p);
	vxlan_encode((uint32_t)p->tun.id, w->header[i]);
	w->iov[i][0] = (struct iovec){ w->header[i], TUNNEL_HEADER };
	w->iov[i][1] = (struct iovec){ p->data, p->len };
	w->m[i].msg_hdr =
		(struct msghdr){ .msg_iov = w->iov[i], .msg_iovlen = 2 };
	tunnel_send_to(&w->m[i].msg_hdr, &w->s[i], t, p, 0);
	w->p[i] = p;
}

static void tunnel_whole_send(struct tunnel_whole *w, int fd,
			      struct port_counters *c)
{
	for (unsigned done = 0; done < w->n;) {
		int sent = sendmmsg(fd, w->m + done, w->n - done, MSG_DONTWAIT);

		if (sent <= 0) {
			tunnel_count_drop(c, frame_tx_drop(errno));
			done++;
		}
		for (; sent > 0; sent--)
			tunnel_count_sent(c, w->p[done++]);
	}
	w->n = 0;
}

/* --- a batch ------------------------------------------------------------------------ */
/* The socket a packet leaves by, as a number; the same for all of its flow. */
static unsigned tunnel_source(const struct packet *p)
{
	unsigned family = ip_addr_is_ip4(&p->tun.dst) ? TUNNEL_IP4 : TUNNEL_IP6;

	return family * TUNNEL_SOURCES +
	       (unsigned)(packet_flow_hash(p) >> 20) % TUNNEL_SOURCES;
}

static void tunnel_tx_source(const struct tunnel_port *t, unsigned source,
			     const struct packet_batch *b,
			     const uint8_t *sources, struct port_counters *c)
{
	int fd = t->tx[source / TUNNEL_SOURCES][source % TUNNEL_SOURCES];
	struct tunnel_whole w;

	w.n = 0;
	for (unsigned i = 0; i < b->n; i++) {
		if (sources[i] != source)
			continue;
		if (fd < 0) {
			tunnel_count_drop(c, DROP_PORT_DOWN);
		} else if (packet_is_gso(b->p[i])) {
			tunnel_whole_send(&w, fd, c);
			tunnel_tx_cut(t, fd, b->p[i], c);
		} else {
			tunnel_whole_add(&w, t, b->p[i]);
		}
	}
	tunnel_whole_send(&w, fd, c);
}

void tunnel_tx(struct port *p, struct packet_batch *b, struct port_counters *c)
{
	const struct tunnel_port *t = tunnel_of(p);
	uint8_t sources[PACKET_BATCH_MAX];
	uint64_t used = 0;
	unsigned n = 0;

	if (frame_tx_refuse(p, b, c))
		return;
	for (unsigned i = 0; i < b->n; i++) {
		struct packet *pkt = b->p[i];

		if (!(pkt->flags & PACKET_TUNNEL) || !pkt->tun.dst.family) {
			tunnel_count_drop(c, DROP_TX_ERROR);
			packet_free(pkt);
			continue;
		}
		sources[n] = (uint8_t)tunnel_source(pkt);
		used |= 1ull << sources[n];
		b->p[n++] = pkt;
	}
	b->n = n;
	for (; used; used &= used - 1)
		tunnel_tx_source(t, (unsigned)__builtin_ctzll(used), b, sources,
				 c);
	packet_batch_free(b);
}
