/* SPDX-License-Identifier: Apache-2.0 */
#include "store/record.h"

#include <openssl/sha.h>
#include <stdio.h>

#define MAGIC "OVSDB JSON "
#define MAGIC_LEN (sizeof(MAGIC) - 1)
#define DIGEST_TEXT_LEN (2 * SHA_DIGEST_LENGTH)

static void digest_format(const unsigned char d[SHA_DIGEST_LENGTH],
			  char out[DIGEST_TEXT_LEN + 1])
{
	static const char hex[] = "0123456789abcdef";

	for (unsigned i = 0; i < SHA_DIGEST_LENGTH; i++) {
		out[2 * i] = hex[d[i] >> 4];
		out[2 * i + 1] = hex[d[i] & 15];
	}
	out[DIGEST_TEXT_LEN] = '\0';
}

static void digest_text(const char *data, size_t len,
			char out[DIGEST_TEXT_LEN + 1])
{
	unsigned char d[SHA_DIGEST_LENGTH];

	SHA1((const unsigned char *)data, len, d);
	digest_format(d, out);
}

/* The header is as long as its number is: the body goes behind a gap that is
 * wide enough for any, and is moved up. */
static void encode(const char *json, size_t len, const char *end,
		   struct str *out)
{
	char digest[DIGEST_TEXT_LEN + 1], head[RECORD_HEADER_MAX + 1];
	size_t begin = out->len, n, body;

	str_add_n(out, memset(head, ' ', sizeof(head)), RECORD_HEADER_MAX);
	str_add_n(out, json, len);
	str_add(out, end);
	body = out->len - begin - RECORD_HEADER_MAX;
	digest_text(out->s + begin + RECORD_HEADER_MAX, body, digest);
	n = (size_t)snprintf(head, sizeof(head), MAGIC "%zu %s\n", body,
			     digest);
	must(n <= RECORD_HEADER_MAX);
	memcpy(out->s + begin, head, n);
	memmove(out->s + begin + n, out->s + begin + RECORD_HEADER_MAX, body);
	str_truncate(out, begin + n + body);
}

void record_encode(const char *json, size_t len, struct str *out)
{
	encode(json, len, "\n", out);
}

void record_encode_joined(const char *json, size_t len, struct str *out)
{
	encode(json, len, " \n", out);
}

/* The header line at `p`: its length and what it says. */
static bool header_parse(const char *p, size_t len, size_t *body,
			 char digest[DIGEST_TEXT_LEN + 1])
{
	size_t i = MAGIC_LEN, n = 0, digits = 0;

	if (len < MAGIC_LEN || memcmp(p, MAGIC, MAGIC_LEN))
		return false;
	for (; i < len && p[i] >= '0' && p[i] <= '9' && digits < 9; digits++)
		n = n * 10 + (size_t)(p[i++] - '0');
	/* one way to write a number, else a flipped bit could go unseen */
	if (!digits || p[MAGIC_LEN] == '0' || n > RECORD_MAX_BYTES)
		return false;
	if (i >= len || p[i++] != ' ' || len - i != DIGEST_TEXT_LEN)
		return false;
	memcpy(digest, p + i, DIGEST_TEXT_LEN);
	digest[DIGEST_TEXT_LEN] = '\0';
	*body = n;
	return true;
}

/* Could what ends here be the beginning of a header? */
static bool is_cut_header(const char *p, size_t len)
{
	size_t n = MIN(len, MAGIC_LEN);

	return len < RECORD_HEADER_MAX && !memcmp(p, MAGIC, n);
}

enum record_status record_decode(const char *data, size_t size, size_t off,
				 struct record *out)
{
	char digest[DIGEST_TEXT_LEN + 1], right[DIGEST_TEXT_LEN + 1];
	size_t left = size - off, line, body;
	const char *p = data + off, *eol;

	if (!left)
		return RECORD_END;
	eol = memchr(p, '\n', MIN(left, (size_t)RECORD_HEADER_MAX));
	if (!eol)
		return is_cut_header(p, left) ? RECORD_CUT : RECORD_DAMAGED;
	line = (size_t)(eol - p);
	if (!header_parse(p, line, &body, digest))
		return RECORD_DAMAGED;
	if (left - line - 1 < body)
		return RECORD_CUT;
	digest_text(eol + 1, body, right);
	if (strcmp(digest, right))
		return RECORD_DAMAGED;
	*out = (struct record){ off, line + 1 + body, eol + 1, body };
	return RECORD_OK;
}

bool record_search(const char *data, size_t size, size_t off,
		   struct record *out)
{
	while (off < size) {
		const char *p =
			memmem(data + off, size - off, MAGIC, MAGIC_LEN);

		if (!p)
			return false;
		off = (size_t)(p - data);
		if (record_decode(data, size, off, out) == RECORD_OK)
			return true;
		off++;
	}
	return false;
}
