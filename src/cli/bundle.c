/* SPDX-License-Identifier: Apache-2.0 */
/* `weft bundle`: what a bug report needs, in one file, without secrets. */
#include <stdio.h>
#include <time.h>

#include "cli/cli.h"
#include "cli/js.h"
#include "cli/secrets.h"
#include "cli/tar.h"
#include "sys/proc.h"

#define FOLDER "weft-bundle"

static const char readme[] =
	"What weft bundle collected. Look through it before you send it.\n"
	"\n"
	"  status, ports, ...   weft show, as JSON\n"
	"  doctor.json          weft doctor\n"
	"  events.json          weft watch --once\n"
	"  metrics.txt          weft metrics\n"
	"  net.yaml             the applied file\n"
	"  host.json            devices, addresses, routes, rights, kernel\n"
	"  proc/                counters and settings of the kernel\n"
	"\n"
	"Left out: values of password, passphrase, secret, token, psk and key, "
	"and\n"
	"what dropped packets carried (their headers are described). Names, "
	"MAC "
	"and\n"
	"IP addresses are in it.\n";

static const struct {
	const char *file, *method, *kind;
} parts[] = {
	{ "version.json", "version", NULL },
	{ "status.json", "status", NULL },
	{ "ports.json", "show", "ports" },
	{ "networks.json", "show", "networks" },
	{ "bridges.json", "show", "bridges" },
	{ "routers.json", "show", "routers" },
	{ "neighbours.json", "show", "neighbours" },
	{ "macs.json", "show", "macs" },
	{ "flows.json", "show", "flows" },
	{ "tunnels.json", "show", "tunnels" },
	{ "drops.json", "show", "drops" },
	{ "events.json", "events", NULL },
	{ "doctor.json", "doctor", NULL },
	{ "host.json", "host", NULL },
};

static const char *const files[] = {
	"/proc/version",
	"/proc/meminfo",
	"/proc/loadavg",
	"/proc/modules",
	"/proc/net/dev",
	"/proc/net/snmp",
	"/proc/net/snmp6",
	"/proc/net/netstat",
	"/proc/net/softnet_stat",
	"/proc/sys/net/ipv4/ip_forward",
	"/proc/sys/net/ipv4/conf/all/rp_filter",
	"/proc/sys/net/ipv6/conf/all/forwarding",
	"/proc/sys/net/bridge/bridge-nf-call-iptables",
	"/proc/sys/net/netfilter/nf_conntrack_count",
	"/proc/sys/net/netfilter/nf_conntrack_max",
	"/etc/os-release",
};

static void add(struct tar *t, const char *file, const struct str *text)
{
	char *name = xasprintf(FOLDER "/%s", file);

	tar_add(t, name, str_text(text), text->len);
	free(name);
}

static void add_json(struct tar *t, const char *file, struct json_object *o)
{
	struct str s = STR_INIT;

	secrets_clear_json(o);
	str_addf(&s, "%s\n",
		 json_object_to_json_string_ext(
			 o, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
				    JSON_C_TO_STRING_NOSLASHESCAPE));
	add(t, file, &s);
	str_fini(&s);
}

/* What cannot be asked is said in its place: the rest is worth having. */
static int add_part(struct cli *c, struct tar *t, unsigned i)
{
	struct json_object *p = json_object_new_object(), *o;
	struct str s = STR_INIT;
	int rc;

	if (parts[i].kind)
		json_object_object_add(p, "kind",
				       json_object_new_string(parts[i].kind));
	o = cli_ask(c, parts[i].method, p, &rc);
	if (o) {
		add_json(t, parts[i].file, o);
	} else {
		str_add(&s, "the daemon did not answer\n");
		add(t, parts[i].file, &s);
	}
	json_object_put(o);
	str_fini(&s);
	return rc;
}

static void add_text(struct cli *c, struct tar *t, const char *method,
		     const char *file)
{
	struct str s = STR_INIT;
	struct json_object *o;
	int rc;

	o = cli_ask(c, method, NULL, &rc);
	if (o)
		secrets_clear_text(js_text(o, "text"), &s);
	add(t, file, &s);
	json_object_put(o);
	str_fini(&s);
}

/* "/proc/net/dev" -> "proc/net-dev": one folder. */
static char *flat_name(const char *path)
{
	char *name = xasprintf("proc/%s", path[1] == 'p' ? path + 6 : path + 5);

	for (char *at = name + 5; *at; at++)
		if (*at == '/')
			*at = '-';
	return name;
}

static void add_files(struct tar *t)
{
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		char *name = flat_name(files[i]);
		struct str s = STR_INIT;

		if (!proc_read("", files[i], &s)) {
			str_add_char(&s, '\n');
			add(t, name, &s);
		}
		str_fini(&s);
		free(name);
	}
}

static int collect(struct cli *c, struct tar *t)
{
	int rc = CLI_OK;

	tar_add(t, FOLDER "/README", readme, sizeof(readme) - 1);
	for (unsigned i = 0; i < ARRAY_SIZE(parts) && rc != CLI_UNREACHABLE;
	     i++)
		rc = add_part(c, t, i);
	if (rc != CLI_UNREACHABLE) {
		add_text(c, t, "model", "net.yaml");
		add_text(c, t, "metrics", "metrics.txt");
	}
	add_files(t);
	return rc == CLI_UNREACHABLE ? rc : CLI_OK;
}

static char *default_name(void)
{
	time_t now = time(NULL);
	char when[32] = "";
	struct tm tm;

	if (localtime_r(&now, &tm))
		strftime(when, sizeof(when), "-%Y%m%d-%H%M%S", &tm);
	return xasprintf(FOLDER "%s.tar.gz", when);
}

int cli_bundle(struct cli *c)
{
	char *path = c->n_args ? xstrdup(c->args[0]) : default_name();
	struct err e = ERR_INIT;
	struct tar *t = tar_create(path, &e);
	int rc = CLI_FAILED;

	if (t) {
		rc = collect(c, t);
		if (tar_close(t, &e))
			rc = CLI_FAILED;
	}
	if (err_is_set(&e))
		cli_tell(c, &e, 1);
	else if (strcmp(path, "-"))
		fprintf(c->out, "%s\n", path);
	err_fini(&e);
	free(path);
	return rc;
}
