/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/nl_link.h"

#include <linux/if_link.h>
#include <linux/net_namespace.h>
#include <linux/veth.h>
#include <net/if.h>
#include <net/if_arp.h>

#include "sys/nl_message.h"

/* Names that Debian 12's headers may lack; the numbers are the kernel's ABI. */
#define NL_IFLA_TSO_MAX_SIZE 59
#define NL_ADDR_GEN_MODE_NONE 1

bool nl_link_name_is_valid(const char *name)
{
	size_t len = strlen(name);

	if (!len || len >= NL_NAME_MAX || !strcmp(name, ".") ||
	    !strcmp(name, ".."))
		return false;
	for (const char *c = name; *c; c++)
		if (*c == '/' || *c == ':' || *c == ' ' ||
		    (*c >= '\t' && *c <= '\r'))
			return false;
	return true;
}

bool nl_link_is_up(const struct nl_link *l)
{
	return l->flags & IFF_UP;
}

/* --- parsing ------------------------------------------------------------- */
static void nl_link_parse_tun(const struct nlattr *data, struct nl_tun *t)
{
	const struct nlattr *a;

	nl_for_each_nested(a, data)
		switch (mnl_attr_get_type(a)) {
		case IFLA_TUN_OWNER:
			t->owner = nl_attr_u32(a);
			t->has_owner = true;
			break;
		case IFLA_TUN_GROUP:
			t->group = nl_attr_u32(a);
			t->has_group = true;
			break;
		case IFLA_TUN_TYPE: /* IFF_TUN 1, IFF_TAP 2 */
			t->tap = nl_attr_u8(a) == 2;
			break;
		case IFLA_TUN_PI:
			t->packet_info = nl_attr_u8(a);
			break;
		case IFLA_TUN_VNET_HDR:
			t->vnet_hdr = nl_attr_u8(a);
			break;
		case IFLA_TUN_PERSIST:
			t->persist = nl_attr_u8(a);
			break;
		case IFLA_TUN_MULTI_QUEUE:
			t->multi_queue = nl_attr_u8(a);
			break;
		case IFLA_TUN_NUM_QUEUES:
		case IFLA_TUN_NUM_DISABLED_QUEUES:
			t->n_queues += nl_attr_u32(a);
			break;
		}
}

static void nl_link_parse_info(const struct nlattr *info, struct nl_link *l)
{
	const struct nlattr *a, *data = NULL;

	nl_for_each_nested(a, info) {
		if (mnl_attr_get_type(a) == IFLA_INFO_KIND)
			nl_attr_name(a, l->kind);
		else if (mnl_attr_get_type(a) == IFLA_INFO_DATA)
			data = a;
	}
	if (data && !strcmp(l->kind, "tun"))
		nl_link_parse_tun(data, &l->tun);
}

/* A flat table of attributes, longer than a function should otherwise be. */
static void nl_link_parse_attr(const struct nlattr *a, struct nl_link *l)
{
	switch (mnl_attr_get_type(a)) {
	case IFLA_IFNAME:
		nl_attr_name(a, l->name);
		break;
	case IFLA_ADDRESS:
		l->mac = nl_attr_eth(a);
		break;
	case IFLA_PERM_ADDRESS:
		l->permanent_mac = nl_attr_eth(a);
		break;
	case IFLA_MTU:
		l->mtu = nl_attr_u32(a);
		break;
	case IFLA_MIN_MTU:
		l->min_mtu = nl_attr_u32(a);
		break;
	case IFLA_MAX_MTU:
		l->max_mtu = nl_attr_u32(a);
		break;
	case IFLA_OPERSTATE:
		l->operstate = nl_attr_u8(a);
		break;
	case IFLA_CARRIER:
		l->carrier = nl_attr_u8(a);
		break;
	case IFLA_MASTER:
		l->master = nl_attr_u32(a);
		break;
	case IFLA_LINK:
		l->link = nl_attr_u32(a);
		break;
	case IFLA_LINK_NETNSID:
		l->link_nsid = (int32_t)nl_attr_u32(a);
		break;
	case IFLA_GSO_MAX_SIZE:
		l->gso_max_size = nl_attr_u32(a);
		break;
	case IFLA_GSO_MAX_SEGS:
		l->gso_max_segs = nl_attr_u32(a);
		break;
	case NL_IFLA_TSO_MAX_SIZE:
		l->tso_max_size = nl_attr_u32(a);
		break;
	case IFLA_GROUP:
		l->group = nl_attr_u32(a);
		break;
	case IFLA_NUM_TX_QUEUES:
		l->n_tx_queues = nl_attr_u32(a);
		break;
	case IFLA_NUM_RX_QUEUES:
		l->n_rx_queues = nl_attr_u32(a);
		break;
	case IFLA_LINKINFO:
		nl_link_parse_info(a, l);
		break;
	}
}

bool nl_link_parse(const struct nlmsghdr *h, void *out)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(h);
	const struct nlattr *a;
	struct nl_link *l = out;

	if ((h->nlmsg_type != RTM_NEWLINK && h->nlmsg_type != RTM_DELLINK) ||
	    mnl_nlmsg_get_payload_len(h) < sizeof(*ifi))
		return false;
	/* A bridge port speaks of itself in AF_BRIDGE too: not a device's
	 * coming or going. */
	if (ifi->ifi_family != AF_UNSPEC)
		return false;
	*l = (struct nl_link){
		.ifindex = (uint32_t)ifi->ifi_index,
		.hw_type = ifi->ifi_type,
		.flags = ifi->ifi_flags,
		.link_nsid = NL_NO_NSID,
	};
	nl_for_each_attr(a, h, sizeof(*ifi))
		nl_link_parse_attr(a, l);
	/* Only multi-queue devices count their holders; the others have a
	 * carrier while they are held. */
	if (!strcmp(l->kind, "tun") && !l->tun.multi_queue)
		l->tun.n_queues = l->carrier;
	return true;
}

/* --- questions ----------------------------------------------------------- */
static struct ifinfomsg *nl_link_req(struct nl_req *r, uint16_t type,
				     uint16_t flags, uint32_t ifindex)
{
	struct ifinfomsg *ifi = nl_req_init(r, type, flags, sizeof(*ifi));

	ifi->ifi_index = (int)ifindex;
	return ifi;
}

int nl_link_list(struct nl *nl, struct nl_links *out, struct err *e)
{
	struct nl_array a;
	struct nl_req r;
	int err;

	nl_array_init(&a, sizeof(struct nl_link), nl_link_parse);
	nl_link_req(&r, RTM_GETLINK, NLM_F_DUMP, 0);
	err = nl_array_ask(&a, nl, &r);
	if (err) {
		nl_array_fini(&a);
		return fail_errno(e, err, "cannot list the devices");
	}
	*out = (struct nl_links){ a.v, a.n };
	return 0;
}

void nl_links_fini(struct nl_links *l)
{
	free(l->v);
	*l = (struct nl_links){ 0 };
}

static int nl_link_ask(struct nl *nl, struct nl_req *r, struct nl_link *out)
{
	struct nl_array a;
	int err;

	nl_array_init(&a, sizeof(struct nl_link), nl_link_parse);
	err = nl_array_ask(&a, nl, r);
	if (!err && !a.n)
		err = -ENODEV;
	if (!err)
		*out = *(struct nl_link *)a.v;
	nl_array_fini(&a);
	return err;
}

int nl_link_find(struct nl *nl, const char *name, struct nl_link *out,
		 struct err *e)
{
	struct nl_req r;
	int err;

	if (!nl_link_name_is_valid(name))
		return fail_say(e, EINVAL, "\"%s\" cannot be a device's name",
				name);
	nl_link_req(&r, RTM_GETLINK, 0, 0);
	mnl_attr_put_strz(r.h, IFLA_IFNAME, name);
	err = nl_link_ask(nl, &r, out);
	if (err == -ENODEV)
		return fail_say(e, ENODEV, "there is no device %s", name);
	if (err)
		return fail_errno(e, err, "cannot look up device %s", name);
	return 0;
}

int nl_link_get(struct nl *nl, uint32_t ifindex, struct nl_link *out,
		struct err *e)
{
	struct nl_req r;
	int err;

	nl_link_req(&r, RTM_GETLINK, 0, ifindex);
	err = nl_link_ask(nl, &r, out);
	if (err == -ENODEV)
		return fail_say(e, ENODEV, "there is no device with index %u",
				ifindex);
	if (err)
		return fail_errno(e, err, "cannot look up device %u", ifindex);
	return 0;
}

/* --- changes ------------------------------------------------------------- */
static void nl_link_set_flag(struct ifinfomsg *ifi, unsigned flag, bool on)
{
	ifi->ifi_change |= flag;
	if (on)
		ifi->ifi_flags |= flag;
}

static void nl_link_put_flags(struct ifinfomsg *ifi,
			      const struct nl_link_change *c)
{
	if (c->set & NL_LINK_UP)
		nl_link_set_flag(ifi, IFF_UP, c->up);
	if (c->set & NL_LINK_PROMISC)
		nl_link_set_flag(ifi, IFF_PROMISC, c->promisc);
	if (c->set & NL_LINK_MULTICAST)
		nl_link_set_flag(ifi, IFF_MULTICAST, c->multicast);
	if (c->set & NL_LINK_ARP)
		nl_link_set_flag(ifi, IFF_NOARP, !c->arp);
}

static void nl_link_put_addrgen(struct nl_req *r)
{
	struct nlattr *spec = mnl_attr_nest_start(r->h, IFLA_AF_SPEC);
	struct nlattr *inet6 = mnl_attr_nest_start(r->h, AF_INET6);

	mnl_attr_put_u8(r->h, IFLA_INET6_ADDR_GEN_MODE, NL_ADDR_GEN_MODE_NONE);
	mnl_attr_nest_end(r->h, inet6);
	mnl_attr_nest_end(r->h, spec);
}

static void nl_link_put(struct nl_req *r, const struct nl_link_change *c)
{
	if (c->set & NL_LINK_NAME)
		mnl_attr_put_strz(r->h, IFLA_IFNAME, c->name);
	if (c->set & NL_LINK_MAC)
		mnl_attr_put(r->h, IFLA_ADDRESS, sizeof(c->mac.b), c->mac.b);
	if (c->set & NL_LINK_MTU)
		mnl_attr_put_u32(r->h, IFLA_MTU, c->mtu);
	if (c->set & NL_LINK_MASTER)
		mnl_attr_put_u32(r->h, IFLA_MASTER, c->master);
	if (c->set & NL_LINK_NETNS)
		mnl_attr_put_u32(r->h, IFLA_NET_NS_FD, (uint32_t)c->netns_fd);
	if (c->set & NL_LINK_GROUP)
		mnl_attr_put_u32(r->h, IFLA_GROUP, c->group);
	if (c->set & NL_LINK_GSO_MAX_SIZE)
		mnl_attr_put_u32(r->h, IFLA_GSO_MAX_SIZE, c->gso_max_size);
	if (c->set & NL_LINK_QUEUES) {
		mnl_attr_put_u32(r->h, IFLA_NUM_TX_QUEUES, c->n_queues);
		mnl_attr_put_u32(r->h, IFLA_NUM_RX_QUEUES, c->n_queues);
	}
	if (c->set & NL_LINK_ADDRGEN_NONE)
		nl_link_put_addrgen(r);
}

/* What the request that makes a device can carry; the rest follows in requests
 * of its own (nl_link_finish). The kernel ignores the address generation mode
 * there, and a device that is up has its link-local address already. The peer of
 * a veth cannot come up before the pair is joined. */
static struct nl_link_change nl_link_at_birth(const struct nl_link_change *c,
					      bool peer)
{
	struct nl_link_change birth = *c;

	must(c->set & NL_LINK_NAME);
	if (peer || c->set & NL_LINK_ADDRGEN_NONE)
		birth.set &= ~(uint32_t)(NL_LINK_ADDRGEN_NONE | NL_LINK_UP);
	return birth;
}

static int nl_link_set_by_name(struct nl *nl, const char *name,
			       const struct nl_link_change *c, struct err *e)
{
	struct nl_req r;
	struct ifinfomsg *ifi = nl_link_req(&r, RTM_SETLINK, 0, 0);

	nl_link_put_flags(ifi, c);
	mnl_attr_put_strz(r.h, IFLA_IFNAME, name);
	nl_link_put(&r, c);
	return nl_do(nl, &r, e, "change device %s", name);
}

int nl_link_finish(struct nl *nl, const struct nl_link_change *c, struct err *e)
{
	struct nl_link_change addrgen = { .set = NL_LINK_ADDRGEN_NONE };
	struct nl_link_change up = { .set = NL_LINK_UP, .up = c->up };
	int err = 0;

	if (c->set & NL_LINK_ADDRGEN_NONE)
		err = nl_link_set_by_name(nl, c->name, &addrgen, e);
	if (!err && c->set & NL_LINK_UP)
		err = nl_link_set_by_name(nl, c->name, &up, e);
	return err;
}

int nl_link_finish_in(int netns_fd, const struct nl_link_change *c,
		      struct err *e)
{
	struct nl *nl;
	int err = nl_open(&nl, netns_fd, e);

	if (err)
		return err;
	err = nl_link_finish(nl, c, e);
	nl_close(nl);
	return err;
}

/* What its birth left out. */
static int nl_link_after_birth(struct nl *nl, const struct nl_link_change *c,
			       bool peer, struct err *e)
{
	struct nl_link_change rest = *c;

	rest.set &= ~nl_link_at_birth(c, peer).set;
	if (!rest.set)
		return 0;
	if (!(c->set & NL_LINK_NETNS))
		rest.netns_fd = NL_CURRENT_NS;
	if (nl_batch_after(nl, &rest))
		return 0;
	if (rest.netns_fd == NL_CURRENT_NS)
		return nl_link_finish(nl, &rest, e);
	return nl_link_finish_in(rest.netns_fd, &rest, e);
}

static void nl_link_del_by_name(struct nl *nl, const char *name)
{
	struct nl_req r;

	nl_link_req(&r, RTM_DELLINK, 0, 0);
	mnl_attr_put_strz(r.h, IFLA_IFNAME, name);
	(void)!nl_do(nl, &r, NULL, "delete device %s", name);
}

static struct nlattr *nl_link_put_kind(struct nl_req *r, const char *kind)
{
	struct nlattr *info = mnl_attr_nest_start(r->h, IFLA_LINKINFO);

	mnl_attr_put_strz(r->h, IFLA_INFO_KIND, kind);
	return info;
}

static int nl_link_check_name(const char *name, struct err *e)
{
	if (nl_link_name_is_valid(name))
		return 0;
	return fail_say(e, EINVAL,
			"\"%s\" cannot be a device's name: use 1 "
			"to 15 letters without spaces, '/' and ':'",
			name);
}

/* Starts the request that makes a device. */
static int nl_link_add_begin(struct nl_req *r, const struct nl_link_change *c,
			     struct err *e)
{
	struct nl_link_change birth = nl_link_at_birth(c, false);
	struct ifinfomsg *ifi;
	int err = nl_link_check_name(c->name, e);

	if (err)
		return err;
	ifi = nl_link_req(r, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, 0);
	nl_link_put_flags(ifi, &birth);
	nl_link_put(r, &birth);
	return 0;
}

static void nl_link_put_peer(struct nl_req *r, const struct nl_link_change *c)
{
	struct nl_link_change birth = nl_link_at_birth(c, true);
	struct nlattr *data = mnl_attr_nest_start(r->h, IFLA_INFO_DATA);
	struct nlattr *peer = mnl_attr_nest_start(r->h, VETH_INFO_PEER);
	struct ifinfomsg *ifi = mnl_nlmsg_get_payload_tail(r->h);

	memset(ifi, 0, sizeof(*ifi));
	r->h->nlmsg_len += MNL_ALIGN(sizeof(*ifi));
	nl_link_put_flags(ifi, &birth);
	nl_link_put(r, &birth);
	mnl_attr_nest_end(r->h, peer);
	mnl_attr_nest_end(r->h, data);
}

int nl_link_add_veth(struct nl *nl, const struct nl_link_change *end,
		     const struct nl_link_change *peer, struct err *e)
{
	struct nlattr *info;
	struct nl_req r;
	int err = nl_link_add_begin(&r, end, e);

	if (!err)
		err = nl_link_check_name(peer->name, e);
	if (err)
		return err;
	info = nl_link_put_kind(&r, "veth");
	nl_link_put_peer(&r, peer);
	mnl_attr_nest_end(r.h, info);
	err = nl_do(nl, &r, e, "add veth %s with peer %s", end->name,
		    peer->name);
	if (err)
		return err;
	err = nl_link_after_birth(nl, end, false, e);
	if (!err)
		err = nl_link_after_birth(nl, peer, true, e);
	if (err)
		nl_link_del_by_name(nl, end->name);
	return err;
}

int nl_link_add(struct nl *nl, const char *kind, const struct nl_link_change *c,
		struct err *e)
{
	struct nl_req r;
	int err = nl_link_add_begin(&r, c, e);

	if (err)
		return err;
	mnl_attr_nest_end(r.h, nl_link_put_kind(&r, kind));
	err = nl_do(nl, &r, e, "add %s %s", kind, c->name);
	if (err)
		return err;
	err = nl_link_after_birth(nl, c, false, e);
	if (err)
		nl_link_del_by_name(nl, c->name);
	return err;
}

int nl_link_add_vlan(struct nl *nl, uint32_t parent, uint16_t vid,
		     const struct nl_link_change *c, struct err *e)
{
	struct nlattr *info, *data;
	struct nl_req r;
	int err = nl_link_add_begin(&r, c, e);

	if (err)
		return err;
	mnl_attr_put_u32(r.h, IFLA_LINK, parent);
	info = nl_link_put_kind(&r, "vlan");
	data = mnl_attr_nest_start(r.h, IFLA_INFO_DATA);
	mnl_attr_put_u16(r.h, IFLA_VLAN_ID, vid);
	mnl_attr_nest_end(r.h, data);
	mnl_attr_nest_end(r.h, info);
	err = nl_do(nl, &r, e, "add vlan %s", c->name);
	if (err)
		return err;
	err = nl_link_after_birth(nl, c, false, e);
	if (err)
		nl_link_del_by_name(nl, c->name);
	return err;
}

int nl_link_set(struct nl *nl, uint32_t ifindex, const struct nl_link_change *c,
		struct err *e)
{
	struct nl_link_change first = *c;
	struct ifinfomsg *ifi;
	struct nl_req r;
	int err;

	/* The kernel brings a device up before it looks at the address
	 * generation mode: the mode goes first, by itself. */
	if (c->set & NL_LINK_ADDRGEN_NONE && c->set & ~NL_LINK_ADDRGEN_NONE) {
		err = nl_link_set_addrgen_none(nl, ifindex, e);
		if (err)
			return err;
		first.set &= ~(uint32_t)NL_LINK_ADDRGEN_NONE;
	}
	if (c->set & NL_LINK_NAME) {
		err = nl_link_check_name(c->name, e);
		if (err)
			return err;
	}
	ifi = nl_link_req(&r, RTM_SETLINK, 0, ifindex);
	nl_link_put_flags(ifi, &first);
	nl_link_put(&r, &first);
	return nl_do(nl, &r, e, "change device %u", ifindex);
}

int nl_link_del(struct nl *nl, uint32_t ifindex, struct err *e)
{
	struct nl_req r;

	nl_link_req(&r, RTM_DELLINK, 0, ifindex);
	return nl_do(nl, &r, e, "delete device %u", ifindex);
}

int nl_link_del_group(struct nl *nl, uint32_t group, struct err *e)
{
	struct nl_req r;

	must(group); /* 0 holds everything that was never grouped */
	nl_link_req(&r, RTM_DELLINK, 0, 0);
	mnl_attr_put_u32(r.h, IFLA_GROUP, group);
	return nl_do(nl, &r, e, "delete the devices of group %u", group);
}

int nl_link_set_up(struct nl *nl, uint32_t ifindex, bool up, struct err *e)
{
	struct nl_link_change c = { .set = NL_LINK_UP, .up = up };

	return nl_link_set(nl, ifindex, &c, e);
}

int nl_link_set_mtu(struct nl *nl, uint32_t ifindex, uint32_t mtu,
		    struct err *e)
{
	struct nl_link_change c = { .set = NL_LINK_MTU, .mtu = mtu };

	return nl_link_set(nl, ifindex, &c, e);
}

int nl_link_set_mac(struct nl *nl, uint32_t ifindex, struct eth_addr mac,
		    struct err *e)
{
	struct nl_link_change c = { .set = NL_LINK_MAC, .mac = mac };

	return nl_link_set(nl, ifindex, &c, e);
}

int nl_link_set_name(struct nl *nl, uint32_t ifindex, const char *name,
		     struct err *e)
{
	struct nl_link_change c = { .set = NL_LINK_NAME };
	int err = nl_link_check_name(name, e);

	if (err)
		return err;
	memcpy(c.name, name, strlen(name));
	return nl_link_set(nl, ifindex, &c, e);
}

int nl_link_set_netns(struct nl *nl, uint32_t ifindex, int netns_fd,
		      struct err *e)
{
	struct nl_link_change c = { .set = NL_LINK_NETNS,
				    .netns_fd = netns_fd };

	return nl_link_set(nl, ifindex, &c, e);
}

int nl_link_set_master(struct nl *nl, uint32_t ifindex, uint32_t master,
		       struct err *e)
{
	struct nl_link_change c = { .set = NL_LINK_MASTER, .master = master };

	return nl_link_set(nl, ifindex, &c, e);
}

int nl_link_set_addrgen_none(struct nl *nl, uint32_t ifindex, struct err *e)
{
	struct nl_link_change c = { .set = NL_LINK_ADDRGEN_NONE };

	return nl_link_set(nl, ifindex, &c, e);
}

/* --- namespace ids ------------------------------------------------------- */
struct nl_nsid_sink {
	struct nl_sink sink;
	int32_t nsid;
};

static void nl_nsid_each(struct nl_sink *s, const struct nlmsghdr *h)
{
	struct nl_nsid_sink *n = container_of(s, struct nl_nsid_sink, sink);
	const struct nlattr *a;

	nl_for_each_attr(a, h, sizeof(struct rtgenmsg)) {
		if (mnl_attr_get_type(a) == NETNSA_NSID)
			n->nsid = (int32_t)nl_attr_u32(a);
	}
}

int nl_nsid_of(struct nl *nl, int netns_fd, int32_t *nsid, struct err *e)
{
	struct nl_nsid_sink sink = { { nl_nsid_each, NULL }, NL_NO_NSID };
	struct nl_req r;
	int err;

	nl_req_init(&r, RTM_GETNSID, 0, sizeof(struct rtgenmsg));
	mnl_attr_put_u32(r.h, NETNSA_FD, (uint32_t)netns_fd);
	err = nl_ask(nl, &r, &sink.sink);
	if (err)
		return fail_errno(e, err, "cannot look up a namespace's id");
	*nsid = sink.nsid;
	return 0;
}
