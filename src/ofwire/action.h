/* SPDX-License-Identifier: Apache-2.0 */
/* Actions and instructions of OpenFlow, of any version, as a list.
 *
 * What      what a rule, a bucket, a packet-out carries, decoded: one struct a
 *           kind (actions.def), 8-byte aligned, each with its length; nested
 *           lists (clone, ct, write_actions) are nested bytes.
 * Why so    OpenFlow's actions are many and overlap; the pipeline's own language
 *           (flow/action.h) is what they come to when a packet is translated.
 *           Flat bytes are copied, compared and stored as they are.
 * Invariant L1 len is a multiple of 8 and covers the header and all behind it.
 *           L2 unused bytes are zero, so equal lists are equal bytes. L3 the
 *           instructions of a list stand behind its actions, in their order.
 *           L4 a decoded list is at most OF_ACTS_GROWTH times its bytes.
 * Threads   values; a list is changed by its owner only.
 * Owns      struct of_acts its memory; a list points into somebody's.
 * Refs      OpenFlow 1.0.0 5.2.4, 1.5.1 7.2.4 to 7.2.6, nicira-ext.h,
 *           ovs-actions(7). */
#ifndef OFWIRE_ACTION_H
#define OFWIRE_ACTION_H

#include "base/addr.h"
#include "flow/match.h"
#include "ofwire/message.h"

enum of_act_kind {
	OFA_NONE,
#define ACTION(kind, type) OFA_##kind,
#include "ofwire/actions.def"
#undef ACTION
	N_OFA
};

#define OF_ACTS_DEPTH 16u /* of nested lists */
#define OF_ACTS_GROWTH 16u

struct of_act {
	uint16_t kind; /* enum of_act_kind */
	uint16_t form; /* 1: strip_vlan came as pop_vlan; else 0 */
	uint32_t len;
};

/* Some bits of a field: `ofs` counts from the lowest. */
struct of_sub {
	uint16_t field; /* enum field_id */
	uint16_t ofs, n_bits;
};

struct of_act_int {
	struct of_act h;
	uint64_t v;
};

struct of_act_output {
	struct of_act h;
	uint32_t port;
	uint16_t max_len; /* to a controller; else 0 */
	uint16_t zero;
};

#define OF_CONTROLLER_NO_METER UINT32_MAX
struct of_act_controller {
	struct of_act h;
	uint16_t max_len, id;
	uint8_t reason; /* enum of_packet_in_reason */
	bool pause;
	bool extended; /* came as controller(...), not as an output */
	uint8_t zero;
	uint32_t meter;
	uint32_t userdata_len; /* bytes that follow */
	uint8_t userdata[];
};

struct of_act_enqueue {
	struct of_act h;
	uint32_t port, queue;
};

struct of_act_output_reg {
	struct of_act h;
	struct of_sub src;
	uint16_t max_len;
};

struct of_act_trunc {
	struct of_act h;
	uint32_t port, max_len;
};

enum of_hash_fields {
	OF_HASH_ETH_SRC,
	OF_HASH_SYMMETRIC_L4,
	OF_HASH_SYMMETRIC_L3L4,
	OF_HASH_SYMMETRIC_L3L4_UDP,
	OF_HASH_IP4_SRC,
	OF_HASH_IP4_DST,
	OF_HASH_SYMMETRIC_L3,
	N_OF_HASH
};

enum { OF_BUNDLE_ACTIVE_BACKUP, OF_BUNDLE_HRW };
#define OF_BUNDLE_MAX 2048u

struct of_act_bundle {
	struct of_act h;
	uint16_t algorithm, fields, basis, n;
	struct of_sub dst; /* bundle_load; n_bits 0: bundle */
	uint16_t zero;
	uint32_t ports[]; /* n */
};

/* Set-field and load: bits of `mask` become those of `value`. */
struct of_act_set {
	struct of_act h;
	uint16_t field; /* enum field_id */
	uint8_t load;   /* 1, 2: came as reg_load, reg_load2 */
	uint8_t zero[5];
	struct field_value value, mask;
};

struct of_act_move {
	struct of_act h;
	struct of_sub src, dst;
	uint32_t zero;
};

struct of_act_sub {
	struct of_act h;
	struct of_sub sub;
	uint16_t zero;
};

struct of_act_vlan {
	struct of_act h;
	uint16_t v;
	bool push;     /* 1.0's: a tag is added when there is none */
	bool has_vlan; /* the match says that there is (of_acts_settle) */
	uint32_t zero;
};

struct of_act_mac {
	struct of_act h;
	struct eth_addr mac;
	uint16_t zero;
};

struct of_act_tp {
	struct of_act h;
	uint16_t v;
	uint8_t proto; /* the match's (of_acts_settle); 0 unknown */
	uint8_t zero[5];
};

struct of_act_ids {
	struct of_act h;
	uint16_t n; /* 0: plain dec_ttl */
	uint16_t ids[];
};

struct of_act_tunnel {
	struct of_act h;
	uint64_t id;
	uint64_t wide; /* 1: came as set_tunnel64 */
};

struct of_act_fin {
	struct of_act h;
	uint16_t idle, hard;
	uint32_t zero;
};

struct of_act_resubmit {
	struct of_act h;
	uint32_t port; /* OF_PORT_IN_PORT: as it is */
	uint8_t table; /* OF_TABLE_ALL: the current one */
	bool ct;       /* with the connection's original tuple */
	uint8_t plain; /* 1: came without a table */
	uint8_t zero;
};

enum of_learn_dst { OF_LEARN_MATCH, OF_LEARN_LOAD, OF_LEARN_OUTPUT };
#define OF_LEARN_SEND_FLOW_REM 1u
#define OF_LEARN_DELETE 2u
#define OF_LEARN_WRITE_RESULT 4u

/* Immediate bits are right-aligned in `imm`. */
struct of_learn_spec {
	uint8_t dst_kind; /* enum of_learn_dst */
	bool immediate;
	uint16_t n_bits;
	struct of_sub src, dst; /* src unless immediate; dst unless OUTPUT */
	struct field_value imm;
};

struct of_act_learn {
	struct of_act h;
	uint16_t idle, hard, priority, fin_idle, fin_hard, flags;
	uint8_t table, form2; /* 1: came as learn2 */
	uint16_t n;           /* specs that follow */
	uint64_t cookie;
	uint32_t limit;       /* 0: none */
	struct of_sub result; /* with WRITE_RESULT; 1 bit */
	uint16_t zero[3];
	struct of_learn_spec specs[];
};

struct of_act_conjunction {
	struct of_act h;
	uint32_t id;
	uint8_t clause, n_clauses; /* clause from 0 */
	uint16_t zero;
};

enum { OF_MP_MODULO, OF_MP_THRESHOLD, OF_MP_HRW, OF_MP_ITER };
struct of_act_multipath {
	struct of_act h;
	uint16_t fields, basis, algorithm, max_link;
	uint32_t arg;
	struct of_sub dst;
	uint16_t zero[3];
};

struct of_act_note {
	struct of_act h;
	uint32_t n;
	uint8_t data[];
};

struct of_act_sample {
	struct of_act h;
	uint32_t collector, domain, point;
	uint32_t port; /* OF_PORT_NONE: not said */
	uint16_t probability;
	uint8_t direction; /* 0, 1 ingress, 2 egress */
	uint8_t form;      /* 1 sample, 2 with a port, 3 with a direction */
	uint32_t zero;
};

struct of_act_larger {
	struct of_act h;
	uint16_t len;
	struct of_sub dst; /* 1 bit */
};

struct of_act_delete {
	struct of_act h;
	uint16_t field;
	uint16_t zero[3];
};

struct of_act_encap {
	struct of_act h;
	uint32_t packet_type;
	uint16_t header_size,
		n; /* bytes of properties that follow, as they were */
	uint8_t props[];
};

#define OF_CT_COMMIT 1u
#define OF_CT_FORCE 2u
#define OF_CT_NO_TABLE 0xffu
struct of_act_ct {
	struct of_act h;
	uint16_t flags, zone; /* zone when zone_src has no bits */
	struct of_sub zone_src;
	uint16_t alg; /* destination port of the helper: 21, 69 */
	uint8_t table;
	uint8_t zero[3];
	/* a list follows: what is done to the connection */
};

#define OF_NAT_SRC 1u
#define OF_NAT_DST 2u
#define OF_NAT_PERSISTENT 4u
#define OF_NAT_HASH 8u
#define OF_NAT_RANDOM 16u
struct of_act_nat {
	struct of_act h;
	uint16_t flags, port_min, port_max;
	uint16_t family;          /* of the addresses: 0, AF_INET, AF_INET6 */
	struct ip6_addr min, max; /* IPv4: the first four bytes */
};

struct of_act_metadata {
	struct of_act h;
	uint64_t value, mask;
};

#endif
