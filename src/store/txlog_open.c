/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a log as it is found, and what to do about damage. */
#include <errno.h>
#include <inttypes.h>

#include "store/reader.h"
#include "store/txlog_internal.h"
#include "sys/fail.h"

/* What stands behind the last record that could be read in order. */
struct rest {
	uint64_t off;
	size_t len;
	unsigned n_joined, n_heads; /* good records in it */
	uint64_t first_head;        /* where, in the file */
};

static void judge(const char *data, size_t len, struct rest *out)
{
	struct record r;

	for (size_t off = 0; record_search(data, len, off, &r);
	     off = r.off + r.len) {
		if (record_is_joined(&r)) {
			out->n_joined++;
			continue;
		}
		if (!out->n_heads++)
			out->first_head = out->off + r.off;
	}
}

/* Keeps what is cut off under a name that is free. */
static int keep_aside(struct txlog *l, const char *data, struct rest *rest,
		      struct str *said, struct err *e)
{
	struct file_content c = { data, rest->len, 0600 };
	struct disk_file *f = NULL;
	char *path = NULL;
	int rc = 0;

	for (unsigned i = 1; i <= TXLOG_MAX_ASIDE && !rc; i++) {
		free(path);
		path = xasprintf("%s.cut-%u", l->path, i);
		rc = disk_open(l->spec.disk, path, DISK_READ, 0, &f);
		if (!rc)
			disk_close(f);
	}
	if (!rc)
		rc = fail_say(
			e, EEXIST,
			"%s has a torn end, and there are %u earlier ones "
			"kept beside it: look at %s.cut-* and move them "
			"away",
			l->path, TXLOG_MAX_ASIDE, l->path);
	else if (rc == -ENOENT)
		rc = file_write(l->spec.disk, path, &c, e);
	else
		fail_errno(e, rc, "cannot open %s", path);
	if (!rc)
		str_addf(said,
			 "%s: the last %zu bytes are of a write that did not "
			 "come to its end: cut off, kept as %s",
			 l->path, rest->len, path);
	free(path);
	return rc;
}

/* X4. */
static int handle_rest(struct txlog *l, struct reader *r, struct str *said,
		       struct err *e)
{
	struct rest rest = { .off = r->off };
	const char *data;
	int rc = reader_rest(r, &data, &rest.len);

	if (rc)
		return fail_errno(e, rc, "cannot read %s", l->path);
	/* A write that was cut may have left zeros, but no other beginning. */
	if (!rest.off && *data && memcmp(data, "OVSDB ", MIN(rest.len, 6)))
		return fail_say(e, EUCLEAN,
				"%s is no log of a database; nothing was "
				"changed",
				l->path);
	judge(data, rest.len, &rest);
	if (rest.n_heads)
		return fail_say(
			e, EUCLEAN,
			"%s is damaged between byte %" PRIu64 " and %" PRIu64
			"; %u records behind it are good. Nothing was changed. "
			"Restore a copy, or keep one and cut the file at byte "
			"%" PRIu64 " to go on with what was before",
			l->path, rest.off, rest.first_head,
			rest.n_heads + rest.n_joined, rest.off);
	return keep_aside(l, data, &rest, said, e);
}

static int read_all(struct txlog *l, struct reader *r, txlog_read_fn *read,
		    void *ctx, struct err *e)
{
	enum record_status status;
	uint64_t off = 0;
	struct record rec;

	for (;;) {
		int rc = reader_next(r, &rec, &status);

		if (rc)
			return fail_errno(e, rc, "cannot read %s", l->path);
		if (status != RECORD_OK)
			return 0;
		if (!read(ctx, rec.json, rec.json_len, e)) {
			err_wrap(e, "%s: the record at byte %" PRIu64, l->path,
				 off);
			return -EINVAL;
		}
		l->n_records++;
		off = r->off;
	}
}

int txlog_load(struct txlog *l, txlog_read_fn *read, void *ctx, char **said,
	       struct err *e)
{
	struct str text = STR_INIT;
	struct reader r;
	int rc;

	rc = file_log_open(&l->file, l->spec.disk, l->path, l->spec.mode, e);
	if (rc)
		return rc;
	l->is_open = true;
	reader_init(&r, l->file.f, 0, l->file.end);
	rc = read_all(l, &r, read, ctx, e);
	if (!rc && r.off < r.end)
		rc = handle_rest(l, &r, &text, e);
	/* Also when nothing is cut: what a killed daemon left in the cache
	 * counts from here on, so it must be durable. */
	if (!rc)
		rc = file_log_cut(&l->file, r.off, e);
	l->durable = l->small_bytes = r.off;
	reader_fini(&r);
	if (!rc && text.len)
		*said = str_take(&text);
	str_fini(&text);
	return rc;
}
