/* SPDX-License-Identifier: Apache-2.0 */
/* The flow key: everything about a packet that a rule may ask for.
 *
 * What      one flat struct of 64-bit words; a mask is the same struct with
 *           ones where bits count. Integers are in host order, addresses of
 *           Ethernet and IPv6 are bytes, IPv4 addresses are host-order
 *           integers, so that masks and prefixes are plain arithmetic.
 * Why so    the words a packet fills itself come first and are cleared per
 *           packet; the tunnel, connection and pipeline sections are touched
 *           only by packets that have them. A classifier or cache reads only
 *           the words its mask names (struct flow_words).
 * Invariant K1 no padding: every bit is a field or a named zero, so memcmp and
 *           word hashing are exact. K2 a field that a packet does not have is
 *           zero. K3 in_port is part of every mask the cache uses.
 * Fields    fields.def lists each: name, size, place, mask kind, prerequisite.
 * Threads   a value; no sharing. */
#ifndef FLOW_KEY_H
#define FLOW_KEY_H

#include "base/addr.h"

#define KEY_N_REGS 16u
#define KEY_N_MPLS 3u
#define KEY_N_VLANS 2u
#define KEY_TUN_OPT_BYTES 256u

/* Values of ip_frag: any fragment; not the first. */
#define KEY_FRAG_ANY 1u
#define KEY_FRAG_LATER 2u

/* vlan[].tci has this bit set when the tag is present (as OpenFlow has it). */
#define KEY_VLAN_PRESENT 0x1000u

struct key_vlan {
	uint16_t tpid, tci;
};

struct flow_key {
	/* --- filled by every packet (words 0 to 21) --- */
	uint32_t in_port;
	uint32_t packet_type;
	struct eth_addr eth_dst, eth_src;
	uint16_t eth_type; /* innermost, after tags; < 0x600: 802.2, 0x05ff */
	uint8_t ip_frag, ip_proto;
	struct key_vlan vlan[KEY_N_VLANS]; /* outermost first */
	uint32_t ip4_src, ip4_dst;         /* IPv4; ARP spa, tpa */
	struct ip6_addr ip6_src, ip6_dst;
	uint32_t ip6_label;
	uint8_t ip_tos, ip_ttl;
	uint16_t tcp_flags;
	uint16_t tp_src, tp_dst; /* TCP, UDP, SCTP ports; ICMP type, code */
	uint16_t arp_op;
	uint8_t nd_options, zero1;
	struct eth_addr arp_sha, arp_tha; /* ND: source, target link address */
	uint32_t nd_reserved;
	struct ip6_addr nd_target;
	uint32_t mpls[KEY_N_MPLS]; /* label stack entries, top first */
	uint32_t igmp_group;
	uint32_t pbb_isid; /* I-SID; bit 27: UCA */
	uint8_t nsh_flags, nsh_ttl, nsh_mdtype, nsh_np;
	uint32_t nsh_path; /* SPI << 8 | SI */
	uint32_t nsh_c[4];
	uint32_t zero2;

	/* --- tunnel: with PACKET_TUNNEL only --- */
	uint64_t tun_id;
	uint32_t tun_src, tun_dst;
	struct ip6_addr tun6_src, tun6_dst;
	uint16_t tun_flags, tun_tp_src, tun_tp_dst;
	uint8_t tun_tos, tun_ttl;
	uint16_t tun_gbp_id;
	uint8_t tun_gbp_flags, tun_erspan_ver;
	uint32_t tun_erspan_idx;
	uint8_t tun_erspan_dir, tun_erspan_hwid, tun_gtpu_flags,
		tun_gtpu_msgtype;
	uint32_t zero3;
	uint64_t tun_opt_present; /* bit n: option n of the TLV table */
	uint8_t tun_opts[KEY_TUN_OPT_BYTES];

	/* --- connection tracking --- */
	uint32_t ct_state, ct_mark;
	uint8_t ct_label[16];
	uint32_t ct_ip4_src, ct_ip4_dst;
	struct ip6_addr ct_ip6_src, ct_ip6_dst;
	uint16_t ct_tp_src, ct_tp_dst, ct_zone;
	uint8_t ct_proto, zero4;

	/* --- the pipeline's own --- */
	uint64_t metadata;
	uint32_t reg[KEY_N_REGS];
	uint32_t conj_id, actset_output;
	uint32_t skb_priority, pkt_mark;
	uint32_t dp_hash, recirc_id;
};

#define KEY_WORDS (sizeof(struct flow_key) / 8)
/* Words that every packet fills: cleared and written by extraction. */
#define KEY_PACKET_WORDS (offsetof(struct flow_key, tun_id) / 8)

_Static_assert(sizeof(struct flow_key) % 8 == 0, "whole words");
_Static_assert(offsetof(struct flow_key, tun_id) % 8 == 0, "section aligned");
_Static_assert(offsetof(struct flow_key, ct_state) % 8 == 0, "section aligned");
_Static_assert(offsetof(struct flow_key, metadata) % 8 == 0, "section aligned");
_Static_assert(sizeof(struct flow_key) / 8 <= 128, "fits struct flow_words");

/* Ones where bits count. The same layout as the key. */
struct flow_mask {
	struct flow_key bits;
};

/* Which words of a mask are not zero, one bit each. */
struct flow_words {
	uint64_t w[2];
};

static inline uint64_t *key_words(struct flow_key *k)
{
	return (uint64_t *)(void *)k;
}

static inline const uint64_t *key_words_const(const struct flow_key *k)
{
	return (const uint64_t *)(const void *)k;
}

/* Marks a whole member as looked at: MASK_SET(m, eth_dst). */
#define MASK_SET(m, member)                                                    \
	memset(&(m)->bits.member, 0xff, sizeof((m)->bits.member))

void mask_union(struct flow_mask *into, const struct flow_mask *other);
bool mask_is_subset(const struct flow_mask *a, const struct flow_mask *of);
bool mask_equal(const struct flow_mask *a, const struct flow_mask *b);
struct flow_words mask_words(const struct flow_mask *m);
/* key & mask, into out. */
void key_apply_mask(const struct flow_key *k, const struct flow_mask *m,
		    struct flow_key *out);
bool key_equal_under(const struct flow_key *a, const struct flow_key *b,
		     const struct flow_mask *m);

#endif
