/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as IGMP or MLD: read, and through a machine that narrows. */
#include <sys/socket.h>

#include "base/rcu.h"
#include "l2/mcast.h"
#include "l2/mcast_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct stamps stamps;

static void check_message(const uint8_t *data, uint32_t len)
{
	struct mcast_msg m;

	mcast_decode(data, len, &m);
	must(m.kind == MCAST_REPORT || !m.n_changes);
	for (unsigned i = 0; i < m.n_changes; i++)
		must(m.changes[i].group.family == m.family);
}

static void check_machine(const uint8_t *data, uint32_t len)
{
	struct mcast_config c = { .limit = 4, .querier = true };
	struct mcast *m = mcast_create(&c, &stamps, 0);
	struct mcast_frame f;

	mcast_rx(m, 1, data, len, 1);
	mcast_tick(m, MCAST_SETTLE_MS + 1);
	mcast_rx(m, 2, data, len, MCAST_SETTLE_MS + 2);
	while (mcast_take(m, &f))
		must(f.len <= sizeof(f.bytes));
	mcast_forget_port(m, 1);
	mcast_forget_port(m, 2);
	rcu_quiescent();
	mcast_destroy(m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool registered;

	if (!registered)
		rcu_thread_register();
	registered = true;
	if (size > 65535)
		return 0;
	check_message(data, (uint32_t)size);
	check_machine(data, (uint32_t)size);
	return 0;
}
