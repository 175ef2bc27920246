/* SPDX-License-Identifier: Apache-2.0 */
/* Does a frame come out of a device's other end as it went in?
 *
 * What      sends one UDP frame whose checksum is left to the device, by a
 *           device of one namespace, and looks at it as it comes in at another
 *           device, perhaps of another namespace.
 * Why so    a checksum promised by everybody and finished by nobody is the
 *           commonest reason why pings pass and nothing else does.
 * Threads   one; blocks for at most the time given.
 * Refs      packet(7); linux/virtio_net.h. */
#ifndef SYS_FRAME_PASS_H
#define SYS_FRAME_PASS_H

#include "base/err.h"
#include "sys/nl.h"

struct frame_pass_end {
	int netns_fd; /* NL_CURRENT_NS */
	uint32_t ifindex;
};

enum frame_pass_result {
	FRAME_PASS_WHOLE, /* checksum right, or left open and marked so */
	FRAME_PASS_LOST,
	FRAME_PASS_WRONG,   /* a checksum that nobody will finish is wrong */
	FRAME_PASS_CHANGED, /* other bytes than were sent */
};

/* `tag` tells this frame from others of the kind. -errno when the sockets are
 * refused. */
int frame_pass_try(const struct frame_pass_end *out,
		   const struct frame_pass_end *in, uint32_t tag, unsigned ms,
		   enum frame_pass_result *result) MUST_CHECK;

#endif
