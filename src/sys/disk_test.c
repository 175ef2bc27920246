/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/disk_test.h"

#include <errno.h>

#include "base/list.h"

/* A file's bytes. */
struct bytes {
	uint8_t *p;
	size_t len;
};

/* A write or (data NULL) a truncation that no fsync has covered yet. */
struct change {
	struct list link;
	uint64_t off; /* truncation: the new length */
	size_t len;
	uint8_t *data;
};

struct inode {
	struct list link;
	struct bytes now;    /* what reads see */
	struct bytes synced; /* what the platter has */
	struct list changes; /* from synced to now, in order */
	struct disk_file *locked_by;
	bool is_dir;
};

/* What a name means now and what it means after a power cut. */
struct name {
	struct list link;
	char *path;
	struct inode *now, *synced;
};

/* An unsynced change of one name; a rename is two that survive together. */
struct name_change {
	struct list link;
	struct name *name, *name2; /* name2: NULL, or the rename's source */
	struct inode *inode;       /* what `name` means from now on, or NULL */
};

struct test_disk {
	struct disk disk;
	uint64_t seed;
	struct list inodes, names, name_changes;
	unsigned calls, fail_at, die_at, generation;
	int fail_errnum;
	uint64_t limit;
};

struct test_file {
	struct disk_file file;
	struct inode *inode;
	unsigned generation;
	bool writable;
};

static struct test_disk *test_disk(struct disk *d)
{
	return container_of(d, struct test_disk, disk);
}

static struct test_file *test_file(struct disk_file *f)
{
	return container_of(f, struct test_file, file);
}

/* splitmix64 */
static uint64_t test_random(struct test_disk *t)
{
	uint64_t z = t->seed += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

/* Counts a call; 0, or how it is to fail. */
static int test_call(struct test_disk *t)
{
	t->calls++;
	if (t->die_at && t->calls >= t->die_at)
		return -EIO;
	if (!t->fail_at || t->calls != t->fail_at)
		return 0;
	t->fail_at = 0;
	return -t->fail_errnum;
}

static int test_file_call(struct disk_file *f)
{
	struct test_disk *t = test_disk(f->disk);

	if (test_file(f)->generation != t->generation)
		return -EIO;
	return test_call(t);
}

static void bytes_resize(struct bytes *b, size_t len)
{
	b->p = xrealloc(b->p, len + 1);
	if (len > b->len)
		memset(b->p + b->len, 0, len - b->len);
	b->len = len;
}

static void bytes_write(struct bytes *b, uint64_t off, const void *data,
			size_t len)
{
	if (off + len > b->len)
		bytes_resize(b, off + len);
	memcpy(b->p + off, data, len);
}

static void change_apply(const struct change *c, struct bytes *b)
{
	if (c->data)
		bytes_write(b, c->off, c->data, c->len);
	else
		bytes_resize(b, c->off);
}

static void change_free(struct change *c)
{
	list_del(&c->link);
	free(c->data);
	free(c);
}

static void inode_change(struct inode *i, uint64_t off, const void *data,
			 size_t len)
{
	struct change *c = xzalloc(sizeof(*c));

	c->off = off;
	c->len = len;
	c->data = data ? xmemdup(data, MAX(len, 1u)) : NULL;
	list_push_back(&i->changes, &c->link);
	change_apply(c, &i->now);
}

static struct inode *inode_create(struct test_disk *t, bool is_dir)
{
	struct inode *i = xzalloc(sizeof(*i));

	list_init(&i->changes);
	i->is_dir = is_dir;
	bytes_resize(&i->now, 0);
	bytes_resize(&i->synced, 0);
	list_push_back(&t->inodes, &i->link);
	return i;
}

static struct name *name_get(struct test_disk *t, const char *path)
{
	struct name *n;

	list_for_each(n, &t->names, link)
		if (!strcmp(n->path, path))
			return n;
	n = xzalloc(sizeof(*n));
	n->path = xstrdup(path);
	list_push_back(&t->names, &n->link);
	return n;
}

static void name_change(struct test_disk *t, struct name *n,
			struct inode *inode, struct name *source)
{
	struct name_change *c = xzalloc(sizeof(*c));

	c->name = n;
	c->name2 = source;
	c->inode = inode;
	list_push_back(&t->name_changes, &c->link);
	n->now = inode;
	if (source)
		source->now = NULL;
}

static void name_change_sync(struct name_change *c)
{
	c->name->synced = c->inode;
	if (c->name2)
		c->name2->synced = NULL;
	list_del(&c->link);
	free(c);
}

static size_t dir_len(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? (size_t)(slash - path) : 0;
}

static bool is_same_dir(const char *a, const char *b)
{
	size_t n = dir_len(a);

	return n == dir_len(b) && !strncmp(a, b, n);
}

/* --- the operations ------------------------------------------------------ */
static int test_open_inode(struct test_disk *t, const char *path,
			   unsigned flags, struct inode **out)
{
	struct name *n = name_get(t, path);

	if (n->now && flags & DISK_CREATE && flags & DISK_EXCLUSIVE)
		return -EEXIST;
	if (!n->now && !(flags & DISK_CREATE))
		return -ENOENT;
	if (n->now && n->now->is_dir && flags & DISK_WRITE)
		return -EISDIR;
	if (!n->now)
		name_change(t, n, inode_create(t, false), NULL);
	else if (flags & DISK_TRUNCATE)
		inode_change(n->now, 0, NULL, 0);
	*out = n->now;
	return 0;
}

static int test_open(struct disk *d, const char *path, unsigned flags,
		     unsigned mode UNUSED, struct disk_file **out)
{
	struct test_disk *t = test_disk(d);
	struct inode *inode = NULL;
	struct test_file *f;
	int err = test_call(t);

	if (!err)
		err = test_open_inode(t, path, flags, &inode);
	if (err)
		return err;
	f = xzalloc(sizeof(*f));
	*f = (struct test_file){
		{ d }, inode, t->generation, flags & DISK_WRITE
	};
	*out = &f->file;
	return 0;
}

static ssize_t test_pread(struct disk_file *f, void *buf, size_t len,
			  uint64_t off)
{
	struct bytes *b = &test_file(f)->inode->now;
	int err = test_file_call(f);

	if (err)
		return err;
	if (off >= b->len)
		return 0;
	len = MIN(len, b->len - off);
	memcpy(buf, b->p + off, len);
	return (ssize_t)len;
}

/* How many of `len` bytes at `off` the disk has room for. */
static size_t test_room(struct test_disk *t, const struct inode *inode,
			uint64_t off, size_t len)
{
	uint64_t used = 0, room;
	struct inode *i;

	if (!t->limit)
		return len;
	list_for_each(i, &t->inodes, link)
		used += i->now.len;
	room = t->limit > used ? t->limit - used : 0;
	if (off < inode->now.len)
		room += inode->now.len - off;
	return MIN(len, room);
}

static ssize_t test_pwrite(struct disk_file *f, const void *buf, size_t len,
			   uint64_t off)
{
	struct test_disk *t = test_disk(f->disk);
	struct inode *inode = test_file(f)->inode;
	int err = test_file_call(f);

	if (test_file(f)->generation != t->generation)
		return err;
	if (!test_file(f)->writable)
		return -EBADF;
	if (err) {
		inode_change(inode, off, buf, test_random(t) % (len + 1));
		return err;
	}
	len = test_room(t, inode, off, len);
	if (!len)
		return -ENOSPC;
	inode_change(inode, off, buf, len);
	return (ssize_t)len;
}

static int test_truncate(struct disk_file *f, uint64_t len)
{
	int err = test_file_call(f);

	if (!err)
		inode_change(test_file(f)->inode, len, NULL, 0);
	return err;
}

/* A failed fsync loses some of what it should have written for good: the
 * kernel marks the pages clean, and the next fsync has nothing to say. */
static int test_fsync(struct disk_file *f)
{
	struct test_disk *t = test_disk(f->disk);
	struct inode *inode = test_file(f)->inode;
	int err = test_file_call(f);
	struct change *c, *tmp;

	if (test_file(f)->generation != t->generation)
		return err;
	list_for_each_safe(c, tmp, &inode->changes, link) {
		if (!err)
			change_apply(c, &inode->synced);
		if (!err || test_random(t) & 1)
			change_free(c);
	}
	return err;
}

static int test_size(struct disk_file *f, uint64_t *out)
{
	int err = test_file_call(f);

	if (!err)
		*out = test_file(f)->inode->now.len;
	return err;
}

static int test_lock(struct disk_file *f)
{
	struct inode *inode = test_file(f)->inode;

	if (inode->locked_by && inode->locked_by != f)
		return -EWOULDBLOCK;
	inode->locked_by = f;
	return 0;
}

static void test_close(struct disk_file *f)
{
	struct test_file *tf = test_file(f);

	if (tf->inode->locked_by == f)
		tf->inode->locked_by = NULL;
	free(tf);
}

static int test_rename(struct disk *d, const char *from, const char *to)
{
	struct test_disk *t = test_disk(d);
	int err = test_call(t);

	must(is_same_dir(from, to));
	if (err)
		return err;
	if (!name_get(t, from)->now)
		return -ENOENT;
	name_change(t, name_get(t, to), name_get(t, from)->now,
		    name_get(t, from));
	return 0;
}

static int test_unlink(struct disk *d, const char *path)
{
	struct test_disk *t = test_disk(d);
	int err = test_call(t);

	if (err)
		return err;
	if (!name_get(t, path)->now)
		return -ENOENT;
	name_change(t, name_get(t, path), NULL, NULL);
	return 0;
}

static int test_mkdir(struct disk *d, const char *path, unsigned mode UNUSED)
{
	struct test_disk *t = test_disk(d);
	int err = test_call(t);

	if (err)
		return err;
	if (name_get(t, path)->now)
		return -EEXIST;
	name_change(t, name_get(t, path), inode_create(t, true), NULL);
	return 0;
}

static int test_fsync_dir(struct disk *d, const char *path)
{
	struct test_disk *t = test_disk(d);
	struct name_change *c, *tmp;
	int err = test_call(t);

	if (err)
		return err;
	list_for_each_safe(c, tmp, &t->name_changes, link)
		if (is_same_dir(c->name->path, path))
			name_change_sync(c);
	return 0;
}

static const struct disk_ops test_ops = {
	.open = test_open,
	.pread = test_pread,
	.pwrite = test_pwrite,
	.truncate = test_truncate,
	.fsync = test_fsync,
	.size = test_size,
	.lock = test_lock,
	.close = test_close,
	.rename = test_rename,
	.unlink = test_unlink,
	.mkdir = test_mkdir,
	.fsync_dir = test_fsync_dir,
};

/* --- the tester's side --------------------------------------------------- */
struct disk *disk_test_create(uint64_t seed)
{
	struct test_disk *t = xzalloc(sizeof(*t));

	t->disk.ops = &test_ops;
	t->seed = seed;
	list_init(&t->inodes);
	list_init(&t->names);
	list_init(&t->name_changes);
	return &t->disk;
}

static void inode_free(struct inode *i)
{
	while (!list_is_empty(&i->changes))
		change_free(list_entry(i->changes.next, struct change, link));
	list_del(&i->link);
	free(i->now.p);
	free(i->synced.p);
	free(i);
}

static void test_drop_name_changes(struct test_disk *t)
{
	struct name_change *c, *tmp;

	list_for_each_safe(c, tmp, &t->name_changes, link) {
		list_del(&c->link);
		free(c);
	}
}

void disk_test_destroy(struct disk *d)
{
	struct test_disk *t = test_disk(d);
	struct inode *i, *itmp;
	struct name *n, *ntmp;

	if (!d)
		return;
	list_for_each_safe(i, itmp, &t->inodes, link)
		inode_free(i);
	list_for_each_safe(n, ntmp, &t->names, link) {
		list_del(&n->link);
		free(n->path);
		free(n);
	}
	test_drop_name_changes(t);
	free(t);
}

void disk_test_fail_at(struct disk *d, unsigned n, int errnum)
{
	struct test_disk *t = test_disk(d);

	t->fail_at = n ? t->calls + n : 0;
	t->fail_errnum = errnum;
}

void disk_test_die_at(struct disk *d, unsigned n)
{
	struct test_disk *t = test_disk(d);

	t->die_at = n ? t->calls + n : 0;
}

unsigned disk_test_calls(const struct disk *d)
{
	return container_of(d, const struct test_disk, disk)->calls;
}

void disk_test_limit(struct disk *d, uint64_t bytes)
{
	test_disk(d)->limit = bytes;
}

/* A write that was under way: each of its sectors made it or did not. */
static void change_tear(struct test_disk *t, const struct change *c,
			struct bytes *b)
{
	uint64_t off = c->off, end = c->off + c->len;

	while (off < end) {
		uint64_t sector_end = MIN(end, (off / DISK_TEST_SECTOR + 1) *
						       DISK_TEST_SECTOR);

		if (test_random(t) & 1)
			bytes_write(b, off, c->data + (off - c->off),
				    sector_end - off);
		off = sector_end;
	}
}

static struct change *inode_random_change(struct test_disk *t, struct inode *i)
{
	uint64_t n = test_random(t) % list_count(&i->changes);
	struct list *l = i->changes.next;

	while (n--)
		l = l->next;
	return list_entry(l, struct change, link);
}

static void inode_power_cut(struct test_disk *t, struct inode *i)
{
	while (!list_is_empty(&i->changes)) {
		struct change *c = inode_random_change(t, i);
		unsigned fate = test_random(t) % 3;

		if (fate == 0)
			change_apply(c, &i->synced);
		else if (fate == 1 && c->data)
			change_tear(t, c, &i->synced);
		change_free(c);
	}
	i->locked_by = NULL;
	bytes_resize(&i->now, 0);
	if (i->synced.len)
		bytes_write(&i->now, 0, i->synced.p, i->synced.len);
}

/* Of each folder's changes a prefix survives: the journal keeps their order,
 * but each folder's stops by itself. */
static void test_cut_names(struct test_disk *t)
{
	struct name_change *c, *tmp;
	struct name *n;

	while (!list_is_empty(&t->name_changes)) {
		bool kept = true;
		const char *dir = list_entry(t->name_changes.next,
					     struct name_change, link)
					  ->name->path;

		list_for_each_safe(c, tmp, &t->name_changes, link) {
			if (!is_same_dir(c->name->path, dir))
				continue;
			kept = kept && test_random(t) % 3;
			if (kept) {
				name_change_sync(c);
				continue;
			}
			list_del(&c->link);
			free(c);
		}
	}
	list_for_each(n, &t->names, link)
		n->now = n->synced;
}

void disk_test_power_cut(struct disk *d)
{
	struct test_disk *t = test_disk(d);
	struct inode *i;

	t->generation++;
	t->fail_at = t->die_at = 0;
	list_for_each(i, &t->inodes, link)
		inode_power_cut(t, i);
	test_cut_names(t);
}

const void *disk_test_data(struct disk *d, const char *path, size_t *len)
{
	struct name *n = name_get(test_disk(d), path);

	if (!n->now)
		return NULL;
	*len = n->now->now.len;
	return n->now->now.p;
}
