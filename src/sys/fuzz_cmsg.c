/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: control data beside received datagrams and frames. Input: 32
 * bytes of address, the rest is control data. */
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "sys/packet_socket.h"
#include "sys/udp_socket.h"

#define NAME_LEN 32u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t name[NAME_LEN] __attribute__((aligned(8)));
	struct msghdr m = { .msg_name = name, .msg_namelen = NAME_LEN };
	struct udp_socket_info info;
	uint16_t tci, tpid;

	if (size < NAME_LEN)
		return 0;
	memcpy(name, data, NAME_LEN);
	m.msg_controllen = size - NAME_LEN;
	m.msg_control = xmalloc(m.msg_controllen + 1);
	memcpy(m.msg_control, data + NAME_LEN, m.msg_controllen);
	if (udp_socket_decode(&m, &info))
		must(info.remote.family);
	(void)packet_socket_vlan(&m, &tci, &tpid);
	free(m.msg_control);
	return 0;
}
