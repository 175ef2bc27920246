/* SPDX-License-Identifier: Apache-2.0 */
#include "store/txlog.h"

#include <errno.h>
#include <inttypes.h>

#include "base/log.h"
#include "store/record.h"
#include "store/txlog_internal.h"
#include "sys/fail.h"

/* --- the disk's side ------------------------------------------------------ */

/* X5: after a failure the file is opened anew and cut to its durable end. */
static int heal(struct txlog *l, struct err *e)
{
	int rc;

	if (l->is_open && !l->file.broken)
		return 0;
	if (l->is_open)
		file_log_close(&l->file);
	l->is_open = false;
	rc = file_log_open(&l->file, l->spec.disk, l->path, l->spec.mode, e);
	if (rc)
		return rc;
	l->is_open = true;
	if (l->file.end < l->durable)
		rc = fail_say(e, EIO,
			      "%s is shorter than what was written to it: "
			      "somebody changed it; restart to go on with what "
			      "it holds",
			      l->path);
	else
		rc = file_log_cut(&l->file, l->durable, e);
	if (rc)
		l->file.broken = true;
	return rc;
}

static void write_batch(struct txlog *l)
{
	err_fini(&l->why);
	l->rc = heal(l, &l->why);
	if (!l->rc)
		l->rc = file_log_append(&l->file, l->batch.s, l->batch.len,
					&l->why);
	if (l->rc)
		return;
	__atomic_store_n(&l->durable, l->file.end, __ATOMIC_RELEASE);
	l->n_records += l->n_batch;
}

static void writer_main(void *arg)
{
	struct txlog *l = arg;

	pthread_mutex_lock(&l->lock);
	for (;;) {
		while (!l->stop && (!l->busy || l->done))
			pthread_cond_wait(&l->cond, &l->lock);
		if (!l->busy || l->done)
			break;
		pthread_mutex_unlock(&l->lock);
		if (l->swap)
			small_take_place(l);
		else
			write_batch(l);
		pthread_mutex_lock(&l->lock);
		l->done = true;
		pthread_cond_broadcast(&l->cond);
		loop_wake(l->spec.loop, &l->finished);
	}
	pthread_mutex_unlock(&l->lock);
}

/* --- the owner's side ----------------------------------------------------- */

static void tell_written(struct txlog *l)
{
	struct txlog_wait *w, *next;
	unsigned n = l->n_batch;

	list_for_each_safe(w, next, &l->waits, link) {
		if (!n--)
			break;
		list_del(&w->link);
		if (w->done)
			w->done(w->arg, NULL);
		free(w);
	}
}

/* X2: what was put after the failed batch stood on it, so it fails too. */
static void tell_failed(struct txlog *l)
{
	struct list failed = LIST_INIT(failed);
	struct txlog_wait *w, *next;
	char *why = err_format(&l->why);

	while (!list_is_empty(&l->waits))
		list_push_front(&failed, list_pop_front(&l->waits));
	str_clear(&l->next);
	l->n_next = 0;
	list_for_each_safe(w, next, &failed, link) {
		if (w->done)
			w->done(w->arg, why);
		free(w);
	}
	free(why);
}

/* After the writer is done: `busy` is no more, the disk's side is ours. */
static void conclude(struct txlog *l)
{
	bool swap = l->swap;

	l->busy = l->done = l->swap = false;
	if (!swap) {
		l->last_rc = l->rc;
		str_clear(&l->batch);
		if (l->rc)
			tell_failed(l);
		else
			tell_written(l);
	}
	small_tick(l);
}

static void hand_over(struct txlog *l)
{
	if (!l->spec.loop) {
		l->busy = true;
		if (l->swap)
			small_take_place(l);
		else
			write_batch(l);
		conclude(l);
		return;
	}
	pthread_mutex_lock(&l->lock);
	l->busy = true;
	pthread_cond_broadcast(&l->cond);
	pthread_mutex_unlock(&l->lock);
}

static void start_batch(void *arg)
{
	struct txlog *l = arg;
	struct str old;

	if (l->busy)
		return;
	if (l->small.state == SMALL_MADE) {
		l->swap = true;
		hand_over(l);
		return;
	}
	if (!l->n_next)
		return;
	old = l->batch;
	l->batch = l->next;
	l->next = old;
	l->n_batch = l->n_next;
	str_clear(&l->next);
	l->n_next = 0;
	hand_over(l);
}

static void on_finished(void *arg)
{
	struct txlog *l = arg;
	bool over;

	pthread_mutex_lock(&l->lock);
	over = l->busy && l->done;
	pthread_mutex_unlock(&l->lock);
	if (over)
		conclude(l);
	else
		small_tick(l);
	start_batch(l);
}

void txlog_put(struct txlog *l, const char *json, size_t len,
	       txlog_done_fn *done, void *arg)
{
	struct txlog_wait *w = xmalloc(sizeof(*w));

	*w = (struct txlog_wait){ .done = done, .arg = arg };
	list_push_back(&l->waits, &w->link);
	if (l->n_next++)
		record_encode_joined(json, len, &l->next);
	else
		record_encode(json, len, &l->next);
	if (l->spec.loop && !l->busy)
		defer_set(&l->start);
}

/* Waits for the writer, as the loop would have been told. */
static void wait_for_writer(struct txlog *l)
{
	pthread_mutex_lock(&l->lock);
	while (l->busy && !l->done)
		pthread_cond_wait(&l->cond, &l->lock);
	pthread_mutex_unlock(&l->lock);
	if (l->busy)
		conclude(l);
}

int txlog_flush(struct txlog *l)
{
	while (l->busy || l->n_next) {
		start_batch(l);
		wait_for_writer(l);
	}
	return l->last_rc;
}

bool txlog_is_full(const struct txlog *l)
{
	return l->next.len > TXLOG_MAX_QUEUE_BYTES;
}

uint64_t txlog_bytes(const struct txlog *l)
{
	return l->durable;
}

uint64_t txlog_records(const struct txlog *l)
{
	return l->n_records;
}

/* --- life ----------------------------------------------------------------- */

static void init(struct txlog *l, const struct txlog_spec *s)
{
	l->spec = *s;
	l->path = xstrdup(s->path);
	l->spec.path = l->path;
	l->small.path = xasprintf("%s.small", s->path);
	list_init(&l->waits);
	pthread_mutex_init(&l->lock, NULL);
	pthread_cond_init(&l->cond, NULL);
	loop_call_init(&l->finished, on_finished, l);
	if (s->loop)
		defer_init(&l->start, s->loop, start_batch, l);
}

struct txlog *txlog_open(const struct txlog_spec *s, txlog_read_fn *read,
			 void *ctx, char **said, struct err *e)
{
	struct txlog *l = xzalloc(sizeof(*l));
	int rc;

	*said = NULL;
	init(l, s);
	rc = txlog_load(l, read, ctx, said, e);
	if (!rc && s->loop) {
		rc = thread_start(&l->writer, "db-writer", THREAD_ANY_CPU,
				  writer_main, l);
		if (rc)
			fail_errno(e, rc, "cannot start the log's thread");
	}
	if (!rc)
		return l;
	txlog_close(l);
	return NULL;
}

void txlog_close(struct txlog *l)
{
	if (!l)
		return;
	txlog_flush(l);
	small_stop(l);
	if (l->spec.loop) {
		pthread_mutex_lock(&l->lock);
		l->stop = true;
		pthread_cond_broadcast(&l->cond);
		pthread_mutex_unlock(&l->lock);
		thread_join(&l->writer);
		loop_call_cancel(l->spec.loop, &l->finished);
		defer_fini(&l->start);
	}
	if (l->is_open)
		file_log_close(&l->file);
	str_fini(&l->next);
	str_fini(&l->batch);
	err_fini(&l->why);
	err_fini(&l->small.err);
	pthread_cond_destroy(&l->cond);
	pthread_mutex_destroy(&l->lock);
	free(l->small.path);
	free(l->path);
	free(l);
}
