/* SPDX-License-Identifier: Apache-2.0 */
/* The steps from what is to what a view says.
 *
 * Order: ports that must be made anew go; host devices, the tunnel, then the
 * other ports come, NICs last (what they carry moves to a host device); then the
 * switch becomes the view in one publication; then ports that nobody wants go. */
#include "control/internal.h"
#include "control/rights.h"
#include "port/reaper.h"

static struct real_spec spec_of_port(const struct model_view *v, uint32_t i)
{
	return (struct real_spec){ v, i, VIEW_NONE };
}

static struct real_spec spec_of_host(const struct model_view *v, uint32_t i)
{
	return (struct real_spec){ v, VIEW_NONE, i };
}

static bool is_nic(const struct model_view *v, uint32_t i)
{
	return v->ports[i].port->type == MODEL_PORT_NIC;
}

typedef int spec_fn(struct control *c, const struct real_spec *s,
		    struct err *e);

static int each_port(struct control *c, const struct model_view *v, bool nics,
		     spec_fn *fn, struct err *e)
{
	int rc = 0;

	for (unsigned i = 0; i < v->n_ports && !rc; i++) {
		struct real_spec s = spec_of_port(v, i);

		if (v->ports[i].port->enabled && is_nic(v, i) == nics)
			rc = fn(c, &s, e);
		if (rc)
			err_place(e, v->ports[i].port->o.origin.file,
				  v->ports[i].port->o.origin.line,
				  v->ports[i].port->o.origin.column);
	}
	return rc;
}

/* Every real port that the view asks for, in the order of their making. */
static int each_spec(struct control *c, const struct model_view *v, spec_fn *fn,
		     struct err *e)
{
	struct real_spec tunnel = { v, VIEW_NONE, VIEW_NONE };
	int rc = 0;

	for (unsigned i = 0; i < v->n_bridges && !rc; i++) {
		struct real_spec s = spec_of_host(v, i);

		if (v->bridges[i].has_host)
			rc = fn(c, &s, e);
	}
	if (!rc && v->underlay.address.family)
		rc = fn(c, &tunnel, e);
	if (!rc)
		rc = each_port(c, v, false, fn, e);
	if (!rc)
		rc = each_port(c, v, true, fn, e);
	return rc;
}

/* Marks what stays; what is of the same name but must be made anew goes now, for
 * the new one may need its device. */
static int step_mark(struct control *c, const struct real_spec *s,
		     struct err *e UNUSED)
{
	struct real_port *p = real_find(&c->real, real_spec_name(s));
	char *key;

	if (!p)
		return 0;
	key = real_spec_key(s);
	if (strcmp(key, p->key))
		real_destroy(&c->real, p, false);
	else
		p->wanted = true;
	free(key);
	return 0;
}

/* A device that changes its port: the port that has it goes first. */
static int step_free_device(struct control *c, const struct real_spec *s,
			    struct err *e UNUSED)
{
	const char *device = s->port != VIEW_NONE ?
				     s->view->ports[s->port].device :
				     real_spec_name(s);
	struct real_port *p, *next;

	if (!device || real_find(&c->real, real_spec_name(s)))
		return 0;
	list_for_each_safe(p, next, &c->real.ports, link)
		if (!p->wanted && !strcmp(p->port->device, device))
			real_destroy(&c->real, p, false);
	return 0;
}

static const char *kind_of(const struct real_spec *s)
{
	if (s->port != VIEW_NONE)
		return "port";
	return s->bridge != VIEW_NONE ? "bridge" : "underlay";
}

static int step_count(struct control *c, const struct real_spec *s UNUSED,
		      struct err *e UNUSED)
{
	c->progress.of++;
	return 0;
}

static int step_make(struct control *c, const struct real_spec *s,
		     struct err *e)
{
	struct real_port *p = real_find(&c->real, real_spec_name(s));
	int rc;

	progress_step(&c->progress, kind_of(s),
		      s->port == VIEW_NONE && s->bridge == VIEW_NONE ?
			      "" :
			      real_spec_name(s));
	if (p) {
		rc = real_update(&c->real, p, s, e);
		if (rc)
			err_wrap(e, "port %s", p->name);
		return rc;
	}
	p = real_create(&c->real, s, e);
	if (!p)
		return -22;
	p->wanted = true;
	rc = real_attach(&c->real, p, e);
	if (rc)
		err_wrap(e, "port %s", p->name);
	return rc;
}

static void drop_unwanted(struct control *c)
{
	struct real_port *p, *next;

	list_for_each_safe(p, next, &c->real.ports, link) {
		if (p->wanted)
			continue;
		progress_step(&c->progress, "removal of port", p->name);
		real_destroy(&c->real, p, false);
	}
}

static void publish(struct control *c, const struct model_view *v)
{
	struct desire old = c->desire;

	peer_numbers_update(&c->peers, c->sw, v);
	desire_init(&c->desire, v, &c->real, &c->peers);
	switch_apply(c->sw, &c->desire.d);
	openflow_follow(c, v);
	desire_fini(&old);
	real_release_numbers(&c->real);
}

/* What is to be made, and what nobody wants any more. */
static int count_steps(struct control *c, const struct model_view *v,
		       struct err *e)
{
	struct real_port *p;

	list_for_each(p, &c->real.ports, link)
		c->progress.of += !p->wanted;
	return each_spec(c, v, step_count, e);
}

static int check(const struct model_view *v, struct err *e)
{
	struct priv has;
	struct desire d;
	int rc;

	priv_probe(&has);
	rc = rights_check(v, &has, e);
	if (rc)
		return rc;
	desire_init(&d, v, NULL, NULL);
	rc = switch_check(&d.d, e);
	desire_fini(&d);
	return rc;
}

/* On the way back what a failed change made goes first: it may hold what the rest
 * needs, descriptors above all. */
static void let_go(struct control *c)
{
	drop_unwanted(c);
	port_settle();
}

static int realise(struct control *c, const struct model_view *v, bool back,
		   struct err *e)
{
	struct real_port *p;
	int rc = check(v, e);

	progress_begin(&c->progress, 0, back);
	if (rc)
		return rc;
	list_for_each(p, &c->real.ports, link)
		p->wanted = false;
	rc = each_spec(c, v, step_mark, e);
	if (!rc)
		rc = each_spec(c, v, step_free_device, e);
	if (!rc)
		rc = count_steps(c, v, e);
	if (!rc && back)
		let_go(c);
	/* What comes may need a device that is on its way out. */
	reaper_settle();
	if (!rc)
		rc = each_spec(c, v, step_make, e);
	if (rc)
		return rc;
	publish(c, v);
	drop_unwanted(c);
	captures_ports_changed(&c->captures);
	/* Gone means gone: a daemon that dies now leaves nothing behind. */
	reaper_settle();
	return 0;
}

int control_realise(struct control *c, const struct model_view *v,
		    struct err *e)
{
	return realise(c, v, false, e);
}

int control_realise_back(struct control *c, const struct model_view *v,
			 struct err *e)
{
	return realise(c, v, true, e);
}

void control_rebuild(void *arg)
{
	struct control *c = arg;

	if (c->view)
		publish(c, c->view);
}

void control_clear(struct control *c, bool keep)
{
	static const struct desired nothing;

	openflow_end(c);
	switch_apply(c->sw, &nothing);
	desire_fini(&c->desire);
	c->desire = (struct desire){ 0 };
	real_fini(&c->real, keep);
	port_settle();
	real_release_numbers(&c->real);
	peer_numbers_fini(&c->peers, c->sw);
}
