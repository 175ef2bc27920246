/* SPDX-License-Identifier: Apache-2.0 */
/* Which actions a rule, a bucket or a packet-out may have here. */
#include "switch/of_inside.h"

#define NESTED_MAX OF_ACTS_DEPTH

struct check {
	const struct switch_of *of;
	uint8_t table;
	unsigned depth;
};

static enum of_error check_list(struct check *c, struct of_act_list acts);

static uint64_t int_of(const struct of_act *a)
{
	return ((const struct of_act_int *)(const void *)a)->v;
}

static enum of_error check_port(uint32_t port)
{
	if (port < OF_PORT_MAX)
		return port ? OF_OK : OF_OFPBAC_BAD_OUT_PORT;
	return port < OF_PORT_IN_PORT || port == OF_PORT_NONE ?
		       OF_OFPBAC_BAD_OUT_PORT :
		       OF_OK;
}

static enum of_error check_goto(const struct check *c, uint64_t table)
{
	return table <= c->table || table >= FLOWS_TABLES ?
		       OF_OFPBIC_BAD_TABLE_ID :
		       OF_OK;
}

static enum of_error check_group(const struct check *c, uint64_t id)
{
	return flows_group(c->of->flows, (uint32_t)id) ?
		       OF_OK :
		       OF_OFPBAC_BAD_OUT_GROUP;
}

static enum of_error check_nested(struct check *c, const struct of_act *a)
{
	enum of_error e;

	if (++c->depth > NESTED_MAX)
		return OF_OFPBAC_TOO_MANY;
	e = check_list(c, of_act_nested(a));
	c->depth--;
	return e;
}

/* What is read but not done here is refused, never passed over. */
static enum of_error check_other(const struct of_act *a)
{
	switch (a->kind) {
	case OFA_BUNDLE:
	case OFA_COPY_TTL_OUT:
	case OFA_COPY_TTL_IN:
	case OFA_PUSH_PBB:
	case OFA_POP_PBB:
	case OFA_LEARN:
	case OFA_CONJUNCTION:
	case OFA_MULTIPATH:
	case OFA_CHECK_LARGER:
	case OFA_DELETE_FIELD:
	case OFA_ENCAP:
	case OFA_DECAP:
	case OFA_DEC_NSH_TTL:
		return OF_OFPBAC_BAD_TYPE;
	case OFA_CT:
	case OFA_NAT:
	case OFA_CT_CLEAR:
		return OF_NXBAC_CT_DATAPATH_SUPPORT;
	case OFA_METER:
		return OF_OFPMMFC_INVALID_METER;
	default: /* done by flow_act.c, or says nothing to a packet */
		return OF_OK;
	}
}

static enum of_error check_one(struct check *c, const struct of_act *a)
{
	const struct of_act_output *out = (const void *)a;
	const struct of_act_enqueue *q = (const void *)a;
	const struct of_act_trunc *cut = (const void *)a;

	switch (a->kind) {
	case OFA_OUTPUT:
		return check_port(out->port);
	case OFA_ENQUEUE:
		return check_port(q->port);
	case OFA_OUTPUT_TRUNC:
		return check_port(cut->port);
	case OFA_GROUP:
		return check_group(c, int_of(a));
	case OFA_GOTO_TABLE:
		return check_goto(c, int_of(a));
	case OFA_CLONE:
	case OFA_WRITE_ACTIONS:
		return check_nested(c, a);
	default:
		return check_other(a);
	}
}

static enum of_error check_list(struct check *c, struct of_act_list acts)
{
	of_act_for_each(a, acts) {
		enum of_error e = check_one(c, a);

		if (e)
			return e;
	}
	return OF_OK;
}

enum of_error switch_of_check(const struct switch_of *of,
			      struct of_act_list acts, uint8_t table)
{
	struct check c = { .of = of, .table = table };

	if (acts.len > UINT32_MAX / 2)
		return OF_OFPBAC_TOO_MANY;
	return check_list(&c, acts);
}

static bool names(const struct of_act *a, uint32_t port, uint32_t group)
{
	const struct of_act_output *out = (const void *)a;
	const struct of_act_enqueue *q = (const void *)a;
	const struct of_act_trunc *cut = (const void *)a;

	switch (a->kind) {
	case OFA_OUTPUT:
		return out->port == port;
	case OFA_ENQUEUE:
		return q->port == port;
	case OFA_OUTPUT_TRUNC:
		return cut->port == port;
	case OFA_CONTROLLER:
		return port == OF_PORT_CONTROLLER;
	case OFA_GROUP:
		return int_of(a) == group;
	default:
		return sw_of_acts_name(of_act_nested(a), port, group);
	}
}

/* NONE and ANY: whatever; else both have to be there. Nests are as deep as the
 * codec let them be. */
bool sw_of_acts_name(struct of_act_list acts, uint32_t port, uint32_t group)
{
	bool has_port = port == OF_PORT_NONE, has_group = group == OF_GROUP_ANY;

	of_act_for_each(a, acts) {
		has_port = has_port || names(a, port, OF_GROUP_ANY);
		has_group = has_group || names(a, OF_PORT_NONE, group);
	}
	return has_port && has_group;
}
