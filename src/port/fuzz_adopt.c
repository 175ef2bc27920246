/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: the journal of an adopted NIC. The input is what stands between the
 * boot's line and the checksum, which are made right; what parses survives its own
 * format. */
#include <inttypes.h>

#include "base/hash.h"
#include "port/adopt_journal.h"
#include "sys/sysctl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void complete(struct str *s, const uint8_t *data, size_t size)
{
	char boot[SYSCTL_VALUE_MAX];

	if (sysctl_read(NL_CURRENT_NS, "kernel/random/boot_id", boot, NULL))
		memcpy(boot, "unknown", sizeof("unknown"));
	str_addf(s, "weft-adopt 1\nboot %s\n", boot);
	str_add_n(s, (const char *)data, size);
	str_addf(s, "end %016" PRIx64 "\n", hash_bytes(s->s, s->len, 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = STR_INIT, again = STR_INIT;
	struct adopt_journal j, back;

	complete(&text, data, size);
	if (!adopt_journal_parse(text.s, text.len, &j)) {
		adopt_journal_format(&j, &again);
		must(!adopt_journal_parse(again.s, again.len, &back));
		must(back.nic.n_addrs == j.nic.n_addrs);
		must(back.nic.n_rules == j.nic.n_rules);
		adopt_journal_fini(&back);
		adopt_journal_fini(&j);
	}
	str_fini(&text);
	str_fini(&again);
	return 0;
}
