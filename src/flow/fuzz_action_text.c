/* SPDX-License-Identifier: Apache-2.0 */
/* Text as a list of actions: what parses is well formed, and its print parses
 * to the same bytes and prints the same. */
#include <stdlib.h>

#include "base/err.h"
#include "base/str.h"
#include "flow/action.h"

#define TEXT_MAX 4096u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct acts list, back;

static const char *port_name(void *ctx, uint32_t port)
{
	(void)ctx;
	return port == 7 ? "vm1" : port == 8 ? "a (b)" : NULL;
}

static int64_t port_number(void *ctx, const char *name)
{
	(void)ctx;
	return !strcmp(name, "vm1") ? 7 : !strcmp(name, "a (b)") ? 8 : -1;
}

static const struct act_names names = { port_name, port_number, NULL };

static void check_again(const char *text)
{
	struct str again = STR_INIT;
	struct err e = ERR_INIT;

	must(!acts_parse(text, &names, &back, &e));
	must(act_list_equal(acts_list(&list), acts_list(&back)));
	acts_format(acts_list(&back), &names, &again);
	must(!strcmp(text, str_text(&again)));
	str_fini(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str out = STR_INIT;
	struct err e = ERR_INIT;
	char text[TEXT_MAX];

	if (size >= sizeof(text))
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	if (acts_parse(text, &names, &list, &e)) {
		must(err_is_set(&e) && e.column);
		err_fini(&e);
		return 0;
	}
	must(!acts_check(acts_list(&list), true, &e));
	acts_format(acts_list(&list), &names, &out);
	check_again(str_text(&out));
	str_fini(&out);
	return 0;
}
