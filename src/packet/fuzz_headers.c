/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a frame and as an IP packet: every reader of headers. */
#include "packet/checksum.h"
#include "packet/ip_view.h"
#include "packet/outer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_view(const uint8_t *data, uint32_t len)
{
	struct ip_view v;

	if (ip_view_read(data, len, &v) != DROP_NONE)
		return;
	must(v.src.family == v.dst.family && v.src.family);
	must(v.payload >= data && v.payload <= data + len);
	must(v.payload_len <= len - (size_t)(v.payload - data));
	must(v.is_fragment || !v.is_later_fragment);
	must(v.cut == (v.total_len > len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct packet p = { .data = (uint8_t *)data, .len = (uint32_t)size };
	uint32_t vni;

	if (size > PACKET_MAX_LEN)
		return 0;
	check_view(data, p.len);
	if (vxlan_decode(data, size, &vni))
		must(size >= 8 && vni <= VNI_MASK);
	(void)packet_flow_hash(&p);
	p.packet_type = PACKET_TYPE_IP4;
	(void)packet_flow_hash(&p);
	for (uint32_t l3 = 0; l3 < MIN(p.len, 40u); l3++) {
		p.l3 = (uint16_t)l3;
		must(packet_csum_verify(&p) <= CSUM_UNKNOWN);
	}
	return 0;
}
