/* SPDX-License-Identifier: Apache-2.0 */
/* What was applied before: shown, compared, gone back to.
 *
 * What      the states in the store, newest last, by their serial numbers.
 * Why so    going back is an apply of what was, by the same path, and becomes a
 *           state of its own: nothing is ever rewritten.
 * Threads   the control thread. */
#ifndef CONTROL_HISTORY_H
#define CONTROL_HISTORY_H

#include "base/err.h"

struct control;
struct json_object;
struct model;
struct store_state;

/* The serial number of what is applied now; 0: nothing ever was. */
uint64_t history_now(const struct control *c);
/* An array of {serial, time, who, why, file, current}. */
struct json_object *history_json(struct control *c);
/* A copy of the state `serial` (store_state_fini it). -ENOENT with a sentence
 * that says which there are. */
int history_state(struct control *c, uint64_t serial, struct store_state *out,
		  struct err *e) MUST_CHECK;
/* The model it was; NULL with a sentence. */
struct model *history_model(const struct store_state *st, struct err *e);

#endif
