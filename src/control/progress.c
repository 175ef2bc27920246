/* SPDX-License-Identifier: Apache-2.0 */
#include "control/progress.h"

#include <json-c/json.h>

#include "rpc/server.h"

void progress_begin(struct progress *p, unsigned of, bool undoing)
{
	p->at = 0;
	p->of = of;
	p->undoing = undoing;
}

void progress_step(struct progress *p, const char *kind, const char *name)
{
	struct json_object *o;

	p->at++;
	if (!p->call || rpc_call_is_abandoned(p->call))
		return;
	o = json_object_new_object();
	json_object_object_add(o, "step", json_object_new_int64(p->at));
	json_object_object_add(o, "of", json_object_new_int64(p->of));
	json_object_object_add(o, "kind", json_object_new_string(kind));
	json_object_object_add(o, "name", json_object_new_string(name));
	if (p->undoing)
		json_object_object_add(o, "undoing",
				       json_object_new_boolean(true));
	rpc_call_progress(p->call, o);
	rpc_call_flush(p->call);
}
