/* SPDX-License-Identifier: Apache-2.0 */
#include "dp/accel.h"

#include <errno.h>
#include <pthread.h>

#include "base/hash.h"
#include "dp/accel_set.h"
#include "dp/bpf/kernel.h"
#include "dp/cache.h"
#include "port/port.h"
#include "sys/guard.h"
#include "sys/kbpf.h"

/* The object file, put into the program by the build. */
extern const unsigned char weft_bpf_object[];
extern const size_t weft_bpf_object_len;

_Static_assert(sizeof(struct kernel_key) == sizeof(struct kernel_fields),
	       "the same bytes");
#define SAME_PLACE(member, name)                                               \
	_Static_assert(offsetof(struct kernel_fields, name) ==                 \
			       offsetof(struct flow_key, member),              \
		       "the key's beginning")
SAME_PLACE(in_port, in_port);
SAME_PLACE(packet_type, packet_type);
SAME_PLACE(eth_dst, eth_dst);
SAME_PLACE(eth_src, eth_src);
SAME_PLACE(eth_type, eth_type);
SAME_PLACE(ip_frag, ip_frag);
SAME_PLACE(ip_proto, ip_proto);
SAME_PLACE(vlan, vlan_tpid);
SAME_PLACE(ip4_src, ip4_src);
SAME_PLACE(ip4_dst, ip4_dst);
SAME_PLACE(ip6_src, ip6_src);
SAME_PLACE(ip6_dst, ip6_dst);
SAME_PLACE(ip6_label, ip6_label);
SAME_PLACE(ip_tos, ip_tos);
SAME_PLACE(ip_ttl, ip_ttl);
SAME_PLACE(tcp_flags, tcp_flags);
SAME_PLACE(tp_src, tp_src);
SAME_PLACE(tp_dst, tp_dst);
SAME_PLACE(arp_op, arp_op);
SAME_PLACE(nd_options, nd_options);
_Static_assert(STAMP_SLOTS == KERNEL_STAMPS, "one table");
_Static_assert(DP_MAX_MASKS == KERNEL_MASKS, "one number of masks");

#define N_PORTS (DP_MAX_PORTS + 1u)

/* Where a port's frames go to; read by workers while the control thread writes:
 * `ifindex` last, and 0 first. */
struct accel_device {
	uint32_t ifindex; /* 0: not a kernel device */
	const struct port *port;
	uint32_t mtu;
	bool far_elsewhere;
	bool is_host; /* its frames go up into the host's stack */
	/* Written by the worker of the port, and at its start. */
	struct kernel_port shared;
};

struct accel {
	struct kbpf bpf;
	int flows, ports;
	struct stamps *stamps;
	struct accel_device **devices; /* by port number; lazily touched */
	/* Between a worker that changes a mask and the control thread that
	 * pauses: both are rare, neither is on a packet's way. */
	pthread_mutex_t lock;
	bool paused;
	bool leaving;   /* atomic */
	uint32_t epoch; /* atomic */
};

/* --- life --- */

struct accel *accel_create(struct err *e)
{
	struct accel *a = xzalloc(sizeof(*a));

	pthread_mutex_init(&a->lock, NULL);
	if (kbpf_load(&a->bpf, weft_bpf_object, weft_bpf_object_len, e))
		goto fail;
	a->flows = kbpf_fd(&a->bpf, "weft_flows");
	a->ports = kbpf_fd(&a->bpf, "weft_ports");
	a->stamps = kbpf_map_share(kbpf_fd(&a->bpf, "weft_stamps"),
				   sizeof(*a->stamps));
	a->devices = lazy_alloc(N_PORTS * sizeof(struct accel_device *));
	if (!a->stamps || !a->devices) {
		err_set(e, "no memory to share with the kernel");
		goto fail;
	}
	guard_use_programs(&(struct guard_programs){
		.hear = kbpf_fd(&a->bpf, "weft_decide"),
		.ingress = kbpf_fd(&a->bpf, "weft_act"),
		.egress = kbpf_fd(&a->bpf, "weft_host"),
	});
	return a;
fail:
	accel_destroy(a);
	return NULL;
}

void accel_destroy(struct accel *a)
{
	if (!a)
		return;
	guard_use_programs(NULL);
	for (unsigned i = 0; a->devices && i < N_PORTS; i++)
		free(a->devices[i]);
	if (a->devices)
		lazy_free(a->devices, N_PORTS * sizeof(struct accel_device *));
	kbpf_map_unshare(a->stamps, sizeof(*a->stamps));
	kbpf_free(&a->bpf);
	pthread_mutex_destroy(&a->lock);
	free(a);
}

struct stamps *accel_stamps(struct accel *a)
{
	return a->stamps;
}

int accel_program(const struct accel *a)
{
	return kbpf_fd(&a->bpf, "weft_act");
}

/* --- ports --- */

/* What flows that send to a port depend on, besides what translation asked. */
static uint32_t device_slot(uint32_t port)
{
	return stamp_slot(hash_add(HASH_K1, port));
}

static struct accel_device *device(const struct accel *a, uint32_t port)
{
	struct accel_device *d =
		port < N_PORTS ?
			__atomic_load_n(&a->devices[port], __ATOMIC_ACQUIRE) :
			NULL;

	return d && __atomic_load_n(&d->ifindex, __ATOMIC_ACQUIRE) ? d : NULL;
}

uint32_t accel_epoch(const struct accel *a)
{
	return __atomic_load_n(&a->epoch, __ATOMIC_ACQUIRE);
}

/* After what changed. */
static void epoch_next(struct accel *a)
{
	__atomic_add_fetch(&a->epoch, 1, __ATOMIC_RELEASE);
}

bool accel_has_port(const struct accel *a, uint32_t port)
{
	return a && device(a, port);
}

/* Under the lock: the kernel learns of the device, or of its masks; a full map
 * leaves it to userspace. */
static bool device_share(struct accel *a, struct accel_device *d)
{
	return a->paused || !kbpf_map_put(a->ports, &d->ifindex, &d->shared);
}

void accel_port_add(struct accel *a, struct port *p)
{
	struct accel_device *d = a->devices[p->id];

	if (p->hook == PORT_HOOK_NONE || p->ops->layer3 || p->accel_off)
		return;
	if (!d) {
		d = xzalloc(sizeof(*d));
		__atomic_store_n(&a->devices[p->id], d, __ATOMIC_RELEASE);
	}
	d->port = p;
	d->mtu = p->mtu;
	d->far_elsewhere = p->far_elsewhere;
	d->is_host = p->hook == PORT_HOOK_EGRESS;
	d->shared = (struct kernel_port){ .id = p->id };
	__atomic_store_n(&d->ifindex, p->ifindex, __ATOMIC_RELEASE);
	pthread_mutex_lock(&a->lock);
	device_share(a, d);
	pthread_mutex_unlock(&a->lock);
	epoch_next(a);
}

void accel_port_touch(struct accel *a, struct port *p)
{
	struct accel_device *d = device(a, p->id);

	if (!d)
		return;
	__atomic_store_n(&d->mtu, p->mtu, __ATOMIC_RELEASE);
	stamp_bump(a->stamps, device_slot(p->id));
	epoch_next(a);
}

void accel_port_del(struct accel *a, struct port *p)
{
	struct accel_device *d = device(a, p->id);

	if (!d)
		return;
	if (__atomic_load_n(&a->leaving, __ATOMIC_ACQUIRE))
		return;
	kbpf_map_del(a->ports, &d->ifindex);
	__atomic_store_n(&d->ifindex, 0, __ATOMIC_RELEASE);
	stamp_bump(a->stamps, device_slot(p->id));
	epoch_next(a);
}

bool accel_mask_set(struct accel *a, uint32_t port, unsigned slot,
		    const struct flow_mask *m)
{
	struct accel_device *d = device(a, port);
	bool shared;

	if (!d)
		return false;
	pthread_mutex_lock(&a->lock);
	memcpy(&d->shared.mask[slot], m, sizeof(d->shared.mask[slot]));
	d->shared.n_masks = MAX(d->shared.n_masks, slot + 1);
	shared = device_share(a, d);
	pthread_mutex_unlock(&a->lock);
	return shared;
}

void accel_leave(struct accel *a)
{
	__atomic_store_n(&a->leaving, true, __ATOMIC_RELEASE);
	/* What is forgotten on the way out shall not make its flows stale. */
	kbpf_map_part(a->stamps, sizeof(*a->stamps));
}

void accel_pause(struct accel *a, bool on)
{
	pthread_mutex_lock(&a->lock);
	a->paused = on;
	for (unsigned i = 0; i < N_PORTS; i++) {
		struct accel_device *d = device(a, i);

		if (d && on)
			kbpf_map_del(a->ports, &d->ifindex);
		else if (d)
			(void)!kbpf_map_put(a->ports, &d->ifindex, &d->shared);
	}
	pthread_mutex_unlock(&a->lock);
}

/* --- what the kernel can do --- */

/* A list under way from one form to the other. */
struct encode {
	const struct accel *a;
	struct kernel_flow *f;
	/* Of the packets; what the flow does not look at is zero. */
	const struct flow_key *key;
	bool sent;
	bool tagged; /* as they came, and still */
	unsigned pushed;
	uint8_t ttl; /* 0: unknown */
};

static struct kernel_op *encode_op(struct encode *e, enum kernel_op_kind kind)
{
	struct kernel_op *op;

	if (e->f->n_ops == KERNEL_OPS)
		return NULL;
	op = &e->f->op[e->f->n_ops++];
	op->kind = kind;
	return op;
}

static bool encode_mac(struct encode *e, enum kernel_op_kind kind,
		       struct eth_addr mac)
{
	struct kernel_op *op = encode_op(e, kind);

	if (!op)
		return false;
	memcpy(&op->aux, mac.b, 2);
	memcpy(&op->arg, mac.b + 2, 4);
	return true;
}

static bool encode_dep(struct encode *e, struct dep d)
{
	if (e->f->n_deps == KERNEL_DEPS)
		return false;
	e->f->dep[e->f->n_deps++] = (struct kernel_dep){ d.slot, d.value };
	return true;
}

static bool encode_output(struct encode *e, uint32_t port)
{
	struct dep dep = stamp_read(e->a->stamps, device_slot(port));
	struct accel_device *d = device(e->a, port);
	struct kernel_op *op = d ? encode_op(e, KERNEL_CLONE) : NULL;
	uint32_t mtu;

	/* What a port that is down does not send is counted in userspace. */
	if (!op || port_get_state(d->port) != PORT_UP || !encode_dep(e, dep))
		return false;
	op->arg = d->ifindex;
	op->aux = d->is_host ? KERNEL_UP : 0;
	mtu = __atomic_load_n(&d->mtu, __ATOMIC_ACQUIRE);
	e->f->max_l3 = MIN(e->f->max_l3, mtu);
	e->sent = true;
	return true;
}

static bool encode_vlan(struct encode *e, const struct act_vlan *v)
{
	struct kernel_op *op = encode_op(e, KERNEL_PUSH_VLAN);

	if (!op)
		return false;
	op->aux = v->tpid;
	op->arg = v->tci;
	e->pushed++;
	return true;
}

/* Only a tag that is known to be there. */
static bool encode_pop_vlan(struct encode *e)
{
	if (e->pushed)
		e->pushed--;
	else if (e->tagged)
		e->tagged = false;
	else
		return false;
	return encode_op(e, KERNEL_POP_VLAN);
}

static bool encode_tag(struct encode *e, uint16_t value, uint16_t mask)
{
	struct kernel_op *op = NULL;

	if (e->tagged || e->pushed)
		op = encode_op(e, KERNEL_SET_TCI);
	if (!op)
		return false;
	op->aux = value;
	op->arg = mask;
	return true;
}

/* A tag that was pushed may have pushed another into the frame. */
static bool encode_set(struct encode *e, const struct act_set *a)
{
	uint16_t value, mask;
	struct accel_set set;

	if (accel_set_tag(a, &value, &mask))
		return encode_tag(e, value, mask);
	if (!accel_set_field(a, e->key, &set) || e->pushed)
		return false;
	for (unsigned i = 0; i < set.n; i++) {
		struct kernel_op *op = encode_op(e, (enum kernel_op_kind)0);

		if (!op)
			return false;
		*op = set.op[i];
	}
	if (a->field == FIELD_IP_TTL)
		e->ttl = 0;
	return true;
}

/* One that runs out has its answer made in userspace. */
static bool encode_dec_ttl(struct encode *e)
{
	if (e->ttl <= 1 || e->pushed)
		return false;
	e->ttl--;
	return encode_op(e, KERNEL_DEC_TTL);
}

static bool encode_act(struct encode *e, const struct act *a)
{
	const struct act_eth *eth = (const void *)a;
	const struct act_check_len *check = (const void *)a;

	switch ((enum act_op)a->op) {
	case ACT_OUTPUT:
		return encode_output(
			e, ((const struct act_port *)(const void *)a)->port);
	case ACT_PUSH_VLAN:
		return encode_vlan(e, (const void *)a);
	case ACT_POP_VLAN:
		return encode_pop_vlan(e);
	case ACT_SET_FIELD:
		return encode_set(e, (const void *)a);
	case ACT_SET_ETH:
		return encode_mac(e, KERNEL_SET_DST, eth->dst) &&
		       encode_mac(e, KERNEL_SET_SRC, eth->src);
	case ACT_DEC_TTL:
		return encode_dec_ttl(e);
	case ACT_CHECK_LEN:
		/* What is longer has its answer made in userspace. */
		e->f->max_l3 = MIN(e->f->max_l3, check->max_l3);
		return true;
	default:
		return false;
	}
}

/* The last copy is the frame itself. */
static void encode_end(struct encode *e)
{
	struct kernel_op *last;

	must(e->f->n_ops);
	last = &e->f->op[e->f->n_ops - 1];
	if (last->kind == KERNEL_CLONE)
		last->kind = KERNEL_SEND;
}

static void encode_far(struct encode *e, struct act_list list)
{
	uint32_t port = 0;

	act_list_for_each(a, list)
		if (a->op == ACT_OUTPUT)
			port = ((const struct act_port *)(const void *)a)->port;
	if (e->f->op[e->f->n_ops - 1].kind == KERNEL_SEND &&
	    e->a->devices[port]->far_elsewhere)
		e->f->op[e->f->n_ops - 1].kind = KERNEL_SEND_PEER;
}

const char *accel_no_text(enum accel_no n)
{
	switch (n) {
	case ACCEL_YES:
		return NULL;
	case ACCEL_NO_IN:
		return "it comes in by a port that the kernel cache does not "
		       "serve";
	case ACCEL_NO_OUT:
		return "it leaves by a port that the kernel cache does not "
		       "serve, or that is down";
	case ACCEL_NO_ACTION:
		return "one of its actions is userspace's alone";
	case ACCEL_NO_EDIT:
		return "it changes what the kernel cannot change, or what its "
		       "packets are not known to have";
	case ACCEL_NO_ROOM:
		return "it does too much, or depends on too much";
	case ACCEL_NO_SIGHT:
		return "it looks at what the kernel cannot see";
	case ACCEL_NO_PLACE:
		return "the kernel's table is full";
	}
	must(!"a reason");
	return NULL;
}

/* Why this action was the last. */
static enum accel_no encode_why(const struct encode *e, const struct act *a)
{
	if (e->f->n_ops == KERNEL_OPS || e->f->n_deps == KERNEL_DEPS)
		return ACCEL_NO_ROOM;
	switch (a->op) {
	case ACT_OUTPUT:
		return ACCEL_NO_OUT;
	case ACT_SET_FIELD:
	case ACT_POP_VLAN:
	case ACT_DEC_TTL:
		return ACCEL_NO_EDIT;
	default: /* not an enum: bytes that acts_check read */
		return ACCEL_NO_ACTION;
	}
}

static enum accel_no encode(const struct accel *a, const struct flow_key *key,
			    struct act_list list, struct kernel_flow *f)
{
	const struct accel_device *in = device(a, key->in_port);
	struct encode e = { .a = a,
			    .f = f,
			    .key = key,
			    .tagged = key->vlan[0].tci & KEY_VLAN_PRESENT,
			    .ttl = key->ip_ttl };

	*f = (struct kernel_flow){ .max_l3 = UINT32_MAX };
	if (list.len == sizeof(struct act_drop) && list.first->op == ACT_DROP)
		return encode_op(&e, KERNEL_DROP) ? ACCEL_YES : ACCEL_NO_ROOM;
	act_list_for_each(act, list)
		if (!encode_act(&e, act))
			return encode_why(&e, act);
	if (!e.sent)
		return ACCEL_NO_ACTION;
	encode_end(&e);
	/* The short way starts where frames come in only. */
	if (in && !in->is_host)
		encode_far(&e, list);
	return ACCEL_YES;
}

enum accel_no accel_can(const struct accel *a, const struct flow_key *key,
			struct act_list actions)
{
	struct kernel_flow f;

	if (!accel_has_port(a, key->in_port) ||
	    key->packet_type != PACKET_TYPE_ETHERNET)
		return ACCEL_NO_IN;
	return encode(a, key, actions, &f);
}

/* --- flows --- */

/* What the kernel looks for has zeros behind the key's beginning: a flow that
 * wants anything else there is none of its own. (The packet it was made of may
 * have been one: an ARP reply's flow may well cover what follows.) */
static bool flow_key_in_kernel(const struct flow *f, unsigned slot,
			       struct kernel_key *k)
{
	const struct mask_plan *plan = &f->mask->plan;

	*k = (struct kernel_key){ { 0 } };
	for (unsigned i = 0; i < f->n_words; i++) {
		if (plan->word[i] < KERNEL_WORDS)
			k->w[plan->word[i]] = f->tail[i];
		else if (f->tail[i])
			return false;
	}
	k->w[0] = f->port | (uint64_t)slot << 32;
	return true;
}

enum accel_no accel_put(struct accel *a, const struct flow *f, unsigned slot)
{
	struct kernel_flow kf;
	struct kernel_key key;
	struct encode e = { .a = a, .f = &kf };
	struct flow_key of;
	enum accel_no no;

	flow_key_of(f, &of);
	if (!flow_key_in_kernel(f, slot, &key))
		return ACCEL_NO_SIGHT;
	no = encode(a, &of, program_list(f->program), &kf);
	if (no)
		return no;
	for (unsigned i = 0; i < f->n_deps; i++)
		if (!encode_dep(&e, flow_deps(f)[i]))
			return ACCEL_NO_ROOM;
	return kbpf_map_put(a->flows, &key, &kf) ? ACCEL_NO_PLACE : ACCEL_YES;
}

struct accel_use accel_read(struct accel *a, const struct flow *f,
			    unsigned slot)
{
	struct kernel_flow kf;
	struct kernel_key key;

	if (!flow_key_in_kernel(f, slot, &key) ||
	    kbpf_map_get(a->flows, &key, &kf))
		return (struct accel_use){ 0, 0 };
	return (struct accel_use){ kf.packets, kf.bytes };
}

struct accel_use accel_take(struct accel *a, const struct flow *f,
			    unsigned slot)
{
	struct kernel_flow kf;
	struct kernel_key key;

	if (__atomic_load_n(&a->leaving, __ATOMIC_ACQUIRE))
		return accel_read(a, f, slot);
	if (!flow_key_in_kernel(f, slot, &key) ||
	    kbpf_map_take(a->flows, &key, &kf))
		return (struct accel_use){ 0, 0 };
	return (struct accel_use){ kf.packets, kf.bytes };
}
