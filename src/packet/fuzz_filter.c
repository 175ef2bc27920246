/* SPDX-License-Identifier: Apache-2.0 */
/* A filter as text, checked, then run on the text itself. */
#include "packet/filter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct filter_op ops[FILTER_MAX];
	char *text = xstrndup((const char *)data, size);
	struct err e = ERR_INIT;
	int n = filter_parse(text, ops, &e);
	struct filter f = { n > 0 ? (unsigned)n : 0, ops };

	if (n >= 0 && !filter_check(&f, &e))
		(void)filter_pass(&f, data, (uint32_t)size);
	must(n < 0 ? err_is_set(&e) : true);
	err_fini(&e);
	free(text);
	return 0;
}
