/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

struct system_file {
	struct disk_file file;
	int fd;
};

static int system_fd(struct disk_file *f)
{
	return container_of(f, struct system_file, file)->fd;
}

static int system_open_flags(unsigned flags)
{
	int o = O_CLOEXEC | O_NOCTTY;

	o |= flags & DISK_WRITE ? O_RDWR : O_RDONLY;
	if (flags & DISK_CREATE)
		o |= O_CREAT;
	if (flags & DISK_EXCLUSIVE)
		o |= O_EXCL;
	if (flags & DISK_TRUNCATE)
		o |= O_TRUNC;
	return o;
}

static int system_open(struct disk *d, const char *path, unsigned flags,
		       unsigned mode, struct disk_file **out)
{
	int fd = open(path, system_open_flags(flags), mode);
	struct system_file *f;

	if (fd < 0)
		return -errno;
	f = xzalloc(sizeof(*f));
	f->file.disk = d;
	f->fd = fd;
	*out = &f->file;
	return 0;
}

static ssize_t system_pread(struct disk_file *f, void *buf, size_t len,
			    uint64_t off)
{
	ssize_t n;

	do {
		n = pread(system_fd(f), buf, len, (off_t)off);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

static ssize_t system_pwrite(struct disk_file *f, const void *buf, size_t len,
			     uint64_t off)
{
	ssize_t n;

	do {
		n = pwrite(system_fd(f), buf, len, (off_t)off);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

static int system_truncate(struct disk_file *f, uint64_t len)
{
	return ftruncate(system_fd(f), (off_t)len) ? -errno : 0;
}

static int system_fsync(struct disk_file *f)
{
	return fsync(system_fd(f)) ? -errno : 0;
}

static int system_size(struct disk_file *f, uint64_t *out)
{
	struct stat st;

	if (fstat(system_fd(f), &st))
		return -errno;
	*out = (uint64_t)st.st_size;
	return 0;
}

static int system_lock(struct disk_file *f)
{
	return flock(system_fd(f), LOCK_EX | LOCK_NB) ? -errno : 0;
}

static void system_close(struct disk_file *f)
{
	close(system_fd(f));
	free(container_of(f, struct system_file, file));
}

static int system_rename(struct disk *d UNUSED, const char *from,
			 const char *to)
{
	return rename(from, to) ? -errno : 0;
}

static int system_unlink(struct disk *d UNUSED, const char *path)
{
	return unlink(path) ? -errno : 0;
}

static int system_mkdir(struct disk *d UNUSED, const char *path, unsigned mode)
{
	return mkdir(path, mode) ? -errno : 0;
}

static int system_fsync_dir(struct disk *d UNUSED, const char *path)
{
	const char *slash = strrchr(path, '/');
	char *dir = !slash        ? xstrdup(".") :
		    slash == path ? xstrdup("/") :
				    xstrndup(path, (size_t)(slash - path));
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int err = 0;

	free(dir);
	if (fd < 0)
		return -errno;
	if (fsync(fd))
		err = -errno;
	close(fd);
	return err;
}

static const struct disk_ops system_ops = {
	.open = system_open,
	.pread = system_pread,
	.pwrite = system_pwrite,
	.truncate = system_truncate,
	.fsync = system_fsync,
	.size = system_size,
	.lock = system_lock,
	.close = system_close,
	.rename = system_rename,
	.unlink = system_unlink,
	.mkdir = system_mkdir,
	.fsync_dir = system_fsync_dir,
};

struct disk *disk_system(void)
{
	static struct disk d = { &system_ops };

	return &d;
}
