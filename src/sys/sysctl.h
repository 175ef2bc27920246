/* SPDX-License-Identifier: Apache-2.0 */
/* Kernel settings under /proc/sys, in any network namespace.
 *
 * What      read and write one value; per-device settings by device name.
 * Why so    paths are written with '/', because device names may hold dots.
 * Threads   the control thread (it enters the namespace for the call).
 * Refs      kernel Documentation/networking/ip-sysctl.rst. */
#ifndef SYS_SYSCTL_H
#define SYS_SYSCTL_H

#include "base/err.h"
#include "sys/nl.h"

#define SYSCTL_VALUE_MAX 256u

/* path: "net/ipv4/ip_forward". The value without its newline. -ENOENT when the
 * kernel has no such setting. */
int sysctl_read(int netns_fd, const char *path, char out[SYSCTL_VALUE_MAX],
		struct err *e) MUST_CHECK;
int sysctl_write(int netns_fd, const char *path, const char *value,
		 struct err *e) MUST_CHECK;
int sysctl_read_int(int netns_fd, const char *path, long *out,
		    struct err *e) MUST_CHECK;
int sysctl_write_int(int netns_fd, const char *path, long value,
		     struct err *e) MUST_CHECK;

/* net/FAMILY/conf/DEVICE/SETTING; family "ipv4" or "ipv6". */
struct sysctl_device {
	int netns_fd;
	const char *family, *device, *setting;
};

int sysctl_device_read(const struct sysctl_device *d, long *out,
		       struct err *e) MUST_CHECK;
int sysctl_device_write(const struct sysctl_device *d, long value,
			struct err *e) MUST_CHECK;

#endif
