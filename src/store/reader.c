/* SPDX-License-Identifier: Apache-2.0 */
#include "store/reader.h"

#include <errno.h>

void reader_init(struct reader *r, struct disk_file *f, uint64_t off,
		 uint64_t end)
{
	*r = (struct reader){ .f = f, .off = off, .end = end, .buf_off = off };
}

void reader_fini(struct reader *r)
{
	free(r->buf);
	*r = (struct reader){ 0 };
}

/* Makes the window begin at `off` and hold at least `want` bytes, when the file
 * has so many. */
static int fill(struct reader *r, size_t want)
{
	size_t done = (size_t)(r->off - r->buf_off), kept = r->len - done;

	if (want > r->end - r->off)
		want = (size_t)(r->end - r->off);
	if (done)
		memmove(r->buf, r->buf + done, kept);
	r->buf_off = r->off;
	r->len = kept;
	if (want > r->cap) {
		r->buf = xrealloc(r->buf, want);
		r->cap = want;
	}
	while (r->len < want) {
		ssize_t n = disk_pread(r->f, r->buf + r->len, want - r->len,
				       r->buf_off + r->len);

		if (n <= 0)
			return n ? (int)n : -EIO;
		r->len += (size_t)n;
	}
	return 0;
}

/* Shall more be read before a record that is cut is believed to be? */
static bool has_more(const struct reader *r)
{
	return r->buf_off + r->len < r->end;
}

int reader_next(struct reader *r, struct record *out,
		enum record_status *status)
{
	size_t want = READER_WINDOW;
	int rc;

	for (;;) {
		size_t at = (size_t)(r->off - r->buf_off);

		*status = record_decode(r->buf, r->len, at, out);
		if (*status == RECORD_OK) {
			r->off += out->len;
			return 0;
		}
		if (*status == RECORD_DAMAGED || !has_more(r))
			return 0;
		rc = fill(r, MAX(want, (r->len - at) * 2));
		if (rc)
			return rc;
	}
}

int reader_rest(struct reader *r, const char **data, size_t *len)
{
	int rc = fill(r, (size_t)(r->end - r->off));

	*data = r->buf;
	*len = r->len;
	return rc;
}
