/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes are refused or are a model that prints itself and can be seen. */
#include "model/diff.h"
#include "model/model.h"
#include "model/view.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__lsan_default_suppressions(void);

/* libfyaml 0.7 loses 4 kB of its own on some unterminated quotes. What we lose
 * of it shows in the unit tests. */
const char *__lsan_default_suppressions(void)
{
	return "leak:libfyaml\n";
}

static void check_views(const struct model *m)
{
	for (unsigned i = 0; i <= m->hosts.n; i++) {
		struct err e = ERR_INIT;
		struct model_view *v;

		v = model_view_create(
			m, i ? m->hosts.items[i - 1].o.name : "other", &e);
		must(v || err_is_set(&e));
		model_view_destroy(v);
		err_fini(&e);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct model_errors es = MODEL_ERRORS_INIT;
	struct str s = STR_INIT;
	struct model *m, *n;
	struct model_diff d;

	m = model_parse((const char *)data, size, "fuzz", &es);
	must(m || es.n);
	if (m) {
		model_print(m, &s);
		n = model_parse(s.s, s.len, "printed", &es);
		must(n);
		must(model_equal(m, n));
		model_diff_init(&d, m, n);
		must(!d.n);
		model_diff_fini(&d);
		check_views(m);
		model_destroy(n);
	}
	model_destroy(m);
	model_errors_fini(&es);
	str_fini(&s);
	return 0;
}
