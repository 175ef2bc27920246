/* SPDX-License-Identifier: Apache-2.0 */
/* A table of broken set-ups, and what must be said of each: in namespaces made
 * for each row where the kernel lets itself be broken so, else by files under a
 * root of the test's own, else by facts put in the doctor's hand. */
#include "doctor/doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "doctor/bed_test.h"
#include "sys/udp_socket.h"

/* Everything there is, and all of it well. */
static void everything_well(struct bed *b)
{
	struct subject_bridge *br = SUBJECT_ADD(&b->s, bridges);
	struct subject_network *n = SUBJECT_ADD(&b->s, networks);

	add_veth(b, "c1", "02:00:00:00:00:01");
	add_veth(b, "c2", "02:00:00:00:00:02");
	add_nic(b);
	add_host(b);
	/* this host itself answers in the other's place */
	add_overlay(b, "192.0.2.1");
	do_it("ip -n " IN_NETNS
	      " addr add 10.1.0.1/24 dev f-c1 && ip -n " IN_NETNS
	      " addr add 10.1.0.2/24 dev f-c2");
	*br = (struct subject_bridge){ .name = "blue", .mac_limit = 8192 };
	*n = (struct subject_network){ .name = "blue",
				       .bridge = "blue",
				       .mtu = 1500 };
	n->subnets = xzalloc(sizeof(*n->subnets));
	n->n_subnets = 1;
	must(!ip_prefix_parse("10.1.0.0/24", n->subnets));
}

/* --- broken ones: ports ---------------------------------------------------- */

static void missing(struct bed *b)
{
	struct subject_port *p = add_port(b, "vm1", SUBJECT_TAP, "vm1");

	p->attached = false;
	p->missing = "the device vm1 does not exist";
}

static void missing_nic(struct bed *b)
{
	missing(b);
	port_at(b, 0)->kind = SUBJECT_NIC;
}

static void missing_netns(struct bed *b)
{
	missing(b);
	port_at(b, 0)->kind = SUBJECT_VETH;
	port_at(b, 0)->netns = "web";
	port_at(b, 0)->missing = "there is no namespace web";
}

static void far_gone(struct bed *b)
{
	add_veth(b, "c1", "02:00:00:00:00:01");
	do_it("ip -n " IN_NETNS " link set f-c1 name other");
}

static void far_down(struct bed *b)
{
	add_veth(b, "c1", "02:00:00:00:00:01");
	do_it("ip -n " IN_NETNS " link set f-c1 down");
}

static void device_down(struct bed *b)
{
	add_nic(b);
	do_it("ip link set eth7 down");
}

static void no_carrier(struct bed *b)
{
	add_nic(b);
	do_it("ip link set cable down");
}

static void far_mtu(struct bed *b)
{
	add_veth(b, "c1", "02:00:00:00:00:01");
	do_it("ip -n " IN_NETNS " link set f-c1 mtu 1400");
}

static void nic_mtu(struct bed *b)
{
	add_nic(b);
	do_it("ip link set eth7 mtu 1280");
	port_at(b, 0)->network = "";
}

static void in_linux_bridge(struct bed *b)
{
	add_nic(b);
	do_it("ip link add lb type bridge && ip link set eth7 master lb");
}

static void managed_by(struct bed *b, const char *folder, const char *text)
{
	char *path;

	add_nic(b);
	path = xasprintf("%s/%u", folder, port_at(b, 0)->ifindex);
	put_file(b, path, text);
	put_file(b, "/sys/class/net/eth7/flags", "0x1103");
	free(path);
}

static void network_manager(struct bed *b)
{
	managed_by(b, "/run/NetworkManager/devices",
		   "[device]\nmanaged=true\nnm-owned=false");
}

static void networkd(struct bed *b)
{
	managed_by(b, "/run/systemd/netif/links",
		   "# private\nADMIN_STATE=configured\nOPER_STATE=routable");
}

static void networkd_keeps_out(struct bed *b)
{
	managed_by(b, "/run/systemd/netif/links", "ADMIN_STATE=unmanaged");
}

static void wireless(struct bed *b)
{
	add_nic(b);
	put_file(b, "/sys/class/net/eth7/wireless/status", "0");
}

static void macvlan(struct bed *b)
{
	do_it("ip link add low type veth && ip link set low up && ip link add "
	      "mv0 link low type macvlan && ip link set mv0 up");
	add_port(b, "uplink", SUBJECT_NIC, "mv0");
}

static void not_promiscuous(struct bed *b)
{
	add_nic(b);
	put_file(b, "/sys/class/net/eth7/flags", "0x1003");
}

static void not_ethernet(struct bed *b)
{
	do_it("ip tuntap add tun9 mode tun && ip link set tun9 up");
	add_port(b, "uplink", SUBJECT_NIC, "tun9");
}

static void in_a_cloud(struct bed *b)
{
	add_nic(b);
	put_file(b, "/sys/class/dmi/id/sys_vendor", "Amazon EC2");
	put_file(b, "/sys/class/dmi/id/product_name", "m5.large");
}

static void looks_like_hardware(struct facts *f)
{
	for (unsigned i = 0; i < f->n_devices; i++)
		f->devices[i].link.kind[0] = '\0';
}

static void hyper_v(struct bed *b)
{
	add_nic(b);
	put_file(b, "/sys/class/dmi/id/sys_vendor", "Microsoft Corporation");
	put_file(b, "/sys/class/dmi/id/product_name", "Virtual Machine");
}

/* --- checksums and offloads ------------------------------------------------- */

/* What this kernel cannot be made to do, it does not do: the row is left out. */
static void try_it(struct bed *b, const char *line)
{
	if (!sh(line))
		b->unable = true;
}

static void swallowed(struct bed *b)
{
	add_veth(b, "c1", "02:00:00:00:00:01");
	try_it(b, "nft 'add table netdev t; add chain netdev t c { type filter "
		  "hook egress device n-c1 priority 0; policy drop; }'");
}

static void altered(struct bed *b)
{
	add_veth(b, "c1", "02:00:00:00:00:01");
	try_it(b, "nft 'add table netdev t; add chain netdev t c { type filter "
		  "hook egress device n-c1 priority 0; }; add rule netdev t c "
		  "udp dport 9 @th,80,16 set 0x5555'");
}

static void far_result(struct facts *f, enum frame_pass_result r)
{
	f->far[0].passed_known = true;
	f->far[0].passed = r;
}

static void one_veth(struct bed *b)
{
	add_veth(b, "c1", "02:00:00:00:00:01");
}

static void wrong_checksum(struct facts *f)
{
	far_result(f, FRAME_PASS_WRONG);
}

static void stack_sees_bad_checksums(struct facts *f)
{
	f->far[0].bad_checksums = 4711;
}

static void host_sees_bad_checksums(struct bed *b)
{
	add_host(b);
	put_file(b, "/proc/net/snmp",
		 "Tcp: InSegs InCsumErrors\nTcp: 10000 300\n"
		 "Udp: InDatagrams InCsumErrors\nUdp: 5 33");
}

static void ip_checksums(struct bed *b)
{
	one_veth(b);
	port_at(b, 0)->drops[DROP_IP_CSUM] = 100;
}

static void lro(struct facts *f)
{
	for (unsigned i = 0; i < f->n_devices; i++)
		f->devices[i].offload.lro = true;
}

static void tso_alone(struct facts *f)
{
	for (unsigned i = 0; i < f->n_devices; i++) {
		f->devices[i].offload.tso = true;
		f->devices[i].offload.tx_csum = false;
	}
}

static void lies(struct bed *b)
{
	one_veth(b);
	port_at(b, 0)->drops[DROP_MALFORMED] = 50;
}

static void few_lies(struct bed *b)
{
	one_veth(b);
	port_at(b, 0)->drops[DROP_MALFORMED] = 3;
}

static void too_slow(struct bed *b)
{
	one_veth(b);
	port_at(b, 0)->drops[DROP_RX_FULL] = 500;
}

static void guest_too_slow(struct bed *b)
{
	one_veth(b);
	port_at(b, 0)->drops[DROP_TX_FULL] = 500;
}

/* --- stations --------------------------------------------------------------- */

static void same_mac(struct bed *b)
{
	add_veth(b, "c1", "02:00:00:00:00:01");
	add_veth(b, "c2", "02:00:00:00:00:01");
}

static void same_mac_elsewhere(struct bed *b)
{
	same_mac(b);
	port_at(b, 1)->bridge = "green";
	port_at(b, 1)->network = "green";
}

static void add_station(struct bed *b, const char *port, const char *mac)
{
	struct subject_station *st = SUBJECT_ADD(&b->s, stations);

	st->bridge = "blue";
	st->port = port;
	must(!eth_addr_parse(mac, &st->mac));
}

static void router_mac_stolen(struct bed *b)
{
	struct subject_router *r = SUBJECT_ADD(&b->s, routers);

	r->name = "r1";
	must(!eth_addr_parse("02:00:00:00:00:99", &r->mac));
	add_station(b, "vm1", "02:00:00:00:00:99");
}

static void host_mac_elsewhere(struct bed *b)
{
	add_host(b);
	do_it("ip link set br0 address 02:00:00:00:00:77");
	port_at(b, 0)->bridge = "blue";
	add_station(b, "uplink", "02:00:00:00:00:77");
}

static void jumping(struct bed *b)
{
	*SUBJECT_ADD(&b->s, bridges) = (struct subject_bridge){
		.name = "blue", .mac_limit = 100, .held = 7
	};
}

static void same_address(struct bed *b)
{
	add_veth(b, "c1", "02:00:00:00:00:01");
	add_veth(b, "c2", "02:00:00:00:00:02");
	do_it("ip -n " IN_NETNS
	      " addr add 10.1.0.1/24 dev f-c1 && ip -n " IN_NETNS
	      " addr add 10.1.0.1/24 dev f-c2");
}

static void refused_address(struct facts *f)
{
	f->addrs.v[f->addrs.n - 1].flags |= IFA_F_DADFAILED;
}

static void conflict(struct bed *b)
{
	struct subject_conflict *c = SUBJECT_ADD(&b->s, conflicts);

	c->network = "blue";
	must(!ip_addr_parse("10.1.0.1", &c->address));
	must(!eth_addr_parse("02:00:00:00:00:66", &c->mac));
}

static void looped(struct bed *b)
{
	struct subject_loop *l = SUBJECT_ADD(&b->s, loops);

	one_veth(b);
	port_at(b, 0)->blocked = true;
	l->port = "c1";
	l->other = "uplink";
}

static void table_full(struct bed *b)
{
	*SUBJECT_ADD(&b->s, bridges) = (struct subject_bridge){
		.name = "blue", .mac_limit = 100, .macs = 95
	};
}

static void mac_limited(struct bed *b)
{
	one_veth(b);
	port_at(b, 0)->drops[DROP_MAC_LIMIT] = 1;
}

/* --- other hosts ------------------------------------------------------------ */

static void underlay_nowhere(struct bed *b)
{
	must(!ip_addr_parse("192.0.2.1", &b->s.underlay));
	b->s.udp_port = 4789;
	b->s.underlay_mtu = 1500;
}

static void underlay_down(struct bed *b)
{
	add_overlay(b, "192.0.2.1");
	do_it("ip link set und down");
}

static void underlay_mtu(struct bed *b)
{
	add_overlay(b, "192.0.2.1");
	b->s.underlay_mtu = 9000;
}

static void no_route(struct bed *b)
{
	add_overlay(b, "198.51.100.7");
}

/* On the wire, but nobody takes the question: a fixed neighbour that is none. */
static void silent(struct bed *b)
{
	add_overlay(b, "192.0.2.2");
	do_it("ip neigh add 192.0.2.2 lladdr 02:00:00:00:00:22 dev und");
}

/* Another host behind a router whose far link takes less. */
static void narrow_path(struct bed *b)
{
	add_overlay(b, "198.51.100.2");
	do_it("ip netns add wdr && ip link set wire netns wdr && ip -n wdr "
	      "link "
	      "set wire up && ip -n wdr addr add 192.0.2.254/24 dev wire && "
	      "ip netns exec wdr sysctl -qw net.ipv4.ip_forward=1 && ip -n wdr "
	      "link add o1 mtu 1400 type veth peer name o2 netns " IN_NETNS
	      " && ip -n wdr addr add 198.51.100.1/24 dev o1 && ip -n wdr link "
	      "set o1 up && ip -n " IN_NETNS " addr add 198.51.100.2/24 dev o2 "
	      "&& ip -n " IN_NETNS " link set o2 up && ip -n " IN_NETNS
	      " route add default via 198.51.100.1 && ip route add default via "
	      "192.0.2.254");
}

static void healthy_peer(struct bed *b)
{
	add_overlay(b, "192.0.2.1");
}

static void black_hole(struct facts *f)
{
	f->peers[0].mtu = 1460;
	f->peers[0].told_mtu = 0;
}

static void clock_behind(struct facts *f)
{
	f->peers[0].clock_known = true;
	f->peers[0].clock_ms = -90500;
}

static void clock_near(struct facts *f)
{
	f->peers[0].clock_known = true;
	f->peers[0].clock_ms = 1500;
}

static void other_number(struct bed *b)
{
	add_port(b, "tunnel", SUBJECT_TUNNEL, "");
	port_at(b, 0)->drops[DROP_NO_NETWORK] = 12;
}

static void stranger(struct bed *b)
{
	add_port(b, "tunnel", SUBJECT_TUNNEL, "");
	port_at(b, 0)->drops[DROP_NOT_A_PEER] = 3;
}

static void listen_on(struct bed *b, uint16_t port)
{
	struct udp_socket_spec s = { .netns_fd = NL_CURRENT_NS,
				     .local = ip_addr_from_ip4(0),
				     .port = port };

	b->fd = udp_socket_open(&s, NULL);
	must(b->fd >= 0);
}

static void port_taken(struct bed *b)
{
	add_overlay(b, "192.0.2.1");
	listen_on(b, 4789);
}

/* What listens is this very process: for the test it is another. */
static void not_ourselves(struct facts *f)
{
	f->self = 0;
}

static void geneve_taken(struct bed *b)
{
	listen_on(b, 6081);
}

static void kernel_vxlan(struct bed *b)
{
	add_overlay(b, "192.0.2.1");
	do_it("ip link add vx9 type vxlan id 9 dstport 4789 dev und && ip link "
	      "set vx9 up");
}

/* --- the host ---------------------------------------------------------------- */

static void forward_drop(struct bed *b)
{
	add_host(b);
	do_it("sysctl -qw net.ipv4.ip_forward=1");
	do_it("nft 'add table ip filter; add chain ip filter FORWARD { type "
	      "filter hook forward priority 0; policy drop; }'");
}

static void forward_drop_elsewhere(struct bed *b)
{
	one_veth(b);
	do_it("sysctl -qw net.ipv4.ip_forward=1");
	do_it("nft 'add table ip filter; add chain ip filter FORWARD { type "
	      "filter hook forward priority 0; policy drop; }'");
}

static void forward_drop_seen_to(struct bed *b)
{
	forward_drop(b);
	do_it("nft 'add rule ip filter FORWARD iifname br0 accept'");
}

static void forward_drop_of_another(struct bed *b)
{
	forward_drop(b);
	do_it("nft 'add rule ip filter FORWARD iifname br00 accept'");
}

static void bridge_filtered(struct bed *b)
{
	one_veth(b);
	do_it("ip link add lb type bridge && ip link set n-c1 master lb");
	put_file(b, "/proc/sys/net/bridge/bridge-nf-call-iptables", "1");
}

static void reverse_path(struct bed *b)
{
	add_host(b);
	put_file(b, "/proc/sys/net/ipv4/conf/br0/rp_filter", "1");
	put_file(b, "/proc/sys/net/ipv4/conf/all/rp_filter", "0");
	put_file(b, "/proc/net/netstat",
		 "TcpExt: SyncookiesSent IPReversePathFilter\nTcpExt: 0 812");
}

static void reverse_path_loose(struct bed *b)
{
	reverse_path(b);
	put_file(b, "/proc/sys/net/ipv4/conf/all/rp_filter", "2");
}

static void not_forwarding(struct bed *b)
{
	struct subject_via *v = SUBJECT_ADD(&b->s, vias);

	add_host(b);
	v->router = "r1";
	must(!ip_addr_parse("10.1.0.254", &v->address));
	do_it("sysctl -qw net.ipv4.ip_forward=0");
}

static void overlapping(struct bed *b)
{
	everything_well(b);
	do_it("ip tuntap add lan mode tap && ip addr add 10.1.0.77/16 dev lan");
}

static void conntrack(struct bed *b, const char *count)
{
	put_file(b, "/proc/sys/net/netfilter/nf_conntrack_count", count);
	put_file(b, "/proc/sys/net/netfilter/nf_conntrack_max", "65536");
}

static void conntrack_nearly(struct bed *b)
{
	conntrack(b, "60000");
}

static void conntrack_full(struct bed *b)
{
	conntrack(b, "65536");
}

static void conntrack_half(struct bed *b)
{
	conntrack(b, "30000");
}

static void old_kernel(struct bed *b)
{
	put_file(b, "/proc/sys/kernel/osrelease", "4.19.0-26-amd64");
}

static void no_tun(struct bed *b)
{
	char *line;

	add_port(b, "vm1", SUBJECT_TAP, "");
	put_file(b, "/proc/sys/kernel/osrelease", "6.8.0");
	line = xasprintf("rm %s/dev/net/tun", b->root);
	do_it(line);
	free(line);
}

static void nothing(struct bed *b UNUSED)
{
}

static void no_raw(struct facts *f)
{
	f->priv.has[PRIV_NET_RAW] = false;
}

static void no_rights(struct facts *f)
{
	f->priv = (struct priv){ 0 };
}

static void without_bpf(struct bed *b)
{
	one_veth(b);
	b->s.no_kernel_cache = "not permitted: that needs CAP_BPF";
}

/* --- the table --------------------------------------------------------------- */

struct row {
	const char *name;
	void (*make)(struct bed *b);
	void (*alter)(struct facts *f); /* after the facts were gathered */
	const char *check;              /* NULL: nothing must be said */
	enum doctor_severity severity;
	const char *evidence, *fix; /* words that must be in it */
};

#define E DOCTOR_ERROR
#define W DOCTOR_WARNING
#define N DOCTOR_NOTE

static const struct row rows[] = {
	{ "all is well", everything_well, NULL, NULL, N, NULL, NULL },
	{ "no device", missing, NULL, "port-missing", E, "does not exist",
	  "weft port del vm1" },
	{ "no card", missing_nic, NULL, "port-missing", E, "does not exist",
	  "ip link show" },
	{ "no namespace", missing_netns, NULL, "port-missing", E,
	  "no namespace web", "ip netns add web" },
	{ "far end renamed", far_gone, NULL, "port-down", E, "f-c1 is not in",
	  "add it again" },
	{ "far end down", far_down, NULL, "port-down", W, "f-c1 is down",
	  "ip -n " IN_NETNS " link set f-c1 up" },
	{ "card down", device_down, NULL, "port-down", W, "eth7 is down",
	  "ip link set eth7 up" },
	{ "no carrier", no_carrier, NULL, "port-down", W, "no carrier",
	  "cable" },
	{ "far end's MTU", far_mtu, NULL, "port-mtu", W, "1400",
	  "weft network set blue mtu=1400" },
	{ "card's MTU", nic_mtu, NULL, "port-mtu", W, "1280",
	  "ip link set eth7 mtu 1500" },
	{ "card in a Linux bridge", in_linux_bridge, NULL, "device-master", E,
	  "bridge lb", "ip link set eth7 nomaster" },
	{ "NetworkManager", network_manager, NULL, "manager", W,
	  "NetworkManager manages eth7", "nmcli device set eth7 managed no" },
	{ "networkd", networkd, NULL, "manager", W, "systemd-networkd",
	  "Name=eth7" },
	{ "networkd keeps out", networkd_keeps_out, NULL, NULL, N, NULL, NULL },
	{ "wireless card", wireless, NULL, "mac-filter", E, "wireless",
	  "4addr" },
	{ "macvlan", macvlan, NULL, "mac-filter", E, "macvlan", "below it" },
	{ "not promiscuous", not_promiscuous, NULL, "mac-filter", E,
	  "promiscuous", "promisc on" },
	{ "no Ethernet", not_ethernet, NULL, "mac-filter", E, "no Ethernet",
	  "Ethernet card" },
	{ "EC2", in_a_cloud, looks_like_hardware, "mac-filter", W, "Amazon EC2",
	  "tunnel" },
	{ "Hyper-V", hyper_v, looks_like_hardware, "mac-filter", W, "Microsoft",
	  "MacAddressSpoofing" },
	{ "frames swallowed", swallowed, NULL, "checksum", W,
	  "did not come out", "tc filter show dev n-c1" },
	{ "frames altered", altered, NULL, "checksum", E, "other bytes",
	  "tc filter show dev n-c1" },
	{ "checksum unfinished", one_veth, wrong_checksum, "checksum", E,
	  "wrong checksum", "ethtool -K n-c1 tx off" },
	{ "stack of a container", one_veth, stack_sees_bad_checksums,
	  "checksum", W, "4711", "tx off" },
	{ "stack of the host", host_sees_bad_checksums, NULL, "checksum", W,
	  "333", "tx off" },
	{ "IP checksums", ip_checksums, NULL, "checksum", W, "100", "tx off" },
	{ "LRO", add_nic, lro, "offload", E, "LRO", "ethtool -K eth7 lro off" },
	{ "TSO alone", add_nic, tso_alone, "offload", W, "TSO", "tso off" },
	{ "offload lies", lies, NULL, "offload", W, "50 frames", "gso off" },
	{ "three bad frames", few_lies, NULL, NULL, N, NULL, NULL },
	{ "weft too slow", too_slow, NULL, "queue", W, "500 frames came faster",
	  "--workers" },
	{ "guest too slow", guest_too_slow, NULL, "queue", W,
	  "500 frames found", "queues" },
	{ "one MAC twice", same_mac, NULL, "duplicate-mac", E,
	  "02:00:00:00:00:01", "weft port set c2 mac=" },
	{ "one MAC, two networks", same_mac_elsewhere, NULL, NULL, N, NULL,
	  NULL },
	{ "router's MAC", router_mac_stolen, NULL, "duplicate-mac", E,
	  "behind port vm1", "router set r1 mac=" },
	{ "host's MAC", host_mac_elsewhere, NULL, "duplicate-mac", E,
	  "behind port uplink", "loop" },
	{ "stations jump", jumping, NULL, "duplicate-mac", W, "7 times",
	  "weft watch" },
	{ "one address twice", same_address, NULL, "duplicate-address", E,
	  "10.1.0.1", "addr del 10.1.0.1" },
	{ "address refused", everything_well, refused_address,
	  "duplicate-address", E, "another station's", "addr del" },
	{ "router's address claimed", conflict, NULL, "duplicate-address", E,
	  "02:00:00:00:00:66 claims", "another address" },
	{ "loop", looped, NULL, "loop", E, "leaves by port uplink",
	  "weft port del c1" },
	{ "table full", table_full, NULL, "mac-table", W, "95 of 100",
	  "mac_table_size=200" },
	{ "mac_limit", mac_limited, NULL, "mac-table", W, "mac_limit",
	  "mac_limit=" },
	{ "underlay nowhere", underlay_nowhere, NULL, "underlay", E,
	  "no device of this host has the address 192.0.2.1", "ip addr add" },
	{ "underlay down", underlay_down, NULL, "underlay", E, "und",
	  "ip link set und up" },
	{ "underlay's MTU", underlay_mtu, NULL, "underlay", E, "9000",
	  "mtu: 1500" },
	{ "no route to a host", no_route, NULL, "peer", E, "no route",
	  "ip route get 198.51.100.7" },
	{ "silent host", silent, NULL, "peer", E, "does not answer",
	  "UDP 4789" },
	{ "narrow path", narrow_path, NULL, "tunnel-mtu", E,
	  "packets of 1500 bytes", "mtu: 1400" },
	{ "black hole", healthy_peer, black_hole, "tunnel-mtu", E,
	  "the largest that passed had 1460", "mtu: 1460" },
	{ "clock behind", healthy_peer, clock_behind, "clock", W,
	  "90.5 s behind", "set-ntp" },
	{ "clock near enough", healthy_peer, clock_near, NULL, N, NULL, NULL },
	{ "other network number", other_number, NULL, "network-number", E,
	  "12 packets", "weft show networks" },
	{ "unknown host", stranger, NULL, "unknown-peer", W, "3 tunnel",
	  "peers:" },
	{ "4789 taken", port_taken, not_ourselves, "port-in-use", E,
	  "doctor_test", "port: " },
	{ "6081 taken", geneve_taken, not_ourselves, "port-in-use", N,
	  "doctor_test", "stop doctor_test" },
	{ "kernel's VXLAN", kernel_vxlan, NULL, "port-in-use", E, "vx9",
	  "ip link del vx9" },
	{ "FORWARD drop", forward_drop, NULL, "forward-policy", W, "FORWARD",
	  "iptables -I FORWARD -i br0" },
	{ "FORWARD drop, seen to", forward_drop_seen_to, NULL, "forward-policy",
	  N, "FORWARD", "iptables" },
	{ "FORWARD drop, of another", forward_drop_of_another, NULL,
	  "forward-policy", W, "FORWARD", "iptables" },
	{ "FORWARD drop, no matter", forward_drop_elsewhere, NULL, NULL, N,
	  NULL, NULL },
	{ "br_netfilter", bridge_filtered, NULL, "bridge-netfilter", W,
	  "br_netfilter", "bridge-nf-call-iptables=0" },
	{ "rp_filter", reverse_path, NULL, "rp-filter", W, "812",
	  "net.ipv4.conf.br0.rp_filter=2" },
	{ "rp_filter, loose", reverse_path_loose, NULL, NULL, N, NULL, NULL },
	{ "ip_forward", not_forwarding, NULL, "ip-forward", E, "10.1.0.254",
	  "net.ipv4.ip_forward=1" },
	{ "overlap", overlapping, NULL, "overlap", W, "10.1.0.77/16",
	  "another subnet" },
	{ "conntrack nearly full", conntrack_nearly, NULL, "conntrack", W,
	  "60000", "nf_conntrack_max=131072" },
	{ "conntrack full", conntrack_full, NULL, "conntrack", E, "65536",
	  "131072" },
	{ "conntrack half full", conntrack_half, NULL, NULL, N, NULL, NULL },
	{ "old kernel", old_kernel, NULL, "kernel", E, "4.19", "5.4" },
	{ "no /dev/net/tun", no_tun, NULL, "kernel", E, "/dev/net/tun",
	  "modprobe tun" },
	{ "no CAP_NET_RAW", one_veth, no_raw, "rights", W, "CAP_NET_RAW",
	  "root" },
	{ "no privilege, no devices", nothing, no_raw, "rights", N,
	  "CAP_NET_RAW", "root" },
	{ "no rights, no devices", nothing, no_rights, "rights", N,
	  "without privilege", "root" },
	{ "no rights, devices", one_veth, no_rights, "rights", W,
	  "CAP_NET_ADMIN", "root" },
	{ "no BPF", without_bpf, NULL, "kernel-cache", N, "CAP_BPF",
	  "kernel with BPF" },
};

#undef E
#undef W
#undef N

/* --- running it -------------------------------------------------------------- */

static void fresh_namespaces(void)
{
	struct nl *nl;

	(void)!netns_delete(IN_NETNS, NULL);
	(void)!netns_delete("wdr", NULL);
	must(!unshare(CLONE_NEWNET));
	must(!nl_open(&nl, NL_CURRENT_NS, NULL));
	must(!nl_link_set_up(nl, 1, true, NULL));
	nl_close(nl);
	must(!netns_create(IN_NETNS, NULL));
	do_it("sysctl -qw net.ipv6.conf.all.accept_dad=0");
}

static bool says(const struct doctor_finding *f, const struct row *r)
{
	return !strcmp(doctor_checks[f->check].id, r->check) &&
	       f->severity == r->severity && f->fix &&
	       strstr(f->evidence, r->evidence) && strstr(f->fix, r->fix);
}

static void tell(const struct doctor_report *r)
{
	for (unsigned i = 0; i < r->n; i++)
		print_message("  [%s] %s %s: %s -> %s\n",
			      doctor_checks[r->findings[i].check].id,
			      doctor_severity_name(r->findings[i].severity),
			      r->findings[i].object, r->findings[i].evidence,
			      r->findings[i].fix ? r->findings[i].fix : "");
}

/* What is wrong is said, and nothing of another kind is. */
static bool judged_right(const struct row *r, const struct doctor_report *rep)
{
	bool said = false, others = false;

	for (unsigned i = 0; i < rep->n; i++) {
		const struct doctor_finding *f = &rep->findings[i];

		if (r->check && says(f, r))
			said = true;
		else if (!r->check ||
			 strcmp(doctor_checks[f->check].id, r->check))
			others |= f->severity > DOCTOR_NOTE;
	}
	return r->check ? said : !others;
}

static bool play(const struct row *r)
{
	struct bed b = { .fd = -1 };
	struct doctor_report rep;
	bool right;

	fresh_namespaces();
	r->make(&b);
	facts_gather(&b.f, &b.s,
		     &(struct facts_world){ .root = b.root, .seed = 77 });
	if (r->alter)
		r->alter(&b.f);
	doctor_judge(&b.s, &b.f, &rep);
	right = judged_right(r, &rep);
	if (b.unable) {
		print_message("left out: %s\n", r->name);
		right = true;
	} else if (!right) {
		print_message("not as it should be: %s\n", r->name);
		tell(&rep);
	}
	doctor_report_fini(&rep);
	facts_fini(&b.f);
	subject_fini(&b.s);
	if (b.fd >= 0)
		close(b.fd);
	if (*b.root) {
		char *line = xasprintf("rm -r %s", b.root);

		do_it(line);
		free(line);
	}
	return right;
}

static void each_broken_set_up_is_named_with_its_fix(void **state UNUSED)
{
	unsigned wrong = 0, broken = 0;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		wrong += !play(&rows[i]);
		broken += rows[i].check != NULL;
	}
	assert_true(broken >= 30);
	assert_int_equal(wrong, 0);
}

static void each_check_has_a_row(void **state UNUSED)
{
	for (unsigned k = 0; k < doctor_n_checks; k++) {
		bool found = false;

		for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
			found |= rows[i].check &&
				 !strcmp(rows[i].check, doctor_checks[k].id);
		if (!found)
			fail_msg("no broken set-up for %s",
				 doctor_checks[k].id);
	}
}

/* A thousand ports without devices are not a thousand lines. */
static void many_of_a_kind_are_counted(void **state UNUSED)
{
	struct bed b = { .fd = -1 };
	struct doctor_report rep;

	for (unsigned i = 0; i < 1000; i++) {
		struct subject_port *p = add_port(&b, "p", SUBJECT_TAP, "");

		p->attached = false;
		p->missing = "its device does not exist";
	}
	b.f.far = xcalloc(1000, sizeof(*b.f.far));
	b.f.n_ports = 1000;
	b.f.dev_net_tun = true;
	memset(b.f.priv.has, true, sizeof(b.f.priv.has));
	doctor_judge(&b.s, &b.f, &rep);
	assert_int_equal(rep.n, DOCTOR_PER_CHECK);
	assert_int_equal(rep.left_out[0], 1000 - DOCTOR_PER_CHECK);
	assert_int_equal(doctor_report_count(&rep, DOCTOR_ERROR),
			 DOCTOR_PER_CHECK);
	doctor_report_fini(&rep);
	facts_fini(&b.f);
	subject_fini(&b.s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_check_has_a_row),
		cmocka_unit_test(many_of_a_kind_are_counted),
		cmocka_unit_test(each_broken_set_up_is_named_with_its_fix),
	};
	int failed;

	if (!sandbox_enter())
		return SANDBOX_SKIPPED;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	(void)!netns_delete(IN_NETNS, NULL);
	(void)!netns_delete("wdr", NULL);
	return failed;
}
