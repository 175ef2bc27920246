/* SPDX-License-Identifier: Apache-2.0 */
/* For this room's tests: the far end of a stream port, as QEMU is it.
 *
 * What      connects, sends and hears frames with their lengths in front.
 * Note      a port's sockets move when its worker calls rx; here the test does. */
#ifndef PORT_TEST_STREAM_H
#define PORT_TEST_STREAM_H

#include "port/port.h"

/* A path of this process's own, the same each time. */
const char *test_stream_path(void);
/* Connects, without the port knowing of it yet: a descriptor. */
int test_stream_dial(void);
/* Connects and waits until the port is up. */
int test_stream_connect(struct port *p, struct packet_pool *pool);
/* Lets the port work; what it receives is freed, and counted in the result. */
unsigned test_stream_work(struct port *p, struct packet_pool *pool);
void test_stream_send(int fd, const void *frame, size_t len);
/* The next frame's length (at most TEST_FRAME_MAX), or -EAGAIN. */
int test_stream_recv(struct port *p, struct packet_pool *pool, int fd,
		     uint8_t *frame);

#endif
