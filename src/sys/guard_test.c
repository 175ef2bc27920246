/* SPDX-License-Identifier: Apache-2.0 */
/* The device under test, with the host's own stack on it:
 *
 *   far (packet socket speaks) -------- near 192.0.2.1, fe80::/64, forwarding
 *                                        packet socket listens, guard drops
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/bpf.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "sys/guard.h"
#include "sys/netns.h"
#include "sys/packet_socket.h"
#include "sys/sandbox_test.h"

#define FRAME_LEN 60u

static struct nl *nl;
static struct nl_link near, far;
static struct packet_socket near_ps, far_ps;

static struct packet_socket open_socket(uint32_t ifindex)
{
	struct packet_socket_spec s = { .ifindex = ifindex,
					.netns_fd = NL_CURRENT_NS,
					.promiscuous = true };
	struct err e = ERR_INIT;
	struct packet_socket ps;

	if (packet_socket_open(&ps, &s, &e))
		fail_msg("%s", e.text);
	return ps;
}

static int enter(void **state UNUSED)
{
	struct nl_link_change a = { .name = "near" }, b = { .name = "far" };
	struct ip_prefix p;
	struct nl_addr ip;

	a.set = b.set = NL_LINK_NAME | NL_LINK_UP;
	b.set |= NL_LINK_ADDRGEN_NONE;
	a.up = b.up = true;
	must(!nl_open(&nl, NL_CURRENT_NS, NULL));
	must(!nl_link_add_veth(nl, &a, &b, NULL));
	must(!nl_link_find(nl, "near", &near, NULL));
	must(!nl_link_find(nl, "far", &far, NULL));
	must(!ip_prefix_parse("192.0.2.1/24", &p));
	ip = nl_addr_plain(near.ifindex, &p, false);
	must(!nl_addr_add(nl, &ip, NULL));
	near_ps = open_socket(near.ifindex);
	far_ps = open_socket(far.ifindex);
	return 0;
}

static int leave(void **state UNUSED)
{
	packet_socket_close(&near_ps);
	packet_socket_close(&far_ps);
	packet_socket_close(&far_ps);
	must(!nl_link_del(nl, near.ifindex, NULL));
	nl_close(nl);
	return 0;
}

/* "Who has 192.0.2.1? Tell 192.0.2.9", with the virtio-net header before. */
static void send_arp_request(void)
{
	uint8_t f[PACKET_SOCKET_HDR_LEN + FRAME_LEN] = { 0 };
	uint8_t *p = f + PACKET_SOCKET_HDR_LEN;
	static const uint8_t arp[] = {
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff,               /* to all */
		0x02, 0,    0,    0,    0,    9,                  /* from */
		0x08, 0x06, 0,    1,    8,    0,    6,   4, 0, 1, /* request */
		0x02, 0,    0,    0,    0,    9,    192, 0, 2, 9,
		0,    0,    0,    0,    0,    0,    192, 0, 2, 1,
	};

	memcpy(p, arp, sizeof(arp));
	assert_int_equal(send(far_ps.fd, f, sizeof(f), 0), sizeof(f));
}

/* Does a frame with this opcode arrive within the time? Others are passed. */
static bool hears_arp(const struct packet_socket *ps, uint8_t op, int ms)
{
	struct pollfd pfd = { ps->fd, POLLIN, 0 };
	uint8_t f[2048];

	while (poll(&pfd, 1, ms) == 1) {
		const uint8_t *p = f + PACKET_SOCKET_HDR_LEN;
		ssize_t n = recv(ps->fd, f, sizeof(f), 0);

		if (n >= 52 && p[12] == 8 && p[13] == 6 && p[21] == op)
			return true;
	}
	return false;
}

static void flush(const struct packet_socket *ps)
{
	uint8_t f[2048];

	while (recv(ps->fd, f, sizeof(f), 0) > 0)
		;
}

static void check_unguarded(void)
{
	flush(&near_ps);
	flush(&far_ps);
	send_arp_request();
	assert_true(hears_arp(&near_ps, 1, 1000));
	assert_true(hears_arp(&far_ps, 2, 1000)); /* the host answers */
}

static void check_guarded(void)
{
	flush(&near_ps);
	flush(&far_ps);
	send_arp_request();
	assert_true(hears_arp(&near_ps, 1, 1000)); /* we still hear it */
	assert_false(hears_arp(&far_ps, 2, 100));  /* the host is silent */
}

static void guard_works(enum guard_kind kind)
{
	struct guard g = GUARD_INIT;
	struct err e = ERR_INIT;
	int err;

	check_unguarded();
	err = guard_install_kind(&g, kind, NL_CURRENT_NS, near.ifindex, &e);
	if (err) {
		print_message("no %s here: %s\n", guard_kind_name(kind),
			      e.text);
		err_fini(&e);
		skip();
	}
	assert_int_equal(g.kind, kind);
	check_guarded();
	guard_remove(&g);
	guard_remove(&g);
	assert_int_equal(g.kind, GUARD_NONE);
	check_unguarded();
}

static void tcx_keeps_the_host_out(void **state UNUSED)
{
	guard_works(GUARD_TCX);
}

static void clsact_keeps_the_host_out(void **state UNUSED)
{
	guard_works(GUARD_CLSACT);
}

static void nftables_keeps_the_host_out(void **state UNUSED)
{
	guard_works(GUARD_NFT);
}

static void the_best_kind_is_taken(void **state UNUSED)
{
	struct guard g = GUARD_INIT;

	assert_int_equal(guard_install(&g, NL_CURRENT_NS, near.ifindex, NULL),
			 0);
	assert_true(g.kind != GUARD_NONE);
	print_message("guarded by %s\n", guard_kind_name(g.kind));
	check_guarded();
	guard_remove(&g);
	assert_int_equal(guard_install(&g, NL_CURRENT_NS, 9999, NULL), -ENODEV);
}

static void the_device_may_go_before_its_guard(void **state UNUSED)
{
	for (enum guard_kind k = GUARD_TCX; k <= GUARD_NFT; k++) {
		struct nl_link_change a = { .name = "a" }, b = { .name = "b" };
		struct guard g = GUARD_INIT;
		struct nl_link l;

		a.set = b.set = NL_LINK_NAME;
		must(!nl_link_add_veth(nl, &a, &b, NULL));
		must(!nl_link_find(nl, "a", &l, NULL));
		assert_int_equal(guard_install_kind(&g, k, NL_CURRENT_NS,
						    l.ifindex, NULL),
				 0);
		must(!nl_link_del(nl, l.ifindex, NULL));
		guard_remove(&g);
	}
}

static void a_guard_works_in_another_namespace(void **state UNUSED)
{
	for (enum guard_kind k = GUARD_TCX; k <= GUARD_NFT; k++) {
		struct guard g = GUARD_INIT;
		int ns;

		must(!netns_create("box", NULL));
		ns = netns_open("box", NULL);
		assert_int_equal(guard_install_kind(&g, k, ns, 1, NULL), 0);
		netns_close(ns);
		guard_remove(&g);
		must(!netns_delete("box", NULL));
	}
}

static void in_child(enum guard_kind kind)
{
	struct guard g = GUARD_INIT;
	pid_t pid = fork();

	if (!pid) {
		if (guard_install_kind(&g, kind, NL_CURRENT_NS, near.ifindex,
				       NULL))
			_exit(1);
		raise(SIGKILL);
	}
	waitpid(pid, NULL, 0);
}

static void a_killed_process_leaves_no_guard(void **state UNUSED)
{
	in_child(GUARD_TCX);
	in_child(GUARD_NFT);
	usleep(50 * 1000); /* descriptors are closed a moment later */
	check_unguarded();
	assert_false(guard_is_left(near.ifindex));
	in_child(GUARD_CLSACT);
	check_guarded(); /* this kind stays... */
	assert_true(guard_is_left(near.ifindex));
	guard_sweep(NL_CURRENT_NS, near.ifindex);
	assert_false(guard_is_left(near.ifindex));
	check_unguarded(); /* ...until it is swept */
}

/* Detached by force, as an administrator's tool does it. */
static void link_detach(int fd)
{
	union bpf_attr attr = { .link_detach = { .link_fd = (uint32_t)fd } };

	assert_int_equal(
		syscall(__NR_bpf, BPF_LINK_DETACH, &attr, sizeof(attr)), 0);
}

static void what_others_take_off_is_put_back(void **state UNUSED)
{
	struct guard g = GUARD_INIT;

	assert_false(guard_mend(&g, true));
	assert_int_equal(guard_install_kind(&g, GUARD_CLSACT, NL_CURRENT_NS,
					    near.ifindex, NULL),
			 0);
	assert_false(guard_mend(&g, true));
	assert_int_equal(system("tc filter del dev near ingress"), 0);
	check_unguarded();
	assert_false(guard_mend(&g, false));
	assert_true(guard_mend(&g, true));
	check_guarded();
	assert_int_equal(system("tc qdisc del dev near clsact"), 0);
	assert_true(guard_mend(&g, true));
	check_guarded();
	guard_remove(&g);
	check_unguarded();

	if (guard_install_kind(&g, GUARD_TCX, NL_CURRENT_NS, near.ifindex,
			       NULL))
		return; /* before 6.6 */
	assert_false(guard_mend(&g, false));
	link_detach(g.fd);
	check_unguarded();
	assert_true(guard_mend(&g, false));
	check_guarded();
	guard_remove(&g);
	check_unguarded();
}

#define TC_FILTER                                                              \
	"tc filter add dev near ingress prio 7 protocol all bpf "              \
	"bytecode '1,6 0 0 0'"
#define TC_SHOW "tc filter show dev near ingress | grep -q 'pref 7'"

static void what_others_have_on_the_hook_stays(void **state UNUSED)
{
	struct guard g = GUARD_INIT;

	if (system("tc qdisc add dev near clsact && " TC_FILTER))
		skip();
	assert_int_equal(guard_install_kind(&g, GUARD_CLSACT, NL_CURRENT_NS,
					    near.ifindex, NULL),
			 0);
	check_guarded();
	guard_remove(&g);
	guard_sweep(NL_CURRENT_NS, near.ifindex);
	assert_int_equal(system(TC_SHOW), 0);
	assert_int_equal(system("tc qdisc del dev near clsact"), 0);

	/* The hook is ours, and another moves in. */
	assert_int_equal(guard_install_kind(&g, GUARD_CLSACT, NL_CURRENT_NS,
					    near.ifindex, NULL),
			 0);
	assert_int_equal(system(TC_FILTER), 0);
	guard_remove(&g);
	assert_int_equal(system(TC_SHOW), 0);
	check_unguarded();
	assert_int_equal(system("tc qdisc del dev near clsact"), 0);
}

/* --- the packet socket itself --------------------------------------------- */
static void our_own_frames_are_not_heard(void **state UNUSED)
{
	struct guard g = GUARD_INIT;

	assert_int_equal(guard_install(&g, NL_CURRENT_NS, near.ifindex, NULL),
			 0);
	flush(&far_ps);
	send_arp_request();
	assert_false(hears_arp(&far_ps, 1, 50));
	guard_remove(&g);
}

static void a_full_buffer_counts_its_drops(void **state UNUSED)
{
	struct packet_socket_spec s = { .ifindex = near.ifindex,
					.netns_fd = NL_CURRENT_NS,
					.rcvbuf = 4096 };
	struct packet_socket_stats st;
	struct packet_socket ps;

	assert_int_equal(packet_socket_open(&ps, &s, NULL), 0);
	for (unsigned i = 0; i < 100; i++)
		send_arp_request();
	assert_int_equal(packet_socket_stats(&ps, &st), 0);
	assert_true(st.received >= 100);
	assert_in_range(st.dropped, 1, 100);
	assert_int_equal(packet_socket_stats(&ps, &st), 0);
	assert_int_equal(st.dropped, 0); /* counted once */
	packet_socket_close(&ps);
}

static void nothing_is_heard_of_other_devices(void **state UNUSED)
{
	struct packet_socket lo = open_socket(1);

	send_arp_request();
	assert_false(hears_arp(&lo, 1, 50));
	packet_socket_close(&lo);
}

static void a_device_that_is_not_there_is_an_error(void **state UNUSED)
{
	struct packet_socket_spec s = { .ifindex = 9999,
					.netns_fd = NL_CURRENT_NS };
	struct err e = ERR_INIT;
	struct packet_socket ps;

	assert_int_equal(packet_socket_open(&ps, &s, &e), -ENODEV);
	assert_non_null(strstr(e.text, "9999"));
	assert_int_equal(ps.fd, -1);
	err_fini(&e);
}

static void a_device_that_is_down_is_heard_once_it_is_up(void **s UNUSED)
{
	struct packet_socket ps;
	bool heard = false;

	assert_int_equal(nl_link_set_up(nl, near.ifindex, false, NULL), 0);
	ps = open_socket(near.ifindex);
	assert_int_equal(nl_link_set_up(nl, near.ifindex, true, NULL), 0);
	/* The far end's carrier comes back a moment later. */
	for (unsigned i = 0; i < 100 && !heard; i++) {
		send_arp_request();
		heard = hears_arp(&ps, 1, 20);
	}
	assert_true(heard);
	packet_socket_close(&ps);
}

/* Receives until a frame of this type (after the tag) comes; its length. */
static ssize_t receive_type(struct msghdr *m, uint16_t type)
{
	struct pollfd pfd = { near_ps.fd, POLLIN, 0 };
	const uint8_t *f = m->msg_iov->iov_base;
	size_t room = m->msg_controllen;

	while (poll(&pfd, 1, 1000) == 1) {
		ssize_t n;

		m->msg_controllen = room;
		n = recvmsg(near_ps.fd, m, 0);
		if (n > 24 && f[PACKET_SOCKET_HDR_LEN + 12] == type >> 8 &&
		    f[PACKET_SOCKET_HDR_LEN + 13] == (type & 0xff))
			return n;
	}
	return -1;
}

/* The kernel takes the tag off a received frame; it comes beside it. */
static void a_vlan_tag_comes_as_auxiliary_data(void **state UNUSED)
{
	uint8_t f[PACKET_SOCKET_HDR_LEN + FRAME_LEN] = { 0 }, got[2048];
	uint8_t control[PACKET_SOCKET_CMSG_LEN] __attribute__((aligned(8)));
	struct iovec iov = { got, sizeof(got) };
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };
	uint16_t tci = 0, tpid = 0;

	memset(f + PACKET_SOCKET_HDR_LEN, 0xff, 6);
	memcpy(f + PACKET_SOCKET_HDR_LEN + 12, "\x88\xa8\x60\x2a\x88\xb5", 6);
	assert_int_equal(send(far_ps.fd, f, sizeof(f), 0), sizeof(f));
	assert_int_equal(receive_type(&m, 0x88b5), sizeof(f) - 4);
	assert_true(packet_socket_vlan(&m, &tci, &tpid));
	assert_int_equal(tci, 0x602a);
	assert_int_equal(tpid, 0x88a8);
	send_arp_request();
	m.msg_controllen = sizeof(control);
	assert_true(receive_type(&m, 0x0806) > 0);
	assert_false(packet_socket_vlan(&m, &tci, &tpid));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tcx_keeps_the_host_out),
		cmocka_unit_test(clsact_keeps_the_host_out),
		cmocka_unit_test(nftables_keeps_the_host_out),
		cmocka_unit_test(the_best_kind_is_taken),
		cmocka_unit_test(the_device_may_go_before_its_guard),
		cmocka_unit_test(a_guard_works_in_another_namespace),
		cmocka_unit_test(a_killed_process_leaves_no_guard),
		cmocka_unit_test(what_others_take_off_is_put_back),
		cmocka_unit_test(what_others_have_on_the_hook_stays),
		cmocka_unit_test(our_own_frames_are_not_heard),
		cmocka_unit_test(a_full_buffer_counts_its_drops),
		cmocka_unit_test(nothing_is_heard_of_other_devices),
		cmocka_unit_test(a_device_that_is_not_there_is_an_error),
		cmocka_unit_test(a_device_that_is_down_is_heard_once_it_is_up),
		cmocka_unit_test(a_vlan_tag_comes_as_auxiliary_data),
	};

	if (!sandbox_enter())
		return SANDBOX_SKIPPED;
	return cmocka_run_group_tests(tests, enter, leave);
}
