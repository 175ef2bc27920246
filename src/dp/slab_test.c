/* SPDX-License-Identifier: Apache-2.0 */
/* Memory of the cache: blocks that do not overlap, lists that are kept once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "dp/program.h"
#include "packet/test_frame.h"

#define BLOCKS 300u

struct block {
	uint8_t *p;
	size_t n;
	uint8_t mark;
};

static void block_fill(struct block *b, uint8_t mark)
{
	b->mark = mark;
	memset(b->p, mark, b->n);
}

static void block_check(const struct block *b)
{
	for (size_t i = 0; i < b->n; i++)
		assert_int_equal(b->p[i], b->mark);
}

static size_t random_size(uint64_t *seed)
{
	switch (frame_random(seed, 10)) {
	case 0:
		return frame_random(seed, SLAB_LARGE_MAX + 1);
	case 1:
		return SLAB_SMALL_MAX - 2 + frame_random(seed, 5);
	case 2:
		return SLAB_STEP * frame_random(seed, 33);
	default:
		return frame_random(seed, 700);
	}
}

static void blocks_do_not_overlap(void **state UNUSED)
{
	static struct block blocks[BLOCKS];
	uint64_t seed = 1;
	struct slab s;

	memset(blocks, 0, sizeof(blocks));
	assert_int_equal(slab_init(&s, 64u << 20), 0);
	for (unsigned i = 0; i < 20000; i++) {
		struct block *b = &blocks[frame_random(&seed, BLOCKS)];

		if (b->p) {
			block_check(b);
			slab_free(&s, b->p, b->n);
			b->p = NULL;
			continue;
		}
		b->n = random_size(&seed);
		b->p = slab_alloc(&s, b->n);
		assert_non_null(b->p);
		assert_int_equal((uintptr_t)b->p % SLAB_STEP, 0);
		assert_true(slab_index(&s, b->p) > 0);
		assert_ptr_equal(slab_at(&s, slab_index(&s, b->p)), b->p);
		block_fill(b, (uint8_t)i);
	}
	for (unsigned i = 0; i < BLOCKS; i++)
		if (blocks[i].p)
			block_check(&blocks[i]);
	slab_fini(&s);
}

static void what_is_given_back_is_given_again(void **state UNUSED)
{
	void *p[100];
	struct slab s;
	size_t used;

	assert_int_equal(slab_init(&s, 100 * 256 + SLAB_STEP), 0);
	for (unsigned i = 0; i < 100; i++) {
		p[i] = slab_alloc(&s, 256);
		assert_non_null(p[i]);
	}
	assert_null(slab_alloc(&s, 1));
	assert_null(slab_alloc(&s, SLAB_LARGE_MAX));
	used = s.used;
	for (unsigned i = 0; i < 100; i++)
		slab_free(&s, p[i], 256);
	for (unsigned i = 0; i < 100; i++)
		assert_non_null(slab_alloc(&s, 193 + i % 64));
	assert_null(slab_alloc(&s, 200));
	assert_int_equal(s.used, used);
	slab_fini(&s);
}

static void address_space_may_be_refused(void **state UNUSED)
{
	struct slab s;

	assert_true(slab_init(&s, SIZE_MAX / 2) < 0);
}

static struct program *get_output(struct programs *ps, uint32_t port)
{
	static struct acts a;

	acts_clear(&a);
	acts_output(&a, port);
	return program_get(ps, acts_list(&a));
}

static void equal_lists_are_one_program(void **state UNUSED)
{
	struct programs ps;
	struct program *one;
	struct slab s;

	assert_int_equal(slab_init(&s, 8u << 20), 0);
	assert_int_equal(programs_init(&ps, &s), 0);
	one = get_output(&ps, 1);
	assert_non_null(one);
	for (uint32_t i = 2; i < 20000; i++)
		assert_ptr_not_equal(get_output(&ps, i), one);
	assert_int_equal(ps.n, 19999);
	assert_ptr_equal(get_output(&ps, 1), one);
	assert_int_equal(one->refs, 2);
	assert_int_equal(one->only_output, 1);
	program_put(&ps, one);
	assert_ptr_equal(get_output(&ps, 1), one);
	program_put(&ps, one);
	program_put(&ps, one);
	assert_int_equal(ps.n, 19998);
	for (uint32_t i = 2; i < 20000; i++) {
		struct program *p = get_output(&ps, i);

		assert_int_equal(p->refs, 2);
		program_put(&ps, p);
		program_put(&ps, p);
	}
	assert_int_equal(ps.n, 0);
	programs_fini(&ps);
	slab_fini(&s);
}

static void a_list_without_room_is_refused(void **state UNUSED)
{
	struct programs ps;
	struct slab s;
	uint32_t kept = 0;

	assert_int_equal(slab_init(&s, 64 * SLAB_STEP), 0);
	assert_int_equal(programs_init(&ps, &s), 0);
	while (get_output(&ps, kept + 1))
		kept++;
	assert_true(kept > 20 && kept < 64);
	assert_int_equal(ps.n, kept);
	/* One that is there needs no room. */
	assert_non_null(get_output(&ps, 1));
	programs_fini(&ps);
	slab_fini(&s);
}

/* The two shapes that are run without the interpreter, and no others. */
static void short_programs_are_recognised(void **state UNUSED)
{
	struct programs ps;
	struct program *p;
	struct slab s;
	struct acts *a = xzalloc(sizeof(*a));

	assert_int_equal(slab_init(&s, 1u << 20), 0);
	assert_int_equal(programs_init(&ps, &s), 0);
	acts_drop(a, DROP_STORM);
	p = program_get(&ps, acts_list(a));
	assert_int_equal(p->only_drop, DROP_STORM);
	assert_int_equal(p->only_output, 0);
	acts_clear(a);
	acts_output(a, 3);
	acts_output(a, 4);
	p = program_get(&ps, acts_list(a));
	assert_int_equal(p->only_output, 0);
	assert_int_equal(p->only_drop, 0);
	acts_clear(a);
	acts_u32(a, ACT_METER, 3);
	p = program_get(&ps, acts_list(a));
	assert_int_equal(p->only_output, 0);
	assert_int_equal(p->only_drop, 0);
	programs_fini(&ps);
	slab_fini(&s);
	free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blocks_do_not_overlap),
		cmocka_unit_test(what_is_given_back_is_given_again),
		cmocka_unit_test(address_space_may_be_refused),
		cmocka_unit_test(equal_lists_are_one_program),
		cmocka_unit_test(a_list_without_room_is_refused),
		cmocka_unit_test(short_programs_are_recognised),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
