/* SPDX-License-Identifier: Apache-2.0 */
#include "packet/drop.h"

#include "base/defs.h"

static const struct {
	const char *name, *sentence;
} drops[] = {
#define X(id, name, sentence) { name, sentence },
	DROP_TABLE(X)
#undef X
};

const char *drop_name(enum drop d)
{
	must((unsigned)d < N_DROPS);
	return drops[d].name;
}

const char *drop_sentence(enum drop d)
{
	must((unsigned)d < N_DROPS);
	return drops[d].sentence;
}
