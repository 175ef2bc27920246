/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/notify.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define FIRST_FD 3 /* SD_LISTEN_FDS_START */

static int send_with(int sock, const struct sockaddr_un *to, socklen_t to_len,
		     const char *state, int fd)
{
	struct iovec iov = { (void *)(uintptr_t)state, strlen(state) };
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct msghdr m = { .msg_name = (void *)(uintptr_t)to,
			    .msg_namelen = to_len,
			    .msg_iov = &iov,
			    .msg_iovlen = 1 };
	struct cmsghdr *c;

	if (fd >= 0) {
		m.msg_control = control.bytes;
		m.msg_controllen = sizeof(control.bytes);
		c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(int));
	}
	return sendmsg(sock, &m, MSG_NOSIGNAL) < 0 ? -errno : 1;
}

static int notify_send_fd(const char *state, int fd)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	size_t len = path ? strlen(path) : 0;
	int sock, err;

	if (!len)
		return 0;
	if (len >= sizeof(to.sun_path) || (path[0] != '/' && path[0] != '@'))
		return -EINVAL;
	memcpy(to.sun_path, path, len);
	if (path[0] == '@')
		to.sun_path[0] = '\0';
	sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (sock < 0)
		return -errno;
	len += offsetof(struct sockaddr_un, sun_path);
	err = send_with(sock, &to, (socklen_t)len, state, fd);
	close(sock);
	return err;
}

int notify_send(const char *state)
{
	return notify_send_fd(state, -1);
}

/* --- the watchdog ----------------------------------------------------------- */

/* A variable that is about this process: `of` names the one with our number. */
static const char *ours(const char *name, const char *of)
{
	const char *pid = getenv(of);

	if (pid && strtol(pid, NULL, 10) != getpid())
		return NULL;
	return getenv(name);
}

uint64_t notify_watchdog_ms(void)
{
	const char *us = ours("WATCHDOG_USEC", "WATCHDOG_PID");

	return us ? strtoull(us, NULL, 10) / 1000 : 0;
}

/* --- the descriptor store ---------------------------------------------------- */

static void clean_name(const char *name, char out[NOTIFY_NAME_MAX])
{
	snprintf(out, NOTIFY_NAME_MAX, "%s", name);
	for (char *c = out; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr("-._", *c))
			*c = '_';
}

int notify_store(const char *name, int fd)
{
	char clean[NOTIFY_NAME_MAX], state[NOTIFY_NAME_MAX + 32];

	clean_name(name, clean);
	snprintf(state, sizeof(state), "FDSTORE=1\nFDNAME=%s", clean);
	return notify_send_fd(state, fd);
}

int notify_unstore(const char *name)
{
	char clean[NOTIFY_NAME_MAX], state[NOTIFY_NAME_MAX + 32];

	clean_name(name, clean);
	snprintf(state, sizeof(state), "FDSTOREREMOVE=1\nFDNAME=%s", clean);
	return notify_send_fd(state, -1);
}

/* What was handed to us: read from the environment at the first question. */
static struct {
	bool known;
	unsigned n;
	char **name; /* of descriptor FIRST_FD + i; NULL once taken */
} handed;

static void handed_learn(void)
{
	const char *fds = ours("LISTEN_FDS", "LISTEN_PID");
	const char *names = getenv("LISTEN_FDNAMES");
	unsigned long n = fds ? strtoul(fds, NULL, 10) : 0;

	handed.known = true;
	if (!n || n > NOTIFY_FDS_MAX || !names)
		return;
	handed.n = (unsigned)n;
	handed.name = xcalloc(n, sizeof(*handed.name));
	for (unsigned i = 0; i < n; i++) {
		size_t len = strcspn(names, ":");

		handed.name[i] = xstrndup(names, len);
		names += len + (names[len] == ':');
		/* No program is ever started, but a promise is cheap. */
		(void)!fcntl(FIRST_FD + (int)i, F_SETFD, FD_CLOEXEC);
	}
}

static void handed_drop(unsigned i)
{
	free(handed.name[i]);
	handed.name[i] = NULL;
}

int notify_take(const char *name)
{
	char clean[NOTIFY_NAME_MAX];

	if (!handed.known)
		handed_learn();
	clean_name(name, clean);
	for (unsigned i = 0; i < handed.n; i++) {
		if (!handed.name[i] || strcmp(handed.name[i], clean))
			continue;
		handed_drop(i);
		return FIRST_FD + (int)i;
	}
	return -1;
}

void notify_forget_rest(void)
{
	if (!handed.known)
		handed_learn();
	for (unsigned i = 0; i < handed.n; i++) {
		if (!handed.name[i])
			continue;
		close(FIRST_FD + (int)i);
		(void)!notify_unstore(handed.name[i]);
		handed_drop(i);
	}
	free(handed.name);
	handed.name = NULL;
	handed.n = 0;
}
