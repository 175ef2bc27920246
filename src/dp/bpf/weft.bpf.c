/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/* The kernel cache: frames between kernel devices without userspace.
 *
 * What      `decide` is the filter of the packet socket by which userspace hears
 *           a device: it looks the frame up; a frame that is found is kept from
 *           the socket. `act`, on tc ingress right after, carries out what was
 *           decided, or drops what the socket took. `host` does both at once for
 *           what the host itself sends by a device of ours.
 * Why so    one look-up a frame, one decision: what the kernel does not know
 *           arrives in userspace as ever, with all its offload state, in the
 *           port's own bounded queue. Without a socket (the daemon is gone)
 *           `act` decides by itself.
 * Bounded   at most KERNEL_MASKS probes and KERNEL_OPS steps a frame.
 * Layout    kernel.h. */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "kernel.h"

#define IP_PROTO_ICMP 1
#define IP_PROTO_IGMP 2
#define IP_PROTO_TCP 6
#define IP_PROTO_UDP 17
#define IP_PROTO_ICMP6 58
#define IP_PROTO_SCTP 132
#define IP_PROTO_UDPLITE 136
#define IP4_LEN 20
#define IP6_LEN 40
#define TCP_LEN 20
#define VLAN_PRESENT 0x1000
#define VLAN_LEN 4
#define HEAD_LEN (ETH_HLEN + IP6_LEN + TCP_LEN)

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32); /* device */
	__type(value, struct kernel_port);
} weft_ports SEC(".maps");

/* Not preallocated: a flow that is replaced is freed after a grace period, so
 * that nobody acts on half of another's. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 262144);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct kernel_key);
	__type(value, struct kernel_flow);
} weft_flows SEC(".maps");

struct stamps {
	__u32 v[KERNEL_STAMPS];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct stamps);
} weft_stamps SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct kernel_slot);
} weft_slots SEC(".maps");

/* --- extraction: what flow/extract.c says of the same frame, or false --- */

/* A frame's beginning; zeros behind its end. */
struct head {
	__u8 b[HEAD_LEN + 6];
};

static __always_inline __u16 be16_at(const __u8 *p)
{
	return (__u16)(p[0] << 8 | p[1]);
}

static __always_inline __u32 be32_at(const __u8 *p)
{
	return (__u32)p[0] << 24 | (__u32)p[1] << 16 | (__u32)p[2] << 8 | p[3];
}

/* `left`: bytes of layer 4 that the IP header speaks of. The header's length, or
 * 0 when the frame is not for us. */
static __always_inline __u32 extract_l4(const __u8 *h, __u32 left,
					struct kernel_fields *k, int ip6)
{
	__u32 len;

	switch (k->ip_proto) {
	case IP_PROTO_TCP:
		len = (h[12] >> 4) * 4;
		if (left < TCP_LEN || len < TCP_LEN || len > left)
			return 0;
		k->tcp_flags = (__u16)((h[12] & 0xf) << 8 | h[13]);
		break;
	case IP_PROTO_UDP:
	case IP_PROTO_UDPLITE:
		if (left < 8)
			return 0;
		len = 8;
		break;
	case IP_PROTO_SCTP:
		if (left < 12)
			return 0;
		len = 12;
		break;
	case IP_PROTO_ICMP:
	case IP_PROTO_ICMP6:
		if ((k->ip_proto == IP_PROTO_ICMP6) != ip6)
			return 1;
		/* Membership and neighbour discovery are never for us. */
		if (left < 8 || (ip6 && h[0] >= 130 && h[0] <= 143))
			return 0;
		k->tp_src = h[0];
		k->tp_dst = h[1];
		return 8;
	default:
		return 1;
	}
	k->tp_src = be16_at(h);
	k->tp_dst = be16_at(h + 2);
	return len;
}

static __always_inline __u32 extract_ip4(const __u8 *h, __u32 len,
					 struct kernel_fields *k)
{
	__u32 total = be16_at(h + 2), l4;

	/* No options, no fragments. */
	if (h[0] != 0x45 || be16_at(h + 6) & 0x3fff || total < IP4_LEN ||
	    total > len)
		return 0;
	k->ip_tos = h[1];
	k->ip_ttl = h[8];
	k->ip_proto = h[9];
	if (k->ip_proto == IP_PROTO_IGMP)
		return 0;
	k->ip4_src = be32_at(h + 12);
	k->ip4_dst = be32_at(h + 16);
	l4 = extract_l4(h + IP4_LEN, total - IP4_LEN, k, 0);
	return l4 ? l4 + IP4_LEN : 0;
}

static __always_inline int is_extension(__u8 proto)
{
	return proto == 0 || proto == 43 || proto == 44 || proto == 51 ||
	       proto == 60 || proto == 135;
}

static __always_inline __u32 extract_ip6(const __u8 *h, __u32 len,
					 struct kernel_fields *k)
{
	__u32 flow = be32_at(h), left = be16_at(h + 4), l4;

	if (len < IP6_LEN || flow >> 28 != 6 || left > len - IP6_LEN ||
	    is_extension(h[6]))
		return 0;
	k->ip6_label = flow & 0xfffff;
	k->ip_tos = (__u8)(flow >> 20);
	k->ip_proto = h[6];
	k->ip_ttl = h[7];
	__builtin_memcpy(k->ip6_src, h + 8, 16);
	__builtin_memcpy(k->ip6_dst, h + 24, 16);
	l4 = extract_l4(h + IP6_LEN, left, k, 1);
	return l4 ? l4 + IP6_LEN : 0;
}

/* Types that extraction looks into in ways that are not ours. */
static __always_inline int is_foreign(__u16 type)
{
	switch (type) {
	case 0x0806: /* ARP */
	case 0x8035: /* RARP */
	case 0x8100: /* a second tag */
	case 0x88a8:
	case 0x9100:
	case 0x8847: /* MPLS */
	case 0x8848:
	case 0x88e7: /* PBB */
	case 0x894f: /* NSH */
		return 1;
	}
	return type < 0x600;
}

static __always_inline int load_head(struct __sk_buff *skb, struct head *h)
{
	__u32 len = skb->len;

	if (len >= HEAD_LEN)
		return bpf_skb_load_bytes(skb, 0, h, HEAD_LEN);
	if (len < ETH_HLEN)
		return -1;
	__builtin_memset(h, 0, sizeof(*h));
	len &= 127;
	if (len < ETH_HLEN || len > HEAD_LEN)
		return -1;
	return bpf_skb_load_bytes(skb, 0, h, len);
}

/* Fills the key; the length of layer 3 as MTUs count it, 0: not for us. */
static __always_inline __u32 extract(struct __sk_buff *skb,
				     struct kernel_fields *k)
{
	__u32 l3 = skb->len - ETH_HLEN, headers;
	struct head h;

	if (load_head(skb, &h))
		return 0;
	__builtin_memset(k, 0, sizeof(*k));
	__builtin_memcpy(k->eth_dst, h.b, 12);
	k->eth_type = be16_at(h.b + 12);
	if (skb->vlan_present) {
		k->vlan_tpid = bpf_ntohs((__u16)skb->vlan_proto);
		k->vlan_tci = (__u16)(skb->vlan_tci | VLAN_PRESENT);
	}
	if (k->eth_type == ETH_P_IP)
		headers = extract_ip4(h.b + ETH_HLEN, l3, k);
	else if (k->eth_type == ETH_P_IPV6)
		headers = extract_ip6(h.b + ETH_HLEN, l3, k);
	else
		headers = !is_foreign(k->eth_type);
	if (!headers)
		return 0;
	/* What else may be cut is not known well enough. */
	if (skb->gso_size && k->ip_proto != IP_PROTO_TCP &&
	    k->ip_proto != IP_PROTO_UDP)
		return 0;
	return skb->gso_size ? headers + skb->gso_size : l3;
}

/* --- the look-up --- */

static __always_inline int is_fresh(const struct kernel_flow *f)
{
	__u32 zero = 0;
	struct stamps *s = bpf_map_lookup_elem(&weft_stamps, &zero);

	if (!s)
		return 0;
	for (int i = 0; i < KERNEL_DEPS; i++) {
		if (i >= f->n_deps)
			break;
		if (s->v[f->dep[i].slot & (KERNEL_STAMPS - 1)] !=
		    f->dep[i].value)
			return 0;
	}
	return 1;
}

static __always_inline struct kernel_flow *find(struct __sk_buff *skb,
						const struct kernel_port *port)
{
	union {
		struct kernel_fields f;
		struct kernel_key k;
	} key;
	__u32 l3 = extract(skb, &key.f);

	if (!l3)
		return 0;
	for (__u32 m = 0; m < KERNEL_MASKS; m++) {
		struct kernel_key masked;
		struct kernel_flow *f;

		if (m >= port->n_masks)
			break;
#pragma unroll
		for (int i = 1; i < KERNEL_WORDS; i++)
			masked.w[i] = key.k.w[i] & port->mask[m].w[i];
		masked.w[0] = port->id | (__u64)m << 32;
		f = bpf_map_lookup_elem(&weft_flows, &masked);
		if (f)
			return l3 <= f->max_l3 && is_fresh(f) ? f : 0;
	}
	return 0;
}

/* Looks up, counts, writes down what is to be done. */
static __always_inline int decide(struct __sk_buff *skb,
				  struct kernel_slot *slot)
{
	__u32 ifindex = skb->ifindex;
	struct kernel_port *port;
	struct kernel_flow *f;

	slot->ifindex = ifindex;
	slot->len = skb->len;
	slot->decision = KERNEL_MISS;
	port = bpf_map_lookup_elem(&weft_ports, &ifindex);
	if (!port)
		return 0;
	f = find(skb, port);
	if (!f)
		return 0;
	__sync_fetch_and_add(&f->packets, 1);
	/* As on the wire: the tag that is kept beside the frame, too. */
	__sync_fetch_and_add(&f->bytes,
			     skb->len + (skb->vlan_present ? VLAN_LEN : 0));
	slot->n_ops = f->n_ops;
	__builtin_memcpy(slot->op, f->op, sizeof(slot->op));
	slot->decision = KERNEL_HIT;
	return 1;
}

SEC("socket")
int weft_decide(struct __sk_buff *skb)
{
	__u32 zero = 0;
	struct kernel_slot *slot = bpf_map_lookup_elem(&weft_slots, &zero);

	return slot && decide(skb, slot) ? 0 : -1;
}

/* --- the actions --- */

static __always_inline void set_mac(struct __sk_buff *skb, __u32 at,
				    const struct kernel_op *op)
{
	__u8 mac[6];

	__builtin_memcpy(mac, &op->aux, 2);
	__builtin_memcpy(mac + 2, &op->arg, 4);
	bpf_skb_store_bytes(skb, at, mac, sizeof(mac), 0);
}

/* Bytes changed that no checksum in the frame makes up for: one that a device took
 * of the whole frame has to follow. (Frames without one: nothing happens.) */
static __always_inline void count_change(struct __sk_buff *skb, __u8 *was,
					 __u8 *now)
{
	bpf_csum_update(skb, (__u32)bpf_csum_diff((__be32 *)was, 4,
						  (__be32 *)now, 4, 0));
}

static __always_inline void dec_ttl(struct __sk_buff *skb)
{
	void *data = (void *)(long)skb->data;
	void *end = (void *)(long)skb->data_end;
	__u8 *h = data + ETH_HLEN;
	__u32 sum;

	if (data + ETH_HLEN + IP4_LEN > end) {
		if (bpf_skb_pull_data(skb, ETH_HLEN + IP4_LEN))
			return;
		data = (void *)(long)skb->data;
		end = (void *)(long)skb->data_end;
		h = data + ETH_HLEN;
		if (data + ETH_HLEN + IP4_LEN > end)
			return;
	}
	if (h[0] >> 4 == 6) {
		__u8 was[4] = { h[6], h[7] }, now[4] = { h[6], h[7] - 1 };

		h[7]--;
		count_change(skb, was, now);
		return;
	}
	h[8]--;
	/* RFC 1624: the word of TTL and protocol became 0x0100 less. */
	sum = (__u32)be16_at(h + 10) + 0x0100;
	sum += sum >> 16;
	h[10] = (__u8)(sum >> 8);
	h[11] = (__u8)sum;
}

/* The words of one write, as they stand in the frame. */
struct change {
	__u32 was, now;
	__u32 len; /* 2 or 4 */
};

/* Layer 4's checksum; zero stays zero where it says that there is none, and is
 * not what a sum becomes where it would say so (RFC 768, RFC 1624 3). */
static __always_inline void l4_sum(struct __sk_buff *skb,
				   const struct change *c, int ip6, int pseudo)
{
	__u32 at = ETH_HLEN + (ip6 ? IP6_LEN : IP4_LEN);
	__u64 flags = c->len | (pseudo ? BPF_F_PSEUDO_HDR : 0);
	__u8 proto = 0;

	bpf_skb_load_bytes(skb, ETH_HLEN + (ip6 ? 6 : 9), &proto, 1);
	switch (proto) {
	case IP_PROTO_TCP:
		at += 16;
		break;
	case IP_PROTO_UDP:
		flags |= BPF_F_MARK_MANGLED_0;
		at += 6;
		break;
	case IP_PROTO_UDPLITE:
		flags |= BPF_F_MARK_MANGLED_0 | BPF_F_MARK_ENFORCE;
		at += 6;
		break;
	case IP_PROTO_ICMP:
		if (ip6 || pseudo)
			return;
		flags |= BPF_F_MARK_MANGLED_0 | BPF_F_MARK_ENFORCE;
		at += 2;
		break;
	case IP_PROTO_ICMP6:
		if (!ip6)
			return;
		at += 2;
		break;
	default:
		return;
	}
	bpf_l4_csum_replace(skb, at, c->was, c->now, flags);
}

static __always_inline void set_sums(struct __sk_buff *skb, struct change *c,
				     __u32 sum)
{
	int addr = sum == KERNEL_SUM_IP4_ADDR || sum == KERNEL_SUM_IP6_ADDR;
	int ip6 = sum == KERNEL_SUM_IP6_ADDR || sum == KERNEL_SUM_L4_IP6;

	if (sum == KERNEL_SUM_IP4 || sum == KERNEL_SUM_IP4_ADDR)
		bpf_l3_csum_replace(skb, ETH_HLEN + 10, c->was, c->now, c->len);
	if (addr || sum == KERNEL_SUM_L4_IP4 || sum == KERNEL_SUM_L4_IP6)
		l4_sum(skb, c, ip6, addr);
	/* The helper takes an address for one that a header's sum covers too:
	 * in IPv6 none does. */
	if (sum == KERNEL_SUM_IP6 || sum == KERNEL_SUM_IP6_ADDR)
		count_change(skb, (__u8 *)&c->was, (__u8 *)&c->now);
}

static __always_inline void set_whole(struct __sk_buff *skb,
				      const struct kernel_op *op)
{
	struct change c = { .now = op->arg, .len = 4 };
	__u32 at = op->aux & 0xff;

	if (bpf_skb_load_bytes(skb, at, &c.was, 4))
		return;
	set_sums(skb, &c, op->aux >> 8);
	bpf_skb_store_bytes(skb, at, &c.now, 4, 0);
}

static __always_inline void set_bits(struct __sk_buff *skb,
				     const struct kernel_op *op)
{
	__u16 was = 0, mask = (__u16)(op->arg >> 16), now;
	__u32 at = op->aux & 0xff;
	struct change c = { .len = 2 };

	if (bpf_skb_load_bytes(skb, at, &was, 2))
		return;
	now = (__u16)((was & ~mask) | (op->arg & mask));
	c.was = was;
	c.now = now;
	set_sums(skb, &c, op->aux >> 8);
	bpf_skb_store_bytes(skb, at, &now, 2, 0);
}

static __always_inline void set_tci(struct __sk_buff *skb,
				    const struct kernel_op *op)
{
	__u16 tpid = (__u16)skb->vlan_proto;
	__u16 tci = (__u16)((skb->vlan_tci & ~op->arg) | op->aux);

	if (!skb->vlan_present || bpf_skb_vlan_pop(skb))
		return;
	bpf_skb_vlan_push(skb, tpid, tci);
}

static __always_inline int run(struct __sk_buff *skb,
			       const struct kernel_op *ops, __u32 n)
{
	for (__u32 i = 0; i < KERNEL_OPS; i++) {
		const struct kernel_op *op = &ops[i];

		if (i >= n)
			break;
		switch (op->kind) {
		case KERNEL_SEND:
			return (int)bpf_redirect(op->arg, op->aux);
		case KERNEL_SEND_PEER:
			return (int)bpf_redirect_peer(op->arg, 0);
		case KERNEL_CLONE:
			bpf_clone_redirect(skb, op->arg, op->aux);
			break;
		case KERNEL_POP_VLAN:
			bpf_skb_vlan_pop(skb);
			break;
		case KERNEL_PUSH_VLAN:
			bpf_skb_vlan_push(skb, bpf_htons(op->aux),
					  (__u16)op->arg);
			break;
		case KERNEL_SET_DST:
			set_mac(skb, 0, op);
			break;
		case KERNEL_SET_SRC:
			set_mac(skb, ETH_ALEN, op);
			break;
		case KERNEL_DEC_TTL:
			dec_ttl(skb);
			break;
		case KERNEL_SET:
			set_whole(skb, op);
			break;
		case KERNEL_SET_BITS:
			set_bits(skb, op);
			break;
		case KERNEL_SET_TCI:
			set_tci(skb, op);
			break;
		default:
			return TC_ACT_SHOT;
		}
	}
	return TC_ACT_SHOT;
}

/* What the host itself sends by a device of ours: what is not known goes on to
 * whom the device belongs. */
SEC("tc")
int weft_host(struct __sk_buff *skb)
{
	__u32 zero = 0;
	struct kernel_slot *slot = bpf_map_lookup_elem(&weft_slots, &zero);
	struct kernel_op ops[KERNEL_OPS];
	__u32 hit, n;

	if (!slot)
		return TC_ACT_UNSPEC;
	hit = decide(skb, slot);
	slot->decision = KERNEL_UNDECIDED;
	if (!hit)
		return TC_ACT_UNSPEC;
	n = slot->n_ops;
	__builtin_memcpy(ops, slot->op, sizeof(ops));
	return run(skb, ops, n);
}

SEC("tc")
int weft_act(struct __sk_buff *skb)
{
	__u32 zero = 0;
	struct kernel_slot *slot = bpf_map_lookup_elem(&weft_slots, &zero);
	struct kernel_op ops[KERNEL_OPS];
	__u32 decision, n;

	if (!slot)
		return TC_ACT_SHOT;
	if (slot->decision == KERNEL_UNDECIDED ||
	    slot->ifindex != skb->ifindex || slot->len != skb->len)
		decide(skb, slot);
	decision = slot->decision;
	slot->decision = KERNEL_UNDECIDED;
	if (decision != KERNEL_HIT)
		return TC_ACT_SHOT;
	/* A copy sent below may bring the next frame here before we are done. */
	n = slot->n_ops;
	__builtin_memcpy(ops, slot->op, sizeof(ops));
	return run(skb, ops, n);
}

char _license[] SEC("license") = "Dual BSD/GPL";
