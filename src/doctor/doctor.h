/* SPDX-License-Identifier: Apache-2.0 */
/* The doctor: everything that is known to break such networks, looked for.
 *
 * What      a table of checks; each judges the subject (what weft knows) and the
 *           facts (what the host says) and reports findings: what is wrong, the
 *           evidence, and the one line that mends it.
 * Why so    the error that nobody sees (a policy, a filter, an MTU on the way)
 *           is told where people look, with what to type.
 * Invariant D1 a check that lacks its facts finds nothing. D2 nothing on the host
 *           is changed: the doctor asks, sends pings and one frame a veth.
 *           D3 at most DOCTOR_PER_CHECK findings a check: the rest is counted.
 * Threads   doctor_run blocks for up to some seconds: a thread of its own.
 * Owns      a report owns its texts. */
#ifndef DOCTOR_DOCTOR_H
#define DOCTOR_DOCTOR_H

#include "doctor/facts.h"
#include "doctor/subject.h"

#define DOCTOR_PER_CHECK 10u

enum doctor_severity {
	DOCTOR_NOTE,    /* worth knowing; nothing is broken by it alone */
	DOCTOR_WARNING, /* will break something, or already breaks some */
	DOCTOR_ERROR,   /* is broken */
};

struct doctor_finding {
	unsigned check; /* row of doctor_checks */
	enum doctor_severity severity;
	char *object;   /* "port vm1" */
	char *evidence; /* a sentence */
	char *fix;      /* a line to type, or a sentence */
};

struct doctor_report {
	struct doctor_finding *findings;
	unsigned n;
	unsigned *left_out; /* of each check, beyond DOCTOR_PER_CHECK */
};

struct doctor; /* checks.h */

struct doctor_check {
	const char *id;    /* stable: "tunnel-mtu" */
	const char *looks; /* what it looks at */
	void (*run)(struct doctor *d);
};

extern const struct doctor_check doctor_checks[];
extern const unsigned doctor_n_checks;

/* Pure: what these facts mean. */
void doctor_judge(const struct subject *s, const struct facts *f,
		  struct doctor_report *out);
/* Gathers and judges. */
void doctor_run(const struct subject *s, const struct facts_world *w,
		struct doctor_report *out);
void doctor_report_fini(struct doctor_report *r);
/* How many of this severity or more. */
unsigned doctor_report_count(const struct doctor_report *r,
			     enum doctor_severity at_least);
const char *doctor_severity_name(enum doctor_severity s);

#endif
