/* SPDX-License-Identifier: Apache-2.0 */
#include "dp/drop_log.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct packet_pool *pool;
static struct drop_log *log_;

static int setup(void **state UNUSED)
{
	pool = packet_pool_create(8);
	log_ = xzalloc(sizeof(*log_));
	return 0;
}

static int teardown(void **state UNUSED)
{
	packet_pool_destroy(pool);
	free(log_);
	return 0;
}

static struct packet *packet_of(uint32_t in_port, uint8_t fill, uint32_t len)
{
	struct packet *p = packet_alloc(pool);

	must(p);
	memset(p->data, fill, len);
	p->len = len;
	p->in_port = in_port;
	return p;
}

static void drop(uint32_t in_port, uint8_t fill, enum drop d, uint64_t now_ms)
{
	struct packet *p = packet_of(in_port, fill, 300);

	drop_log_note(log_, p, d, now_ms);
	packet_free(p);
}

struct seen {
	unsigned n;
	struct drop_note last;
};

static void see(void *ctx, const struct drop_note *n)
{
	struct seen *s = ctx;

	s->n++;
	s->last = *n;
}

static void the_last_packet_of_a_kind_is_kept(void **state UNUSED)
{
	struct seen s = { 0 };

	drop(3, 0x11, DROP_TTL, 100);
	drop(3, 0x22, DROP_TTL, 250);
	drop_log_dump(log_, see, &s);
	assert_int_equal(s.n, 1);
	assert_int_equal(s.last.in_port, 3);
	assert_int_equal(s.last.reason, DROP_TTL);
	assert_int_equal(s.last.first_ms, 100);
	assert_int_equal(s.last.last_ms, 250);
	assert_int_equal(s.last.len, 300);
	assert_int_equal(s.last.kept, DROP_LOG_BYTES);
	assert_int_equal(s.last.data[0], 0x22);
	assert_int_equal(s.last.data[DROP_LOG_BYTES - 1], 0x22);
}

static void of_a_flood_one_packet_a_millisecond_is_kept(void **state UNUSED)
{
	struct seen s = { 0 };

	drop(3, 0x11, DROP_TTL, 100);
	drop(3, 0x22, DROP_TTL, 100);
	drop_log_dump(log_, see, &s);
	assert_int_equal(s.last.data[0], 0x11);
}

static void kinds_are_kept_apart(void **state UNUSED)
{
	struct seen s = { 0 };

	drop(3, 1, DROP_TTL, 1);
	drop(3, 1, DROP_LOOP, 1);
	drop(4, 1, DROP_TTL, 1);
	drop_log_dump(log_, see, &s);
	assert_int_equal(s.n, 3);
}

static void memory_is_bounded_and_the_newer_stays(void **state UNUSED)
{
	struct seen s = { 0 };

	for (uint32_t port = 1; port <= 10 * DROP_LOG_SLOTS; port++)
		drop(port, 1, DROP_TTL, port);
	drop_log_dump(log_, see, &s);
	assert_true(s.n <= DROP_LOG_SLOTS);
	drop(7, 9, DROP_TTL, 99999);
	memset(&s, 0, sizeof(s));
	drop_log_dump(log_, see, &s);
	assert_true(s.n <= DROP_LOG_SLOTS);
}

#define ROUNDS 20000u

static void *reader(void *arg UNUSED)
{
	for (unsigned i = 0; i < ROUNDS / 100; i++) {
		struct seen s = { 0 };

		drop_log_dump(log_, see, &s);
		/* never half of one packet and half of another */
		for (unsigned k = 1; s.n && k < s.last.kept; k++)
			must(s.last.data[k] == s.last.data[0]);
	}
	return NULL;
}

static void readers_see_whole_packets(void **state UNUSED)
{
	pthread_t t;

	pthread_create(&t, NULL, reader, NULL);
	for (unsigned i = 1; i < ROUNDS; i++)
		drop(1, (uint8_t)i, DROP_TTL, i);
	pthread_join(t, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			the_last_packet_of_a_kind_is_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(
			of_a_flood_one_packet_a_millisecond_is_kept, setup,
			teardown),
		cmocka_unit_test_setup_teardown(kinds_are_kept_apart, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			memory_is_bounded_and_the_newer_stays, setup, teardown),
		cmocka_unit_test_setup_teardown(readers_see_whole_packets,
						setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
