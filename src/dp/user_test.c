/* SPDX-License-Identifier: Apache-2.0 */
/* What is the userspace datapath's own: how it groups, shares and sleeps, and
 * that it comes up whole or not at all. The contract itself: contract_test.c. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "dp/contract_rig.h"
#include "dp/user.h"

/* --- address space that runs out --------------------------------------------- */

static long maps_left = -1; /* atomic; -1: without end */

/* In front of the C library's, for all that is linked here; as long as that. */
#define MMAP_PARAMETERS                                                        \
	void *at, size_t len, int prot, int flags, int fd, off_t offset

void *mmap(MMAP_PARAMETERS)
{
	long left = __atomic_load_n(&maps_left, __ATOMIC_RELAXED);

	if (!left) {
		errno = ENOMEM;
		return MAP_FAILED;
	}
	if (left > 0)
		__atomic_sub_fetch(&maps_left, 1, __ATOMIC_RELAXED);
	return (void *)syscall(SYS_mmap, at, len, prot, flags, fd, offset);
}

static unsigned open_files(void)
{
	unsigned n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* Pages of address space. */
static long mapped(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	long pages = 0;

	assert_non_null(f);
	assert_int_equal(fscanf(f, "%ld", &pages), 1);
	fclose(f);
	return pages;
}

/* The n-th allocation fails, for each n: no datapath, and nothing else is lost. */
static void without_memory_there_is_no_datapath(void **state)
{
	struct rig *r = *state;
	unsigned files = open_files();
	struct dp *dp = NULL;
	long n, before;

	/* The C library keeps the stacks of threads that were. */
	r->ops->destroy(r->ops->create(&r->config));
	before = mapped();
	for (n = 0; !dp && n < 1000; n++) {
		__atomic_store_n(&maps_left, n, __ATOMIC_RELAXED);
		dp = r->ops->create(&r->config);
		__atomic_store_n(&maps_left, -1, __ATOMIC_RELAXED);
		if (!dp)
			assert_int_equal(open_files(), files);
	}
	assert_non_null(dp);
	assert_true(n > 20);
	r->ops->destroy(dp);
	assert_int_equal(open_files(), files);
	/* Far less than one of all those mappings. */
	assert_true(mapped() - before < 2048);
}

/* --- ports that note how they are asked -------------------------------------- */

struct noting {
	struct port port;
	struct rig *gate;                /* where tx waits, or NULL */
	unsigned calls, frames, largest; /* of tx; read when quiet */
};

static void noting_tx(struct port *port, struct packet_batch *b,
		      struct port_counters *c)
{
	struct noting *n = container_of(port, struct noting, port);

	if (n->gate)
		rig_gate_pass(n->gate);
	n->calls++;
	n->frames += b->n;
	n->largest = MAX(n->largest, b->n);
	c->tx_packets += b->n;
	packet_batch_free(b);
}

static int noting_rx_fd(struct port *port UNUSED, unsigned queue UNUSED)
{
	return -1;
}

static const struct port_ops noting_ops = { .type = "noting",
					    .rx_fd = noting_rx_fd,
					    .tx = noting_tx };

static struct noting *noting_create(struct rig *r, uint32_t id)
{
	struct noting *n = xzalloc(sizeof(*n));

	port_init(&n->port, &noting_ops, "noting");
	n->port.id = id;
	n->port.mtu = 1500;
	assert_int_equal(r->ops->port_add(r->dp, &n->port), 0);
	return n;
}

static void noting_destroy(struct rig *r, struct noting *n)
{
	r->ops->port_del(r->dp, n->port.id);
	free(n);
}

/* What waits when the port is added comes as whole batches. */
static void send_waiting(struct rig *r, unsigned n)
{
	rig_port_del(r, 1);
	rig_send_n(r, 1, n);
	rig_port_add(r, 1);
	rig_settle(r);
}

static void a_batch_stays_one_to_each_port(void **state)
{
	struct rig *r = *state;
	struct noting *a = noting_create(r, 101), *b = noting_create(r, 102);

	rig_say(r, "output:101,output:102");
	send_waiting(r, 20 * PACKET_BATCH_MAX);
	assert_int_equal(a->frames, 20 * PACKET_BATCH_MAX);
	assert_int_equal(b->frames, 20 * PACKET_BATCH_MAX);
	assert_int_equal(a->calls, 20);
	assert_int_equal(b->calls, 20);
	noting_destroy(r, a);
	noting_destroy(r, b);
}

/* Far more copies at once than a thread has buffers. */
#define WIDE 700u

static void a_burst_is_flooded_whole_to_many_ports(void **state)
{
	struct rig *r = *state;
	struct policy *all = rig_policy("");
	struct noting *to[WIDE];

	for (uint32_t i = 0; i < WIDE; i++) {
		to[i] = noting_create(r, 1000 + i);
		acts_output(&all->acts, 1000 + i);
	}
	rig_publish(r, all);
	send_waiting(r, 2 * PACKET_BATCH_MAX);
	assert_int_equal(rig_drops(r, 1, DROP_POOL_EMPTY), 0);
	for (uint32_t i = 0; i < WIDE; i++) {
		assert_int_equal(to[i]->frames, 2 * PACKET_BATCH_MAX);
		noting_destroy(r, to[i]);
	}
	assert_int_equal(rig_drops_all(r), 0);
}

/* --- a port of several queues, of several workers ---------------------------- */

#define QUEUES 4u

struct wide {
	struct port port;
	struct port *queue[QUEUES];
};

static int wide_rx_fd(struct port *port, unsigned queue)
{
	struct wide *w = container_of(port, struct wide, port);

	return w->queue[queue]->ops->rx_fd(w->queue[queue], 0);
}

static int wide_rx(struct port *port, unsigned queue, struct packet_batch *b,
		   struct packet_pool *pool)
{
	struct wide *w = container_of(port, struct wide, port);

	return w->queue[queue]->ops->rx(w->queue[queue], 0, b, pool);
}

static const struct port_ops wide_ops = { .type = "wide",
					  .rx_fd = wide_rx_fd,
					  .rx = wide_rx };

static struct wide *wide_create(struct rig *r, uint32_t id)
{
	const struct dummy_config plain = { .record = true };
	struct wide *w = xzalloc(sizeof(*w));

	port_init(&w->port, &wide_ops, "wide");
	w->port.id = id;
	w->port.n_queues = QUEUES;
	for (unsigned q = 0; q < QUEUES; q++)
		w->queue[q] = rig_port_create(id, &plain);
	assert_int_equal(r->ops->port_add(r->dp, &w->port), 0);
	return w;
}

static void wide_destroy(struct wide *w)
{
	for (unsigned q = 0; q < QUEUES; q++)
		w->queue[q]->ops->destroy(w->queue[q]);
	free(w);
}

static void wide_send(struct rig *r, struct wide *w, unsigned n)
{
	struct port_counters c;
	uint64_t before;
	uint32_t len = rig_frame(r, 1, 2, 0);

	port_counters_sum(&w->port, &c);
	before = c.rx_packets;
	for (unsigned i = 0; i < n; i++)
		for (unsigned q = 0; q < QUEUES; q++)
			assert_true(
				dummy_inject(w->queue[q], r->frame, len, NULL));
	for (unsigned i = 0; i < 20000; i++) {
		port_counters_sum(&w->port, &c);
		if (c.rx_packets == before + QUEUES * n)
			break;
		usleep(100);
	}
	(void)rig_stats(r);
	assert_int_equal(c.rx_packets, before + QUEUES * n);
}

static void note_worker(void *ctx, const struct dp_flow *f)
{
	unsigned *of_worker = ctx;

	of_worker[f->worker]++;
}

static void a_port_of_several_queues_is_one_port(void **state)
{
	struct rig *r = *state;
	struct wide *w = wide_create(r, 300);
	unsigned of_worker[3] = { 0 };

	rig_say(r, "output:2");
	wide_send(r, w, 20);
	rig_expect(r, 2, 20 * QUEUES);
	/* Every worker keeps what it serves itself. */
	r->ops->flow_dump(r->dp, 100, note_worker, of_worker);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(of_worker[i], 1);
	assert_int_equal(rig_stats(r).misses, 3);
	r->ops->port_del(r->dp, 300);
	assert_int_equal(rig_stats(r).flows, 0);
	wide_destroy(w);
}

/* One queue that fails is told once, the others go on. */
static void a_queue_that_fails_fails_alone(void **state)
{
	struct rig *r = *state;
	struct wide *w = wide_create(r, 300);

	rig_say(r, "output:2");
	wide_send(r, w, 1);
	rig_drain(r, 2);
	dummy_fail(w->queue[1], -EIO);
	assert_true(dummy_inject(w->queue[1], r->frame, 64, NULL));
	for (unsigned i = 0; !rig_told(r).failed && i < 20000; i++)
		usleep(100);
	assert_true(dummy_inject(w->queue[2], r->frame, 64, NULL));
	for (unsigned i = 0; !dummy_sent(r->port[2]) && i < 20000; i++)
		usleep(100);
	rig_expect(r, 2, 1);
	assert_int_equal(rig_told(r).failed, 1);
	assert_int_equal(rig_told(r).failed_port, 300);
	r->ops->port_del(r->dp, 300);
	wide_destroy(w);
}

/* --- fair, and quiet --------------------------------------------------------- */

/* One port has all its queue holds, others one frame: they wait for a batch of
 * the busy one, not for all of it. */
static void nobody_waits_for_more_than_a_batch_of_another(void **state)
{
	const struct dp_config c = { .n_workers = 1 };
	struct rig *r = rig_again(state, &c);
	struct packet *p;
	unsigned busy = 0;

	rig_say(r, "output:4");
	for (uint32_t i = 1; i <= 3; i++)
		rig_port_del(r, i);
	for (unsigned i = 0; i < 500; i++)
		rig_send(r, 1, 1, 9);
	for (uint32_t i = 2; i <= 3; i++)
		rig_send(r, i, i, 9);
	/* It finds them all at once. */
	rig_gate_shut(r, 1);
	rig_send(r, 8, 8, 9);
	rig_gate_reached(r);
	for (uint32_t i = 1; i <= 3; i++)
		rig_port_add(r, i);
	rig_gate_open_soon(r);
	rig_settle(r);
	(void)rig_gate_was_open(r);
	for (unsigned others = 0; others < 3;) {
		p = rig_take(r, 4);
		assert_non_null(p);
		if (p->data[11] == 1)
			busy++;
		else
			others++;
		packet_free(p);
	}
	assert_true(busy <= PACKET_BATCH_MAX);
	rig_expect(r, 4, 500 - busy);
}

/* --- ports that go at a bad moment ------------------------------------------- */

/* One worker is inside tx of a port that another one serves. */
static void port_del_waits_for_who_sends(void **state)
{
	struct rig *r = *state;
	struct noting *n = noting_create(r, 303);

	rig_say(r, "output:303");
	n->gate = r;
	rig_gate_shut(r, 2); /* the first is the translation */
	rig_send(r, 1, 1, 9);
	rig_gate_reached(r);
	rig_gate_open_soon(r);
	r->ops->port_del(r->dp, 303);
	assert_true(rig_gate_was_open(r));
	assert_int_equal(n->frames, 1);
	free(n);
	rig_settle(r);
}

/* A batch is half done: some frames wait to be sent by the port that goes. */
static void what_waits_for_a_port_that_goes_is_counted(void **state)
{
	struct rig *r = *state;

	rig_say(r, "output:2");
	rig_port_del(r, 1);
	for (uint32_t i = 0; i < 5; i++)
		rig_send(r, 1, i, 9);
	rig_gate_shut(r, 5);
	rig_port_add(r, 1);
	rig_gate_reached(r);
	rig_gate_open_soon(r);
	rig_port_del(r, 2);
	assert_true(rig_gate_was_open(r));
	rig_settle(r);
	rig_expect(r, 2, 0);
	assert_int_equal(rig_drops(r, 1, DROP_NO_PORT), 5);
}

/* The port goes amid a batch of its own, with more frames behind it. */
static void a_port_that_goes_is_not_served_again(void **state)
{
	struct rig *r = *state;

	rig_say(r, "output:2");
	rig_port_del(r, 1);
	rig_send_n(r, 1, 200);
	rig_gate_shut(r, 1);
	rig_port_add(r, 1);
	rig_gate_reached(r);
	rig_gate_open_soon(r);
	rig_port_del(r, 1);
	assert_true(rig_gate_was_open(r));
	(void)rig_stats(r);
	assert_true(rig_counters(r, 1).rx_packets <= PACKET_BATCH_MAX);
	rig_drain(r, 2);
	rig_port_add(r, 1);
	rig_settle(r);
}

/* How often threads of ours went to sleep so far. */
static long sleeps(void)
{
	struct rusage u;

	assert_int_equal(getrusage(RUSAGE_SELF, &u), 0);
	return u.ru_nvcsw;
}

static void who_has_nothing_to_do_sleeps(void **state)
{
	struct rig *r = *state;
	long before;

	rig_say(r, "output:2");
	rig_send_n(r, 1, 100);
	rig_settle(r);
	rig_pass_ms(r, 12000); /* the flow is gone, and its sweep */
	assert_int_equal(rig_stats(r).flows, 0);
	usleep(20000);
	before = sleeps();
	usleep(300000);
	assert_true(sleeps() - before < 10);
}

static unsigned n_workers(const struct rig *r)
{
	return ((const struct dp_user *)(const void *)r->dp)->n_workers;
}

/* As many as are asked for, within what ports count for. */
static void workers_are_as_many_as_asked(void **state)
{
	const struct dp_config many = { .n_workers = 1000 };
	const struct dp_config few = { .n_workers = 0 };
	struct rig *r = rig_again(state, &many);

	rig_say(r, "output:2");
	for (uint32_t i = 1; i <= RIG_PORTS; i++)
		rig_send_n(r, i, 10);
	rig_settle(r);
	rig_expect(r, 2, RIG_PORTS * 10);
	assert_true(n_workers(r) <
		    PORT_MAX_THREADS); /* and the control thread */
	r = rig_again(state, &few);
	rig_say(r, "output:2");
	rig_send_n(r, 1, 10);
	rig_settle(r);
	rig_expect(r, 2, 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST_OF(without_memory_there_is_no_datapath, user),
		RIG_TEST_OF(a_batch_stays_one_to_each_port, user),
		RIG_TEST_OF(a_burst_is_flooded_whole_to_many_ports, user),
		RIG_TEST_OF(a_port_of_several_queues_is_one_port, user),
		RIG_TEST_OF(a_queue_that_fails_fails_alone, user),
		RIG_TEST_OF(nobody_waits_for_more_than_a_batch_of_another,
			    user),
		RIG_TEST_OF(port_del_waits_for_who_sends, user),
		RIG_TEST_OF(what_waits_for_a_port_that_goes_is_counted, user),
		RIG_TEST_OF(a_port_that_goes_is_not_served_again, user),
		RIG_TEST_OF(who_has_nothing_to_do_sleeps, user),
		RIG_TEST_OF(workers_are_as_many_as_asked, user),
	};

	return RIG_RUN(tests);
}
