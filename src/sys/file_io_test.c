/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "sys/disk_test.h"
#include "sys/file_io.h"

#define N_SEEDS 300u

static int write_text(struct disk *d, const char *path, const char *text)
{
	struct file_content c = { text, strlen(text), 0644 };

	return file_write(d, path, &c, NULL);
}

/* Both disks keep the same contract. */
static void contract(struct disk *d, const char *dir)
{
	char *path = xasprintf("%s/a/b/file", dir);
	char *folder = xasprintf("%s/a/b", dir);
	struct str text = STR_INIT;
	struct err e = ERR_INIT;

	assert_int_equal(file_make_dir(d, folder, 0700, &e), 0);
	assert_int_equal(file_make_dir(d, folder, 0700, &e), 0);
	assert_int_equal(file_read(d, path, 100, &text, &e), -ENOENT);
	assert_non_null(strstr(e.text, path));
	err_fini(&e);
	assert_int_equal(write_text(d, path, "old"), 0);
	assert_int_equal(write_text(d, path, "new one"), 0);
	assert_int_equal(file_read(d, path, 7, &text, &e), 0);
	assert_string_equal(str_text(&text), "new one");
	assert_int_equal(file_read(d, path, 6, &text, &e), -EFBIG);
	assert_string_equal(str_text(&text), "new one"); /* nothing added */
	str_fini(&text);
	err_fini(&e);
	free(path);
	free(folder);
}

static void log_contract(struct disk *d, const char *path)
{
	struct file_log a, b;
	char buf[8] = "";

	assert_int_equal(file_log_open(&a, d, path, 0600, NULL), 0);
	assert_int_equal(a.end, 0);
	assert_int_equal(file_log_open(&b, d, path, 0600, NULL), -EBUSY);
	assert_int_equal(file_log_append(&a, "hello", 5, NULL), 0);
	assert_int_equal(file_log_append(&a, "you", 3, NULL), 0);
	assert_int_equal(file_log_read(&a, 3, buf, 5), 0);
	assert_string_equal(buf, "loyou");
	assert_int_equal(file_log_read(&a, 4, buf, 5), -EIO);
	assert_int_equal(file_log_cut(&a, 5, NULL), 0);
	file_log_close(&a);
	assert_int_equal(file_log_open(&a, d, path, 0600, NULL), 0);
	assert_int_equal(a.end, 5);
	file_log_close(&a);
}

static void the_real_disk_keeps_the_contract(void **state UNUSED)
{
	char dir[] = "/tmp/weft-file-XXXXXX";
	char path[64];

	assert_non_null(mkdtemp(dir));
	contract(disk_system(), dir);
	snprintf(path, sizeof(path), "%s/log", dir);
	log_contract(disk_system(), path);
	unlink(path);
	snprintf(path, sizeof(path), "%s/a/b/file", dir);
	unlink(path);
	snprintf(path, sizeof(path), "%s/a/b", dir);
	rmdir(path);
	snprintf(path, sizeof(path), "%s/a", dir);
	rmdir(path);
	assert_return_code(rmdir(dir), 0);
}

static void the_test_disk_keeps_the_contract(void **state UNUSED)
{
	struct disk *d = disk_test_create(1);

	contract(d, "/state");
	log_contract(d, "/state/log");
	disk_test_destroy(d);
}

static void files_without_a_size_are_read_whole(void **state UNUSED)
{
	struct str text = STR_INIT;

	assert_int_equal(file_read(disk_system(), "/proc/self/status", 65536,
				   &text, NULL),
			 0);
	assert_non_null(strstr(str_text(&text), "VmRSS"));
	str_fini(&text);
}

static bool file_is(struct disk *d, const char *path, const char *text)
{
	size_t len;
	const void *data = disk_test_data(d, path, &len);

	return data && len == strlen(text) && !memcmp(data, text, len);
}

/* Whatever call fails, the file is whole; and when the write was acknowledged,
 * a power cut does not take it back. */
static void a_written_file_is_old_or_new_whatever_fails(void **state UNUSED)
{
	const char *old = "the old content", *new = "the new, longer content";
	unsigned failures = 0;

	for (unsigned n = 1; n <= 10; n++) {
		for (unsigned seed = 0; seed < N_SEEDS; seed++) {
			struct disk *d = disk_test_create(seed);
			int err;

			assert_int_equal(write_text(d, "/s/f", old), 0);
			disk_test_fail_at(d, n, seed & 1 ? EIO : ENOSPC);
			err = write_text(d, "/s/f", new);
			failures += err != 0;
			disk_test_power_cut(d);
			if (err)
				assert_true(file_is(d, "/s/f", old) ||
					    file_is(d, "/s/f", new));
			else
				assert_true(file_is(d, "/s/f", new));
			disk_test_destroy(d);
		}
	}
	assert_true(failures >= 4 * N_SEEDS); /* open write fsync rename */
}

static void a_dying_disk_leaves_old_or_new(void **state UNUSED)
{
	for (unsigned n = 1; n <= 8; n++) {
		for (unsigned seed = 0; seed < N_SEEDS; seed++) {
			struct disk *d = disk_test_create(seed);

			assert_int_equal(write_text(d, "/s/f", "old"), 0);
			disk_test_die_at(d, n);
			(void)!write_text(d, "/s/f", "new");
			disk_test_power_cut(d);
			assert_true(file_is(d, "/s/f", "old") ||
				    file_is(d, "/s/f", "new"));
			disk_test_destroy(d);
		}
	}
}

#define RECORD 700u /* more than a sector, so that it can tear */

static void fill_record(char buf[RECORD], unsigned i)
{
	memset(buf, 'a' + (int)(i % 26), RECORD);
}

/* Appends until a failure; how many records were acknowledged. */
static unsigned append_some(struct disk *d, unsigned n)
{
	struct file_log l;
	char buf[RECORD];
	unsigned i = 0;

	if (file_log_open(&l, d, "/s/log", 0600, NULL))
		return 0;
	for (; i < n; i++) {
		fill_record(buf, i);
		if (file_log_append(&l, buf, RECORD, NULL))
			break;
	}
	file_log_close(&l);
	return i;
}

static void acknowledged_records_survive_a_power_cut(void **state UNUSED)
{
	char want[RECORD], got[RECORD];
	struct file_log l;

	for (unsigned n = 1; n <= 16; n++) {
		for (unsigned seed = 0; seed < N_SEEDS; seed++) {
			struct disk *d = disk_test_create(seed);
			unsigned acked;

			disk_test_die_at(d, n);
			acked = append_some(d, 6);
			disk_test_power_cut(d);
			assert_int_equal(
				file_log_open(&l, d, "/s/log", 0600, NULL), 0);
			assert_true(l.end >= acked * RECORD);
			for (unsigned i = 0; i < acked; i++) {
				fill_record(want, i);
				assert_int_equal(file_log_read(&l, i * RECORD,
							       got, RECORD),
						 0);
				assert_memory_equal(want, got, RECORD);
			}
			file_log_close(&l);
			disk_test_destroy(d);
		}
	}
}

static void a_failed_fsync_is_never_believed_again(void **state UNUSED)
{
	struct disk *d = disk_test_create(7);
	struct err e = ERR_INIT;
	struct file_log l;

	assert_int_equal(file_log_open(&l, d, "/s/log", 0600, NULL), 0);
	disk_test_fail_at(d, 2, EIO); /* pwrite, then fsync */
	assert_int_equal(file_log_append(&l, "x", 1, &e), -EIO);
	err_fini(&e);
	assert_int_equal(file_log_append(&l, "x", 1, &e), -EIO);
	assert_non_null(strstr(e.text, "not written any more"));
	err_fini(&e);
	file_log_close(&l);
	disk_test_destroy(d);
}

static void a_full_disk_costs_the_record_not_the_log(void **state UNUSED)
{
	struct disk *d = disk_test_create(9);
	struct file_log l;
	char buf[RECORD];

	fill_record(buf, 0);
	assert_int_equal(file_log_open(&l, d, "/s/log", 0600, NULL), 0);
	assert_int_equal(file_log_append(&l, buf, RECORD, NULL), 0);
	disk_test_limit(d, RECORD + 100);
	assert_int_equal(file_log_append(&l, buf, RECORD, NULL), -ENOSPC);
	assert_int_equal(l.end, RECORD);
	disk_test_limit(d, 0);
	assert_int_equal(file_log_append(&l, buf, RECORD, NULL), 0);
	assert_int_equal(l.end, 2 * RECORD);
	file_log_close(&l);
	disk_test_destroy(d);
}

/* The judge judged: what was not fsynced must be able to get lost. */
static void the_test_disk_loses_what_was_not_fsynced(void **state UNUSED)
{
	unsigned lost = 0, torn = 0, kept = 0;
	char buf[2 * DISK_TEST_SECTOR];

	memset(buf, 'n', sizeof(buf));
	for (unsigned seed = 0; seed < N_SEEDS; seed++) {
		struct disk *d = disk_test_create(seed);
		struct disk_file *f;
		const char *data;
		size_t len;

		assert_int_equal(write_text(d, "/s/f", ""), 0);
		assert_int_equal(disk_open(d, "/s/f", DISK_WRITE, 0, &f), 0);
		assert_int_equal(disk_pwrite(f, buf, sizeof(buf), 0),
				 sizeof(buf));
		disk_test_power_cut(d);
		assert_int_equal(disk_pwrite(f, buf, 1, 0), -EIO);
		data = disk_test_data(d, "/s/f", &len);
		if (!len)
			lost++;
		else if (len == sizeof(buf) && !memcmp(data, buf, len))
			kept++;
		else
			torn++;
		disk_close(f);
		disk_test_destroy(d);
	}
	assert_true(lost && torn && kept);
}

static void the_test_disk_loses_names_without_a_folder_sync(void **s UNUSED)
{
	unsigned there = 0;

	for (unsigned seed = 0; seed < N_SEEDS; seed++) {
		struct disk *d = disk_test_create(seed);
		struct disk_file *f;
		size_t len;

		assert_int_equal(disk_open(d, "/s/f", DISK_WRITE | DISK_CREATE,
					   0600, &f),
				 0);
		assert_int_equal(disk_fsync(f), 0);
		disk_close(f);
		disk_test_power_cut(d);
		there += disk_test_data(d, "/s/f", &len) != NULL;
		disk_test_destroy(d);
	}
	assert_in_range(there, 1, N_SEEDS - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_real_disk_keeps_the_contract),
		cmocka_unit_test(the_test_disk_keeps_the_contract),
		cmocka_unit_test(files_without_a_size_are_read_whole),
		cmocka_unit_test(a_written_file_is_old_or_new_whatever_fails),
		cmocka_unit_test(a_dying_disk_leaves_old_or_new),
		cmocka_unit_test(acknowledged_records_survive_a_power_cut),
		cmocka_unit_test(a_failed_fsync_is_never_believed_again),
		cmocka_unit_test(a_full_disk_costs_the_record_not_the_log),
		cmocka_unit_test(the_test_disk_loses_what_was_not_fsynced),
		cmocka_unit_test(
			the_test_disk_loses_names_without_a_folder_sync),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
