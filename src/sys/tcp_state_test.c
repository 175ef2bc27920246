/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/tcp_state.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "sys/sandbox_test.h"

static struct nl *nl;

/* A connection over loopback; -1 in `fd` never. */
static void connect_pair(int family, int fd[2], struct tcp_flow *f)
{
	struct sockaddr_storage sa = { .ss_family = (sa_family_t)family };
	socklen_t len = family == AF_INET ? sizeof(struct sockaddr_in) :
					    sizeof(struct sockaddr_in6);
	struct sockaddr_in *v4 = (void *)&sa;
	struct sockaddr_in6 *v6 = (void *)&sa;
	int l = socket(family, SOCK_STREAM, 0);

	must(l >= 0 && !bind(l, (void *)&sa, len) && !listen(l, 1));
	must(!getsockname(l, (void *)&sa, &len));
	if (family == AF_INET)
		v4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	else
		v6->sin6_addr = in6addr_loopback;
	f->local_port = ntohs(family == AF_INET ? v4->sin_port : v6->sin6_port);
	fd[1] = socket(family, SOCK_STREAM, 0);
	must(!connect(fd[1], (void *)&sa, len));
	fd[0] = accept(l, NULL, NULL);
	must(fd[0] >= 0);
	must(!getsockname(fd[1], (void *)&sa, &len));
	f->remote_port =
		ntohs(family == AF_INET ? v4->sin_port : v6->sin6_port);
	must(!ip_addr_parse(family == AF_INET ? "127.0.0.1" : "::1",
			    &f->local));
	f->remote = f->local;
	close(l);
}

static void a_connection_is_found_by_its_four_names(void **state UNUSED)
{
	static const int families[] = { AF_INET, AF_INET6 };
	struct tcp_state t;
	struct tcp_flow f;
	int fd[2];

	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		connect_pair(families[i], fd, &f);
		assert_int_equal(tcp_state_ask(&f, &t), 0);
		assert_true(t.established);
		assert_int_equal(t.unacked, 0);
		f.remote_port ^= 1;
		assert_int_equal(tcp_state_ask(&f, &t), -ENOENT);
		close(fd[0]);
		close(fd[1]);
	}
}

static void what_nobody_acknowledges_is_seen(void **state UNUSED)
{
	struct tcp_state t = { 0 };
	struct tcp_flow f;
	int fd[2];

	connect_pair(AF_INET, fd, &f);
	must(!nl_link_set_up(nl, 1, false, NULL));
	must(send(fd[0], "x", 1, 0) == 1);
	for (unsigned i = 0; i < 400 && t.retransmits < 2; i++) {
		poll(NULL, 0, 25);
		assert_int_equal(tcp_state_ask(&f, &t), 0);
	}
	assert_int_equal(t.unacked, 1);
	assert_true(t.retransmits >= 2);
	must(!nl_link_set_up(nl, 1, true, NULL));
	close(fd[0]);
	close(fd[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_connection_is_found_by_its_four_names),
		cmocka_unit_test(what_nobody_acknowledges_is_seen),
	};
	int rc;

	if (!sandbox_enter())
		return SANDBOX_SKIPPED;
	must(!nl_open(&nl, NL_CURRENT_NS, NULL));
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	nl_close(nl);
	return rc;
}
