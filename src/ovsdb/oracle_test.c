/* SPDX-License-Identifier: Apache-2.0 */
/* The engine beside Debian's ovsdb-server: the same random transactions, the
 * same answers, the same rows. Skips, and says so, where there is none. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "ovsdb/txn.h"

#define ROUNDS 5000
#define MAX_OPS 4
#define MAX_SHOWN 10
#define N_UUIDS 40u
#define START_TRIES 200
#define TRY_US 50000

/* Every kind of column, references of both kinds, indexes, garbage. */
static const char schema_text[] =
	"{\"name\":\"T\",\"version\":\"1.0.0\",\"tables\":{"
	"\"root\":{\"isRoot\":true,\"indexes\":[[\"name\"],[\"n\",\"b\"]],"
	"\"maxRows\":16,\"columns\":{"
	"\"name\":{\"type\":{\"key\":{\"type\":\"string\",\"maxLength\":6,"
	"\"minLength\":1}}},"
	"\"n\":{\"type\":{\"key\":{\"type\":\"integer\",\"minInteger\":-10,"
	"\"maxInteger\":10}}},"
	"\"b\":{\"type\":\"boolean\"},"
	"\"fixed\":{\"type\":\"integer\",\"mutable\":false},"
	"\"color\":{\"type\":{\"key\":{\"type\":\"string\",\"enum\":[\"set\","
	"[\"red\",\"blue\"]]},\"min\":0}},"
	"\"opt\":{\"type\":{\"key\":{\"type\":\"real\",\"maxReal\":9.5},"
	"\"min\":0}},"
	"\"set\":{\"type\":{\"key\":\"integer\",\"min\":0,\"max\":3}},"
	"\"some\":{\"type\":{\"key\":\"string\",\"min\":1,\"max\":2}},"
	"\"map\":{\"type\":{\"key\":\"string\",\"value\":\"integer\","
	"\"min\":0,\"max\":\"unlimited\"}},"
	"\"kids\":{\"type\":{\"key\":{\"type\":\"uuid\",\"refTable\":\"kid\"},"
	"\"min\":0,\"max\":\"unlimited\"}},"
	"\"by\":{\"type\":{\"key\":\"integer\",\"value\":{\"type\":\"uuid\","
	"\"refTable\":\"kid\"},\"min\":0,\"max\":\"unlimited\"}},"
	"\"weak\":{\"type\":{\"key\":{\"type\":\"uuid\",\"refTable\":\"kid\","
	"\"refType\":\"weak\"},\"min\":0,\"max\":\"unlimited\"}}}},"
	"\"kid\":{\"columns\":{\"age\":{\"type\":\"integer\"},"
	"\"must\":{\"type\":{\"key\":{\"type\":\"uuid\",\"refTable\":\"root\","
	"\"refType\":\"weak\"},\"min\":0,\"max\":2}},"
	"\"next\":{\"type\":{\"key\":{\"type\":\"uuid\",\"refTable\":\"kid\"},"
	"\"min\":0}}}}}}";

static struct env_test env;

static uint64_t draw(uint64_t n)
{
	return env_random(&env.env) % n;
}

static struct json_doc *doc_of(const char *text)
{
	struct json_doc *d;
	struct err e = ERR_INIT;

	if (json_parse(text, strlen(text), &d, &e))
		fail_msg("%s: %s", text, e.text);
	return d;
}

/* --- the other server -------------------------------------------------------- */

struct peer {
	char dir[32];
	pid_t pid;
	int fd;
	struct json_parser *parser;
};

static pid_t start(const char *const argv[])
{
	extern char **environ;
	pid_t pid;

	return posix_spawnp(&pid, argv[0], NULL, NULL, (char *const *)argv,
			    environ) ?
		       -1 :
		       pid;
}

static bool ran(const char *const argv[])
{
	pid_t pid = start(argv);
	int status;

	return pid > 0 && waitpid(pid, &status, 0) == pid && !status;
}

static void write_schema(const char *path)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(schema_text, f);
	assert_int_equal(fclose(f), 0);
}

static bool peer_connect(struct peer *p)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	snprintf(a.sun_path, sizeof(a.sun_path), "%s/sock", p->dir);
	p->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	for (unsigned i = 0; i < START_TRIES; i++) {
		if (!connect(p->fd, (struct sockaddr *)&a, sizeof(a)))
			return true;
		usleep(TRY_US);
	}
	return false;
}

/* False: there is no such server on this machine. */
static bool peer_start(struct peer *p)
{
	static const struct json_limits none;
	char schema[64], db[64], remote[64], log[64];
	const char *create[] = { "ovsdb-tool", "create", db, schema, NULL };
	const char *serve[] = { "ovsdb-server", remote, log, db, NULL };

	*p = (struct peer){ .dir = "/tmp/weft-oracle-XXXXXX", .fd = -1 };
	assert_non_null(mkdtemp(p->dir));
	snprintf(schema, sizeof(schema), "%s/schema", p->dir);
	snprintf(db, sizeof(db), "%s/db", p->dir);
	snprintf(remote, sizeof(remote), "--remote=punix:%s/sock", p->dir);
	snprintf(log, sizeof(log), "--unixctl=%s/ctl", p->dir);
	write_schema(schema);
	if (!ran(create))
		return false;
	p->pid = start(serve);
	p->parser = json_parser_create(&none);
	return p->pid > 0 && peer_connect(p);
}

static void peer_stop(struct peer *p)
{
	const char *rm[] = { "rm", "-rf", p->dir, NULL };

	if (p->fd >= 0)
		close(p->fd);
	if (p->pid > 0) {
		kill(p->pid, SIGTERM);
		waitpid(p->pid, NULL, 0);
	}
	json_parser_destroy(p->parser);
	assert_true(ran(rm));
}

static struct json_doc *peer_read(struct peer *p)
{
	char buf[4096];

	for (;;) {
		ssize_t n = recv(p->fd, buf, sizeof(buf), 0);

		if (n <= 0)
			fail_msg("the other server went away");
		assert_int_equal(json_parser_feed(p->parser, buf, (size_t)n),
				 n);
		if (json_parser_state(p->parser) == JSON_DONE)
			return json_parser_take(p->parser);
		assert_int_equal(json_parser_state(p->parser), JSON_MORE);
	}
}

static struct json_doc *peer_transact(struct peer *p, const char *params)
{
	struct str s = STR_INIT;

	str_addf(&s, "{\"method\":\"transact\",\"id\":0,\"params\":%s}",
		 params);
	assert_int_equal(send(p->fd, s.s, s.len, 0), s.len);
	str_fini(&s);
	return peer_read(p);
}

/* --- random requests --------------------------------------------------------- */

/* Rows of different tables have different UUIDs here: that server takes a
 * reference to a row's own UUID in any table for one to itself. */
static void add_uuid(struct str *s, bool root)
{
	str_addf(s, "%08x-0000-4000-8000-%012d", (unsigned)draw(N_UUIDS) + 1,
		 root);
}

static void add_ref_to(struct str *s, bool root)
{
	if (draw(3)) {
		str_addf(s, "[\"named-uuid\",\"%c%u\"]", root ? 'r' : 'k',
			 (unsigned)draw(3));
		return;
	}
	str_add(s, "[\"uuid\",\"");
	add_uuid(s, root);
	str_add(s, "\"]");
}

static void add_ref(struct str *s)
{
	add_ref_to(s, false);
}

static void add_root_ref(struct str *s)
{
	add_ref_to(s, true);
}

/* One thing in a request may be wrong: which of several is told is nobody's
 * promise. */
static bool spoiled;

static bool spoil(unsigned chance)
{
	if (spoiled || draw(chance))
		return false;
	spoiled = true;
	return true;
}

static void add_word(struct str *s)
{
	static const char *const words[] = {
		"\"a\"",      "\"b\"", "\"c\"",   "\"d\"",
		"\"e\"",      "\"f\"", "\"a b\"", "\"\\u00e9\\u00e9\"",
		"\"6chars\"", "\"g\"", "\"h\"",   "\"i\"",
		"\"j\"",      "\"k\"", "\"l\"",   "\"m\"",
	};
	static const char *const wrong[] = { "\"longer7\"", "\"\"", "3" };

	if (spoil(150))
		str_add(s, wrong[draw(ARRAY_SIZE(wrong))]);
	else
		str_add(s, words[draw(ARRAY_SIZE(words))]);
}

static void add_color(struct str *s)
{
	str_add(s, spoil(100) ? "\"green\"" : draw(2) ? "\"red\"" : "\"blue\"");
}

static void add_number(struct str *s)
{
	static const char *const odd[] = { "9223372036854775807",
					   "0.5",
					   "1e3",
					   "-11",
					   "1.25",
					   "9.75",
					   "null" };

	if (spoil(150))
		str_add(s, odd[draw(ARRAY_SIZE(odd))]);
	else
		str_addf(s, "%d", (int)draw(20) - 10);
}

typedef void add_fn(struct str *s);

static void add_set(struct str *s, add_fn *add, unsigned least, unsigned most)
{
	unsigned n = spoil(100) ? most + 1 :
				  least + (unsigned)draw(most + 1 - least);
	char **all = xcalloc(n + 1, sizeof(*all));
	bool first = true;

	str_add(s, "[\"set\",[");
	for (unsigned i = 0; i < n; i++) {
		struct str one = STR_INIT;
		bool twice = false;

		add(&one);
		for (unsigned k = 0; k < i; k++)
			twice |= !strcmp(all[k], one.s);
		all[i] = str_take(&one);
		if (twice && !spoil(60))
			continue;
		str_addf(s, "%s%s", first ? "" : ",", all[i]);
		first = false;
	}
	str_add(s, "]]");
	for (unsigned i = 0; i < n; i++)
		free(all[i]);
	free(all);
}

static void add_map(struct str *s, add_fn *key, add_fn *value)
{
	unsigned n = (unsigned)draw(spoil(60) ? 5 : 2);

	str_add(s, "[\"map\",[");
	for (unsigned i = 0; i < n; i++) {
		str_add(s, i ? ",[" : "[");
		key(s);
		str_add_char(s, ',');
		value(s);
		str_add_char(s, ']');
	}
	str_add(s, "]]");
}

static void add_bool(struct str *s)
{
	str_add(s, draw(2) ? "true" : "false");
}

static const char *const root_columns[] = {
	"name", "n",    "b",   "fixed", "color", "opt",
	"set",  "some", "map", "kids",  "by",    "weak",
};
static const char *const kid_columns[] = { "age", "must", "next" };

/* A value that mostly fits the column. */
static void add_value(struct str *s, const char *column)
{
	if (spoil(200)) {
		str_add(s, "[\"set\",[1,true]]");
	} else if (!strcmp(column, "name")) {
		add_word(s);
	} else if (!strcmp(column, "n") || !strcmp(column, "fixed") ||
		   !strcmp(column, "age")) {
		add_number(s);
	} else if (!strcmp(column, "b")) {
		add_bool(s);
	} else if (!strcmp(column, "color")) {
		add_set(s, add_color, 0, 1);
	} else if (!strcmp(column, "opt")) {
		add_set(s, add_number, 0, 1);
	} else if (!strcmp(column, "set")) {
		add_set(s, add_number, 0, 3);
	} else if (!strcmp(column, "some")) {
		add_set(s, add_word, 1, 2);
	} else if (!strcmp(column, "map")) {
		add_map(s, add_word, add_number);
	} else if (!strcmp(column, "by")) {
		add_map(s, add_number, add_ref);
	} else if (draw(3)) {
		str_add(s, "[\"set\",[]]");
	} else if (!strcmp(column, "must")) {
		add_set(s, add_root_ref, 0, 2);
	} else {
		add_set(s, add_ref, 0, !strcmp(column, "next") ? 1 : 2);
	}
}

static void add_table(struct str *s, bool *root)
{
	*root = draw(3) != 0;
	if (spoil(200))
		str_add(s, "\"table\":\"none\"");
	else
		str_addf(s, "\"table\":\"%s\"", *root ? "root" : "kid");
}

static const char *any_column(bool root)
{
	if (spoil(150))
		return "nothing";
	return root ? root_columns[draw(ARRAY_SIZE(root_columns))] :
		      kid_columns[draw(ARRAY_SIZE(kid_columns))];
}

static void add_row(struct str *s, bool root, unsigned chance)
{
	unsigned n = root ? ARRAY_SIZE(root_columns) : ARRAY_SIZE(kid_columns);
	bool some = false;

	str_add_char(s, '{');
	for (unsigned i = 0; i < n; i++) {
		const char *c = root ? root_columns[i] : kid_columns[i];
		bool needed = chance == 2 && root && (i < 2 || i == 7);

		if (!needed && draw(chance))
			continue;
		str_addf(s, "%s\"%s\":", some ? "," : "", c);
		add_value(s, c);
		some = true;
	}
	str_add_char(s, '}');
}

static void add_clause(struct str *s, bool root)
{
	static const char *const functions[] = { "==", "==",       "==",
						 "!=", "includes", "excludes" };
	static const char *const wrong[] = { "<", "<=", ">", ">=", "like" };
	const char *c = any_column(root);
	bool number = !strcmp(c, "n") || !strcmp(c, "opt") || !strcmp(c, "age");

	if (draw(3) == 0) {
		str_add(s, "[\"_uuid\",\"==\",[\"uuid\",\"");
		add_uuid(s, root);
		str_add(s, "\"]]");
		return;
	}
	str_addf(s, "[\"%s\",\"%s\",", c,
		 number && draw(2) ? wrong[draw(4)] :
		 spoil(60)         ? wrong[draw(ARRAY_SIZE(wrong))] :
				     functions[draw(ARRAY_SIZE(functions))]);
	add_value(s, c);
	str_add_char(s, ']');
}

static void add_where(struct str *s, bool root)
{
	unsigned n = (unsigned)draw(7);

	str_add(s, ",\"where\":[");
	for (unsigned i = 0; i < (n > 4 ? 2 : n > 0); i++) {
		str_add(s, i ? "," : "");
		add_clause(s, root);
	}
	str_add_char(s, ']');
}

static void add_insert(struct str *s, unsigned i)
{
	bool root;

	str_add(s, ",{\"op\":\"insert\",");
	add_table(s, &root);
	str_add(s, ",\"uuid\":\"");
	add_uuid(s, root);
	str_addf(s, "\",\"uuid-name\":\"%s%u\",\"row\":", root ? "r" : "k", i);
	add_row(s, root, 2);
	str_add_char(s, '}');
}

static void add_mutation(struct str *s, bool root)
{
	static const char *const words[] = { "insert", "delete", "+=", "-=",
					     "*=",     "/=",     "%=", "^=" };
	static const char *const plain[] = { "n", "fixed", "name", "b", "age" };
	static const char *const sets[] = { "color", "some", "map",  "kids",
					    "by",    "weak", "must", "next" };
	const char *c = any_column(root);
	const char *word = words[draw(7)];

	for (size_t i = 0; i < ARRAY_SIZE(plain); i++)
		if (!strcmp(c, plain[i]))
			word = words[2 + draw(5)];
	for (size_t i = 0; i < ARRAY_SIZE(sets); i++)
		if (!strcmp(c, sets[i]))
			word = words[draw(2)];
	/* That server keeps 15 digits of a real. */
	if (!strcmp(c, "opt"))
		word = words[2 + draw(2)];
	if (!strcmp(c, "name") || !strcmp(c, "b") || !strcmp(c, "fixed"))
		spoiled = true;
	if (spoil(60))
		word = words[strcmp(c, "opt") ? draw(ARRAY_SIZE(words)) : 7];
	str_addf(s, "[\"%s\",\"%s\",", c, word);
	if (!strcmp(word, "*=")) /* by 0 it kills that server */
		str_add(s, draw(2) ? "2" : "-1");
	else if (word[1] == '=')
		add_number(s);
	else
		add_value(s, c);
	str_add_char(s, ']');
}

static void add_mutations(struct str *s, bool root)
{
	unsigned n = 1 + (unsigned)draw(2);

	str_add(s, ",\"mutations\":[");
	for (unsigned i = 0; i < n; i++) {
		str_add(s, i ? "," : "");
		add_mutation(s, root);
	}
	str_add_char(s, ']');
}

static void add_change(struct str *s, const char *op)
{
	bool root;

	str_addf(s, ",{\"op\":\"%s\",", op);
	add_table(s, &root);
	add_where(s, root);
	if (!strcmp(op, "update")) {
		str_add(s, ",\"row\":");
		add_row(s, root, 8);
	} else if (!strcmp(op, "mutate")) {
		add_mutations(s, root);
	} else if (!strcmp(op, "select")) {
		str_add(s, root ? ",\"columns\":[\"_uuid\",\"name\",\"set\"]" :
				  ",\"columns\":[\"age\"]");
	}
	str_add_char(s, '}');
}

static void add_wait(struct str *s)
{
	bool root;

	str_add(s, ",{\"op\":\"wait\",\"timeout\":0,");
	add_table(s, &root);
	add_where(s, root);
	str_addf(s, ",\"until\":\"%s\",\"columns\":[\"%s\"],\"rows\":[",
		 draw(2) ? "==" : "!=", root ? "name" : "age");
	add_row(s, root, 6);
	str_add(s, "]}");
}

static void add_small(struct str *s)
{
	static const char *const ops[] = {
		"{\"op\":\"comment\",\"comment\":\"hello\"}",
		"{\"op\":\"abort\"}",
		"{\"op\":\"commit\",\"durable\":false}",
		"{\"op\":\"assert\",\"lock\":\"mine\"}",
		"{\"op\":\"nonsense\"}",
		"{\"op\":\"insert\"}",
		"{\"op\":\"insert\",\"table\":\"root\",\"row\":{},\"x\":1}",
		"{\"op\":\"select\",\"table\":\"root\"}",
		"{\"op\":\"update\",\"table\":\"root\",\"where\":[],\"row\":3}",
		"{\"op\":\"delete\",\"table\":\"root\",\"where\":3}",
		"{\"op\":\"delete\",\"table\":7,\"where\":[]}",
		"{\"op\":\"mutate\",\"table\":\"root\",\"where\":[]}",
		"{\"op\":\"commit\"}",
		"{\"op\":\"comment\",\"comment\":3}",
		"{\"op\":\"wait\",\"table\":\"root\",\"where\":[]}",
		"{\"op\":\"wait\",\"table\":\"root\",\"where\":[],"
		"\"until\":\"=\",\"columns\":[],\"rows\":[]}",
		"{\"op\":\"select\",\"table\":\"root\",\"where\":[],"
		"\"columns\":[\"name\",\"name\"]}",
		"{\"op\":\"select\",\"table\":\"root\",\"where\":[],"
		"\"columns\":[\"zzz\"]}",
		"3",
	};

	str_addf(s, ",%s", ops[draw(ARRAY_SIZE(ops))]);
}

static void add_op(struct str *s, unsigned i)
{
	switch (draw(16)) {
	case 0:
	case 1:
	case 2:
	case 3:
	case 4:
	case 5:
		add_insert(s, i);
		return;
	case 6:
	case 7:
	case 8:
		add_change(s, "update");
		return;
	case 9:
	case 10:
	case 11:
		add_change(s, "mutate");
		return;
	case 12:
		add_change(s, "delete");
		return;
	case 13:
		add_change(s, "select");
		return;
	case 14:
		add_wait(s);
		return;
	default:
		if (spoil(3))
			add_small(s);
		else
			add_change(s, "select");
	}
}

/* --- comparing ----------------------------------------------------------------- */

static int text_compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The rows of a select come in any order. */
static void add_rows(struct str *s, const struct json *rows)
{
	char **lines = xcalloc(rows->n + 1, sizeof(*lines));

	for (unsigned i = 0; i < rows->n; i++) {
		struct str one = STR_INIT;

		json_add(&one, &rows->elements[i]);
		lines[i] = str_take(&one);
	}
	qsort(lines, rows->n, sizeof(*lines), text_compare);
	for (unsigned i = 0; i < rows->n; i++) {
		str_addf(s, " %s", lines[i]);
		free(lines[i]);
	}
	free(lines);
}

/* Of several rows that a mutation cannot have, or several faults at the end of
 * a transaction, any may be told: their tags are compared. */
static bool is_any(const struct json *request, unsigned i,
		   const struct json *error)
{
	return i + 1 >= request->n ||
	       (json_is(json_find(json_at(request, i + 1), "op"), "mutate") &&
		!json_is(error, "syntax error"));
}

static char *summary(const struct json *request, const struct json *reply)
{
	struct str s = STR_INIT;

	for (unsigned i = 0; i < reply->n; i++) {
		const struct json *v = json_at(reply, i);
		const struct json *error = json_find(v, "error");

		str_add_char(&s, '\n');
		if (json_find(v, "rows"))
			add_rows(&s, json_find(v, "rows"));
		else
			json_add(&s, error && is_any(request, i, error) ?
					     error :
					     v);
	}
	return str_take(&s);
}

static unsigned n_differences, n_ready, n_failed;

static void compare(struct peer *p, struct db *db, const char *text)
{
	struct json_doc *request = doc_of(text);
	struct json_doc *theirs = peer_transact(p, text);
	const struct txn_request rq = { .params = json_root(request) };
	struct txn_outcome out;
	enum txn_state state = txn_run(db, &rq, &out);
	struct json_doc *ours;
	char *a, *b;

	assert_int_not_equal(state, TXN_BLOCKED);
	if (state == TXN_READY) {
		n_ready += !txn_is_empty(out.txn);
		txn_commit(out.txn);
	}
	n_failed += state == TXN_FAILED;
	ours = doc_of(out.reply.s);
	a = summary(json_root(request), json_root(ours));
	b = summary(json_root(request), json_find(json_root(theirs), "result"));
	if (strcmp(a, b)) {
		n_differences++;
		printf("REQUEST %s\nOURS %s\nTHEIRS %s\n", text, a, b);
	}
	free(a);
	free(b);
	str_fini(&out.reply);
	json_doc_destroy(ours);
	json_doc_destroy(theirs);
	json_doc_destroy(request);
}

static struct db *db_new(void)
{
	struct json_doc *d = doc_of(schema_text);
	struct fault f = { 0 };
	struct schema *s = schema_parse(json_root(d), &f);

	assert_non_null(s);
	json_doc_destroy(d);
	return db_create(s, &env.env);
}

#define DUMP                                                                   \
	"[\"T\",{\"op\":\"select\",\"table\":\"root\",\"where\":[],"           \
	"\"columns\":[\"_uuid\",\"name\",\"n\",\"b\",\"fixed\",\"color\","     \
	"\"opt\",\"set\",\"some\",\"map\",\"kids\",\"by\",\"weak\"]},"         \
	"{\"op\":\"select\",\"table\":\"kid\",\"where\":[],"                   \
	"\"columns\":[\"_uuid\",\"age\",\"must\",\"next\"]}]"

static void answers_are_those_of_ovsdb_server(void **state UNUSED)
{
	struct db *db = db_new();
	struct peer p;

	if (!peer_start(&p)) {
		print_message("no ovsdb-server on this machine\n");
		peer_stop(&p);
		db_destroy(db);
		skip();
	}
	for (unsigned i = 0; i < ROUNDS && n_differences < MAX_SHOWN; i++) {
		unsigned n = 1 + (unsigned)draw(MAX_OPS);
		struct str s = STR_INIT;

		spoiled = false;
		str_add(&s, "[\"T\"");
		for (unsigned k = 0; k < n; k++)
			add_op(&s, k);
		str_add_char(&s, ']');
		compare(&p, db, s.s);
		compare(&p, db, DUMP);
		str_fini(&s);
	}
	peer_stop(&p);
	db_destroy(db);
	assert_int_equal(n_differences, 0);
	print_message("%u changed rows, %u failed\n", n_ready, n_failed);
	assert_true(n_ready > ROUNDS / 10);
	assert_true(n_failed > ROUNDS / 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_are_those_of_ovsdb_server),
	};

	env_test_init(&env, 20261123);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
