/* SPDX-License-Identifier: Apache-2.0 */
#include "port/test_stream.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/be.h"
#include "port/stream_frame.h"
#include "port/test_net.h"
#include "sys/unix_socket.h"

#define TRIES 2000 /* of a millisecond */

const char *test_stream_path(void)
{
	static char path[64];

	snprintf(path, sizeof(path), "/tmp/weft-stream-%d.sock", getpid());
	return path;
}

int test_stream_dial(void)
{
	struct err e = ERR_INIT;
	int fd = unix_socket_connect(test_stream_path(), &e);

	if (fd < 0)
		fail_msg("%s", e.text);
	return fd;
}

unsigned test_stream_work(struct port *p, struct packet_pool *pool)
{
	struct packet_batch b = { 0 };
	unsigned n;

	assert_true(p->ops->rx(p, 0, &b, pool) >= 0);
	n = b.n;
	packet_batch_free(&b);
	return n;
}

int test_stream_connect(struct port *p, struct packet_pool *pool)
{
	int fd = test_stream_dial();

	/* A client of before may have to be found gone first. */
	for (int i = 0; i < TRIES; i++) {
		test_stream_work(p, pool);
		if (port_get_state(p) == PORT_UP && i > 2)
			return fd;
		usleep(1000);
	}
	fail_msg("the port does not come up");
	return -1;
}

void test_stream_send(int fd, const void *frame, size_t len)
{
	uint8_t length[STREAM_LENGTH_LEN];

	put_be32(length, (uint32_t)len);
	assert_int_equal(send(fd, length, sizeof(length), MSG_NOSIGNAL),
			 sizeof(length));
	assert_int_equal(send(fd, frame, len, MSG_NOSIGNAL), len);
}

int test_stream_recv(struct port *p, struct packet_pool *pool, int fd,
		     uint8_t *frame)
{
	uint8_t length[STREAM_LENGTH_LEN];
	uint32_t len, at = 0;
	ssize_t n;

	test_stream_work(p, pool);
	if (recv(fd, length, sizeof(length), MSG_DONTWAIT) != sizeof(length))
		return -EAGAIN;
	len = get_be32(length);
	assert_true(len <= TEST_FRAME_MAX);
	for (int i = 0; i < TRIES && at < len; i++) {
		test_stream_work(p, pool);
		n = recv(fd, frame + at, len - at, MSG_DONTWAIT);
		at += n > 0 ? (uint32_t)n : 0;
	}
	assert_int_equal(at, len);
	return (int)len;
}
