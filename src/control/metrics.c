/* SPDX-License-Identifier: Apache-2.0 */
#include "control/metrics.h"

#include <inttypes.h>
#include <unistd.h>

#include "control/internal.h"
#include "l2/mac_table.h"
#include "sys/http.h"
#include "sys/proc.h"
#include "sys/unix_socket.h"

#define SOCKET_FILE "metrics.sock"
#define SOCKET_MODE 0660
#define CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* --- the format ---------------------------------------------------------------- */

enum metric_type { COUNTER, GAUGE };

static void head(struct str *out, const char *name, enum metric_type type,
		 const char *help)
{
	str_addf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name,
		 type == COUNTER ? "counter" : "gauge");
}

/* A label's value: backslash, quote and newline are written otherwise. */
static void label(struct str *out, const char *key, const char *value)
{
	bool first = out->s[out->len - 1] == '{';

	str_addf(out, "%s%s=\"", first ? "" : ",", key);
	for (; *value; value++) {
		if (*value == '\\' || *value == '"')
			str_add_char(out, '\\');
		if (*value == '\n')
			str_add(out, "\\n");
		else
			str_add_char(out, *value);
	}
	str_add_char(out, '"');
}

static void sample(struct str *out, const char *name, uint64_t v)
{
	str_addf(out, "%s %" PRIu64 "\n", name, v);
}

/* name{key="value"} v */
static void labelled(struct str *out, const char *name, const char *key,
		     const char *value)
{
	str_addf(out, "%s{", name);
	label(out, key, value);
}

static void end(struct str *out, uint64_t v)
{
	str_addf(out, "} %" PRIu64 "\n", v);
}

/* --- ports ---------------------------------------------------------------------- */

static const struct {
	const char *name, *help;
	size_t at;
} port_counters[] = {
	{ "weft_port_receive_packets_total", "Packets that came in.",
	  offsetof(struct port_counters, rx_packets) },
	{ "weft_port_receive_bytes_total", "Bytes that came in.",
	  offsetof(struct port_counters, rx_bytes) },
	{ "weft_port_receive_errors_total", "Packets that could not be read.",
	  offsetof(struct port_counters, rx_errors) },
	{ "weft_port_transmit_packets_total", "Packets that left.",
	  offsetof(struct port_counters, tx_packets) },
	{ "weft_port_transmit_bytes_total", "Bytes that left.",
	  offsetof(struct port_counters, tx_bytes) },
	{ "weft_port_transmit_errors_total", "Packets that could not be sent.",
	  offsetof(struct port_counters, tx_errors) },
};

struct sums {
	const struct real_port *port;
	struct port_counters k;
};

/* Of all ports at once, so that all metrics of a scrape fit each other. */
static struct sums *sum_ports(const struct control *c, unsigned *n)
{
	struct sums *v = NULL;
	struct real_port *p;

	*n = 0;
	list_for_each(p, &c->real.ports, link) {
		v = xrealloc(v, (*n + 1) * sizeof(*v));
		v[*n].port = p;
		port_counters_sum(p->port, &v[(*n)++].k);
	}
	return v;
}

static const char *network_of(const struct control *c,
			      const struct real_port *p)
{
	uint32_t i = c->view ? model_view_port(c->view, p->name) : VIEW_NONE;
	const struct view_port *v = i == VIEW_NONE ? NULL : &c->view->ports[i];

	return v && v->port->network ? v->port->network : "";
}

static void put_up(const struct control *c, struct str *out)
{
	static const char name[] = "weft_port_up";
	struct real_port *p;

	head(out, name, GAUGE,
	     "Whether the port has its device, and it is up.");
	list_for_each(p, &c->real.ports, link) {
		labelled(out, name, "port", p->name);
		label(out, "type", p->port->ops->type);
		label(out, "network", network_of(c, p));
		end(out, p->attached && port_get_state(p->port) == PORT_UP);
	}
}

static void put_port_counter(const struct sums *v, unsigned n, unsigned k,
			     struct str *out)
{
	head(out, port_counters[k].name, COUNTER, port_counters[k].help);
	for (unsigned i = 0; i < n; i++) {
		const char *at = (const char *)&v[i].k + port_counters[k].at;

		labelled(out, port_counters[k].name, "port", v[i].port->name);
		end(out, *(const uint64_t *)(const void *)at);
	}
}

static void put_drops(const struct sums *v, unsigned n, struct str *out)
{
	static const char name[] = "weft_port_drops_total";

	head(out, name, COUNTER, "Packets dropped, by reason.");
	for (unsigned i = 0; i < n; i++) {
		for (unsigned d = 1; d < N_DROPS; d++) {
			if (!v[i].k.drops[d])
				continue;
			labelled(out, name, "port", v[i].port->name);
			label(out, "reason", drop_name((enum drop)d));
			end(out, v[i].k.drops[d]);
		}
	}
}

static void put_ports(const struct control *c, struct str *out)
{
	unsigned n;
	struct sums *v = sum_ports(c, &n);

	put_up(c, out);
	for (unsigned k = 0; k < ARRAY_SIZE(port_counters); k++)
		put_port_counter(v, n, k, out);
	put_drops(v, n, out);
	free(v);
}

/* --- bridges and networks --------------------------------------------------------- */

static uint64_t bridge_value(const struct mac_stats *m, unsigned k)
{
	const uint64_t values[] = { m->n,    m->limit,   m->learned, m->moved,
				    m->held, m->evicted, m->refused };

	return values[k];
}

static const struct {
	const char *name;
	enum metric_type type;
	const char *help;
} bridge_metrics[] = {
	{ "weft_bridge_stations", GAUGE, "MAC addresses in the table." },
	{ "weft_bridge_stations_limit", GAUGE, "As many as it may hold." },
	{ "weft_bridge_stations_learned_total", COUNTER, "New stations." },
	{ "weft_bridge_stations_moved_total", COUNTER,
	  "Stations that changed their port." },
	{ "weft_bridge_stations_held_total", COUNTER,
	  "Moves refused because a station jumps." },
	{ "weft_bridge_stations_evicted_total", COUNTER,
	  "Stations that gave way to others." },
	{ "weft_bridge_stations_refused_total", COUNTER,
	  "Stations for which there was no room." },
};

static void put_bridges(const struct control *c, struct str *out)
{
	const struct snapshot *s = switch_snapshot(c->sw);
	struct mac_stats m;

	for (unsigned k = 0; k < ARRAY_SIZE(bridge_metrics); k++) {
		head(out, bridge_metrics[k].name, bridge_metrics[k].type,
		     bridge_metrics[k].help);
		for (unsigned i = 0; i < s->n_bridges; i++) {
			if (!s->bridges[i])
				continue;
			mac_table_stats(s->bridges[i]->macs, &m);
			labelled(out, bridge_metrics[k].name, "bridge",
				 s->bridges[i]->name);
			end(out, bridge_value(&m, k));
		}
	}
}

static void put_networks(const struct control *c, struct str *out)
{
	static const char name[] = "weft_network_ports";
	const struct snapshot *s = switch_snapshot(c->sw);

	head(out, name, GAUGE, "Ports of this host in the network.");
	for (unsigned i = 0; i < s->n_domains; i++) {
		const struct snap_domain *d = s->domains[i];

		if (!d)
			continue;
		labelled(out, name, "network", d->name);
		label(out, "bridge", d->bridge->name);
		str_addf(out, ",vlan=\"%u\"", d->vid);
		end(out, d->n_members);
	}
	head(out, "weft_peers", GAUGE, "Other hosts that tunnels lead to.");
	sample(out, "weft_peers", c->view ? c->view->n_peers : 0);
}

/* --- datapath and slow path --------------------------------------------------------- */

static void counter(struct str *out, const char *name, const char *help,
		    uint64_t v)
{
	head(out, name, COUNTER, help);
	sample(out, name, v);
}

static void gauge(struct str *out, const char *name, const char *help,
		  uint64_t v)
{
	head(out, name, GAUGE, help);
	sample(out, name, v);
}

static void put_datapath(const struct control *c, struct str *out)
{
	struct dp_stats s;

	switch_dp_ops(c->sw)->stats(switch_dp(c->sw), &s);
	gauge(out, "weft_datapath_flows", "Cached flows.", s.flows);
	gauge(out, "weft_datapath_masks", "Masks they are looked up under.",
	      s.masks);
	counter(out, "weft_datapath_hits_total",
		"Packets whose flow was cached.", s.hits);
	counter(out, "weft_datapath_misses_total",
		"Packets that were translated anew.", s.misses);
	counter(out, "weft_datapath_stale_total",
		"Cached flows found out of date.", s.stale);
	counter(out, "weft_datapath_replaced_total",
		"Flows that gave way to others.", s.replaced);
	counter(out, "weft_datapath_uncacheable_total",
		"Packets whose flow was not kept.", s.uncacheable);
}

static void put_slow_path(const struct control *c, struct str *out)
{
	static const char name[] = "weft_slow_path_packets_total";
	struct switch_stats s;

	switch_stats(c->sw, &s);
	head(out, name, COUNTER, "Packets that needed thought, by reason.");
	for (unsigned i = 0; i < N_PUNT_REASONS; i++) {
		labelled(out, name, "reason",
			 punt_reason_name((enum punt_reason)i));
		end(out, s.punts[i]);
	}
	counter(out, "weft_slow_path_drops_total",
		"Packets that found the slow path full.", s.punt_dropped);
	counter(out, "weft_router_arp_replies_total", "ARP answers given.",
		s.arp_answered);
	counter(out, "weft_router_nd_replies_total",
		"Neighbour advertisements given.", s.nd_answered);
	counter(out, "weft_router_icmp_errors_total", "ICMP errors sent.",
		s.icmp_errors);
	counter(out, "weft_router_icmp_limited_total",
		"ICMP errors not sent: too many.", s.icmp_limited);
	counter(out, "weft_router_echo_replies_total", "Pings answered.",
		s.echo_replies);
}

/* --- the process --------------------------------------------------------------------- */

/* "pid (name) state ...": the name may hold anything, but ends at the last ')'.
 * Fields count from the state, which is 3 in proc(5). */
static uint64_t stat_field(const char *stat, unsigned field)
{
	const char *at = strrchr(stat, ')');

	for (unsigned i = 2; at && i < field; i++)
		at = strchr(at + 1, ' ');
	return at ? strtoull(at + 1, NULL, 10) : 0;
}

#define STAT_UTIME 14u
#define STAT_STIME 15u
#define STAT_RSS 24u

static void put_process(const struct control *c, struct str *out)
{
	static const char up[] = "weft_uptime_seconds";
	static const char cpu[] = "process_cpu_seconds_total";
	uint64_t ms = env_now_ms(c->config.env) - c->started_ms;
	struct str stat = STR_INIT;

	head(out, "weft_build_info", GAUGE, "What runs here.");
	labelled(out, "weft_build_info", "version", WEFT_VERSION);
	label(out, "host", c->config.host);
	end(out, 1);
	head(out, up, GAUGE, "Since the daemon started.");
	str_addf(out, "%s %.3f\n", up, (double)ms / 1000);
	if (!proc_read("", "/proc/self/stat", &stat)) {
		uint64_t ticks = stat_field(str_text(&stat), STAT_UTIME) +
				 stat_field(str_text(&stat), STAT_STIME);

		head(out, cpu, COUNTER, "CPU time of all threads.");
		str_addf(out, "%s %.2f\n", cpu,
			 (double)ticks / (double)sysconf(_SC_CLK_TCK));
		gauge(out, "process_resident_memory_bytes", "Memory in use.",
		      stat_field(str_text(&stat), STAT_RSS) *
			      (uint64_t)sysconf(_SC_PAGESIZE));
	}
	str_fini(&stat);
}

/* --- serving --------------------------------------------------------------------------- */

const struct str *metrics_text(struct control *c)
{
	struct metrics *m = &c->metrics;
	uint64_t now = env_now_ms(c->config.env);

	if (m->text.len && now - m->made_ms < METRICS_FRESH_MS)
		return &m->text;
	m->made_ms = now;
	str_clear(&m->text);
	put_datapath(c, &m->text);
	put_ports(c, &m->text);
	put_bridges(c, &m->text);
	put_networks(c, &m->text);
	put_slow_path(c, &m->text);
	put_process(c, &m->text);
	return &m->text;
}

static bool get(void *arg, const char *path, struct http_page *out)
{
	const struct str *text;

	if (strcmp(path, "/metrics"))
		return false;
	text = metrics_text(arg);
	out->type = CONTENT_TYPE;
	str_add_n(&out->body, str_text(text), text->len);
	return true;
}

int metrics_listen(struct control *c, const char *address, struct err *e)
{
	char *path = xasprintf("%s/%s", c->config.run, SOCKET_FILE);
	struct unix_socket_spec s = { .path = path, .mode = SOCKET_MODE };
	struct http_spec spec = { .get = get, .arg = c };

	spec.fd = unix_socket_listen(&s, e);
	free(path);
	if (spec.fd < 0)
		return spec.fd;
	c->metrics.local = http_server_create(c->config.loop, &spec);
	if (!address)
		return 0;
	spec.fd = http_listen(address, e);
	if (spec.fd < 0)
		return spec.fd;
	c->metrics.tcp = http_server_create(c->config.loop, &spec);
	return 0;
}

void metrics_unlisten(struct control *c)
{
	http_server_destroy(c->metrics.local);
	http_server_destroy(c->metrics.tcp);
	c->metrics.local = c->metrics.tcp = NULL;
	str_fini(&c->metrics.text);
}
