/* SPDX-License-Identifier: Apache-2.0 */
/* Deleting devices without waiting for the kernel each time.
 *
 * What      devices that ports gave up are deleted by a thread that lives as
 *           long as there are some; all that came meanwhile go as one group.
 * Why so    one deletion waits for the kernel's grace periods, 20 ms; a thousand
 *           in a group wait once.
 * Invariant D1 what was handed over is gone after reaper_settle.
 * Threads   reaper_del, reaper_settle: the control thread. */
#ifndef PORT_REAPER_H
#define PORT_REAPER_H

#include "base/defs.h"

/* A device of our namespace; gone already is fine. */
void reaper_del(uint32_t ifindex);
/* Waits until all are gone; at once when there are none. */
void reaper_settle(void);

#endif
