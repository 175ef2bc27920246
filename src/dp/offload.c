/* SPDX-License-Identifier: Apache-2.0 */
/* Between a worker's cache and the kernel's: which flows go there, and what they
 * counted there. */
#include "dp/user.h"
#include "packet/headers.h"

/* A flow is worth a system call once a second packet has come. */
void offload_consider(struct dp_thread *t, struct flow *f,
		      const struct flow_key *key)
{
	const struct accel *a = t->dp->config.accel;

	if (!a)
		return;
	f->mirror_epoch = accel_epoch(a);
	f->mirror_no = accel_can(a, key, program_list(f->program));
	if (!f->mirror_no)
		f->mirrored = FLOW_MAY_MIRROR;
}

void offload_put(struct dp_thread *t, struct flow *f)
{
	bool put;

	f->mirror_no = accel_put(t->dp->config.accel, f, f->mask->slot);
	put = !f->mirror_no;
	f->mirrored = put ? FLOW_MIRRORED : FLOW_HERE_ONLY;
	f->mirror_packets = f->mirror_bytes = 0;
	t->stats.in_kernel += put;
}

/* Ports count what they would have, had the packets come here. */
static void count_ports(struct dp_thread *t, const struct flow *f,
			const struct accel_use *new)
{
	struct port_counters *in = dp_counters(t, f->port);
	uint64_t longer = 0; /* than it came in; of a shorter one: wraps */

	if (in) {
		in->rx_packets += new->packets;
		in->rx_bytes += new->bytes;
	}
	act_list_for_each(a, program_list(f->program)) {
		uint32_t operand =
			((const struct act_u32 *)(const void *)a)->value;
		struct port_counters *out;

		if (a->op == ACT_DROP && in)
			in->drops[operand] += new->packets;
		longer += a->op == ACT_PUSH_VLAN ? VLAN_HEADER_LEN : 0;
		longer -= a->op == ACT_POP_VLAN ? VLAN_HEADER_LEN : 0;
		if (a->op != ACT_OUTPUT)
			continue;
		out = dp_counters(t, operand);
		if (!out)
			continue;
		out->tx_packets += new->packets;
		out->tx_bytes += new->bytes + longer *new->packets;
	}
}

static void account(struct dp_thread *t, struct flow *f,
		    const struct accel_use *now)
{
	struct accel_use new = { now->packets - f->mirror_packets,
				 now->bytes - f->mirror_bytes };

	/* Nothing: read in vain, or nothing passed. */
	if (now->packets <= f->mirror_packets)
		return;
	f->mirror_packets = now->packets;
	f->mirror_bytes = now->bytes;
	f->packets += new.packets;
	f->bytes += new.bytes;
	f->new_packets += new.packets;
	f->new_bytes += new.bytes;
	f->used_ms = t->now_ms;
	t->stats.hits += new.packets;
	t->stats.kernel_hits += new.packets;
	count_ports(t, f, &new);
}

const char *offload_why_not(const struct dp_thread *t, const struct flow *f)
{
	if (!t->dp->config.accel)
		return "there is no kernel cache";
	if (f->mirrored == FLOW_MAY_MIRROR)
		return "only one packet has come so far";
	return accel_no_text((enum accel_no)f->mirror_no);
}

void offload_sync(struct dp_thread *t, struct flow *f)
{
	struct accel_use now;

	if (f->mirrored != FLOW_MIRRORED)
		return;
	now = accel_read(t->dp->config.accel, f, f->mask->slot);
	account(t, f, &now);
}

static void mirror_sync(void *ctx, struct flow *f)
{
	offload_sync(ctx, f);
}

static void mirror_leave(void *ctx, struct flow *f)
{
	struct dp_thread *t = ctx;
	struct accel_use now =
		accel_take(t->dp->config.accel, f, f->mask->slot);

	account(t, f, &now);
	f->mirrored = FLOW_HERE_ONLY;
	t->stats.in_kernel--;
}

/* A device's MTU or state is another, or it is there now. */
void offload_again(struct dp_thread *t, struct flow *f,
		   const struct flow_key *key)
{
	if (f->mirrored == FLOW_MIRRORED)
		mirror_leave(t, f);
	f->mirrored = FLOW_HERE_ONLY;
	offload_consider(t, f, key);
}

static void mirror_mask(void *ctx, uint32_t port, unsigned slot,
			const struct flow_mask *m)
{
	struct dp_thread *t = ctx;

	accel_mask_set(t->dp->config.accel, port, slot, m);
}

const struct cache_mirror offload_mirror = {
	.sync = mirror_sync,
	.leave = mirror_leave,
	.mask = mirror_mask,
};
