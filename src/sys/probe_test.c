/* SPDX-License-Identifier: Apache-2.0 */
/* What doctors use: proc, ethtool, nf_chain, ping, frame_pass. */
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "sys/ethtool.h"
#include "sys/frame_pass.h"
#include "sys/netns.h"
#include "sys/nf_chain.h"
#include "sys/ping.h"
#include "sys/proc.h"
#include "sys/sandbox_test.h"
#include "sys/udp_socket.h"

/* --- files ---------------------------------------------------------------- */

static char root[] = "/tmp/weft-proc-XXXXXX";

static void put_file(const char *name, const char *text)
{
	char *path = xasprintf("%s/%s", root, name);
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	free(path);
}

static void numbers_and_settings_come_from_the_given_root(void **state UNUSED)
{
	char value[PROC_NAME_MAX];
	long n = 0;

	put_file("n", "42\n");
	put_file("text", "many\n");
	put_file("set", "[device]\nmanaged=true\nmanaged-type=full\n");
	assert_int_equal(proc_number(root, "/n", &n), 0);
	assert_int_equal(n, 42);
	assert_int_equal(proc_number(root, "/text", &n), -EINVAL);
	assert_int_equal(proc_number(root, "/none", &n), -ENOENT);
	assert_int_equal(n, 42);
	assert_true(proc_exists(root, "/set"));
	assert_false(proc_exists(root, "/none"));
	assert_true(proc_setting(root, "/set", "managed", value));
	assert_string_equal(value, "true");
	assert_false(proc_setting(root, "/set", "manage", value));
}

static void counters_are_found_by_group_and_name(void **state UNUSED)
{
	put_file("snmp", "Tcp: A InCsumErrors B\nTcp: 1 22 3\n"
			 "TcpExt: InCsumErrors\nTcpExt: 9\n"
			 "Udp: InCsumErrors\nUdp:\n");
	assert_int_equal(proc_counter(root, "/snmp", "Tcp", "InCsumErrors"),
			 22);
	assert_int_equal(proc_counter(root, "/snmp", "TcpExt", "InCsumErrors"),
			 9);
	assert_int_equal(proc_counter(root, "/snmp", "Udp", "InCsumErrors"), 0);
	assert_int_equal(proc_counter(root, "/snmp", "Ip", "X"), 0);
	assert_int_equal(proc_counter(root, "/none", "Ip", "X"), 0);
}

static void the_holder_of_a_port_is_named(void **state UNUSED)
{
	struct udp_socket_spec s = {
		.netns_fd = NL_CURRENT_NS,
		.local = ip_addr_from_ip4(0x7f000001),
	};
	struct proc_holder h;
	uint16_t port = 0;
	int fd = udp_socket_open(&s, NULL);

	assert_true(fd >= 0);
	assert_int_equal(udp_socket_local_port(fd, &port), 0);
	assert_true(proc_port_holder("", "udp", port, &h));
	assert_int_equal(h.pid, getpid());
	assert_string_equal(h.name, "probe_test");
	assert_false(proc_port_holder("", "tcp", port, &h));
	close(fd);
	assert_false(proc_port_holder("", "udp", port, &h));
}

/* --- devices and tables --------------------------------------------------- */

static uint32_t make_pair(struct nl *nl, uint32_t *peer)
{
	struct nl_link_change a = { .set = NL_LINK_NAME | NL_LINK_UP,
				    .up = true,
				    .name = "da" };
	struct nl_link_change b = { .set = NL_LINK_NAME | NL_LINK_UP,
				    .up = true,
				    .name = "db" };
	struct nl_link l;

	assert_int_equal(nl_link_add_veth(nl, &a, &b, NULL), 0);
	assert_int_equal(nl_link_find(nl, "db", &l, NULL), 0);
	*peer = l.ifindex;
	assert_int_equal(nl_link_find(nl, "da", &l, NULL), 0);
	return l.ifindex;
}

static void a_frame_passes_a_veth_whole(void **state UNUSED)
{
	struct frame_pass_end out = { NL_CURRENT_NS, 0 };
	struct frame_pass_end in = { NL_CURRENT_NS, 0 };
	enum frame_pass_result r = FRAME_PASS_LOST;
	struct ethtool_info info;
	struct nl *nl;

	assert_int_equal(nl_open(&nl, NL_CURRENT_NS, NULL), 0);
	out.ifindex = make_pair(nl, &in.ifindex);
	assert_int_equal(frame_pass_try(&out, &in, 7, 1000, &r), 0);
	assert_int_equal(r, FRAME_PASS_WHOLE);
	/* the wrong way to look: what comes in at itself */
	assert_int_equal(frame_pass_try(&out, &out, 8, 50, &r), 0);
	assert_int_equal(r, FRAME_PASS_LOST);
	assert_int_equal(ethtool_read("da", &info), 0);
	assert_string_equal(info.driver, "veth");
	assert_true(info.tx_csum);
	assert_false(info.lro);
	assert_int_equal(ethtool_read("none", &info), -ENODEV);
	assert_int_equal(nl_link_del(nl, out.ifindex, NULL), 0);
	nl_close(nl);
}

static bool nft(const char *words)
{
	int status, pid = fork();

	if (!pid) {
		execlp("nft", "nft", words, NULL);
		_exit(127);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) && !WEXITSTATUS(status);
}

static void only_forward_chains_that_drop_are_found(void **state UNUSED)
{
	struct nf_chain c[NF_CHAINS_MAX];

	if (!nft("add table ip t; add chain ip t FORWARD { type filter hook "
		 "forward priority 0; policy drop; }; add chain ip t in { "
		 "type filter hook input priority 0; policy drop; }; add "
		 "chain ip t ok { type filter hook forward priority 1; policy "
		 "accept; }"))
		skip();
	assert_int_equal(nf_chain_forward_drops(c, NF_CHAINS_MAX), 1);
	assert_string_equal(c[0].family, "ip");
	assert_string_equal(c[0].table, "t");
	assert_string_equal(c[0].chain, "FORWARD");
	assert_false(c[0].legacy);
	assert_int_equal(nf_chain_forward_drops(c, 0), 0);
	assert_true(nft("delete table ip t"));
	assert_int_equal(nf_chain_forward_drops(c, NF_CHAINS_MAX), 0);
}

/* --- pings ---------------------------------------------------------------- */

static void the_loopback_answers_pings_and_knows_the_time(void **state UNUSED)
{
	struct ip_addr lo = ip_addr_from_ip4(0x7f000001), any = { 0 };
	struct ping_answer a;
	struct ping p;

	assert_int_equal(ping_open(&p, AF_INET, 0x1234, &any, NULL), 0);
	assert_int_equal(ping_echo(&p, &lo, 1500, 1), 0);
	assert_true(ping_wait(&p, 1000, &a));
	assert_int_equal(a.kind, PING_ECHO);
	assert_int_equal(a.seq, 1);
	assert_true(ip_addr_equal(&a.from, &lo));
	assert_int_equal(ping_time(&p, &lo, 2), 0);
	assert_true(ping_wait(&p, 1000, &a));
	assert_int_equal(a.kind, PING_TIME);
	assert_true(a.time_ms < 86400000);
	assert_false(ping_wait(&p, 20, &a));
	/* more than the device takes is not cut into pieces */
	assert_int_equal(ping_echo(&p, &lo, 65535, 3), 0);
	assert_int_equal(ping_echo(&p, &lo, 20, 3), -EINVAL);
	ping_close(&p);
}

static void ipv6_loopback_answers_pings(void **state UNUSED)
{
	struct ip_addr lo, any = { 0 };
	struct ping_answer a;
	struct ping p;

	assert_int_equal(ip_addr_parse("::1", &lo), 0);
	assert_int_equal(ping_open(&p, AF_INET6, 0x1234, &any, NULL), 0);
	assert_int_equal(ping_echo(&p, &lo, 1500, 9), 0);
	assert_true(ping_wait(&p, 1000, &a));
	assert_int_equal(a.kind, PING_ECHO);
	assert_int_equal(a.seq, 9);
	assert_int_equal(ping_time(&p, &lo, 2), -EAFNOSUPPORT);
	ping_close(&p);
}

/* An error of a router: only what quotes our own question counts. */
static void too_big_tells_the_next_hop_and_whose_it_is(void **state UNUSED)
{
	uint8_t m[20 + 8 + 20 + 8] = { 0x45 };
	struct ping p = { .family = AF_INET, .id = 0x1234 };
	struct ping_answer a;

	m[20] = 3; /* unreachable ... */
	m[21] = 4; /* ... without fragmenting */
	m[26] = 1450 >> 8;
	m[27] = 1450 & 255;
	m[28] = 0x45;
	m[48] = 8; /* our echo */
	m[52] = 0x12;
	m[53] = 0x34;
	m[55] = 5;
	assert_true(ping_decode(&p, m, sizeof(m), &a));
	assert_int_equal(a.kind, PING_TOO_BIG);
	assert_int_equal(a.mtu, 1450);
	assert_int_equal(a.seq, 5);
	m[53] = 0x35;
	assert_false(ping_decode(&p, m, sizeof(m), &a));
	m[53] = 0x34;
	for (size_t n = 0; n < sizeof(m); n++)
		assert_false(ping_decode(&p, m, n, &a));
	m[21] = 1;
	assert_true(ping_decode(&p, m, sizeof(m), &a));
	assert_int_equal(a.kind, PING_UNREACHABLE);
	assert_int_equal(a.code, 1);
}

int main(void)
{
	const struct CMUnitTest files[] = {
		cmocka_unit_test(numbers_and_settings_come_from_the_given_root),
		cmocka_unit_test(counters_are_found_by_group_and_name),
		cmocka_unit_test(too_big_tells_the_next_hop_and_whose_it_is),
	};
	const struct CMUnitTest net[] = {
		cmocka_unit_test(the_holder_of_a_port_is_named),
		cmocka_unit_test(a_frame_passes_a_veth_whole),
		cmocka_unit_test(only_forward_chains_that_drop_are_found),
		cmocka_unit_test(the_loopback_answers_pings_and_knows_the_time),
		cmocka_unit_test(ipv6_loopback_answers_pings),
	};
	int failed;

	must(mkdtemp(root));
	failed = cmocka_run_group_tests_name("files", files, NULL, NULL);
	if (sandbox_enter())
		failed += cmocka_run_group_tests_name("net", net, NULL, NULL);
	for (const char *const *f =
		     (const char *const[]){ "n", "text", "set", "snmp", NULL };
	     *f; f++) {
		char *path = xasprintf("%s/%s", root, *f);

		unlink(path);
		free(path);
	}
	rmdir(root);
	return failed;
}
