/* SPDX-License-Identifier: Apache-2.0 */
#include "dp/contract_wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <sched.h>
#include <setjmp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/list.h"
#include "packet/headers.h"
#include "packet/offload.h"
#include "port/test_net.h"
#include "port/veth.h"

#define WIRE_MTU 1500u
#define WIRE_PATIENCE_MS 5000
#define MARK_LEN 60u
#define MARK_TYPE 0x88b5u /* IEEE 802: for local experiments */
#define TAG_AT 12u
#define TAG_LEN 4u

struct wire {
	struct port *port;
	int near, far; /* sockets at both ends */
	uint32_t marks;
	struct list frames;
};

struct wire_frame {
	struct list node;
	struct vnet_header h;
	uint32_t len;
	uint8_t bytes[];
};

bool wire_enter(void)
{
	if (unshare(CLONE_NEWNET))
		return false;
	test_run("ip link set lo up");
	test_run("echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6");
	return true;
}

void wire_one_cpu(bool on)
{
	static cpu_set_t all;
	cpu_set_t one;

	if (!CPU_COUNT(&all))
		must(!sched_getaffinity(0, sizeof(all), &all));
	CPU_ZERO(&one);
	for (int i = 0; i < CPU_SETSIZE && !CPU_COUNT(&one); i++)
		if (CPU_ISSET(i, &all))
			CPU_SET(i, &one);
	must(!sched_setaffinity(0, sizeof(one), on ? &one : &all));
}

/* --- life --- */

static void want_tags(int fd)
{
	int one = 1;

	assert_int_equal(
		setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &one, sizeof(one)),
		0);
}

struct wire *wire_create(uint32_t id)
{
	struct wire *w = xzalloc(sizeof(*w));
	struct err e = ERR_INIT;
	char near[16], far[16];
	struct veth_config c = {
		.device = near, .make = true, .mtu = WIRE_MTU, .peer = far
	};

	snprintf(near, sizeof(near), "near%u", id);
	snprintf(far, sizeof(far), "far%u", id);
	list_init(&w->frames);
	w->port = veth_port_create(near, &c);
	w->port->id = id;
	if (w->port->ops->attach(w->port, &e))
		fail_msg("%s", e.text);
	w->near = test_raw_open(NULL, near);
	w->far = test_raw_open(NULL, far);
	want_tags(w->far);
	return w;
}

void wire_destroy(struct wire *w)
{
	struct wire_frame *f, *next;

	list_for_each_safe(f, next, &w->frames, node)
		free(f);
	close(w->near);
	close(w->far);
	w->port->ops->detach(w->port, false);
	w->port->ops->destroy(w->port);
	free(w);
}

struct port *wire_port(struct wire *w)
{
	return w->port;
}

/* --- frames --- */

bool wire_give(struct wire *w, const void *bytes, uint32_t len,
	       const struct packet *like)
{
	struct vnet_header h = { 0 };

	if (like)
		packet_offload_to_vnet(like, &h);
	return !test_raw_send(w->far, bytes, len, &h);
}

/* The tag that the kernel took off goes back to its place. */
static uint32_t put_tag(const struct tpacket_auxdata *aux, struct wire_frame *f)
{
	uint8_t *at = f->bytes + TAG_AT;

	memmove(at + TAG_LEN, at, f->len - TAG_AT);
	put_be16(at, aux->tp_status & TP_STATUS_VLAN_TPID_VALID ?
			     aux->tp_vlan_tpid :
			     ETH_TYPE_VLAN);
	put_be16(at + 2, aux->tp_vlan_tci);
	if (f->h.flags & VNET_F_NEEDS_CSUM)
		f->h.csum_start = (uint16_t)(f->h.csum_start + TAG_LEN);
	return f->len + TAG_LEN;
}

static void note_tag(struct msghdr *m, struct wire_frame *f)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(m);
	struct tpacket_auxdata aux;

	if (!c || c->cmsg_level != SOL_PACKET || c->cmsg_type != PACKET_AUXDATA)
		return;
	memcpy(&aux, CMSG_DATA(c), sizeof(aux));
	if (aux.tp_status & TP_STATUS_VLAN_VALID)
		f->len = put_tag(&aux, f);
}

/* The next frame at the far end, to free(); NULL when there is none yet. */
static struct wire_frame *read_frame(struct wire *w)
{
	struct wire_frame *f = xmalloc(sizeof(*f) + TEST_FRAME_MAX);
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
	} control;
	struct iovec iov[2] = { { &f->h, sizeof(f->h) },
				{ f->bytes, TEST_FRAME_MAX - TAG_LEN } };
	struct msghdr m = { .msg_iov = iov,
			    .msg_iovlen = 2,
			    .msg_control = &control,
			    .msg_controllen = sizeof(control) };
	ssize_t n = recvmsg(w->far, &m, MSG_DONTWAIT);

	if (n < (ssize_t)(sizeof(f->h) + ETH_HEADER_LEN)) {
		free(f);
		return NULL;
	}
	f->len = (uint32_t)n - (uint32_t)sizeof(f->h);
	note_tag(&m, f);
	return xrealloc(f, sizeof(*f) + f->len);
}

static bool is_mark(const struct wire_frame *f, uint32_t number)
{
	return f->len == MARK_LEN && get_be16(f->bytes + TAG_AT) == MARK_TYPE &&
	       get_be32(f->bytes + ETH_HEADER_LEN) == number;
}

static void send_mark(struct wire *w)
{
	uint8_t mark[MARK_LEN] = { 2, 0xee, 0, 0, 0, 1, 2, 0xee, 0, 0, 0, 2 };

	put_be16(mark + TAG_AT, MARK_TYPE);
	put_be32(mark + ETH_HEADER_LEN, ++w->marks);
	assert_int_equal(test_raw_send(w->near, mark, sizeof(mark), NULL), 0);
}

static void wire_settle(struct wire *w)
{
	send_mark(w);
	for (unsigned left = WIRE_PATIENCE_MS * 10; left; left--) {
		struct wire_frame *f = read_frame(w);

		if (!f) {
			usleep(100);
			continue;
		}
		if (is_mark(f, w->marks)) {
			free(f);
			return;
		}
		list_push_back(&w->frames, &f->node);
	}
	fail_msg("the far end of %s hears nothing", w->port->name);
}

struct packet *wire_take(struct wire *w, struct packet_pool *pool)
{
	struct wire_frame *f;
	struct packet *p;

	if (list_is_empty(&w->frames))
		wire_settle(w);
	if (list_is_empty(&w->frames))
		return NULL;
	f = list_entry(list_pop_front(&w->frames), struct wire_frame, node);
	p = packet_alloc(pool);
	assert_non_null(p);
	packet_fill(p, f->bytes, f->len);
	assert_int_equal(packet_offload_from_vnet(p, &f->h), DROP_NONE);
	free(f);
	return p;
}
