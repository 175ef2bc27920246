/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/sysctl.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "sys/fail.h"
#include "sys/netns.h"
#include "sys/nl_link.h"

#define SYSCTL_PATH_MAX 256u

struct sysctl_job {
	const char *path;
	char *out;         /* read into, or NULL */
	const char *value; /* written */
};

static int sysctl_transfer(int fd, const struct sysctl_job *j)
{
	ssize_t n;

	if (j->value)
		return write(fd, j->value, strlen(j->value)) < 0 ? -errno : 0;
	n = read(fd, j->out, SYSCTL_VALUE_MAX - 1);
	if (n < 0)
		return -errno;
	while (n && j->out[n - 1] == '\n')
		n--;
	j->out[n] = '\0';
	return 0;
}

/* Inside the namespace: /proc/sys/net shows the opener's. */
static int sysctl_run(void *arg)
{
	struct sysctl_job *j = arg;
	char path[SYSCTL_PATH_MAX];
	int fd, err;

	if (snprintf(path, sizeof(path), "/proc/sys/%s", j->path) >=
	    (int)sizeof(path))
		return -ENAMETOOLONG;
	fd = open(path, (j->value ? O_WRONLY : O_RDONLY) | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = sysctl_transfer(fd, j);
	close(fd);
	return err;
}

int sysctl_read(int netns_fd, const char *path, char out[SYSCTL_VALUE_MAX],
		struct err *e)
{
	struct sysctl_job j = { .path = path, .out = out };
	int err = netns_run(netns_fd, sysctl_run, &j, e);

	if (err)
		return fail_errno(e, err, "cannot read the kernel setting %s",
				  path);
	return 0;
}

int sysctl_write(int netns_fd, const char *path, const char *value,
		 struct err *e)
{
	struct sysctl_job j = { .path = path, .value = value };
	int err = netns_run(netns_fd, sysctl_run, &j, e);

	if (err == -EROFS)
		return fail_say(e, EROFS,
				"cannot set %s to %s: /proc/sys is "
				"read-only here; mount it writable or set it "
				"from outside the container",
				path, value);
	if (err)
		return fail_errno(e, err, "cannot set %s to %s", path, value);
	return 0;
}

int sysctl_read_int(int netns_fd, const char *path, long *out, struct err *e)
{
	char text[SYSCTL_VALUE_MAX], *end;
	int err = sysctl_read(netns_fd, path, text, e);
	long v;

	if (err)
		return err;
	errno = 0;
	v = strtol(text, &end, 10);
	if (errno || end == text || *end)
		return fail_say(e, EINVAL, "%s is \"%s\", not a number", path,
				text);
	*out = v;
	return 0;
}

int sysctl_write_int(int netns_fd, const char *path, long value, struct err *e)
{
	char text[32];

	snprintf(text, sizeof(text), "%ld", value);
	return sysctl_write(netns_fd, path, text, e);
}

static int sysctl_device_path(const struct sysctl_device *d,
			      char path[SYSCTL_PATH_MAX], struct err *e)
{
	if (!nl_link_name_is_valid(d->device))
		return fail_say(e, EINVAL, "\"%s\" cannot be a device's name",
				d->device);
	snprintf(path, SYSCTL_PATH_MAX, "net/%s/conf/%s/%s", d->family,
		 d->device, d->setting);
	return 0;
}

int sysctl_device_read(const struct sysctl_device *d, long *out, struct err *e)
{
	char path[SYSCTL_PATH_MAX];
	int err = sysctl_device_path(d, path, e);

	return err ? err : sysctl_read_int(d->netns_fd, path, out, e);
}

int sysctl_device_write(const struct sysctl_device *d, long value,
			struct err *e)
{
	char path[SYSCTL_PATH_MAX];
	int err = sysctl_device_path(d, path, e);

	return err ? err : sysctl_write_int(d->netns_fd, path, value, e);
}
