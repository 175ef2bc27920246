/* SPDX-License-Identifier: Apache-2.0 */
#include "control/real.h"

#include <errno.h>

#include "base/log.h"
#include "base/str.h"
#include "control/devices.h"
#include "sys/netns.h"

void real_init(struct real *r, struct vswitch *sw, const struct adopt *a)
{
	*r = (struct real){ .sw = sw, .adopt = *a };
	list_init(&r->ports);
}

void real_fini(struct real *r, bool keep)
{
	struct real_port *p, *next;

	/* NICs first: what they carry goes back while the host devices that have
	 * it still exist. */
	list_for_each(p, &r->ports, link)
		if (p->kind == REAL_NIC)
			real_detach(r, p, keep);
	list_for_each_safe(p, next, &r->ports, link)
		real_destroy(r, p, keep);
}

struct real_port *real_find(const struct real *r, const char *name)
{
	struct real_port *p;

	list_for_each(p, &r->ports, link)
		if (!strcmp(p->name, name))
			return p;
	return NULL;
}

struct real_port *real_by_id(const struct real *r, uint32_t id)
{
	struct real_port *p;

	list_for_each(p, &r->ports, link)
		if (p->id == id)
			return p;
	return NULL;
}

const char *real_spec_name(const struct real_spec *s)
{
	if (s->port != VIEW_NONE)
		return s->view->ports[s->port].port->o.name;
	if (s->bridge != VIEW_NONE)
		return s->view->bridges[s->bridge].name;
	return "tunnel";
}

static bool wants_accel(const struct real_spec *s)
{
	return s->port == VIEW_NONE || s->view->ports[s->port].port->accel;
}

struct real_port *real_create(struct real *r, const struct real_spec *s,
			      struct err *e)
{
	struct real_port *p = xzalloc(sizeof(*p));

	p->id = switch_port_number(r->sw);
	if (!p->id) {
		err_set(e, "no port number is left; the switch has %u ports",
			DP_MAX_PORTS);
		free(p);
		return NULL;
	}
	p->name = xstrdup(real_spec_name(s));
	p->key = real_spec_key(s);
	p->missing = xstrdup("not attached yet");
	if (devices_make(r, p, s, e)) {
		switch_port_release(r->sw, p->id);
		free(p->name);
		free(p->key);
		free(p->missing);
		free(p);
		return NULL;
	}
	p->port->id = p->id;
	p->port->accel_off = !wants_accel(s);
	list_push_back(&r->ports, &p->link);
	return p;
}

static void set_missing(struct real_port *p, const char *why)
{
	free(p->missing);
	p->missing = why ? xstrdup(why) : NULL;
}

static int adopt_nic(struct real *r, struct real_port *p, struct err *e)
{
	struct adopt_report report = { 0 };
	int rc;

	if (p->kind != REAL_NIC || !p->target || p->adopted)
		return 0;
	rc = adopt_take(&r->adopt, p->port->device, p->target, &report, e);
	if (!rc) {
		p->adopted = true;
		log_info("port %s: %u addresses and %u routes moved to %s",
			 p->name, report.addresses, report.routes, p->target);
		if (report.advice.len)
			log_warn("port %s: %s", p->name,
				 str_text(&report.advice));
	}
	adopt_report_fini(&report);
	return rc;
}

int real_readopt(struct real *r, struct real_port *p, struct err *e)
{
	struct adopt_report report = { 0 };
	int rc = adopt_take(&r->adopt, p->port->device, p->target, &report, e);

	if (!rc)
		log_info("port %s: %s was given addresses; they moved to %s",
			 p->name, p->port->device, p->target);
	adopt_report_fini(&report);
	return rc;
}

static void release_nic(struct real *r, struct real_port *p)
{
	struct err e = ERR_INIT;
	char *text;

	if (!p->adopted)
		return;
	if (adopt_release(&r->adopt, p->port->device, &e)) {
		text = err_format(&e);
		log_error("port %s: its addresses could not be moved back: %s; "
			  "they stay on %s",
			  p->name, text, p->target);
		free(text);
	}
	err_fini(&e);
	p->adopted = false;
}

/* The device is not there: no failure, the port waits for it. */
static int wait_for_device(struct real_port *p, struct err *e)
{
	set_missing(p, e->text ? e->text : "its device does not exist");
	err_fini(e);
	port_set_state(p->port, PORT_ABSENT);
	return 0;
}

/* --- the process that names a namespace --- */

static void process_ended(void *arg)
{
	struct real_port *p = arg;

	p->real->process_ended(p->real->ctx, p);
}

char *real_gone_text(const struct real_port *p)
{
	if (!p->process.pid || !process_has_ended(&p->process))
		return xasprintf("its device is gone; it waits for %s to come "
				 "back",
				 p->port->device[0] ? p->port->device : "it");
	return xasprintf("process %d, which named its namespace, has ended; "
			 "name another namespace",
			 p->process.pid);
}

/* As a device that is not there: no failure of the configuration. */
static int process_is_gone(const struct real_port *p, struct err *e)
{
	char *text = real_gone_text(p);

	err_set(e, "%s", text);
	free(text);
	return -ENODEV;
}

/* The first time this says which process is meant. */
static int hold_process(struct real *r, struct real_port *p, struct err *e)
{
	int rc, pid = p->netns ? netns_ref_pid(p->netns) : 0;

	if (!pid)
		return 0;
	if (p->process.pid)
		return process_has_ended(&p->process) ? process_is_gone(p, e) :
							0;
	p->real = r;
	process_init(&p->process, process_ended, p);
	rc = process_hold(&p->process, r->loop, pid, e);
	return rc == -ESRCH ? -ENODEV : rc;
}

/* Ended meanwhile: the device may be in a namespace that is another's. */
static int confirm_process(struct real_port *p, struct err *e)
{
	if (!p->process.pid || !process_has_ended(&p->process))
		return 0;
	p->port->ops->detach(p->port, false);
	return process_is_gone(p, e);
}

static int attach_device(struct real *r, struct real_port *p, struct err *e)
{
	int rc = hold_process(r, p, e);

	if (!rc)
		rc = adopt_nic(r, p, e);
	if (!rc)
		rc = p->port->ops->attach(p->port, e);
	return rc ? rc : confirm_process(p, e);
}

int real_attach(struct real *r, struct real_port *p, struct err *e)
{
	int rc;

	if (p->attached)
		return 0;
	rc = attach_device(r, p, e);
	if (rc == -ENODEV)
		return wait_for_device(p, e);
	if (!rc) {
		rc = switch_port_add(r->sw, p->port);
		if (rc) {
			err_set(e, "port %s: the datapath refuses it: %s",
				p->name, err_name(rc));
			p->port->ops->detach(p->port, true);
		}
	}
	if (rc) {
		release_nic(r, p);
		set_missing(p, e->text ? e->text : err_name(rc));
		return rc;
	}
	p->attached = true;
	p->failed = false;
	set_missing(p, NULL);
	return 0;
}

void real_detach(struct real *r, struct real_port *p, bool keep)
{
	if (p->attached) {
		switch_port_del(r->sw, p->port);
		p->port->ops->detach(p->port, keep);
		p->attached = false;
		set_missing(p, "detached");
	}
	if (!keep)
		release_nic(r, p);
}

void real_destroy(struct real *r, struct real_port *p, bool keep)
{
	real_detach(r, p, keep);
	list_del(&p->link);
	p->port->ops->destroy(p->port);
	process_drop(&p->process);
	r->gone = xrealloc(r->gone, (r->n_gone + 1) * sizeof(*r->gone));
	r->gone[r->n_gone++] = p->id;
	free(p->name);
	free(p->key);
	free(p->target);
	free(p->netns);
	free(p->missing);
	free(p);
}

void real_release_numbers(struct real *r)
{
	for (unsigned i = 0; i < r->n_gone; i++)
		switch_port_release(r->sw, r->gone[i]);
	free(r->gone);
	r->gone = NULL;
	r->n_gone = 0;
}

/* The datapath asks when the port comes: it leaves and comes again. */
static int update_accel(struct real *r, struct real_port *p,
			const struct real_spec *s, struct err *e)
{
	if (p->port->accel_off == !wants_accel(s))
		return 0;
	p->port->accel_off = !wants_accel(s);
	if (!p->attached)
		return 0;
	real_detach(r, p, true);
	return real_attach(r, p, e);
}

int real_update(struct real *r, struct real_port *p, const struct real_spec *s,
		struct err *e)
{
	int rc = devices_update(p, s, e);

	if (rc == -ENODEV && p->attached) {
		real_detach(r, p, true);
		return wait_for_device(p, e);
	}
	if (rc == -ENODEV)
		return wait_for_device(p, e);
	return rc ? rc : update_accel(r, p, s, e);
}
