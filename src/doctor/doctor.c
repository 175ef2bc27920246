/* SPDX-License-Identifier: Apache-2.0 */
/* The table of checks, and running them. */
#include "doctor/doctor.h"

#include <stdio.h>

#include "doctor/checks.h"

const struct doctor_check doctor_checks[] = {
	{ "port-missing", "that each port has its device", check_port_missing },
	{ "port-down", "that the devices of ports are up", check_port_down },
	{ "port-mtu", "that devices take what their network sends",
	  check_port_mtu },
	{ "device-master", "that no bridge or bond holds a port's device",
	  check_device_master },
	{ "manager", "that NetworkManager or networkd leave devices alone",
	  check_manager },
	{ "mac-filter", "that cards pass frames of other stations",
	  check_mac_filter },
	{ "checksum", "that checksums are finished and arrive right",
	  check_checksum },
	{ "offload", "that offloads fit together and tell the truth",
	  check_offload },
	{ "queue", "that queues do not overflow", check_queue },
	{ "duplicate-mac", "that each MAC is one station's",
	  check_duplicate_mac },
	{ "duplicate-address", "that each address is one station's",
	  check_duplicate_address },
	{ "loop", "that no cable leads back into the network", check_loop },
	{ "mac-table", "that the MAC tables have room", check_mac_table },
	{ "underlay", "that this host has the address its tunnels leave from",
	  check_underlay },
	{ "peer", "that other hosts answer", check_peer },
	{ "tunnel-mtu", "that the path to each host takes whole packets",
	  check_tunnel_mtu },
	{ "network-number", "that other hosts use the same network numbers",
	  check_network_number },
	{ "unknown-peer", "that only known hosts send tunnel packets",
	  check_unknown_peer },
	{ "clock", "that the hosts' clocks agree", check_clock },
	{ "port-in-use", "who holds UDP 4789 and 6081, TCP 6640 and 6653",
	  check_port_in_use },
	{ "forward-policy", "that no firewall drops what is forwarded",
	  check_forward_policy },
	{ "bridge-netfilter", "that no firewall looks into Linux bridges",
	  check_bridge_netfilter },
	{ "rp-filter", "that the kernel does not drop by source address",
	  check_rp_filter },
	{ "ip-forward", "that the host forwards where it has to",
	  check_ip_forward },
	{ "overlap", "that no subnet is on this host twice", check_overlap },
	{ "conntrack", "that the connection table has room", check_conntrack },
	{ "kernel", "that the kernel has what weft stands on", check_kernel },
	{ "rights", "that weftd may do what it has to", check_rights },
	{ "kernel-cache", "that known flows can stay in the kernel",
	  check_kernel_cache },
};

const unsigned doctor_n_checks = ARRAY_SIZE(doctor_checks);

const char *doctor_severity_name(enum doctor_severity s)
{
	static const char *const names[] = { [DOCTOR_NOTE] = "note",
					     [DOCTOR_WARNING] = "warning",
					     [DOCTOR_ERROR] = "error" };

	return names[s];
}

/* --- findings ------------------------------------------------------------- */

struct doctor_finding *finding(struct doctor *d, enum doctor_severity s,
			       char *object, const char *fmt, ...)
{
	struct doctor_report *r = d->report;
	struct str text = STR_INIT;
	struct doctor_finding *f;
	va_list ap;

	if (d->n_found++ >= DOCTOR_PER_CHECK) {
		r->left_out[d->check]++;
		free(object);
		return NULL;
	}
	va_start(ap, fmt);
	str_addv(&text, fmt, ap);
	va_end(ap);
	r->findings = xrealloc(r->findings, (r->n + 1) * sizeof(*r->findings));
	f = &r->findings[r->n++];
	*f = (struct doctor_finding){ .check = d->check,
				      .severity = s,
				      .object = object,
				      .evidence = str_take(&text) };
	return f;
}

void finding_fix(struct doctor_finding *f, const char *fmt, ...)
{
	struct str text = STR_INIT;
	va_list ap;

	if (!f)
		return;
	va_start(ap, fmt);
	str_addv(&text, fmt, ap);
	va_end(ap);
	free(f->fix);
	f->fix = str_take(&text);
}

/* --- what several checks ask ---------------------------------------------- */

const char *doctor_ip(const struct subject_port *p, char buf[DOCTOR_IP_LEN])
{
	if (!*p->netns)
		return "ip";
	if (!strncmp(p->netns, "pid:", 4))
		snprintf(buf, DOCTOR_IP_LEN, "nsenter -t %s -n ip",
			 p->netns + 4);
	else if (strchr(p->netns, '/'))
		snprintf(buf, DOCTOR_IP_LEN, "nsenter --net=%s ip", p->netns);
	else
		snprintf(buf, DOCTOR_IP_LEN, "ip -n %s", p->netns);
	return buf;
}

bool doctor_host_takes_part(const struct doctor *d)
{
	for (unsigned i = 0; i < d->s->n_ports; i++)
		if (d->s->ports[i].kind == SUBJECT_HOST ||
		    d->s->ports[i].kind == SUBJECT_TUN)
			return true;
	return false;
}

uint64_t doctor_drops(const struct doctor *d, enum drop reason)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < d->s->n_ports; i++)
		n += d->s->ports[i].drops[reason];
	return n;
}

/* --- running -------------------------------------------------------------- */

/* The worst first, then as the table has them. */
static int by_severity(const void *a, const void *b)
{
	const struct doctor_finding *x = a, *y = b;

	if (x->severity != y->severity)
		return x->severity > y->severity ? -1 : 1;
	if (x->check != y->check)
		return x->check < y->check ? -1 : 1;
	return strcmp(x->object, y->object);
}

void doctor_judge(const struct subject *s, const struct facts *f,
		  struct doctor_report *out)
{
	struct doctor d = { .s = s, .f = f, .report = out };

	*out = (struct doctor_report){
		.left_out = xcalloc(doctor_n_checks, sizeof(*out->left_out)),
	};
	for (d.check = 0; d.check < doctor_n_checks; d.check++) {
		d.n_found = 0;
		doctor_checks[d.check].run(&d);
	}
	if (out->n)
		qsort(out->findings, out->n, sizeof(*out->findings),
		      by_severity);
}

void doctor_run(const struct subject *s, const struct facts_world *w,
		struct doctor_report *out)
{
	struct facts f;

	facts_gather(&f, s, w);
	doctor_judge(s, &f, out);
	facts_fini(&f);
}

void doctor_report_fini(struct doctor_report *r)
{
	for (unsigned i = 0; i < r->n; i++) {
		free(r->findings[i].object);
		free(r->findings[i].evidence);
		free(r->findings[i].fix);
	}
	free(r->findings);
	free(r->left_out);
	*r = (struct doctor_report){ 0 };
}

unsigned doctor_report_count(const struct doctor_report *r,
			     enum doctor_severity at_least)
{
	unsigned n = 0;

	for (unsigned i = 0; i < r->n; i++)
		n += r->findings[i].severity >= at_least;
	return n;
}
