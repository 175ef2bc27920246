/* SPDX-License-Identifier: Apache-2.0 */
#include "port/adopt.h"

#include <errno.h>

#include "port/adopt_image.h"
#include "port/adopt_journal.h"
#include "sys/fail.h"
#include "sys/sysctl.h"

void adopt_report_fini(struct adopt_report *r)
{
	str_fini(&r->advice);
}

static struct adopt_place adopt_place_of(const struct nl_link *l)
{
	return (struct adopt_place){ l->name, l->ifindex };
}

/* Only what differs: to set a MAC anew, even to the same, makes the kernel forget
 * the neighbours. */
static int adopt_set_link(struct nl *nl, const struct nl_link *link,
			  const struct adopt_image *like, struct err *e)
{
	struct nl_link_change c = { .set = NL_LINK_UP,
				    .up = true,
				    .mac = like->mac,
				    .mtu = like->mtu };

	if (link->mtu != like->mtu)
		c.set |= NL_LINK_MTU;
	if (!eth_addr_equal(link->mac, like->mac))
		c.set |= NL_LINK_MAC;
	return nl_link_set(nl, link->ifindex, &c, e);
}

/* An adopted NIC does nothing of IPv6 by itself. */
static void adopt_silence(const char *nic)
{
	struct sysctl_device d = { .netns_fd = NL_CURRENT_NS,
				   .family = "ipv6",
				   .device = nic,
				   .setting = "disable_ipv6" };

	/* A kernel without IPv6 has no such setting. */
	(void)!sysctl_device_write(&d, 1, NULL);
}

/* --- moving there ------------------------------------------------------------- */
/* What a take works with. */
struct adopt_work {
	struct adopt_journal j;
	struct adopt_image now; /* on the NIC */
	bool again; /* a journal was there: an earlier take was done,
				 * or was cut short (j.phase says which) */
};

static void adopt_work_fini(struct adopt_work *w)
{
	adopt_journal_fini(&w->j);
	adopt_image_fini(&w->now);
}

static int adopt_prepare(const struct adopt *a, const struct nl_link *nic,
			 const struct nl_link *target, struct adopt_work *w,
			 struct err *e)
{
	int err;

	memset(w, 0, sizeof(*w));
	err = adopt_journal_load(a, nic->name, &w->j, e);
	w->again = !err;
	if (err && err != -ENOENT)
		return err;
	err = adopt_image_take(a->nl, nic, &w->now, e);
	if (!err && !w->again) {
		err = adopt_image_take(a->nl, nic, &w->j.nic, e);
		if (!err)
			err = adopt_image_take(a->nl, target, &w->j.own, e);
	} else if (!err) {
		adopt_image_merge(&w->j.nic, &w->now);
	}
	if (err)
		adopt_work_fini(w);
	return err;
}

static int adopt_move(const struct adopt *a, const struct adopt_image *im,
		      const struct nl_link *nic, const struct nl_link *target,
		      struct err *e)
{
	struct adopt_place from = adopt_place_of(nic);
	struct adopt_place to = adopt_place_of(target);
	int err;

	adopt_image_put_settings(im, target->name);
	err = adopt_set_link(a->nl, target, im, e);
	if (!err)
		err = adopt_image_put(a->nl, im, &to, e);
	if (err)
		return err;
	adopt_image_strip(a->nl, im, &from);
	adopt_silence(nic->name);
	return 0;
}

/* --- moving back ---------------------------------------------------------------- */
static void adopt_restore_link(struct nl *nl, uint32_t ifindex,
			       const struct adopt_image *like)
{
	struct nl_link now;

	/* Its own again as far as it can be; nobody depends on it now. */
	if (!nl_link_get(nl, ifindex, &now, NULL))
		(void)!adopt_set_link(nl, &now, like, NULL);
}

/* Puts the journal's image on the NIC and takes it off the target (NULL: it is
 * gone). Goes on after a failure, as far as it can; `e` gets the first. */
static int adopt_move_back(const struct adopt *a, const struct adopt_journal *j,
			   const struct nl_link *nic,
			   const struct nl_link *target, struct err *e)
{
	struct adopt_place to = adopt_place_of(nic);
	int err;

	adopt_image_put_settings(&j->nic, nic->name);
	err = adopt_image_put(a->nl, &j->nic, &to, e);
	if (target) {
		struct adopt_place from = adopt_place_of(target);

		adopt_image_strip(a->nl, &j->nic, &from);
		adopt_image_put_settings(&j->own, target->name);
		adopt_restore_link(a->nl, target->ifindex, &j->own);
	} else {
		adopt_image_strip_rules(a->nl, &j->nic, j->own.device);
	}
	return err;
}

/* --- taking ----------------------------------------------------------------------- */
static void adopt_count(const struct adopt_image *im, struct adopt_report *r)
{
	r->addresses = im->n_addrs;
	r->routes = im->n_routes;
	r->rules = im->n_rules;
	r->neighbours = im->n_neighs;
}

/* Everything in the journal; it says all the while what to undo. */
static int adopt_take_all(const struct adopt *a, struct adopt_journal *j,
			  const struct nl_link *nic,
			  const struct nl_link *target, struct err *e)
{
	int err;

	j->phase = ADOPT_TAKING;
	err = adopt_journal_save(a, j, e);
	if (err)
		return err;
	err = adopt_move(a, &j->nic, nic, target, e);
	if (err) {
		if (!adopt_move_back(a, j, nic, target, NULL))
			(void)!adopt_journal_remove(a, nic->name, NULL);
		return err;
	}
	j->phase = ADOPT_TAKEN;
	return adopt_journal_save(a, j, e);
}

/* Taken long since: what was moved then is the target's business, what the NIC
 * was given in the meantime follows. */
static int adopt_take_more(const struct adopt *a, struct adopt_work *w,
			   const struct nl_link *nic,
			   const struct nl_link *target, struct err *e)
{
	int err = adopt_journal_save(a, &w->j, e);

	/* Only the first take saw the settings. */
	w->now.n_settings = 0;
	return err ? err : adopt_move(a, &w->now, nic, target, e);
}

int adopt_take(const struct adopt *a, const char *nic_name,
	       const char *target_name, struct adopt_report *report,
	       struct err *e)
{
	struct nl_link nic, target;
	struct adopt_work w;
	int err;

	memset(report, 0, sizeof(*report));
	err = nl_link_find(a->nl, nic_name, &nic, e);
	if (!err)
		err = nl_link_find(a->nl, target_name, &target, e);
	if (!err && nic.ifindex == target.ifindex)
		err = fail_say(e, EINVAL, "%s cannot adopt itself", nic_name);
	if (!err)
		err = adopt_prepare(a, &nic, &target, &w, e);
	if (err)
		return err;
	if (w.again && w.j.phase == ADOPT_TAKEN)
		err = adopt_take_more(a, &w, &nic, &target, e);
	else
		err = adopt_take_all(a, &w.j, &nic, &target, e);
	if (!err) {
		adopt_count(&w.j.nic, report);
		adopt_advise(nic_name, target_name, &report->advice);
	}
	adopt_work_fini(&w);
	return err;
}

/* --- releasing ---------------------------------------------------------------------- */
/* What is on the target now and is not its own: that goes back (A3). */
static int adopt_collect(const struct adopt *a, struct adopt_journal *j,
			 const struct nl_link *target, struct err *e)
{
	struct adopt_image now, back;
	int err = adopt_image_take(a->nl, target, &now, e);

	if (err)
		return err;
	adopt_image_subtract(&now, &j->own);
	adopt_image_subtract_link_local(&now, &j->nic);
	if (a->own)
		adopt_image_subtract_netconf(&now, a->own);
	/* An image of the NIC again: its name, number, MAC and settings. */
	back = (struct adopt_image){ .ifindex = j->nic.ifindex,
				     .mac = j->nic.mac,
				     .mtu = j->nic.mtu,
				     .settings = j->nic.settings,
				     .n_settings = j->nic.n_settings };
	memcpy(back.device, j->nic.device, sizeof(back.device));
	adopt_image_merge(&back, &now);
	if (j->phase != ADOPT_TAKEN)
		adopt_image_merge(&back, &j->nic);
	j->nic.settings = NULL;
	j->nic.n_settings = 0;
	adopt_image_fini(&j->nic);
	adopt_image_fini(&now);
	j->nic = back;
	return 0;
}

/* The NIC may have been plugged in again under another number. */
static void adopt_renumber(struct adopt_image *im, uint32_t ifindex)
{
	for (unsigned i = 0; i < im->n_routes; i++)
		nl_route_retarget(&im->routes[i], im->ifindex, ifindex);
	im->ifindex = ifindex;
}

static int adopt_give(const struct adopt *a, struct adopt_journal *j,
		      const struct nl_link *nic, const struct nl_link *target,
		      struct err *e)
{
	int err = 0;

	if (target)
		err = adopt_collect(a, j, target, e);
	if (err)
		return err;
	adopt_renumber(&j->nic, nic->ifindex);
	j->phase = ADOPT_GIVING;
	err = adopt_journal_save(a, j, e);
	if (!err)
		err = nl_link_set_up(a->nl, nic->ifindex, true, e);
	if (!err)
		err = adopt_move_back(a, j, nic, target, e);
	return err ? err : adopt_journal_remove(a, nic->name, e);
}

int adopt_release(const struct adopt *a, const char *nic_name, struct err *e)
{
	struct nl_link nic, target, *there = NULL;
	struct adopt_journal j;
	int err = adopt_journal_load(a, nic_name, &j, e);

	if (err == -ENOENT)
		/* Another boot's may lie there. */
		return adopt_journal_remove(a, nic_name, e);
	if (err)
		return err;
	err = nl_link_find(a->nl, nic_name, &nic, e);
	if (!err && !nl_link_find(a->nl, j.own.device, &target, NULL))
		there = &target;
	if (!err)
		err = adopt_give(a, &j, &nic, there, e);
	adopt_journal_fini(&j);
	return err;
}

bool adopt_is_taken(const struct adopt *a, const char *nic,
		    char target[NL_NAME_MAX])
{
	struct adopt_journal j;

	if (adopt_journal_load(a, nic, &j, NULL))
		return false;
	if (target)
		memcpy(target, j.own.device, NL_NAME_MAX);
	adopt_journal_fini(&j);
	return true;
}
