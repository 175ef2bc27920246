/* SPDX-License-Identifier: Apache-2.0 */
/* Making a log small while it is written.
 *
 * A thread reads the log up to where it ends now, makes a small one of it beside,
 * and copies behind it what has come since, in rounds. What is still missing then
 * is little: the writer copies it between two batches and gives the small file the
 * log's name. */
#include <errno.h>

#include "base/log.h"
#include "store/reader.h"
#include "store/txlog_internal.h"
#include "sys/fail.h"

#define COPY_CHUNK (1u << 20)
#define COPY_MAX_ROUNDS 16u
#define COPY_REST (256u << 10) /* so little may wait for the writer */

static uint64_t durable_now(struct txlog *l)
{
	return __atomic_load_n(&l->durable, __ATOMIC_ACQUIRE);
}

static int read_chunk(struct disk_file *f, uint64_t off, char *buf, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = disk_pread(f, buf + done, len - done, off + done);

		if (n <= 0)
			return n ? (int)n : -EIO;
		done += (size_t)n;
	}
	return 0;
}

/* Bytes of the log from where the small one stands for it up to `end`. */
static int copy_up_to(struct txlog *l, struct disk_file *from, uint64_t end,
		      struct err *e)
{
	struct txlog_small *s = &l->small;
	char *buf = xmalloc(COPY_CHUNK);
	int rc = 0;

	while (s->covers < end && !rc) {
		size_t n = (size_t)MIN(end - s->covers, (uint64_t)COPY_CHUNK);

		rc = read_chunk(from, s->covers, buf, n);
		if (rc)
			fail_errno(e, rc, "cannot read %s", l->path);
		else
			rc = file_log_append(&s->file, buf, n, e);
		if (!rc)
			s->covers += n;
	}
	free(buf);
	return rc;
}

static int read_old(struct txlog *l, struct disk_file *f, void *ctx,
		    struct err *e)
{
	const struct txlog_small_ops *ops = l->spec.small;
	enum record_status status;
	struct record rec;
	struct reader r;
	int rc;

	reader_init(&r, f, 0, l->small.covers);
	do {
		rc = reader_next(&r, &rec, &status);
		if (rc)
			fail_errno(e, rc, "cannot read %s", l->path);
		else if (status == RECORD_OK &&
			 !ops->read(ctx, rec.json, rec.json_len, e))
			rc = -EINVAL;
	} while (!rc && status == RECORD_OK);
	if (!rc && r.off < r.end)
		rc = fail_say(e, EUCLEAN,
			      "%s is damaged where it was good when it was "
			      "opened: keep a copy of it",
			      l->path);
	reader_fini(&r);
	return rc;
}

static int write_new(struct txlog *l, void *ctx, struct err *e)
{
	const struct txlog_small_ops *ops = l->spec.small;
	struct txlog_small *s = &l->small;
	struct str json = STR_INIT, out = STR_INIT;
	int rc;

	rc = file_log_open(&s->file, l->spec.disk, s->path, l->spec.mode, e);
	if (!rc)
		rc = file_log_cut(&s->file, 0, e);
	for (unsigned i = 0; !rc; i++) {
		str_clear(&json);
		str_clear(&out);
		if (!ops->write(ctx, i, &json))
			break;
		if (json.len >= RECORD_MAX_BYTES - 1)
			rc = fail_say(e, EFBIG, "one record cannot hold it");
		else
			record_encode(json.s, json.len, &out);
		if (!rc)
			rc = file_log_append(&s->file, out.s, out.len, e);
	}
	s->body = s->file.end;
	str_fini(&json);
	str_fini(&out);
	return rc;
}

static int make(struct txlog *l, struct disk_file *f, struct err *e)
{
	void *ctx = l->spec.small->begin();
	int rc = read_old(l, f, ctx, e);

	if (!rc)
		rc = write_new(l, ctx, e);
	l->spec.small->end(ctx);
	for (unsigned i = 0; i < COPY_MAX_ROUNDS && !rc; i++) {
		uint64_t end = durable_now(l);

		if (end - l->small.covers < COPY_REST)
			break;
		rc = copy_up_to(l, f, end, e);
	}
	return rc;
}

static void small_main(void *arg)
{
	struct txlog *l = arg;
	struct txlog_small *s = &l->small;
	struct disk_file *f = NULL;
	int rc;

	rc = disk_open(l->spec.disk, l->path, DISK_READ, 0, &f);
	if (rc)
		fail_errno(&s->err, rc, "cannot open %s", l->path);
	else
		rc = make(l, f, &s->err);
	disk_close(f);
	pthread_mutex_lock(&l->lock);
	s->state = rc ? SMALL_FAILED : SMALL_MADE;
	pthread_mutex_unlock(&l->lock);
	if (l->spec.loop)
		loop_wake(l->spec.loop, &l->finished);
}

/* --- on the writer's side ------------------------------------------------- */

static int take_place(struct txlog *l, struct err *e)
{
	struct txlog_small *s = &l->small;
	int rc;

	if (!l->is_open || l->file.broken)
		return fail_say(e, EIO, "%s is not in order", l->path);
	rc = copy_up_to(l, l->file.f, l->durable, e);
	if (rc)
		return rc;
	rc = disk_rename(l->spec.disk, s->path, l->path);
	if (rc)
		return fail_errno(e, rc, "cannot rename %s", s->path);
	file_log_close(&l->file);
	l->file = s->file;
	s->file = (struct file_log){ 0 };
	free(l->file.path);
	l->file.path = xstrdup(l->path);
	l->small_bytes = s->body;
	__atomic_store_n(&l->durable, l->file.end, __ATOMIC_RELEASE);
	rc = disk_fsync_dir(l->spec.disk, l->path);
	if (rc) {
		/* Which of the two a power cut leaves is not known: nothing
		 * more is written before the name is durable (heal). */
		l->file.broken = true;
		fail_errno(e, rc, "cannot make %s durable", l->path);
	}
	return rc;
}

void small_take_place(struct txlog *l)
{
	int rc = take_place(l, &l->small.err);

	l->small.state = rc ? SMALL_FAILED : SMALL_NONE;
}

/* --- the owner's side ----------------------------------------------------- */

/* What is left of an attempt. */
static void put_away(struct txlog *l)
{
	struct txlog_small *s = &l->small;

	if (!s->file.f)
		return;
	file_log_close(&s->file);
	(void)!disk_unlink(l->spec.disk, s->path);
}

static enum txlog_small_state state_of(struct txlog *l)
{
	enum txlog_small_state state;

	pthread_mutex_lock(&l->lock);
	state = l->small.state;
	pthread_mutex_unlock(&l->lock);
	return state;
}

static int begin(struct txlog *l, struct err *e)
{
	struct txlog_small *s = &l->small;
	int rc;

	err_fini(&s->err);
	s->covers = l->durable;
	s->state = SMALL_MAKING;
	if (!l->spec.loop) {
		small_main(l);
		return 0;
	}
	rc = thread_start(&s->thread, "db-compact", THREAD_ANY_CPU, small_main,
			  l);
	if (rc) {
		s->state = SMALL_NONE;
		return fail_errno(e, rc, "cannot start a thread");
	}
	s->running = true;
	return 0;
}

static bool is_time(const struct txlog *l)
{
	return l->spec.small && l->durable >= TXLOG_COMPACT_MIN_BYTES &&
	       l->durable / TXLOG_COMPACT_GROWTH >= l->small_bytes;
}

/* The next attempt is due when it has grown again. */
static void say_failed(struct txlog *l)
{
	char *text = err_format(&l->small.err);

	log_warn("%s could not be made smaller: %s", l->path, text);
	free(text);
	l->small_bytes = l->durable;
}

void small_tick(struct txlog *l)
{
	struct txlog_small *s = &l->small;
	enum txlog_small_state state = state_of(l);

	if (s->running && state != SMALL_MAKING) {
		thread_join(&s->thread);
		s->running = false;
	}
	if (state == SMALL_FAILED) {
		put_away(l);
		if (l->spec.loop)
			say_failed(l);
		s->state = SMALL_NONE;
	} else if (state == SMALL_NONE && l->spec.loop && is_time(l)) {
		if (begin(l, &s->err))
			say_failed(l);
	}
}

void small_stop(struct txlog *l)
{
	if (l->small.running)
		thread_join(&l->small.thread);
	l->small.running = false;
	put_away(l);
	l->small.state = SMALL_NONE;
}

bool txlog_is_compacting(const struct txlog *l)
{
	return l->small.state != SMALL_NONE;
}

int txlog_compact(struct txlog *l, struct err *e)
{
	struct txlog_small *s = &l->small;
	int rc;

	if (!l->spec.small)
		return fail_say(e, EOPNOTSUPP, "%s is never made smaller",
				l->path);
	if (txlog_is_compacting(l))
		return 0;
	rc = begin(l, e);
	if (rc || l->spec.loop)
		return rc;
	if (s->state == SMALL_MADE)
		small_take_place(l);
	if (s->state != SMALL_FAILED)
		return 0;
	rc = fail_say(e, EIO, "%s", s->err.text);
	small_tick(l);
	return rc;
}
