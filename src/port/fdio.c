/* SPDX-License-Identifier: Apache-2.0 */
#include "port/fdio.h"

#include <errno.h>
#include <sys/uio.h>
#include <unistd.h>

#include "port/frame.h"
#include "port/link.h"
#include "port/reaper.h"
#include "sys/fail.h"

/* Large frames of one batch, as in devio.c. */
#define FDIO_LARGE_MAX 8u
#define FDIO_LARGE 4096u
#define FDIO_HDR_MAX 24u

static struct fdio *fdio_of(struct port *p)
{
	return container_of(p, struct fdio, port);
}

/* --- opening and closing -------------------------------------------------- */
static uint32_t fdio_caps(const struct fdio *f)
{
	static const struct {
		uint32_t offload, cap;
	} map[] = {
		{ TUNTAP_CSUM, PORT_CAP_CSUM },
		{ TUNTAP_TSO4, PORT_CAP_TSO4 },
		{ TUNTAP_TSO6, PORT_CAP_TSO6 },
		{ TUNTAP_USO4, PORT_CAP_USO4 },
		{ TUNTAP_TSO_ECN, PORT_CAP_ECN },
		{ TUNTAP_USO6, PORT_CAP_USO6 },
	};
	uint32_t caps = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(map); i++)
		if (f->tt.offload & map[i].offload)
			caps |= map[i].cap;
	return caps;
}

static int fdio_bring_up(struct fdio *f, struct err *e)
{
	struct nl_link link;
	struct nl *nl;
	int err = nl_open(&nl, NL_CURRENT_NS, e);

	if (err)
		return err;
	err = nl_link_set_up(nl, f->tt.ifindex, true, e);
	if (!err)
		err = nl_link_get(nl, f->tt.ifindex, &link, e);
	nl_close(nl);
	if (!err)
		port_link_set(&f->port, &link);
	return err;
}

int fdio_open(struct fdio *f, const struct tuntap_spec *s, struct err *e)
{
	int err;

	must(!f->attached);
	reaper_settle();
	err = tuntap_open(&f->tt, s, e);
	if (err)
		return err;
	err = fdio_bring_up(f, e);
	if (err) {
		tuntap_close(&f->tt, f->tt.made);
		return err;
	}
	f->attached = true;
	f->port.caps = fdio_caps(f);
	f->port.n_queues = f->tt.n_queues;
	return 0;
}

void fdio_close(struct fdio *f, bool keep)
{
	if (!f->attached)
		return;
	tuntap_close(&f->tt, !keep);
	f->attached = false;
	f->port.ifindex = 0;
	port_set_state(&f->port, PORT_ABSENT);
}

/* --- receiving ------------------------------------------------------------ */
int fdio_rx_fd(struct port *p, unsigned queue)
{
	struct fdio *f = fdio_of(p);

	return queue < f->tt.n_queues ? f->tt.fd[queue] : -1;
}

/* Reads one frame into p. 1, 0 when it was none that can be, or -errno. */
static int fdio_rx_one(struct fdio *f, unsigned queue, struct packet *p)
{
	uint32_t hdr_len = f->tt.hdr_len;
	struct vnet_header h = { 0 };
	uint8_t *at = p->data - hdr_len;
	ssize_t n = read(f->tt.fd[queue], at, p->cap - (size_t)(at - p->buf));

	/* What the header cannot express is gone, and we are told EINVAL. */
	if (n < 0 && errno != EINVAL)
		return -errno;
	if (hdr_len && n > 0)
		memcpy(&h, at, sizeof(h));
	if (n < (ssize_t)hdr_len ||
	    !frame_accept(&f->port, p, (uint32_t)n - hdr_len, &h)) {
		f->port.rx_drops[queue].malformed++;
		return 0;
	}
	return 1;
}

/* No buffer: a frame goes so that the descriptor does not stay readable. */
static int fdio_rx_drop(struct fdio *f, unsigned queue)
{
	uint8_t scrap[FDIO_HDR_MAX + 1];

	if (read(f->tt.fd[queue], scrap, sizeof(scrap)) < 0)
		return -errno;
	f->port.rx_drops[queue].pool_empty++;
	return 0;
}

static int fdio_rx_failed(struct fdio *f, int err)
{
	switch (err) {
	case -EAGAIN:
	case -EINTR:
		return 0;
	case -EIO: /* down: it says so until it is up again */
		port_set_state(&f->port, PORT_DOWN);
		return 0;
	default: /* the device was deleted */
		port_set_state(&f->port, PORT_ABSENT);
		return -ENODEV;
	}
}

int fdio_rx(struct port *p, unsigned queue, struct packet_batch *b,
	    struct packet_pool *pool)
{
	struct fdio *f = fdio_of(p);
	unsigned before = b->n, n_large = 0, n_seen = 0;
	int err = 0;

	while (b->n < PACKET_BATCH_MAX && n_seen++ < PACKET_BATCH_MAX &&
	       n_large < FDIO_LARGE_MAX) {
		struct packet *pkt = packet_alloc(pool);

		if (!pkt) {
			err = fdio_rx_drop(f, queue);
			if (err < 0)
				break;
			continue;
		}
		err = fdio_rx_one(f, queue, pkt);
		if (err <= 0)
			packet_free(pkt);
		if (err < 0)
			break;
		if (err > 0) {
			b->p[b->n++] = pkt;
			n_large += pkt->len > FDIO_LARGE;
		}
	}
	if (err < 0 && b->n == before)
		return fdio_rx_failed(f, err);
	return (int)(b->n - before);
}

/* --- sending --------------------------------------------------------------- */
static int fdio_send(int fd, uint32_t hdr_len, const struct packet *p)
{
	uint8_t header[FDIO_HDR_MAX] = { 0 };
	struct iovec iov[2] = { { header, hdr_len }, { p->data, p->len } };
	struct vnet_header h;

	packet_offload_to_vnet(p, &h);
	memcpy(header, &h, sizeof(h));
	return writev(fd, iov, 2) < 0 ? -errno : 0;
}

void fdio_tx(struct port *p, struct packet_batch *b, struct port_counters *c)
{
	struct fdio *f = fdio_of(p);

	if (frame_tx_refuse(p, b, c))
		return;
	for (unsigned i = 0; i < b->n; i++) {
		const struct packet *pkt = b->p[i];
		/* One in-port, one queue: its frames stay in order. */
		int fd = f->tt.fd[pkt->in_port % f->tt.n_queues];
		int err = fdio_send(fd, f->tt.hdr_len, pkt);

		if (err) {
			c->drops[frame_tx_drop(-err)]++;
			c->tx_errors++;
			continue;
		}
		c->tx_packets++;
		c->tx_bytes += pkt->len;
	}
	packet_batch_free(b);
}
