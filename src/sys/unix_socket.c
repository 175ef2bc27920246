/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/unix_socket.h"

#include <endian.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "sys/fail.h"

#define UNIX_SOCKET_BACKLOG 128

/* A socket's address; `dir_fd` stays open as long as the address is used. */
struct unix_addr {
	struct sockaddr_un sun;
	socklen_t len;
	int dir_fd;
};

static void unix_addr_set(struct unix_addr *a, const char *path, size_t len)
{
	memcpy(a->sun.sun_path, path, len);
	a->len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
}

/* A path too long for sockaddr_un is named through its folder's descriptor. */
static int unix_addr_set_long(struct unix_addr *a, const char *path)
{
	const char *slash = strrchr(path, '/');
	char *dir, *name;
	int err = 0;

	if (!slash)
		return -ENAMETOOLONG;
	dir = xstrndup(path, (size_t)(slash - path));
	a->dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (a->dir_fd < 0)
		err = -errno;
	free(dir);
	if (err)
		return err;
	name = xasprintf("/proc/self/fd/%d%s", a->dir_fd, slash);
	if (strlen(name) < sizeof(a->sun.sun_path))
		unix_addr_set(a, name, strlen(name) + 1);
	else
		err = -ENAMETOOLONG;
	free(name);
	return err;
}

static int unix_addr_init(struct unix_addr *a, const char *path)
{
	size_t len = strlen(path);

	*a = (struct unix_addr){ .sun.sun_family = AF_UNIX, .dir_fd = -1 };
	if (!len)
		return -EINVAL;
	if (len >= sizeof(a->sun.sun_path))
		return path[0] == '@' ? -ENAMETOOLONG :
					unix_addr_set_long(a, path);
	if (path[0] != '@') {
		unix_addr_set(a, path, len + 1);
		return 0;
	}
	unix_addr_set(a, path, len);
	a->sun.sun_path[0] = '\0';
	return 0;
}

static void unix_addr_fini(struct unix_addr *a)
{
	if (a->dir_fd >= 0)
		close(a->dir_fd);
}

static int unix_socket_open(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	return fd < 0 ? -errno : fd;
}

static int unix_socket_try_connect(const struct unix_addr *a)
{
	int fd = unix_socket_open();
	int err = 0;

	if (fd < 0)
		return fd;
	if (connect(fd, (const struct sockaddr *)&a->sun, a->len))
		err = -errno;
	if (!err)
		return fd;
	close(fd);
	return err;
}

/* Takes away a socket file that nobody listens at; true when it did. */
static bool unix_socket_clear(const struct unix_addr *a, const char *path)
{
	struct stat st;
	int fd;

	if (path[0] == '@' || lstat(path, &st) || !S_ISSOCK(st.st_mode))
		return false;
	fd = unix_socket_try_connect(a);
	if (fd >= 0)
		close(fd);
	return fd == -ECONNREFUSED && !unlink(path);
}

static int unix_socket_bind(int fd, const struct unix_addr *a, const char *path)
{
	const struct sockaddr *sa = (const struct sockaddr *)&a->sun;

	/* The file is born with the socket's own mode: nobody gets in before
	 * the group and the final mode are set. */
	if (fchmod(fd, 0600))
		return -errno;
	if (!bind(fd, sa, a->len))
		return 0;
	if (errno != EADDRINUSE || !unix_socket_clear(a, path))
		return -errno;
	return bind(fd, sa, a->len) ? -errno : 0;
}

/* The list of who may, as the kernel reads it (acl(5), linux/posix_acl_xattr.h):
 * us and the group. Giving the file to a group that is not ours would take a
 * capability; our own file's list is ours to write. */
static int unix_socket_admit(const char *path, uint32_t group)
{
	const struct {
		uint16_t tag, permissions;
		uint32_t id;
	} entries[] = {
		{ 0x01, 6, UINT32_MAX }, /* the owner */
		{ 0x04, 0, UINT32_MAX }, /* the owner's group */
		{ 0x08, 6, group },
		{ 0x10, 6, UINT32_MAX }, /* no named one has more */
		{ 0x20, 0, UINT32_MAX }, /* others */
	};
	uint8_t list[sizeof(uint32_t) + sizeof(entries)] = { 2 }, *at = list;

	at += sizeof(uint32_t);
	for (unsigned i = 0; i < ARRAY_SIZE(entries); i++, at += 8) {
		uint16_t tag = htole16(entries[i].tag);
		uint16_t permissions = htole16(entries[i].permissions);
		uint32_t id = htole32(entries[i].id);

		memcpy(at, &tag, sizeof(tag));
		memcpy(at + 2, &permissions, sizeof(permissions));
		memcpy(at + 4, &id, sizeof(id));
	}
	if (setxattr(path, "system.posix_acl_access", list, sizeof(list), 0))
		return -errno;
	return 0;
}

static int unix_socket_permit(const struct unix_socket_spec *s)
{
	if (s->path[0] == '@')
		return 0;
	if (chmod(s->path, s->mode))
		return -errno;
	return s->has_group ? unix_socket_admit(s->path, s->group) : 0;
}

static int unix_socket_setup(int fd, const struct unix_socket_spec *s,
			     struct err *e)
{
	struct unix_addr a;
	int err = unix_addr_init(&a, s->path);

	if (!err)
		err = unix_socket_bind(fd, &a, s->path);
	unix_addr_fini(&a);
	if (err == -EADDRINUSE)
		return fail_say(e, EADDRINUSE,
				"%s is in use by another process"
				": stop it, or choose another path",
				s->path);
	if (err)
		return fail_errno(e, err, "cannot listen at %s", s->path);
	err = unix_socket_permit(s);
	if (!err && listen(fd, UNIX_SOCKET_BACKLOG))
		err = -errno;
	if (!err)
		return 0;
	if (s->path[0] != '@')
		unlink(s->path);
	return fail_errno(e, err, "cannot open %s to its users", s->path);
}

int unix_socket_listen(const struct unix_socket_spec *s, struct err *e)
{
	int fd = unix_socket_open();
	int err;

	if (fd < 0)
		return fail_errno(e, fd, "cannot listen at %s", s->path);
	err = unix_socket_setup(fd, s, e);
	if (!err)
		return fd;
	close(fd);
	return err;
}

int unix_socket_connect(const char *path, struct err *e)
{
	struct unix_addr a;
	int fd = unix_addr_init(&a, path);

	if (!fd)
		fd = unix_socket_try_connect(&a);
	unix_addr_fini(&a);
	if (fd == -ENOENT || fd == -ECONNREFUSED)
		return fail_say(e, fd,
				"nobody listens at %s: is the daemon "
				"running?",
				path);
	if (fd < 0)
		return fail_errno(e, fd, "cannot connect to %s", path);
	return fd;
}

int unix_socket_accept(int fd)
{
	int c;

	do {
		c = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	} while (c < 0 && (errno == EINTR || errno == ECONNABORTED));
	return c < 0 ? -errno : c;
}

int unix_socket_peer(int fd, struct unix_socket_peer *out)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len))
		return -errno;
	*out = (struct unix_socket_peer){ cred.pid, cred.uid, cred.gid };
	return 0;
}

bool unix_socket_peer_is_in(int fd, const struct unix_socket_peer *p,
			    uint32_t group)
{
	socklen_t len = 0;
	bool found = p->gid == group;
	gid_t *groups;

	/* Asked with no room, the kernel says how much it needs. */
	if (found || !getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &len) ||
	    errno != ERANGE)
		return found;
	groups = xmalloc(len);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len))
		len = 0;
	for (size_t i = 0; i < len / sizeof(*groups); i++)
		found |= groups[i] == group;
	free(groups);
	return found;
}
