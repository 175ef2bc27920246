/* SPDX-License-Identifier: Apache-2.0 */
/* Read-copy-update: readers without locks.
 *
 * What      liburcu's QSBR flavour under weft's names.
 * Why so    a reader costs nothing: a worker is "inside" from rcu_online until
 *           it says rcu_quiescent (between batches) or goes offline (before it
 *           sleeps).
 * Rules     every thread that reads calls rcu_thread_register first. Nobody
 *           sleeps while online. rcu_synchronize only from a thread that holds
 *           no lock a reader may want.
 * Sanitizer liburcu is a library that the thread sanitizer does not see into; in
 *           such a build each end of a grace period is told to it.
 * Threads   the control thread frees what readers may still see by rcu_defer
 *           (after a grace period, on a helper thread of liburcu's). */
#ifndef BASE_RCU_H
#define BASE_RCU_H

#include "base/defs.h"

/* rcu_defer runs fn(head) once no reader can still hold what was unpublished
 * before; `head` is a member of the object to free. */
#ifndef __SANITIZE_THREAD__

#define _LGPL_SOURCE /* inline */
#include <urcu/urcu-qsbr.h>

#define rcu_thread_register() urcu_qsbr_register_thread()
#define rcu_thread_unregister() urcu_qsbr_unregister_thread()
#define rcu_quiescent() urcu_qsbr_quiescent_state()
#define rcu_offline() urcu_qsbr_thread_offline()
#define rcu_online() urcu_qsbr_thread_online()
#define rcu_synchronize() urcu_qsbr_synchronize_rcu()
#define rcu_defer(head, fn) urcu_qsbr_call_rcu(head, fn)

#else /* It does not see inside liburcu: what was waited for is told to it. */

#include <sanitizer/tsan_interface.h>
#include <urcu/urcu-qsbr.h>

/* One address that the whole program shares. */
#define RCU_GRACE ((void *)(uintptr_t)&urcu_qsbr_synchronize_rcu)

#define rcu_thread_register() urcu_qsbr_register_thread()
#define rcu_thread_unregister()                                                \
	(__tsan_release(RCU_GRACE), urcu_qsbr_unregister_thread())
#define rcu_quiescent() (__tsan_release(RCU_GRACE), urcu_qsbr_quiescent_state())
#define rcu_offline() (__tsan_release(RCU_GRACE), urcu_qsbr_thread_offline())
#define rcu_online() urcu_qsbr_thread_online()
#define rcu_synchronize()                                                      \
	(urcu_qsbr_synchronize_rcu(), __tsan_acquire(RCU_GRACE))

struct rcu_told {
	struct rcu_head rcu;
	struct rcu_head *head;
	void (*fn)(struct rcu_head *head);
};

static inline void rcu_told_call(struct rcu_head *rcu)
{
	struct rcu_told *told = container_of(rcu, struct rcu_told, rcu);

	__tsan_acquire(RCU_GRACE);
	told->fn(told->head);
	free(told);
}

static inline void rcu_defer(struct rcu_head *head,
			     void (*fn)(struct rcu_head *head))
{
	struct rcu_told *told = xmalloc(sizeof(*told));

	told->head = head;
	told->fn = fn;
	__tsan_release(RCU_GRACE);
	urcu_qsbr_call_rcu(&told->rcu, rcu_told_call);
}

#endif

/* Waits for every rcu_defer of before; for orderly ends and tests. */
#define rcu_barrier_wait() urcu_qsbr_barrier()

#define rcu_load(p) __atomic_load_n(&(p), __ATOMIC_ACQUIRE)
#define rcu_publish(p, v) __atomic_store_n(&(p), (v), __ATOMIC_RELEASE)

#endif
