/* SPDX-License-Identifier: Apache-2.0 */
/* Notes: cut, shuffled, doubled, lost, and joined again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "overlay/note.h"

static uint32_t draw(uint64_t *seed, uint32_t below)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*seed >> 33) % below;
}

static char *random_text(uint64_t *seed, uint32_t len)
{
	char *text = xmalloc(len);

	for (uint32_t i = 0; i < len; i++)
		text[i] = (char)('a' + draw(seed, 26));
	return text;
}

static bool give(struct note_join *j, const struct note *n, unsigned part)
{
	uint8_t frame[NOTE_FRAME_MAX];
	uint32_t len = note_encode(n, part, frame);
	struct note_part p;

	assert_true(note_decode(frame, len, &p));
	assert_int_equal(p.part, part);
	assert_true(p.id == n->id && p.kind == n->kind);
	return note_join_put(j, &p);
}

/* In any order, some of them twice. */
static void shuffled_parts_make_the_note(void **state)
{
	uint64_t seed = 5;
	(void)state;

	for (unsigned round = 0; round < 300; round++) {
		uint32_t len = 1 + draw(&seed, NOTE_MAX);
		char *text = random_text(&seed, len);
		struct note n = { NOTE_ANSWER, round, text, len };
		struct note_join j = { 0 };
		uint32_t given = 0, all = note_parts(&n);
		unsigned missing = all;

		while (missing) {
			unsigned part = draw(&seed, all);
			bool is_new = !(given & 1u << part);

			missing -= is_new;
			given |= 1u << part;
			assert_int_equal(give(&j, &n, part),
					 is_new && !missing);
		}
		assert_int_equal(j.len, len);
		assert_memory_equal(j.text, text, len);
		assert_int_equal(j.text[len], '\0');
		note_join_fini(&j);
		free(text);
	}
}

static void another_note_begins_anew(void **state)
{
	struct note a = { NOTE_ASK, 1, NULL, 2 * NOTE_PART };
	struct note b = { NOTE_ASK, 2, NULL, 2 * NOTE_PART };
	struct note_join j = { 0 };
	uint64_t seed = 1;
	char *text = random_text(&seed, a.len);
	(void)state;

	a.text = b.text = text;
	assert_false(give(&j, &a, 0));
	assert_false(give(&j, &b, 1));
	assert_false(give(&j, &a, 1));
	assert_true(give(&j, &a, 0));
	assert_int_equal(j.id, 1);
	note_join_fini(&j);
	free(text);
}

static void assert_refused(unsigned at, uint8_t value, uint32_t len)
{
	struct note n = { NOTE_ASK, 1, "why", 3 };
	uint8_t frame[NOTE_FRAME_MAX];
	struct note_part p;

	assert_int_equal(note_encode(&n, 0, frame), NOTE_HEADER_LEN + 3);
	frame[at] = value;
	assert_false(note_decode(frame, len, &p));
}

static void what_is_no_note_is_refused(void **state)
{
	(void)state;
	assert_refused(13, 0xb5, NOTE_HEADER_LEN + 3); /* another type */
	assert_refused(14, 2, NOTE_HEADER_LEN + 3);    /* a later version */
	assert_refused(15, 0, NOTE_HEADER_LEN + 3);    /* of no kind */
	assert_refused(15, N_NOTE_KINDS, NOTE_HEADER_LEN + 3);
	assert_refused(16, 1, NOTE_HEADER_LEN + 3); /* part 1 of 1 */
	assert_refused(17, 0, NOTE_HEADER_LEN + 3); /* of none */
	assert_refused(17, 33, NOTE_HEADER_LEN + 3);
	assert_refused(17, 2, NOTE_HEADER_LEN + 3); /* short, not the last */
	assert_refused(18, 0, NOTE_HEADER_LEN);     /* empty */
	assert_refused(18, 0, 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shuffled_parts_make_the_note),
		cmocka_unit_test(another_note_begins_anew),
		cmocka_unit_test(what_is_no_note_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
