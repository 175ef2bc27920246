/* SPDX-License-Identifier: Apache-2.0 */
/* Somebody else's reading: tshark judges what segmentation, coalescing and
 * encapsulation make. It is told to check every checksum and to print only what it
 * finds wrong. Skipped, saying so, where tshark is not installed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>
#include <pcap/pcap.h>

#include "packet/checksum.h"
#include "packet/outer.h"
#include "packet/segment.h"
#include "packet/test_frame.h"

#define SNAP 70000

static struct packet_pool *pool;
static uint8_t payload[FRAME_MAX];

struct capture {
	char path[64], found[80];
	pcap_t *pcap;
	pcap_dumper_t *dumper;
	unsigned n;
};

static void capture_open(struct capture *c)
{
	*c = (struct capture){ .path = "/tmp/weft-tshark-XXXXXX" };
	close(mkstemp(c->path));
	snprintf(c->found, sizeof(c->found), "%s.found", c->path);
	c->pcap = pcap_open_dead(DLT_EN10MB, SNAP);
	c->dumper = pcap_dump_open(c->pcap, c->path);
	assert_non_null(c->dumper);
}

static void capture_add(void *ctx, struct packet *p)
{
	struct capture *c = ctx;
	struct pcap_pkthdr h = { .caplen = p->len, .len = p->len };

	pcap_dump((unsigned char *)c->dumper, &h, p->data);
	c->n++;
	packet_free(p);
}

/* Runs tshark with this filter; how many packets it names. */
static unsigned capture_count(const struct capture *c, const char *filter)
{
	char command[1024], line[256];
	unsigned n = 0;
	FILE *f;

	snprintf(command, sizeof(command),
		 "tshark -n -r %s -o ip.check_checksum:TRUE"
		 " -o tcp.check_checksum:TRUE -o udp.check_checksum:TRUE"
		 " -o tcp.analyze_sequence_numbers:FALSE"
		 " -T fields -e frame.number -Y '%s' >%s 2>/dev/null",
		 c->path, filter, c->found);
	assert_int_equal(system(command), 0);
	f = fopen(c->found, "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		n++;
	fclose(f);
	return n;
}

static void capture_close(struct capture *c)
{
	pcap_dump_close(c->dumper);
	pcap_close(c->pcap);
}

static void capture_remove(const struct capture *c)
{
	unlink(c->path);
	unlink(c->found);
}

/* All are what is expected, and none is wrong. */
static void capture_judge(struct capture *c, const char *expected)
{
	unsigned right, wrong;

	capture_close(c);
	right = capture_count(c, expected);
	wrong = capture_count(c, "_ws.malformed || ip.checksum.status == 0 || "
				 "tcp.checksum.status == 0 || "
				 "udp.checksum.status == 0 || "
				 "ip.bogus_ip_length || udp.length.bad");
	capture_remove(c);
	assert_int_equal(right, c->n);
	assert_int_equal(wrong, 0);
}

static void need_tshark(void)
{
	if (system("tshark --version >/dev/null 2>&1")) {
		print_message("tshark is not installed\n");
		skip();
	}
}

static struct frame_spec spec_of(unsigned i)
{
	return (struct frame_spec){
		.n_tags = i & 1,
		.tci = { 5 },
		.ip6 = i >> 1 & 1,
		.proto = i >> 2 & 1 ? 17 : 6,
		.sport = 40001,
		.dport = 40002,
		.timestamps = 1,
		.payload = payload,
		.payload_len = 4000,
	};
}

static void segments_are_right(void **state)
{
	struct capture c;

	(void)state;
	need_tshark();
	capture_open(&c);
	for (unsigned i = 0; i < 8; i++) {
		struct frame_spec s = spec_of(i);
		struct packet *p = packet_alloc(pool);

		frame_gso(&s, 1000, p);
		assert_true(packet_segment(p, pool, capture_add, &c));
		packet_csum_finish(p);
		packet_free(p);
	}
	capture_judge(&c, "tcp.checksum.status == 1 || "
			  "udp.checksum.status == 1");
}

static void wrap(struct packet *p, enum outer_kind kind, bool ip6, bool csum)
{
	static const struct eth_addr mac = { { 2 } };
	struct packet_tunnel t = { .id = 5, .flags = TUNNEL_F_KEY };
	uint8_t h[OUTER_MAX];
	uint32_t n;

	if (csum)
		t.flags |= TUNNEL_F_CSUM;
	if (kind == OUTER_GENEVE)
		t.options_len = 4;
	if (ip6) {
		t.src = ip_addr_from_ip6((struct ip6_addr){ { 0xfd, 1 } });
		t.dst = ip_addr_from_ip6((struct ip6_addr){ { 0xfd, 2 } });
	} else {
		t.src = ip_addr_from_ip4(0xc0000201);
		t.dst = ip_addr_from_ip4(0xc0000202);
	}
	n = outer_build(kind, (struct eth_addr[]){ mac, mac }, &t, h,
			sizeof(h));
	assert_int_equal(packet_push_outer(p, kind, h, n), 0);
}

static void tunnels_are_right(void **state)
{
	static const char *const want[] = {
		"vxlan.vni == 5 && (tcp || udp.dstport == 40002)",
		"geneve.vni == 5 && (tcp || udp.dstport == 40002)",
		"gre.key == 5 && (tcp || udp.dstport == 40002)",
	};

	(void)state;
	need_tshark();
	for (enum outer_kind kind = 0; kind < N_OUTER_KINDS; kind++) {
		struct capture c;

		capture_open(&c);
		for (unsigned i = 0; i < 32; i++) {
			struct frame_spec s = spec_of(i);
			struct packet *p = packet_alloc(pool);

			frame_gso(&s, 1000, p);
			wrap(p, kind, i >> 3 & 1, i >> 4);
			assert_true(packet_segment(p, pool, capture_add, &c));
			packet_free(p);
		}
		capture_judge(&c, want[kind]);
	}
}

static void finished_frames_are_right(void **state)
{
	struct capture c;

	(void)state;
	need_tshark();
	capture_open(&c);
	for (unsigned i = 0; i < 8; i++) {
		struct frame_spec s = spec_of(i);
		struct packet *p = packet_alloc(pool);

		s.partial = true;
		s.payload_len = 1000 + i;
		frame_packet(&s, p);
		packet_csum_finish(p);
		capture_add(&c, p);
	}
	capture_judge(&c, "tcp.checksum.status == 1 || "
			  "udp.checksum.status == 1");
}

/* The judge sees a fault when there is one. */
static void wrong_checksums_are_found(void **state)
{
	struct frame_spec s = spec_of(0);
	struct packet *p;
	struct capture c;
	unsigned n;

	(void)state;
	need_tshark();
	p = packet_alloc(pool);
	capture_open(&c);
	s.payload_len = 100;
	frame_packet(&s, p);
	p->data[p->len - 1] ^= 1;
	capture_add(&c, p);
	capture_close(&c);
	n = capture_count(&c, "tcp.checksum.status == 0");
	capture_remove(&c);
	assert_int_equal(n, 1);
}

static int setup(void **state)
{
	(void)state;
	pool = packet_pool_create(4);
	frame_pattern(payload, sizeof(payload), 60);
	return !pool;
}

static int teardown(void **state)
{
	(void)state;
	packet_pool_destroy(pool);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(segments_are_right),
		cmocka_unit_test(tunnels_are_right),
		cmocka_unit_test(finished_frames_are_right),
		cmocka_unit_test(wrong_checksums_are_found),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
