/* SPDX-License-Identifier: Apache-2.0 */
/* Setting a field, as the kernel does it: words of the frame.
 *
 * What      set_field becomes writes of four bytes, or of bits of two, each with
 *           the checksums that cover it.
 * Why so    the kernel looks at frames without options, fragments and tags in
 *           front: places are known when the flow is put, and the program that
 *           writes them has nothing to find and little to be proved.
 * Threads   values.
 * Layout    bpf/kernel.h. */
#ifndef DP_ACCEL_SET_H
#define DP_ACCEL_SET_H

#include "dp/bpf/kernel.h"
#include "flow/action.h"

#define ACCEL_SET_OPS 8u

struct accel_set {
	unsigned n;
	struct kernel_op op[ACCEL_SET_OPS];
};

/* Of packets with this key; what is not known of it is zero. False: not in the
 * kernel, or not in such packets. */
bool accel_set_field(const struct act_set *a, const struct flow_key *key,
		     struct accel_set *out);
/* The bits of the tag that the field is, in host order; false: not in a tag, or
 * more than bits of one that is there. */
bool accel_set_tag(const struct act_set *a, uint16_t *value, uint16_t *mask);

#endif
