/* SPDX-License-Identifier: Apache-2.0 */
/* Routes and rules from the raw bytes that were kept of them.
 *
 * What      the way back from nl_route.raw and nl_rule.raw, after the bytes were
 *           written to a file and read again.
 * Why so    what is put back after a crash is exactly what was there, down to
 *           attributes this code does not know.
 * Threads   any. */
#ifndef SYS_NL_SAVED_H
#define SYS_NL_SAVED_H

#include "sys/nl_route.h"

/* False: these are not a route's (a rule's) bytes. The result is to be finished
 * with nl_route_fini, nl_raw_fini(&out->raw). */
bool nl_route_load(const void *raw, size_t len, struct nl_route *out);
bool nl_rule_load(const void *raw, size_t len, struct nl_rule *out);

#endif
