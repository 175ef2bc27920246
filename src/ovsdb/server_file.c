/* SPDX-License-Identifier: Apache-2.0 */
#include "ovsdb/server_file.h"

#include <errno.h>
#include <unistd.h>

#include "store/record.h"
#include "store/txlog.h"
#include "sys/fail.h"
#include "sys/file_io.h"

#define MS_NS 1000000u

struct server_file {
	struct server_file_spec spec;
	char *path;
	struct txlog *log; /* NULL: it could not be opened again */
};

/* --- reading ------------------------------------------------------------------------ */

static int fault_tell(struct fault *f, struct err *e)
{
	char *text = fault_format(f);

	err_set(e, "%s", text);
	free(text);
	fault_fini(f);
	return -EINVAL;
}

static bool read_schema(struct db **db, const struct json *v, struct err *e)
{
	struct fault f = { 0 };
	struct schema *s = schema_parse(v, &f);

	if (!s) {
		fault_tell(&f, e);
		return false;
	}
	*db = db_create(s, env_system());
	return true;
}

static bool read_change(struct db *db, const struct json *v, struct err *e)
{
	struct fault f = { 0 };
	struct txn *t = txn_read_record(db, v, &f);

	if (t)
		txn_commit(t);
	else
		fault_tell(&f, e);
	return t;
}

/* ctx: struct db **, NULL before the schema. */
static bool read_record(void *ctx, const char *json, size_t len, struct err *e)
{
	struct db **db = ctx;
	struct json_doc *doc;
	bool ok;

	if (json_parse(json, len, &doc, e))
		return false;
	ok = *db ? read_change(*db, json_root(doc), e) :
		   read_schema(db, json_root(doc), e);
	json_doc_destroy(doc);
	return ok;
}

/* --- all of it as two records --------------------------------------------------------- */

static void add_table(struct str *s, const struct table *t)
{
	char name[UUID_LEN + 1];
	struct row *r;

	if (!table_n_rows(t))
		return;
	json_add_name(s, t->schema->name);
	json_add_open(s, '{');
	table_for_each(r, t) {
		struct row_view v = row_view(t, r);

		json_add_name(s, uuid_format(&r->uuid, name));
		row_view_add_json(s, &v, NULL, 0);
	}
	json_add_close(s, '}');
}

static void add_content(struct str *s, const struct db *db)
{
	json_add_open(s, '{');
	json_add_name(s, "_comment");
	json_add_string(s, "all there is");
	json_add_name(s, "_date");
	json_add_int(s, (int64_t)(env_wall_ns(env_system()) / MS_NS));
	for (unsigned i = 0; i < db->schema->n_tables; i++)
		add_table(s, &db->tables[i]);
	json_add_close(s, '}');
}

static void *small_begin(void)
{
	return xzalloc(sizeof(struct db *));
}

static bool small_write(void *ctx, unsigned i, struct str *json)
{
	struct db **db = ctx;

	if (!*db || i > 1)
		return false;
	if (i)
		add_content(json, *db);
	else
		schema_add_json(json, (*db)->schema);
	return true;
}

static void small_end(void *ctx)
{
	struct db **db = ctx;

	if (*db)
		db_destroy(*db);
	free(db);
}

static const struct txlog_small_ops small_ops = {
	.begin = small_begin,
	.read = read_record,
	.write = small_write,
	.end = small_end,
};

/* --- the file -------------------------------------------------------------------------- */

static struct txlog *file_open(const struct server_file *f, struct db **db,
			       char **said, struct err *e)
{
	const struct txlog_spec spec = {
		.disk = f->spec.disk,
		.path = f->path,
		.mode = f->spec.mode ? f->spec.mode : 0640,
		.loop = f->spec.loop,
		.small = &small_ops,
	};

	return txlog_open(&spec, read_record, db, said, e);
}

/* A new file's first record. */
static int file_begin(struct server_file *f, struct db **db, struct err *e)
{
	const char *schema = f->spec.schema;

	if (!schema)
		return err_set(e, "%s holds no database", f->path);
	if (!read_record(db, schema, strlen(schema), e))
		return -EINVAL;
	txlog_put(f->log, schema, strlen(schema), NULL, NULL);
	if (txlog_flush(f->log))
		return err_set(e, "%s: the schema could not be written",
			       f->path);
	return 0;
}

static int file_open_all(struct server_file *f, struct db **db, char **said,
			 struct err *e)
{
	struct disk_file *there;
	int err = disk_open(f->spec.disk, f->path, DISK_READ, 0, &there);

	if (!err)
		disk_close(there);
	else if (err != -ENOENT || !f->spec.schema)
		return fail_errno(e, err, "cannot open %s", f->path);
	f->log = file_open(f, db, said, e);
	if (!f->log)
		return -EINVAL;
	return *db ? 0 : file_begin(f, db, e);
}

struct server_file *server_file_open(const struct server_file_spec *s,
				     struct db **db, char **said, struct err *e)
{
	struct server_file *f = xzalloc(sizeof(*f));

	f->spec = *s;
	f->path = xstrdup(s->path);
	*db = NULL;
	if (!file_open_all(f, db, said, e))
		return f;
	if (*db)
		db_destroy(*db);
	*db = NULL;
	server_file_close(f);
	return NULL;
}

void server_file_flush(struct server_file *f)
{
	/* Who put was told whether it failed. */
	if (f->log)
		(void)!txlog_flush(f->log);
}

int server_file_compact(struct server_file *f, struct err *e)
{
	if (!f->log)
		return err_set(e, "%s is not open", f->path);
	return txlog_compact(f->log, e);
}

void server_file_close(struct server_file *f)
{
	if (!f)
		return;
	if (f->log)
		txlog_close(f->log);
	free(f->path);
	free(f);
}

/* --- the log's operations ---------------------------------------------------------------- */

struct orphan {
	struct defer defer;
	server_done_fn *done;
	void *arg;
};

static void on_orphan(void *arg)
{
	struct orphan *o = arg;

	o->done(o->arg, "the database's file is not open");
	defer_fini(&o->defer);
	free(o);
}

static void file_put(void *log, const char *json, size_t n,
		     server_done_fn *done, void *arg)
{
	struct server_file *f = log;
	struct orphan *o;

	if (f->log) {
		txlog_put(f->log, json, n, done, arg);
		return;
	}
	o = xzalloc(sizeof(*o));
	o->done = done;
	o->arg = arg;
	defer_init(&o->defer, f->spec.loop, on_orphan, o);
	defer_set(&o->defer);
}

static int write_anew(struct server_file *f, const struct db *db, struct err *e)
{
	struct str json = STR_INIT, all = STR_INIT;
	struct file_content c = { .mode = f->spec.mode ? f->spec.mode : 0640 };
	int err;

	schema_add_json(&json, db->schema);
	record_encode(json.s, json.len, &all);
	str_clear(&json);
	add_content(&json, db);
	record_encode(json.s, json.len, &all);
	c.data = all.s;
	c.len = all.len;
	err = file_write(f->spec.disk, f->path, &c, e);
	str_fini(&json);
	str_fini(&all);
	return err;
}

static int file_replace(void *log, const struct db *db, struct err *e)
{
	struct server_file *f = log;
	struct db *again = NULL;
	struct err e2 = ERR_INIT;
	char *said = NULL;
	int err;

	server_file_flush(f);
	txlog_close(f->log);
	err = write_anew(f, db, e);
	f->log = file_open(f, &again, &said, &e2);
	if (!f->log)
		err = err_set(e, "%s: cannot be opened again: %s", f->path,
			      e2.text);
	if (again)
		db_destroy(again);
	err_fini(&e2);
	free(said);
	return err;
}

const struct server_log_ops server_file_ops = { file_put, file_replace };
