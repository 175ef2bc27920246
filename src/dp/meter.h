/* SPDX-License-Identifier: Apache-2.0 */
/* Meters: packets a second, shared by all threads without a lock.
 *
 * What      the generic cell rate algorithm: one atomic "theoretical arrival
 *           time" a meter.
 * Why so    a compare-and-swap a packet, no refill; a rate is rounded to whole
 *           nanoseconds between packets.
 * Threads   set: the control thread. pass: any.
 * Refs      ITU-T I.371 (GCRA, virtual scheduling). */
#ifndef DP_METER_H
#define DP_METER_H

#include "base/defs.h"

/* Thirty years: now_ns + burst never overflows. */
#define METER_BURST_NS_MAX 1000000000000000000u

struct meter {                /* all atomic; written by the control thread */
	uint64_t arrival_ns;  /* theoretical, of the next packet */
	uint64_t interval_ns; /* between packets; 0: unlimited */
	uint64_t burst_ns;    /* how far arrival may be ahead of now */
};

/* Rate in packets a second, 0: unlimited. `burst` packets pass at once (at least
 * one). What is owed under another rate is forgotten. */
static inline void meter_set(struct meter *m, uint64_t rate, uint64_t burst)
{
	uint64_t interval = rate ? MAX(1000000000u / rate, 1u) : 0;
	uint64_t most = interval ? METER_BURST_NS_MAX / interval : 0;
	uint64_t burst_ns = interval * MIN(burst ? burst - 1 : 0, most);

	if (interval == m->interval_ns && burst_ns == m->burst_ns)
		return;
	__atomic_store_n(&m->burst_ns, burst_ns, __ATOMIC_RELAXED);
	__atomic_store_n(&m->arrival_ns, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&m->interval_ns, interval, __ATOMIC_RELAXED);
}

/* May one packet pass now? */
static inline bool meter_pass(struct meter *m, uint64_t now_ns)
{
	uint64_t interval = __atomic_load_n(&m->interval_ns, __ATOMIC_RELAXED);
	uint64_t burst = __atomic_load_n(&m->burst_ns, __ATOMIC_RELAXED);
	uint64_t old = __atomic_load_n(&m->arrival_ns, __ATOMIC_RELAXED);
	uint64_t start;

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
