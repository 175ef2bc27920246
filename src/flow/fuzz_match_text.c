/* SPDX-License-Identifier: Apache-2.0 */
/* Text as a match and as a key: what parses prints, and the print says the same
 * and is printed so again. */
#include "flow/match.h"

#define TEXT_MAX 1024u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_match(const char *text)
{
	struct str out = STR_INIT, again = STR_INIT;
	struct err e = ERR_INIT;
	struct match m, back;

	if (match_parse(text, &m, &e)) {
		must(err_is_set(&e));
		err_fini(&e);
		return;
	}
	match_format(&m, &out);
	must(!match_parse(str_text(&out), &back, &e));
	must(match_equal(&m, &back));
	match_format(&back, &again);
	must(!strcmp(str_text(&out), str_text(&again)));
	str_fini(&out);
	str_fini(&again);
}

static void check_key(const char *text)
{
	struct str out = STR_INIT;
	struct err e = ERR_INIT;
	struct flow_key k, back;

	if (key_parse(text, &k, &e)) {
		must(err_is_set(&e));
		err_fini(&e);
		return;
	}
	key_format(&k, &out);
	must(!key_parse(str_text(&out), &back, &e));
	must(!memcmp(&k, &back, sizeof(k)));
	str_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[TEXT_MAX];

	if (size >= sizeof(text))
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	check_match(text);
	check_key(text);
	return 0;
}
