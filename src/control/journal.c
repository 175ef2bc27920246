/* SPDX-License-Identifier: Apache-2.0 */
#include "control/journal.h"

#include <errno.h>

#include "base/log.h"
#include "control/internal.h"
#include "sys/disk.h"
#include "sys/file_io.h"
#include "sys/nl_link.h"

#define JOURNAL_FILE "applying"
#define JOURNAL_MAX (4u << 20)

static char *journal_path(const struct control *c)
{
	return xasprintf("%s/" JOURNAL_FILE, c->config.state);
}

static bool exists(const struct nl_links *links, const char *name)
{
	for (size_t i = 0; i < links->n; i++)
		if (!strcmp(links->v[i].name, name))
			return true;
	return false;
}

static void add_name(struct str *out, const struct nl_links *links,
		     const char *name)
{
	if (name && !exists(links, name))
		str_addf(out, "%s\n", name);
}

static void list_new(const struct model_view *v, const struct nl_links *links,
		     struct str *out)
{
	for (unsigned i = 0; i < v->n_ports; i++)
		if (v->ports[i].port->create &&
		    v->ports[i].port->type != MODEL_PORT_NIC)
			add_name(out, links, v->ports[i].device);
	for (unsigned i = 0; i < v->n_bridges; i++)
		if (v->bridges[i].has_host)
			add_name(out, links, v->bridges[i].name);
}

int journal_begin(struct control *c, const struct model_view *v, struct err *e)
{
	char *path = journal_path(c);
	struct str names = STR_INIT;
	struct file_content content = { .mode = 0600 };
	struct nl_links links = { 0 };
	int rc = nl_link_list(c->nl, &links, e);

	if (!rc)
		list_new(v, &links, &names);
	if (!rc && names.len) {
		content.data = names.s;
		content.len = names.len;
		rc = file_write(disk_system(), path, &content, e);
	}
	nl_links_fini(&links);
	str_fini(&names);
	free(path);
	return rc;
}

void journal_end(struct control *c)
{
	char *path = journal_path(c);
	int rc = disk_unlink(disk_system(), path);

	if (rc && rc != -ENOENT)
		log_warn("%s cannot be removed: %s; it is looked at again at "
			 "the next start",
			 path, err_name(rc));
	free(path);
}

static bool is_ours_now(const struct control *c, const char *device)
{
	struct real_port *p;

	list_for_each(p, &c->real.ports, link)
		if (!strcmp(p->port->device, device))
			return true;
	return false;
}

static void take_away(struct control *c, const char *device)
{
	struct err e = ERR_INIT;
	struct nl_link l;

	if (is_ours_now(c, device) || nl_link_find(c->nl, device, &l, NULL))
		return;
	if (strcmp(l.kind, "veth") && strcmp(l.kind, "tun"))
		return;
	if (nl_link_del(c->nl, l.ifindex, &e))
		log_warn("device %s of an apply that did not end stays: %s",
			 device, e.text);
	err_fini(&e);
}

void journal_recover(struct control *c)
{
	char *path = journal_path(c), *save = NULL, *name;
	struct str names = STR_INIT;

	if (!file_read(disk_system(), path, JOURNAL_MAX, &names, NULL) &&
	    names.len) {
		log_info("an apply did not end: its devices are taken away");
		for (name = strtok_r(names.s, "\n", &save); name;
		     name = strtok_r(NULL, "\n", &save))
			take_away(c, name);
	}
	journal_end(c);
	str_fini(&names);
	free(path);
}
