/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as any message but flows and sessions: what decodes is written
 * again, and from then on reading and writing change nothing. */
#include "ofwire/recode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first message of what may be several. */
static bool opened(const struct of_out *o, struct of_msg *m)
{
	if (!o->len)
		return false;
	must(of_msg_open(o->b, get_be16(o->b + 2), m) == OF_OK);
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct of_out first = OF_OUT_INIT, second = OF_OUT_INIT,
		      third = OF_OUT_INIT;
	struct of_msg m;

	if (of_msg_open(data, size, &m) == OF_OK &&
	    recode(&m, &first) == OF_OK && opened(&first, &m)) {
		must(recode(&m, &second) == OF_OK);
		if (opened(&second, &m)) {
			must(recode(&m, &third) == OF_OK);
			must(!third.len ||
			     (second.len == third.len &&
			      !memcmp(second.b, third.b, third.len)));
		}
	}
	of_out_fini(&first);
	of_out_fini(&second);
	of_out_fini(&third);
	return 0;
}
