/* SPDX-License-Identifier: Apache-2.0 */
/* A stream port against clients who are slow, wrong, or gone.
 *
 *      test (client) ---- Unix socket ---- port under test */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/be.h"
#include "port/stream.h"
#include "port/test_net.h"
#include "port/test_stream.h"

struct rig {
	struct port *port;
	struct packet_pool *pool;
};

static struct port *make_port(void)
{
	struct stream_config c = { .path = test_stream_path() };

	return stream_port_create("vm1", &c);
}

static int set_up(void **state)
{
	struct rig *r = xzalloc(sizeof(*r));

	r->pool = packet_pool_create(2 * PACKET_BATCH_MAX);
	r->port = make_port();
	r->port->id = 7;
	assert_int_equal(r->port->ops->attach(r->port, NULL), 0);
	*state = r;
	return 0;
}

static int tear_down(void **state)
{
	struct rig *r = *state;

	r->port->ops->detach(r->port, false);
	r->port->ops->destroy(r->port);
	packet_pool_destroy(r->pool);
	assert_int_not_equal(access(test_stream_path(), F_OK), 0);
	free(r);
	return 0;
}

/* Whether there is work for the port's worker. */
static bool is_awake(struct port *p)
{
	struct pollfd pfd = { .fd = p->ops->rx_fd(p, 0), .events = POLLIN };

	return poll(&pfd, 1, 0) == 1;
}

/* Work as a worker does it: until nothing wakes it. */
static unsigned work_off(struct rig *r)
{
	unsigned n = 0;

	for (int i = 0; is_awake(r->port); i++) {
		assert_true(i < 100000);
		n += test_stream_work(r->port, r->pool);
	}
	return n;
}

static uint64_t drops_of(struct rig *r, enum drop d)
{
	struct port_counters sum;

	port_counters_sum(r->port, &sum);
	return sum.drops[d];
}

/* The far end finds its connection closed. */
static void assert_hung_up(int fd)
{
	uint8_t rest[4096];
	ssize_t n;

	do {
		n = recv(fd, rest, sizeof(rest), MSG_DONTWAIT);
	} while (n > 0);
	assert_true(n == 0 || errno == ECONNRESET);
	close(fd);
}

static void send_raw(int fd, const void *bytes, size_t len)
{
	assert_int_equal(send(fd, bytes, len, MSG_NOSIGNAL), len);
}

static void a_frame_in_single_bytes_arrives_whole(void **state)
{
	uint8_t bytes[200] = { 0 }, *frame = bytes + 4;
	struct rig *r = *state;
	size_t len = test_frame_udp(frame, 100, 1, false);
	int fd = test_stream_connect(r->port, r->pool);

	put_be32(bytes, (uint32_t)len);
	for (size_t i = 0; i < len + 4; i++) {
		assert_int_equal(work_off(r), 0);
		send_raw(fd, bytes + i, 1);
	}
	assert_int_equal(work_off(r), 1);
	close(fd);
}

static void many_frames_in_one_piece_all_arrive(void **state)
{
	enum { N = 1000 };
	static uint8_t piece[N * 64];
	struct rig *r = *state;
	int fd = test_stream_connect(r->port, r->pool);
	uint8_t frame[200];
	size_t len = test_frame_udp(frame, 18, 1, false);

	assert_int_equal(len, 60);
	for (unsigned i = 0; i < N; i++) {
		put_be32(piece + i * 64, 60);
		memcpy(piece + i * 64 + 4, frame, 60);
	}
	send_raw(fd, piece, sizeof(piece));
	assert_int_equal(work_off(r), N);
	assert_int_equal(drops_of(r, DROP_POOL_EMPTY), 0);
	close(fd);
}

static void a_length_that_no_frame_has_ends_the_connection(void **state)
{
	static const uint32_t lengths[] = { 0, PACKET_MAX_LEN + 1, 0x7fffffff,
					    0x80000000, UINT32_MAX };
	struct rig *r = *state;
	uint8_t length[4];

	for (unsigned i = 0; i < ARRAY_SIZE(lengths); i++) {
		int fd = test_stream_connect(r->port, r->pool);

		put_be32(length, lengths[i]);
		send_raw(fd, length, sizeof(length));
		assert_int_equal(work_off(r), 0);
		assert_int_equal(port_get_state(r->port), PORT_DOWN);
		assert_hung_up(fd);
	}
}

static void
a_frame_without_a_header_is_dropped_and_the_next_is_not(void **state)
{
	struct rig *r = *state;
	int fd = test_stream_connect(r->port, r->pool);
	uint64_t before = drops_of(r, DROP_MALFORMED);
	uint8_t frame[200];
	size_t len = test_frame_udp(frame, 18, 1, false);

	for (size_t n = 1; n < 14; n++)
		test_stream_send(fd, frame, n);
	test_stream_send(fd, frame, len);
	assert_int_equal(work_off(r), 1);
	assert_int_equal(drops_of(r, DROP_MALFORMED) - before, 13);
	close(fd);
}

static void half_a_frame_leaves_nothing_to_the_next_client(void **state)
{
	struct rig *r = *state;
	int fd = test_stream_connect(r->port, r->pool);
	uint8_t frame[200], length[4];
	size_t len = test_frame_udp(frame, 18, 1, false);

	put_be32(length, 1000);
	send_raw(fd, length, sizeof(length));
	send_raw(fd, frame, 20);
	assert_int_equal(work_off(r), 0);
	close(fd);
	fd = test_stream_connect(r->port, r->pool);
	test_stream_send(fd, frame, len);
	assert_int_equal(work_off(r), 1);
	close(fd);
}

/* Fills all that may wait for the client: how many frames of `len` bytes. */
static unsigned stuff(struct rig *r, const uint8_t *frame, size_t len)
{
	unsigned n = 0;

	while (!drops_of(r, DROP_TX_FULL)) {
		assert_true(n++ < 100000);
		test_tx(r->port, r->pool, frame, len, NULL);
		work_off(r);
	}
	return n;
}

static void who_does_not_read_costs_a_bounded_queue_and_no_work(void **state)
{
	uint8_t frame[2000], got[TEST_FRAME_MAX];
	struct rig *r = *state;
	int fd = test_stream_connect(r->port, r->pool);
	size_t len = test_frame_udp(frame, 1400, 1, false);
	unsigned sent = stuff(r, frame, len) - 1, n = 0;

	/* Full, and the worker sleeps. */
	assert_false(is_awake(r->port));
	test_tx(r->port, r->pool, frame, len, NULL);
	assert_false(is_awake(r->port));
	assert_int_equal(drops_of(r, DROP_TX_FULL), 2);
	/* It reads after all: everything in order, each frame whole. */
	while (test_stream_recv(r->port, r->pool, fd, got) == (int)len) {
		assert_memory_equal(got, frame, len);
		n++;
	}
	assert_int_equal(n, sent);
	close(fd);
}

static void what_waited_for_one_client_is_not_given_to_the_next(void **state)
{
	uint8_t frame[2000], other[200], got[TEST_FRAME_MAX];
	struct rig *r = *state;
	int fd = test_stream_connect(r->port, r->pool);
	size_t len = test_frame_udp(frame, 1400, 1, false);

	stuff(r, frame, len);
	close(fd);
	fd = test_stream_connect(r->port, r->pool);
	len = test_frame_udp(other, 18, 9, false);
	test_tx(r->port, r->pool, other, len, NULL);
	assert_int_equal(test_stream_recv(r->port, r->pool, fd, got), len);
	assert_memory_equal(got, other, len);
	close(fd);
}

static void the_second_client_waits_until_the_first_is_gone(void **state)
{
	struct rig *r = *state;
	int first = test_stream_connect(r->port, r->pool);
	int second = test_stream_dial();
	uint8_t frame[200];
	size_t len = test_frame_udp(frame, 18, 1, false);

	test_stream_send(second, frame, len);
	assert_int_equal(work_off(r), 0);
	assert_false(is_awake(r->port)); /* who waits costs nothing */
	close(first);
	assert_int_equal(work_off(r), 1);
	assert_int_equal(port_get_state(r->port), PORT_UP);
	close(second);
}

static unsigned open_descriptors(void)
{
	unsigned n = 0;
	struct stat st;

	for (int fd = 0; fd < 1024; fd++)
		n += !fstat(fd, &st);
	return n;
}

static void a_storm_of_connections_leaves_nothing_behind(void **state)
{
	struct rig *r = *state;
	unsigned before = open_descriptors();

	for (unsigned i = 0; i < 2000; i++) {
		int fd = test_stream_dial();

		if (i % 3)
			send_raw(fd, "\0\0\0", i % 4);
		if (i % 2)
			work_off(r);
		close(fd);
	}
	work_off(r);
	assert_int_equal(port_get_state(r->port), PORT_DOWN);
	assert_int_equal(open_descriptors(), before);
	close(test_stream_connect(r->port, r->pool));
}

static void
without_descriptors_a_client_waits_and_the_worker_sleeps(void **state)
{
	struct rlimit old, none = { 0 };
	struct rig *r = *state;
	int fd = test_stream_dial();

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	none.rlim_max = old.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	for (unsigned i = 0; i < 3; i++)
		test_stream_work(r->port, r->pool);
	assert_int_equal(port_get_state(r->port), PORT_DOWN);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_false(is_awake(r->port));
	assert_false(r->port->ops->mend(r->port, false));
	work_off(r);
	assert_int_equal(port_get_state(r->port), PORT_UP);
	close(fd);
}

static void the_mtu_is_the_files_up_to_what_a_message_holds(void **state UNUSED)
{
	static const uint32_t mtus[][2] = { { 0, 1500 },
					    { 1400, 1400 },
					    { 9000, 9000 },
					    { 65535, STREAM_MTU_MAX } };

	for (unsigned i = 0; i < ARRAY_SIZE(mtus); i++) {
		char path[64];
		struct stream_config c = { .path = path, .mtu = mtus[i][0] };
		struct port *p;

		snprintf(path, sizeof(path), "/tmp/weft-mtu-%d.sock", getpid());
		p = stream_port_create("m", &c);
		assert_int_equal(p->ops->attach(p, NULL), 0);
		assert_int_equal(port_mtu(p), mtus[i][1]);
		p->ops->detach(p, false);
		p->ops->destroy(p);
	}
}

static void a_path_where_somebody_listens_is_refused(void **state)
{
	struct rig *r = *state;
	struct port *second = make_port();
	struct err e = ERR_INIT;

	assert_int_equal(second->ops->attach(second, &e), -EADDRINUSE);
	assert_non_null(strstr(e.text, "in use"));
	err_fini(&e);
	second->ops->destroy(second);
	close(test_stream_connect(r->port, r->pool));
}

static void
a_connection_that_is_kept_goes_on_after_attaching_again(void **state)
{
	struct rig *r = *state;
	int fd = test_stream_connect(r->port, r->pool);
	uint8_t frame[200];
	size_t len = test_frame_udp(frame, 18, 1, false);

	r->port->ops->detach(r->port, true);
	test_stream_send(fd, frame, len);
	assert_int_equal(r->port->ops->attach(r->port, NULL), 0);
	assert_int_equal(work_off(r), 1);
	r->port->ops->detach(r->port, false);
	assert_hung_up(fd);
	assert_int_equal(r->port->ops->attach(r->port, NULL), 0);
}

/* --- the manager's store --------------------------------------------------------- */

/* Where systemd would listen. */
static int manager_open(void)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(sun.sun_path, sizeof(sun.sun_path), "/tmp/weft-mgr-%d.sock",
		 getpid());
	unlink(sun.sun_path);
	assert_int_equal(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	setenv("NOTIFY_SOCKET", sun.sun_path, 1);
	return fd;
}

static void manager_close(int fd)
{
	close(fd);
	unlink(getenv("NOTIFY_SOCKET"));
	unsetenv("NOTIFY_SOCKET");
}

/* The descriptor that came with a message of this text; -1: none. */
static int manager_hears(int fd, const char *text)
{
	char said[256] = "", control[CMSG_SPACE(sizeof(int))];
	struct iovec iov = { said, sizeof(said) - 1 };
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };
	int got = -1;

	assert_true(recvmsg(fd, &m, MSG_DONTWAIT) > 0);
	assert_string_equal(said, text);
	if (CMSG_FIRSTHDR(&m))
		memcpy(&got, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(got));
	return got;
}

static void
the_manager_keeps_the_connection_and_not_one_that_ended(void **state)
{
	struct rig *r = *state;
	int manager = manager_open(), kept, fd;
	char byte;

	/* Over before the control thread looked: nothing to keep. */
	close(test_stream_connect(r->port, r->pool));
	work_off(r);
	r->port->ops->mend(r->port, false);
	assert_int_equal(recv(manager, &byte, 1, MSG_DONTWAIT), -1);
	fd = test_stream_connect(r->port, r->pool);
	r->port->ops->mend(r->port, false);
	assert_int_equal(
		manager_hears(manager, "FDSTOREREMOVE=1\nFDNAME=stream-vm1"),
		-1);
	kept = manager_hears(manager, "FDSTORE=1\nFDNAME=stream-vm1");
	assert_true(kept >= 0);
	/* Once is enough. */
	r->port->ops->mend(r->port, false);
	assert_int_equal(recv(manager, &byte, 1, MSG_DONTWAIT), -1);
	/* The client goes: the manager finds what it keeps hung up. */
	close(fd);
	work_off(r);
	assert_int_equal(recv(kept, &byte, 1, MSG_DONTWAIT), 0);
	close(kept);
	manager_close(manager);
}

/* --- senders on other threads ---------------------------------------------------- */

struct sender {
	struct rig *r;
	struct packet_pool *pool;
	unsigned thread;
	pthread_t id;
};

enum { SENDERS = 3, EACH = 3000 };

static void *sender_run(void *arg)
{
	struct sender *s = arg;
	uint8_t frame[200];
	size_t len = test_frame_udp(frame, 100, (uint8_t)s->thread, false);

	for (unsigned i = 0; i < EACH; i++) {
		struct packet_batch b = { .n = 1,
					  .p = { packet_alloc(s->pool) } };

		packet_fill(b.p[0], frame, (uint32_t)len);
		s->r->port->ops->tx(s->r->port, &b,
				    &s->r->port->counters[s->thread]);
		if (i % 64 == 0)
			usleep(100);
	}
	return NULL;
}

/* Nothing is forgotten in the ring: the worker is woken for the last frame, too. */
static void frames_of_many_threads_are_all_sent_or_counted(void **state)
{
	struct sender s[SENDERS];
	uint8_t got[TEST_FRAME_MAX];
	struct rig *r = *state;
	int fd = test_stream_connect(r->port, r->pool);
	struct port_counters sum;
	uint64_t n = 0;

	for (unsigned i = 0; i < SENDERS; i++) {
		s[i] = (struct sender){ r, packet_pool_create(4), i + 1, 0 };
		pthread_create(&s[i].id, NULL, sender_run, &s[i]);
	}
	for (;;) {
		struct pollfd pfd = { .fd = r->port->ops->rx_fd(r->port, 0),
				      .events = POLLIN };

		/* Only when woken, as a worker. */
		if (poll(&pfd, 1, 500) == 1)
			test_stream_work(r->port, r->pool);
		else
			break;
		while (recv(fd, got, 4, MSG_DONTWAIT) == 4) {
			uint32_t len = get_be32(got);

			assert_int_equal(recv(fd, got, len, MSG_DONTWAIT), len);
			n++;
		}
	}
	for (unsigned i = 0; i < SENDERS; i++) {
		pthread_join(s[i].id, NULL);
		packet_pool_destroy(s[i].pool);
	}
	port_counters_sum(r->port, &sum);
	assert_int_equal(sum.tx_packets, n);
	assert_int_equal(n + sum.drops[DROP_TX_FULL], SENDERS * EACH);
	close(fd);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_frame_in_single_bytes_arrives_whole),
		CASE(many_frames_in_one_piece_all_arrive),
		CASE(a_length_that_no_frame_has_ends_the_connection),
		CASE(a_frame_without_a_header_is_dropped_and_the_next_is_not),
		CASE(half_a_frame_leaves_nothing_to_the_next_client),
		CASE(who_does_not_read_costs_a_bounded_queue_and_no_work),
		CASE(what_waited_for_one_client_is_not_given_to_the_next),
		CASE(the_second_client_waits_until_the_first_is_gone),
		CASE(a_storm_of_connections_leaves_nothing_behind),
		CASE(without_descriptors_a_client_waits_and_the_worker_sleeps),
		cmocka_unit_test(
			the_mtu_is_the_files_up_to_what_a_message_holds),
		CASE(a_path_where_somebody_listens_is_refused),
		CASE(a_connection_that_is_kept_goes_on_after_attaching_again),
		CASE(the_manager_keeps_the_connection_and_not_one_that_ended),
		CASE(frames_of_many_threads_are_all_sent_or_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
