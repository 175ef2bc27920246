/* SPDX-License-Identifier: Apache-2.0 */
/* The one action language (decision D4).
 *
 * What      a list of small instructions, each 8-byte aligned: a header (op,
 *           length) and its operands. Translation produces it, the datapaths
 *           run it, rules hold it, dumps print it, tests read it.
 * Why so    flat bytes: copied with memcpy, compared with memcmp, hashed,
 *           interned; no pointer inside (nested lists are nested bytes).
 * Invariant A1 len is a multiple of 8 and covers the header and all operands.
 *           A2 unused operand bytes are zero. A3 a list is well formed as soon
 *           as acts_check accepted it; interpreters rely on that.
 * Kinds     datapath ops may stand in a verdict; pipeline ops (NORMAL,
 *           RESUBMIT) only in rules, and translation resolves them.
 * Text      acts_format and acts_parse, one word for one op, e.g.
 *           `set_eth(dst=..,src=..),dec_ttl,output:3`.
 * Threads   values. */
#ifndef FLOW_ACTION_H
#define FLOW_ACTION_H

#include "base/addr.h"
#include "flow/field.h"
#include "flow/key.h"
#include "packet/drop.h"
#include "packet/packet.h"

enum act_op {
	ACT_OUTPUT = 1, /* struct act_port: send a copy to a port */
	ACT_DROP,       /* struct act_drop: says why and ends the list */
	ACT_PUSH_VLAN,  /* struct act_vlan */
	ACT_POP_VLAN,   /* struct act */
	ACT_PUSH_MPLS,  /* struct act_mpls */
	ACT_POP_MPLS,   /* struct act_mpls: eth_type of what is below */
	ACT_SET_FIELD,  /* struct act_set: any settable field, with mask */
	ACT_SET_ETH,    /* struct act_eth: both Ethernet addresses at once */
	ACT_DEC_TTL,    /* struct act: IPv4/IPv6; expired: drop DROP_TTL */
	ACT_SET_TUNNEL, /* struct act_tunnel: metadata for the next output */
	ACT_PUSH_OUTER, /* struct act_outer: whole encapsulation headers */
	ACT_POP_OUTER, /* struct act: VXLAN, Geneve or GRE found in the frame */
	ACT_PUSH_ETH,  /* struct act_eth: layer 3 packet becomes Ethernet */
	ACT_POP_ETH,   /* struct act: Ethernet becomes a layer 3 packet */
	ACT_TRUNCATE,  /* struct act_u32: cut the next output to n bytes */
	ACT_CLONE,     /* struct act_nest: run on a copy, then go on */
	ACT_SAMPLE,    /* struct act_sample: a clone, with a probability */
	ACT_METER,     /* struct act_u32: id; over the rate: drop DROP_METER */
	ACT_CHECK_LEN, /* struct act_check_len: too long: run nested and end */
	ACT_PUNT,      /* struct act_punt: a copy to the control thread */
	ACT_CT,        /* kept for connection tracking; refused today */
	ACT_NAT,       /* kept for address translation; refused today */
	/* pipeline ops, in rules only */
	ACT_NORMAL,   /* struct act: as a learning bridge (and router) would */
	ACT_RESUBMIT, /* struct act_u32: look up in that table too */
	N_ACT_OPS
};

struct act {
	uint16_t op;
	uint16_t len; /* bytes, this header included */
	uint32_t zero;
};

struct act_port {
	uint16_t op, len;
	uint32_t port;
};

struct act_u32 {
	uint16_t op, len;
	uint32_t value;
};

struct act_drop {
	uint16_t op, len;
	uint32_t reason; /* enum drop */
};

struct act_vlan {
	uint16_t op, len;
	uint16_t tpid, tci; /* without KEY_VLAN_PRESENT */
};

struct act_mpls {
	uint16_t op, len;
	uint16_t eth_type, zero;
	uint32_t lse, zero2;
};
#define ACT_MPLS_BOTTOM 0x100u /* in a label stack entry: the last */

/* value and mask: n bytes each, as the field stands in the key's memory, each
 * padded to 8. Follows the struct directly: value, then mask. */
struct act_set {
	uint16_t op, len;
	uint16_t field; /* enum field_id */
	uint16_t n;     /* bytes of the field */
};

struct act_eth {
	uint16_t op, len;
	struct eth_addr dst, src;
	uint16_t eth_type; /* push_eth only */
	uint8_t zero[6];
};

struct act_tunnel {
	uint16_t op, len;
	uint8_t tos, ttl;
	uint16_t flags;
	uint64_t id;
	struct ip_addr src, dst; /* 18 bytes each */
	uint16_t tp_dst;         /* 0: the port's own */
	uint8_t options_len, zero;
	/* options follow, padded to 8 */
};

struct act_outer {
	uint16_t op, len;
	uint16_t n;    /* bytes of headers that follow */
	uint16_t kind; /* enum outer_kind, packet/outer.h */
	/* headers follow, padded to 8; lengths and checksums in them are filled
	 * in by the interpreter, and the UDP source port from the flow's hash */
};

struct act_nest {
	uint16_t op, len;
	uint32_t zero;
	/* a list follows to the end */
};

struct act_sample {
	uint16_t op, len;
	uint32_t probability; /* of 2^32 */
			      /* a list follows */
};

struct act_check_len {
	uint16_t op, len;
	uint32_t
		max_l3; /* largest IP packet (or segment) in bytes that passes */
			/* the list for what is longer follows */
};

enum punt_reason {
	PUNT_ARP,        /* ARP for a router or for the neighbour table */
	PUNT_ND,         /* neighbour discovery, the same */
	PUNT_NEIGH_MISS, /* routed, but the next hop's MAC is not known */
	PUNT_TO_ROUTER,  /* to an address of a router: ping and the like */
	PUNT_TTL,        /* ran out: ICMP time exceeded is due */
	PUNT_TOO_BIG,    /* ICMP packet too big is due */
	PUNT_NO_ROUTE,   /* ICMP unreachable is due */
	PUNT_SNOOP,      /* IGMP, MLD: multicast membership */
	PUNT_LOOP_PROBE, /* our own loop probe came back */
	PUNT_RULE,       /* a rule says so */
	PUNT_NOTE,       /* another host's daemon has a word for ours */
	N_PUNT_REASONS
};

const char *punt_reason_name(enum punt_reason r);

/* The packet is handed over as it is at this point of the list. */
struct act_punt {
	uint16_t op, len;
	uint8_t reason; /* enum punt_reason */
	uint8_t zero;
	uint16_t max_len;     /* 0: whole */
	uint32_t userdata[6]; /* translation's notes for the handler */
};

#define ACTS_MAX_LEN 32768u
#define ACTS_MAX_DEPTH 8u

/* A list being built. Fixed storage: the packet path does not allocate. When a
 * list outgrows it `overflow` is set and the list is to be thrown away. */
struct acts {
	uint32_t len;
	bool overflow;
	uint64_t room[ACTS_MAX_LEN / 8];
};

/* Bounds of a list somewhere in memory. */
struct act_list {
	const struct act *first;
	uint32_t len;
};

#define act_list_for_each(a, list)                                             \
	for (const struct act *a = (list).first;                               \
	     (const char *)a < (const char *)(list).first + (list).len;        \
	     a = (const struct act *)(const void *)((const char *)a + a->len))

static inline struct act_list acts_list(const struct acts *a)
{
	return (struct act_list){ (const struct act *)(const void *)a->room,
				  a->len };
}

static inline bool act_nests(enum act_op op)
{
	return op == ACT_CLONE || op == ACT_SAMPLE || op == ACT_CHECK_LEN;
}

bool act_list_equal(struct act_list a, struct act_list b);
uint64_t act_list_hash(struct act_list list, uint64_t seed);

/* The list nested in a clone, sample or check_len; empty for other ops. */
struct act_list act_nested(const struct act *a);

void acts_clear(struct acts *a);
/* Appends an op with `len` bytes in all, zeroed but for op and len; NULL (and
 * overflow) when it does not fit. */
void *acts_add(struct acts *a, enum act_op op, uint32_t len);
void acts_output(struct acts *a, uint32_t port);
void acts_drop(struct acts *a, enum drop reason);
void acts_push_vlan(struct acts *a, uint16_t tpid, uint16_t tci);
void acts_pop_vlan(struct acts *a);
/* The bottom-of-stack bit is the interpreter's business; TTL 0 copies the TTL of
 * what is below. */
void acts_push_mpls(struct acts *a, uint16_t eth_type, uint32_t lse);
void acts_pop_mpls(struct acts *a, uint16_t eth_type);
void acts_set_eth(struct acts *a, struct eth_addr dst, struct eth_addr src);
void acts_push_eth(struct acts *a, struct eth_addr dst, struct eth_addr src,
		   uint16_t eth_type);
void acts_op(struct acts *a, enum act_op op); /* an op without operands */
void acts_u32(struct acts *a, enum act_op op, uint32_t value);
void acts_set_field(struct acts *a, enum field_id field, const void *value,
		    const void *mask); /* mask NULL: all ones */
void acts_set_tunnel(struct acts *a, const struct packet_tunnel *t);
void acts_push_outer(struct acts *a, uint16_t kind, const void *headers,
		     uint16_t n);
struct act_punt *acts_punt(struct acts *a, enum punt_reason reason);
/* Opens a nested list (clone, sample, check_len); what is added from here on is
 * inside until acts_end with the returned offset. */
uint32_t acts_begin(struct acts *a, enum act_op op, uint32_t operand);
void acts_end(struct acts *a, uint32_t begin);
void acts_append(struct acts *a, struct act_list list);

/* Is the list well formed (lengths, known ops, operands in range, nesting)?
 * `in_rule` allows the pipeline ops. 0, or -EINVAL with `e` saying why. */
struct err;
int acts_check(struct act_list list, bool in_rule, struct err *e) MUST_CHECK;

/* Text. Ports are printed by number, or by `names` when given. */
struct str;
struct act_names {
	/* May return NULL: unknown. */
	const char *(*port_name)(void *ctx, uint32_t port);
	/* -1 when there is no such port. */
	int64_t (*port_number)(void *ctx, const char *name);
	void *ctx;
};
void acts_format(struct act_list list, const struct act_names *names,
		 struct str *out);
int acts_parse(const char *text, const struct act_names *names,
	       struct acts *out, struct err *e) MUST_CHECK;

#endif
