/* SPDX-License-Identifier: Apache-2.0 */
/* weft-extcap: how Wireshark and tshark see weft's ports among their interfaces.
 * doc/extcap.4 of Wireshark says what is asked and answered. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/capture.h"
#include "cli/js.h"
#include "sys/folders.h"

#define PREFIX "weft-"
#define ALL "weft" /* the interface that is all ports */
#define DLT_ETHERNET 1
#define DLT_IP 101

struct extcap {
	struct cli c;
	bool interfaces, dlts, config, capture, wire, outer;
	const char *interface, *fifo, *filter, *point, *snap;
};

/* --- arguments: --name=value or --name value ------------------------------ */

struct option_row {
	const char *name;
	bool *flag;
	const char **value;
};

static const struct option_row *find_row(const struct option_row *rows,
					 const char *arg)
{
	size_t len = strcspn(arg, "=");

	for (; rows->name; rows++)
		if (strlen(rows->name) == len && !strncmp(rows->name, arg, len))
			return rows;
	return NULL;
}

/* What is not known is for another version of Wireshark. */
static void take_args(struct extcap *x, int argc, const char *const *argv)
{
	const struct option_row rows[] = {
		{ "--extcap-interfaces", &x->interfaces, NULL },
		{ "--extcap-dlts", &x->dlts, NULL },
		{ "--extcap-config", &x->config, NULL },
		{ "--capture", &x->capture, NULL },
		{ "--wire", &x->wire, NULL },
		{ "--outer", &x->outer, NULL },
		{ "--extcap-interface", NULL, &x->interface },
		{ "--extcap-capture-filter", NULL, &x->filter },
		{ "--fifo", NULL, &x->fifo },
		{ "--point", NULL, &x->point },
		{ "--snap", NULL, &x->snap },
		{ NULL, NULL, NULL },
	};

	for (int i = 1; i < argc; i++) {
		const struct option_row *r = find_row(rows, argv[i]);
		const char *eq = strchr(argv[i], '=');

		if (r && r->flag)
			*r->flag = !eq || strcmp(eq, "=false") != 0;
		else if (r && eq)
			*r->value = eq + 1;
		else if (r && i + 1 < argc)
			*r->value = argv[++i];
	}
}

/* --- what there is -------------------------------------------------------- */

static struct json_object *ports(struct extcap *x)
{
	struct json_object *p = json_object_new_object();
	int rc;

	json_object_object_add(p, "kind", json_object_new_string("ports"));
	return cli_ask(&x->c, "show", p, &rc);
}

/* Without a daemon there is nothing to capture, and that is no error: Wireshark
 * asks at every start. */
static int list_interfaces(struct extcap *x)
{
	struct json_object *list;

	printf("extcap {version=" WEFT_VERSION "}{display=weft}\n");
	if (access(x->c.socket, F_OK))
		return CLI_OK;
	list = ports(x);
	if (!list)
		return CLI_OK;
	printf("interface {value=" ALL "}{display=weft: all ports}\n");
	for (unsigned i = 0; i < js_length(list); i++) {
		struct json_object *p = js_item(list, i);

		printf("interface {value=" PREFIX
		       "%s}{display=weft: port %s (%s)}\n",
		       js_text(p, "name"), js_text(p, "name"),
		       js_text(p, "type"));
	}
	printf("interface {value=" PREFIX
	       "tunnel}{display=weft: tunnels to other hosts}\n");
	json_object_put(list);
	return CLI_OK;
}

static const char *port_of(const struct extcap *x)
{
	const char *i = x->interface;

	return strncmp(i, PREFIX, strlen(PREFIX)) ? "" : i + strlen(PREFIX);
}

static bool is_layer3(struct extcap *x)
{
	struct json_object *list = ports(x);
	bool yes = false;

	for (unsigned i = 0; i < js_length(list); i++) {
		struct json_object *p = js_item(list, i);

		if (!strcmp(js_text(p, "name"), port_of(x)))
			yes = !strcmp(js_text(p, "type"), "tun");
	}
	json_object_put(list);
	return yes;
}

static int tell_dlts(struct extcap *x)
{
	if (is_layer3(x))
		printf("dlt {number=%d}{name=RAW}{display=IP}\n", DLT_IP);
	else
		printf("dlt {number=%d}{name=EN10MB}{display=Ethernet}\n",
		       DLT_ETHERNET);
	return CLI_OK;
}

static int tell_config(void)
{
	fputs("arg {number=0}{call=--point}{display=Capture}"
	      "{tooltip=Where packets are seen}{type=selector}\n"
	      "value {arg=0}{value=both}{display=what comes in and goes out}"
	      "{default=true}\n"
	      "value {arg=0}{value=in}{display=what comes in}{default=false}\n"
	      "value {arg=0}{value=out}{display=what goes out}{default=false}\n"
	      "value {arg=0}{value=drops}{display=what is dropped, and why}"
	      "{default=false}\n"
	      "arg {number=1}{call=--wire}{display=As the wire has it}"
	      "{tooltip=Large frames cut, checksums finished}{type=boolflag}"
	      "{default=false}\n"
	      "arg {number=2}{call=--outer}{display=Tunnels from outside}"
	      "{tooltip=With the headers that carry the frames}"
	      "{type=boolflag}{default=false}\n"
	      "arg {number=3}{call=--snap}{display=Snap length}"
	      "{tooltip=Bytes kept of a packet}{type=unsigned}"
	      "{range=14,262144}{default=262144}\n",
	      stdout);
	return CLI_OK;
}

/* --- capturing ------------------------------------------------------------ */

static void put_flag(struct json_object *o, const char *key, bool on)
{
	if (on)
		json_object_object_add(o, key, json_object_new_boolean(true));
}

static struct json_object *params_of(struct extcap *x, struct err *e)
{
	const char *point = x->point ? x->point : "both";
	struct json_object *p = json_object_new_object();
	struct json_object *list = json_object_new_array();

	if (*port_of(x))
		json_object_array_add(list, json_object_new_string(port_of(x)));
	json_object_object_add(p, "ports", list);
	put_flag(p, "in", !strcmp(point, "in") || !strcmp(point, "both"));
	put_flag(p, "out", !strcmp(point, "out") || !strcmp(point, "both"));
	put_flag(p, "drops", !strcmp(point, "drops"));
	put_flag(p, "wire", x->wire);
	put_flag(p, "outer", x->outer);
	if (x->snap)
		json_object_object_add(
			p, "snap",
			json_object_new_uint64(strtoull(x->snap, NULL, 10)));
	if (!filter_put(x->filter ? x->filter : "", p, e))
		return p;
	json_object_put(p);
	return NULL;
}

/* Wireshark asks while the user types: what is said is what is wrong. */
static int judge_filter(const struct extcap *x)
{
	struct json_object *p = json_object_new_object();
	struct err e = ERR_INIT;

	if (filter_put(x->filter, p, &e))
		printf("%s\n", e.text);
	err_fini(&e);
	json_object_put(p);
	return CLI_OK;
}

static int capture(struct extcap *x)
{
	struct capture_sink s = { .c = &x->c, .take = capture_write };
	struct json_object *params = NULL, *done = NULL;
	struct err e = ERR_INIT;
	int rc;

	params = params_of(x, &e);
	if (!params) {
		cli_tell(&x->c, &e, 1);
		err_fini(&e);
		return CLI_FAILED;
	}
	s.fd = open(x->fifo, O_WRONLY | O_CLOEXEC);
	if (s.fd < 0) {
		fprintf(stderr, "weft-extcap: %s: %s\n", x->fifo,
			err_name(errno));
		json_object_put(params);
		return CLI_FAILED;
	}
	rc = capture_run(&s, params, &done);
	json_object_put(done);
	close(s.fd);
	return rc;
}

static int run(struct extcap *x)
{
	if (x->interfaces)
		return list_interfaces(x);
	if (!x->interface) {
		fputs("weft-extcap: this is for Wireshark: put it into its "
		      "extcap folder (tshark -G folders); by hand, use weft "
		      "capture\n",
		      stderr);
		return CLI_USAGE;
	}
	if (x->dlts)
		return tell_dlts(x);
	if (x->config)
		return tell_config();
	if (x->capture && x->fifo)
		return capture(x);
	return x->filter ? judge_filter(x) : CLI_USAGE;
}

int extcap_main(int argc, const char *const *argv)
{
	char *folder = folders_run_to_ask();
	struct extcap x = { .c = { .out = stdout } };
	int rc;

	x.c.socket = xasprintf("%s/weft.sock", folder);
	free(folder);
	take_args(&x, argc, argv);
	rc = run(&x);
	fflush(stdout);
	free(x.c.socket);
	return rc;
}
