/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the actions' codec: what its files share.
 *
 * What      one row (struct act_form) for each way an action is written: who
 *           numbers it, in which versions, and its layout as a table or as a
 *           pair of functions.
 * Why so    the dispatch is in one place (act_wire.c), fields and lists that vary
 *           in length are in files of their own.
 * Invariant X1 a getter is given a cursor over exactly the action's bytes behind
 *           its header, and what it leaves unread makes the length wrong.
 * Threads   read-only tables. */
#ifndef OFWIRE_ACT_CODEC_H
#define OFWIRE_ACT_CODEC_H

#include "ofwire/acts.h"
#include "ofwire/oxm.h"
#include "ofwire/wire.h"

struct act_form;

/* One list being read. */
struct act_reader {
	struct of_acts *out;
	const struct act_form *form; /* of the action being read */
	unsigned version;
	unsigned depth;
};

struct act_form {
	uint8_t who;      /* enum act_who */
	uint8_t from, to; /* versions */
	uint8_t kind;     /* enum of_act_kind */
	uint16_t number;
	const struct wire *wire; /* the layout, when it is fixed */
	/* Else: */
	enum of_error (*get)(struct cursor *c, struct act_reader *r);
	/* False: not all could be said. */
	bool (*put)(struct of_out *o, const struct of_act *a,
		    const struct act_form *form, unsigned version);
	/* Is this the form for this action? NULL: yes. */
	bool (*fits)(const struct of_act *a);
};

enum act_who { ACT_OF, ACT_NX, ACT_ONF };

/* --- act_wire.c --- */

enum of_error act_list_get(struct cursor c, struct act_reader *r);
bool act_list_put(struct of_out *o, unsigned version, struct of_act_list list);
/* What a decoded action may not say: OFPBAC_BAD_ARGUMENT and its kin. */
enum of_error act_check(const struct of_act *a);

/* --- act_field.c: actions on fields --- */

enum of_error act_sub_check(const struct of_sub *s, bool written);
/* A field by its header alone: 4 bytes, or 8 of an experimenter's. */
enum of_error act_header_get(struct cursor *c, uint16_t *field);
void act_header_put(struct of_out *o, uint16_t field, unsigned version);
/* Has it a name of 4 bytes? The older forms hold no other. */
bool act_header_is_short(uint16_t field);
/* Zeros to the end, else the error. */
enum of_error act_zeros(struct cursor *c, enum of_error e);
/* ofs << 6 | n_bits - 1, of the older forms. */
void act_ofs_nbits(uint16_t v, struct of_sub *s);
uint16_t act_to_ofs_nbits(const struct of_sub *s);

/* The low n bits of `bits` to n bits from `ofs` up. */
void act_bits_put(struct field_value *v, unsigned ofs, unsigned n,
		  uint64_t bits);

extern const struct act_form act_field_forms[];
extern const size_t act_n_field_forms;

/* Writes what a version has no form for in other words; false when none. */
bool act_put_otherwise(struct of_out *o, const struct of_act *a,
		       unsigned version);

/* --- act_vary.c: actions of varying length --- */

extern const struct act_form act_vary_forms[];
extern const size_t act_n_vary_forms;

#endif
