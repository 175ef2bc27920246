/* SPDX-License-Identifier: Apache-2.0 */
/* What has to be undone, on disk.
 *
 * What      the images of the NIC and of the target as they were before, and how
 *           far the move has come; a text file with a checksum.
 * Why so    read by a daemon that may be another version, after a crash at any
 *           point; by a person in need, too.
 * Invariant A5 the file is replaced as a whole and durable before save returns.
 *           A6 a file of an earlier boot says nothing about this one: the
 *           devices begin anew, so it counts as absent.
 * Threads   the control thread. */
#ifndef PORT_ADOPT_JOURNAL_H
#define PORT_ADOPT_JOURNAL_H

#include "port/adopt.h"
#include "port/adopt_image.h"

#define ADOPT_JOURNAL_MAX (4u << 20)

enum adopt_phase {
	ADOPT_TAKING, /* some of it is on the target, some on the NIC */
	ADOPT_TAKEN,  /* all is on the target */
	ADOPT_GIVING, /* as TAKING, the other way */
};

struct adopt_journal {
	enum adopt_phase phase;
	struct adopt_image nic; /* what goes back */
	struct adopt_image own; /* the target's, what stays there */
};

void adopt_journal_fini(struct adopt_journal *j);

/* Text. The lifetimes of addresses are kept as moments of the boot's clock. */
void adopt_journal_format(const struct adopt_journal *j, struct str *out);
/* 0, -EINVAL for what format did not write, -ESTALE for another boot's. */
int adopt_journal_parse(const char *text, size_t len,
			struct adopt_journal *out) MUST_CHECK;

int adopt_journal_save(const struct adopt *a, const struct adopt_journal *j,
		       struct err *e) MUST_CHECK;
/* -ENOENT: there is none of this boot. */
int adopt_journal_load(const struct adopt *a, const char *nic,
		       struct adopt_journal *out, struct err *e) MUST_CHECK;
int adopt_journal_remove(const struct adopt *a, const char *nic,
			 struct err *e) MUST_CHECK;

#endif
