/* SPDX-License-Identifier: Apache-2.0 */
/* For this room's tests: a network of one's own, raw ends, frames.
 *
 * What      the test process moves into a namespace of its own (nothing of the
 *           machine is touched); named namespaces beside it carry the process
 *           number and are removed at the end.
 * Note      without the right to make namespaces a test is skipped (77). */
#ifndef PORT_TEST_NET_H
#define PORT_TEST_NET_H

#include "packet/offload.h"
#include "port/port.h"
#include "sys/netlink.h"

#define TEST_NET_NAME_MAX 64u
#define TEST_FRAME_MAX 70000u

/* Into an own namespace with lo up, IPv6 quiet. Exits 77 when not permitted. */
void test_net_enter(void);
/* "weft-PID-SUFFIX": made anew, removed by test_net_leave. */
const char *test_net_ns(const char *suffix);
void test_net_ns_del(const char *name);
void test_net_leave(void);
/* A shell command; fails the test when it fails. */
void test_run(const char *fmt, ...) PRINTF_LIKE(1, 2);
/* The same, its success as the result. */
bool test_try(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* What it says, to free(). */
char *test_output(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* A packet socket with virtio-net headers on a device of a namespace (NULL: our
 * own): the end that a test sends from and hears at. */
int test_raw_open(const char *ns, const char *device);
/* A TAP or TUN opened by name with virtio-net headers of 10 bytes, as a machine
 * or program does. */
int test_tap_open(const char *device, bool tun);

/* Through either of them; h NULL: no offload. 0 or -errno. */
int test_raw_send(int fd, const void *frame, size_t len,
		  const struct vnet_header *h);
/* The frame's length, or -errno; -EAGAIN after `ms`. */
int test_raw_recv(int fd, void *frame, size_t cap, struct vnet_header *h,
		  int ms);

/* Ethernet, IPv4, UDP to port 7 with `payload` bytes that count up from `seed`;
 * layer 3 only when `l3`. All checksums right. Returns the length. */
size_t test_frame_udp(uint8_t *out, size_t payload, uint8_t seed, bool l3);
/* A TCP segment of `payload` bytes whose checksum is unfinished, and the header
 * that says so and that segments of `mss` are to be made of it. */
size_t test_frame_tcp(uint8_t *out, size_t payload, uint16_t mss, bool l3,
		      struct vnet_header *h);

/* Asks rx of queue 0 until there is something, at most `ms`: rx's result. */
int test_rx(struct port *p, struct packet_batch *b, struct packet_pool *pool,
	    int ms);
/* Sends one frame by the port's tx; a tunnel named 127.0.0.1 sends to 127.0.0.2,
 * any other to 127.0.0.1. */
void test_tx(struct port *p, struct packet_pool *pool, const void *frame,
	     size_t len, const struct vnet_header *h);

#endif
