/* SPDX-License-Identifier: Apache-2.0 */
/* Far ends of veth ports, looked at in their namespaces. */
#include "doctor/facts.h"
#include "sys/netns.h"

#define PASS_MS 300u
#define PASSES_MAX 64u /* frames are tried on so many ports */
#define LOST_MAX 3u    /* ... or until so many were lost */

static void look_inside(struct fact_far *far, int ns, const char *device)
{
	struct nl_addrs addrs = { 0 };
	struct nl *nl;

	if (nl_open(&nl, ns, NULL))
		return;
	if (!nl_link_find(nl, device, &far->link, NULL)) {
		far->there = true;
		if (!nl_addr_list(nl, far->link.ifindex, &addrs, NULL)) {
			far->addrs = addrs.v;
			far->n_addrs = addrs.n;
		}
	}
	nl_close(nl);
}

/* Inside the namespace. /proc/net is that of the process, not of the thread:
 * the thread's own is asked. */
static int count_bad(void *arg)
{
	static const char snmp[] = "/proc/thread-self/net/snmp";
	struct fact_far *far = arg;

	far->bad_checksums = proc_counter("", snmp, "Tcp", "InCsumErrors") +
			     proc_counter("", snmp, "Udp", "InCsumErrors");
	far->received = proc_counter("", snmp, "Tcp", "InSegs") +
			proc_counter("", snmp, "Udp", "InDatagrams");
	return 0;
}

static void try_frame(struct fact_far *far, const struct subject_port *p,
		      int ns, uint32_t tag)
{
	struct frame_pass_end out = { NL_CURRENT_NS, p->ifindex };
	struct frame_pass_end in = { ns, far->link.ifindex };

	far->passed_known =
		!frame_pass_try(&out, &in, tag, PASS_MS, &far->passed);
}

/* A far end in our own namespace has no namespace to open. */
static void look_at(struct fact_far *far, const struct subject_port *p)
{
	int ns = *p->netns ? netns_open(p->netns, NULL) : NL_CURRENT_NS;

	if (*p->netns && ns < 0)
		return;
	look_inside(far, ns, p->far);
	if (*p->netns && netns_run(ns, count_bad, far, NULL))
		far->bad_checksums = 0;
	if (ns >= 0)
		netns_close(ns);
}

static bool can_try(const struct fact_far *far, const struct subject_port *p)
{
	return far->there && p->attached && !p->blocked &&
	       nl_link_is_up(&far->link);
}

static void try_frames(struct facts *f, const struct subject *s, uint32_t seed)
{
	unsigned tried = 0, lost = 0;

	for (unsigned i = 0; i < s->n_ports && tried < PASSES_MAX; i++) {
		const struct subject_port *p = &s->ports[i];
		int ns = NL_CURRENT_NS;

		if (!can_try(&f->far[i], p) || lost == LOST_MAX)
			continue;
		if (*p->netns && (ns = netns_open(p->netns, NULL)) < 0)
			continue;
		try_frame(&f->far[i], p, ns, seed + i);
		lost += f->far[i].passed_known &&
			f->far[i].passed == FRAME_PASS_LOST;
		tried++;
		if (ns >= 0)
			netns_close(ns);
	}
}

void facts_look_far(struct facts *f, const struct subject *s,
		    const struct facts_world *w)
{
	for (unsigned i = 0; i < s->n_ports; i++)
		if (s->ports[i].kind == SUBJECT_VETH && *s->ports[i].far)
			look_at(&f->far[i], &s->ports[i]);
	try_frames(f, s, w->seed);
}
