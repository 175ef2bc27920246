/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/tar.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#define BLOCK 512u

struct tar {
	gzFile z;
	char *path; /* NULL: the standard output */
	time_t when;
	bool failed;
};

/* POSIX ustar header: numbers in octal text. */
struct ustar {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], sum[8];
	char type, link[100], magic[6], version[2], user[32], group[32];
	char major[8], minor[8], prefix[155], pad[12];
};

_Static_assert(sizeof(struct ustar) == BLOCK, "a header is a block");

struct tar *tar_create(const char *path, struct err *e)
{
	bool to_stdout = !strcmp(path, "-");
	struct tar *t;
	gzFile z;
	int fd = to_stdout ? dup(STDOUT_FILENO) :
			     open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
				  0600);

	if (fd < 0) {
		err_set(e, "cannot make %s: %s", path, err_name(errno));
		return NULL;
	}
	z = gzdopen(fd, "wb");
	if (!z) {
		close(fd);
		err_set(e, "cannot compress: no memory");
		return NULL;
	}
	t = xzalloc(sizeof(*t));
	t->z = z;
	t->path = to_stdout ? NULL : xstrdup(path);
	t->when = time(NULL);
	return t;
}

static void put(struct tar *t, const void *data, size_t len)
{
	const char *at = data;

	while (len && !t->failed) {
		unsigned n = (unsigned)MIN(len, 1u << 20);

		t->failed = gzwrite(t->z, at, n) != (int)n;
		at += n;
		len -= n;
	}
}

/* Octal with a NUL behind it, as wide as the field. */
static void octal(char *field, size_t width, uint64_t v)
{
	field[--width] = '\0';
	while (width--) {
		field[width] = (char)('0' + v % 8);
		v /= 8;
	}
}

static void header(struct tar *t, const char *name, size_t len)
{
	struct ustar h = { .type = '0', .magic = "ustar", .version = "00" };
	const uint8_t *b = (const void *)&h;
	uint32_t sum = 0;

	snprintf(h.name, sizeof(h.name), "%s", name);
	octal(h.mode, sizeof(h.mode), 0600);
	octal(h.uid, sizeof(h.uid), 0);
	octal(h.gid, sizeof(h.gid), 0);
	octal(h.size, sizeof(h.size), len);
	octal(h.mtime, sizeof(h.mtime), (uint64_t)t->when);
	memset(h.sum, ' ', sizeof(h.sum));
	for (size_t i = 0; i < sizeof(h); i++)
		sum += b[i];
	octal(h.sum, sizeof(h.sum) - 1, sum);
	put(t, &h, sizeof(h));
}

void tar_add(struct tar *t, const char *name, const void *data, size_t len)
{
	static const char zeros[BLOCK];

	must(strlen(name) <= TAR_NAME_MAX);
	header(t, name, len);
	put(t, data, len);
	put(t, zeros, (BLOCK - len % BLOCK) % BLOCK);
}

int tar_close(struct tar *t, struct err *e)
{
	static const char zeros[2 * BLOCK];
	bool failed;

	put(t, zeros, sizeof(zeros));
	failed = gzclose(t->z) != Z_OK || t->failed;
	if (failed) {
		err_set(e, "%s could not be written whole",
			t->path ? t->path : "the standard output");
		if (t->path)
			unlink(t->path);
	}
	free(t->path);
	free(t);
	return failed ? -EIO : 0;
}
