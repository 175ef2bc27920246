/* SPDX-License-Identifier: Apache-2.0 */
/* Adopting a NIC: what the host had on it moves to the bridge's host device.
 *
 * What      addresses with their lifetimes, routes of all tables that name the
 *           device, rules, neighbour entries and IPv6 settings go from one
 *           device to another, and back.
 * Why so    the connection one is typing over survives: the target takes the
 *           NIC's MAC, is addressed and routed while the NIC still is, and only
 *           then is the NIC stripped; the whole takes milliseconds, frames in
 *           between are retransmitted.
 * Invariant A1 everything is written and synced to the journal before the first
 *           change, so kill -9 at any moment can be undone (adopt_release) or
 *           carried on (adopt_take again): both are idempotent.
 *           A2 the journal is removed last, after all is back.
 *           A3 what appeared on the target later (a renewed lease, a person's
 *           route) is taken along when going back.
 * Threads   the control thread.
 * Owns      the journal file FOLDER/adopt-DEVICE. */
#ifndef PORT_ADOPT_H
#define PORT_ADOPT_H

#include "base/err.h"
#include "base/str.h"
#include "sys/disk.h"
#include "sys/nl.h"

struct adopt {
	struct disk *disk;
	struct nl *nl;
	const char *folder; /* the daemon's state */
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
/* Calls fn for each NIC a journal of an earlier run names. */
int adopt_each(const struct adopt *a,
	       void (*fn)(void *arg, const char *nic, const char *target),
	       void *arg, struct err *e) MUST_CHECK;
/* Adds a sentence for each program seen to manage the device (NetworkManager,
 * systemd-networkd, dhclient, dhcpcd...): they would fight over its addresses. */
void adopt_advise(const char *nic, struct str *out);

#endif
