/* SPDX-License-Identifier: Apache-2.0 */
/* Names of connections: a good one is called again what it is, a bad one has a
 * sentence. */
#include "sys/stream_name.h"

#define DEFAULT_PORT 6640

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What a dialled name is formatted to is the same address again. */
static void check_again(const struct stream_name *n)
{
	char text[STREAM_NAME_LEN];
	struct stream_name again;
	struct err e = ERR_INIT;

	if (n->kind == STREAM_UNIX || n->listens)
		return;
	stream_name_format_peer(n->kind, &n->address, text);
	must(!stream_name_parse(text, 0, &again, &e));
	must(again.kind == n->kind);
	must(!memcmp(&again.address, &n->address, n->address_len));
	stream_name_fini(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = xstrndup((const char *)data, size);
	struct err e = ERR_INIT;
	struct stream_name n;

	if (!stream_name_parse(text, DEFAULT_PORT, &n, &e)) {
		must(n.listens == stream_name_listens(text));
		check_again(&n);
	} else {
		must(err_is_set(&e));
	}
	stream_name_fini(&n);
	err_fini(&e);
	free(text);
	return 0;
}
