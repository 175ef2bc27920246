/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "sys/loop.h"
#include "sys/thread.h"

struct trail {
	struct loop *loop;
	char text[64];
};

static void note(struct trail *t, char c)
{
	size_t len = strlen(t->text);

	t->text[len] = c;
	t->text[len + 1] = '\0';
}

static void note_a(void *arg)
{
	note(arg, 'a');
}

static void note_b(void *arg)
{
	note(arg, 'b');
}

static void stop(void *arg)
{
	loop_stop(arg);
}

static void timers_run_once_in_the_order_of_their_times(void **state UNUSED)
{
	struct trail t = { .loop = loop_create() };
	struct timer a, b, end;

	timer_init(&a, t.loop, note_a, &t);
	timer_init(&b, t.loop, note_b, &t);
	timer_init(&end, t.loop, stop, t.loop);
	timer_set(&a, 30);
	timer_set(&b, 10);
	timer_set(&end, 60);
	assert_true(timer_is_set(&a));
	loop_run(t.loop);
	assert_string_equal(t.text, "ba");
	assert_false(timer_is_set(&a));
	timer_fini(&a);
	timer_fini(&b);
	timer_fini(&end);
	timer_fini(&end);
	loop_destroy(t.loop);
}

static void cancelled_timer_does_not_run(void **state UNUSED)
{
	struct trail t = { .loop = loop_create() };
	struct timer a;

	timer_init(&a, t.loop, note_a, &t);
	timer_set(&a, 5);
	timer_cancel(&a);
	loop_run_ms(t.loop, 20);
	assert_string_equal(t.text, "");
	timer_set(&a, 1);
	timer_set(&a, 500); /* the later setting counts */
	loop_run_ms(t.loop, 20);
	assert_string_equal(t.text, "");
	timer_fini(&a);
	loop_destroy(t.loop);
}

struct ear {
	struct watch *watch; /* on the heap: freed from inside its callback */
	struct loop *loop;
	int fd[2];
	unsigned calls, last;
};

static void hear_and_go(void *arg, unsigned ready)
{
	struct ear *e = arg;

	e->calls++;
	e->last = ready;
	watch_fini(e->watch);
	free(e->watch);
	e->watch = NULL;
	loop_stop(e->loop);
}

static void a_watch_may_be_freed_by_its_own_callback(void **state UNUSED)
{
	struct ear e = { .loop = loop_create(),
			 .watch = xzalloc(sizeof(struct watch)) };

	assert_return_code(pipe(e.fd), 0);
	watch_init(e.watch, e.loop, e.fd[0], hear_and_go, &e);
	watch_set(e.watch, WATCH_READ);
	assert_int_equal(write(e.fd[1], "x", 1), 1);
	loop_run(e.loop);
	loop_run_ms(e.loop, 10);
	assert_int_equal(e.calls, 1);
	assert_int_equal(e.last, WATCH_READ);
	close(e.fd[0]);
	close(e.fd[1]);
	loop_destroy(e.loop);
}

static void hear(void *arg, unsigned ready)
{
	struct ear *e = arg;

	e->calls++;
	e->last = ready;
	if (ready & WATCH_WRITE)
		watch_set(e->watch, WATCH_NONE);
}

static void interest_decides_what_is_told(void **state UNUSED)
{
	struct watch w;
	struct ear e = { .loop = loop_create(), .watch = &w };

	assert_return_code(pipe(e.fd), 0);
	watch_init(&w, e.loop, e.fd[1], hear, &e);
	loop_run_ms(e.loop, 5);
	assert_int_equal(e.calls, 0);
	watch_set(&w, WATCH_WRITE);
	loop_run_ms(e.loop, 5);
	assert_int_equal(e.calls, 1);
	assert_int_equal(e.last, WATCH_WRITE);
	watch_fini(&w);
	watch_fini(&w);
	close(e.fd[0]);
	close(e.fd[1]);
	loop_destroy(e.loop);
}

struct again {
	struct defer d;
	unsigned n;
};

static void defer_again(void *arg)
{
	struct again *a = arg;

	a->n++;
	defer_set(&a->d);
}

static void a_defer_that_sets_itself_starves_nobody(void **state UNUSED)
{
	struct loop *loop = loop_create();
	struct again a = { .n = 0 };
	struct timer end;

	defer_init(&a.d, loop, defer_again, &a);
	timer_init(&end, loop, stop, loop);
	defer_set(&a.d);
	defer_set(&a.d);
	timer_set(&end, 20);
	loop_run(loop);
	assert_true(a.n > 1);
	defer_fini(&a.d);
	timer_fini(&end);
	loop_destroy(loop);
}

struct counter {
	struct loop *loop;
	unsigned last[4], n, wrong;
};

struct mail {
	struct loop_call call;
	struct counter *to;
	unsigned from, number;
};

static void receive(void *arg)
{
	struct mail *m = arg;

	if (m->number != m->to->last[m->from]++)
		m->to->wrong++;
	if (++m->to->n == 4000)
		loop_stop(m->to->loop);
	free(m);
}

struct sender {
	struct thread thread;
	struct counter *to;
	unsigned id;
};

static void send_all(void *arg)
{
	struct sender *s = arg;

	for (unsigned i = 0; i < 1000; i++) {
		struct mail *m = xmalloc(sizeof(*m));

		m->to = s->to;
		m->from = s->id;
		m->number = i;
		loop_call_init(&m->call, receive, m);
		loop_wake(s->to->loop, &m->call);
	}
}

static void calls_of_many_threads_all_arrive_in_order(void **state UNUSED)
{
	struct counter c = { .loop = loop_create() };
	struct sender s[4];

	for (unsigned i = 0; i < 4; i++) {
		s[i].to = &c;
		s[i].id = i;
		assert_int_equal(thread_start(&s[i].thread, "sender",
					      THREAD_ANY_CPU, send_all, &s[i]),
				 0);
	}
	loop_run(c.loop);
	for (unsigned i = 0; i < 4; i++)
		thread_join(&s[i].thread);
	assert_int_equal(c.n, 4000);
	assert_int_equal(c.wrong, 0);
	loop_destroy(c.loop);
}

static void a_call_woken_twice_runs_once(void **state UNUSED)
{
	struct trail t = { .loop = loop_create() };
	struct loop_call c;

	loop_call_init(&c, note_a, &t);
	loop_wake(t.loop, &c);
	loop_wake(t.loop, &c);
	loop_run_ms(t.loop, 5);
	assert_string_equal(t.text, "a");
	loop_wake(t.loop, &c);
	loop_run_ms(t.loop, 5);
	assert_string_equal(t.text, "aa");
	loop_destroy(t.loop);
}

static void signals_reach_the_loop(void **state UNUSED)
{
	struct trail t = { .loop = loop_create() };

	assert_int_equal(loop_signal(t.loop, SIGUSR1, note_a, &t), 0);
	raise(SIGUSR1);
	loop_run_ms(t.loop, 10);
	assert_string_equal(t.text, "a");
	loop_destroy(t.loop);
}

static void a_stop_before_the_run_counts(void **state UNUSED)
{
	struct loop *loop = loop_create();

	loop_stop(loop);
	loop_run(loop); /* returns at once, or the test times out */
	loop_destroy(loop);
}

static uint64_t cpu_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

static void an_idle_loop_uses_no_cpu(void **state UNUSED)
{
	struct loop *loop = loop_create();
	uint64_t before = cpu_us();

	loop_run_ms(loop, 300);
	assert_in_range(cpu_us() - before, 0, 5000);
	loop_destroy(loop);
}

static void tell(void *arg)
{
	wake_signal(arg);
}

static void a_poller_sleeps_until_it_is_woken(void **state UNUSED)
{
	struct poller_event ev[4];
	struct thread t;
	struct poller p;
	struct wake w;

	assert_int_equal(poller_init(&p), 0);
	assert_int_equal(wake_init(&w), 0);
	assert_int_equal(poller_add(&p, w.fd, POLLER_READ, 42), 0);
	assert_int_equal(poller_wait(&p, ev, 4, 0), 0);
	assert_int_equal(thread_start(&t, "a name longer than fits",
				      thread_cpu(0), tell, &w),
			 0);
	assert_int_equal(poller_wait(&p, ev, 4, POLLER_FOREVER), 1);
	assert_int_equal(ev[0].token, 42);
	assert_int_equal(ev[0].ready, POLLER_READ);
	thread_join(&t);
	thread_join(&t);
	wake_clear(&w);
	assert_int_equal(poller_wait(&p, ev, 4, 0), 0);
	poller_del(&p, w.fd);
	wake_signal(&w);
	assert_int_equal(poller_wait(&p, ev, 4, 0), 0);
	wake_fini(&w);
	poller_fini(&p);
}

static void there_is_a_cpu_to_run_on(void **state UNUSED)
{
	assert_true(thread_n_cpus() >= 1);
	assert_true(thread_cpu(0) >= 0);
	assert_int_equal(thread_cpu(thread_n_cpus()), THREAD_ANY_CPU);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(timers_run_once_in_the_order_of_their_times),
		cmocka_unit_test(cancelled_timer_does_not_run),
		cmocka_unit_test(a_watch_may_be_freed_by_its_own_callback),
		cmocka_unit_test(interest_decides_what_is_told),
		cmocka_unit_test(a_defer_that_sets_itself_starves_nobody),
		cmocka_unit_test(calls_of_many_threads_all_arrive_in_order),
		cmocka_unit_test(a_call_woken_twice_runs_once),
		cmocka_unit_test(signals_reach_the_loop),
		cmocka_unit_test(a_stop_before_the_run_counts),
		cmocka_unit_test(an_idle_loop_uses_no_cpu),
		cmocka_unit_test(a_poller_sleeps_until_it_is_woken),
		cmocka_unit_test(there_is_a_cpu_to_run_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
