/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <grp.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "sys/notify.h"
#include "sys/sandbox_test.h"
#include "sys/udp_socket.h"
#include "sys/unix_socket.h"

/* --- unix ---------------------------------------------------------------- */
static void talk(const char *path)
{
	struct unix_socket_spec s = { .path = path, .mode = 0660 };
	struct unix_socket_peer peer;
	struct err e = ERR_INIT;
	int l = unix_socket_listen(&s, &e), c, a;
	char buf[8] = "";

	if (l < 0)
		fail_msg("%s", e.text);
	assert_int_equal(unix_socket_accept(l), -EAGAIN);
	c = unix_socket_connect(path, &e);
	assert_return_code(c, 0);
	a = unix_socket_accept(l);
	assert_return_code(a, 0);
	assert_int_equal(unix_socket_peer(a, &peer), 0);
	assert_int_equal(peer.pid, getpid());
	assert_int_equal(peer.uid, getuid());
	assert_int_equal(write(c, "hi", 2), 2);
	assert_int_equal(read(a, buf, sizeof(buf)), 2);
	close(a);
	close(c);
	/* A second one is told that somebody lives here. */
	assert_int_equal(unix_socket_listen(&s, &e), -EADDRINUSE);
	assert_non_null(strstr(e.text, path));
	err_fini(&e);
	close(l);
	/* The dead one's file is replaced (an abstract name left no file). */
	l = unix_socket_listen(&s, &e);
	assert_return_code(l, 0);
	close(l);
	if (path[0] == '@')
		return;
	assert_int_equal(unix_socket_connect(path, &e), -ECONNREFUSED);
	assert_non_null(strstr(e.text, "nobody listens"));
	err_fini(&e);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(unix_socket_connect(path, &e), -ENOENT);
	err_fini(&e);
}

static void server_and_client_talk(void **state UNUSED)
{
	talk("/run/weft.sock");
	talk("@weft-test-abstract");
}

static void paths_longer_than_the_kernel_takes_work(void **state UNUSED)
{
	char dir[256] = "/run/", path[300];

	memset(dir + strlen(dir), 'd', 150);
	assert_int_equal(mkdir(dir, 0700), 0);
	snprintf(path, sizeof(path), "%s/sock", dir);
	talk(path);
	assert_int_equal(rmdir(dir), 0);
}

static void the_file_has_the_mode_asked_for(void **state UNUSED)
{
	struct unix_socket_spec s = { .path = "/run/weft.sock", .mode = 0620 };
	int l = unix_socket_listen(&s, NULL);
	struct stat st;

	assert_return_code(l, 0);
	assert_int_equal(stat(s.path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0620);
	close(l);
	unlink(s.path);
}

/* What an ordinary user of this group gets: 0 or -errno. */
static int connect_as(gid_t group, const char *path)
{
	int status, fd;
	pid_t pid = fork();

	if (!pid) {
		if (setgroups(0, NULL) || setgid(group) || setuid(4343))
			_exit(255);
		fd = unix_socket_connect(path, NULL);
		_exit(fd < 0 ? -fd : 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return -WEXITSTATUS(status);
}

static void the_group_asked_for_may_connect_and_no_other(void **state UNUSED)
{
	struct unix_socket_spec s = { .path = "/run/weft.sock",
				      .mode = 0600,
				      .has_group = true,
				      .group = 4242 };
	int l = unix_socket_listen(&s, NULL);

	assert_return_code(l, 0);
	assert_int_equal(connect_as(4242, s.path), 0);
	assert_int_equal(connect_as(4243, s.path), -EACCES);
	close(l);
	unlink(s.path);
}

static void a_file_that_is_no_socket_is_left_alone(void **state UNUSED)
{
	struct unix_socket_spec s = { .path = "/run/precious", .mode = 0600 };
	FILE *f = fopen(s.path, "w");
	struct stat st;

	fclose(f);
	assert_int_equal(unix_socket_listen(&s, NULL), -EADDRINUSE);
	assert_int_equal(stat(s.path, &st), 0);
	assert_true(S_ISREG(st.st_mode));
	unlink(s.path);
	s.path = "";
	assert_int_equal(unix_socket_listen(&s, NULL), -EINVAL);
	s.path = "/run/nowhere/sock";
	assert_int_equal(unix_socket_listen(&s, NULL), -ENOENT);
}

/* --- UDP ----------------------------------------------------------------- */
struct letter {
	struct msghdr m;
	struct iovec iov;
	struct sockaddr_storage name;
	uint8_t control[UDP_SOCKET_CMSG_LEN] __attribute__((aligned(16)));
	uint8_t data[65536];
};

static struct letter *letter(size_t len)
{
	struct letter *l = xzalloc(sizeof(*l));

	l->iov = (struct iovec){ l->data, len };
	l->m = (struct msghdr){ .msg_name = &l->name,
				.msg_namelen = sizeof(l->name),
				.msg_iov = &l->iov,
				.msg_iovlen = 1,
				.msg_control = l->control,
				.msg_controllen = sizeof(l->control) };
	return l;
}

static ssize_t wait_letter(int fd, struct letter *l)
{
	struct pollfd pfd = { fd, POLLIN, 0 };

	if (poll(&pfd, 1, 1000) != 1)
		return -1;
	return recvmsg(fd, &l->m, 0);
}

static struct udp_socket_spec spec_of(const char *ip)
{
	struct udp_socket_spec s = { .netns_fd = NL_CURRENT_NS,
				     .df = UDP_SOCKET_DF_PROBE,
				     .gro = true,
				     .rcvbuf = 4 << 20,
				     .sndbuf = 4 << 20 };

	assert_int_equal(ip_addr_parse(ip, &s.local), 0);
	return s;
}

/* Sends 30000 bytes in segments of 1000 with an ECN mark and a chosen source;
 * the receiver sees them joined, with all that beside. */
static void exchange(const char *any, const char *from, const char *to)
{
	struct udp_socket_spec s = spec_of(any);
	struct letter *out = letter(30000), *in = letter(65536);
	struct udp_socket_info info = { .has_tos = true,
					.tos = 0xb9,
					.segment_len = 1000 };
	struct udp_socket_info got;
	struct err e = ERR_INIT;
	int a = udp_socket_open(&s, &e), b;
	size_t total = 0;
	uint16_t port;

	if (a < 0)
		fail_msg("%s", e.text);
	b = udp_socket_open(&s, NULL);
	assert_return_code(b, 0);
	assert_int_equal(udp_socket_local_port(b, &info.remote_port), 0);
	assert_int_equal(udp_socket_local_port(a, &port), 0);
	assert_int_equal(ip_addr_parse(from, &info.local), 0);
	assert_int_equal(ip_addr_parse(to, &info.remote), 0);
	udp_socket_encode(&out->m, &info);
	assert_int_equal(sendmsg(a, &out->m, 0), 30000);
	while (total < 30000) {
		ssize_t n;

		in->m.msg_controllen = sizeof(in->control);
		in->m.msg_namelen = sizeof(in->name);
		n = wait_letter(b, in);
		assert_true(n > 0);
		total += (size_t)n;
		assert_true(udp_socket_decode(&in->m, &got));
		assert_true(ip_addr_equal(&got.remote, &info.local));
		assert_true(ip_addr_equal(&got.local, &info.remote));
		assert_int_equal(got.remote_port, port);
		assert_int_equal(got.ifindex, 1);
		assert_true(got.has_tos);
		assert_int_equal(got.tos, 0xb9);
		assert_true(n == 1000 || got.segment_len == 1000);
	}
	close(a);
	close(b);
	free(in);
	free(out);
}

static void datagrams_carry_everything_beside_ip4(void **state UNUSED)
{
	exchange("0.0.0.0", "127.0.0.5", "127.0.0.6");
}

static void datagrams_carry_everything_beside_ip6(void **state UNUSED)
{
	exchange("::", "::1", "::1");
}

static void both_families_share_a_port(void **state UNUSED)
{
	struct udp_socket_spec s4 = spec_of("0.0.0.0"), s6 = spec_of("::");
	struct err e = ERR_INIT;
	int a, b;

	s4.port = s6.port = 4789;
	a = udp_socket_open(&s4, NULL);
	b = udp_socket_open(&s6, NULL);
	assert_return_code(a, 0);
	assert_return_code(b, 0);
	assert_int_equal(udp_socket_open(&s4, &e), -EADDRINUSE);
	assert_non_null(strstr(e.text, "UDP port 4789 is taken"));
	err_fini(&e);
	close(a);
	close(b);
}

static void what_does_not_exist_is_named(void **state UNUSED)
{
	struct udp_socket_spec s = spec_of("192.0.2.77");
	struct err e = ERR_INIT;

	assert_int_equal(udp_socket_open(&s, &e), -EADDRNOTAVAIL);
	assert_non_null(strstr(e.text, "192.0.2.77"));
	err_fini(&e);
	s = spec_of("0.0.0.0");
	s.device = "nothere";
	assert_int_equal(udp_socket_open(&s, &e), -ENODEV);
	assert_non_null(strstr(e.text, "nothere"));
	err_fini(&e);
}

/* Larger than the device's MTU: cut into fragments, or refused, as asked. */
static void the_fragment_choice_is_kept(void **state UNUSED)
{
	static const char *const ips[][2] = { { "0.0.0.0", "127.0.0.1" },
					      { "::", "::1" } };
	struct nl *nl;

	assert_int_equal(nl_open(&nl, NL_CURRENT_NS, NULL), 0);
	assert_int_equal(nl_link_set_mtu(nl, 1, 1500, NULL), 0);
	for (unsigned i = 0; i < 2; i++) {
		for (unsigned df = 0; df <= UDP_SOCKET_DF_PROBE; df++) {
			struct udp_socket_spec s = spec_of(ips[i][0]);
			struct udp_socket_info info = { .remote_port = 9 };
			struct letter *l = letter(2000);
			ssize_t n;
			int fd;

			s.df = df;
			s.zero_checksum = true;
			fd = udp_socket_open(&s, NULL);
			assert_return_code(fd, 0);
			assert_int_equal(ip_addr_parse(ips[i][1], &info.remote),
					 0);
			udp_socket_encode(&l->m, &info);
			n = sendmsg(fd, &l->m, 0);
			if (df == UDP_SOCKET_DF_CLEAR)
				assert_int_equal(n, 2000);
			else
				assert_true(n < 0 && errno == EMSGSIZE);
			close(fd);
			free(l);
		}
	}
	assert_int_equal(nl_link_set_mtu(nl, 1, 65536, NULL), 0);
	nl_close(nl);
}

/* --- the service manager --------------------------------------------------- */
static void the_service_manager_hears_us(void **state UNUSED)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX,
				   .sun_path = "/run/notify" };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char buf[64] = "";

	unsetenv("NOTIFY_SOCKET");
	assert_int_equal(notify_send("READY=1"), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	setenv("NOTIFY_SOCKET", sun.sun_path, 1);
	assert_int_equal(notify_send("READY=1\nSTATUS=3 networks"), 1);
	assert_true(recv(fd, buf, sizeof(buf) - 1, 0) > 0);
	assert_string_equal(buf, "READY=1\nSTATUS=3 networks");
	setenv("NOTIFY_SOCKET", "nonsense", 1);
	assert_int_equal(notify_send("READY=1"), -EINVAL);
	unsetenv("NOTIFY_SOCKET");
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(server_and_client_talk),
		cmocka_unit_test(paths_longer_than_the_kernel_takes_work),
		cmocka_unit_test(the_file_has_the_mode_asked_for),
		cmocka_unit_test(the_group_asked_for_may_connect_and_no_other),
		cmocka_unit_test(a_file_that_is_no_socket_is_left_alone),
		cmocka_unit_test(datagrams_carry_everything_beside_ip4),
		cmocka_unit_test(datagrams_carry_everything_beside_ip6),
		cmocka_unit_test(both_families_share_a_port),
		cmocka_unit_test(what_does_not_exist_is_named),
		cmocka_unit_test(the_fragment_choice_is_kept),
		cmocka_unit_test(the_service_manager_hears_us),
	};

	if (!sandbox_enter())
		return SANDBOX_SKIPPED;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
