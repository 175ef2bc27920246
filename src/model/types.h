/* SPDX-License-Identifier: Apache-2.0 */
/* What the types of values share.
 *
 * What      helpers of types.c and vectors.c: messages, scalars, numbers.
 * Threads   none of their own. */
#ifndef MODEL_TYPES_H
#define MODEL_TYPES_H

#include "model/schema.h"

/* "KEY of WHAT NAME must be WANT, not what stands at `n`". */
void types_bad(struct schema_reader *r, const struct schema_key *k,
	       const struct yaml_node *n, const char *want);
/* The text of a scalar; NULL after complaining. */
const char *types_scalar(struct schema_reader *r, const struct schema_key *k,
			 const struct yaml_node *n);
/* "one of tap, tun" of a key with words; returns how many there are. */
unsigned types_words(const struct schema_key *k, struct str *out);
/* Decimal digits only; -EINVAL, or -ERANGE beyond 32 bits. */
int types_number(const char *s, uint32_t *out) MUST_CHECK;
/* The model's own copy of a file's name; NULL stays NULL. */
const char *types_file(struct model *m, const char *file);

#endif
