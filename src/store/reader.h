/* SPDX-License-Identifier: Apache-2.0 */
/* The records of a file, one after the other.
 *
 * What      reads a file through a window and gives its records in order.
 * Why so    a log may be larger than memory shall be spent on; what is behind a
 *           damaged place is looked at whole, for that is rare.
 * Threads   one.
 * Owns      its window; the file is the caller's. */
#ifndef STORE_READER_H
#define STORE_READER_H

#include "store/record.h"
#include "sys/disk.h"

#define READER_WINDOW (1u << 20)

struct reader {
	struct disk_file *f;
	uint64_t off, end; /* in the file: of the next record; where to stop */
	char *buf;
	uint64_t buf_off; /* where the window begins */
	size_t len, cap;
};

void reader_init(struct reader *r, struct disk_file *f, uint64_t off,
		 uint64_t end);
void reader_fini(struct reader *r);
/* 0 with the next record, valid until the next call (its `off` is unused), or
 * -errno of the disk. `status` says whether there is one. */
int reader_next(struct reader *r, struct record *out,
		enum record_status *status) MUST_CHECK;
/* All from `r->off` to the end, in the window. */
int reader_rest(struct reader *r, const char **data, size_t *len) MUST_CHECK;

#endif
