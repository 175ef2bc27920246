/* SPDX-License-Identifier: Apache-2.0 */
/* Actions and instructions as text, in the words of ovs-ofctl.
 *
 * What      a list printed as ovs-ofctl(8) and ofproto/trace print it.
 * Why so    people and tools that read the field's text read ours.
 * Threads   values.
 * Refs      ovs-actions(7). */
#ifndef OFWIRE_ACTS_TEXT_H
#define OFWIRE_ACTS_TEXT_H

#include "base/str.h"
#include "ofwire/acts.h"

struct of_names {
	/* May return NULL: by number. */
	const char *(*port)(void *ctx, uint32_t port);
	void *ctx;
};

/* "drop" for an empty list. `names` may be NULL. */
void of_acts_format(struct of_act_list list, const struct of_names *names,
		    struct str *out);
/* "LOCAL", "5", or its name. */
void of_port_format(uint32_t port, const struct of_names *names,
		    struct str *out);
/* "NXM_NX_REG0[0..15]" */
void of_sub_format(const struct of_sub *sub, struct str *out);

#endif
