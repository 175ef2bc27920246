/* SPDX-License-Identifier: Apache-2.0 */
/* A bed for the doctor's tests: a host that can be broken.
 *
 * What      a subject, facts, files under a root of its own, devices in fresh
 *           namespaces, made by the words a person would type.
 * Why so    a row of the table is a few lines that say what is broken.
 * Threads   the test's only one. */
#ifndef DOCTOR_BED_TEST_H
#define DOCTOR_BED_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "doctor/doctor.h"
#include "sys/netns.h"
#include "sys/sandbox_test.h"

#define IN_NETNS "weft-doctor-far"

struct bed {
	struct subject s;
	struct facts f;
	char root[64]; /* "": the machine's own files */
	int fd;        /* what a row keeps open */
	bool unable;   /* the kernel refuses to be broken so */
};

static inline bool sh(const char *line)
{
	int status, pid = fork();

	if (!pid) {
		execlp("sh", "sh", "-c", line, NULL);
		_exit(127);
	}
	must(waitpid(pid, &status, 0) == pid);
	return WIFEXITED(status) && !WEXITSTATUS(status);
}

static inline void do_it(const char *line)
{
	if (!sh(line))
		fail_msg("%s", line);
}

/* From here on the bed's own files count. */
static inline void put_file(struct bed *b, const char *path, const char *text)
{
	char *line;

	if (!*b->root) {
		snprintf(b->root, sizeof(b->root), "/tmp/weft-doctor-XXXXXX");
		must(mkdtemp(b->root));
		put_file(b, "/proc/sys/kernel/osrelease", "6.8.0");
		put_file(b, "/dev/net/tun", "");
	}
	line = xasprintf("mkdir -p $(dirname %s%s) && cat > %s%s <<'END'\n"
			 "%s\nEND\n",
			 b->root, path, b->root, path, text);
	do_it(line);
	free(line);
}

static inline struct subject_port *add_port(struct bed *b, const char *name,
					    enum subject_kind kind,
					    const char *device)
{
	struct subject_port *p = SUBJECT_ADD(&b->s, ports);
	struct nl_link l;
	struct nl *nl;

	*p = (struct subject_port){ .name = name,
				    .type = "t",
				    .device = device,
				    .netns = "",
				    .far = "",
				    .network = "blue",
				    .bridge = "blue",
				    .kind = kind,
				    .attached = true,
				    .mtu = 1500,
				    .rx_packets = 1000,
				    .tx_packets = 1000 };
	must(!nl_open(&nl, NL_CURRENT_NS, NULL));
	if (*device && !nl_link_find(nl, device, &l, NULL))
		p->ifindex = l.ifindex;
	nl_close(nl);
	return p;
}

static inline struct subject_port *port_at(struct bed *b, unsigned i)
{
	return &b->s.ports[i];
}

/* A veth with a far end "f-NAME" in the other namespace, up. */
static inline void add_veth(struct bed *b, const char *name, const char *mac)
{
	char *line = xasprintf("ip link add n-%s mtu 1500 type veth peer name "
			       "f-%s mtu 1500 address %s && ip link set f-%s "
			       "netns " IN_NETNS " && ip link set n-%s up && "
			       "ip -n " IN_NETNS " link set f-%s up",
			       name, name, mac, name, name, name);
	char *near = xasprintf("n-%s", name), *far = xasprintf("f-%s", name);
	struct subject_port *p;

	do_it(line);
	p = add_port(b, subject_text(&b->s, name), SUBJECT_VETH,
		     subject_text(&b->s, near));
	p->netns = IN_NETNS;
	p->far = subject_text(&b->s, far);
	free(line);
	free(near);
	free(far);
}

static inline void add_nic(struct bed *b)
{
	do_it("ip link add eth7 type veth peer name cable && ip link set eth7 "
	      "up promisc on && ip link set cable up");
	add_port(b, "uplink", SUBJECT_NIC, "eth7");
}

static inline void add_host(struct bed *b)
{
	do_it("ip tuntap add br0 mode tap && ip link set br0 up && ip addr add "
	      "10.1.0.254/24 dev br0");
	add_port(b, "br0", SUBJECT_HOST, "br0");
}

static inline void add_overlay(struct bed *b, const char *peer)
{
	struct subject_peer *p = SUBJECT_ADD(&b->s, peers);

	do_it("ip link add und type veth peer name wire && ip addr add "
	      "192.0.2.1/24 dev und && ip link set und up && ip link set wire "
	      "up");
	must(!ip_addr_parse("192.0.2.1", &b->s.underlay));
	b->s.udp_port = 4789;
	b->s.underlay_mtu = 1500;
	p->name = "host-b";
	p->udp_port = 4789;
	must(!ip_addr_parse(peer, &p->address));
}

#endif
