/* SPDX-License-Identifier: Apache-2.0 */
/* Privileges: what may we do, and what will not work.
 *
 * What      which capabilities the process has, and the sentence for each that
 *           is missing.
 * Why so    without privilege weft runs with fewer port types and says which
 *           (D10), before somebody runs into EPERM.
 * Threads   any.
 * Refs      capabilities(7). */
#ifndef SYS_PRIV_H
#define SYS_PRIV_H

#include "base/str.h"

enum priv_cap {
	PRIV_NET_ADMIN,
	PRIV_NET_RAW,
	PRIV_SYS_ADMIN,
	PRIV_BPF,
	PRIV_NET_BIND,
	N_PRIVS,
};

struct priv {
	bool has[N_PRIVS];
};

/* The effective set. Inside a user namespace the capabilities count for what
 * belongs to it. */
void priv_probe(struct priv *p);
const char *priv_name(enum priv_cap c);
/* What does not work without it, as a sentence. */
const char *priv_loss(enum priv_cap c);
/* One line for each that is missing; nothing when all are there. */
void priv_explain(const struct priv *p, struct str *out);

#endif
