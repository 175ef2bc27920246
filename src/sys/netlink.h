/* SPDX-License-Identifier: Apache-2.0 */
/* All of rtnetlink in one include.
 *
 * What      nl.h (socket, batch), nl_link.h, nl_addr.h (and neighbours),
 *           nl_route.h (and rules), nl_monitor.h.
 * Why so    most users of one need the others. */
#ifndef SYS_NETLINK_H
#define SYS_NETLINK_H

#include "sys/nl.h"
#include "sys/nl_addr.h"
#include "sys/nl_link.h"
#include "sys/nl_monitor.h"
#include "sys/nl_route.h"

#endif
