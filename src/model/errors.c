/* SPDX-License-Identifier: Apache-2.0 */
#include "model/errors.h"

#include "base/str.h"

struct err *model_errors_next(struct model_errors *es)
{
	es->n_total++;
	return es->n < MODEL_MAX_ERRORS ? &es->items[es->n++] : NULL;
}

void model_errors_fini(struct model_errors *es)
{
	for (unsigned i = 0; i < es->n; i++)
		err_fini(&es->items[i]);
	*es = (struct model_errors)MODEL_ERRORS_INIT;
}

char *model_errors_format(const struct model_errors *es)
{
	struct str s = STR_INIT;

	for (unsigned i = 0; i < es->n; i++) {
		char *one = err_format(&es->items[i]);

		str_addf(&s, "%s%s", i ? "\n" : "", one);
		free(one);
	}
	if (es->n_total > es->n)
		str_addf(&s, "\n... and %u more", es->n_total - es->n);
	return str_take(&s);
}
