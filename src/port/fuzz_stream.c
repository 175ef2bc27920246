/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: what a virtual machine's program writes into a stream port's socket.
 * The same frames are found whatever pieces it arrives in. */
#include "port/stream_frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct found {
	unsigned n;
	uint64_t bytes;
	size_t left; /* behind the last whole frame */
	enum stream_got end;
};

static struct found look(const uint8_t *data, size_t size, struct found f)
{
	struct cursor c = cursor_init(data, size);
	const uint8_t *frame;
	uint32_t len;

	for (;;) {
		f.end = stream_frame_decode(&c, &frame, &len);
		if (f.end != STREAM_FRAME)
			break;
		must(len && len <= PACKET_MAX_LEN);
		must(frame >= data && frame + len <= data + size);
		f.n++;
		f.bytes += len;
	}
	f.left = cursor_left(&c);
	return f;
}

/* The first byte says where the rest is cut in two. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct found whole, parts = { 0 };
	size_t cut, taken;

	if (!size)
		return 0;
	cut = (size - 1) * *data / 256;
	data++;
	size--;
	whole = look(data, size, (struct found){ 0 });
	parts = look(data, cut, parts);
	taken = cut - parts.left;
	if (parts.end == STREAM_MORE)
		parts = look(data + taken, size - taken, parts);
	must(parts.n == whole.n && parts.bytes == whole.bytes);
	must(parts.end == whole.end);
	return 0;
}
