/* SPDX-License-Identifier: Apache-2.0 */
/* A disk in memory that fails on demand: for tests.
 *
 * What      a struct disk whose n-th call fails, which fills up, and which
 *           forgets what was not fsynced when the power is cut.
 * Why so    a power cut here is crueler than a real one is allowed to be: each
 *           unsynced write survives, vanishes or is torn at a sector, each by
 *           itself and in any order; of the unsynced names (create, rename,
 *           unlink) a prefix per folder survives. All from the seed.
 * Threads   one.
 * Owns      all files; handles die with disk_test_destroy. */
#ifndef SYS_DISK_TEST_H
#define SYS_DISK_TEST_H

#include "sys/disk.h"

#define DISK_TEST_SECTOR 512u

struct disk *disk_test_create(uint64_t seed);
void disk_test_destroy(struct disk *d);

/* The n-th call from now on (1: the next) fails with -errnum, once; a failing
 * pwrite may have written a part before. 0: none. lock and close never fail. */
void disk_test_fail_at(struct disk *d, unsigned n, int errnum);
/* From the n-th call on all fail with -EIO, as a dead disk does. 0: none. */
void disk_test_die_at(struct disk *d, unsigned n);
/* Calls counted so far (those that can fail). */
unsigned disk_test_calls(const struct disk *d);
/* pwrite beyond this many bytes in all files: short, then -ENOSPC. */
void disk_test_limit(struct disk *d, uint64_t bytes);
/* Every open handle gives -EIO from now on (close it still); the files are what
 * a machine finds after the cut. Pending failures are forgotten. */
void disk_test_power_cut(struct disk *d);
/* The file's bytes as they are now; NULL when there is none. */
const void *disk_test_data(struct disk *d, const char *path, size_t *len);

#endif
