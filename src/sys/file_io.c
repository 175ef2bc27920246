/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/file_io.h"

#include "sys/fail.h"

#define FILE_NEW_MODE 0600u
#define FILE_CHUNK 4096u

static int file_pread_all(struct disk_file *f, uint64_t off, void *buf,
			  size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = disk_pread(f, (char *)buf + done, len - done,
				       off + done);

		if (n < 0)
			return (int)n;
		if (!n)
			return -EIO;
		done += (size_t)n;
	}
	return 0;
}

static int file_pwrite_all(struct disk_file *f, uint64_t off, const void *buf,
			   size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = disk_pwrite(f, (const char *)buf + done, len - done,
					off + done);

		if (n < 0)
			return (int)n;
		if (!n)
			return -EIO;
		done += (size_t)n;
	}
	return 0;
}

/* Reads until the end, so that files without a size (procfs) work too. */
static int file_slurp(struct disk_file *f, size_t max, struct str *out)
{
	char buf[FILE_CHUNK];

	for (uint64_t off = 0;;) {
		ssize_t n = disk_pread(f, buf, sizeof(buf), off);

		if (n <= 0)
			return (int)n;
		off += (uint64_t)n;
		if (off > max)
			return -EFBIG;
		str_add_n(out, buf, (size_t)n);
	}
}

int file_read(struct disk *d, const char *path, size_t max, struct str *out,
	      struct err *e)
{
	size_t before = out->len;
	struct disk_file *f;
	int err = disk_open(d, path, DISK_READ, 0, &f);

	if (err)
		return fail_errno(e, err, "cannot open %s", path);
	err = file_slurp(f, max, out);
	disk_close(f);
	if (!err)
		return 0;
	str_truncate(out, before);
	if (err == -EFBIG)
		return fail_say(e, EFBIG,
				"%s is longer than the %zu bytes such a file "
				"may have",
				path, max);
	return fail_errno(e, err, "cannot read %s", path);
}

static int file_write_new(struct disk *d, const char *path,
			  const struct file_content *c)
{
	unsigned flags = DISK_WRITE | DISK_CREATE | DISK_TRUNCATE;
	struct disk_file *f;
	int err;

	err = disk_open(d, path, flags, c->mode ? c->mode : FILE_NEW_MODE, &f);
	if (err)
		return err;
	err = file_pwrite_all(f, 0, c->data, c->len);
	if (!err)
		err = disk_fsync(f);
	disk_close(f);
	return err;
}

int file_write(struct disk *d, const char *path, const struct file_content *c,
	       struct err *e)
{
	char *tmp = xasprintf("%s.new", path);
	int err;

	err = file_write_new(d, tmp, c);
	if (!err)
		err = disk_rename(d, tmp, path);
	if (err) {
		/* What is left of the attempt is overwritten by the next. */
		(void)!disk_unlink(d, tmp);
		fail_errno(e, err, "cannot write %s", path);
	} else {
		err = disk_fsync_dir(d, path);
		if (err)
			fail_errno(e, err, "cannot make %s durable", path);
	}
	free(tmp);
	return err;
}

int file_make_dir(struct disk *d, const char *path, unsigned mode,
		  struct err *e)
{
	char *p = xstrdup(path);
	int err = *path ? 0 : -EINVAL;

	for (char *s = p + 1; !err; s++) {
		char was = *s;

		if (was && was != '/')
			continue;
		*s = '\0';
		err = s[-1] == '/' ? 0 : disk_mkdir(d, p, mode);
		if (err == -EEXIST)
			err = 0;
		else if (!err && s[-1] != '/')
			err = disk_fsync_dir(d, p);
		*s = was;
		if (!was)
			break;
	}
	free(p);
	if (err)
		return fail_errno(e, err, "cannot make the folder %s", path);
	return 0;
}

/* --- the append-only file ------------------------------------------------ */
static int file_log_settle(struct file_log *l)
{
	int err = disk_lock(l->f);

	if (!err)
		err = disk_fsync_dir(l->disk, l->path);
	if (!err)
		err = disk_size(l->f, &l->end);
	return err;
}

int file_log_open(struct file_log *l, struct disk *d, const char *path,
		  unsigned mode, struct err *e)
{
	int err;

	*l = (struct file_log){ .disk = d };
	err = disk_open(d, path, DISK_WRITE | DISK_CREATE, mode, &l->f);
	if (err)
		return fail_errno(e, err, "cannot open %s", path);
	l->path = xstrdup(path);
	err = file_log_settle(l);
	if (!err)
		return 0;
	file_log_close(l);
	if (err == -EWOULDBLOCK)
		return fail_say(e, EBUSY,
				"%s is in use by another process: "
				"stop it, or use another folder",
				path);
	return fail_errno(e, err, "cannot open %s", path);
}

void file_log_close(struct file_log *l)
{
	disk_close(l->f);
	free(l->path);
	*l = (struct file_log){ 0 };
}

int file_log_read(struct file_log *l, uint64_t off, void *buf, size_t len)
{
	return l->broken ? -EIO : file_pread_all(l->f, off, buf, len);
}

static int file_log_refuse(const struct file_log *l, struct err *e)
{
	return fail_say(e, EIO,
			"%s is not written any more: an earlier write "
			"failed and left its end unknown",
			l->path);
}

int file_log_cut(struct file_log *l, uint64_t end, struct err *e)
{
	int err;

	if (l->broken)
		return file_log_refuse(l, e);
	err = disk_truncate(l->f, end);
	if (!err)
		err = disk_fsync(l->f);
	if (err) {
		l->broken = true;
		return fail_errno(e, err, "cannot cut %s", l->path);
	}
	l->end = end;
	return 0;
}

int file_log_append(struct file_log *l, const void *data, size_t len,
		    struct err *e)
{
	int err;

	if (l->broken)
		return file_log_refuse(l, e);
	err = file_pwrite_all(l->f, l->end, data, len);
	if (err) {
		l->broken = disk_truncate(l->f, l->end) != 0;
		return fail_errno(e, err, "cannot append to %s", l->path);
	}
	err = disk_fsync(l->f);
	if (err) {
		l->broken = true;
		return fail_errno(e, err, "cannot make %s durable", l->path);
	}
	l->end += len;
	return 0;
}
