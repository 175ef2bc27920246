/* SPDX-License-Identifier: Apache-2.0 */
/* Actions and instructions as text, in the words of ovs-ofctl.
 *
 * What      a list printed as ovs-ofctl(8) and ofproto/trace print it, and that
 *           text read.
 * Why so    people and tools that read and write the field's text do ours.
 * Invariant W1 what is printed parses to a list that prints the same.
 * Threads   values.
 * Refs      ovs-actions(7). */
#ifndef OFWIRE_ACTS_TEXT_H
#define OFWIRE_ACTS_TEXT_H

#include "base/str.h"
#include "ofwire/acts.h"

struct of_names {
	/* May return NULL: by number. */
	const char *(*port)(void *ctx, uint32_t port);
	/* False: no such port. May be NULL. */
	bool (*number)(void *ctx, const char *name, uint32_t *port);
	void *ctx;
};

/* "drop" for an empty list. `names` may be NULL. */
void of_acts_format(struct of_act_list list, const struct of_names *names,
		    struct str *out);
/* Appends to `out`, which is as before on error. Properties of encap() are not
 * read. */
int of_acts_parse(const char *text, const struct of_names *names,
		  struct of_acts *out, struct err *e) MUST_CHECK;

/* "LOCAL", "5", or its name. */
void of_port_format(uint32_t port, const struct of_names *names,
		    struct str *out);
bool of_port_parse(const char *text, const struct of_names *names,
		   uint32_t *port);
/* "NXM_NX_REG0[0..15]" */
void of_sub_format(const struct of_sub *sub, struct str *out);

/* Words of both directions. */
extern const char *const of_hash_names[N_OF_HASH];
extern const char *const of_multipath_names[4];
extern const char *const of_reason_names[6];
extern const char *const of_port_names[9]; /* from OF_PORT_UNSET on */

#endif
