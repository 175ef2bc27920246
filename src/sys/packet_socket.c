/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/packet_socket.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sys/fail.h"
#include "sys/netns.h"

static int packet_set(int fd, int option, int value)
{
	return setsockopt(fd, SOL_PACKET, option, &value, sizeof(value)) ?
		       -errno :
		       0;
}

/* Beyond the administrator's limit when we may, up to it when not. */
static void packet_set_buffer(int fd, int force, int plain, unsigned bytes)
{
	int value = (int)bytes;

	if (bytes && setsockopt(fd, SOL_SOCKET, force, &value, sizeof(value)))
		(void)!setsockopt(fd, SOL_SOCKET, plain, &value, sizeof(value));
}

static int packet_set_promiscuous(int fd, uint32_t ifindex)
{
	struct packet_mreq m = { .mr_ifindex = (int)ifindex,
				 .mr_type = PACKET_MR_PROMISC };

	return setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &m,
			  sizeof(m)) ?
		       -errno :
		       0;
}

static int packet_bind(int fd, uint32_t ifindex)
{
	struct sockaddr_ll sll = { .sll_family = AF_PACKET,
				   .sll_protocol = htons(ETH_P_ALL),
				   .sll_ifindex = (int)ifindex };
	int pending;
	socklen_t len = sizeof(pending);

	if (bind(fd, (struct sockaddr *)&sll, sizeof(sll)))
		return -errno;
	/* A device that is down leaves ENETDOWN for the first receive: not an
	 * error to us, the socket hears when it comes up. */
	(void)!getsockopt(fd, SOL_SOCKET, SO_ERROR, &pending, &len);
	return 0;
}

static int packet_setup(int fd, const struct packet_socket_spec *s)
{
	int err = packet_set(fd, PACKET_VNET_HDR, 1);

	if (!err)
		err = packet_set(fd, PACKET_AUXDATA, 1);
	if (!err)
		err = packet_set(fd, PACKET_IGNORE_OUTGOING, 1);
	if (!err && s->qdisc_bypass)
		err = packet_set(fd, PACKET_QDISC_BYPASS, 1);
	packet_set_buffer(fd, SO_RCVBUFFORCE, SO_RCVBUF,
			  s->rcvbuf ? s->rcvbuf : PACKET_SOCKET_RCVBUF);
	packet_set_buffer(fd, SO_SNDBUFFORCE, SO_SNDBUF, s->sndbuf);
	if (!err)
		err = packet_bind(fd, s->ifindex);
	if (!err && s->promiscuous)
		err = packet_set_promiscuous(fd, s->ifindex);
	return err;
}

int packet_socket_open(struct packet_socket *ps,
		       const struct packet_socket_spec *s, struct err *e)
{
	int type = SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK;
	int fd, err;

	ps->fd = -1;
	fd = netns_socket(s->netns_fd, AF_PACKET, type, 0, NULL);
	if (fd == -EPERM)
		return fail_say(e, EPERM,
				"not permitted to attach to a "
				"device: it needs CAP_NET_RAW");
	if (fd < 0)
		return fail_errno(e, fd, "cannot open a packet socket");
	err = packet_setup(fd, s);
	if (err) {
		close(fd);
		return fail_errno(e, err, "cannot attach to device %u",
				  s->ifindex);
	}
	*ps = (struct packet_socket){ fd, s->ifindex };
	return 0;
}

void packet_socket_close(struct packet_socket *ps)
{
	if (ps->fd >= 0)
		close(ps->fd);
	ps->fd = -1;
}

int packet_socket_stats(struct packet_socket *ps,
			struct packet_socket_stats *out)
{
	struct tpacket_stats st;
	socklen_t len = sizeof(st);

	if (getsockopt(ps->fd, SOL_PACKET, PACKET_STATISTICS, &st, &len))
		return -errno;
	*out = (struct packet_socket_stats){ st.tp_packets, st.tp_drops };
	return 0;
}

bool packet_socket_vlan(const struct msghdr *msg, uint16_t *tci, uint16_t *tpid)
{
	struct msghdr *m = (struct msghdr *)msg; /* CMSG_NXTHDR's signature */
	const char *end = (char *)m->msg_control + m->msg_controllen;
	struct tpacket_auxdata aux;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level != SOL_PACKET ||
		    c->cmsg_type != PACKET_AUXDATA ||
		    c->cmsg_len < CMSG_LEN(sizeof(aux)))
			continue;
		if ((char *)CMSG_DATA(c) + sizeof(aux) > end)
			return false;
		memcpy(&aux, CMSG_DATA(c), sizeof(aux));
		if (!(aux.tp_status & TP_STATUS_VLAN_VALID))
			return false;
		*tci = aux.tp_vlan_tci;
		*tpid = aux.tp_status & TP_STATUS_VLAN_TPID_VALID ?
				aux.tp_vlan_tpid :
				ETH_P_8021Q;
		return true;
	}
	return false;
}
