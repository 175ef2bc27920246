/* SPDX-License-Identifier: Apache-2.0 */
/* Notes from another host: any bytes, as several frames. The first two bytes
 * of the input say how long each frame is. */
#include <stddef.h>
#include <stdint.h>

#include "overlay/note.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct note_join j = { 0 };
	size_t step = size > 2 ? MAX((size_t)data[0] << 8 | data[1], 1u) : 1;

	for (size_t at = 2; at < size; at += step) {
		struct note_part p;

		if (!note_decode(data + at, (uint32_t)MIN(step, size - at), &p))
			continue;
		must(p.part < p.parts && p.parts <= NOTE_PARTS);
		if (note_join_put(&j, &p))
			must(j.len <= NOTE_MAX && !j.text[j.len]);
	}
	note_join_fini(&j);
	return 0;
}
