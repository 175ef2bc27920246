/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/kbpf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/str.h"
#include "sys/fail.h"

#ifdef HAVE_LIBBPF
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>

/* What libbpf said last: the reason of a failed load. */
static char kbpf_words[128];

static int PRINTF_LIKE(2, 0) kbpf_print(enum libbpf_print_level level,
					const char *format, va_list args)
{
	if (level == LIBBPF_WARN)
		vsnprintf(kbpf_words, sizeof(kbpf_words), format, args);
	return 0;
}

static int kbpf_keep(struct kbpf *k, const char *name, int fd)
{
	struct kbpf_part *p = &k->parts[k->n];

	must(k->n < KBPF_MAX_PARTS);
	p->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (p->fd < 0)
		return -errno;
	snprintf(p->name, sizeof(p->name), "%s", name);
	k->n++;
	return 0;
}

static int kbpf_keep_all(struct kbpf *k, struct bpf_object *o)
{
	struct bpf_program *p;
	struct bpf_map *m;
	int err = 0;

	bpf_object__for_each_program(p, o) if (!err) err =
		kbpf_keep(k, bpf_program__name(p), bpf_program__fd(p));
	bpf_object__for_each_map(m, o) if (!err && !bpf_map__is_internal(m))
		err = kbpf_keep(k, bpf_map__name(m), bpf_map__fd(m));
	return err;
}

int kbpf_load(struct kbpf *k, const void *object, size_t len, struct err *e)
{
	struct bpf_object *o;
	int err;

	*k = (struct kbpf){ 0 };
	libbpf_set_print(kbpf_print);
	kbpf_words[0] = '\0';
	o = bpf_object__open_mem(object, len, NULL);
	err = o ? bpf_object__load(o) : -errno;
	if (!err)
		err = kbpf_keep_all(k, o);
	bpf_object__close(o);
	if (!err)
		return 0;
	kbpf_free(k);
	if (err == -EPERM)
		return fail_say(e, EPERM,
				"not permitted to load BPF programs: that "
				"needs CAP_BPF and CAP_NET_ADMIN");
	kbpf_words[strcspn(kbpf_words, "\n")] = '\0';
	return fail_errno(e, err, "the kernel refused the BPF programs (%s)",
			  kbpf_words);
}

int kbpf_map_get(int map, const void *key, void *value)
{
	return bpf_map_lookup_elem(map, key, value) ? -errno : 0;
}

int kbpf_map_put(int map, const void *key, const void *value)
{
	return bpf_map_update_elem(map, key, value, BPF_ANY) ? -errno : 0;
}

int kbpf_map_take(int map, const void *key, void *value)
{
	return bpf_map_lookup_and_delete_elem(map, key, value) ? -errno : 0;
}

int kbpf_map_del(int map, const void *key)
{
	return bpf_map_delete_elem(map, key) ? -errno : 0;
}

int kbpf_try(int program, struct kbpf_try *t)
{
	struct __sk_buff skb = { .ifindex = t->ifindex,
				 .gso_size = t->gso_size,
				 .gso_segs = t->gso_size ? 2 : 0 };
	LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = t->in,
		    .data_size_in = t->in_len, .data_out = t->out,
		    .data_size_out = t->out_len, .ctx_in = &skb,
		    .ctx_size_in = sizeof(skb), .repeat = 1);

	if (bpf_prog_test_run_opts(program, &o))
		return -errno;
	t->out_len = o.data_size_out;
	return (int)o.retval;
}
#else
int kbpf_load(struct kbpf *k, const void *object UNUSED, size_t len UNUSED,
	      struct err *e)
{
	*k = (struct kbpf){ 0 };
	return fail_say(e, EOPNOTSUPP, "this weft was built without BPF");
}

int kbpf_map_get(int map UNUSED, const void *key UNUSED, void *value UNUSED)
{
	return -EOPNOTSUPP;
}

int kbpf_map_put(int map UNUSED, const void *key UNUSED,
		 const void *value UNUSED)
{
	return -EOPNOTSUPP;
}

int kbpf_map_take(int map UNUSED, const void *key UNUSED, void *value UNUSED)
{
	return -EOPNOTSUPP;
}

int kbpf_map_del(int map UNUSED, const void *key UNUSED)
{
	return -EOPNOTSUPP;
}

int kbpf_try(int program UNUSED, struct kbpf_try *t UNUSED)
{
	return -EOPNOTSUPP;
}
#endif

void kbpf_free(struct kbpf *k)
{
	while (k->n)
		close(k->parts[--k->n].fd);
}

int kbpf_fd(const struct kbpf *k, const char *name)
{
	for (unsigned i = 0; i < k->n; i++)
		if (!strncmp(k->parts[i].name, name, sizeof(k->parts[i].name)))
			return k->parts[i].fd;
	must(!"the object has it");
	return -1;
}

void *kbpf_map_share(int map, size_t len)
{
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, map, 0);

	return p == MAP_FAILED ? NULL : p;
}

void kbpf_map_part(void *p, size_t len)
{
	void *copy = xmalloc(len);

	memcpy(copy, p, len);
	must(mmap(p, len, PROT_READ | PROT_WRITE,
		  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == p);
	memcpy(p, copy, len);
	free(copy);
}

void kbpf_map_unshare(void *p, size_t len)
{
	if (p)
		munmap(p, len);
}

int kbpf_socket_filter(int socket, int program)
{
	int option = program < 0 ? SO_DETACH_FILTER : SO_ATTACH_BPF;

	return setsockopt(socket, SOL_SOCKET, option, &program,
			  sizeof(program)) ?
		       -errno :
		       0;
}
