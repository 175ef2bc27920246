/* SPDX-License-Identifier: Apache-2.0 */
/* The disk as an interface.
 *
 * What      the few file operations durable state needs; a provider for the
 *           machine's own files, and one for tests (disk_test.h).
 * Why so    what is promised to survive is tested by failing every call in turn
 *           and by cutting the power between any two (D11, D13).
 * Contract  0 or -errno. A file outlives its name (unlink, rename). A write is
 *           durable only after fsync of its file; a name only after fsync_dir
 *           of its folder. After fsync failed, nothing written since the last
 *           good one may be trusted: do not call it again and believe it.
 * Threads   one disk_file: one thread at a time; disk_system: any.
 * Refs      fsync(2); Rebello et al., USENIX ATC 2020. */
#ifndef SYS_DISK_H
#define SYS_DISK_H

#include <sys/types.h>

#include "base/defs.h"

enum disk_open_flag {
	DISK_READ = 0,
	DISK_WRITE = 1 << 0, /* and read */
	DISK_CREATE = 1 << 1,
	DISK_EXCLUSIVE = 1 << 2, /* with CREATE: -EEXIST when there */
	DISK_TRUNCATE = 1 << 3,
};

struct disk;
struct disk_file {
	struct disk *disk;
};

struct disk_ops {
	int (*open)(struct disk *d, const char *path, unsigned flags,
		    unsigned mode, struct disk_file **out);
	/* Bytes read or written, fewer when the end or the disk's fullness cut
	 * it short; -errno when none. */
	ssize_t (*pread)(struct disk_file *f, void *buf, size_t len,
			 uint64_t off);
	ssize_t (*pwrite)(struct disk_file *f, const void *buf, size_t len,
			  uint64_t off);
	int (*truncate)(struct disk_file *f, uint64_t len);
	int (*fsync)(struct disk_file *f);
	int (*size)(struct disk_file *f, uint64_t *out);
	/* One holder at a time, until closed or dead: -EWOULDBLOCK. */
	int (*lock)(struct disk_file *f);
	/* Cannot fail usefully: everything that matters was fsynced before. */
	void (*close)(struct disk_file *f);
	int (*rename)(struct disk *d, const char *from, const char *to);
	int (*unlink)(struct disk *d, const char *path);
	int (*mkdir)(struct disk *d, const char *path, unsigned mode);
	/* The folder that holds `path`. */
	int (*fsync_dir)(struct disk *d, const char *path);
};

struct disk {
	const struct disk_ops *ops;
};

/* The machine's own. */
struct disk *disk_system(void);

static inline int disk_open(struct disk *d, const char *path, unsigned flags,
			    unsigned mode, struct disk_file **out)
{
	return d->ops->open(d, path, flags, mode, out);
}

static inline ssize_t disk_pread(struct disk_file *f, void *buf, size_t len,
				 uint64_t off)
{
	return f->disk->ops->pread(f, buf, len, off);
}

static inline ssize_t disk_pwrite(struct disk_file *f, const void *buf,
				  size_t len, uint64_t off)
{
	return f->disk->ops->pwrite(f, buf, len, off);
}

static inline int disk_truncate(struct disk_file *f, uint64_t len)
{
	return f->disk->ops->truncate(f, len);
}

static inline int disk_fsync(struct disk_file *f)
{
	return f->disk->ops->fsync(f);
}

static inline int disk_size(struct disk_file *f, uint64_t *out)
{
	return f->disk->ops->size(f, out);
}

static inline int disk_lock(struct disk_file *f)
{
	return f->disk->ops->lock(f);
}

static inline void disk_close(struct disk_file *f)
{
	if (f)
		f->disk->ops->close(f);
}

static inline int disk_rename(struct disk *d, const char *from, const char *to)
{
	return d->ops->rename(d, from, to);
}

static inline int disk_unlink(struct disk *d, const char *path)
{
	return d->ops->unlink(d, path);
}

static inline int disk_mkdir(struct disk *d, const char *path, unsigned mode)
{
	return d->ops->mkdir(d, path, mode);
}

static inline int disk_fsync_dir(struct disk *d, const char *path)
{
	return d->ops->fsync_dir(d, path);
}

#endif
