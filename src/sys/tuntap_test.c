/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sys/netns.h"
#include "sys/sandbox_test.h"
#include "sys/tuntap.h"

static struct nl *nl;

static int enter(void **state UNUSED)
{
	return nl_open(&nl, NL_CURRENT_NS, NULL);
}

static int leave(void **state UNUSED)
{
	nl_close(nl);
	return 0;
}

static struct tuntap_spec plain(const char *name)
{
	return (struct tuntap_spec){ .name = name,
				     .netns_fd = NL_CURRENT_NS,
				     .vnet_hdr = true,
				     .offload = tuntap_offload_all(12) };
}

static bool exists(const char *name)
{
	struct nl_link l;

	return !nl_link_find(nl, name, &l, NULL);
}

static void a_tap_is_made_with_header_and_offloads(void **state UNUSED)
{
	struct tuntap_spec s = plain("tap0");
	struct err e = ERR_INIT;
	struct nl_tun info;
	struct tuntap t;
	struct nl_link l;

	if (tuntap_open(&t, &s, &e))
		fail_msg("%s", e.text);
	assert_true(t.made);
	assert_int_equal(t.hdr_len, 12);
	assert_true(t.offload & TUNTAP_CSUM && t.offload & TUNTAP_TSO4 &&
		    t.offload & TUNTAP_TSO6);
	assert_int_equal(nl_link_get(nl, t.ifindex, &l, NULL), 0);
	assert_string_equal(l.name, "tap0");
	assert_int_equal(tuntap_probe(NL_CURRENT_NS, "tap0", &info, NULL), 0);
	assert_true(info.tap && info.vnet_hdr && !info.multi_queue &&
		    !info.persist && !info.packet_info);
	assert_int_equal(info.n_queues, 1);
	tuntap_close(&t, false);
	assert_false(exists("tap0"));
}

static void the_header_may_have_ten_bytes(void **state UNUSED)
{
	struct tuntap_spec s = plain("tap0");
	struct tuntap t;

	s.hdr_len = 10;
	assert_int_equal(tuntap_open(&t, &s, NULL), 0);
	assert_int_equal(t.hdr_len, 10);
	tuntap_close(&t, false);
}

static void names_may_be_left_to_the_kernel(void **state UNUSED)
{
	struct tuntap_spec s = plain("vnet%d");
	struct tuntap a, b;

	assert_int_equal(tuntap_open(&a, &s, NULL), 0);
	assert_int_equal(tuntap_open(&b, &s, NULL), 0);
	assert_string_equal(a.name, "vnet0");
	assert_string_equal(b.name, "vnet1");
	tuntap_close(&a, false);
	tuntap_close(&b, false);
}

static void a_persistent_tap_is_found_again_and_deleted(void **state UNUSED)
{
	struct tuntap_spec s = plain("tap0");
	struct nl_tun info;
	struct tuntap t;

	s.persist = s.has_owner = s.has_group = true;
	s.owner = 1234;
	s.group = 4321;
	s.n_queues = 4;
	assert_int_equal(tuntap_open(&t, &s, NULL), 0);
	assert_int_equal(t.n_queues, 4);
	tuntap_close(&t, false);
	assert_int_equal(tuntap_probe(NL_CURRENT_NS, "tap0", &info, NULL), 0);
	assert_true(info.persist && info.multi_queue);
	assert_int_equal(info.n_queues, 0);
	assert_int_equal(info.owner, 1234);
	assert_int_equal(info.group, 4321);
	s.n_queues = 1; /* a multi-queue device takes one, too */
	s.mode = TUNTAP_ATTACH;
	assert_int_equal(tuntap_open(&t, &s, NULL), 0);
	assert_false(t.made);
	assert_true(t.multi_queue);
	tuntap_close(&t, true);
	assert_false(exists("tap0"));
}

/* As libvirt or `ip tuntap add` make them. */
static void the_tap_of_others_is_attached_as_it_is(void **state UNUSED)
{
	struct tuntap_spec s = plain("tap0");
	struct tuntap t;

	if (system("ip tuntap add tap0 mode tap 2>/dev/null"))
		skip();
	s.mode = TUNTAP_ATTACH;
	s.n_queues = 4; /* it has no multi-queue: one is what there is */
	assert_int_equal(tuntap_open(&t, &s, NULL), 0);
	assert_int_equal(t.n_queues, 1);
	assert_false(t.made);
	tuntap_close(&t, false);
	assert_true(exists("tap0"));
	assert_int_equal(system("ip tuntap del tap0 mode tap"), 0);
}

static void a_held_device_is_busy(void **state UNUSED)
{
	for (unsigned queues = 1; queues <= 2; queues++) {
		struct tuntap_spec s = plain("tap0");
		struct err e = ERR_INIT;
		struct tuntap a, b;

		s.mode = TUNTAP_EITHER;
		s.n_queues = queues;
		assert_int_equal(tuntap_open(&a, &s, NULL), 0);
		assert_int_equal(tuntap_open(&b, &s, &e), -EBUSY);
		assert_non_null(strstr(e.text, "held by another program"));
		err_fini(&e);
		tuntap_close(&a, false);
	}
}

static void what_does_not_fit_is_refused(void **state UNUSED)
{
	struct tuntap_spec s = plain("tap0");
	struct err e = ERR_INIT;
	struct tuntap t, other;

	s.mode = TUNTAP_ATTACH;
	assert_int_equal(tuntap_open(&t, &s, &e), -ENODEV);
	err_fini(&e);
	s.name = "lo";
	assert_int_equal(tuntap_open(&t, &s, &e), -EINVAL);
	assert_non_null(strstr(e.text, "not a TAP or TUN"));
	err_fini(&e);
	s.name = "a name";
	assert_int_equal(tuntap_open(&t, &s, &e), -EINVAL);
	err_fini(&e);
	s = plain("tap0");
	s.persist = true;
	assert_int_equal(tuntap_open(&t, &s, NULL), 0);
	assert_int_equal(tuntap_open(&other, &s, &e), -EEXIST);
	err_fini(&e);
	s.mode = TUNTAP_EITHER;
	s.tun = true;
	assert_int_equal(tuntap_open(&other, &s, &e), -EINVAL);
	assert_non_null(strstr(e.text, "is a TAP, not a TUN"));
	err_fini(&e);
	tuntap_close(&t, true);
}

static void a_tap_is_made_in_another_namespace(void **state UNUSED)
{
	struct tuntap_spec s = plain("tap0");
	struct nl *inside;
	struct nl_link l;
	struct tuntap t;

	assert_int_equal(netns_create("box", NULL), 0);
	s.netns_fd = netns_open("box", NULL);
	assert_int_equal(tuntap_open(&t, &s, NULL), 0);
	assert_false(exists("tap0"));
	assert_int_equal(nl_open(&inside, s.netns_fd, NULL), 0);
	assert_int_equal(nl_link_find(inside, "tap0", &l, NULL), 0);
	assert_int_equal(l.ifindex, t.ifindex);
	nl_close(inside);
	tuntap_close(&t, false);
	netns_close(s.netns_fd);
	assert_int_equal(netns_delete("box", NULL), 0);
}

/* What the kernel sends into a TUN arrives with a zeroed header before it. */
static void a_tun_carries_ip_packets(void **state UNUSED)
{
	struct tuntap_spec s = plain("tun0");
	struct ip_prefix p;
	struct nl_addr a;
	struct tuntap t;
	struct pollfd pfd;
	uint8_t buf[2048];
	ssize_t n;

	s.tun = true;
	assert_int_equal(tuntap_open(&t, &s, NULL), 0);
	assert_int_equal(ip_prefix_parse("192.0.2.1/24", &p), 0);
	a = nl_addr_plain(t.ifindex, &p, false);
	assert_int_equal(nl_addr_add(nl, &a, NULL), 0);
	assert_int_equal(nl_link_set_addrgen_none(nl, t.ifindex, NULL), 0);
	assert_int_equal(nl_link_set_up(nl, t.ifindex, true, NULL), 0);
	assert_int_equal(read(t.fd[0], buf, sizeof(buf)), -1);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(
		system("bash -c 'echo hi >/dev/udp/192.0.2.2/9' 2>/dev/null"),
		0);
	pfd = (struct pollfd){ t.fd[0], POLLIN, 0 };
	assert_int_equal(poll(&pfd, 1, 1000), 1);
	n = read(t.fd[0], buf, sizeof(buf));
	assert_int_equal(n, 12 + 20 + 8 + 3);
	assert_int_equal(buf[12], 0x45);
	assert_memory_equal(buf + n - 3, "hi\n", 3);
	tuntap_close(&t, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tap_is_made_with_header_and_offloads),
		cmocka_unit_test(the_header_may_have_ten_bytes),
		cmocka_unit_test(names_may_be_left_to_the_kernel),
		cmocka_unit_test(a_persistent_tap_is_found_again_and_deleted),
		cmocka_unit_test(the_tap_of_others_is_attached_as_it_is),
		cmocka_unit_test(a_held_device_is_busy),
		cmocka_unit_test(what_does_not_fit_is_refused),
		cmocka_unit_test(a_tap_is_made_in_another_namespace),
		cmocka_unit_test(a_tun_carries_ip_packets),
	};

	if (!sandbox_enter())
		return SANDBOX_SKIPPED;
	return cmocka_run_group_tests(tests, enter, leave);
}
