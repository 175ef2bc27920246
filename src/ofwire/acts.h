/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of actions: built, walked, read from the wire and written to it.
 *
 * What      a growing list, its nested lists, and the codec of every version:
 *           actions alone (1.0, buckets, packet-out) and within instructions.
 * Why so    see action.h. What a version cannot say in one form is written in
 *           another where there is one (set-field for 1.0's actions, load for
 *           set-field before 1.2, and back).
 * Threads   values.
 * Owns      struct of_acts its memory. */
#ifndef OFWIRE_ACTS_H
#define OFWIRE_ACTS_H

#include "ofwire/action.h"

struct of_act_list {
	const struct of_act *first;
	size_t len;
};

#define of_act_for_each(a, list)                                               \
	for (const struct of_act *a = (list).first;                            \
	     (const char *)a < (const char *)(list).first + (list).len;        \
	     a = (const struct of_act *)(const void *)((const char *)a +       \
						       a->len))

/* The list nested in clone, write_actions, ct; empty for others. */
struct of_act_list of_act_nested(const struct of_act *a);
/* The ids of dec_ttl and the like may be followed by padding; this is the size
 * of the struct of a kind without what follows it. */
size_t of_act_struct_size(enum of_act_kind kind);
/* "SET_FIELD" */
const char *of_act_kind_name(enum of_act_kind kind);

static inline bool of_act_is_instruction(const struct of_act *a)
{
	return a->kind >= OFA_CLEAR_ACTIONS;
}

struct of_acts {
	char *data;
	size_t len, cap;
};

#define OF_ACTS_INIT                                                           \
	{                                                                      \
		0                                                              \
	}

void of_acts_fini(struct of_acts *acts);
/* Never NULL in it, so that walking nothing is arithmetic on something. */
struct of_act_list of_acts_list(const struct of_acts *acts);
bool of_act_list_equal(struct of_act_list a, struct of_act_list b);

/* Appends one of `extra` bytes more than its struct, zeroed but for its header;
 * valid until the next that is added. */
void *of_acts_add(struct of_acts *acts, enum of_act_kind kind, size_t extra);
void of_acts_int(struct of_acts *acts, enum of_act_kind kind, uint64_t v);
void of_acts_output(struct of_acts *acts, uint32_t port, uint16_t max_len);
void of_acts_append(struct of_acts *acts, struct of_act_list list);
/* What is added between is nested in the one at offset `at` (acts->len before it
 * was added). */
void of_acts_end(struct of_acts *acts, size_t at);

/* --- the wire --- */

/* Actions to the end of the cursor. On error the list holds nothing new. */
enum of_error of_acts_decode(struct cursor c, unsigned version,
			     struct of_acts *out) MUST_CHECK;
/* Instructions to the end of the cursor; from 1.1 on. */
enum of_error of_insts_decode(struct cursor c, unsigned version,
			      struct of_acts *out) MUST_CHECK;
/* False when something could not be said in that version and was left out. */
bool of_acts_encode(struct of_out *o, unsigned version,
		    struct of_act_list list);
bool of_insts_encode(struct of_out *o, unsigned version,
		     struct of_act_list list);

/* Notes in the actions what their match says (that there is a VLAN tag, which
 * transport protocol), which some forms of writing need. */
void of_acts_settle(struct of_acts *acts, const struct match *m);

#endif
