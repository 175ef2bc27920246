/* SPDX-License-Identifier: Apache-2.0 */
/* Matches on the wire: the fixed ones of 1.0 and 1.1, NXM, OXM.
 *
 * What      struct match of flow/match.h <-> the four forms.
 * Why so    a rule is the same whatever version it came by; what a form cannot
 *           say is asked for (of_match_fits) before it is written.
 * Invariant F1 a match read holds T1 and T2 of flow/match.h: its prerequisites
 *           are in it. F2 fields of 1.0 and 1.1 whose prerequisite is missing
 *           are ignored, as 1.0.0 3.4 says; in NXM and OXM they are an error.
 * Threads   values.
 * Refs      OpenFlow 1.0.0 5.2.3, 1.1.0 A.2.3, 1.5.1 7.2.3; nicira-ext.h
 *           (nx_match). */
#ifndef OFWIRE_MATCH_H
#define OFWIRE_MATCH_H

#include "flow/match.h"
#include "ofwire/oxm.h"

#define OF_MATCH10_LEN 40u
#define OF_MATCH11_LEN 88u

/* Strict: what a switch is told. Loose: what a controller is told; unknown
 * fields are passed over and prerequisites need not be there. */
enum of_match_rigour { OF_MATCH_STRICT, OF_MATCH_LOOSE };

/* A flow's cookie as a pseudo field of NXM. */
struct of_cookie {
	uint64_t value, mask;
};

/* The match of a version, with its header and padding. */
enum of_error of_match_get(struct cursor *c, unsigned version,
			   enum of_match_rigour rigour,
			   struct match *m) MUST_CHECK;
void of_match_put(struct of_out *o, unsigned version, const struct match *m);
/* Can that version's plain match say all of it? From 1.2 on always. */
bool of_match_fits(const struct match *m, unsigned version);

/* NXM: fields alone, `len` bytes of them, and padding to 8 behind. `cookie` may
 * be NULL: then it is not a field. */
enum of_error of_nxm_get(struct cursor *c, size_t len,
			 enum of_match_rigour rigour, struct match *m,
			 struct of_cookie *cookie) MUST_CHECK;
/* Returns the length without the padding that was written. */
size_t of_nxm_put(struct of_out *o, const struct match *m,
		  const struct of_cookie *cookie);

/* Fields to the end of the cursor, and without header or padding. */
enum of_error of_oxm_decode(struct cursor c, enum of_match_rigour rigour,
			    struct match *m,
			    struct of_cookie *cookie) MUST_CHECK;
void of_oxm_encode(struct of_out *o, unsigned version, const struct match *m);

#endif
