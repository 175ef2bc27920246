/* SPDX-License-Identifier: Apache-2.0 */
/* What does a packet cost in the userspace datapath, without any device?
 *
 *   dp [STATIONS...]           1, 10000 and 1000000 when none is said
 *
 * 64-byte frames go from port to port on one core, in batches, through all that
 * a worker does: a buffer, extraction, the cache, the actions, the port's tx
 * (which only frees). The switch behind it is the real one. One line a measure,
 * `name value unit`:
 *
 *   bridge_miss    a new station: translate, learn, keep, send
 *   bridge_hit     frames of that many stations in random order
 *   routed_miss    a new pair of addresses through the router
 *   routed_hit     frames of that many pairs in random order
 *   macs           how many stations the MAC table then has
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "dp/user.h"
#include "flow/extract.h"
#include "packet/checksum.h"
#include "switch/switch.h"
#include "sys/loop.h"

#define STATIONS_MAX (1u << 20)
#define HIT_PACKETS 4000000u
#define ROUNDS 5u
#define FRAME_LEN 60u /* and the checksum that the wire adds */
#define ANSWERER 0x020000ffffffull
#define ROUTER_MAC 0x02000000aaaaull

/* --- a datapath whose one worker is this thread --- */

static struct bench_dp {
	struct dp_user user;
	struct cache cache;
	struct dp_thread thread;
	struct flow_key keys[PACKET_BATCH_MAX];
} bench;

static struct dp *bench_create(const struct dp_config *config)
{
	struct dp_user *dp = &bench.user;
	struct cache_config cache = { .flows_per_port = STATIONS_MAX,
				      .flows_max = STATIONS_MAX,
				      .idle_ms = UINT32_MAX,
				      .seed = 1 };

	dp->config = *config;
	dp->ports = lazy_alloc((DP_MAX_PORTS + 1) * sizeof(*dp->ports));
	dp->meters = lazy_alloc(DP_MAX_METERS * sizeof(*dp->meters));
	must(dp->ports && dp->meters);
	must(!cache_init(&bench.cache, &cache));
	must(!dp_thread_init(&bench.thread, dp, 0, &bench.cache));
	for (unsigned i = 0; i < PACKET_BATCH_MAX; i++)
		flow_key_init(&bench.keys[i]);
	return (struct dp *)(void *)dp;
}

static void bench_destroy(struct dp *base UNUSED)
{
	struct dp_user *dp = &bench.user;

	for (unsigned i = 0; i <= DP_MAX_PORTS; i++)
		free(dp->ports[i]);
	dp_thread_fini(&bench.thread);
	cache_fini(&bench.cache);
	lazy_free(dp->ports, (DP_MAX_PORTS + 1) * sizeof(*dp->ports));
	lazy_free(dp->meters, DP_MAX_METERS * sizeof(*dp->meters));
}

static int bench_port_add(struct dp *base UNUSED, struct port *port)
{
	struct dp_user_port *p = xzalloc(sizeof(*p));

	p->port = port;
	bench.user.ports[port->id] = p;
	return 0;
}

static void bench_port_del(struct dp *base UNUSED, uint32_t id)
{
	free(bench.user.ports[id]);
	bench.user.ports[id] = NULL;
}

static int bench_meter_set(struct dp *base UNUSED, uint32_t id UNUSED,
			   uint64_t rate UNUSED, uint64_t burst UNUSED)
{
	return 0;
}

static void bench_execute(struct dp *base UNUSED, struct packet *p,
			  struct act_list list UNUSED)
{
	packet_free(p);
}

static void bench_inject(struct dp *base UNUSED, struct packet *p)
{
	packet_free(p);
}

static struct packet *bench_packet_alloc(struct dp *base UNUSED)
{
	return packet_alloc(bench.thread.pool);
}

static void bench_barrier(struct dp *base UNUSED)
{
}

static const struct dp_ops bench_ops = {
	.name = "bench",
	.create = bench_create,
	.destroy = bench_destroy,
	.port_add = bench_port_add,
	.port_del = bench_port_del,
	.meter_set = bench_meter_set,
	.execute = bench_execute,
	.inject = bench_inject,
	.packet_alloc = bench_packet_alloc,
	.barrier = bench_barrier,
};

static void sink_tx(struct port *p UNUSED, struct packet_batch *b,
		    struct port_counters *c)
{
	for (unsigned i = 0; i < b->n; i++) {
		c->tx_packets++;
		c->tx_bytes += b->p[i]->len;
	}
	packet_batch_free(b);
}

static const struct port_ops sink_ops = { .type = "sink", .tx = sink_tx };

/* --- two networks, a port each for many and for one, a router between --- */

enum { MANY, ONE, FAR, N_SINKS };

static struct port sinks[N_SINKS];

static void make_ports(struct vswitch *sw)
{
	static const char *const names[] = { "many", "one", "far" };

	for (unsigned i = 0; i < N_SINKS; i++) {
		port_init(&sinks[i], &sink_ops, names[i]);
		sinks[i].id = switch_port_number(sw);
		sinks[i].mtu = 1500;
		port_set_state(&sinks[i], PORT_UP);
		must(!switch_port_add(sw, &sinks[i]));
	}
}

static struct ip_prefix prefix(uint32_t address)
{
	return (struct ip_prefix){ ip_addr_from_ip4(address), 8 };
}

/* Stations are 10.x.x.x; behind the router is 11.0.0.2 alone. */
static void configure(struct vswitch *sw)
{
	const struct desired_bridge bridges[] = {
		{ .name = "near",
		  .mac_limit = STATIONS_MAX * 2,
		  .mac_age_ms = MAC_AGE_DEFAULT_MS },
		{ .name = "away",
		  .mac_limit = 16,
		  .mac_age_ms = MAC_AGE_DEFAULT_MS },
	};
	const struct desired_neigh answerer = { ip_addr_from_ip4(0x0b000002),
						eth_addr_from_u64(ANSWERER) };
	const struct desired_domain domains[] = {
		{ .name = "near", .bridge = 0, .mtu = 1500 },
		{ .name = "away",
		  .bridge = 1,
		  .mtu = 1500,
		  .neighs = &answerer,
		  .n_neighs = 1 },
	};
	const struct desired_port ports[] = {
		{ .name = "many",
		  .id = sinks[MANY].id,
		  .bridge = 0,
		  .mtu = 1500 },
		{ .name = "one",
		  .id = sinks[ONE].id,
		  .bridge = 0,
		  .mtu = 1500 },
		{ .name = "far",
		  .id = sinks[FAR].id,
		  .bridge = 1,
		  .mtu = 1500 },
	};
	const struct ip_prefix near = prefix(0x0a000001);
	const struct ip_prefix away = prefix(0x0b000001);
	const struct desired_iface ifaces[] = {
		{ .domain = 0,
		  .port = DESIRED_NONE,
		  .addresses = &near,
		  .n_addresses = 1,
		  .mtu = 1500 },
		{ .domain = 1,
		  .port = DESIRED_NONE,
		  .addresses = &away,
		  .n_addresses = 1,
		  .mtu = 1500 },
	};
	const struct desired_router router = { .name = "r",
					       .mac = eth_addr_from_u64(
						       ROUTER_MAC),
					       .ifaces = ifaces,
					       .n_ifaces = 2 };
	const struct desired d = {
		.bridges = bridges,
		.n_bridges = 2,
		.domains = domains,
		.n_domains = 2,
		.ports = ports,
		.n_ports = N_SINKS,
		.routers = &router,
		.n_routers = 1,
	};
	struct err e = { 0 };

	must(!switch_check(&d, &e));
	switch_apply(sw, &d);
}

/* --- frames --- */

struct frame {
	uint8_t b[FRAME_LEN];
};

static void put_mac(uint8_t *to, uint64_t mac)
{
	struct eth_addr a = eth_addr_from_u64(mac);

	memcpy(to, a.b, sizeof(a.b));
}

/* A UDP datagram; station i's part is put in by set_station. */
static struct frame make_frame(uint64_t dst, uint32_t ip_dst)
{
	static const uint8_t head[] = { 0x45, 0, 0, 46, 0, 1, 0, 0, 64, 17 };
	struct frame f = { { 0 } };

	put_mac(f.b, dst);
	f.b[12] = 0x08;
	memcpy(f.b + 14, head, sizeof(head));
	for (unsigned i = 0; i < 4; i++)
		f.b[30 + i] = (uint8_t)(ip_dst >> (24 - 8 * i));
	f.b[35] = f.b[37] = 9; /* ports */
	f.b[39] = 26;          /* UDP length */
	return f;
}

static void set_station(uint8_t *frame, uint32_t i)
{
	put_mac(frame + 6, 0x020100000000ull + i);
	frame[26] = 10;
	frame[27] = (uint8_t)(1 + (i >> 16));
	frame[28] = (uint8_t)(i >> 8);
	frame[29] = (uint8_t)i;
}

/* A batch from the port of many: stations first, or random ones below n. */
static void send_batch(const struct frame *f, uint32_t first, uint32_t random,
		       uint32_t *seed)
{
	struct packet_batch b = { 0 };

	while (b.n < PACKET_BATCH_MAX) {
		struct packet *p = packet_alloc(bench.thread.pool);
		uint32_t station = first + b.n;

		must(p);
		if (random) {
			*seed = *seed * 1664525u + 1013904223u;
			station = (uint32_t)((uint64_t)*seed * random >> 32);
		}
		memcpy(p->data, f, FRAME_LEN);
		p->len = FRAME_LEN;
		set_station(p->data, station);
		b.p[b.n++] = p;
	}
	dp_receive(&bench.thread, sinks[MANY].id, &b, bench.keys);
	dp_flush(&bench.thread);
}

/* --- measuring --- */

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void say(const char *what, uint32_t n, double value, const char *unit)
{
	printf("dp_%s_%u %.1f %s\n", what, n, value, unit);
	fflush(stdout);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *times)
{
	qsort(times, ROUNDS, sizeof(times[0]), by_value);
	return times[ROUNDS / 2];
}

/* Every station once, in order. */
static void send_all(const struct frame *f, uint32_t n)
{
	for (uint32_t i = 0; i < n; i += PACKET_BATCH_MAX)
		send_batch(f, i, 0, NULL);
}

/* Of a million flows a few do not fit into their buckets and take turns. */
static void measure_hits(const char *what, const struct frame *f, uint32_t n)
{
	double times[ROUNDS];
	uint32_t seed = 1;

	for (unsigned r = 0; r < ROUNDS; r++) {
		uint64_t hits = bench.thread.stats.hits;
		double t = now();

		for (unsigned i = 0; i < HIT_PACKETS; i += PACKET_BATCH_MAX)
			send_batch(f, 0, n, &seed);
		times[r] = (now() - t) / HIT_PACKETS;
		must(bench.thread.stats.hits - hits > HIT_PACKETS / 1000 * 999);
	}
	say(what, n, median(times), "ns/packet");
}

/* In the first round the stations are learned too, and memory is touched. */
static void measure_misses(const char *what, const struct frame *f, uint32_t n)
{
	double times[ROUNDS];

	for (unsigned r = 0; r < ROUNDS; r++) {
		uint64_t misses = bench.thread.stats.misses;
		double t;

		cache_forget_port(&bench.cache, sinks[MANY].id);
		t = now();
		send_all(f, n);
		times[r] = (now() - t) / n;
		must(bench.thread.stats.misses - misses >= n);
		if (!r)
			say(what, n, times[r], "ns/packet, first");
	}
	send_all(f, n); /* what learning made stale is fresh after this */
	say(what, n, median(times), "ns/packet");
}

static uint32_t count_macs(struct vswitch *sw)
{
	struct mac_stats s;

	mac_table_stats(switch_snapshot(sw)->bridges[0]->macs, &s);
	return s.n;
}

static void learn_answerer(void)
{
	struct packet_batch b = { .n = 1 };
	struct frame f = make_frame(0x020100000000ull, 0x0a000001);

	put_mac(f.b + 6, ANSWERER);
	b.p[0] = packet_alloc(bench.thread.pool);
	packet_fill(b.p[0], f.b, FRAME_LEN);
	dp_receive(&bench.thread, sinks[ONE].id, &b, bench.keys);
	b.n = 1;
	b.p[0] = packet_alloc(bench.thread.pool);
	packet_fill(b.p[0], f.b, FRAME_LEN);
	dp_receive(&bench.thread, sinks[FAR].id, &b, bench.keys);
	dp_flush(&bench.thread);
}

static void measure(struct vswitch *sw, uint32_t n)
{
	struct frame bridged = make_frame(ANSWERER, 0x0a000002);
	struct frame routed = make_frame(ROUTER_MAC, 0x0b000002);

	learn_answerer();
	measure_misses("bridge_miss", &bridged, MAX(n, PACKET_BATCH_MAX));
	measure_hits("bridge_hit", &bridged, n);
	say("macs", n, count_macs(sw), "stations");
	measure_misses("routed_miss", &routed, MAX(n, PACKET_BATCH_MAX));
	measure_hits("routed_hit", &routed, n);
}

int main(int argc, char **argv)
{
	static const uint32_t usual[] = { 1, 10000, 1000000 };
	struct switch_config config = { .env = env_system(), .dp = &bench_ops };
	struct vswitch *sw;

	rcu_thread_register();
	config.loop = loop_create();
	sw = switch_create(&config);
	must(sw);
	make_ports(sw);
	configure(sw);
	for (int a = 1; a < argc; a++)
		measure(sw, CLAMP((uint32_t)strtoul(argv[a], NULL, 10), 1u,
				  STATIONS_MAX - PACKET_BATCH_MAX));
	for (unsigned i = 0; argc == 1 && i < ARRAY_SIZE(usual); i++)
		measure(sw, usual[i]);
	rcu_thread_unregister();
	return 0;
}
