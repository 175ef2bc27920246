/* SPDX-License-Identifier: Apache-2.0 */
/* Network namespaces.
 *
 * What      open by name, process or path; create and delete named ones as
 *           `ip netns` does; run a function inside; watch them come and go.
 * Why so    a namespace is a descriptor here; what lives in it (sockets, nl,
 *           TAPs) is opened inside once and then used from outside.
 * Invariant S1 a thread that switched is back in its own namespace when the
 *           call returns; if the kernel refuses to take it back, we abort (a
 *           daemon in the wrong namespace would configure the wrong network).
 * Threads   the switch is the calling thread's alone. Only the control thread
 *           and tests call here.
 * Refs      namespaces(7), ip-netns(8). */
#ifndef SYS_NETNS_H
#define SYS_NETNS_H

#include "base/err.h"
#include "sys/loop.h"

#define NETNS_DIR "/run/netns"
#define NETNS_NAME_MAX 255u

/* "NAME", "pid:PID" or "/a/path": a descriptor (close-on-exec) to close(2), or
 * -errno and a sentence: -ENOENT when there is none (yet). */
int netns_open(const char *ref, struct err *e) MUST_CHECK;
/* The process that "pid:PID" means; 0: it means none. */
int netns_ref_pid(const char *ref);
int netns_open_name(const char *name, struct err *e) MUST_CHECK;
int netns_open_pid(int pid, struct err *e) MUST_CHECK;
int netns_open_path(const char *path, struct err *e) MUST_CHECK;
/* The calling thread's own. */
int netns_open_self(struct err *e) MUST_CHECK;
void netns_close(int fd);

/* May this be a namespace's name? No '/', not "." or "..", not empty. */
bool netns_name_is_valid(const char *name);
/* -EEXIST when the name is taken. The loopback device stays down. */
int netns_create(const char *name, struct err *e) MUST_CHECK;
/* -ENOENT when there is none. Processes inside keep the namespace alive. */
int netns_delete(const char *name, struct err *e) MUST_CHECK;

/* Do both descriptors mean the same namespace? */
bool netns_is_same(int a, int b);
/* A number that is this namespace's alone while it lives. 0 on failure. */
uint64_t netns_inode(int fd);

/* Runs fn(arg) inside and comes back; returns what fn returned, or -errno when
 * entering failed (fn not run). fd -1 (NL_CURRENT_NS): just runs it. */
int netns_run(int fd, int (*fn)(void *arg), void *arg,
	      struct err *e) MUST_CHECK;
/* socket(2) inside. */
int netns_socket(int fd, int domain, int type, int protocol,
		 struct err *e) MUST_CHECK;

/* Tells of named namespaces: first (in the loop's next round) each that is
 * there, then those that come and go. A name that came can be opened: the call
 * waits until the mount behind it is done. Survives the folder's absence. */
typedef void netns_watch_fn(void *arg, const char *name, bool present);

struct netns_watch;
int netns_watch_create(struct netns_watch **out, struct loop *loop,
		       netns_watch_fn *fn, void *arg, struct err *e) MUST_CHECK;
void netns_watch_destroy(struct netns_watch *w);

#endif
