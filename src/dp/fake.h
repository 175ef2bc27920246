/* SPDX-License-Identifier: Apache-2.0 */
/* The fake datapath: what the contract of dp.h says, as plainly as possible.
 *
 * What      one thread, the caller's; every packet is translated anew; flows are
 *           a list searched from end to end, kept only to be counted and dumped.
 * Why so    the oracle of the datapaths that are fast: what they do is right when
 *           it is what this one does. And what tests of the rooms above move
 *           packets with, without a thread or a wait. It shares nothing with
 *           dp/user but the interpreter of actions.
 * Watches   a packet that a fresh flow covers is translated all the same. Says
 *           the translation something else than the flow, then its mask or its
 *           dependencies lack something: dp_fake_wrong counts it.
 * Bounds    flows cost a linear search: for tests of thousands, not of millions.
 * Threads   one. Frames move in dp_fake_poll only. */
#ifndef DP_FAKE_H
#define DP_FAKE_H

#include "base/defs.h"

struct dp;

/* One turn: a batch of each queue of each port is received and moved, flows
 * that were idle too long go. How many frames came; 0: all is quiet. */
unsigned dp_fake_poll(struct dp *dp);
/* Packets whose fresh flow would have done something else than translation
 * says. Not 0: a verdict looked at something that it does not tell. */
uint64_t dp_fake_wrong(const struct dp *dp);

#endif
