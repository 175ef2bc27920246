/* SPDX-License-Identifier: Apache-2.0 */
/* What a device's driver offers to do for the host.
 *
 * What      which offloads are on, the driver's name.
 * Why so    offloads that are on without what they stand on, and receive
 *           coalescing that cannot be undone (LRO), break forwarding.
 * Threads   any.
 * Refs      ethtool(8), linux/ethtool.h. */
#ifndef SYS_ETHTOOL_H
#define SYS_ETHTOOL_H

#include "base/defs.h"

#define ETHTOOL_NAME_MAX 32u

struct ethtool_info {
	bool tx_csum, sg, tso, gso, gro, lro, rx_csum;
	char driver[ETHTOOL_NAME_MAX];
};

/* What the driver does not say is false. -ENODEV when there is no device. */
int ethtool_read(const char *device, struct ethtool_info *out) MUST_CHECK;

#endif
