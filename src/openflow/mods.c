/* SPDX-License-Identifier: Apache-2.0 */
/* Changes. */
#include "openflow/inside.h"

#include "ofwire/flow.h"
#include "ofwire/table.h"

/* What the version leaves unsaid. */
static enum of_error settle_flow(struct of_flow_mod *fm, unsigned version)
{
	bool is_add = fm->command == OF_FLOW_ADD;

	if (is_add && version <= OF11)
		fm->flags |= OF_FLOW_RESET_COUNTS; /* 1.1.0 B.6.11 */
	if (fm->table == OF_TABLE_ALL && fm->command < OF_FLOW_DELETE &&
	    version >= OF11)
		return OF_OFPFMFC_BAD_TABLE_ID;
	if (is_add && fm->buffer_id != OF_BUFFER_NONE)
		return OF_OFPBRC_BUFFER_UNKNOWN;
	return OF_OK;
}

enum of_error mods_flow(struct of_request *r)
{
	struct of_flow_mod fm = { 0 };
	enum of_error e = of_flow_mod_decode(&r->m, &r->c->d, &fm);

	if (e)
		return e;
	e = settle_flow(&fm, r->m.h.version);
	if (!e)
		e = switch_of_flow_mod(r->of, &fm);
	of_flow_mod_fini(&fm);
	return e;
}

enum of_error mods_group(struct of_request *r)
{
	struct of_group g = { 0 };
	enum of_error e = of_group_mod_decode(&r->m, &g);

	if (e)
		return e;
	e = switch_of_group_mod(r->of, &g);
	of_group_fini(&g);
	return e;
}

enum of_error mods_port(struct of_request *r)
{
	struct of_port_mod pm;
	enum of_error e = of_port_mod_decode(&r->m, &pm);

	return e ? e : switch_of_port_mod(r->of, &pm);
}

/* All tables are as they are: what says so again is right. */
enum of_error mods_table(struct of_request *r)
{
	struct of_table t;
	enum of_error e = of_table_mod_decode(&r->m, &t);

	if (e)
		return e;
	if (t.id != OF_TABLE_ALL && t.id >= OF_N_TABLES)
		return OF_OFPTMFC_BAD_TABLE;
	return t.config || t.has_eviction || t.has_vacancy ?
		       OF_OFPTMFC_BAD_CONFIG :
		       OF_OK;
}

enum of_error mods_packet_out(struct of_request *r)
{
	struct of_packet_out po = { 0 };
	enum of_error e = of_packet_out_decode(&r->m, &po);

	if (e)
		return e;
	e = switch_of_packet_out(r->of, &po);
	of_packet_out_fini(&po);
	return e;
}
