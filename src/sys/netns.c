/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/netns.h"

#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/fail.h"
#include "sys/netns_hidden.h"
#include "sys/nl.h"

#define NETNS_SELF "/proc/thread-self/ns/net"
#define NETNS_PATH_MAX (sizeof(NETNS_DIR) + 1 + NETNS_NAME_MAX + 1)

/* A descriptor of a network namespace, or -errno; a file that is none (a name
 * whose mount is not done yet) counts as absent. */
static int netns_open_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return -errno;
	if (ioctl(fd, NS_GET_NSTYPE) == CLONE_NEWNET)
		return fd;
	close(fd);
	return -ENOENT;
}

bool netns_name_is_valid(const char *name)
{
	size_t len = strlen(name);

	return len && len <= NETNS_NAME_MAX && !strchr(name, '/') &&
	       strcmp(name, ".") && strcmp(name, "..");
}

static int netns_path(const char *name, char path[NETNS_PATH_MAX],
		      struct err *e)
{
	if (!netns_name_is_valid(name))
		return fail_say(e, EINVAL,
				"\"%s\" cannot be the name of a "
				"network namespace",
				name);
	snprintf(path, NETNS_PATH_MAX, "%s/%s", NETNS_DIR, name);
	return 0;
}

int netns_open_name(const char *name, struct err *e)
{
	char path[NETNS_PATH_MAX];
	int fd = netns_path(name, path, e);

	if (fd)
		return fd;
	fd = netns_open_file(path);
	if (fd == -ENOENT)
		return fail_say(e, ENOENT,
				"there is no network namespace "
				"\"%s\": make it with `ip netns add %s`",
				name, name);
	if (fd < 0)
		return fail_errno(e, fd, "cannot open network namespace \"%s\"",
				  name);
	return fd;
}

int netns_open_path(const char *path, struct err *e)
{
	int fd = netns_open_file(path);

	if (fd == -EACCES) {
		fd = netns_open_hidden(path);
		if (fd == -ENOENT)
			return fail_say(e, ENOENT,
					"%s is in a folder that is closed to "
					"weftd, and no process lives in such a "
					"namespace: start one, or name it by "
					"{pid: NUMBER}",
					path);
	}
	if (fd == -ENOENT)
		return fail_say(e, ENOENT,
				"%s is not a network namespace, or "
				"not there",
				path);
	if (fd < 0)
		return fail_errno(e, fd, "cannot open network namespace %s",
				  path);
	return fd;
}

/* Where /proc hides the processes of others (ProtectProc=), a descriptor of one can
 * be had all the same. */
static bool process_is_hidden(int pid)
{
	int fd = pidfd_open(pid, 0);

	if (fd < 0)
		return false;
	close(fd);
	return true;
}

int netns_open_pid(int pid, struct err *e)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
	fd = netns_open_file(path);
	if (fd == -ENOENT && process_is_hidden(pid))
		return fail_say(e, ENOENT,
				"process %d is hidden from weftd, which lacks "
				"CAP_SYS_PTRACE",
				pid);
	if (fd == -ENOENT)
		return fail_say(e, ENOENT, "there is no process %d", pid);
	if (fd < 0)
		return fail_errno(e, fd,
				  "cannot open the network namespace of "
				  "process %d",
				  pid);
	return fd;
}

int netns_open_self(struct err *e)
{
	int fd = netns_open_file(NETNS_SELF);

	if (fd < 0)
		return fail_errno(e, fd,
				  "cannot open our own network "
				  "namespace: is /proc mounted?");
	return fd;
}

int netns_ref_pid(const char *ref)
{
	char *end;
	long pid;

	if (strncmp(ref, "pid:", 4))
		return 0;
	pid = strtol(ref + 4, &end, 10);
	if (end == ref + 4 || *end || pid <= 0 || pid > INT32_MAX)
		return 0;
	return (int)pid;
}

int netns_open(const char *ref, struct err *e)
{
	int pid = netns_ref_pid(ref);

	if (ref[0] == '/')
		return netns_open_path(ref, e);
	if (strncmp(ref, "pid:", 4))
		return netns_open_name(ref, e);
	if (!pid)
		return fail_say(e, EINVAL,
				"\"%s\" should be pid:NUMBER, as in "
				"pid:1234",
				ref);
	return netns_open_pid(pid, e);
}

void netns_close(int fd)
{
	if (fd >= 0)
		close(fd);
}

bool netns_is_same(int a, int b)
{
	struct stat x, y;

	return !fstat(a, &x) && !fstat(b, &y) && x.st_dev == y.st_dev &&
	       x.st_ino == y.st_ino;
}

uint64_t netns_inode(int fd)
{
	struct stat st;

	return fstat(fd, &st) ? 0 : st.st_ino;
}

/* --- inside -------------------------------------------------------------- */
static void netns_return(int home)
{
	must(!setns(home, CLONE_NEWNET));
	close(home);
}

int netns_run(int fd, int (*fn)(void *arg), void *arg, struct err *e)
{
	int home, ret;

	if (fd == NL_CURRENT_NS)
		return fn(arg);
	home = netns_open_self(e);
	if (home < 0)
		return home;
	if (setns(fd, CLONE_NEWNET)) {
		ret = fail_errno(e, errno, "cannot enter a network namespace");
		close(home);
		return ret;
	}
	ret = fn(arg);
	netns_return(home);
	return ret;
}

struct netns_socket_job {
	int domain, type, protocol;
};

static int netns_socket_run(void *arg)
{
	const struct netns_socket_job *j = arg;
	int fd = socket(j->domain, j->type, j->protocol);

	return fd < 0 ? -errno : fd;
}

int netns_socket(int fd, int domain, int type, int protocol, struct err *e)
{
	struct netns_socket_job j = { domain, type, protocol };
	int ret = netns_run(fd, netns_socket_run, &j, e);

	if (ret < 0)
		return fail_errno(e, ret, "cannot open a socket");
	return ret;
}

/* --- named --------------------------------------------------------------- */
/* NETNS_DIR must be a mount of shared propagation, so that a name made in one
 * mount namespace is seen in, and can be removed from, all (ip-netns(8)). */
static int netns_share_dir(void)
{
	if (!mount("", NETNS_DIR, "none", MS_SHARED | MS_REC, NULL))
		return 0;
	if (errno != EINVAL)
		return -errno;
	if (mount(NETNS_DIR, NETNS_DIR, "none", MS_BIND | MS_REC, NULL))
		return -errno;
	return mount("", NETNS_DIR, "none", MS_SHARED | MS_REC, NULL) ? -errno :
									0;
}

/* Two that start at once must not both mount the folder over itself. */
static int netns_prepare_dir(void)
{
	int lock, err;

	if (mkdir(NETNS_DIR, 0755) && errno != EEXIST)
		return -errno;
	lock = open(NETNS_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (lock < 0)
		return -errno;
	err = flock(lock, LOCK_EX) ? -errno : netns_share_dir();
	close(lock);
	return err;
}

/* Makes a namespace and binds it to `path`. */
static int netns_bind_new(const char *path)
{
	int home = netns_open_self(NULL);
	int err = 0;

	if (home < 0)
		return home;
	if (unshare(CLONE_NEWNET)) {
		err = -errno;
		close(home);
		return err;
	}
	if (mount(NETNS_SELF, path, "none", MS_BIND, NULL))
		err = -errno;
	netns_return(home);
	return err;
}

int netns_create(const char *name, struct err *e)
{
	char path[NETNS_PATH_MAX];
	int fd, err = netns_path(name, path, e);

	if (err)
		return err;
	err = netns_prepare_dir();
	if (err)
		return fail_errno(e, err, "cannot prepare %s", NETNS_DIR);
	fd = open(path, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0);
	if (fd < 0 && errno == EEXIST)
		return fail_say(e, EEXIST,
				"there is a network namespace "
				"\"%s\" already",
				name);
	if (fd < 0)
		return fail_errno(e, errno, "cannot make %s", path);
	close(fd);
	err = netns_bind_new(path);
	if (!err)
		return 0;
	unlink(path);
	return fail_errno(e, err, "cannot make the network namespace \"%s\"",
			  name);
}

int netns_delete(const char *name, struct err *e)
{
	char path[NETNS_PATH_MAX];
	int err = netns_path(name, path, e);

	if (err)
		return err;
	/* Not a mount (EINVAL): the file alone is left to remove. */
	umount2(path, MNT_DETACH);
	if (!unlink(path))
		return 0;
	if (errno == ENOENT)
		return fail_say(e, ENOENT,
				"there is no network namespace "
				"\"%s\"",
				name);
	return fail_errno(e, errno,
			  "cannot delete the network namespace "
			  "\"%s\"",
			  name);
}
