/* SPDX-License-Identifier: Apache-2.0 */
/* Adopting a NIC: what the host had on it moves to the bridge's host device.
 *
 * What      addresses with their lifetimes, routes of all tables that name the
 *           device, rules, neighbour entries and IPv4 and IPv6 settings go from
 *           one device to another, and back.
 * Why so    the connection one is typing over survives: the target takes the
 *           NIC's MAC, is addressed and routed while the NIC still is, and only
 *           then is the NIC stripped; the whole takes milliseconds, frames in
 *           between are retransmitted.
 * Invariant A1 everything is written and synced to the journal before the first
 *           change, so kill -9 at any moment can be undone (adopt_release) or
 *           carried on (adopt_take again): both are idempotent.
 *           A2 the journal is removed last, after all is back.
 *           A3 what appeared on the target since (a renewed lease, a person's
 *           route) is taken along when going back; what its own port gives it
 *           stays.
 * Order     adopt_take, then attach the NIC's port; detach it, then
 *           adopt_release.
 * Threads   the control thread.
 * Owns      the journal file FOLDER/adopt-DEVICE. */
#ifndef PORT_ADOPT_H
#define PORT_ADOPT_H

#include "base/err.h"
#include "base/str.h"
#include "port/netconf.h"
#include "sys/disk.h"
#include "sys/nl.h"

#define ADOPT_PREFIX "adopt-" /* the journal's name, before the device's */

struct adopt {
	struct disk *disk;
	struct nl *nl;
	const char *folder; /* the daemon's state */
	/* What the target's port gives it (host_config.netconf); may be NULL. */
	const struct netconf *own;
};

struct adopt_report {
	unsigned addresses, routes, rules, neighbours;
	/* Sentences for people: DHCP clients and managers that must be told. */
	struct str advice;
};

void adopt_report_fini(struct adopt_report *r);

/* Moves from `nic` to `target` (up, without addresses of its own that clash).
 * On failure everything is back as it was. */
int adopt_take(const struct adopt *a, const char *nic, const char *target,
	       struct adopt_report *report, struct err *e) MUST_CHECK;
/* Gives all back to the NIC. 0 also when there is nothing to give back. When the
 * NIC is gone: -ENODEV, the journal stays until it comes. */
int adopt_release(const struct adopt *a, const char *nic,
		  struct err *e) MUST_CHECK;
/* Is there a journal for this NIC, and where did its addresses go? For finding at
 * start what an earlier run left; `target` may be NULL. */
bool adopt_is_taken(const struct adopt *a, const char *nic,
		    char target[NL_NAME_MAX]);
/* Adds a sentence (and a newline) for each program seen to manage the device
 * (NetworkManager, systemd-networkd, dhclient...): they would fight over its
 * addresses. */
void adopt_advise(const char *nic, const char *target, struct str *out);

#endif
