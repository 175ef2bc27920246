/* SPDX-License-Identifier: Apache-2.0 */
/* A host, its gateway in another namespace, and somebody logged in from there:
 *
 *     ours: h0 192.0.2.2/24 ---------- g0 192.0.2.1/24 :far */
#include "control/lookout.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "sys/sandbox_test.h"
#include "sys/sysctl.h"

#define LOOKS 40u /* far more than LOOKOUT_SILENT */

static int ours, far;
static struct nl *nl, *far_nl;
static uint32_t h0, g0;

static void enter(int ns)
{
	must(!setns(ns, CLONE_NEWNET));
}

static uint32_t index_of(struct nl *in, const char *name)
{
	struct nl_link l;

	must(!nl_link_find(in, name, &l, NULL));
	return l.ifindex;
}

static void put_address(struct nl *in, uint32_t ifindex, const char *text)
{
	struct ip_prefix p;
	struct nl_addr a;

	must(!ip_prefix_parse(text, &p));
	a = nl_addr_plain(ifindex, &p, true);
	must(!nl_addr_put(in, &a, NULL));
}

static void del_address(struct nl *in, uint32_t ifindex, const char *text)
{
	struct ip_prefix p;
	struct nl_addr a;

	must(!ip_prefix_parse(text, &p));
	a = nl_addr_plain(ifindex, &p, true);
	must(!nl_addr_del(in, &a, NULL));
}

static struct nl_route default_route(const char *gateway)
{
	struct ip_prefix any = { .addr = { .family = AF_INET } };
	struct ip_addr via;

	must(!ip_addr_parse(gateway, &via));
	return nl_route_plain(&any, &via, h0);
}

static void set_default(const char *gateway)
{
	struct nl_route r = default_route(gateway);

	must(!nl_route_put(nl, &r, NULL));
	nl_route_fini(&r);
}

static void del_default(const char *gateway)
{
	struct nl_route r = default_route(gateway);

	must(!nl_route_del(nl, &r, NULL));
	nl_route_fini(&r);
}

static int set_up(void **state UNUSED)
{
	struct nl_link_change end = { .set = NL_LINK_NAME | NL_LINK_UP,
				      .name = "h0",
				      .up = true };
	struct nl_link_change peer = { .set = NL_LINK_NAME | NL_LINK_UP |
					      NL_LINK_NETNS,
				       .name = "g0",
				       .up = true,
				       .netns_fd = far };

	must(!nl_link_add_veth(nl, &end, &peer, NULL));
	h0 = index_of(nl, "h0");
	g0 = index_of(far_nl, "g0");
	put_address(nl, h0, "192.0.2.2/24");
	put_address(far_nl, g0, "192.0.2.1/24");
	set_default("192.0.2.1");
	return 0;
}

static int tear_down(void **state UNUSED)
{
	must(!nl_link_del(nl, h0, NULL));
	return 0;
}

/* The daemon looks once a second; here the looks are as far apart as an answer
 * over a veth needs. */
static char *look(struct lookout *l)
{
	poll(NULL, 0, 20);
	return lookout_lost(l, nl);
}

static void expect_lost(struct lookout *l, const char *why)
{
	char *said = NULL;

	for (unsigned i = 0; i < LOOKS && !said; i++)
		said = look(l);
	assert_non_null(said);
	assert_string_equal(said, why);
	free(said);
}

static void expect_nothing_lost(struct lookout *l)
{
	for (unsigned i = 0; i < 2 * LOOKOUT_SILENT; i++)
		assert_null(look(l));
}

/* Everything comes again within some looks. */
static void expect_back(struct lookout *l, const char *words)
{
	struct str said = STR_INIT;
	bool back = false;

	for (unsigned i = 0; i < 600 && !back; i++) {
		str_fini(&said);
		poll(NULL, 0, 20);
		back = lookout_is_back(l, nl, &said);
	}
	assert_true(back);
	assert_string_equal(str_text(&said), words);
	str_fini(&said);
}

#define AS_BEFORE "devices, addresses and routes are as before"

static void a_gateway_that_stops_answering_is_noticed(void **state UNUSED)
{
	struct lookout l;

	lookout_begin(&l, nl, NULL, NULL);
	assert_int_equal(l.n_hosts, 1);
	expect_nothing_lost(&l);
	del_address(far_nl, g0, "192.0.2.1/24");
	expect_lost(&l, "the gateway 192.0.2.1 stopped answering");
	put_address(far_nl, g0, "192.0.2.1/24");
	expect_back(&l, "the gateway 192.0.2.1 answers, " AS_BEFORE);
	lookout_end(&l);
}

static void what_never_answered_says_nothing(void **state UNUSED)
{
	struct lookout l;

	set_default("192.0.2.77");
	lookout_begin(&l, nl, "192.0.2.78", NULL);
	assert_int_equal(l.n_hosts, 0);
	expect_nothing_lost(&l);
	lookout_end(&l);
	lookout_end(&l);
}

static void
a_gateway_that_answers_no_ping_is_known_by_its_mac(void **state UNUSED)
{
	struct lookout l;

	must(!sysctl_write_int(far, "net/ipv4/icmp_echo_ignore_all", 1, NULL));
	lookout_begin(&l, nl, NULL, NULL);
	assert_int_equal(l.n_hosts, 1);
	assert_true(l.hosts[0].by_neighbour);
	expect_nothing_lost(&l);
	lookout_end(&l);
	must(!sysctl_write_int(far, "net/ipv4/icmp_echo_ignore_all", 0, NULL));
}

static void a_default_route_that_goes_is_noticed(void **state UNUSED)
{
	struct lookout l;

	lookout_begin(&l, nl, NULL, NULL);
	del_default("192.0.2.1");
	expect_lost(&l, "the default route is gone");
	set_default("192.0.2.1");
	expect_back(&l, "the gateway 192.0.2.1 answers, " AS_BEFORE);
	lookout_end(&l);
}

static void a_new_gateway_has_to_be_there(void **state UNUSED)
{
	struct lookout l;

	lookout_begin(&l, nl, NULL, NULL);
	set_default("192.0.2.9");
	put_address(far_nl, g0, "192.0.2.9/24");
	expect_nothing_lost(&l);
	del_address(far_nl, g0, "192.0.2.9/24");
	lookout_end(&l);
	set_default("192.0.2.1");
	lookout_begin(&l, nl, NULL, NULL);
	set_default("192.0.2.99");
	expect_lost(&l, "the new gateway 192.0.2.99 is not there");
	set_default("192.0.2.1");
	expect_back(&l, "the gateway 192.0.2.1 answers, " AS_BEFORE);
	lookout_end(&l);
}

static void a_callers_host_that_stops_answering_is_noticed(void **state UNUSED)
{
	struct lookout l;

	put_address(far_nl, g0, "192.0.2.7/24");
	del_default("192.0.2.1");
	lookout_begin(&l, nl, "192.0.2.7", NULL);
	assert_int_equal(l.n_hosts, 1);
	del_address(far_nl, g0, "192.0.2.7/24");
	expect_lost(&l, "the caller's host 192.0.2.7 stopped answering");
	lookout_end(&l);
}

/* --- over a connection ---------------------------------------------------- */

struct login {
	int fd, far_fd; /* ours, the caller's */
	char *words;    /* as in SSH_CONNECTION */
};

static void log_in(struct login *i)
{
	struct sockaddr_in sa = { .sin_family = AF_INET,
				  .sin_addr = { htonl(0xc0000202) } };
	int l = socket(AF_INET, SOCK_STREAM, 0);
	socklen_t len = sizeof(sa);
	uint16_t port;

	must(l >= 0 && !bind(l, (void *)&sa, len) && !listen(l, 1));
	must(!getsockname(l, (void *)&sa, &len));
	port = ntohs(sa.sin_port);
	enter(far);
	i->far_fd = socket(AF_INET, SOCK_STREAM, 0);
	must(!connect(i->far_fd, (void *)&sa, len));
	enter(ours);
	i->fd = accept(l, (void *)&sa, &len);
	must(i->fd >= 0);
	i->words = xasprintf("192.0.2.1 %u 192.0.2.2 %u", ntohs(sa.sin_port),
			     port);
	close(l);
}

static void log_out(struct login *i)
{
	close(i->fd);
	close(i->far_fd);
	free(i->words);
}

/* The wall: no ping is answered, so the connection alone tells. */
static void begin_behind_a_wall(struct lookout *l, struct login *i)
{
	del_default("192.0.2.1");
	log_in(i);
	lookout_begin(l, nl, NULL, i->words);
	assert_int_equal(l->n_hosts, 0);
	assert_true(l->has_flow && l->has_address);
}

/* A look a tenth of a second, for the kernel to send again. */
static char *lost_slowly(struct lookout *l)
{
	char *said = NULL;

	for (unsigned k = 0; k < 100 && !said; k++) {
		poll(NULL, 0, 100);
		said = lookout_lost(l, nl);
	}
	return said;
}

static void a_connection_that_gets_stuck_is_noticed(void **state UNUSED)
{
	struct lookout l;
	struct login i;
	char *said;

	begin_behind_a_wall(&l, &i);
	must(write(i.fd, "applied", 7) == 7);
	expect_nothing_lost(&l);
	must(!nl_link_set_up(far_nl, g0, false, NULL));
	must(write(i.fd, "more", 4) == 4);
	said = lost_slowly(&l);
	assert_non_null(said);
	assert_string_equal(said, "the caller's connection from 192.0.2.1 got "
				  "stuck");
	free(said);
	must(!nl_link_set_up(far_nl, g0, true, NULL));
	expect_back(&l, "the caller's connection works, " AS_BEFORE);
	lookout_end(&l);
	log_out(&i);
}

static void our_end_without_its_address_is_noticed(void **state UNUSED)
{
	struct lookout l;
	struct login i;

	begin_behind_a_wall(&l, &i);
	del_address(nl, h0, "192.0.2.2/24");
	expect_lost(&l, "the caller's connection lost our address 192.0.2.2");
	put_address(nl, h0, "192.0.2.2/24");
	expect_back(&l, "the caller's connection works, " AS_BEFORE);
	lookout_end(&l);
	log_out(&i);
}

static void who_logs_out_is_not_cut_off(void **state UNUSED)
{
	struct lookout l;
	struct login i;

	begin_behind_a_wall(&l, &i);
	log_out(&i);
	expect_nothing_lost(&l);
	assert_false(l.has_flow);
	lookout_end(&l);
}

static void words_that_are_no_connection_are_nothing(void **state UNUSED)
{
	static const char *const words[] = {
		"",
		"192.0.2.1",
		"192.0.2.1 22 192.0.2.2",
		"192.0.2.1 22 2001:db8::1 22",
		"here 22 there 22",
		"192.0.2.1 99999999 192.0.2.2 22",
		"11111111111111111111111111111111111111111111111111111 2 3 4",
	};
	struct lookout l;

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		lookout_begin(&l, nl, words[i], words[i]);
		assert_false(l.has_flow);
		lookout_end(&l);
	}
}

static void what_is_not_back_is_named(void **state UNUSED)
{
	struct str said = STR_INIT;
	struct lookout l;

	put_address(nl, h0, "198.51.100.1/24");
	lookout_begin(&l, nl, NULL, NULL);
	del_address(nl, h0, "198.51.100.1/24");
	poll(NULL, 0, 20);
	assert_false(lookout_is_back(&l, nl, &said));
	assert_non_null(strstr(str_text(&said),
			       "not as before: address 198.51.100.1/24 on h0 "
			       "is missing, route 198.51.100.0/24 on h0 is "
			       "missing"));
	str_fini(&said);
	lookout_end(&l);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

static int this_netns(void)
{
	int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	must(fd >= 0);
	return fd;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_gateway_that_stops_answering_is_noticed),
		TEST(what_never_answered_says_nothing),
		TEST(a_gateway_that_answers_no_ping_is_known_by_its_mac),
		TEST(a_default_route_that_goes_is_noticed),
		TEST(a_new_gateway_has_to_be_there),
		TEST(a_callers_host_that_stops_answering_is_noticed),
		TEST(a_connection_that_gets_stuck_is_noticed),
		TEST(our_end_without_its_address_is_noticed),
		TEST(who_logs_out_is_not_cut_off),
		TEST(words_that_are_no_connection_are_nothing),
		TEST(what_is_not_back_is_named),
	};
	int rc;

	if (!sandbox_enter())
		return SANDBOX_SKIPPED;
	far = this_netns();
	must(!nl_open(&far_nl, NL_CURRENT_NS, NULL));
	must(!unshare(CLONE_NEWNET));
	ours = this_netns();
	must(!nl_open(&nl, NL_CURRENT_NS, NULL));
	must(!nl_link_set_up(nl, 1, true, NULL));
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	nl_close(nl);
	nl_close(far_nl);
	close(far);
	close(ours);
	return rc;
}
