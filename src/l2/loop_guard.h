/* SPDX-License-Identifier: Apache-2.0 */
/* Loop guard: a port that brings our own frames back is blocked.
 *
 * What      sends a small probe out of each port of a bridge, all the time; a
 *           probe that comes back names the port it left by: these two ports
 *           are one loop, and one of them is blocked until it is gone.
 * Why so    probes work with any foreign switch in the loop, need nobody's
 *           consent and no election, and delay no port (spanning tree's 30
 *           seconds are a pain of their own). The probe's destination is a
 *           group address drawn for this bridge on this host: others flood it
 *           as any unknown group, we alone take it. Only a probe that carries
 *           our keyed mark counts, so nobody who has not seen a probe of a port
 *           can have that port blocked.
 * Signals   stations that jump between two ports make both ports probe at
 *           once. Jumps alone never block: anybody can forge a source address.
 * States    OPEN  -> BLOCKED  loop_guard_rx: our probe came back
 *           BLOCKED -> OPEN   loop_guard_tick: no probe came back for hold_ms;
 *           hold_ms doubles with each block, up to LOOP_HOLD_MAX_MS, and is
 *           back at LOOP_HOLD_MS after LOOP_CALM_MS without one.
 * Rules     of two ports in a loop the one with the higher cost is blocked, the
 *           higher number when costs are equal. A blocked port passes nothing
 *           but probes, both ways: the pipeline still punts frames to the probe
 *           address, and our probes are still sent there. Of two blocked ports
 *           that see each other only the one to be blocked first stays so.
 *           A probe counts for two rounds, so that none can be kept for later.
 * Bounds    LOOP_MAX_PORTS ports; LOOP_PROBES_A_SECOND for all of them: a bridge
 *           with more than that many ports takes more than a second for a
 *           round, and then relies on jumping stations to be quick.
 * Threads   the control thread. */
#ifndef L2_LOOP_GUARD_H
#define L2_LOOP_GUARD_H

#include "base/addr.h"
#include "base/env.h"

#define LOOP_ETHERTYPE 0x88b5u /* IEEE 802-2014 9.2.3: local experimental */
#define LOOP_FRAME_LEN 60u
#define LOOP_INTERVAL_MS 700u
#define LOOP_HOLD_MS 5000u
#define LOOP_HOLD_MAX_MS 300000u
#define LOOP_CALM_MS 600000u
#define LOOP_PROBES_A_SECOND 200u
#define LOOP_MAX_PORTS 65536u

struct loop_guard;

enum loop_out_kind {
	LOOP_SEND,    /* send frame out of port, untagged, unlearned */
	LOOP_BLOCK,   /* port brings back what left by `other` */
	LOOP_UNBLOCK, /* the loop at port is gone */
};

struct loop_out {
	enum loop_out_kind kind;
	uint32_t port, other;
	uint64_t hold_ms; /* BLOCK: quiet time until it is opened again */
	uint8_t frame[LOOP_FRAME_LEN];
};

/* `mac` is the source of probes. Draws the bridge's id from env. */
struct loop_guard *loop_guard_create(struct eth_addr mac, struct env *env);
void loop_guard_destroy(struct loop_guard *g);
/* The destination of this guard's probes, for snap_bridge.probe_mac. */
struct eth_addr loop_guard_probe_mac(const struct loop_guard *g);

/* cost: the higher is blocked first; give a NIC less than a guest. Adding a
 * port (or its link coming up) probes at once. -EEXIST, -ENOSPC. */
int loop_guard_port_add(struct loop_guard *g, uint32_t port, uint32_t cost,
			uint64_t now_ms) MUST_CHECK;
void loop_guard_port_del(struct loop_guard *g, uint32_t port);
bool loop_guard_is_blocked(const struct loop_guard *g, uint32_t port);

/* A frame to our probe address came in by `port`; true when it was ours. */
bool loop_guard_rx(struct loop_guard *g, uint32_t port, const void *frame,
		   uint32_t len, uint64_t now_ms);
/* A station jumps between these ports (mac_table_take_flap). */
void loop_guard_flap(struct loop_guard *g, uint32_t port_a, uint32_t port_b,
		     uint64_t now_ms);
void loop_guard_tick(struct loop_guard *g, uint64_t now_ms);
uint64_t loop_guard_next_deadline(const struct loop_guard *g);
/* What is to be done, oldest first; false when there is no more. */
bool loop_guard_take(struct loop_guard *g, struct loop_out *out);

#endif
