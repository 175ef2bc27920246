/* SPDX-License-Identifier: Apache-2.0 */
/* For tests: a whole switch over the fake datapath, with a clock of the test's.
 *
 *      stations 1..4 -- ports 1..4 -- [bridge b0, network blue] --+
 *                                                                 r1
 *      stations 5..6 -- ports 5..6 -- [bridge b1, network green] -+
 *      peers 10, 11 behind tunnel port 9 (blue, when its vni is not 0)
 *
 *      blue  198.51.100.0/24 2001:db8:1::/64, r1 is .254 and ::ff, MTU 1500
 *      green 203.0.113.0/24  2001:db8:2::/64, r1 is .254 and ::ff, MTU 1300
 *
 * What      the configuration is plain arrays that a test changes and applies;
 *           frames are given to ports and taken from them; time passes from
 *           deadline to deadline as the switch armed them: a deadline that it
 *           forgot to arm is not served.
 * Why so    the switch is tested through its doors alone, in one thread, and an
 *           hour of its time passes in milliseconds.
 * Judges    the datapath's flows too: rig_destroy fails when a flow that was
 *           fresh said something else than translation (dp/fake.h).
 * Threads   the test's. */
#ifndef SWITCH_TEST_RIG_H
#define SWITCH_TEST_RIG_H

#include "packet/test_frame.h"
#include "port/dummy.h"
#include "switch/switch.h"

#define RIG_PORTS 6u
#define RIG_BLUE_PORTS 4u
#define RIG_TUNNEL 9u
#define RIG_PEER_A 10u
#define RIG_PEER_B 11u
#define RIG_N_PEERS 2u
#define RIG_VNI 4242u
#define RIG_HEARD 64u

enum { RIG_BLUE, RIG_GREEN, RIG_NETS };

/* The configuration; `d` points into it. */
struct house {
	struct desired_bridge bridges[RIG_NETS];
	struct desired_domain domains[RIG_NETS];
	struct desired_port ports[RIG_PORTS]; /* [0] is port 1 */
	struct desired_peer peers[RIG_N_PEERS];
	struct desired_iface ifaces[RIG_NETS];
	struct desired_router router;
	struct ip_prefix addresses[RIG_NETS][2];
	struct desired d;
};

/* What the switch told by its events. */
struct heard {
	unsigned rebuilds, blocks, unblocks, conflicts, failures;
	uint32_t port, other; /* of the last of them */
	int error;
	struct ip_addr ip;
	struct eth_addr mac;
};

/* A frame that left by a port. */
struct seen {
	uint32_t len;
	bool has_tunnel;
	struct packet_tunnel tun;
	uint8_t b[FRAME_MAX];
};

struct rig {
	struct env_test env;
	struct loop *loop;
	struct vswitch *sw;
	struct port *port[RIG_TUNNEL + 1]; /* by number */
	struct packet_pool *pool;
	struct house house;
	struct heard heard;
	bool rebuild;
	struct seen seen;
	uint8_t frame[FRAME_MAX];
};

/* cmocka's: *state is the rig; the house stands, nothing was sent yet. */
int rig_setup(void **state);
int rig_teardown(void **state);
#define RIG_TEST(fn)                                                           \
	cmocka_unit_test_setup_teardown(fn, rig_setup, rig_teardown)

/* The house as it is now becomes the switch's. */
void rig_apply(struct rig *r);
/* A peer each way and the VNI, then applied. */
void rig_apply_overlay(struct rig *r);
uint64_t rig_now(struct rig *r);
/* Until nothing moves any more; then the clock goes on. */
void rig_settle(struct rig *r);
/* The datapath alone: what it punts stays in the queue. */
void rig_poll(struct rig *r);
void rig_pass_ms(struct rig *r, uint64_t ms);

/* --- who is who --- */
struct eth_addr rig_mac(uint32_t station);
struct eth_addr rig_router_mac(void);
struct ip_addr rig_addr(const char *text);
struct ip_prefix rig_prefix(const char *text);

/* --- in ---
 * All but rig_give settle afterwards. */
void rig_give(struct rig *r, uint32_t port, const void *frame, uint32_t len);
void rig_send(struct rig *r, uint32_t port, const void *frame, uint32_t len);
/* As if it had come out of the tunnel, from this peer. */
void rig_send_tunnel(struct rig *r, uint32_t peer, const void *frame,
		     uint32_t len);

/* An Ethernet frame with IPv4 or IPv6 in it. Zero members have defaults. */
struct rig_ip {
	const char *from, *to;
	uint32_t station;    /* whose MAC sends; 0: the port's number */
	uint32_t to_station; /* 0: the router */
	bool to_group;       /* the group's MAC */
	uint8_t ttl;         /* 0: 64 */
	uint8_t proto;       /* 0: UDP */
	uint16_t sport, dport;
	bool df;
	bool router_alert;
	bool bad_csum;
	const void *payload; /* NULL: zeroes */
	uint32_t len;        /* of the payload */
};
/* Builds into r->frame; returns the length. */
uint32_t rig_ip_build(struct rig *r, uint32_t port, const struct rig_ip *ip);
void rig_send_ip(struct rig *r, uint32_t port, const struct rig_ip *ip);
/* An echo request of `len` bytes of data. */
void rig_send_echo(struct rig *r, uint32_t port, const struct rig_ip *ip);

struct rig_arp {
	uint32_t from;         /* the station; 0: the port's number */
	const char *spa, *tpa; /* "0.0.0.0": a probe */
	bool reply;            /* to the router */
};
void rig_send_arp(struct rig *r, uint32_t port, const struct rig_arp *a);
/* An NS of `target` from the station, and an NA that answers the router. */
void rig_send_ns(struct rig *r, uint32_t port, const char *from,
		 const char *target);
void rig_send_na(struct rig *r, uint32_t port, const char *target,
		 const char *to);

/* --- out ---
 * The oldest frame that left by the port, valid until the next call; NULL. */
const struct seen *rig_take(struct rig *r, uint32_t port);
/* Fails when there is none, and when there is one. */
const struct seen *rig_must_take(struct rig *r, uint32_t port);
void rig_must_be_quiet(struct rig *r, uint32_t port);
/* How many left; they are thrown away. Of all ports: 0. */
unsigned rig_drain(struct rig *r, uint32_t port);

/* --- what a frame is: fail when it is not --- */
void seen_is_arp_request(const struct seen *s, const char *target,
			 uint32_t to_station);
/* Offset of the ICMP header of an intact packet of this type and code. */
uint32_t seen_is_icmp(const struct seen *s, uint8_t type, uint8_t code);
bool seen_is_ip6(const struct seen *s);
uint16_t seen_16(const struct seen *s, uint32_t at);
uint32_t seen_32(const struct seen *s, uint32_t at);

struct switch_stats rig_stats(struct rig *r);
uint64_t rig_drops(struct rig *r, uint32_t port, enum drop reason);
/* Is the station in the table of the bridge, and where? 0: it is not. */
uint32_t rig_where(struct rig *r, unsigned bridge, uint32_t station);

#endif
