/* SPDX-License-Identifier: Apache-2.0 */
#include "port/tunnel.h"

#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "port/tunnel_inner.h"
#include "sys/fail.h"

/* Nobody reads what comes to the ports we send from: the kernel throws it away
 * at once. */
static int tunnel_deafen(int fd)
{
	struct sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog prog = { .len = 1, .filter = &nothing };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog,
			  sizeof(prog)) ?
		       -errno :
		       0;
}

static struct udp_socket_spec tunnel_spec(const struct tunnel_port *t,
					  enum tunnel_family family)
{
	struct udp_socket_spec s = {
		.netns_fd = NL_CURRENT_NS,
		.local = t->config.local,
		.df = t->config.fragment ? UDP_SOCKET_DF_CLEAR :
					   UDP_SOCKET_DF_SET,
		.sndbuf = TUNNEL_SNDBUF,
	};

	if (!s.local.family)
		s.local = family == TUNNEL_IP4 ?
				  ip_addr_from_ip4(INADDR_ANY) :
				  ip_addr_from_ip6((struct ip6_addr){ 0 });
	return s;
}

static int tunnel_open_rx(struct tunnel_port *t, enum tunnel_family family,
			  struct err *e)
{
	struct udp_socket_spec s = tunnel_spec(t, family);
	struct tunnel_rx *r = &t->rx[t->port.n_queues];
	int fd, err;

	s.port = t->config.udp_port;
	s.gro = true;
	s.rcvbuf = TUNNEL_RCVBUF;
	fd = udp_socket_open(&s, e);
	if (fd < 0)
		return fd;
	err = tunnel_rx_init(r, fd);
	if (err) {
		close(fd);
		return fail_errno(e, err, "cannot open tunnel %s",
				  t->port.name);
	}
	t->port.n_queues++;
	return 0;
}

static int tunnel_open_tx(struct tunnel_port *t, enum tunnel_family family,
			  struct err *e)
{
	struct udp_socket_spec s = tunnel_spec(t, family);

	for (unsigned i = 0; i < TUNNEL_SOURCES; i++) {
		int fd = udp_socket_open(&s, e), err;

		if (fd < 0)
			return fd;
		t->tx[family][i] = fd;
		err = tunnel_deafen(fd);
		if (err)
			return fail_errno(e, err, "cannot open tunnel %s",
					  t->port.name);
	}
	return 0;
}

static void tunnel_close(struct tunnel_port *t)
{
	while (t->port.n_queues)
		tunnel_rx_fini(&t->rx[--t->port.n_queues]);
	for (unsigned f = 0; f < N_TUNNEL_FAMILIES; f++)
		for (unsigned i = 0; i < TUNNEL_SOURCES; i++) {
			if (t->tx[f][i] >= 0)
				close(t->tx[f][i]);
			t->tx[f][i] = -1;
		}
}

static bool tunnel_wants(const struct tunnel_port *t, enum tunnel_family f)
{
	const struct ip_addr *local = &t->config.local;

	return !local->family || ip_addr_is_ip4(local) == (f == TUNNEL_IP4);
}

static int tunnel_open(struct tunnel_port *t, struct err *e)
{
	int err = 0;

	for (unsigned f = 0; f < N_TUNNEL_FAMILIES && !err; f++) {
		if (!tunnel_wants(t, f))
			continue;
		err = tunnel_open_rx(t, f, e);
		/* A host without IPv6 has the other. */
		if (err == -EAFNOSUPPORT && !t->config.local.family &&
		    f == TUNNEL_IP6) {
			if (e)
				err_fini(e);
			return 0;
		}
		if (!err)
			err = tunnel_open_tx(t, f, e);
	}
	return err;
}

static int tunnel_attach(struct port *p, struct err *e)
{
	struct tunnel_port *t = tunnel_of(p);
	int err;

	must(!t->attached);
	p->n_queues = 0;
	err = tunnel_open(t, e);
	if (err) {
		tunnel_close(t);
		/* An address that will come: like a device that will. */
		return err == -EADDRNOTAVAIL ? -ENODEV : err;
	}
	t->attached = true;
	p->mtu = t->config.mtu;
	p->caps = PORT_CAP_CSUM | PORT_CAP_TSO4 | PORT_CAP_TSO6 |
		  PORT_CAP_USO4 | PORT_CAP_USO6 | PORT_CAP_ECN |
		  PORT_CAP_TUNNEL;
	port_set_state(p, PORT_UP);
	return 0;
}

static void tunnel_detach(struct port *p, bool keep UNUSED)
{
	struct tunnel_port *t = tunnel_of(p);

	if (!t->attached)
		return;
	tunnel_close(t);
	t->attached = false;
	port_set_state(p, PORT_ABSENT);
}

static void tunnel_destroy(struct port *p)
{
	tunnel_detach(p, true);
	free(tunnel_of(p));
}

static int tunnel_rx_fd(struct port *p, unsigned queue)
{
	struct tunnel_port *t = tunnel_of(p);

	return queue < p->n_queues ? t->rx[queue].poller.fd : -1;
}

static const struct port_ops tunnel_ops = {
	.type = "tunnel",
	.attach = tunnel_attach,
	.detach = tunnel_detach,
	.destroy = tunnel_destroy,
	.rx_fd = tunnel_rx_fd,
	.rx = tunnel_rx,
	.tx = tunnel_tx,
};

struct port *tunnel_port_create(const char *name, const struct tunnel_config *c)
{
	struct tunnel_port *t = xzalloc(sizeof(*t));

	port_init(&t->port, &tunnel_ops, name);
	t->config = *c;
	if (!c->udp_port)
		t->config.udp_port = TUNNEL_UDP_PORT;
	if (!c->mtu)
		t->config.mtu = 1500;
	memset(t->tx, 0xff, sizeof(t->tx));
	return &t->port;
}
