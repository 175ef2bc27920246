/* SPDX-License-Identifier: Apache-2.0 */
/* Meters: packets a second, shared by all threads without a lock.
 *
 * What      the generic cell rate algorithm: one atomic "theoretical arrival
 *           time" a meter.
 * Why so    a compare-and-swap a packet, no refill, exact at any rate.
 * Threads   set: the control thread. pass: any.
 * Refs      ITU-T I.371 (GCRA, virtual scheduling). */
#ifndef DP_METER_H
#define DP_METER_H

#include "base/defs.h"

struct meter {
	_Atomic(uint64_t) arrival_ns;  /* theoretical, of the next packet */
	_Atomic(uint64_t) interval_ns; /* between packets; 0: unlimited */
	_Atomic(uint64_t) burst_ns;
};

static inline void meter_set(struct meter *m, uint64_t rate, uint64_t burst)
{
	uint64_t interval = rate ? MAX(1000000000u / rate, 1u) : 0;

	m->interval_ns = interval;
	m->burst_ns = interval * burst;
}

/* May one packet pass now? */
static inline bool meter_pass(struct meter *m, uint64_t now_ns)
{
	uint64_t interval = m->interval_ns, burst = m->burst_ns;
	uint64_t old = m->arrival_ns, start;

	if (!interval)
		return true;
	do {
		start = MAX(old, now_ns);
		if (start - now_ns > burst)
			return false;
	} while (!__atomic_compare_exchange_n(
		&m->arrival_ns, &old, start + interval, true, __ATOMIC_RELAXED,
		__ATOMIC_RELAXED));
	return true;
}

#endif
