/* SPDX-License-Identifier: Apache-2.0 */
/* Keeps the host's own stack out of an attached device.
 *
 * What      everything a guarded device receives is dropped after packet
 *           sockets had their copy: the host neither answers ARP and ICMP, nor
 *           does IPv6, nor forwards, nor filters on it.
 * Why so    packet sockets hear before tc ingress. Best first: a tc program
 *           held by a tcx link (6.6), the same program on clsact (before), an
 *           nftables netdev chain where BPF is not permitted.
 * Invariant G1 tcx links and owned nftables tables go with the process, so a
 *           killed daemon leaves none. A clsact filter stays; guard_sweep takes
 *           it off at the next start.
 *           G2 nothing of others on the same hook is changed.
 * Threads   the control thread.
 * Owns      its descriptors; a guard of a device that is gone removes cleanly. */
#ifndef SYS_GUARD_H
#define SYS_GUARD_H

#include "base/err.h"
#include "sys/nl.h"

enum guard_kind {
	GUARD_NONE,
	GUARD_TCX,
	GUARD_CLSACT,
	GUARD_NFT,
};

struct guard {
	enum guard_kind kind;
	uint32_t ifindex;
	int netns_fd; /* clsact: own copy; -1 none */
	int fd;       /* tcx link, or the socket that owns the nftables table */
	bool made_qdisc;
	bool egress; /* it is no guard: see guard_watch_egress */
};

#define GUARD_INIT                                                             \
	{                                                                      \
		.netns_fd = -1, .fd = -1                                       \
	}

/* Uses the first kind that works; g->kind says which. */
int guard_install(struct guard *g, int netns_fd, uint32_t ifindex,
		  struct err *e) MUST_CHECK;
/* Exactly this kind. */
int guard_install_kind(struct guard *g, enum guard_kind kind, int netns_fd,
		       uint32_t ifindex, struct err *e) MUST_CHECK;
/* A GUARD_INIT or zeroed guard and a second call are harmless. */
void guard_remove(struct guard *g);
/* Puts back what somebody else took off; true when it did. `told`: the kernel
 * told of something that went from the device (NL_EVENT_FILTER_DEL). A tcx link
 * that is detached by force is told by nobody: ask now and then. */
bool guard_mend(struct guard *g, bool told);
/* As a crash would: a clsact filter stays, everything else goes. */
void guard_leave(struct guard *g);
/* Takes off what a killed process may have left on the device. */
void guard_sweep(int netns_fd, uint32_t ifindex);
/* What guards run from now on. The descriptors stay the caller's. */
struct guard_programs {
	int hear;    /* filter for packet sockets of guarded devices */
	int ingress; /* SCHED_CLS: drops what it does not take */
	int egress;  /* SCHED_CLS, for guard_watch_egress */
};
/* NULL: none, guards drop everything, as those of nftables always do. */
void guard_use_programs(const struct guard_programs *p);
/* The filter of guard_programs, -1 without. */
int guard_hear_program(void);
/* Does the program of an earlier daemon still stand on this device, in the
 * caller's namespace? (It is replaced in one step when a guard is installed.) */
bool guard_is_left(uint32_t ifindex);
/* The program for what the host itself sends by a device of ours takes its place
 * there; without one, what an earlier daemon left is taken off. */
void guard_watch_egress(struct guard *g, uint32_t ifindex);
const char *guard_kind_name(enum guard_kind k);

#endif
