/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/proc.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "sys/disk.h"
#include "sys/file_io.h"

#define TCP_LISTENING 10u

static char *path_of(const char *root, const char *path)
{
	return xasprintf("%s%s", root, path);
}

int proc_read(const char *root, const char *path, struct str *out)
{
	char *p = path_of(root, path);
	int rc = file_read(disk_system(), p, PROC_TEXT_MAX, out, NULL);

	free(p);
	if (!rc && out->len && out->s[out->len - 1] == '\n')
		str_truncate(out, out->len - 1);
	return rc;
}

int proc_number(const char *root, const char *path, long *out)
{
	struct str s = STR_INIT;
	char *end;
	int rc = proc_read(root, path, &s);
	long v;

	if (!rc) {
		errno = 0;
		v = strtol(str_text(&s), &end, 10);
		if (end == str_text(&s) || errno)
			rc = -EINVAL;
		else
			*out = v;
	}
	str_fini(&s);
	return rc;
}

bool proc_exists(const char *root, const char *path)
{
	char *p = path_of(root, path);
	bool there = !access(p, F_OK);

	free(p);
	return there;
}

/* --- lines ---------------------------------------------------------------- */

/* The next line of *at without its newline, or NULL; *at moves on. The text is
 * cut into pieces. */
static char *next_line(char **at)
{
	char *line = *at;

	if (!line || !*line)
		return NULL;
	*at = strchr(line, '\n');
	if (*at)
		*(*at)++ = '\0';
	return line;
}

bool proc_setting(const char *root, const char *path, const char *key,
		  char out[PROC_NAME_MAX])
{
	struct str s = STR_INIT;
	size_t n = strlen(key);
	bool found = false;
	char *at, *line;

	if (!proc_read(root, path, &s) && s.len) {
		at = s.s;
		while (!found && (line = next_line(&at))) {
			if (strncmp(line, key, n) || line[n] != '=')
				continue;
			snprintf(out, PROC_NAME_MAX, "%s", line + n + 1);
			found = true;
		}
	}
	str_fini(&s);
	return found;
}

/* The value below `name` in a pair of lines. */
static uint64_t value_below(char *names, char *values, const char *name)
{
	char *sn = NULL, *sv = NULL;
	char *n = strtok_r(names, " ", &sn), *v = strtok_r(values, " ", &sv);

	for (; n && v;
	     n = strtok_r(NULL, " ", &sn), v = strtok_r(NULL, " ", &sv))
		if (!strcmp(n, name))
			return strtoull(v, NULL, 10);
	return 0;
}

uint64_t proc_counter(const char *root, const char *path, const char *group,
		      const char *name)
{
	struct str s = STR_INIT;
	size_t n = strlen(group);
	uint64_t v = 0;
	char *at, *names, *values;

	if (!proc_read(root, path, &s) && s.len) {
		at = s.s;
		while ((names = next_line(&at)) && (values = next_line(&at))) {
			if (strncmp(names, group, n) || names[n] != ':')
				continue;
			v = value_below(names, values, name);
			break;
		}
	}
	str_fini(&s);
	return v;
}

/* --- who holds a port ----------------------------------------------------- */

/* "sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode" */
static bool socket_line(const char *line, bool listening, uint16_t port,
			unsigned long *inode, char address[PROC_NAME_MAX])
{
	unsigned local, state;
	char addr[40];

	if (sscanf(line,
		   " %*u: %39[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x %*s %*s "
		   "%*s %*u %*u %lu",
		   addr, &local, &state, inode) != 4)
		return false;
	snprintf(address, PROC_NAME_MAX, "%s", addr);
	return local == port && (!listening || state == TCP_LISTENING);
}

/* A link "socket:[INODE]" among the process's descriptors. */
static bool process_holds(const char *root, const char *pid,
			  const char *socket_name)
{
	char *path = xasprintf("%s/proc/%s/fd", root, pid);
	DIR *d = opendir(path);
	unsigned seen = 0;
	bool found = false;
	struct dirent *f;
	char link[64];

	while (d && !found && seen++ < PROC_FDS_MAX && (f = readdir(d))) {
		ssize_t n =
			readlinkat(dirfd(d), f->d_name, link, sizeof(link) - 1);

		if (n <= 0)
			continue;
		link[n] = '\0';
		found = !strcmp(link, socket_name);
	}
	if (d)
		closedir(d);
	free(path);
	return found;
}

static void name_process(const char *root, const char *pid,
			 struct proc_holder *out)
{
	char *path = xasprintf("/proc/%s/comm", pid);
	struct str s = STR_INIT;

	if (!proc_read(root, path, &s))
		snprintf(out->name, sizeof(out->name), "%s", str_text(&s));
	out->pid = (int)strtol(pid, NULL, 10);
	str_fini(&s);
	free(path);
}

static void find_holder(const char *root, unsigned long inode,
			struct proc_holder *out)
{
	char *name = xasprintf("socket:[%lu]", inode);
	char *path = path_of(root, "/proc");
	DIR *d = opendir(path);
	unsigned seen = 0;
	struct dirent *p;

	while (d && !out->pid && seen++ < PROC_PIDS_MAX && (p = readdir(d)))
		if (p->d_name[0] >= '1' && p->d_name[0] <= '9' &&
		    process_holds(root, p->d_name, name))
			name_process(root, p->d_name, out);
	if (d)
		closedir(d);
	free(path);
	free(name);
}

bool proc_port_holder(const char *root, const char *protocol, uint16_t port,
		      struct proc_holder *out)
{
	char *path = xasprintf("/proc/net/%s", protocol);
	struct str s = STR_INIT;
	unsigned long inode = 0;
	bool found = false;
	char *at, *line;

	*out = (struct proc_holder){ 0 };
	if (!proc_read(root, path, &s) && s.len) {
		at = s.s;
		while (!found && (line = next_line(&at)))
			found = socket_line(line, protocol[0] == 't', port,
					    &inode, out->address);
	}
	if (found && inode)
		find_holder(root, inode, out);
	str_fini(&s);
	free(path);
	return found;
}
