/* SPDX-License-Identifier: Apache-2.0 */
/* Inside matches: the fixed layouts of 1.0 and 1.1.
 *
 * What      of_match_get and of_match_put of versions 1.0 and 1.1.
 * Why so    two layouts with wildcard bits and special VLAN numbers are a file
 *           of their own.
 * Threads   values.
 * Refs      OpenFlow 1.0.0 5.2.3, 1.1.0 A.2.3. */
#ifndef OFWIRE_MATCH_FIXED_H
#define OFWIRE_MATCH_FIXED_H

#include "ofwire/match.h"

enum of_error of_match10_get(struct cursor *c, struct match *m) MUST_CHECK;
void of_match10_put(struct of_out *o, const struct match *m);
/* With the four bytes of type and length. */
enum of_error of_match11_get(struct cursor *c, struct match *m) MUST_CHECK;
void of_match11_put(struct of_out *o, const struct match *m);

#endif
