/* SPDX-License-Identifier: Apache-2.0 */
/* ICMP messages of anybody: an answer is only what quotes our own question. */
#include <netinet/in.h>

#include "sys/ping.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ping p = { .family = AF_INET, .id = 0x1234 };
	struct ping_answer a;

	if (!size)
		return 0;
	if (data[0] & 1)
		p.family = AF_INET6;
	if (ping_decode(&p, data + 1, size - 1, &a))
		must(a.kind <= PING_UNREACHABLE);
	return 0;
}
