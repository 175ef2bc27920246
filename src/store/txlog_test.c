/* SPDX-License-Identifier: Apache-2.0 */
#include "store/txlog.h"

#include <errno.h>
#include <setjmp.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/rcu.h"
#include "store/record.h"
#include "sys/disk_test.h"
#include "sys/loop.h"

#define PATH "/db/conf.db"
#define MAX_NUMBERS 4096u

/* --- a database that is a list of numbers ---------------------------------- */

struct list_of {
	unsigned n;
	unsigned v[MAX_NUMBERS];
};

static void add(struct list_of *l, unsigned v)
{
	must(l->n < MAX_NUMBERS);
	l->v[l->n++] = v;
}

/* {"n":[1,2,3],"pad":"..."}: appended to what is there. */
static bool read_numbers(void *ctx, const char *json, size_t len,
			 struct err *e UNUSED)
{
	char *text = xstrndup(json, len), *p = strchr(text, '['), *end;

	for (p = p ? p + 1 : text + len; *p >= '0' && *p <= '9'; p = end + 1) {
		add(ctx, (unsigned)strtoul(p, &end, 10));
		if (*end == ']')
			break;
	}
	free(text);
	return true;
}

static void *small_begin(void)
{
	return xzalloc(sizeof(struct list_of));
}

static bool small_write(void *ctx, unsigned i, struct str *json)
{
	struct list_of *l = ctx;

	if (i)
		return false;
	str_add(json, "{\"n\":[");
	for (unsigned k = 0; k < l->n; k++)
		str_addf(json, "%s%u", k ? "," : "", l->v[k]);
	str_add(json, "]}");
	return true;
}

static const struct txlog_small_ops small_ops = { small_begin, read_numbers,
						  small_write, free };

static struct txlog *open_with(struct disk *d, struct list_of *l, char **said,
			       struct err *e)
{
	struct txlog_spec s = {
		.disk = d, .path = PATH, .mode = 0600, .small = &small_ops
	};

	l->n = 0;
	return txlog_open(&s, read_numbers, l, said, e);
}

static struct txlog *open_quietly(struct disk *d, struct list_of *l)
{
	struct err e = ERR_INIT;
	struct txlog *t;
	char *said;

	t = open_with(d, l, &said, &e);
	must(!t == err_is_set(&e));
	free(said);
	err_fini(&e);
	return t;
}

/* Whom puts tell: acknowledged in order, or failed newest first. */
struct client {
	struct list_of acked, failed; /* failed: since the last acked */
	unsigned next;
};

struct ticket {
	struct client *c;
	unsigned v;
};

static void on_done(void *arg, const char *why)
{
	struct ticket *t = arg;
	struct client *c = t->c;

	if (!why) {
		if (c->acked.n)
			must(c->acked.v[c->acked.n - 1] < t->v);
		add(&c->acked, t->v);
		c->failed.n = 0;
	} else {
		add(&c->failed, t->v);
	}
	free(t);
}

static void put(struct txlog *l, struct client *c, unsigned pad)
{
	struct ticket *t = xmalloc(sizeof(*t));
	struct str s = STR_INIT;

	*t = (struct ticket){ c, ++c->next };
	str_addf(&s, "{\"n\":[%u],\"pad\":\"", t->v);
	while (pad--)
		str_add_char(&s, 'x');
	str_add(&s, "\"}");
	txlog_put(l, s.s, s.len, on_done, t);
	str_fini(&s);
}

static int put_one(struct txlog *l, struct client *c)
{
	put(l, c, 0);
	return txlog_flush(l);
}

static void assert_same(const struct list_of *a, const struct list_of *b)
{
	assert_int_equal(a->n, b->n);
	assert_memory_equal(a->v, b->v, a->n * sizeof(a->v[0]));
}

/* --- plain use ------------------------------------------------------------ */

static void records_come_back_in_order(void **state UNUSED)
{
	struct disk *d = disk_test_create(1);
	static struct client c;
	struct list_of l;
	struct txlog *t = open_quietly(d, &l);

	c = (struct client){ 0 };
	for (unsigned i = 0; i < 100; i++)
		put(t, &c, i * 7 % 50);
	assert_int_equal(txlog_flush(t), 0);
	txlog_close(t);
	t = open_quietly(d, &l);
	assert_same(&l, &c.acked);
	assert_int_equal(l.n, 100);
	assert_int_equal(txlog_records(t), 100);
	txlog_close(t);
	disk_test_destroy(d);
}

static void many_puts_share_one_write_and_one_fsync(void **state UNUSED)
{
	struct disk *d = disk_test_create(1);
	static struct client c;
	struct list_of l;
	struct txlog *t = open_quietly(d, &l);
	unsigned before = disk_test_calls(d);

	c = (struct client){ 0 };
	for (unsigned i = 0; i < 32; i++)
		put(t, &c, 0);
	assert_int_equal(c.acked.n, 0);
	assert_int_equal(txlog_flush(t), 0);
	assert_int_equal(disk_test_calls(d) - before, 2);
	assert_int_equal(c.acked.n, 32);
	txlog_close(t);
	disk_test_destroy(d);
}

static void records_larger_than_the_window_come_back(void **state UNUSED)
{
	struct disk *d = disk_test_create(1);
	static struct client c;
	struct list_of l;
	struct txlog *t = open_quietly(d, &l);

	c = (struct client){ 0 };
	for (unsigned i = 0; i < 5; i++)
		put(t, &c, i * 700000);
	assert_int_equal(txlog_flush(t), 0);
	txlog_close(t);
	t = open_quietly(d, &l);
	assert_same(&l, &c.acked);
	txlog_close(t);
	disk_test_destroy(d);
}

static void small_log_holds_what_the_large_one_held(void **state UNUSED)
{
	struct disk *d = disk_test_create(1);
	struct err e = ERR_INIT;
	static struct client c;
	struct list_of l;
	struct txlog *t = open_quietly(d, &l);
	uint64_t before;

	c = (struct client){ 0 };
	for (unsigned i = 0; i < 200; i++)
		put(t, &c, 20);
	assert_int_equal(txlog_flush(t), 0);
	before = txlog_bytes(t);
	assert_int_equal(txlog_compact(t, &e), 0);
	assert_true(txlog_bytes(t) < before / 10);
	assert_int_equal(put_one(t, &c), 0);
	txlog_close(t);
	t = open_quietly(d, &l);
	assert_same(&l, &c.acked);
	txlog_close(t);
	disk_test_destroy(d);
}

/* --- the power ------------------------------------------------------------- */

static uint64_t random_of(uint64_t *seed)
{
	uint64_t z = (*seed += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

/* All that was acknowledged, in order, and behind it only what failed or was
 * under way when the power went. */
static void assert_nothing_lost(const struct list_of *l, const struct client *c)
{
	assert_true(l->n >= c->acked.n);
	assert_memory_equal(l->v, c->acked.v, c->acked.n * sizeof(l->v[0]));
	for (unsigned i = c->acked.n; i < l->n; i++) {
		bool known = false;

		for (unsigned k = 0; k < c->failed.n; k++)
			known |= c->failed.v[k] == l->v[i];
		assert_true(known);
	}
}

static void work(struct txlog *t, struct client *c, uint64_t *seed)
{
	struct err e = ERR_INIT;

	for (unsigned i = (unsigned)(random_of(seed) % 6); i; i--) {
		for (unsigned n = (unsigned)(random_of(seed) % 5); n; n--)
			put(t, c,
			    random_of(seed) % 8 ? random_of(seed) % 40 :
						  random_of(seed) % 1500);
		(void)!txlog_flush(t);
		if (random_of(seed) % 16 == 0 && txlog_compact(t, &e))
			err_fini(&e);
	}
}

static void trouble(struct disk *d, uint64_t *seed)
{
	switch (random_of(seed) % 4) {
	case 0:
		disk_test_die_at(d, 1 + (unsigned)(random_of(seed) % 20));
		break;
	case 1:
		disk_test_fail_at(d, 1 + (unsigned)(random_of(seed) % 20), EIO);
		break;
	case 2:
		disk_test_limit(d, 500 + random_of(seed) % 4000);
		break;
	default:
		break;
	}
}

/* A life of several cuts; the disk may fail before each. */
static void live(uint64_t seed, unsigned n_cuts)
{
	struct disk *d = disk_test_create(seed);
	static struct client c;
	static struct list_of l;
	struct txlog *t;

	c = (struct client){ 0 };
	for (unsigned i = 0; i < n_cuts; i++) {
		c.failed.n = 0;
		t = open_quietly(d, &l);
		assert_non_null(t);
		trouble(d, &seed);
		work(t, &c, &seed);
		disk_test_limit(d, 0);
		/* the last may be under way */
		if (random_of(&seed) & 1) {
			put(t, &c, random_of(&seed) % 2000);
			put(t, &c, random_of(&seed) % 100);
			disk_test_die_at(d,
					 1 + (unsigned)(random_of(&seed) % 3));
		}
		txlog_close(t);
		disk_test_power_cut(d);
		t = open_quietly(d, &l);
		assert_non_null(t);
		assert_nothing_lost(&l, &c);
		c.acked = l;
		txlog_close(t);
		for (unsigned k = 1; k <= TXLOG_MAX_ASIDE; k++) {
			char path[64];

			snprintf(path, sizeof(path), PATH ".cut-%u", k);
			(void)!disk_unlink(d, path);
		}
	}
	disk_test_destroy(d);
}

static void no_power_cut_loses_what_was_acknowledged(void **state UNUSED)
{
	const char *text = getenv("WEFT_CUTS");
	unsigned n = text ? (unsigned)strtoul(text, NULL, 10) : 3000;

	for (unsigned i = 0; i < n; i += 10)
		live(i + 1, 10);
}

static void one_failing_call_costs_one_batch_and_heals(void **state UNUSED)
{
	for (unsigned n = 1; n < 40; n++) {
		struct disk *d = disk_test_create(n);
		struct err e = ERR_INIT;
		static struct client c;
		static struct list_of l;
		struct txlog *t = open_quietly(d, &l);

		c = (struct client){ 0 };
		assert_int_equal(put_one(t, &c), 0);
		disk_test_fail_at(d, n, n & 1 ? EIO : ENOSPC);
		for (unsigned i = 0; i < 4; i++)
			(void)!put_one(t, &c);
		if (txlog_compact(t, &e))
			err_fini(&e);
		(void)!put_one(t, &c);
		disk_test_fail_at(d, 0, 0);
		assert_true(c.acked.n >= 5);
		assert_int_equal(put_one(t, &c), 0);
		txlog_close(t);
		disk_test_power_cut(d);
		t = open_quietly(d, &l);
		assert_same(&l, &c.acked);
		txlog_close(t);
		disk_test_destroy(d);
	}
}

static void full_disk_is_said_and_healed(void **state UNUSED)
{
	struct disk *d = disk_test_create(1);
	static struct client c;
	static struct list_of l;
	struct txlog *t = open_quietly(d, &l);

	c = (struct client){ 0 };
	assert_int_equal(put_one(t, &c), 0);
	disk_test_limit(d, txlog_bytes(t) + 30);
	assert_int_equal(put_one(t, &c), -ENOSPC);
	assert_int_equal(put_one(t, &c), -ENOSPC);
	assert_int_equal(c.failed.n, 2);
	disk_test_limit(d, 0);
	assert_int_equal(put_one(t, &c), 0);
	txlog_close(t);
	t = open_quietly(d, &l);
	assert_same(&l, &c.acked);
	txlog_close(t);
	disk_test_destroy(d);
}

static void
what_was_put_after_a_failed_one_fails_newest_first(void **state UNUSED)
{
	struct disk *d = disk_test_create(1);
	static struct client c;
	static struct list_of l;
	struct txlog *t = open_quietly(d, &l);

	c = (struct client){ 0 };
	for (unsigned i = 0; i < 3; i++)
		put(t, &c, 0);
	disk_test_fail_at(d, 1, EIO);
	assert_int_equal(txlog_flush(t), -EIO);
	assert_int_equal(c.failed.n, 3);
	assert_int_equal(c.failed.v[0], 3);
	assert_int_equal(c.failed.v[2], 1);
	txlog_close(t);
	disk_test_destroy(d);
}

/* --- damage ---------------------------------------------------------------- */

static void write_file(struct disk *d, const char *path, const void *data,
		       size_t len)
{
	struct disk_file *f;

	must(!disk_open(d, path, DISK_WRITE | DISK_CREATE | DISK_TRUNCATE, 0600,
			&f));
	must(!len || disk_pwrite(f, data, len, 0) == (ssize_t)len);
	must(!disk_fsync(f));
	must(!disk_fsync_dir(d, path));
	disk_close(f);
}

/* A log of three batches of one and one of three. */
static char *make_log(size_t *len, size_t ends[6])
{
	struct disk *d = disk_test_create(1);
	static struct client c;
	static struct list_of l;
	struct txlog *t = open_quietly(d, &l);
	const void *data;
	char *copy;

	c = (struct client){ 0 };
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(put_one(t, &c), 0);
		ends[i] = txlog_bytes(t);
	}
	for (unsigned i = 0; i < 3; i++)
		put(t, &c, 3);
	assert_int_equal(txlog_flush(t), 0);
	txlog_close(t);
	data = disk_test_data(d, PATH, len);
	copy = xmemdup(data, *len);
	/* the joined ones are longer by their space */
	for (unsigned i = 3; i < 6; i++)
		ends[i] = ends[i - 1] + (*len - ends[2] - 2) / 3 + (i > 3);
	assert_int_equal(ends[5], *len);
	disk_test_destroy(d);
	return copy;
}

/* The file as it was, or what is gone from it kept beside it. */
static void assert_nothing_destroyed(struct disk *d, const char *data,
				     size_t size)
{
	const char *now, *aside;
	size_t len, kept = 0;

	now = disk_test_data(d, PATH, &len);
	assert_true(len <= size);
	assert_memory_equal(now, data, len);
	aside = disk_test_data(d, PATH ".cut-1", &kept);
	assert_int_equal(len + kept, size);
	if (kept)
		assert_memory_equal(aside, data + len, kept);
}

static void every_flipped_bit_is_found_and_destroys_nothing(void **state UNUSED)
{
	size_t size, ends[6];
	char *data = make_log(&size, ends);

	for (size_t bit = 0; bit < size * 8; bit++) {
		struct disk *d = disk_test_create(1);
		struct err e = ERR_INIT;
		static struct list_of l;
		struct txlog *t;
		unsigned i = 0;
		char *said;

		data[bit / 8] ^= (char)(1 << bit % 8);
		write_file(d, PATH, data, size);
		t = open_with(d, &l, &said, &e);
		while (ends[i] <= bit / 8)
			i++;
		if (i < 3) /* durable batches come behind it */
			assert_null(t);
		else
			assert_non_null(said);
		assert_int_equal(l.n, i);
		assert_nothing_destroyed(d, data, size);
		free(said);
		err_fini(&e);
		txlog_close(t);
		disk_test_destroy(d);
		data[bit / 8] ^= (char)(1 << bit % 8);
	}
	free(data);
}

static void every_cut_keeps_the_records_before_it(void **state UNUSED)
{
	size_t size, ends[6];
	char *data = make_log(&size, ends);

	for (size_t len = 0; len <= size; len++) {
		struct disk *d = disk_test_create(1);
		static struct list_of l;
		struct txlog *t;
		unsigned i = 0;

		write_file(d, PATH, data, len);
		t = open_quietly(d, &l);
		assert_non_null(t);
		while (i < 6 && ends[i] <= len)
			i++;
		assert_int_equal(l.n, i);
		assert_nothing_destroyed(d, data, len);
		txlog_close(t);
		disk_test_destroy(d);
	}
	free(data);
}

static void what_is_no_log_is_left_alone(void **state UNUSED)
{
	static const char text[] = "# my notes\nnothing else\n";
	struct disk *d = disk_test_create(1);
	struct err e = ERR_INIT;
	struct list_of l;
	char *said;

	write_file(d, PATH, text, sizeof(text) - 1);
	assert_null(open_with(d, &l, &said, &e));
	assert_non_null(strstr(e.text, "is no log"));
	err_fini(&e);
	assert_nothing_destroyed(d, text, sizeof(text) - 1);
	disk_test_destroy(d);
}

static bool refuse(void *ctx UNUSED, const char *json UNUSED, size_t len UNUSED,
		   struct err *e)
{
	err_set(e, "not mine");
	return false;
}

static void
log_that_makes_no_sense_is_refused_with_its_place(void **state UNUSED)
{
	struct disk *d = disk_test_create(1);
	struct txlog_spec s = { .disk = d, .path = PATH, .mode = 0600 };
	size_t size, ends[6];
	char *data = make_log(&size, ends), *said;
	struct err e = ERR_INIT;

	write_file(d, PATH, data, size);
	assert_null(txlog_open(&s, refuse, NULL, &said, &e));
	assert_non_null(strstr(e.text, "byte 0: not mine"));
	err_fini(&e);
	assert_nothing_destroyed(d, data, size);
	free(data);
	disk_test_destroy(d);
}

/* --- with threads ---------------------------------------------------------- */

struct threaded {
	struct loop *loop;
	struct txlog *log;
	struct client client;
	unsigned left;
	struct timer timer;
};

static void on_more(void *arg)
{
	struct threaded *t = arg;
	struct err e = ERR_INIT;

	for (unsigned i = 0; i < 7 && t->left; i++, t->left--)
		put(t->log, &t->client, 100);
	if (t->left && t->left % 3 == 0)
		assert_int_equal(txlog_compact(t->log, &e), 0);
	if (t->left || txlog_is_compacting(t->log))
		timer_set(&t->timer, 1);
	else
		loop_stop(t->loop);
}

static void thread_writes_and_compacts_while_puts_go_on(void **state UNUSED)
{
	char dir[] = "/tmp/weft-txlog-XXXXXX", *path, *said, *cmd;
	struct txlog_spec s = { .disk = disk_system(),
				.mode = 0600,
				.small = &small_ops };
	static struct threaded t;
	static struct list_of l;
	struct err e = ERR_INIT;

	rcu_thread_register();
	assert_non_null(mkdtemp(dir));
	path = xasprintf("%s/db", dir);
	t = (struct threaded){ .left = 1000, .loop = loop_create() };
	s.path = path;
	s.loop = t.loop;
	l.n = 0;
	t.log = txlog_open(&s, read_numbers, &l, &said, &e);
	assert_non_null(t.log);
	timer_init(&t.timer, t.loop, on_more, &t);
	timer_set(&t.timer, 1);
	loop_run(t.loop);
	timer_fini(&t.timer);
	txlog_close(t.log);
	loop_destroy(t.loop);
	assert_int_equal(t.client.acked.n, 1000);
	s.loop = NULL;
	l.n = 0;
	t.log = txlog_open(&s, read_numbers, &l, &said, &e);
	assert_non_null(t.log);
	assert_same(&l, &t.client.acked);
	txlog_close(t.log);
	cmd = xasprintf("rm -r %s", dir);
	assert_int_equal(system(cmd), 0);
	free(cmd);
	free(path);
	rcu_thread_unregister();
}

static void second_opener_is_refused(void **state UNUSED)
{
	struct disk *d = disk_test_create(1);
	static struct list_of l;
	struct txlog *t = open_quietly(d, &l);

	assert_null(open_quietly(d, &l));
	txlog_close(t);
	disk_test_destroy(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_come_back_in_order),
		cmocka_unit_test(many_puts_share_one_write_and_one_fsync),
		cmocka_unit_test(records_larger_than_the_window_come_back),
		cmocka_unit_test(small_log_holds_what_the_large_one_held),
		cmocka_unit_test(no_power_cut_loses_what_was_acknowledged),
		cmocka_unit_test(one_failing_call_costs_one_batch_and_heals),
		cmocka_unit_test(full_disk_is_said_and_healed),
		cmocka_unit_test(
			what_was_put_after_a_failed_one_fails_newest_first),
		cmocka_unit_test(
			every_flipped_bit_is_found_and_destroys_nothing),
		cmocka_unit_test(every_cut_keeps_the_records_before_it),
		cmocka_unit_test(what_is_no_log_is_left_alone),
		cmocka_unit_test(
			log_that_makes_no_sense_is_refused_with_its_place),
		cmocka_unit_test(thread_writes_and_compacts_while_puts_go_on),
		cmocka_unit_test(second_opener_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
