/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/packet_ring.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "sys/fail.h"
#include "sys/kbpf.h"
#include "sys/packet_crew.h"

#define PACKET_RING_BLOCK 65536u

/* --- making one ---------------------------------------------------------- */
static int packet_ring_set(int fd, int option, int value)
{
	return setsockopt(fd, SOL_PACKET, option, &value, sizeof(value)) ?
		       -errno :
		       0;
}

static void packet_ring_set_buffer(int fd, int force, int plain, unsigned bytes)
{
	int value = (int)bytes;

	if (setsockopt(fd, SOL_SOCKET, force, &value, sizeof(value)))
		(void)!setsockopt(fd, SOL_SOCKET, plain, &value, sizeof(value));
}

static int packet_ring_attach(int fd, bool busy)
{
	struct tpacket_req req = {
		.tp_block_size = PACKET_RING_BLOCK,
		.tp_frame_size =
			busy ? PACKET_RING_BUSY_SLOT : PACKET_RING_SMALL_SLOT,
		.tp_frame_nr =
			busy ? PACKET_RING_BUSY_SLOTS : PACKET_RING_SMALL_SLOTS,
	};

	req.tp_block_nr =
		req.tp_frame_nr / (PACKET_RING_BLOCK / req.tp_frame_size);
	return setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &req, sizeof(req)) ?
		       -errno :
		       0;
}

/* Everything but the device. The order matters: the header before the ring. */
int packet_ring_make(bool busy)
{
	int type = SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK;
	int fd = socket(AF_PACKET, type, 0);
	int err;

	if (fd < 0)
		return -errno;
	err = packet_ring_set(fd, PACKET_VNET_HDR, 1);
	if (!err)
		err = packet_ring_set(fd, PACKET_IGNORE_OUTGOING, 1);
	if (!err)
		err = packet_ring_set(fd, PACKET_VERSION, TPACKET_V2);
	if (!err)
		err = packet_ring_set(fd, PACKET_COPY_THRESH, 1);
	packet_ring_set_buffer(fd, SO_RCVBUFFORCE, SO_RCVBUF,
			       PACKET_SOCKET_RCVBUF);
	packet_ring_set_buffer(fd, SO_SNDBUFFORCE, SO_SNDBUF,
			       PACKET_RING_SNDBUF);
	if (!err)
		err = packet_ring_attach(fd, busy);
	if (!err)
		return fd;
	close(fd);
	return err;
}

/* A filter that keeps nothing. */
static int packet_ring_deafen(const struct packet_ring *r)
{
	struct sock_filter none = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog program = { 1, &none };

	return setsockopt(r->fd, SOL_SOCKET, SO_ATTACH_FILTER, &program,
			  sizeof(program));
}

int packet_ring_listen(struct packet_ring *r, int filter)
{
	return kbpf_socket_filter(r->fd, filter);
}

static int packet_ring_bind(const struct packet_ring *r, bool promiscuous)
{
	struct sockaddr_ll sll = { .sll_family = AF_PACKET,
				   .sll_protocol = htons(ETH_P_ALL),
				   .sll_ifindex = (int)r->ifindex };
	struct packet_mreq m = { .mr_ifindex = (int)r->ifindex,
				 .mr_type = PACKET_MR_PROMISC };
	int pending;
	socklen_t len = sizeof(pending);

	if (packet_ring_deafen(r) ||
	    bind(r->fd, (struct sockaddr *)&sll, sizeof(sll)))
		return -errno;
	if (promiscuous &&
	    setsockopt(r->fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &m, sizeof(m)))
		return -errno;
	/* A device that is down leaves ENETDOWN behind: no error to us, the
	 * socket hears when it comes up. */
	(void)!getsockopt(r->fd, SOL_SOCKET, SO_ERROR, &pending, &len);
	return 0;
}

static int packet_ring_map(struct packet_ring *r)
{
	size_t size = (size_t)r->slot_bytes * r->n_slots;
	void *base =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, 0);

	if (base == MAP_FAILED)
		return -errno;
	r->base = base;
	return 0;
}

int packet_ring_open(struct packet_ring *r, const struct packet_ring_spec *s,
		     struct err *e)
{
	int err;

	*r = (struct packet_ring){
		.ifindex = s->ifindex,
		.slot_bytes = s->busy ? PACKET_RING_BUSY_SLOT :
					PACKET_RING_SMALL_SLOT,
		.n_slots = s->busy ? PACKET_RING_BUSY_SLOTS :
				     PACKET_RING_SMALL_SLOTS,
	};
	r->fd = s->busy ? packet_ring_make(true) : packet_crew_take();
	if (r->fd == -EPERM)
		return fail_say(e, EPERM,
				"not permitted to attach to a device: it "
				"needs CAP_NET_RAW");
	if (r->fd < 0)
		return fail_errno(e, r->fd, "cannot open a packet socket");
	err = packet_ring_map(r);
	if (!err)
		err = packet_ring_bind(r, s->promiscuous);
	if (!err)
		return 0;
	packet_ring_close(r);
	return fail_errno(e, err, "cannot attach to device %u", s->ifindex);
}

void packet_ring_close(struct packet_ring *r)
{
	if (r->base)
		munmap(r->base, (size_t)r->slot_bytes * r->n_slots);
	if (r->fd >= 0)
		packet_crew_close(r->fd);
	*r = (struct packet_ring)PACKET_RING_INIT;
}

/* --- using it ------------------------------------------------------------ */
static struct tpacket2_hdr *packet_ring_head(struct packet_ring *r)
{
	return (void *)(r->base + (size_t)r->head * r->slot_bytes);
}

bool packet_ring_peek(struct packet_ring *r, struct packet_ring_slot *s)
{
	struct tpacket2_hdr *h = packet_ring_head(r);
	uint32_t status = __atomic_load_n(&h->tp_status, __ATOMIC_ACQUIRE);

	if (!(status & TP_STATUS_USER))
		return false;
	s->header = (const uint8_t *)h + h->tp_mac - PACKET_SOCKET_HDR_LEN;
	s->len = h->tp_snaplen;
	s->wire_len = h->tp_len;
	s->queued = status & TP_STATUS_COPY;
	s->losing = status & TP_STATUS_LOSING;
	s->has_vlan = status & TP_STATUS_VLAN_VALID;
	s->tci = h->tp_vlan_tci;
	s->tpid = status & TP_STATUS_VLAN_TPID_VALID ? h->tp_vlan_tpid :
						       ETH_P_8021Q;
	return true;
}

void packet_ring_next(struct packet_ring *r)
{
	__atomic_store_n(&packet_ring_head(r)->tp_status, TP_STATUS_KERNEL,
			 __ATOMIC_RELEASE);
	r->head = r->head + 1 == r->n_slots ? 0 : r->head + 1;
}

int packet_ring_read(struct packet_ring *r, void *buf, uint32_t cap)
{
	struct iovec iov = { buf, cap };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n = recvmsg(r->fd, &m, MSG_DONTWAIT);

	if (n < 0)
		return -errno;
	return m.msg_flags & MSG_TRUNC ? -EMSGSIZE : (int)n;
}

uint32_t packet_ring_lost(struct packet_ring *r)
{
	struct tpacket_stats st = { 0 };
	socklen_t len = sizeof(st);

	if (getsockopt(r->fd, SOL_PACKET, PACKET_STATISTICS, &st, &len))
		return 0;
	return st.tp_drops;
}

/* A device that goes is first down, then gone; only the first is told as an
 * error, so the second is asked for each time. */
int packet_ring_error(struct packet_ring *r)
{
	struct sockaddr_ll sll = { 0 };
	int pending = 0;
	socklen_t len = sizeof(sll);

	if (getsockname(r->fd, (struct sockaddr *)&sll, &len) ||
	    sll.sll_ifindex != (int)r->ifindex)
		return -ENODEV;
	len = sizeof(pending);
	if (getsockopt(r->fd, SOL_SOCKET, SO_ERROR, &pending, &len))
		return -errno;
	return pending ? -ENETDOWN : 0;
}

/* There is nothing to ask: the header is only looked at when a frame is sent. */
bool packet_ring_takes_uso(void)
{
	struct utsname u;
	unsigned major, minor;

	if (uname(&u) || sscanf(u.release, "%u.%u", &major, &minor) != 2)
		return false;
	return major > 6 || (major == 6 && minor >= 2);
}
