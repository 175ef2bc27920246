/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/key.h"

void mask_union(struct flow_mask *into, const struct flow_mask *other)
{
	uint64_t *a = key_words(&into->bits);
	const uint64_t *b = key_words_const(&other->bits);

	for (unsigned i = 0; i < KEY_WORDS; i++)
		a[i] |= b[i];
}

bool mask_is_subset(const struct flow_mask *a, const struct flow_mask *of)
{
	const uint64_t *x = key_words_const(&a->bits);
	const uint64_t *y = key_words_const(&of->bits);

	for (unsigned i = 0; i < KEY_WORDS; i++)
		if (x[i] & ~y[i])
			return false;
	return true;
}

bool mask_equal(const struct flow_mask *a, const struct flow_mask *b)
{
	return !memcmp(a, b, sizeof(*a));
}

struct flow_words mask_words(const struct flow_mask *m)
{
	const uint64_t *w = key_words_const(&m->bits);
	struct flow_words words = { { 0 } };

	for (unsigned i = 0; i < KEY_WORDS; i++)
		if (w[i])
			words.w[i / 64] |= 1ull << (i % 64);
	return words;
}

void key_apply_mask(const struct flow_key *k, const struct flow_mask *m,
		    struct flow_key *out)
{
	const uint64_t *a = key_words_const(k);
	const uint64_t *b = key_words_const(&m->bits);
	uint64_t *o = key_words(out);

	for (unsigned i = 0; i < KEY_WORDS; i++)
		o[i] = a[i] & b[i];
}

bool key_equal_under(const struct flow_key *a, const struct flow_key *b,
		     const struct flow_mask *m)
{
	const uint64_t *x = key_words_const(a), *y = key_words_const(b);
	const uint64_t *w = key_words_const(&m->bits);

	for (unsigned i = 0; i < KEY_WORDS; i++)
		if ((x[i] ^ y[i]) & w[i])
			return false;
	return true;
}
