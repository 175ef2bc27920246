/* SPDX-License-Identifier: Apache-2.0 */
/* Rates: what `weft top` shows, from two looks at the daemon's counters.
 *
 * What      a look (ports, flows, talkers, drops with their counters), rates
 *           between two looks, sorted and filtered.
 * Why so    counters never lie by being asked; rates are made here, where it is
 *           known how much time passed.
 * Invariant O1 what is new since the first look counts from zero, what went away
 *           is left out, and a counter that went back counts as new.
 * Threads   one.
 * Owns      its rows and their texts. */
#ifndef CLI_TOP_H
#define CLI_TOP_H

#include "base/str.h"

struct json_object;

enum top_view { TOP_PORTS, TOP_FLOWS, TOP_TALKERS, TOP_DROPS, N_TOP_VIEWS };

#define TOP_COUNTERS 5u
enum top_counter { TOP_RX_P, TOP_RX_B, TOP_TX_P, TOP_TX_B, TOP_DROP };
/* Flows, talkers and drops count packets and bytes in the first two. */

struct top_row {
	char *key; /* the same thing has the same key in every look */
	char *name, *what, *state;
	uint64_t count[TOP_COUNTERS]; /* as counted */
	uint64_t rate[TOP_COUNTERS];  /* a second */
	unsigned n_flows;             /* talkers */
};

struct top_table {
	struct top_row *rows;
	unsigned n, cap;
};

struct top_look {
	uint64_t at_ms;
	struct top_table tables[N_TOP_VIEWS];
};

/* As `show` answers them; any may be NULL. Neighbours name stations that flows
 * know by their MAC only. */
struct top_answers {
	struct json_object *ports, *flows, *drops, *neighbours;
};
void top_look_read(struct top_look *l, const struct top_answers *a);
void top_look_fini(struct top_look *l);
/* Fills `now`'s rates. */
void top_rates(struct top_look *now, const struct top_look *before);

const char *top_view_name(enum top_view v);
/* The columns by which a view can be sorted, the default first; NULL ends. */
const char *const *top_sort_keys(enum top_view v);
/* By a key of the view (an unknown one: its default), largest first, names
 * upwards. */
void top_sort(struct top_table *t, enum top_view v, const char *key);
bool top_matches(const struct top_row *r, const char *filter);

/* A table of at most `max` rows, `width` wide. */
struct top_shape {
	const char *filter; /* NULL: all */
	unsigned max, width;
	bool colour;
};
void top_format(const struct top_table *t, enum top_view v,
		const struct top_shape *shape, struct str *out);
struct json_object *top_json(const struct top_look *l, uint64_t interval_ms,
			     const char *filter);

#endif
