/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/* The kernel cache's memory: what the daemon writes and BPF programs read.
 *
 * What      ports by device, flows by masked key, the decision handed from one
 *           program to the next.
 * Why so    the key is the beginning of struct flow_key, byte for byte, so that
 *           masks need no translation. Only packets whose other words are zero
 *           are looked for; the rest is userspace's.
 * Invariant B1 a flow is obeyed only while its dependencies stand in the stamps.
 *           B2 the mask's number is in the upper half of the key's first word
 *           (packet_type, which is 0 for all that the kernel looks at).
 * Threads   flows are replaced whole (RCU); counters are added to atomically. */
#ifndef DP_BPF_KERNEL_H
#define DP_BPF_KERNEL_H

#include <linux/types.h>

#define KERNEL_WORDS 11
#define KERNEL_MASKS 4
#define KERNEL_DEPS 8
#define KERNEL_OPS 16
#define KERNEL_STAMPS 65536

struct kernel_key {
	__u64 w[KERNEL_WORDS];
};

/* The same bytes by name; integers in host order. */
struct kernel_fields {
	__u32 in_port, packet_type;
	__u8 eth_dst[6], eth_src[6];
	__u16 eth_type;
	__u8 ip_frag, ip_proto;
	__u16 vlan_tpid, vlan_tci, vlan2_tpid, vlan2_tci;
	__u32 ip4_src, ip4_dst;
	__u8 ip6_src[16], ip6_dst[16];
	__u32 ip6_label;
	__u8 ip_tos, ip_ttl;
	__u16 tcp_flags;
	__u16 tp_src, tp_dst;
	__u16 arp_op;
	__u8 nd_options, zero;
};

/* A device whose frames the programs decide about. */
struct kernel_port {
	__u32 id;
	__u32 n_masks;
	struct kernel_key mask[KERNEL_MASKS];
};

struct kernel_dep {
	__u32 slot, value;
};

enum kernel_op_kind {
	KERNEL_SEND,      /* arg: device; ends the list */
	KERNEL_SEND_PEER, /* arg: device; straight to its far end; ends */
	KERNEL_CLONE,     /* arg: device; a copy */
	KERNEL_DROP,      /* ends */
	KERNEL_POP_VLAN,
	KERNEL_PUSH_VLAN, /* aux: TPID, arg: TCI */
	KERNEL_SET_DST,   /* aux, arg: the address's bytes */
	KERNEL_SET_SRC,
	KERNEL_DEC_TTL,
	KERNEL_SET,      /* aux: where, and sums; arg: the four bytes */
	KERNEL_SET_BITS, /* aux: the same; arg: two bytes, above them a mask */
	KERNEL_SET_TCI,  /* aux: bits of the tag, arg: their mask */
};

/* aux of SET and SET_BITS: offset in the frame (which has no tag in it), and in
 * the upper byte which checksums cover what is there. */
enum kernel_sum {
	KERNEL_SUM_NONE,
	KERNEL_SUM_IP4,      /* the header's */
	KERNEL_SUM_IP4_ADDR, /* the header's, and layer 4's pseudo-header */
	KERNEL_SUM_IP6,      /* none but the one a device may have taken */
	KERNEL_SUM_IP6_ADDR, /* layer 4's pseudo-header */
	KERNEL_SUM_L4_IP4,   /* layer 4's */
	KERNEL_SUM_L4_IP6,
};

/* aux of SEND and CLONE (BPF_F_INGRESS): as if it had come in by the device. */
#define KERNEL_UP 1

struct kernel_op {
	__u16 kind;
	__u16 aux;
	__u32 arg;
};

struct kernel_flow {
	__u64 packets, bytes;
	__u32 max_l3; /* longer packets and segments are userspace's */
	__u16 n_deps, n_ops;
	struct kernel_dep dep[KERNEL_DEPS];
	struct kernel_op op[KERNEL_OPS];
};

/* What the packet socket's filter decided, for the tc program that comes next
 * on the same CPU with the same frame. */
enum kernel_decision { KERNEL_UNDECIDED, KERNEL_MISS, KERNEL_HIT };

struct kernel_slot {
	__u32 decision;
	__u32 ifindex;
	__u32 len;
	__u32 n_ops;
	struct kernel_op op[KERNEL_OPS];
};

#endif
