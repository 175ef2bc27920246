/* SPDX-License-Identifier: Apache-2.0 */
/* A port by a Unix socket: a virtual machine without any privilege.
 *
 * What      listens at a path for QEMU's `-netdev stream,addr.type=unix`; one
 *           client at a time, the next waits until it is gone.
 * Why so    needs no device, no capability, no namespace: who may write to the
 *           socket's file may connect (decision D10). There is no virtio-net
 *           header in the stream, so frames are finished and of MTU size.
 * Invariant T1 only the receiving worker touches the sockets; senders put frames
 *           into `out`, a ring of bytes, and wake it. So no lock is held over a
 *           system call.
 *           T2 a frame is sent whole by one message, or not yet: a daemon that
 *           is killed leaves the stream where a frame begins, and its successor
 *           goes on with the connection that systemd kept (sys/notify.h).
 *           T3 what the client sends is bounded by the buffer, and how long it
 *           takes is no matter; a length that cannot be closes the connection.
 *           T4 what may take its time (the manager's store) is the control
 *           thread's: the worker leaves a copy of the connection for it.
 * Threads   as port.h says; mend: the control thread.
 * Owns      the sockets, and the socket's file unless it is kept. */
#ifndef PORT_STREAM_H
#define PORT_STREAM_H

#include "port/port.h"

/* Bytes that wait for a slow client (TX_FULL beyond), and that are received at
 * once: more than the kernel lets a client have under way, so that a receive ends
 * where a frame does (T2). */
#define STREAM_OUT (256u << 10)
#define STREAM_IN (256u << 10)
#define STREAM_SENDS 32u      /* frames by one system call */
#define STREAM_MTU_MAX 32000u /* a message of the kernel's (T2) */

struct stream_config {
	const char *path;
	bool has_group; /* who may connect besides our own user */
	uint32_t group;
	uint32_t mtu; /* 0: 1500 */
};

/* Where it listens; the port's. */
const char *stream_port_path(const struct port *p);
struct port *stream_port_create(const char *name,
				const struct stream_config *c);

#endif
