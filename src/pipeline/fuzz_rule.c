/* SPDX-License-Identifier: Apache-2.0 */
/* Rules as text: whatever it is, it is taken or refused with a sentence. */
#include "base/err.h"
#include "pipeline/rule.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rule_spec *spec = xmalloc(sizeof(*spec));
	char *text = xstrndup((const char *)data, size);
	struct err e = ERR_INIT;

	acts_clear(&spec->actions);
	if (rule_parse(text, NULL, spec, &e))
		must(err_is_set(&e));
	else
		must(spec->priority <= 65535);
	err_fini(&e);
	free(text);
	free(spec);
	return 0;
}
