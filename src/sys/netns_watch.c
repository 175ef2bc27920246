/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <limits.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/hmap.h"
#include "sys/fail.h"
#include "sys/netns.h"

/* A name whose mount is not done is looked at again this often, this long. */
#define NETNS_RETRY_MS 5u
#define NETNS_RETRIES 400u
#define NETNS_PARENT "/run"

struct netns_known {
	struct hmap_node node;
	bool seen;
	char name[];
};

struct netns_watch {
	netns_watch_fn *fn;
	void *arg;
	int fd; /* inotify */
	int dir_wd, parent_wd;
	struct watch watch;
	struct defer scan;
	struct timer retry;
	unsigned retries;
	struct hmap known;
};

static struct netns_known *netns_known_find(struct netns_watch *w,
					    const char *name)
{
	struct netns_known *k;

	hmap_for_each_same(k, &w->known, hash_string(name, 0), node)
		if (!strcmp(k->name, name))
			return k;
	return NULL;
}

static void netns_come(struct netns_watch *w, const char *name)
{
	size_t size = strlen(name) + 1;
	struct netns_known *k = xzalloc(sizeof(*k) + size);

	memcpy(k->name, name, size);
	k->seen = true;
	hmap_put(&w->known, &k->node, hash_string(name, 0));
	w->fn(w->arg, k->name, true);
}

static void netns_go(struct netns_watch *w, struct netns_known *k)
{
	hmap_del(&w->known, &k->node);
	w->fn(w->arg, k->name, false);
	free(k);
}

/* True when the name cannot be opened yet. */
static bool netns_look(struct netns_watch *w, const char *name)
{
	struct netns_known *k = netns_known_find(w, name);
	int fd;

	if (k) {
		k->seen = true;
		return false;
	}
	fd = netns_open_name(name, NULL);
	if (fd < 0)
		return true;
	netns_close(fd);
	netns_come(w, name);
	return false;
}

static bool netns_look_all(struct netns_watch *w)
{
	DIR *dir = opendir(NETNS_DIR);
	bool unready = false;
	struct dirent *d;

	if (!dir)
		return false;
	while ((d = readdir(dir)))
		if (netns_name_is_valid(d->d_name))
			unready |= netns_look(w, d->d_name);
	closedir(dir);
	return unready;
}

/* Follows the folder while it is there, else its parent until it comes. */
static void netns_follow(struct netns_watch *w)
{
	const uint32_t names = IN_CREATE | IN_DELETE | IN_MOVED_FROM |
			       IN_MOVED_TO | IN_DELETE_SELF | IN_ONLYDIR;

	w->dir_wd = inotify_add_watch(w->fd, NETNS_DIR, names);
	if (w->dir_wd >= 0 && w->parent_wd >= 0) {
		inotify_rm_watch(w->fd, w->parent_wd);
		w->parent_wd = -1;
	} else if (w->dir_wd < 0 && w->parent_wd < 0) {
		w->parent_wd = inotify_add_watch(w->fd, NETNS_PARENT,
						 IN_CREATE | IN_ONLYDIR);
		/* It may have come between the two. */
		w->dir_wd = inotify_add_watch(w->fd, NETNS_DIR, names);
	}
}

static void netns_scan(void *arg)
{
	struct netns_watch *w = arg;
	struct netns_known *k;

	netns_follow(w);
	hmap_for_each(k, &w->known, node)
		k->seen = false;
	if (netns_look_all(w) && w->retries) {
		w->retries--;
		timer_set(&w->retry, NETNS_RETRY_MS);
	}
	hmap_for_each_safe(k, &w->known, node)
		if (!k->seen)
			netns_go(w, k);
}

static void netns_event(struct netns_watch *w, const struct inotify_event *ev)
{
	struct netns_known *k;

	if (ev->wd == w->parent_wd && ev->len && strcmp(ev->name, "netns"))
		return;
	w->retries = NETNS_RETRIES;
	defer_set(&w->scan);
	/* Told at once: a scan would not see one that is made again by then. */
	if (ev->wd == w->dir_wd && ev->len &&
	    ev->mask & (IN_DELETE | IN_MOVED_FROM)) {
		k = netns_known_find(w, ev->name);
		if (k)
			netns_go(w, k);
	}
}

static void netns_readable(void *arg, unsigned ready UNUSED)
{
	struct netns_watch *w = arg;
	char buf[4096] __attribute__((aligned(8)));
	ssize_t n = read(w->fd, buf, sizeof(buf));

	for (ssize_t at = 0; at < n;) {
		const struct inotify_event *ev = (void *)(buf + at);

		netns_event(w, ev);
		at += (ssize_t)(sizeof(*ev) + ev->len);
	}
}

int netns_watch_create(struct netns_watch **out, struct loop *loop,
		       netns_watch_fn *fn, void *arg, struct err *e)
{
	int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	struct netns_watch *w;

	if (fd < 0)
		return fail_errno(e, errno, "cannot watch %s", NETNS_DIR);
	w = xzalloc(sizeof(*w));
	w->fn = fn;
	w->arg = arg;
	w->fd = fd;
	w->dir_wd = w->parent_wd = -1;
	w->retries = NETNS_RETRIES;
	hmap_init(&w->known);
	watch_init(&w->watch, loop, fd, netns_readable, w);
	watch_set(&w->watch, WATCH_READ);
	timer_init(&w->retry, loop, netns_scan, w);
	defer_init(&w->scan, loop, netns_scan, w);
	defer_set(&w->scan);
	*out = w;
	return 0;
}

void netns_watch_destroy(struct netns_watch *w)
{
	struct netns_known *k;

	if (!w)
		return;
	watch_fini(&w->watch);
	timer_fini(&w->retry);
	defer_fini(&w->scan);
	close(w->fd);
	hmap_for_each_safe(k, &w->known, node) {
		hmap_del(&w->known, &k->node);
		free(k);
	}
	hmap_fini(&w->known);
	free(w);
}
