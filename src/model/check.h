/* SPDX-License-Identifier: Apache-2.0 */
/* What is wrong with a model whose keys and types are right.
 *
 * What      names that lead nowhere, addresses outside their subnets, devices,
 *           addresses and identifiers used twice.
 * Why so    everything that can be known before anything is touched.
 * Order     check.c runs the parts; check_net.c networks and routers;
 *           check_host.c hosts, bridges and ports.
 * Threads   none of its own. */
#ifndef MODEL_CHECK_H
#define MODEL_CHECK_H

#include "model/model.h"
#include "model/yaml.h"

/* Where to complain: at the key `at` of an object (its value number `index` when
 * that is a list), or at the object itself when `at` is NULL. `o` may be a part
 * without a name; then `owner` is what it is called by. */
struct check_place {
	const struct model_object *o;
	const char *at;
	unsigned index;
	const char *owner;
};

/* Something that one object alone may have. */
struct check_claim {
	char *key; /* "device eth1 on host-a": equal keys collide */
	const char *what;
	struct check_place at;
};

struct check {
	const struct model *m;
	const struct yaml_node *root; /* for places */
	struct model_errors *errors;
	MODEL_VEC(struct check_claim) claims;
	unsigned cap_claims;
};

#define AT(o_, at_) ((struct check_place){ .o = (o_), .at = (at_) })
#define AT_N(o_, at_, n_)                                                      \
	((struct check_place){ .o = (o_), .at = (at_), .index = (n_) })

/* Complains there. */
void check_bad(struct check *c, struct check_place p, const char *fmt, ...)
	PRINTF_LIKE(3, 4);
/* `what` is the kind of object ("port"); `fmt` makes the key, which is the
 * sentence's subject when a second object claims the same. */
void check_claim(struct check *c, const char *what, struct check_place p,
		 const char *fmt, ...) PRINTF_LIKE(4, 5);
/* "; did you mean \"x\"?" or "". To be freed. `vec` is of objects. */
char *check_nearest(const char *word, const void *vec, size_t size);

void check_networks(struct check *c);
void check_routers(struct check *c);
void check_hosts(struct check *c);
/* An address of a machine in a network: in its subnets, and claimed. */
void check_network_address(struct check *c, const struct model_network *n,
			   struct check_place at, const struct ip_prefix *p);
/* to, via and blackhole of one route. */
void check_route(struct check *c, const struct model_route *r);

/* The hosts of a file: all named ones, and the nameless one at its top. */
static inline unsigned check_n_hosts(const struct model *m)
{
	return m->hosts.n + 1;
}

static inline const struct model_host *check_host(const struct model *m,
						  unsigned i)
{
	return i ? &m->hosts.items[i - 1] : &m->local;
}

/* A bridge that `h` has: its own or one of the file's top. */
const struct model_bridge *check_bridge(const struct check *c,
					const struct model_host *h,
					const char *name);
/* The router that a network is in, or NULL. */
const struct model_router *check_network_router(const struct model *m,
						const char *network);
bool check_is_station(const struct ip_addr *a);

void model_check(const struct model *m, const struct yaml_node *root,
		 struct model_errors *es);

/* model.c: tree -> model and back; edits work on the tree. */
struct model *model_from_tree(const struct yaml_node *root,
			      struct model_errors *es);
struct yaml_node *model_to_tree(const struct model *m);

#endif
