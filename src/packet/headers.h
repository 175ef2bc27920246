/* SPDX-License-Identifier: Apache-2.0 */
/* Headers as they stand on the wire, and the numbers in them.
 *
 * What      wire structs (packed, big-endian members), Ethertypes, protocols.
 * Why so    one place for every number; a struct is laid over bytes only after a
 *           cursor said that they are there.
 * Threads   types only.
 * Refs      IEEE 802.3, 802.1Q; RFC 791, 8200, 4302, 768, 9293, 9260, 792, 4443,
 *           4861, 826, 3032, 7348, 8926, 2784, 2890, 8300. */
#ifndef PACKET_HEADERS_H
#define PACKET_HEADERS_H

#include "base/addr.h"
#include "base/be.h"

#define ETH_HEADER_LEN 14u
#define VLAN_HEADER_LEN 4u
#define ARP_ETH_LEN 28u
#define IP4_HEADER_LEN 20u
#define IP6_HEADER_LEN 40u
#define TCP_HEADER_LEN 20u
#define UDP_HEADER_LEN 8u
#define SCTP_HEADER_LEN 12u
#define ICMP_HEADER_LEN 8u
#define MPLS_LSE_LEN 4u
#define VXLAN_HEADER_LEN 8u
#define GENEVE_HEADER_LEN 8u
#define GRE_HEADER_LEN 4u

#define ETH_TYPE_MIN 0x0600u  /* below it is a length (IEEE 802.3 3.2.6) */
#define ETH_TYPE_NONE 0x05ffu /* the key's word for a frame without type */
#define ETH_TYPE_IP4 0x0800u
#define ETH_TYPE_ARP 0x0806u
#define ETH_TYPE_TEB 0x6558u
#define ETH_TYPE_RARP 0x8035u
#define ETH_TYPE_VLAN 0x8100u
#define ETH_TYPE_IP6 0x86ddu
#define ETH_TYPE_MPLS 0x8847u
#define ETH_TYPE_MPLS_MCAST 0x8848u
#define ETH_TYPE_QINQ 0x88a8u
#define ETH_TYPE_PBB 0x88e7u
#define ETH_TYPE_NSH 0x894fu
#define ETH_TYPE_QINQ_OLD 0x9100u

#define IP_PROTO_HOPOPTS 0u
#define IP_PROTO_ICMP 1u
#define IP_PROTO_IGMP 2u
#define IP_PROTO_TCP 6u
#define IP_PROTO_UDP 17u
#define IP_PROTO_ROUTING 43u
#define IP_PROTO_FRAGMENT 44u
#define IP_PROTO_GRE 47u
#define IP_PROTO_ESP 50u
#define IP_PROTO_AH 51u
#define IP_PROTO_ICMP6 58u
#define IP_PROTO_NONE 59u
#define IP_PROTO_DSTOPTS 60u
#define IP_PROTO_SCTP 132u
#define IP_PROTO_MOBILITY 135u
#define IP_PROTO_UDPLITE 136u

#define IP4_DF 0x4000u
#define IP4_MF 0x2000u
#define IP4_OFFSET_MASK 0x1fffu
#define IP6_FRAG_MORE 0x0001u
#define IP6_FRAG_OFFSET_MASK 0xfff8u
#define IP_ECN_MASK 0x03u
#define IP_ECN_CE 0x03u
#define IP6_MAX_EXTENSIONS 16u

#define TCP_FIN 0x01u
#define TCP_SYN 0x02u
#define TCP_RST 0x04u
#define TCP_PSH 0x08u
#define TCP_ACK 0x10u
#define TCP_URG 0x20u
#define TCP_ECE 0x40u
#define TCP_CWR 0x80u

#define ICMP_ECHO_REPLY 0u
#define ICMP_ECHO_REQUEST 8u
#define ICMP6_ECHO_REQUEST 128u
#define ICMP6_ECHO_REPLY 129u
#define ICMP6_NS 135u
#define ICMP6_NA 136u

#define PORT_VXLAN 4789u
#define PORT_GENEVE 6081u

struct eth_header {
	struct eth_addr dst, src;
	be16 type;
} __attribute__((packed));

struct vlan_header {
	be16 tci;
	be16 type; /* of what follows */
} __attribute__((packed));

struct arp_header { /* Ethernet and IPv4 */
	be16 hw_type, proto_type;
	uint8_t hw_len, proto_len;
	be16 op;
	struct eth_addr sha;
	be32 spa;
	struct eth_addr tha;
	be32 tpa;
} __attribute__((packed));

struct ip4_header {
	uint8_t version_ihl, tos;
	be16 total_len, id, frag;
	uint8_t ttl, proto;
	be16 csum;
	be32 src, dst;
} __attribute__((packed));

struct ip6_header {
	be32 flow; /* version 4, traffic class 8, label 20 bits */
	be16 payload_len;
	uint8_t next, hop_limit;
	struct ip6_addr src, dst;
} __attribute__((packed));

struct ip6_frag_header {
	uint8_t next, reserved;
	be16 offset;
	be32 id;
} __attribute__((packed));

struct tcp_header {
	be16 src, dst;
	be32 seq, ack;
	uint8_t offset; /* upper four bits: words of header */
	uint8_t flags;
	be16 window, csum, urgent;
} __attribute__((packed));

struct udp_header {
	be16 src, dst, len, csum;
} __attribute__((packed));

struct sctp_header {
	be16 src, dst;
	be32 tag, csum;
} __attribute__((packed));

struct icmp_header {
	uint8_t type, code;
	be16 csum;
	be32 rest;
} __attribute__((packed));

struct vxlan_header {
	be32 flags; /* VXLAN_F_VNI */
	be32 vni;   /* upper 24 bits */
} __attribute__((packed));
#define VXLAN_F_VNI 0x08000000u

struct geneve_header {
	uint8_t version_len; /* version 2 bits, options in words 6 bits */
	uint8_t flags;
	be16 type;
	be32 vni; /* upper 24 bits */
} __attribute__((packed));
#define GENEVE_F_OAM 0x80u
#define GENEVE_F_CRITICAL 0x40u

struct gre_header {
	be16 flags, type;
} __attribute__((packed));
#define GRE_F_CSUM 0x8000u
#define GRE_F_KEY 0x2000u
#define GRE_F_SEQ 0x1000u
#define GRE_F_RESERVED 0x4ff8u
#define GRE_VERSION 0x0007u

static inline bool eth_type_is_vlan(uint16_t type)
{
	return type == ETH_TYPE_VLAN || type == ETH_TYPE_QINQ ||
	       type == ETH_TYPE_QINQ_OLD;
}

static inline bool eth_type_is_mpls(uint16_t type)
{
	return type == ETH_TYPE_MPLS || type == ETH_TYPE_MPLS_MCAST;
}

static inline uint32_t ip4_header_len(const struct ip4_header *ip)
{
	return (ip->version_ihl & 0xfu) * 4u;
}

static inline uint32_t tcp_header_len(const struct tcp_header *tcp)
{
	return (uint32_t)(tcp->offset >> 4) * 4u;
}

#endif
