/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as ARP: read, decided on, answered, and read again. */
#include "l3/arp.h"

#include "packet/headers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_answer(const struct arp_msg *m, struct eth_addr mac)
{
	uint8_t frame[ARP_FRAME_LEN];
	struct arp_msg back;

	arp_answer(m, mac, frame);
	must(arp_decode(frame + ETH_HEADER_LEN, ARP_ETH_LEN, &back) ==
	     DROP_NONE);
	must(back.spa == m->tpa && back.tpa == m->spa);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ip_prefix own = { ip_addr_from_ip4(0x0a000001), 24 };
	struct arp_ctx c = { .own = &own,
			     .n_own = 1,
			     .mac = { { 2, 0, 0, 0, 0, 1 } },
			     .for_others = true };
	struct arp_decision d;
	struct arp_msg m;

	if (size > UINT32_MAX ||
	    arp_decode(data, (uint32_t)size, &m) != DROP_NONE)
		return 0;
	d = arp_decide(&m, &c, NULL);
	must(!d.learn || !eth_addr_is_multicast(d.news.mac));
	must(!(d.learn && d.conflict));
	if (d.answer)
		check_answer(&m, d.answer_mac);
	return 0;
}
