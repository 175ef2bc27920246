/* SPDX-License-Identifier: Apache-2.0 */
#include "port/frame.h"

#include <errno.h>

#include "base/be.h"

#define FRAME_ADDRESSES 12u
#define FRAME_TAG 4u

void frame_push_vlan(struct packet *p, uint16_t tpid, uint16_t tci)
{
	uint8_t *data = packet_push(p, FRAME_TAG);

	must(data); /* a frame just received has all its headroom */
	memmove(data, data + FRAME_TAG, FRAME_ADDRESSES);
	put_be16(data + FRAME_ADDRESSES, tpid);
	put_be16(data + FRAME_ADDRESSES + 2, tci);
}

enum drop frame_tx_drop(int err)
{
	switch (err) {
	case EAGAIN:
	case ENOBUFS:
	case ENOMEM:
		return DROP_TX_FULL;
	case EMSGSIZE:
		return DROP_TOO_BIG;
	case ENETDOWN:
	case ENETUNREACH:
	case ENXIO:
	case ENODEV:
	case EIO:
	case EBADFD:
		return DROP_PORT_DOWN;
	default:
		return DROP_TX_ERROR;
	}
}
