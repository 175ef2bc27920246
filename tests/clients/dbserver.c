/* SPDX-License-Identifier: Apache-2.0 */
#include "dbserver.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/env.h"
#include "base/log.h"
#include "base/str.h"
#include "jsonrpc/unixctl.h"
#include "ovsdb/server.h"
#include "ovsdb/server_file.h"
#include "ovsdb/server_managers.h"
#include "sys/disk.h"
#include "sys/loop.h"
#include "sys/tls.h"

#define NAME "ovsdb-server"
#define WORDS_MAX 64

static struct {
	bool detach, has_pid_file, has_log_file;
	const char *pid_file, *log_file, *ctl, *run;
	const char *remotes[WORDS_MAX];
	unsigned n_remotes;
	struct tls_files tls;
} opt;

static FILE *log_stream;

/* --- files --------------------------------------------------------------------------- */

int dbserver_add_file(struct dbserver *s, const char *path, struct err *e)
{
	const struct server_file_spec spec = { .loop = s->loop,
					       .env = env_system(),
					       .disk = disk_system(),
					       .path = path };
	char *said = NULL;
	struct db *db;
	struct server_file *file = server_file_open(&spec, &db, &said, e);
	struct dbfile *f;

	if (said)
		log_warn("%s", said);
	free(said);
	if (!file)
		return -1;
	if (server_find_db(s->server, db->schema->name)) {
		err_set(e, "%s: a database named %s is served already", path,
			db->schema->name);
		server_file_close(file);
		db_destroy(db);
		return -1;
	}
	f = xzalloc(sizeof(*f));
	f->path = xstrdup(path);
	f->file = file;
	f->db = server_put_db(s->server, db, &server_file_ops, file);
	list_push_back(&s->files, &f->node);
	return 0;
}

void dbserver_del_file(struct dbserver *s UNUSED, struct dbfile *f)
{
	server_file_flush(f->file);
	server_del_db(f->db);
	server_file_close(f->file);
	list_del(&f->node);
	free(f->path);
	free(f);
}

/* --- remotes --------------------------------------------------------------------------- */

static int remote_open(struct dbserver *s, struct dbremote *r, struct err *e)
{
	const struct server_managers_spec managers = { .name = r->name,
						       .tls = s->tls };
	const struct server_remote_spec remote = { .name = r->name,
						   .tls = s->tls };

	if (!strncmp(r->name, "db:", 3)) {
		r->managers = server_managers_create(s->loop, s->server,
						     &managers, e);
		return r->managers ? 0 : -1;
	}
	r->remote = server_add_remote(s->server, &remote, e);
	if (r->remote && server_remote_port(r->remote))
		log_info("%s: listening on port %u", r->name,
			 server_remote_port(r->remote));
	return r->remote ? 0 : -1;
}

int dbserver_add_remote(struct dbserver *s, const char *name, struct err *e)
{
	struct dbremote *r = xzalloc(sizeof(*r));

	r->name = xstrdup(name);
	list_push_back(&s->remotes, &r->node);
	if (!remote_open(s, r, e))
		return 0;
	dbserver_del_remote(s, r);
	return -1;
}

void dbserver_del_remote(struct dbserver *s UNUSED, struct dbremote *r)
{
	server_managers_destroy(r->managers);
	server_del_remote(r->remote);
	list_del(&r->node);
	free(r->name);
	free(r);
}

/* --- the command line ---------------------------------------------------------------------- */

enum {
	O_DETACH = 256,
	O_PIDFILE,
	O_LOG_FILE,
	O_REMOTE,
	O_UNIXCTL,
	O_RUN,
	O_KEY,
	O_CERT,
	O_CA,
	O_BOOTSTRAP,
	O_PEER_CA,
	O_PROTOCOLS,
	O_CIPHERS,
	O_IGNORED,
};

static const struct option options[] = {
	{ "detach", no_argument, NULL, O_DETACH },
	{ "pidfile", optional_argument, NULL, O_PIDFILE },
	{ "log-file", optional_argument, NULL, O_LOG_FILE },
	{ "remote", required_argument, NULL, O_REMOTE },
	{ "unixctl", required_argument, NULL, O_UNIXCTL },
	{ "run", required_argument, NULL, O_RUN },
	{ "private-key", required_argument, NULL, O_KEY },
	{ "certificate", required_argument, NULL, O_CERT },
	{ "ca-cert", required_argument, NULL, O_CA },
	{ "bootstrap-ca-cert", required_argument, NULL, O_BOOTSTRAP },
	{ "peer-ca-cert", required_argument, NULL, O_PEER_CA },
	{ "ssl-protocols", required_argument, NULL, O_PROTOCOLS },
	{ "ssl-ciphers", required_argument, NULL, O_CIPHERS },
	{ "no-chdir", no_argument, NULL, O_IGNORED },
	{ "overwrite-pidfile", no_argument, NULL, O_IGNORED },
	{ "monitor", no_argument, NULL, O_IGNORED },
	{ "verbose", optional_argument, NULL, O_IGNORED },
	{ "disable-file-column-diff", no_argument, NULL, O_IGNORED },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

static void option_tls(int c)
{
	switch (c) {
	case O_KEY:
		opt.tls.private_key = optarg;
		break;
	case O_CERT:
		opt.tls.certificate = optarg;
		break;
	case O_BOOTSTRAP:
		opt.tls.bootstrap_ca_cert = true;
		opt.tls.ca_cert = optarg;
		break;
	case O_CA:
		opt.tls.ca_cert = optarg;
		break;
	case O_PEER_CA:
		opt.tls.peer_ca_cert = optarg;
		break;
	case O_PROTOCOLS:
		opt.tls.protocols = optarg;
		break;
	case O_CIPHERS:
		opt.tls.ciphers = optarg;
		break;
	}
}

static void option_take(int c)
{
	switch (c) {
	case O_DETACH:
		opt.detach = true;
		break;
	case O_PIDFILE:
		opt.has_pid_file = true;
		opt.pid_file = optarg;
		break;
	case O_LOG_FILE:
		opt.has_log_file = true;
		opt.log_file = optarg;
		break;
	case O_REMOTE:
		if (opt.n_remotes < WORDS_MAX)
			opt.remotes[opt.n_remotes++] = optarg;
		break;
	case O_UNIXCTL:
		opt.ctl = optarg;
		break;
	case O_RUN:
		opt.run = optarg;
		break;
	case 'V':
		puts(NAME " (Open vSwitch) 3.1.0\nweft " WEFT_VERSION);
		exit(0);
	case '?':
		exit(1);
	default:
		option_tls(c);
		break;
	}
}

/* PATH, or in the folder that the variable names. */
static char *path_in(const char *path, const char *variable, const char *name)
{
	const char *dir = getenv(variable);

	if (path && path[0] == '/')
		return xstrdup(path);
	return xasprintf("%s/%s", dir ? dir : ".", path ? path : name);
}

/* --- log and process -------------------------------------------------------------------------- */

/* As Open vSwitch's tests look for it: time|number|module|LEVEL|text. */
static void log_line(enum log_level level, const char *line)
{
	static const char *const words[] = { "ERR", "WARN", "INFO", "DBG" };
	static unsigned n;
	char when[64];
	time_t now = time(NULL);
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S.000Z", &tm);
	fprintf(log_stream, "%s|%05u|weft|%s|%s\n", when, ++n, words[level],
		line);
	fflush(log_stream);
}

static int log_open(void)
{
	char *path;

	if (!opt.has_log_file)
		return 0;
	path = path_in(opt.log_file, "OVS_LOGDIR", NAME ".log");
	log_stream = fopen(path, "ae");
	if (!log_stream)
		fprintf(stderr, NAME ": %s: %s\n", path, strerror(errno));
	else
		log_set_sink(log_line);
	free(path);
	return log_stream ? 0 : -1;
}

/* Locked as long as we live: so do their tools tell that we do. */
static void pid_write(void)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	char *path, text[24];
	int fd;

	if (!opt.has_pid_file)
		return;
	path = path_in(opt.pid_file, "OVS_RUNDIR", NAME ".pid");
	fd = open(path, O_CREAT | O_RDWR | O_TRUNC | O_CLOEXEC, 0644);
	snprintf(text, sizeof(text), "%d\n", (int)getpid());
	if (fd < 0 || fcntl(fd, F_SETLK, &lock) ||
	    write(fd, text, strlen(text)) < 0)
		log_error("%s: %s", path, strerror(errno));
	free(path);
}

static void pid_remove(void)
{
	char *path;

	if (!opt.has_pid_file)
		return;
	path = path_in(opt.pid_file, "OVS_RUNDIR", NAME ".pid");
	unlink(path);
	free(path);
}

/* The parent leaves when the child is ready, or as it failed. */
static int detach(void)
{
	int fds[2];
	char ok = 0;

	if (!opt.detach)
		return -1;
	if (pipe2(fds, O_CLOEXEC))
		exit(1);
	switch (fork()) {
	case -1:
		exit(1);
	case 0:
		close(fds[0]);
		setsid();
		return fds[1];
	default:
		close(fds[1]);
		_exit(read(fds[0], &ok, 1) == 1 ? 0 : 1);
	}
}

static void detached(int fd)
{
	int null;

	if (fd < 0)
		return;
	if (write(fd, "", 1) != 1)
		exit(1);
	close(fd);
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	dup2(null, 0);
	dup2(null, 1);
	dup2(null, 2);
	close(null);
}

/* --- life ------------------------------------------------------------------------------------------ */

static int open_control(struct dbserver *s, struct err *e)
{
	char *name = xasprintf(NAME ".%d.ctl", (int)getpid());
	char *path = path_in(opt.ctl, "OVS_RUNDIR", name);
	const struct unixctl_spec spec = { .path = path,
					   .version = NAME
					   " (Open vSwitch) 3.1.0" };

	if (!opt.ctl || strcmp(opt.ctl, "none")) {
		s->ctl = unixctl_create(s->loop, &spec, e);
		if (s->ctl)
			dbserver_control(s);
	}
	free(name);
	free(path);
	return err_is_set(e) ? -1 : 0;
}

static int open_all(struct dbserver *s, int n, char *const files[],
		    struct err *e)
{
	char *fallback = path_in(NULL, "OVS_DBDIR", "conf.db");
	int err = 0;

	if (opt.tls.private_key) {
		s->tls = tls_config_create(&opt.tls, e);
		err = s->tls ? 0 : -1;
	}
	if (!err && !n)
		err = dbserver_add_file(s, fallback, e);
	for (int i = 0; i < n && !err; i++)
		err = dbserver_add_file(s, files[i], e);
	for (unsigned i = 0; i < opt.n_remotes && !err; i++)
		err = dbserver_add_remote(s, opt.remotes[i], e);
	free(fallback);
	return err ? err : open_control(s, e);
}

static void close_all(struct dbserver *s)
{
	unixctl_destroy(s->ctl);
	while (!list_is_empty(&s->remotes))
		dbserver_del_remote(
			s, list_entry(s->remotes.next, struct dbremote, node));
	while (!list_is_empty(&s->files))
		dbserver_del_file(
			s, list_entry(s->files.next, struct dbfile, node));
	server_destroy(s->server);
	tls_config_unref(s->tls);
	loop_destroy(s->loop);
}

static pid_t child;
static int child_status;

static void on_child(void *arg)
{
	if (waitpid(child, &child_status, WNOHANG) == child)
		loop_stop(arg);
}

static void on_signal(void *arg)
{
	loop_stop(arg);
}

static void run_child(const struct dbserver *s)
{
	if (!opt.run)
		return;
	if (loop_signal(s->loop, SIGCHLD, on_child, s->loop))
		exit(1);
	child = fork();
	if (child)
		return;
	execl("/bin/sh", "sh", "-c", opt.run, (char *)NULL);
	_exit(127);
}

int main(int argc, char *argv[])
{
	struct rlimit files = { 65536, 65536 };
	struct dbserver s = { 0 };
	struct err e = ERR_INIT;
	int c, ready;

	while ((c = getopt_long(argc, argv, "v::V", options, NULL)) != -1)
		option_take(c);
	/* As many as there may be. */
	(void)!setrlimit(RLIMIT_NOFILE, &files);
	if (log_open())
		return 1;
	ready = detach();
	s.loop = loop_create();
	s.server = server_create(s.loop, env_system());
	list_init(&s.files);
	list_init(&s.remotes);
	if (open_all(&s, argc - optind, argv + optind, &e)) {
		fprintf(stderr, NAME ": %s\n", e.text);
		return 1;
	}
	if (loop_signal(s.loop, SIGTERM, on_signal, s.loop))
		return 1;
	pid_write();
	detached(ready);
	run_child(&s);
	loop_run(s.loop);
	close_all(&s);
	pid_remove();
	return WIFEXITED(child_status) ? WEXITSTATUS(child_status) : 1;
}
