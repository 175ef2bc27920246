/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP requests of anybody: no path longer than it may be, none from what is no
 * request. */
#include "sys/http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[HTTP_PATH_MAX];
	char *copy = xmalloc(size + 1);

	memcpy(copy, data, size);
	if (http_request_parse(copy, size, path) == HTTP_GET)
		must(path[0] == '/' && strlen(path) < HTTP_PATH_MAX);
	free(copy);
	return 0;
}
