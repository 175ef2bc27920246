/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the parser of actions: what its two files share.
 *
 * What      cutting text into words, numbers, ports, parts of fields.
 * Why so    actions with lists of arguments are a file of their own.
 * Threads   values. */
#ifndef OFWIRE_ACT_PARSE_H
#define OFWIRE_ACT_PARSE_H

#include "base/err.h"
#include "ofwire/act_codec.h"
#include "ofwire/acts_text.h"

struct act_parser {
	struct of_acts *out;
	const struct of_names *names;
	struct err *e;
	const char *word; /* the action being read */
	char *tail;       /* what stands behind its ")->", or NULL */
	unsigned depth;
};

/* 0, or -EINVAL with the error set. The text may be written to. */
typedef int act_parse_fn(struct act_parser *p, char *value);

bool act_number(const char *text, uint64_t max, uint64_t *v);
int act_wrong(struct act_parser *p, const char *what, const char *text);
/* The next of a list with commas outside of parentheses; NULL at its end. */
char *act_item(char **list);
/* Cuts "word:value", "word=value", "word(value)" in two; "" without one. */
char *act_value(char *item);
/* Cuts at a mark; NULL when there is none. */
char *act_split(char *text, const char *mark);
int act_sub(struct act_parser *p, char *text, bool written, struct of_sub *s);
/* Of as many bits as the older forms can say. */
int act_sub_short(struct act_parser *p, char *text, bool written,
		  struct of_sub *s);
int act_list(struct act_parser *p, char *text);

act_parse_fn act_parse_controller, act_parse_dec_ttl, act_parse_fin,
	act_parse_learn, act_parse_conjunction, act_parse_multipath,
	act_parse_bundle, act_parse_note, act_parse_sample, act_parse_larger,
	act_parse_encap, act_parse_decap, act_parse_ct, act_parse_nat;

#endif
