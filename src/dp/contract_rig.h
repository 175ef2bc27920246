/* SPDX-License-Identifier: Apache-2.0 */
/* For tests: a datapath with dummy ports, and a pipeline that says what the test
 * wants.
 *
 *      test --rig_give--> [port 1] --> datapath --> [port 2] --rig_take--> test
 *                                        |  ^
 *                       translate, apply, punt: the rig's, noted down
 *
 * What      the same test runs over every datapath that fulfils dp.h: the rig
 *           knows how to wait for one with threads and how to drive one without.
 * Threads   the functions: the test's. The callbacks: any; a mutex guards what
 *           they note, the policy is published by RCU. The policy before the
 *           present one is freed as soon as barrier() has returned. */
#ifndef DP_CONTRACT_RIG_H
#define DP_CONTRACT_RIG_H

#include <pthread.h>

#include "dp/accel.h"
#include "dp/contract_wire.h"
#include "dp/dp.h"
#include "packet/test_frame.h"
#include "port/dummy.h"

#define RIG_PORTS 8u
#define RIG_PUNTS 64u
#define RIG_COUNTER 7u /* every packet counts here */
#define RIG_START_NS 5000000000u

struct provider {
	const char *name;
	const struct dp_ops *ops;
	unsigned (*poll)(struct dp *dp); /* NULL: it has threads of its own */
	bool in_kernel; /* with an accelerator, on ports with real devices */
};

/* What translation says; `decide` NULL: `acts` for all, told apart by their
 * Ethernet addresses, counting in RIG_COUNTER. */
struct policy {
	void (*decide)(const struct policy *p, const struct flow_key *key,
		       struct verdict *v);
	uint32_t generation;
	enum drop drop; /* of an empty list */
	struct acts acts;
};

struct rig_punt {
	uint32_t in_port, len;
	uint32_t key_port,
		key_src; /* the key's; the last byte of the address */
	uint8_t head[64];
	struct act_punt action;
};

/* What the callbacks were told. */
struct told {
	uint64_t translated;
	uint64_t applied, packets, bytes; /* past ones included */
	uint64_t past;                    /* packets told too late to learn */
	struct dp_use last;
	unsigned punted, failed;
	struct rig_punt punt[RIG_PUNTS];
	uint32_t failed_port;
	int failed_error;
};

struct rig_env {
	struct env env;
	uint64_t ns, seed; /* atomic */
};

struct rig {
	const struct provider *is;
	const struct dp_ops *ops;
	struct dp *dp;
	struct dp_config config;
	struct rig_env env;
	struct stamps *stamps;
	struct accel *accel;              /* NULL: none */
	struct port *port[RIG_PORTS + 1]; /* by number, from 1 */
	struct wire *wire[RIG_PORTS + 1]; /* of those that have a device */
	bool in[RIG_PORTS + 1];           /* the datapath has it */
	uint64_t given[RIG_PORTS + 1];
	struct packet_pool *pool; /* the test's own */
	const struct policy *policy;
	unsigned punts_allowed; /* atomic */
	pthread_mutex_t lock;
	struct told told;
	void (*on_translate)(struct rig *r); /* atomic; in the worker */
	/* The gate; all atomic. */
	unsigned gate_in; /* passes until it is shut; 0: there is none */
	bool gate_reached, gate_open;
	pthread_t gate_keeper;
	uint8_t frame[FRAME_MAX];
};

extern const struct provider rig_user, rig_fake, rig_bpf;

/* One test over every datapath; over some. */
#define RIG_TEST_OF(fn, is)                                                    \
	{                                                                      \
#fn " (" #is ")", fn, rig_setup, rig_teardown,                 \
			(void *)(uintptr_t)&rig_##is                           \
	}
#define RIG_TEST_HERE(fn) RIG_TEST_OF(fn, user), RIG_TEST_OF(fn, fake)
#define RIG_TEST(fn) RIG_TEST_HERE(fn), RIG_TEST_OF(fn, bpf)
/* Runs the tests; without the right to use BPF those of it are left out, and
 * it says so. */
#define RIG_RUN(tests)                                                         \
	(rig_look_around(), cmocka_run_group_tests(tests, rig_begin, rig_end))
void rig_look_around(void);
/* Around the group, and around each test. */
int rig_begin(void **state);
int rig_end(void **state);
int rig_setup(void **state);
int rig_teardown(void **state);
/* The test goes on with a new one, of these limits. */
struct rig *rig_again(void **state, const struct dp_config *config);

/* `config`: limits to set, or NULL. Ports 1..RIG_PORTS exist, are up and in. */
struct rig *rig_create(const struct provider *is,
		       const struct dp_config *config);
void rig_destroy(struct rig *r);
struct port *rig_port_create(uint32_t id, const struct dummy_config *c);
/* In place of the port that is there, with other abilities, without a device. */
void rig_port_replace(struct rig *r, uint32_t id, const struct dummy_config *c);
void rig_port_add(struct rig *r, uint32_t id);
void rig_port_del(struct rig *r, uint32_t id);

/* Publishes, bumps the snapshot's stamp, calls barrier. */
void rig_say(struct rig *r, const char *actions);
void rig_decide(struct rig *r,
		void (*decide)(const struct policy *p,
			       const struct flow_key *key, struct verdict *v));
void rig_publish(struct rig *r, struct policy *p);
struct policy *rig_policy(const char *actions);

/* 64 bytes of UDP from station to station, numbered; then put into rx. */
uint32_t rig_frame(struct rig *r, uint32_t from, uint32_t to, uint32_t n);
void rig_send(struct rig *r, uint32_t port, uint32_t from, uint32_t to);
void rig_send_n(struct rig *r, uint32_t port, unsigned n);
void rig_give(struct rig *r, uint32_t port, const struct packet *p);
void rig_give_bytes(struct rig *r, uint32_t port, const void *bytes,
		    uint32_t len);
/* Waits until every frame given has been moved. */
void rig_settle(struct rig *r);
/* The clock goes on, in steps of a sweep's. */
void rig_pass_ms(struct rig *r, uint64_t ms);

/* The n-th translation from now on waits at a gate, in its worker. */
void rig_gate_shut(struct rig *r, unsigned n);
/* For others that are to wait there. */
void rig_gate_pass(struct rig *r);
/* Waits until somebody is at the gate. */
void rig_gate_reached(struct rig *r);
/* Opens it in a while, from another thread. */
void rig_gate_open_soon(struct rig *r);
/* Is it open by now? For good, after this. */
bool rig_gate_was_open(struct rig *r);

/* The oldest frame that left by the port; NULL: none. Free it. */
struct packet *rig_take(struct rig *r, uint32_t port);
/* How many; they are thrown away. */
unsigned rig_drain(struct rig *r, uint32_t port);
/* Fails unless exactly so many left by the port, and throws them away. */
void rig_expect(struct rig *r, uint32_t port, unsigned n);
/* The number that rig_frame gave. */
uint32_t rig_number(const struct packet *p);
uint64_t rig_drops(struct rig *r, uint32_t port, enum drop reason);
/* Drops of all ports and reasons. */
uint64_t rig_drops_all(struct rig *r);
struct port_counters rig_counters(struct rig *r, uint32_t port);
struct told rig_told(struct rig *r);
struct dp_stats rig_stats(struct rig *r);

#endif
