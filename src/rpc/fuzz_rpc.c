/* SPDX-License-Identifier: Apache-2.0 */
/* A stream of any bytes: frames, then requests and replies in them. */
#include <json-c/json.h>

#include "rpc/frame.h"
#include "rpc/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void one_message(const char *msg, size_t len)
{
	struct message_request request;
	struct json_object *o, *value;
	struct err errors[3], e = ERR_INIT;
	unsigned n;
	int64_t id;

	o = message_parse(msg, len, 1000, &e);
	must(!o == err_is_set(&e));
	if (o && message_request_decode(o, &request, &e))
		must(err_is_set(&e));
	if (o && message_reply_decode(o, &id, &value) == MESSAGE_ERROR) {
		n = message_error_decode(value, errors, ARRAY_SIZE(errors));
		must(n >= 1 && n <= ARRAY_SIZE(errors));
		for (unsigned i = 0; i < n; i++)
			err_fini(&errors[i]);
	}
	json_object_put(o);
	err_fini(&e);
}

/* The first byte says in which portions the rest arrives. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct frame_reader r;
	const char *msg;
	size_t room, len, portion;
	int rc = 0;

	if (!size)
		return 0;
	portion = data[0] + 1u;
	data++;
	size--;
	frame_reader_init(&r, 65536);
	while (size && rc >= 0) {
		char *at = frame_reader_room(&r, &room);
		size_t n = MIN(MIN(room, portion), size);

		memcpy(at, data, n);
		frame_reader_filled(&r, n);
		data += n;
		size -= n;
		while ((rc = frame_reader_next(&r, &msg, &len)) > 0)
			one_message(msg, len);
		must(r.cap <= 65536 + FRAME_HEADER_LEN);
	}
	frame_reader_fini(&r);
	return 0;
}
