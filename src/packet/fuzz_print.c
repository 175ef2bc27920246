/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes, printed as each type of packet: one bounded line of plain text. */
#include "packet/packet.h"
#include "packet/print.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint32_t types[] = { PACKET_TYPE_ETHERNET, PACKET_TYPE_IP4,
					  PACKET_TYPE_IP6 };
	struct str s = STR_INIT;

	if (size > PACKET_MAX_LEN)
		return 0;
	for (unsigned i = 0; i < ARRAY_SIZE(types); i++) {
		str_clear(&s);
		packet_format(data, (uint32_t)size, types[i], &s);
		must(s.len > 0 && s.len <= PRINT_MAX);
		for (size_t k = 0; k < s.len; k++)
			must(s.s[k] >= ' ' && s.s[k] <= '~');
	}
	str_fini(&s);
	return 0;
}
