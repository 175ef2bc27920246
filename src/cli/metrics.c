/* SPDX-License-Identifier: Apache-2.0 */
/* `weft metrics`: what Prometheus would read. */
#include "cli/cli.h"
#include "cli/js.h"

int cli_metrics(struct cli *c)
{
	struct json_object *o;
	int rc;

	o = cli_ask(c, "metrics", NULL, &rc);
	if (o && !cli_print_json(c, o))
		fputs(js_text(o, "text"), c->out);
	json_object_put(o);
	return rc;
}
