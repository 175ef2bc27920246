/* SPDX-License-Identifier: Apache-2.0 */
#include "l2/reserved.h"

/* IEEE 802.1Q-2018 Table 8-1 to 8-3; what each is used for in practice. */
static const char *const names[16] = {
	[0x0] = "spanning tree (nearest customer bridge)",
	[0x1] = "MAC control (PAUSE)",
	[0x2] = "slow protocols (LACP, OAM)",
	[0x3] = "802.1X, LLDP (nearest non-TPMR bridge)",
	[0x4] = "MAC-specific control",
	[0x5] = "reserved for bridges (05)",
	[0x6] = "reserved for bridges (06)",
	[0x7] = "MEF ELMI",
	[0x8] = "provider bridge group",
	[0x9] = "reserved for bridges (09)",
	[0xa] = "reserved for bridges (0A)",
	[0xb] = "edge control protocol",
	[0xc] = "reserved for bridges (0C)",
	[0xd] = "provider bridge MVRP",
	[0xe] = "LLDP, PTP (nearest bridge)",
	[0xf] = "reserved for bridges (0F)",
};

const char *reserved_name(struct eth_addr dst)
{
	return reserved_has(dst) ? names[dst.b[5] & 0xf] : NULL;
}
