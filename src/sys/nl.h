/* SPDX-License-Identifier: Apache-2.0 */
/* A netlink conversation with one network namespace.
 *
 * What      one NETLINK_ROUTE socket: requests with acknowledgement, dumps, and
 *           batches of requests that share one system call.
 * Why so    the socket stays in the namespace it was opened in, so the rest of
 *           the code never switches namespaces. A thousand ports are one batch.
 *           The kernel's own sentence (extended ack) ends up in struct err.
 * Invariant N1 outside a batch a call returns after the kernel answered.
 *           N2 inside a batch, calls return 0 at once and are sent in order;
 *           nl_batch_end waits for all answers. The kernel carries on after a
 *           failed request, so each is reported by its own callback. What is
 *           set on a new device in requests of its own is sent by nl_batch_end,
 *           and only if that device was made.
 *           N3 a dump interrupted by a change (NLM_F_DUMP_INTR) is taken again,
 *           at most NL_DUMP_TRIES times.
 * Threads   one thread at a time; the control thread.
 * Errors    -errno, and in `e` (may be NULL) the sentence.
 * Refs      rfc3549; linux/netlink.h, linux/rtnetlink.h. */
#ifndef SYS_NL_H
#define SYS_NL_H

#include "base/err.h"

#define NL_NAME_MAX 16u /* IFNAMSIZ, with the NUL */
#define NL_DUMP_TRIES 5u
#define NL_CURRENT_NS (-1)

struct nl;

/* `netns_fd`: a namespace's descriptor, or NL_CURRENT_NS. */
int nl_open(struct nl **out, int netns_fd, struct err *e) MUST_CHECK;
void nl_close(struct nl *nl);

/* One failed request of a batch: `what` says which ("add link v1"), `err` is
 * -errno, `why` the kernel's sentence or the errno's. */
typedef void nl_batch_fail_fn(void *arg, const char *what, int err,
			      const char *why);

/* From here to nl_batch_end every changing call only queues. Lists, finds and
 * dumps are refused (must) while requests wait. Not nested. */
void nl_batch_begin(struct nl *nl);
/* Sends what waits and reads all answers. Returns how many requests failed (0
 * is success) or -errno when the socket failed; `fail` (may be NULL) hears each
 * failure, `e` gets the first. */
int nl_batch_end(struct nl *nl, nl_batch_fail_fn *fail, void *arg,
		 struct err *e) MUST_CHECK;

/* Attributes and header kept as the kernel gave them, for what must be put back
 * exactly as it was. Owned: nl_raw_fini frees. */
struct nl_raw {
	void *data;
	uint32_t len;
};

void nl_raw_fini(struct nl_raw *r);

#endif
