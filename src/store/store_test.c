/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store.h"

#include <errno.h>
#include <setjmp.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"
#include "store/record.h"
#include "sys/disk_test.h"

#define DIR "/state/weft"
#define DB DIR "/weft.db"

/* --- helpers -------------------------------------------------------------- */

static int put(struct store *s, const char *text)
{
	struct store_state st = { .wall_s = 1700000000,
				  .text = text,
				  .file = "net.yaml",
				  .who = "root" };
	struct err e = ERR_INIT;
	int rc = store_put(s, &st, 1, &e);

	must(!rc == !err_is_set(&e));
	err_fini(&e);
	return rc;
}

static struct store *open_said(struct disk *d, char **said)
{
	struct err e = ERR_INIT;
	struct store *s = store_open(DIR, d, said, &e);

	must(!s == err_is_set(&e));
	err_fini(&e);
	return s;
}

static struct store *open_quietly(struct disk *d)
{
	char *said;
	struct store *s = open_said(d, &said);

	free(said);
	return s;
}

static const char *last_text(const struct store *s)
{
	return store_last(s) ? store_last(s)->text : "";
}

/* --- plain use ------------------------------------------------------------ */

static void state_comes_back_with_all_that_was_said(void **state UNUSED)
{
	struct disk *d = disk_test_create(1);
	struct store *s = open_quietly(d);
	struct store_state st = { .wall_s = 1700000000,
				  .text = "weft: 1\n\"x\"\\\t\xc3\xbc\n",
				  .file = "/etc/net.yaml",
				  .who = "root",
				  .comment = "first" };
	struct err e = ERR_INIT;

	assert_null(store_last(s));
	assert_int_equal(store_put(s, &st, 1, &e), 0);
	store_close(s);
	s = open_quietly(d);
	assert_string_equal(store_last(s)->text, st.text);
	assert_string_equal(store_last(s)->file, st.file);
	assert_string_equal(store_last(s)->who, st.who);
	assert_string_equal(store_last(s)->comment, st.comment);
	assert_int_equal(store_last(s)->wall_s, st.wall_s);
	assert_int_equal(store_last(s)->serial, 1);
	store_close(s);
	disk_test_destroy(d);
}

static void history_can_be_read(void **state UNUSED)
{
	struct disk *d = disk_test_create(1);
	struct store *s = open_quietly(d);
	struct err e = ERR_INIT;
	struct store_state st;

	assert_int_equal(put(s, "one"), 0);
	assert_int_equal(put(s, "two"), 0);
	assert_int_equal(put(s, "three"), 0);
	assert_int_equal(store_n_states(s), 3);
	assert_int_equal(store_get(s, 1, &st, &e), 0);
	assert_string_equal(st.text, "two");
	assert_int_equal(st.serial, 2);
	store_state_fini(&st);
	store_close(s);
	disk_test_destroy(d);
}

static void states_put_together_are_one_write(void **state UNUSED)
{
	struct disk *d = disk_test_create(1);
	struct store *s = open_quietly(d);
	struct store_state st[3] = { { .text = "a" },
				     { .text = "b" },
				     { .text = "c" } };
	struct err e = ERR_INIT;
	unsigned before = disk_test_calls(d);

	assert_int_equal(store_put(s, st, 3, &e), 0);
	assert_int_equal(disk_test_calls(d) - before, 2); /* write, fsync */
	assert_int_equal(store_n_states(s), 3);
	assert_string_equal(last_text(s), "c");
	store_close(s);
	disk_test_destroy(d);
}

static void file_is_compacted_to_the_newest(void **state UNUSED)
{
	struct disk *d = disk_test_create(1);
	struct store *s = open_quietly(d);
	struct err e = ERR_INIT;
	struct store_state st;
	char text[16];

	for (unsigned i = 1; i <= STORE_MAX_STATES + 2; i++) {
		snprintf(text, sizeof(text), "%u", i);
		assert_int_equal(put(s, text), 0);
	}
	assert_int_equal(store_n_states(s), STORE_KEEP_STATES + 1);
	assert_int_equal(store_get(s, 0, &st, &e), 0);
	assert_int_equal(st.serial, STORE_MAX_STATES + 2 - STORE_KEEP_STATES);
	store_state_fini(&st);
	store_close(s);
	s = open_quietly(d);
	assert_string_equal(last_text(s), "258");
	store_close(s);
	disk_test_destroy(d);
}

static void second_daemon_is_refused(void **state UNUSED)
{
	char dir[] = "/tmp/weft-store-XXXXXX", *said, *cmd;
	struct err e = ERR_INIT;
	struct store *a, *b;

	assert_non_null(mkdtemp(dir));
	a = store_open(dir, disk_system(), &said, &e);
	assert_non_null(a);
	assert_int_equal(put(a, "x"), 0);
	b = store_open(dir, disk_system(), &said, &e);
	assert_null(b);
	assert_non_null(strstr(e.text, "another weftd uses"));
	err_fini(&e);
	store_close(a);
	a = store_open(dir, disk_system(), &said, &e);
	assert_string_equal(last_text(a), "x");
	store_close(a);
	cmd = xasprintf("rm -r %s", dir);
	assert_int_equal(system(cmd), 0);
	free(cmd);
}

/* --- faults --------------------------------------------------------------- */

static const char *const texts[] = { "one", "two", "three", "four", "five" };

/* What became of putting all texts: numbers from 1, 0 none. */
struct outcome {
	unsigned last;  /* acknowledged last */
	unsigned tried; /* tried last */
	unsigned n_acknowledged;
};

/* Texts after a failure are tried all the same. */
static struct outcome put_all(struct disk *d)
{
	struct store *s = open_quietly(d);
	struct outcome o = { 0 };

	for (unsigned i = 1; s && i <= ARRAY_SIZE(texts); i++) {
		o.tried = i;
		if (!put(s, texts[i - 1])) {
			o.last = i;
			o.n_acknowledged++;
		}
		/* T1: the last is what was acknowledged last */
		assert_string_equal(last_text(s),
				    o.last ? texts[o.last - 1] : "");
	}
	store_close(s);
	return o;
}

/* After a power cut: the last acknowledged state, or one whose put failed
 * later. */
static void check_after(struct disk *d, const char *const *from,
			const struct outcome *o)
{
	bool right = false;
	struct store *s;

	disk_test_power_cut(d);
	s = open_quietly(d);
	assert_non_null(s);
	for (unsigned i = o->last; i <= o->tried; i++)
		right |= !strcmp(last_text(s), i ? from[i - 1] : "");
	assert_true(right);
	/* and it goes on */
	assert_int_equal(put(s, "after"), 0);
	assert_string_equal(last_text(s), "after");
	store_close(s);
	s = open_quietly(d);
	assert_string_equal(last_text(s), "after");
	store_close(s);
}

static void power_cut_anywhere_loses_nothing_acknowledged(void **state UNUSED)
{
	for (uint64_t seed = 1; seed <= 20; seed++) {
		for (unsigned n = 1; n < 60; n++) {
			struct disk *d = disk_test_create(seed);
			struct outcome o;

			disk_test_die_at(d, n);
			o = put_all(d);
			check_after(d, texts, &o);
			disk_test_destroy(d);
		}
	}
}

static void one_failing_call_costs_one_put_and_heals(void **state UNUSED)
{
	static const int errors[] = { EIO, ENOSPC };

	for (uint64_t seed = 1; seed <= 10; seed++) {
		for (unsigned n = 1; n < 60; n++) {
			struct disk *d = disk_test_create(seed);
			struct outcome o;

			disk_test_fail_at(d, n, errors[seed % 2]);
			o = put_all(d);
			if (o.tried)
				assert_in_range(o.n_acknowledged, 4, 5);
			check_after(d, texts, &o);
			disk_test_destroy(d);
		}
	}
}

static void compaction_survives_a_power_cut_anywhere(void **state UNUSED)
{
	static const char *const both[] = { "old", "new" };

	for (unsigned n = 1; n < 30; n++) {
		struct disk *d = disk_test_create(n);
		struct outcome o = { .last = 1, .tried = 2 };
		struct store *s = open_quietly(d);

		for (unsigned i = 0; i <= STORE_MAX_STATES; i++)
			assert_int_equal(put(s, "old"), 0);
		disk_test_die_at(d, n);
		if (!put(s, "new"))
			o.last = 2;
		store_close(s);
		check_after(d, both, &o);
		disk_test_destroy(d);
	}
}

static void full_disk_is_said_and_healed(void **state UNUSED)
{
	struct disk *d = disk_test_create(1);
	struct store *s = open_quietly(d);
	struct store_state st = { .text = "two" };
	struct err e = ERR_INIT;
	size_t size;

	assert_int_equal(put(s, "one"), 0);
	disk_test_data(d, DB, &size);
	disk_test_limit(d, size + 50);
	assert_int_equal(store_put(s, &st, 1, &e), -ENOSPC);
	assert_non_null(strstr(e.text, "No space left on device"));
	err_fini(&e);
	assert_int_equal(put(s, "three"), -ENOSPC);
	assert_string_equal(last_text(s), "one");
	disk_test_limit(d, UINT64_MAX);
	assert_int_equal(put(s, "four"), 0);
	store_close(s);
	s = open_quietly(d);
	assert_string_equal(last_text(s), "four");
	assert_int_equal(store_n_states(s), 2);
	store_close(s);
	disk_test_destroy(d);
}

/* --- damage --------------------------------------------------------------- */

static void write_db(struct disk *d, const char *data, size_t len)
{
	struct disk_file *f;

	(void)!disk_mkdir(d, "/state", 0700);
	(void)!disk_mkdir(d, DIR, 0700);
	must(!disk_open(d, DB, DISK_WRITE | DISK_CREATE | DISK_TRUNCATE, 0600,
			&f));
	if (len)
		must(disk_pwrite(f, data, len, 0) == (ssize_t)len);
	disk_close(f);
}

/* A file of three states, and where the third begins. */
static char *three_states(size_t *len, size_t *third)
{
	struct disk *d = disk_test_create(1);
	struct store *s = open_quietly(d);
	const void *data;
	char *copy;

	for (int i = 0; i < 2; i++)
		assert_int_equal(put(s, texts[i]), 0);
	disk_test_data(d, DB, third);
	assert_int_equal(put(s, texts[2]), 0);
	store_close(s);
	data = disk_test_data(d, DB, len);
	copy = xmemdup(data, *len);
	disk_test_destroy(d);
	return copy;
}

static void every_flipped_bit_is_found_and_costs_one_record(void **state UNUSED)
{
	size_t len, third;
	char *data = three_states(&len, &third);

	for (size_t bit = 0; bit < len * 8; bit++) {
		struct disk *d = disk_test_create(bit);
		struct store *s;
		char *said;

		data[bit / 8] ^= (char)(1 << bit % 8);
		write_db(d, data, len);
		data[bit / 8] ^= (char)(1 << bit % 8);
		s = open_said(d, &said);
		assert_non_null(s);
		assert_non_null(said);
		assert_string_equal(last_text(s),
				    bit / 8 < third ? "three" : "two");
		assert_in_range(store_n_states(s), 2, 3);
		free(said);
		store_close(s);
		/* it is mended: the next start has nothing to say */
		s = open_said(d, &said);
		assert_null(said);
		store_close(s);
		disk_test_destroy(d);
	}
	free(data);
}

static void every_cut_keeps_the_records_before_it(void **state UNUSED)
{
	size_t len, third;
	char *data = three_states(&len, &third);

	for (size_t cut = 0; cut < len; cut++) {
		struct disk *d = disk_test_create(cut);
		struct store *s;
		char *said;

		write_db(d, data, cut);
		s = open_said(d, &said);
		if (cut >= third)
			assert_string_equal(last_text(s), "two");
		if (cut > third)
			assert_non_null(strstr(said, "cut short"));
		free(said);
		assert_int_equal(put(s, "next"), 0);
		store_close(s);
		s = open_said(d, &said);
		assert_null(said);
		assert_string_equal(last_text(s), "next");
		store_close(s);
		disk_test_destroy(d);
	}
	free(data);
}

static void damaged_file_is_kept_aside(void **state UNUSED)
{
	size_t len, third, kept;
	char *data = three_states(&len, &third), *said;
	struct disk *d = disk_test_create(1);
	struct store *s;

	data[third - 10] ^= 1;
	write_db(d, data, len);
	s = open_said(d, &said);
	assert_string_equal(
		said,
		DB " is damaged in 1 place; the file as it was is kept as " DB
		   ".damaged-1; going on with state 3\n");
	assert_memory_equal(disk_test_data(d, DB ".damaged-1", &kept), data,
			    len);
	assert_int_equal(kept, len);
	free(said);
	store_close(s);
	disk_test_destroy(d);
	free(data);
}

static void text_that_looks_like_a_record_is_only_text(void **state UNUSED)
{
	struct disk *d = disk_test_create(1);
	struct store *s = open_quietly(d);
	struct str fake = STR_INIT;
	const void *now;
	char *data;
	size_t len;

	record_encode("{\"State\":{}}", 12, &fake);
	assert_int_equal(put(s, fake.s), 0);
	store_close(s);
	/* break the record that holds it: the text inside must not be taken */
	now = disk_test_data(d, DB, &len);
	data = xmemdup(now, len);
	data[len - 3] ^= 1;
	write_db(d, data, len);
	s = open_quietly(d);
	assert_int_equal(store_n_states(s), 0);
	store_close(s);
	free(data);
	str_fini(&fake);
	disk_test_destroy(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(state_comes_back_with_all_that_was_said),
		cmocka_unit_test(history_can_be_read),
		cmocka_unit_test(states_put_together_are_one_write),
		cmocka_unit_test(file_is_compacted_to_the_newest),
		cmocka_unit_test(second_daemon_is_refused),
		cmocka_unit_test(power_cut_anywhere_loses_nothing_acknowledged),
		cmocka_unit_test(one_failing_call_costs_one_put_and_heals),
		cmocka_unit_test(compaction_survives_a_power_cut_anywhere),
		cmocka_unit_test(full_disk_is_said_and_healed),
		cmocka_unit_test(
			every_flipped_bit_is_found_and_costs_one_record),
		cmocka_unit_test(every_cut_keeps_the_records_before_it),
		cmocka_unit_test(damaged_file_is_kept_aside),
		cmocka_unit_test(text_that_looks_like_a_record_is_only_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
