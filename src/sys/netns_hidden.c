/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/netns_hidden.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"

#define MOUNTS "/proc/thread-self/mountinfo"
#define MOUNTS_MAX 65536u /* lines of it */

/* The path without symbolic links, as far as we may look: to be freed. */
static char *path_resolve(const char *path)
{
	char *head = xstrdup(path), *real = NULL, *cut, *whole;

	while (!(real = realpath(head, NULL)) && (cut = strrchr(head, '/')) &&
	       cut != head)
		*cut = '\0';
	if (!real) {
		free(head);
		return xstrdup(path);
	}
	whole = xasprintf("%s%s", real, path + strlen(head));
	free(real);
	free(head);
	return whole;
}

/* As the kernel writes paths into its list. */
static char *path_escape(const char *path)
{
	struct str s = STR_INIT;

	for (; *path; path++)
		if (strchr(" \t\n\\", *path))
			str_addf(&s, "\\%03o", (unsigned)*path);
		else
			str_addf(&s, "%c", *path);
	return str_take(&s);
}

/* The inode of the namespace that this line of the list puts on `path`; 0: it is
 * about something else. */
static uint64_t inode_of_line(const char *line, const char *path)
{
	char what[64], where[PATH_MAX + 1];
	uint64_t inode;

	/* number, parent, device, what of it, where */
	if (sscanf(line, "%*u %*u %*s %63s %4096s", what, where) != 2 ||
	    strcmp(where, path) ||
	    sscanf(what, "net:[%" SCNu64 "]", &inode) != 1)
		return 0;
	return inode;
}

/* What was mounted last lies on top. */
static uint64_t inode_on(const char *path)
{
	FILE *f = fopen(MOUNTS, "re");
	uint64_t last = 0, inode;
	char *line = NULL;
	size_t size = 0;

	for (unsigned n = 0; f && n < MOUNTS_MAX; n++) {
		if (getline(&line, &size, f) < 0)
			break;
		inode = inode_of_line(line, path);
		if (inode)
			last = inode;
	}
	free(line);
	if (f)
		fclose(f);
	return last;
}

/* The namespace of this process, if it is that one; -1. */
static int open_if_inside(const char *pid, uint64_t inode)
{
	char path[64];
	struct stat st;
	int fd;

	snprintf(path, sizeof(path), "/proc/%.20s/ns/net", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	if (!fstat(fd, &st) && st.st_ino == inode)
		return fd;
	close(fd);
	return -1;
}

static int open_by_inhabitant(uint64_t inode)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	unsigned n = 0;
	int fd = -1;

	while (proc && fd < 0 && n < NETNS_HIDDEN_PIDS_MAX &&
	       (entry = readdir(proc)))
		if (isdigit((unsigned char)entry->d_name[0])) {
			fd = open_if_inside(entry->d_name, inode);
			n++;
		}
	if (proc)
		closedir(proc);
	return fd < 0 ? -ENOENT : fd;
}

int netns_open_hidden(const char *path)
{
	char *real = path_resolve(path), *name = path_escape(real);
	uint64_t inode = inode_on(name);

	free(name);
	free(real);
	return inode ? open_by_inhabitant(inode) : -ENOENT;
}
