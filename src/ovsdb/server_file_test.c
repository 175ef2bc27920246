/* SPDX-License-Identifier: Apache-2.0 */
/* Database files, and Debian's ovsdb-tool on both sides of them. The tests with
 * the tool skip, and say so, where there is none. */
#include "ovsdb/server_file.h"

#include <fcntl.h>
#include <setjmp.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "ovsdb/txn.h"
#include "sys/disk.h"

#define N_ROWS 40
#define MAX_TEXT 65536

static const char schema_text[] =
	"{\"name\":\"T\",\"version\":\"1.2.3\",\"tables\":{"
	"\"root\":{\"isRoot\":true,\"indexes\":[[\"name\"]],\"columns\":{"
	"\"name\":{\"type\":\"string\"},"
	"\"n\":{\"type\":{\"key\":\"real\",\"min\":0}},"
	"\"seen\":{\"type\":\"boolean\",\"ephemeral\":true},"
	"\"set\":{\"type\":{\"key\":\"integer\",\"min\":0,"
	"\"max\":\"unlimited\"}},"
	"\"map\":{\"type\":{\"key\":\"string\",\"value\":\"string\","
	"\"min\":0,\"max\":\"unlimited\"}},"
	"\"kids\":{\"type\":{\"key\":{\"type\":\"uuid\",\"refTable\":\"kid\"},"
	"\"min\":0,\"max\":\"unlimited\"}}}},"
	"\"kid\":{\"columns\":{\"age\":{\"type\":\"integer\"}}}}}";

static const char all[] =
	"[\"T\",{\"op\":\"select\",\"table\":\"root\",\"where\":[],"
	"\"sort\":[\"name\"],\"columns\":[\"_uuid\",\"name\",\"n\",\"set\","
	"\"map\",\"kids\"]},{\"op\":\"select\",\"table\":\"kid\",\"where\":[],"
	"\"sort\":[\"age\"],\"columns\":[\"_uuid\",\"age\"]}]";

struct place {
	char dir[32], path[64], schema[64], out[64];
	struct server_file *file;
	struct db *db;
};

static void place_open(struct place *p)
{
	const struct server_file_spec spec = {
		.env = env_system(),
		.disk = disk_system(),
		.path = p->path,
		.schema = schema_text,
	};
	struct err e = ERR_INIT;
	char *said = NULL;

	p->file = server_file_open(&spec, &p->db, &said, &e);
	if (!p->file)
		fail_msg("%s", e.text);
	assert_null(said);
}

static void place_close(struct place *p)
{
	server_file_close(p->file);
	db_destroy(p->db);
}

static void place_init(struct place *p)
{
	FILE *f;

	*p = (struct place){ .dir = "/tmp/weft-file-XXXXXX" };
	assert_non_null(mkdtemp(p->dir));
	snprintf(p->path, sizeof(p->path), "%s/db", p->dir);
	snprintf(p->schema, sizeof(p->schema), "%s/schema", p->dir);
	snprintf(p->out, sizeof(p->out), "%s/out", p->dir);
	f = fopen(p->schema, "w");
	assert_non_null(f);
	fputs(schema_text, f);
	assert_int_equal(fclose(f), 0);
}

/* The exit status is 0; what it says is in the file `out`. */
static bool ran(const char *out, const char *const argv[])
{
	extern char **environ;
	posix_spawn_file_actions_t to;
	int status = -1;
	pid_t pid;

	assert_int_equal(posix_spawn_file_actions_init(&to), 0);
	assert_int_equal(posix_spawn_file_actions_addopen(
				 &to, STDOUT_FILENO, out,
				 O_WRONLY | O_CREAT | O_TRUNC, 0600),
			 0);
	if (!posix_spawnp(&pid, argv[0], &to, NULL, (char *const *)argv,
			  environ))
		assert_int_equal(waitpid(pid, &status, 0), pid);
	posix_spawn_file_actions_destroy(&to);
	return !status;
}

static void place_fini(struct place *p)
{
	const char *rm[] = { "rm", "-rf", p->dir, NULL };

	assert_true(ran("/dev/null", rm));
}

static char *text_of(const char *path)
{
	char *text = xzalloc(MAX_TEXT);
	FILE *f = fopen(path, "r");
	size_t n;

	assert_non_null(f);
	n = fread(text, 1, MAX_TEXT - 1, f);
	assert_true(n < MAX_TEXT - 1);
	fclose(f);
	return text;
}

/* What ovsdb-tool says about the file; `arg` is a transaction, or NULL. */
static char *tool(const struct place *p, const char *verb, const char *arg)
{
	const char *argv[] = { "ovsdb-tool", verb, p->path, arg, NULL };

	if (!ran(p->out, argv))
		fail_msg("ovsdb-tool %s failed", verb);
	return text_of(p->out);
}

static bool is_tool_there(void)
{
	const char *argv[] = { "ovsdb-tool", "--version", NULL };

	if (ran("/dev/null", argv))
		return true;
	print_message("no ovsdb-tool on this machine\n");
	return false;
}

static struct json_doc *doc_of(const char *text)
{
	struct json_doc *d;
	struct err e = ERR_INIT;

	if (json_parse(text, strlen(text), &d, &e))
		fail_msg("%s: %s", text, e.text);
	return d;
}

static void on_done(void *arg, const char *why)
{
	unsigned *n = arg;

	assert_null(why);
	++*n;
}

/* Runs it, keeps it, commits it; the answer, to be freed. */
static char *transact(struct place *p, const char *text)
{
	struct json_doc *d = doc_of(text);
	const struct txn_request rq = { .params = json_root(d) };
	struct str record = STR_INIT;
	struct txn_outcome out;
	unsigned done = 0;

	assert_int_equal(txn_run(p->db, &rq, &out), TXN_READY);
	if (txn_add_record(out.txn, 1700000000000u, &record)) {
		server_file_ops.put(p->file, record.s, record.len, on_done,
				    &done);
		server_file_flush(p->file);
		assert_int_equal(done, 1);
	}
	txn_commit(out.txn);
	str_fini(&record);
	json_doc_destroy(d);
	return str_take(&out.reply);
}

static char *canonical(char *text)
{
	struct json_doc *d = doc_of(text);
	struct str s = STR_INIT;

	json_add(&s, json_root(d));
	json_doc_destroy(d);
	free(text);
	return str_take(&s);
}

static void equal_to_theirs(struct place *p)
{
	char *ours = canonical(transact(p, all));
	char *theirs = canonical(tool(p, "query", all));

	assert_string_equal(ours, theirs);
	assert_non_null(strstr(ours, "name7"));
	free(ours);
	free(theirs);
}

/* The i-th change: a row with a child, and others changed or deleted. */
static char *change(unsigned i)
{
	return xasprintf(
		"[\"T\",{\"op\":\"insert\",\"table\":\"root\",\"row\":{"
		"\"name\":\"name%u\",\"n\":%u.25,\"seen\":true,"
		"\"set\":[\"set\",[%u,-%u]],\"kids\":[\"named-uuid\",\"k\"],"
		"\"map\":[\"map\",[[\"a\",\"\\u00e9\\n\"]]]}},"
		"{\"op\":\"insert\",\"table\":\"kid\",\"uuid-name\":\"k\","
		"\"row\":{\"age\":%u}},"
		"{\"op\":\"mutate\",\"table\":\"root\",\"where\":[[\"set\","
		"\"includes\",%u]],\"mutations\":[[\"set\",\"insert\",%u],"
		"[\"map\",\"delete\",[\"set\",[\"a\"]]],"
		"[\"map\",\"insert\",[\"map\",[[\"b%u\",\"c\"]]]]]},"
		"{\"op\":\"delete\",\"table\":\"root\",\"where\":[[\"name\","
		"\"==\",\"name%u\"]]},{\"op\":\"comment\",\"comment\":"
		"\"change %u\"}]",
		i, i, i + 100, i + 200, i, 100 + i / 2, 1000 + i, i,
		i % 5 ? 9999 : i / 2 + 10, i);
}

static void their_tool_reads_what_we_wrote(void **state)
{
	struct place p;
	char *text;

	(void)state;
	if (!is_tool_there())
		skip();
	place_init(&p);
	place_open(&p);
	for (unsigned i = 0; i < N_ROWS; i++) {
		text = change(i);
		free(transact(&p, text));
		free(text);
	}
	equal_to_theirs(&p);
	text = tool(&p, "db-version", NULL);
	assert_string_equal(text, "1.2.3\n");
	free(text);
	text = tool(&p, "show-log", NULL);
	assert_non_null(strstr(text, "change 39"));
	free(text);
	place_close(&p);
	place_fini(&p);
}

static void small_file_holds_the_same(void **state)
{
	struct err e = ERR_INIT;
	struct place p;
	char *text;

	(void)state;
	if (!is_tool_there())
		skip();
	place_init(&p);
	place_open(&p);
	for (unsigned i = 0; i < N_ROWS; i++) {
		text = change(i);
		free(transact(&p, text));
		free(text);
	}
	assert_int_equal(server_file_compact(p.file, &e), 0);
	equal_to_theirs(&p);
	text = change(N_ROWS);
	free(transact(&p, text));
	free(text);
	place_close(&p);
	free(tool(&p, "compact", NULL));
	place_open(&p);
	equal_to_theirs(&p);
	place_close(&p);
	place_fini(&p);
}

/* With differences of sets and maps in its records. */
static void we_read_what_their_tool_wrote(void **state)
{
	struct place p;
	char *text;

	(void)state;
	if (!is_tool_there())
		skip();
	place_init(&p);
	free(tool(&p, "create", p.schema));
	for (unsigned i = 0; i < N_ROWS; i++) {
		text = change(i);
		free(tool(&p, "transact", text));
		free(text);
	}
	place_open(&p);
	equal_to_theirs(&p);
	place_close(&p);
	place_fini(&p);
}

static void what_is_ephemeral_is_gone_after_a_start(void **state)
{
	static const char seen[] =
		"[\"T\",{\"op\":\"select\",\"table\":\"root\",\"where\":[],"
		"\"columns\":[\"name\",\"seen\"]}]";
	struct place p;
	char *text;

	(void)state;
	place_init(&p);
	place_open(&p);
	text = change(1);
	free(transact(&p, text));
	free(text);
	text = transact(&p, seen);
	assert_non_null(strstr(text, "true"));
	free(text);
	place_close(&p);
	place_open(&p);
	text = transact(&p, seen);
	assert_non_null(strstr(text, "name1"));
	assert_null(strstr(text, "true"));
	free(text);
	place_close(&p);
	place_fini(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(their_tool_reads_what_we_wrote),
		cmocka_unit_test(small_file_holds_the_same),
		cmocka_unit_test(we_read_what_their_tool_wrote),
		cmocka_unit_test(what_is_ephemeral_is_gone_after_a_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
