/* SPDX-License-Identifier: Apache-2.0 */
/* Reserved group addresses: frames that a bridge keeps to the link.
 *
 * What      01-80-C2-00-00-00 to -0F, by name, and whether one is forwarded.
 * Why so    spanning tree, LACP, LLDP and 802.1X talk to the next device only;
 *           a bridge that is to be transparent to them (forward_bpdu) forwards
 *           all but PAUSE, which no relay may ever forward.
 * Masks     looks at eth_dst, all 48 bits.
 * Threads   values.
 * Refs      IEEE 802.1Q-2018 8.6.3, Table 8-1; IEEE 802.3-2018 31B. */
#ifndef L2_RESERVED_H
#define L2_RESERVED_H

#include "base/addr.h"
#include "packet/drop.h"

static inline bool reserved_has(struct eth_addr dst)
{
	return (eth_addr_to_u64(dst) & ~0xfull) == 0x0180c2000000ull;
}

/* DROP_NONE when a bridge forwards it, else DROP_RESERVED_MAC. */
static inline enum drop reserved_check(struct eth_addr dst, bool forward_bpdu)
{
	if (!reserved_has(dst))
		return DROP_NONE;
	if (forward_bpdu && dst.b[5] != 0x01)
		return DROP_NONE;
	return DROP_RESERVED_MAC;
}

/* What the group is for, as explain says it; NULL when it is none of them. */
const char *reserved_name(struct eth_addr dst);

#endif
