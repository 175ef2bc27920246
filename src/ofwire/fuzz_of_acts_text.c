/* SPDX-License-Identifier: Apache-2.0 */
/* Any text as actions: what parses prints, and once printed it parses to a list
 * that prints the same. */
#include "ofwire/acts_text.h"

#define TEXT_MAX 1024u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool printed(const char *text, struct str *out, struct of_out *o)
{
	struct of_acts acts = OF_ACTS_INIT;
	struct err e = ERR_INIT;
	int rc = of_acts_parse(text, NULL, &acts, &e);

	if (rc) {
		must(err_is_set(&e) && !acts.len);
	} else {
		of_acts_format(of_acts_list(&acts), NULL, out);
		(void)of_acts_encode(o, OF13, of_acts_list(&acts));
	}
	err_fini(&e);
	of_acts_fini(&acts);
	return !rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str first = STR_INIT, second = STR_INIT;
	struct of_out o = OF_OUT_INIT;
	char text[TEXT_MAX];
	uint32_t port;

	if (size >= sizeof(text))
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	(void)of_port_parse(text, NULL, &port);
	if (printed(text, &first, &o)) {
		must(printed(str_text(&first), &second, &o));
		must(!strcmp(str_text(&first), str_text(&second)));
	}
	str_fini(&first);
	str_fini(&second);
	of_out_fini(&o);
	return 0;
}
