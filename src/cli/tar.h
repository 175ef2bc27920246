/* SPDX-License-Identifier: Apache-2.0 */
/* A compressed tar archive, written from memory.
 *
 * What      create, add files, close: NAME.tar.gz.
 * Why so    a bug report is one file that every system can look into; no program
 *           is run to make it.
 * Invariant T1 the file is new (never one that is there), and its owner's alone.
 *           T2 a failure anywhere is told by tar_close, and the file is gone.
 * Threads   one.
 * Owns      its file.
 * Refs      POSIX.1-2017 pax, "ustar Interchange Format"; RFC 1952. */
#ifndef CLI_TAR_H
#define CLI_TAR_H

#include "base/err.h"
#include "base/str.h"

#define TAR_NAME_MAX 99u

struct tar;

/* `path` "-": the standard output. NULL with a sentence. */
struct tar *tar_create(const char *path, struct err *e) MUST_CHECK;
/* `name` is FOLDER/FILE, at most TAR_NAME_MAX bytes. */
void tar_add(struct tar *t, const char *name, const void *data, size_t len);
/* Frees. 0, or -EIO with a sentence. */
int tar_close(struct tar *t, struct err *e) MUST_CHECK;

#endif
