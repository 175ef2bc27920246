/* SPDX-License-Identifier: Apache-2.0 */
/* The accelerator: what a worker's cache also keeps in the kernel.
 *
 * What      flows between kernel devices whose actions BPF can do, under the
 *           same masks, the same dependencies and the same stamps as in the
 *           cache above it (the stamps' memory is shared with the kernel).
 * Why so    decision D1: userspace is the truth, this is a cache of its cache.
 *           A flow that the kernel does not hold, or that went stale, arrives
 *           by its port as ever.
 * Invariant A1 every kernel flow belongs to a flow of the cache and goes with
 *           it. A2 a device that is made again has another number: flows that
 *           sent to the old one are stale at once.
 * Threads   create, destroy, ports: the control thread. Flows and masks: the
 *           worker that owns the in-port's cache.
 * Layout    bpf/kernel.h. */
#ifndef DP_ACCEL_H
#define DP_ACCEL_H

#include "base/err.h"
#include "base/stamp.h"
#include "flow/key.h"
#include "flow/verdict.h"

struct accel;
struct port;
struct flow;

struct accel_use {
	uint64_t packets, bytes;
};

/* Why a flow is not in the kernel. */
enum accel_no {
	ACCEL_YES,
	ACCEL_NO_IN,     /* its in-port is none of ours */
	ACCEL_NO_OUT,    /* one of its ports is none of ours, or down */
	ACCEL_NO_ACTION, /* only userspace has one of its actions */
	ACCEL_NO_EDIT,   /* ... or can change what it changes */
	ACCEL_NO_ROOM,   /* too many actions or dependencies */
	ACCEL_NO_SIGHT,  /* it looks at what the kernel cannot see */
	ACCEL_NO_PLACE,  /* the kernel's table is full */
};
/* A sentence's end: "in userspace: ..."; NULL for yes. */
const char *accel_no_text(enum accel_no n);

/* NULL, with the reason in `e`: no rights, no support. */
struct accel *accel_create(struct err *e);
/* Every port is gone. NULL is fine. */
void accel_destroy(struct accel *a);
/* The stamps to use from now on. */
struct stamps *accel_stamps(struct accel *a);

/* The tc program, for tests. */
int accel_program(const struct accel *a);

/* The port is attached. Ports that are no kernel devices are left alone. */
void accel_port_add(struct accel *a, struct port *p);
void accel_port_del(struct accel *a, struct port *p);
/* Its MTU or state is another: what sends to it is decided anew. */
void accel_port_touch(struct accel *a, struct port *p);
bool accel_has_port(const struct accel *a, uint32_t port);
/* Another number after each of these three: what the kernel could not do, or did
 * by what is no more so, may be tried again. Any thread. */
uint32_t accel_epoch(const struct accel *a);

/* From now on the kernel keeps what it has, for whoever comes after us: flows and
 * ports that go here stay there. */
void accel_leave(struct accel *a);
/* While paused every frame comes to userspace (somebody wants to see it); flows
 * may be put, and are obeyed again afterwards. */
void accel_pause(struct accel *a, bool on);

/* Mask number `slot` (below DP_MAX_MASKS) of an in-port; its flows are out of
 * the kernel. False: it looks at what the kernel cannot see. */
bool accel_mask_set(struct accel *a, uint32_t port, unsigned slot,
		    const struct flow_mask *m);

/* Could the kernel do this? Asked once for each flow. */
enum accel_no accel_can(const struct accel *a, const struct flow_key *key,
			struct act_list actions);
/* Puts the flow there, if it is not out of reach after all. */
enum accel_no accel_put(struct accel *a, const struct flow *f, unsigned slot);
/* What passed in all since it was put. */
struct accel_use accel_read(struct accel *a, const struct flow *f,
			    unsigned slot);
/* Takes it out; what had passed in all. */
struct accel_use accel_take(struct accel *a, const struct flow *f,
			    unsigned slot);

#endif
