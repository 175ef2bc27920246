/* SPDX-License-Identifier: Apache-2.0 */
/* Whole files and append-only files, durably.
 *
 * What      read a file whole; replace it so that a reader and a power cut see
 *           the old or the new, never a mixture; append and know it is there.
 * Why so    acknowledged means durable (D13).
 * Invariant F1 when file_write returned 0 the new content survives a power cut;
 *           when it did not, the old or the new is there, whole.
 *           F2 when file_log_append returned 0 the bytes survive. When not, the
 *           log ends where it did before, or is broken (F3); a power cut may
 *           then leave a torn tail behind that end.
 *           F3 after a failed fsync or a failed clean-up the log refuses every
 *           further call with -EIO until opened anew and checked.
 * Threads   one per file. */
#ifndef SYS_FILE_IO_H
#define SYS_FILE_IO_H

#include "base/err.h"
#include "base/str.h"
#include "sys/disk.h"

/* Adds the whole file to `out`, whatever its bytes. -EFBIG when longer than
 * `max` bytes, -ENOENT when there is none; then `out` is as it was. */
int file_read(struct disk *d, const char *path, size_t max, struct str *out,
	      struct err *e) MUST_CHECK;

struct file_content {
	const void *data;
	size_t len;
	unsigned mode; /* permissions of a new file: 0600 */
};

/* PATH.new is written, fsynced and renamed over PATH; the folder is fsynced. */
int file_write(struct disk *d, const char *path, const struct file_content *c,
	       struct err *e) MUST_CHECK;
/* mkdir -p of all folders above and `path` itself. */
int file_make_dir(struct disk *d, const char *path, unsigned mode,
		  struct err *e) MUST_CHECK;

struct file_log {
	struct disk *disk;
	struct disk_file *f;
	char *path;
	uint64_t end; /* bytes known durable */
	bool broken;
};

/* Opens or creates, locks against a second process (-EBUSY), makes its name
 * durable. `end` is the file's size: the reader checks it and may cut it. */
int file_log_open(struct file_log *l, struct disk *d, const char *path,
		  unsigned mode, struct err *e) MUST_CHECK;
void file_log_close(struct file_log *l);
/* Reads [off, off+len): -EIO when shorter. */
int file_log_read(struct file_log *l, uint64_t off, void *buf,
		  size_t len) MUST_CHECK;
/* Cuts a torn tail off, durably. */
int file_log_cut(struct file_log *l, uint64_t end, struct err *e) MUST_CHECK;
/* Appends all `len` bytes and fsyncs: group commit is one call for many
 * records. */
int file_log_append(struct file_log *l, const void *data, size_t len,
		    struct err *e) MUST_CHECK;

#endif
