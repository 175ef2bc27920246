/* SPDX-License-Identifier: Apache-2.0 */
/* BPF programs and maps: loading an object, and what maps are used for.
 *
 * What      loads an object file that lies in memory; its programs and maps as
 *           descriptors by name; get, put, take of a map's entries.
 * Why so    libbpf relocates and loads; after that descriptors are all that is
 *           needed, and its memory is given back.
 * Threads   load and free: the control thread. Map calls: any.
 * Owns      the descriptors of the object. */
#ifndef SYS_KBPF_H
#define SYS_KBPF_H

#include "base/err.h"

#define KBPF_MAX_PARTS 8u

struct kbpf_part {
	char name[16];
	int fd;
};

struct kbpf {
	struct kbpf_part parts[KBPF_MAX_PARTS]; /* programs and maps */
	unsigned n;
};

/* 0; -EPERM without the rights; -EOPNOTSUPP when this weft was built without
 * BPF; another -errno with the kernel's last words in `e`. */
int kbpf_load(struct kbpf *k, const void *object, size_t len,
	      struct err *e) MUST_CHECK;
void kbpf_free(struct kbpf *k);
/* The descriptor of a program or map of the object; must exist. */
int kbpf_fd(const struct kbpf *k, const char *name);

/* 0, -ENOENT, -E2BIG (full) or another -errno. */
int kbpf_map_get(int map, const void *key, void *value) MUST_CHECK;
int kbpf_map_put(int map, const void *key, const void *value) MUST_CHECK;
/* Removes, and gives what the value was at last. */
int kbpf_map_take(int map, const void *key, void *value) MUST_CHECK;
int kbpf_map_del(int map, const void *key);
/* An array map's memory, shared with the kernel; NULL when refused. */
void *kbpf_map_share(int map, size_t len);
void kbpf_map_unshare(void *p, size_t len);
/* The memory stays where it is, as a copy of our own: the kernel keeps what is in
 * the map now. Readers may see zeros for a moment. */
void kbpf_map_part(void *p, size_t len);
/* Runs a tc program on a frame as if it had come in by a device of this
 * namespace, for tests: what the program says, and the frame as it left it.
 * `gso_size` 0: none. Negative: -errno. */
struct kbpf_try {
	uint32_t ifindex, gso_size;
	const void *in;
	uint32_t in_len;
	void *out;
	uint32_t out_len; /* room, then bytes */
};
int kbpf_try(int program, struct kbpf_try *t) MUST_CHECK;
/* The program becomes the socket's filter; -1 takes it off. */
int kbpf_socket_filter(int socket, int program) MUST_CHECK;

#endif
