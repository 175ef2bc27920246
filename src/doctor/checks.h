/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the doctor: what checks are written with.
 *
 * What      the case at hand, and how a check reports.
 * Why so    a check is a dozen lines: a question, an evidence, a fix.
 * Threads   the doctor's. */
#ifndef DOCTOR_CHECKS_H
#define DOCTOR_CHECKS_H

#include "doctor/doctor.h"

struct doctor {
	const struct subject *s;
	const struct facts *f;
	struct doctor_report *report;
	unsigned check, n_found;
};

/* Reports. `object` is taken (xasprintf); the sentence follows. NULL when the
 * check has reported enough. */
struct doctor_finding *finding(struct doctor *d, enum doctor_severity s,
			       char *object, const char *fmt, ...)
	PRINTF_LIKE(4, 5);
/* The fix; nothing for NULL. */
void finding_fix(struct doctor_finding *f, const char *fmt, ...)
	PRINTF_LIKE(2, 3);

/* "ip", or the word that runs it in the port's namespace. */
#define DOCTOR_IP_LEN 300u
const char *doctor_ip(const struct subject_port *p, char buf[DOCTOR_IP_LEN]);
/* Does the host itself stand in a network of weft (it may have to forward)? */
bool doctor_host_takes_part(const struct doctor *d);
uint64_t doctor_drops(const struct doctor *d, enum drop reason);

/* ports.c */
void check_port_missing(struct doctor *d);
void check_port_down(struct doctor *d);
void check_port_mtu(struct doctor *d);
void check_device_master(struct doctor *d);
void check_manager(struct doctor *d);
void check_mac_filter(struct doctor *d);
void check_checksum(struct doctor *d);
void check_offload(struct doctor *d);
void check_queue(struct doctor *d);

/* stations.c */
void check_duplicate_mac(struct doctor *d);
void check_duplicate_address(struct doctor *d);
void check_loop(struct doctor *d);
void check_mac_table(struct doctor *d);

/* tunnels.c */
void check_underlay(struct doctor *d);
void check_peer(struct doctor *d);
void check_tunnel_mtu(struct doctor *d);
void check_network_number(struct doctor *d);
void check_unknown_peer(struct doctor *d);
void check_clock(struct doctor *d);
void check_port_in_use(struct doctor *d);

/* host.c */
void check_forward_policy(struct doctor *d);
void check_bridge_netfilter(struct doctor *d);
void check_rp_filter(struct doctor *d);
void check_ip_forward(struct doctor *d);
void check_overlap(struct doctor *d);
void check_conntrack(struct doctor *d);
void check_kernel(struct doctor *d);
void check_rights(struct doctor *d);
void check_kernel_cache(struct doctor *d);

#endif
