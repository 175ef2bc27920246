/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the userspace datapath: what its files share.
 *
 * What      the datapath, its threads (workers, and the control thread when it
 *           sends), and how a batch travels: exec.c; how a worker lives:
 *           worker.c; the contract of dp.h: user.c.
 * Invariant U1 `ports` is read inside RCU; a port taken out of it is closed only
 *           after a grace period and a worker_call. U2 a dp_thread is used by
 *           one thread. U3 packets in tx queues belong to the thread.
 * Threads   each member says whose it is. */
#ifndef DP_USER_H
#define DP_USER_H

#include <pthread.h>

#include "base/rcu.h"
#include "dp/accel.h"
#include "dp/cache.h"
#include "dp/capture.h"
#include "dp/dp.h"
#include "dp/meter.h"
#include "flow/interp.h"
#include "sys/thread.h"

/* Buffers of a thread: a batch being received, copies of a flood under way. */
#define THREAD_POOL 512u
#define TX_QUEUED_MAX 256u /* of them, waiting to be sent */
#define FLOWS_PER_PORT_DEFAULT 65536u
#define FLOWS_MAX_DEFAULT 262144u
#define FLOW_IDLE_MS_DEFAULT 10000u
#define SWEEP_MS 1000u  /* every flow is looked at this often */
#define SWEEP_STEPS 10u /* ... in this many steps */
#define DP_MAX_ACTIVE 256u

struct tx_queue {
	struct tx_queue *next_touched;
	uint32_t port;
	bool touched;
	struct packet_batch batch;
};

/* What one thread needs to move packets. */
struct dp_thread {
	struct dp_user *dp;
	unsigned index; /* of port counters */
	struct packet_pool *pool;
	struct interp interp;
	struct tx_queue **tx; /* by port; lazily touched */
	struct tx_queue *touched;
	unsigned n_queued; /* packets in all tx queues */
	uint64_t now_ms, now_ns;
	const struct capture_set *captures; /* NULL: none; until quiescent */
	const struct flow_key *key;         /* of the packet being executed */
	struct verdict *verdict;            /* scratch */
	struct cache *cache;                /* NULL: the control thread */
	struct dp_stats stats;
	struct drop_log *drops;
};

/* A queue of a port, as one worker polls it. */
struct rx_queue {
	struct port *port;
	unsigned queue;
	bool failed;
	bool active; /* had a full batch: look again before sleeping */
};

struct worker {
	struct dp_thread t;
	struct cache cache;
	struct thread thread;
	struct wake wake;
	struct poller poller;
	bool stop;             /* atomic */
	struct flow_key *keys; /* one a packet of a batch */
	uint64_t next_sweep_ms;
	/* Queues with frames left, served in turn. */
	struct rx_queue *active[DP_MAX_ACTIVE];
	unsigned n_active;
	/* One request at a time from the control thread. */
	pthread_mutex_t call_lock; /* control waits; workers never contend */
	pthread_cond_t call_done;
	void (*call_fn)(struct worker *w, void *arg);
	void *call_arg;
	bool call_pending; /* atomic */
};

struct dp_user_port {
	struct port *port;
	struct rx_queue rx[PORT_MAX_QUEUES];
};

struct dp_user {
	const struct dp_ops *ops;
	struct dp_config config;
	struct dp_user_port **ports; /* by number; read inside RCU */
	struct meter *meters;        /* by id; lazily touched */
	unsigned n_workers;
	struct worker *workers;
	struct dp_thread control;
	struct capture_set *captures; /* read inside RCU */
};

/* exec.c */
int dp_thread_init(struct dp_thread *t, struct dp_user *dp, unsigned index,
		   struct cache *cache) MUST_CHECK;
void dp_thread_fini(struct dp_thread *t);
void dp_thread_clock(struct dp_thread *t);
/* Frames of one in-port: look up, run, queue for tx. Takes the packets. */
void dp_receive(struct dp_thread *t, uint32_t in_port, struct packet_batch *b,
		struct flow_key *keys);
/* Translates and runs one packet without a cache. Takes it. */
void dp_translate_one(struct dp_thread *t, struct packet *p);
void dp_run_list(struct dp_thread *t, struct packet *p,
		 const struct flow_key *key, struct act_list list);
/* Sends all that is queued. */
void dp_flush(struct dp_thread *t);
void dp_count_drop(struct dp_thread *t, uint32_t in_port, enum drop reason);
/* This thread's counters of a port; NULL when there is none. */
struct port_counters *dp_counters(struct dp_thread *t, uint32_t port);

/* offload.c */
extern const struct cache_mirror offload_mirror; /* of a dp_thread */
/* A flow that was just made: may the kernel have it? */
void offload_consider(struct dp_thread *t, struct flow *f,
		      const struct flow_key *key);
void offload_put(struct dp_thread *t, struct flow *f);
/* The same for one whose answer is of old; it is out of the kernel. */
void offload_again(struct dp_thread *t, struct flow *f,
		   const struct flow_key *key);
/* NULL: the kernel has it. */
const char *offload_why_not(const struct dp_thread *t, const struct flow *f);
/* The flow's counters have what the kernel counted. */
void offload_sync(struct dp_thread *t, struct flow *f);

/* worker.c */
int worker_start(struct worker *w, struct dp_user *dp,
		 unsigned index) MUST_CHECK;
void worker_stop(struct worker *w);
int worker_add(struct worker *w, struct rx_queue *q) MUST_CHECK;
void worker_del(struct worker *w, struct rx_queue *q);
/* Runs fn on the worker, between batches, and waits for it. */
void worker_call(struct worker *w, void (*fn)(struct worker *w, void *arg),
		 void *arg);

static inline struct port *dp_port(const struct dp_user *dp, uint32_t id)
{
	const struct dp_user_port *p =
		id <= DP_MAX_PORTS ? rcu_load(dp->ports[id]) : NULL;

	return p ? p->port : NULL;
}

#endif
