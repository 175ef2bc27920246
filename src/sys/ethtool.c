/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/ethtool.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static int ask(int fd, const char *device, void *data)
{
	struct ifreq r = { 0 };

	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", device);
	r.ifr_data = data;
	return ioctl(fd, SIOCETHTOOL, &r) ? -errno : 0;
}

static uint32_t value(int fd, const char *device, uint32_t command)
{
	struct ethtool_value v = { .cmd = command };

	return ask(fd, device, &v) ? 0 : v.data;
}

int ethtool_read(const char *device, struct ethtool_info *out)
{
	struct ethtool_drvinfo d = { .cmd = ETHTOOL_GDRVINFO };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), rc;

	if (fd < 0)
		return -errno;
	rc = ask(fd, device, &d);
	if (rc == -ENODEV) {
		close(fd);
		return rc;
	}
	*out = (struct ethtool_info){
		.tx_csum = value(fd, device, ETHTOOL_GTXCSUM),
		.rx_csum = value(fd, device, ETHTOOL_GRXCSUM),
		.sg = value(fd, device, ETHTOOL_GSG),
		.tso = value(fd, device, ETHTOOL_GTSO),
		.gso = value(fd, device, ETHTOOL_GGSO),
		.gro = value(fd, device, ETHTOOL_GGRO),
		.lro = value(fd, device, ETHTOOL_GFLAGS) & ETH_FLAG_LRO,
	};
	if (!rc)
		snprintf(out->driver, sizeof(out->driver), "%.*s",
			 (int)sizeof(out->driver) - 1, d.driver);
	close(fd);
	return 0;
}
