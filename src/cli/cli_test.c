/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <pthread.h>
#include <setjmp.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "rpc/server.h"
#include "sys/loop.h"

/* --- a daemon that answers what it is told to ------------------------------ */

static char run_dir[] = "/tmp/weft-cli-XXXXXX";
static const char *answer;  /* the result of the next call, as JSON */
static const char *refusal; /* or its error */
static char *asked;         /* method and params of the last call */

static void reply(const char *method, struct rpc_call *call,
		  struct json_object *params)
{
	struct err e = ERR_INIT;

	free(asked);
	asked = xasprintf(
		"%s %s", method,
		params ? json_object_to_json_string_ext(
				 params,
				 JSON_C_TO_STRING_PLAIN |
					 JSON_C_TO_STRING_NOSLASHESCAPE) :
			 "");
	if (!refusal) {
		rpc_call_result(call, json_tokener_parse(answer));
		return;
	}
	err_set(&e, "%s", refusal);
	err_place(&e, "net.yaml", 7, 5);
	rpc_call_error(call, &e);
	err_fini(&e);
}

#define METHOD(name)                                                           \
	static void m_##name(void *arg UNUSED, struct rpc_call *call,          \
			     struct json_object *params)                       \
	{                                                                      \
		reply(#name, call, params);                                    \
	}

METHOD(status)
METHOD(show)
METHOD(apply)
METHOD(plan)
METHOD(edit)
METHOD(explain)
METHOD(down)
METHOD(model)
METHOD(version)

static const struct rpc_method methods[] = {
	{ "status", m_status }, { "show", m_show },   { "apply", m_apply },
	{ "plan", m_plan },     { "edit", m_edit },   { "explain", m_explain },
	{ "down", m_down },     { "model", m_model }, { "version", m_version },
};

static struct loop *loop;
static struct rpc_server *server;
static pthread_t thread;

static void *run_loop(void *arg UNUSED)
{
	loop_run(loop);
	return NULL;
}

static int group_setup(void **state UNUSED)
{
	struct err e = ERR_INIT;
	char *path;

	must(mkdtemp(run_dir));
	setenv("WEFT_RUN", run_dir, 1);
	setenv("LC_ALL", "C.UTF-8", 1);
	path = xasprintf("%s/weft.sock", run_dir);
	loop = loop_create();
	server = rpc_server_create(
		loop,
		&(struct rpc_server_spec){
			.socket = { .path = path, .mode = 0600 },
			.methods = methods,
			.n_methods = ARRAY_SIZE(methods) },
		&e);
	must(server);
	free(path);
	pthread_create(&thread, NULL, run_loop, NULL);
	return 0;
}

static int group_teardown(void **state UNUSED)
{
	loop_stop(loop);
	pthread_join(thread, NULL);
	rpc_server_destroy(server);
	loop_destroy(loop);
	free(asked);
	rmdir(run_dir);
	return 0;
}

/* --- running the command -------------------------------------------------- */

struct ran {
	int status;
	char *out, *err;
};

static char *slurp(int fd)
{
	struct str s = STR_INIT;
	char buf[4096];
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) > 0)
		str_add_n(&s, buf, (size_t)n);
	close(fd);
	return str_take(&s);
}

/* This program again, as `weft` (see main). A thread of ours may hold any lock
 * while we fork, so the child must become another process before it does more. */
static pid_t start(const char *const *argv, int out, int err)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	setsid(); /* no terminal */
	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	execv("/proc/self/exe", (char *const *)(uintptr_t)argv);
	_exit(CLI_FAILED);
}

/* What it says to stdout and stderr is read by pipes. */
static struct ran run_args(const char *const *argv)
{
	int out[2], err[2], status;
	struct ran r;
	pid_t pid;

	must(!pipe2(out, O_CLOEXEC) && !pipe2(err, O_CLOEXEC));
	pid = start(argv, out[1], err[1]);
	close(out[1]);
	close(err[1]);
	r.out = slurp(out[0]);
	r.err = slurp(err[0]);
	must(waitpid(pid, &status, 0) == pid);
	r.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	return r;
}

/* `line` is split at spaces; ~ in a word stands for a space. */
static struct ran run(const char *line)
{
	char *copy = xstrdup(line), *rest = copy, *word;
	const char *argv[32] = { "weft" };
	struct ran r;
	int argc = 1;

	while ((word = strsep(&rest, " "))) {
		for (char *p = word; *p; p++)
			*p = *p == '~' ? ' ' : *p;
		if (*word)
			argv[argc++] = word;
	}
	r = run_args(argv);
	free(copy);
	return r;
}

static void ran_fini(struct ran *r)
{
	free(r->out);
	free(r->err);
}

static void expect(const char *line, int status, const char *out,
		   const char *err)
{
	struct ran r = run(line);

	if (r.status != status || !strstr(r.out, out) || !strstr(r.err, err))
		print_error("weft %s: %d\n--- out:\n%s--- err:\n%s---\n", line,
			    r.status, r.out, r.err);
	assert_int_equal(r.status, status);
	assert_non_null(strstr(r.out, out));
	assert_non_null(strstr(r.err, err));
	ran_fini(&r);
}

static void expect_all(const char *line, const char *out)
{
	struct ran r = run(line);

	assert_int_equal(r.status, 0);
	assert_string_equal(r.err, "");
	assert_string_equal(r.out, out);
	ran_fini(&r);
}

static void says(const char *result)
{
	answer = result;
	refusal = NULL;
}

/* A file in the run folder with this text; its name is to be freed. */
static char *file_with(const char *text)
{
	char *path = xasprintf("%s/net.yaml", run_dir);
	FILE *f = fopen(path, "w");

	must(f);
	fputs(text, f);
	fclose(f);
	return path;
}

/* --- the command line ------------------------------------------------------ */

static void wrong_command_lines_are_explained(void **state UNUSED)
{
	expect("aply x", CLI_USAGE, "",
	       "there is no command \"aply\"; did you "
	       "mean \"apply\"?");
	expect("apply", CLI_USAGE, "", "usage: weft apply FILE");
	expect("apply a b", CLI_USAGE, "", "b: one argument too many");
	expect("plan --jsno x", CLI_USAGE, "",
	       "unknown option --jsno; did you mean --json?");
	expect("plan --dry-run x", CLI_USAGE, "", "--dry-run is not for this");
	expect("show", CLI_USAGE, "", "show needs one of ports, networks");
	expect("show prots", CLI_USAGE, "", "did you mean \"ports\"?");
	expect("--run", CLI_USAGE, "", "--run needs a DIR");
	expect("port ad x", CLI_USAGE, "", "none of add, set, del");
	expect("port set vm1 mtu", CLI_USAGE, "", "KEY=VALUE is wanted");
	expect("completion tcsh", CLI_USAGE, "", "none of bash, zsh, fish");
}

static void help_knows_every_command(void **state UNUSED)
{
	for (unsigned i = 1; i < cli_n_commands; i++) {
		char *line = xasprintf("help %s", cli_commands[i].name);
		char *usage = xasprintf("usage: weft %s", cli_commands[i].name);

		expect("help", CLI_OK, cli_commands[i].name, "");
		expect(line, CLI_OK, usage, "");
		free(line);
		free(usage);
	}
	expect("port --help", CLI_OK, "KEY= with nothing behind it", "");
}

static void missing_daemon_is_an_exit_status_of_its_own(void **state UNUSED)
{
	expect("--run /tmp/no-such-folder", CLI_UNREACHABLE, "",
	       "weft: weftd is not running (no socket at "
	       "/tmp/no-such-folder/weft.sock)");
	expect("show ports --json --socket /tmp/none", CLI_UNREACHABLE,
	       "\"text\": \"weftd is not running", "");
}

/* --- files ---------------------------------------------------------------- */

static void plan_shows_changes_and_exits_with_2(void **state UNUSED)
{
	char *path = file_with("weft: 1\n"), *line;

	line = xasprintf("plan %s", path);
	says("{\"changes\":[{\"op\":\"add\",\"kind\":\"port\",\"name\":\"vm1\","
	     "\"host\":\"a\",\"keys\":[{\"key\":\"type\",\"to\":\"tap\"}]},"
	     "{\"op\":\"change\",\"kind\":\"network\",\"name\":\"blue\","
	     "\"keys\":[{\"key\":\"mtu\",\"from\":\"1400\"}]},"
	     "{\"op\":\"del\",\"kind\":\"router\",\"name\":\"r1\"}]}");
	expect(line, CLI_DIFFERENT,
	       "+ port vm1 (a): type tap\n"
	       "~ network blue: mtu 1400 -> default\n"
	       "- router r1\n"
	       "1 to add, 1 to change, 1 to delete\n",
	       "");
	says("{\"changes\":[],\"applied\":false}");
	expect(line, CLI_OK, "nothing to change\n", "");
	free(line);
	unlink(path);
	free(path);
}

static void apply_sends_the_text_and_its_name(void **state UNUSED)
{
	char *path = file_with("weft: 1\n"), *line, *want;

	line = xasprintf("apply --dry-run %s", path);
	want = xasprintf("apply {\"text\":\"weft: 1\\n\",\"file\":\"%s\","
			 "\"dry_run\":true}",
			 path);
	says("{\"changes\":[],\"applied\":true}");
	expect(line, CLI_OK, "nothing to change", "");
	assert_string_equal(asked, want);
	refusal = "the kernel says no";
	expect(line, CLI_FAILED, "", "net.yaml:7:5: the kernel says no\n");
	free(line);
	free(want);
	unlink(path);
	free(path);
}

static void wrong_file_is_told_without_a_daemon(void **state UNUSED)
{
	char *path = file_with("weft: 1\nnetwoks:\n"), *line, *want;

	line = xasprintf("apply --run /none %s", path);
	want = xasprintf("%s:2:1: unknown key \"netwoks\"; did you mean "
			 "\"networks\"?\n",
			 path);
	expect(line, CLI_FAILED, "", want);
	free(line);
	line = xasprintf("check --json %s", path);
	expect(line, CLI_FAILED, "\"line\": 2", "");
	free(line);
	free(want);
	unlink(path);
	free(path);
	expect("check /no/such/file", CLI_FAILED, "",
	       "weft: cannot read /no/such/file: No such file or directory");
}

static void export_prints_the_file(void **state UNUSED)
{
	says("{\"text\":\"weft: 1\\n\"}");
	expect_all("export", "weft: 1\n");
}

/* --- edits ---------------------------------------------------------------- */

static void edits_become_paths_and_values(void **state UNUSED)
{
	says("{\"changes\":[],\"applied\":true}");
	expect("port add vm1 type=tap storm.broadcast=10 --host a", CLI_OK, "",
	       "");
	assert_string_equal(
		asked,
		"edit "
		"{\"edits\":[{\"op\":\"add\",\"path\":[\"ports\",\"vm1\"]},"
		"{\"op\":\"set\",\"path\":[\"ports\",\"vm1\",\"type\"],"
		"\"value\":"
		"\"tap\"},{\"op\":\"set\",\"path\":[\"ports\",\"vm1\","
		"\"storm\","
		"\"broadcast\"],\"value\":\"10\"}],\"host\":\"a\"}");
	expect("bridge set br0 mac_ageing=", CLI_OK, "", "");
	assert_string_equal(asked, "edit {\"edits\":[{\"op\":\"del\",\"path\":["
				   "\"bridges\",\"br0\",\"mac_ageing\"]}]}");
	expect("network del blue", CLI_OK, "", "");
	assert_string_equal(asked, "edit {\"edits\":[{\"op\":\"del\",\"path\":["
				   "\"networks\",\"blue\"]}]}");
}

/* --- pictures ------------------------------------------------------------- */

static const char status_json[] =
	"{\"version\":\"0.1.0\",\"host\":\"host-a\",\"uptime_ms\":192000,"
	"\"ports\":["
	"{\"name\":\"vm-a\",\"type\":\"tap\",\"state\":\"up\",\"network\":"
	"\"blue\","
	"\"addresses\":[\"10.1.0.11/"
	"24\"],\"rx_packets\":12345,\"tx_packets\":7},"
	"{\"name\":\"c-a\",\"type\":\"veth\",\"state\":\"absent\",\"network\":"
	"\"green\",\"missing\":\"no namespace c-a\"},"
	"{\"name\":\"prog-a\",\"type\":\"tun\",\"state\":\"up\",\"router\":"
	"\"r1\","
	"\"addresses\":[\"10.5.0.1/30\"]},"
	"{\"name\":\"eth0\",\"type\":\"nic\",\"state\":\"up\",\"bridge\":"
	"\"br0\"}],"
	"\"networks\":["
	"{\"name\":\"blue\",\"bridge\":\"blue\",\"vni\":100,\"mtu\":1450,"
	"\"subnets\":[\"10.1.0.0/24\"],\"router\":\"r1\",\"ports\":[\"vm-a\"]},"
	"{\"name\":\"green\",\"bridge\":\"green\",\"mtu\":1500,\"subnets\":[],"
	"\"router\":\"r1\",\"ports\":[\"c-a\"]},"
	"{\"name\":\"br0\",\"bridge\":\"br0\",\"mtu\":1500,\"subnets\":[],"
	"\"ports\":[\"eth0\"]}],"
	"\"routers\":[{\"name\":\"r1\",\"mac\":\"02:00:00:00:00:01\","
	"\"interfaces\":[{\"network\":\"blue\"},{\"network\":\"green\"},"
	"{\"port\":\"prog-a\"}],\"routes\":[]}],"
	"\"tunnels\":[{\"peer\":\"host-b\",\"address\":\"192.0.2.2\"}],"
	"\"drops\":[{\"port\":\"vm-a\",\"reason\":\"ttl\",\"why\":\"its time "
	"to "
	"live ran out\",\"packets\":3}]}";

static void status_draws_the_topology(void **state UNUSED)
{
	says(status_json);
	expect_all("", "host-a  weft 0.1.0, up 3 min; 3 of 4 ports up\n"
		       "\n"
		       "router r1  mac 02:00:00:00:00:01\n"
		       "├─ blue  10.1.0.0/24  vni 100  mtu 1450\n"
		       "│  ├─ ● vm-a         tap    10.1.0.11/24  rx 12k tx 7\n"
		       "│  └─ ⇄ host-b       tunnel 192.0.2.2\n"
		       "├─ green  mtu 1500\n"
		       "│  └─ ○ c-a          veth   absent (no namespace c-a)  "
		       "rx 0 tx "
		       "0\n"
		       "└─ ● prog-a       tun    10.5.0.1/30  rx 0 tx 0\n"
		       "\n"
		       "br0  mtu 1500\n"
		       "└─ ● eth0         nic     rx 0 tx 0\n"
		       "\n"
		       "DROPPED BY  PACKETS  WHY\n"
		       "vm-a              3  its time to live ran out\n");
}

static void empty_daemon_says_how_to_begin(void **state UNUSED)
{
	says("{\"host\":\"h\",\"version\":\"1\"}");
	expect("", CLI_OK, "There is no network yet.", "");
}

static void tables_leave_empty_columns_out(void **state UNUSED)
{
	says("[{\"network\":\"blue\",\"address\":\"10.1.0.5\",\"mac\":"
	     "\"02:00:00:00:00:05\",\"state\":\"reachable\",\"port\":\"vm1\","
	     "\"age_ms\":1500},"
	     "{\"network\":\"blue\",\"address\":\"10.1.0.77\",\"state\":"
	     "\"incomplete\",\"age_ms\":10}]");
	expect_all(
		"show neighbours",
		"NETWORK  ADDRESS    MAC                STATE       PORT    "
		"AGE\n"
		"blue     10.1.0.5   02:00:00:00:00:05  reachable   vm1     "
		"1 s\n"
		"blue     10.1.0.77                     incomplete        10 "
		"ms\n");
	says("[]");
	expect_all("drops", "nothing was dropped\n");
}

static void every_kind_can_be_shown(void **state UNUSED)
{
	for (unsigned i = 0; cli_kinds[i]; i++) {
		char *line = xasprintf("show %s", cli_kinds[i]);
		char *json = xasprintf("show --json %s", cli_kinds[i]);

		says("[{\"name\":\"thing\",\"peer\":\"thing\",\"port\":"
		     "\"thing\",\"bridge\":\"thing\",\"network\":\"thing\"}]");
		expect(line, CLI_OK, "thing", "");
		expect(json, CLI_OK, "\"thing\"", "");
		says("[]");
		expect(line, CLI_OK, "no", "");
		/* and what another version says does not harm */
		says("[7, null, {\"name\": [], \"ports\": {}}]");
		expect(line, CLI_OK, "", "");
		free(line);
		free(json);
	}
}

static const char explain_json[] =
	"{\"from\":\"vm1\",\"to\":\"10.2.0.7\",\"packet\":\"tcp\",\"steps\":["
	"{\"kind\":\"port\",\"hop\":0,\"object\":\"vm1\",\"text\":\"comes in\","
	"\"file\":\"net.yaml\",\"line\":9},"
	"{\"kind\":\"router\",\"hop\":1,\"object\":\"r1\",\"text\":\"routes to "
	"green\"}],\"actions\":\"output:c1\",\"drop\":null}";

static const char explain_text[] = "vm1  tcp\n"
				   "├─ vm1        comes in  net.yaml:9\n"
				   "│\n"
				   "├─ r1         routes to green\n"
				   "└▶ output:c1\n";

static void explain_draws_the_way(void **state UNUSED)
{
	says(explain_json);
	expect_all("explain vm1 -> 10.2.0.7:80", explain_text);
	assert_string_equal(asked, "explain {\"from\":\"vm1\",\"to\":\"10.2.0."
				   "7:80\",\"proto\":\"tcp\"}");
	expect_all("explain --udp vm1 10.2.0.7:80", explain_text);
	assert_string_equal(asked, "explain {\"from\":\"vm1\",\"to\":\"10.2.0."
				   "7:80\",\"proto\":\"udp\"}");
	expect_all("explain vm1->x", explain_text);
	expect("explain vm1", CLI_USAGE, "", "from where and to where");
	says("{\"from\":\"a\",\"drop\":\"no-route\",\"why\":\"there is no "
	     "route\"}");
	expect("explain a b", CLI_OK,
	       "└✗ dropped: there is no route "
	       "(no-route)\n",
	       "");
}

/* What the shell makes of `weft explain vm1 -> c1`: a file named c1. */
static void arrow_of_the_shell_is_understood(void **state UNUSED)
{
	static const char *const argv[] = { "weft", "explain", "vm1", "-",
					    NULL };
	char *path = xasprintf("%s/c1", run_dir), *said;
	int err[2], status, fd;
	pid_t pid;

	says(explain_json);
	must(!pipe2(err, O_CLOEXEC));
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	pid = start(argv, fd, err[1]); /* without a terminal: told on stderr */
	close(fd);
	close(err[1]);
	said = slurp(err[0]);
	must(waitpid(pid, &status, 0) == pid);
	assert_int_equal(status, 0);
	assert_string_equal(said, explain_text);
	assert_string_equal(asked, "explain {\"from\":\"vm1\",\"to\":\"c1\","
				   "\"proto\":\"tcp\"}");
	assert_int_equal(access(path, F_OK), -1);
	free(said);
	free(path);
}

/* --- what is made from the tables ------------------------------------------ */

static void pages_in_the_docs_are_those_of_the_tables(void **state UNUSED)
{
	static const struct {
		const char *page, *path;
	} pages[] = { { "file.md", "docs/file.md" },
		      { "weft.1.scd", "docs/man/weft.1.scd" },
		      { "weft.schema.json", "docs/weft.schema.json" },
		      { "weft.yaml.5.scd", "docs/man/weft.yaml.5.scd" } };
	const char *here = __FILE__, *src = strstr(here, "src/cli/");

	for (size_t i = 0; i < ARRAY_SIZE(pages); i++) {
		char *path = xasprintf("%.*s%s", (int)(src - here), here,
				       pages[i].path);
		int fd = open(path, O_RDONLY);
		struct str s = STR_INIT;
		char *text;

		if (fd < 0)
			print_error("no %s: run from the build folder\n", path);
		assert_true(fd >= 0);
		text = slurp(fd);
		assert_true(cli_page(pages[i].page, &s));
		if (strcmp(text, str_text(&s)))
			print_error("%s is old: run tools/gen-docs\n",
				    pages[i].path);
		assert_string_equal(text, str_text(&s));
		str_fini(&s);
		free(text);
		free(path);
	}
}

static void completion_knows_commands_and_keys(void **state UNUSED)
{
	static const char *const shells[] = { "bash", "zsh", "fish" };

	for (size_t i = 0; i < ARRAY_SIZE(shells); i++) {
		struct str s = STR_INIT;

		cli_complete(shells[i], &s);
		assert_non_null(strstr(str_text(&s), "explain"));
		assert_non_null(strstr(str_text(&s), "namespace="));
		assert_non_null(strstr(str_text(&s), "neighbours"));
		str_fini(&s);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wrong_command_lines_are_explained),
		cmocka_unit_test(help_knows_every_command),
		cmocka_unit_test(missing_daemon_is_an_exit_status_of_its_own),
		cmocka_unit_test(plan_shows_changes_and_exits_with_2),
		cmocka_unit_test(apply_sends_the_text_and_its_name),
		cmocka_unit_test(wrong_file_is_told_without_a_daemon),
		cmocka_unit_test(export_prints_the_file),
		cmocka_unit_test(edits_become_paths_and_values),
		cmocka_unit_test(status_draws_the_topology),
		cmocka_unit_test(empty_daemon_says_how_to_begin),
		cmocka_unit_test(tables_leave_empty_columns_out),
		cmocka_unit_test(every_kind_can_be_shown),
		cmocka_unit_test(explain_draws_the_way),
		cmocka_unit_test(arrow_of_the_shell_is_understood),
		cmocka_unit_test(pages_in_the_docs_are_those_of_the_tables),
		cmocka_unit_test(completion_knows_commands_and_keys),
	};

	if (!strcmp(argv[0], "weft"))
		return cli_main(argc, (const char *const *)argv);
	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
