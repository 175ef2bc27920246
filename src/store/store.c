/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store.h"

#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>

#include "store/record.h"
#include "sys/fail.h"
#include "sys/file_io.h"

/* The row that every state sets. Any fixed UUID will do. */
#define ROW "77656674-5374-4174-8065-000000000001"

static const char schema[] =
	"{\"name\":\"weft\",\"version\":\"1.0.0\",\"tables\":{\"State\":{"
	"\"columns\":{\"serial\":{\"type\":\"integer\"},\"text\":{\"type\":"
	"\"string\"},\"file\":{\"type\":\"string\"},\"who\":{\"type\":"
	"\"string\"}},"
	"\"maxRows\":1}}}";

/* Where a good state is. */
struct entry {
	uint64_t off;
	size_t len;
	uint64_t serial;
};

struct store {
	struct disk *disk;
	char *path;
	struct disk_file *lock;
	struct file_log log;
	bool is_open;   /* the log */
	bool must_heal; /* its file has damage, or may not be trusted */
	bool has_schema;
	struct entry *entries;
	unsigned n, cap;
	struct store_state last; /* text NULL: none */
};

/* --- states and JSON ------------------------------------------------------ */

/* A text that is ours: in a copy, not in what a caller puts. */
static void drop(const char *s)
{
	free((void *)(uintptr_t)s);
}

void store_state_fini(struct store_state *st)
{
	drop(st->text);
	drop(st->file);
	drop(st->who);
	drop(st->comment);
	*st = (struct store_state){ 0 };
}

static char *dup(const char *s)
{
	return s ? xstrdup(s) : NULL;
}

static void put_text(struct json_object *o, const char *key, const char *s)
{
	if (s)
		json_object_object_add(o, key, json_object_new_string(s));
}

static void state_encode(const struct store_state *st, uint64_t serial,
			 struct str *out)
{
	struct json_object *o = json_object_new_object();
	struct json_object *table = json_object_new_object();
	struct json_object *row = json_object_new_object();
	const char *text;
	size_t len;

	json_object_object_add(
		o, "_date", json_object_new_int64((int64_t)st->wall_s * 1000));
	put_text(o, "_comment", st->comment);
	json_object_object_add(row, "serial",
			       json_object_new_int64((int64_t)serial));
	put_text(row, "text", st->text);
	put_text(row, "file", st->file ? st->file : "");
	put_text(row, "who", st->who ? st->who : "");
	json_object_object_add(table, ROW, row);
	json_object_object_add(o, "State", table);
	text = json_object_to_json_string_length(
		o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE,
		&len);
	record_encode(text, len, out);
	json_object_put(o);
}

static char *take_text(struct json_object *o, const char *key)
{
	struct json_object *v;

	if (!json_object_object_get_ex(o, key, &v) ||
	    !json_object_is_type(v, json_type_string) ||
	    !json_object_get_string_len(v))
		return NULL;
	return xstrdup(json_object_get_string(v));
}

static int64_t take_number(struct json_object *o, const char *key)
{
	struct json_object *v;

	if (!json_object_object_get_ex(o, key, &v))
		return 0;
	return json_object_get_int64(v);
}

static struct json_object *record_json(const struct record *r)
{
	struct json_tokener *t = json_tokener_new();
	struct json_object *o;

	o = json_tokener_parse_ex(t, r->json, (int)r->json_len);
	json_tokener_free(t);
	return o;
}

/* False: a record of something else, as the schema. */
static bool state_decode(const struct record *r, struct store_state *out)
{
	struct json_object *o = record_json(r), *table, *row;
	bool ok = false;

	*out = (struct store_state){ 0 };
	if (o && json_object_object_get_ex(o, "State", &table) &&
	    json_object_object_get_ex(table, ROW, &row)) {
		out->serial = (uint64_t)take_number(row, "serial");
		out->wall_s = (uint64_t)take_number(o, "_date") / 1000;
		out->text = take_text(row, "text");
		out->file = take_text(row, "file");
		out->who = take_text(row, "who");
		out->comment = take_text(o, "_comment");
		if (!out->text)
			out->text = xstrdup("");
		ok = true;
	}
	json_object_put(o);
	return ok;
}

/* --- what a file holds ---------------------------------------------------- */

static void add_entry(struct store *s, uint64_t off, size_t len,
		      uint64_t serial)
{
	if (s->n == s->cap) {
		s->cap = s->cap ? s->cap * 2 : 16;
		s->entries = xrealloc(s->entries, s->cap * sizeof(*s->entries));
	}
	s->entries[s->n++] = (struct entry){ off, len, serial };
}

/* What a walk over the file found. */
struct scan {
	size_t good_end;    /* behind the last good record */
	unsigned n_damaged; /* stretches that are no records, but the tail */
	enum record_status tail;
};

static void take_record(struct store *s, const struct record *r)
{
	struct store_state st;

	if (!state_decode(r, &st)) {
		s->has_schema = true;
		return;
	}
	add_entry(s, r->off, r->len, st.serial);
	store_state_fini(&s->last);
	s->last = st;
}

static void scan(struct store *s, const char *data, size_t size,
		 struct scan *out)
{
	struct record r;
	size_t off = 0;

	*out = (struct scan){ 0 };
	s->n = 0;
	s->has_schema = false;
	store_state_fini(&s->last);
	for (;;) {
		out->tail = record_decode(data, size, off, &r);
		if (out->tail == RECORD_END)
			return;
		if (out->tail != RECORD_OK) {
			if (!record_search(data, size, off, &r))
				return;
			out->n_damaged++;
		}
		take_record(s, &r);
		off = out->good_end = r.off + r.len;
	}
}

/* --- writing anew --------------------------------------------------------- */

static int read_entry(struct store *s, const struct entry *en, char **out)
{
	char *buf = xmalloc(en->len);
	int rc = file_log_read(&s->log, en->off, buf, en->len);

	if (rc) {
		free(buf);
		return rc;
	}
	*out = buf;
	return 0;
}

/* From which entry on they are kept: the newest few, within their bytes. */
static unsigned keep_from(const struct store *s)
{
	unsigned from = s->n;
	size_t bytes = 0;

	while (from > 0 && s->n - from < STORE_KEEP_STATES) {
		bytes += s->entries[from - 1].len;
		if (from < s->n && bytes > STORE_KEEP_BYTES)
			break;
		from--;
	}
	return from;
}

/* Schema and the entries from `from` on, as they are in the old file. A record
 * that cannot be read any more is left out: it is lost already. */
static void build_file(struct store *s, unsigned from, struct str *out)
{
	struct record r;
	char *buf;

	record_encode(schema, sizeof(schema) - 1, out);
	for (unsigned i = from; i < s->n; i++) {
		struct entry *en = &s->entries[i];

		if (i + 1 == s->n) {
			/* the last is in memory: it never depends on the disk */
			state_encode(&s->last, en->serial, out);
			continue;
		}
		if (read_entry(s, en, &buf))
			continue;
		if (record_decode(buf, en->len, 0, &r) == RECORD_OK)
			str_add_n(out, buf, en->len);
		free(buf);
	}
}

static int load(struct store *s, struct scan *found, struct err *e)
{
	size_t size;
	char *data;
	int rc;

	rc = file_log_open(&s->log, s->disk, s->path, 0600, e);
	if (rc)
		return rc;
	s->is_open = true;
	if (s->log.end > 2 * (uint64_t)STORE_MAX_BYTES)
		return fail_say(e, EFBIG,
				"%s has %" PRIu64 " bytes; move it away to "
				"start anew",
				s->path, s->log.end);
	size = (size_t)s->log.end;
	data = xmalloc(size + 1);
	rc = file_log_read(&s->log, 0, data, size);
	if (rc)
		fail_errno(e, rc, "cannot read %s", s->path);
	else
		scan(s, data, size, found);
	free(data);
	return rc;
}

static void unload(struct store *s)
{
	if (s->is_open)
		file_log_close(&s->log);
	s->is_open = false;
}

/* The good records into a new file, in the place of the old one. What is known
 * as acknowledged is in memory before, so it is what the new file holds. */
static int rewrite(struct store *s, unsigned from, struct err *e)
{
	struct str text = STR_INIT;
	struct scan found;
	int rc;

	build_file(s, from, &text);
	rc = file_write(s->disk, s->path,
			&(struct file_content){ text.s, text.len, 0600 }, e);
	s->must_heal = rc != 0;
	if (!rc) {
		/* the entries are those of the new file from here on */
		unload(s);
		scan(s, text.s, text.len, &found);
		rc = file_log_open(&s->log, s->disk, s->path, 0600, e);
		s->is_open = !rc;
		s->must_heal = rc || s->log.end != text.len;
	}
	str_fini(&text);
	return rc;
}

/* --- opening -------------------------------------------------------------- */

/* Keeps a copy of a damaged file under a name of its own. */
static void keep_aside(struct store *s, struct str *said)
{
	size_t size = (size_t)s->log.end;
	char *data = xmalloc(size + 1), *path = NULL;
	struct disk_file *f = NULL;
	int rc;

	for (unsigned i = 1; i <= STORE_MAX_ASIDE; i++) {
		free(path);
		path = xasprintf("%s.damaged-%u", s->path, i);
		if (disk_open(s->disk, path, DISK_READ, 0, &f))
			break;
		disk_close(f);
	}
	rc = file_log_read(&s->log, 0, data, size);
	if (!rc)
		rc = file_write(s->disk, path,
				&(struct file_content){ data, size, 0600 },
				NULL);
	if (rc)
		str_addf(said, "; no copy could be kept: %s", err_name(rc));
	else
		str_addf(said, "; the file as it was is kept as %s", path);
	free(path);
	free(data);
}

static void say_last(const struct store *s, struct str *said)
{
	if (s->last.text)
		str_addf(said, "; going on with state %" PRIu64 "\n",
			 s->last.serial);
	else
		str_add(said, "; there is no state before\n");
}

/* A write that the power cut: expected, and nothing acknowledged is in it. */
static int cut_tail(struct store *s, const struct scan *found, struct str *said,
		    struct err *e)
{
	uint64_t torn = s->log.end - found->good_end;

	if (torn) {
		str_addf(said,
			 "%s: the last %" PRIu64 " bytes are of a write that "
			 "was cut short; they were dropped",
			 s->path, torn);
		say_last(s, said);
	}
	/* Also when nothing is torn: what was found may be in the cache only,
	 * after a failed write of a daemon that is gone. */
	return file_log_cut(&s->log, found->good_end, e);
}

/* Damage that no power cut explains. The start does not fail on it. */
static void mend(struct store *s, const struct scan *found, struct str *said)
{
	struct err e = ERR_INIT;

	str_addf(said, "%s is damaged in %u place%s", s->path,
		 found->n_damaged + (found->tail == RECORD_DAMAGED),
		 found->n_damaged + (found->tail == RECORD_DAMAGED) > 1 ? "s" :
									  "");
	keep_aside(s, said);
	if (rewrite(s, 0, &e))
		str_addf(said, "; it cannot be written anew: %s", e.text);
	s->must_heal |= err_is_set(&e);
	err_fini(&e);
	say_last(s, said);
}

static int lock(struct store *s, const char *dir, struct err *e)
{
	char *path = xasprintf("%s/weft.db.lock", dir);
	int rc;

	rc = disk_open(s->disk, path, DISK_WRITE | DISK_CREATE, 0600, &s->lock);
	if (!rc)
		rc = disk_lock(s->lock);
	if (rc == -EWOULDBLOCK)
		fail_say(e, EBUSY,
			 "another weftd uses %s: stop it, or give this one "
			 "another folder (--state)",
			 dir);
	else if (rc)
		fail_errno(e, rc, "cannot lock %s", path);
	free(path);
	return rc;
}

static int start(struct store *s, const char *dir, struct str *said,
		 struct err *e)
{
	struct scan found = { 0 };
	int rc;

	rc = file_make_dir(s->disk, dir, 0700, e);
	if (!rc)
		rc = lock(s, dir, e);
	if (!rc)
		rc = load(s, &found, e);
	if (rc)
		return rc;
	if (found.n_damaged || found.tail == RECORD_DAMAGED)
		mend(s, &found, said);
	else
		rc = cut_tail(s, &found, said, e);
	return rc;
}

struct store *store_open(const char *dir, struct disk *d, char **said,
			 struct err *e)
{
	struct store *s = xzalloc(sizeof(*s));
	struct str text = STR_INIT;

	s->disk = d;
	s->path = xasprintf("%s/weft.db", dir);
	if (start(s, dir, &text, e)) {
		store_close(s);
		s = NULL;
	}
	*said = text.len ? str_take(&text) : NULL;
	return s;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	unload(s);
	disk_close(s->lock);
	store_state_fini(&s->last);
	free(s->entries);
	free(s->path);
	free(s);
}

/* --- putting -------------------------------------------------------------- */

const struct store_state *store_last(const struct store *s)
{
	return s->last.text ? &s->last : NULL;
}

/* Every failure ends here: the good records are read once more and written
 * anew, so that nothing rests on what a failed call may have left. */
static int heal(struct store *s, struct err *e)
{
	int rc;

	if (s->is_open && !s->log.broken && !s->must_heal)
		return 0;
	if (!s->is_open || s->log.broken) {
		unload(s);
		rc = file_log_open(&s->log, s->disk, s->path, 0600, e);
		if (rc)
			return rc;
		s->is_open = true;
	}
	return rewrite(s, 0, e);
}

/* Keeps the file small. When that fails it is not known which file has the
 * name, so nothing more is appended before it was healed. */
static int compact(struct store *s, struct err *e)
{
	if (s->n <= STORE_MAX_STATES && s->log.end <= STORE_MAX_BYTES)
		return 0;
	return rewrite(s, keep_from(s), e);
}

static void remember(struct store *s, const struct store_state *st,
		     uint64_t serial)
{
	struct store_state copy = { .serial = serial,
				    .wall_s = st->wall_s,
				    .text = dup(st->text),
				    .file = dup(st->file),
				    .who = dup(st->who),
				    .comment = dup(st->comment) };

	store_state_fini(&s->last);
	s->last = copy;
}

static uint64_t next_serial(const struct store *s)
{
	return s->n ? s->entries[s->n - 1].serial + 1 : 1;
}

int store_put(struct store *s, const struct store_state *states, unsigned n,
	      struct err *e)
{
	uint64_t serial = next_serial(s), off;
	struct str text = STR_INIT;
	size_t *ends;
	int rc;

	rc = heal(s, e);
	if (!rc)
		rc = compact(s, e);
	if (rc)
		return rc;
	if (!s->has_schema)
		record_encode(schema, sizeof(schema) - 1, &text);
	off = s->log.end + text.len;
	ends = xcalloc(n + 1, sizeof(*ends));
	for (unsigned i = 0; i < n; i++) {
		size_t begin = text.len;

		state_encode(&states[i], serial + i, &text);
		ends[i] = text.len - begin;
	}
	rc = s->is_open ? file_log_append(&s->log, text.s, text.len, e) :
			  fail_say(e, EIO, "%s cannot be opened", s->path);
	for (unsigned i = 0; i < n && !rc; i++) {
		add_entry(s, off, ends[i], serial + i);
		off += ends[i];
	}
	if (!rc && n) {
		remember(s, &states[n - 1], serial + n - 1);
		s->has_schema = true;
	}
	free(ends);
	str_fini(&text);
	return rc;
}

/* --- history -------------------------------------------------------------- */

unsigned store_n_states(const struct store *s)
{
	return s->n;
}

int store_get(struct store *s, unsigned index, struct store_state *out,
	      struct err *e)
{
	struct record r;
	char *buf;
	int rc;

	must(index < s->n);
	if (!s->is_open)
		return fail_say(e, EIO, "%s cannot be read", s->path);
	rc = read_entry(s, &s->entries[index], &buf);
	if (rc)
		return fail_errno(e, rc, "cannot read %s", s->path);
	if (record_decode(buf, s->entries[index].len, 0, &r) != RECORD_OK ||
	    !state_decode(&r, out))
		rc = fail_say(e, EIO,
			      "state %" PRIu64 " in %s is damaged: its digest "
			      "is wrong",
			      s->entries[index].serial, s->path);
	free(buf);
	return rc;
}
