/* SPDX-License-Identifier: Apache-2.0 */
#include "port/port.h"

#include <stdio.h>

void port_init(struct port *p, const struct port_ops *ops, const char *name)
{
	memset(p, 0, sizeof(*p));
	p->ops = ops;
	snprintf(p->name, sizeof(p->name), "%s", name);
	p->n_queues = 1;
	port_set_state(p, PORT_ABSENT);
}

void port_set_device(struct port *p, const char *device)
{
	snprintf(p->device, sizeof(p->device), "%s", device ? device : "");
}

/* The threads that count do so without atomics: what is read may be a moment old,
 * never half of a number. */
#define READ_WHILE_COUNTED __attribute__((no_sanitize("thread")))

READ_WHILE_COUNTED
static void port_counters_add(struct port_counters *sum,
			      const struct port_counters *c)
{
	sum->rx_packets += c->rx_packets;
	sum->rx_bytes += c->rx_bytes;
	sum->rx_errors += c->rx_errors;
	sum->tx_packets += c->tx_packets;
	sum->tx_bytes += c->tx_bytes;
	sum->tx_errors += c->tx_errors;
	for (unsigned i = 0; i < N_DROPS; i++)
		sum->drops[i] += c->drops[i];
}

READ_WHILE_COUNTED
void port_counters_sum(const struct port *p, struct port_counters *sum)
{
	memset(sum, 0, sizeof(*sum));
	for (unsigned i = 0; i < PORT_MAX_THREADS; i++)
		port_counters_add(sum, &p->counters[i]);
	for (unsigned i = 0; i < PORT_MAX_QUEUES; i++) {
		const struct port_rx_drops *d = &p->rx_drops[i];

		sum->drops[DROP_RX_FULL] += d->full;
		sum->drops[DROP_MALFORMED] += d->malformed;
		sum->drops[DROP_POOL_EMPTY] += d->pool_empty;
		sum->rx_errors += d->full + d->malformed + d->pool_empty;
	}
}

const char *port_state_name(enum port_state s)
{
	static const char *const names[] = {
		[PORT_ABSENT] = "absent",
		[PORT_DOWN] = "down",
		[PORT_UP] = "up",
	};

	return names[s];
}
