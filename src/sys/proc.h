/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel tells in files: /proc, /sys, /run, under a root of choice.
 *
 * What      texts, numbers, counters of "Name: words / Name: values" tables, who
 *           holds a UDP or TCP port.
 * Why so    who judges a host must be testable with hosts that are broken: the
 *           root in front of every path is injected ("" is the machine's).
 * Threads   any.
 * Refs      proc(5), sysfs(5). */
#ifndef SYS_PROC_H
#define SYS_PROC_H

#include "base/str.h"

#define PROC_TEXT_MAX (4u << 20)
#define PROC_NAME_MAX 64u
#define PROC_PIDS_MAX 65536u /* looked at for the holder of a socket */
#define PROC_FDS_MAX 65536u  /* of each */

/* Adds the file to `out`; its last newline is cut. 0 or -errno. */
int proc_read(const char *root, const char *path, struct str *out) MUST_CHECK;
/* -EINVAL when it holds no number. */
int proc_number(const char *root, const char *path, long *out) MUST_CHECK;
bool proc_exists(const char *root, const char *path);
/* The value of "key=" on a line of its own ("managed=true"). False: none. */
bool proc_setting(const char *root, const char *path, const char *key,
		  char out[PROC_NAME_MAX]);
/* A counter of /proc/net/snmp or netstat: group "TcpExt", name "ListenDrops". 0
 * when the kernel has none. */
uint64_t proc_counter(const char *root, const char *path, const char *group,
		      const char *name);

struct proc_holder {
	char name[PROC_NAME_MAX];    /* the program's; "" unknown */
	int pid;                     /* 0: none found (the kernel's own) */
	char address[PROC_NAME_MAX]; /* hexadecimal, as the kernel prints it */
};

/* Who holds this port of "udp", "udp6", "tcp" or "tcp6" (listening)? False:
 * nobody. */
bool proc_port_holder(const char *root, const char *protocol, uint16_t port,
		      struct proc_holder *out);

#endif
