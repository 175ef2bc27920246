/* SPDX-License-Identifier: Apache-2.0 */
#include "switch/failed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define FEW 100u

struct heard {
	struct loop *loop;
	struct failed_ports f;
	unsigned n;
};

static void hear(void *arg)
{
	struct heard *h = arg;
	struct failed_port p;

	while (failed_ports_take(&h->f, &p)) {
		assert_int_equal(p.port, h->n);
		assert_int_equal(p.error, -(int)h->n);
		if (++h->n == FEW)
			loop_stop(h->loop);
	}
}

static void failed_ports_are_told_in_order(void **state UNUSED)
{
	struct heard h = { .loop = loop_create() };

	failed_ports_init(&h.f, h.loop, hear, &h);
	for (unsigned i = 0; i < FEW; i++)
		failed_ports_add(&h.f, i, -(int)i);
	loop_run(h.loop);
	assert_int_equal(h.n, FEW);
	failed_ports_fini(&h.f);
	loop_destroy(h.loop);
}

/* The leak checker is the judge, too. */
static void nobody_hears_of_what_failed_at_the_end(void **state UNUSED)
{
	struct heard h = { .loop = loop_create() };

	failed_ports_init(&h.f, h.loop, hear, &h);
	failed_ports_add(&h.f, 0, 0);
	failed_ports_fini(&h.f);
	loop_run_ms(h.loop, 5);
	assert_int_equal(h.n, 0);
	loop_destroy(h.loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(failed_ports_are_told_in_order),
		cmocka_unit_test(nobody_hears_of_what_failed_at_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
