/* SPDX-License-Identifier: Apache-2.0 */
/* Filters, held against libpcap: it compiles, and its own machine is the oracle.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>
#include <errno.h>
#include <pcap/pcap.h>

#include "packet/filter.h"
#include "packet/test_frame.h"

#define N_PACKETS 400u
#define N_PROGRAMS 200000u

static const char *const expressions[] = {
	"tcp",
	"udp port 53",
	"ip6",
	"arp or icmp or icmp6",
	"host 10.0.0.1 and not port 22",
	"tcp[tcpflags] & (tcp-syn|tcp-fin) != 0",
	"vlan 10 and ip",
	"ether host 02:00:00:00:00:01",
	"greater 100 and less 1000",
	"ip[2:2] - ((ip[0] & 0xf) << 2) > 500",
	"ether broadcast or multicast",
	"len % 3 = 1",
	"ip6 and tcp dst portrange 1-1024",
	"net 10.0.0.0/8 and tcp src port 80",
};

static uint8_t bytes[FRAME_MAX];

static uint32_t random_frame(uint64_t *seed)
{
	static uint8_t payload[1500];
	struct frame_spec s = {
		.n_tags = frame_random(seed, 3),
		.tpid = { 0x8100, 0x8100 },
		.tci = { 10, 20 },
		.ip6 = frame_random(seed, 2),
		.host = (uint8_t)frame_random(seed, 4),
		.proto = frame_random(seed, 2) ? 6 : 17,
		.sport = frame_random(seed, 2) ? 80 : 53,
		.dport = frame_random(seed, 2) ? 22 : 5000,
		.flags = (uint8_t)frame_random(seed, 64),
		.ip4_options = (uint8_t)frame_random(seed, 4),
		.payload = payload,
		.payload_len = frame_random(seed, sizeof(payload)),
	};
	uint32_t len = frame_build(&s, bytes).len;

	if (!frame_random(seed, 4)) /* cut short, and spoilt */
		len = frame_random(seed, len);
	for (uint32_t i = frame_random(seed, 3); i && len; i--)
		bytes[frame_random(seed, len)] = (uint8_t)*seed;
	return len;
}

/* The same program, ours and theirs: the structures agree member by member. */
static struct filter ours(const struct bpf_program *p)
{
	static struct filter_op ops[FILTER_MAX];

	for (unsigned i = 0; i < p->bf_len; i++)
		ops[i] = (struct filter_op){ p->bf_insns[i].code,
					     p->bf_insns[i].jt,
					     p->bf_insns[i].jf,
					     p->bf_insns[i].k };
	return (struct filter){ p->bf_len, ops };
}

static void compare(const struct bpf_program *p, uint64_t *seed, unsigned n)
{
	struct filter f = ours(p);

	for (unsigned i = 0; i < n; i++) {
		uint32_t len = random_frame(seed);
		struct frame_guard g = frame_guard_make(bytes, len);
		bool want = bpf_filter(p->bf_insns, g.at, len, len);

		assert_int_equal(filter_pass(&f, g.at, len), want);
		frame_guard_free(&g);
	}
}

static void a_filter_passes_what_libpcap_passes(void **state UNUSED)
{
	pcap_t *pcap = pcap_open_dead(DLT_EN10MB, 262144);
	uint64_t seed = 1;

	for (unsigned i = 0; i < ARRAY_SIZE(expressions); i++) {
		struct err e = ERR_INIT;
		struct bpf_program p;
		struct filter f;

		assert_int_equal(pcap_compile(pcap, &p, expressions[i], 1,
					      PCAP_NETMASK_UNKNOWN),
				 0);
		f = ours(&p);
		assert_int_equal(filter_check(&f, &e), 0);
		compare(&p, &seed, N_PACKETS);
		pcap_freecode(&p);
	}
	pcap_close(pcap);
}

static struct bpf_insn random_op(uint64_t *seed)
{
	static const uint16_t codes[] = {
		0x20, 0x28, 0x30, 0x40, 0x48, 0x50, 0x60, 0x80, 0x00, 0x01,
		0x61, 0x81, 0xb1, 0x02, 0x03, 0x04, 0x14, 0x24, 0x34, 0x44,
		0x54, 0x64, 0x74, 0x84, 0x94, 0xa4, 0x0c, 0x1c, 0x2c, 0x3c,
		0x5c, 0x6c, 0x7c, 0x9c, 0x05, 0x15, 0x25, 0x35, 0x45, 0x1d,
		0x2d, 0x3d, 0x4d, 0x06, 0x16, 0x07, 0x87, 0xff, 0x18, 0x99,
	};

	return (struct bpf_insn){
		.code = codes[frame_random(seed, ARRAY_SIZE(codes))],
		.jt = (uint8_t)frame_random(seed, 6),
		.jf = (uint8_t)frame_random(seed, 6),
		.k = frame_random(seed, frame_random(seed, 2) ? 20 : 1500),
	};
}

/* What we run, libpcap would run too, and with the same answer. */
static void
any_program_that_is_accepted_agrees_with_libpcap(void **state UNUSED)
{
	uint64_t seed = 7;
	unsigned ran = 0;

	for (unsigned n = 0; n < N_PROGRAMS; n++) {
		struct bpf_insn insns[FILTER_MEMORY + 12];
		struct bpf_program p = {
			FILTER_MEMORY + 1 + frame_random(&seed, 12), insns
		};
		struct err e = ERR_INIT;
		struct filter f;

		/* libpcap's memory holds anything at the start */
		for (unsigned i = 0; i < p.bf_len; i++)
			insns[i] = i < FILTER_MEMORY ?
					   (struct bpf_insn){ 2, 0, 0, i } :
					   random_op(&seed);
		insns[p.bf_len - 1].code = frame_random(&seed, 2) ? 6 : 0x16;
		f = ours(&p);
		if (filter_check(&f, &e)) {
			err_fini(&e);
			continue;
		}
		assert_true(bpf_validate(insns, (int)p.bf_len));
		compare(&p, &seed, 2);
		ran++;
	}
	assert_true(ran > N_PROGRAMS / 100);
}

static void a_program_that_could_run_astray_is_refused(void **state UNUSED)
{
	static const struct filter_op bad[][2] = {
		{ { 0x05, 0, 0, 1 }, { 0x06, 0, 0, 1 } },  /* jumps behind it */
		{ { 0x15, 0, 9, 1 }, { 0x06, 0, 0, 1 } },  /* the same */
		{ { 0x02, 0, 0, 16 }, { 0x06, 0, 0, 1 } }, /* memory's end */
		{ { 0x34, 0, 0, 0 }, { 0x06, 0, 0, 1 } },  /* divides by 0 */
		{ { 0x00, 0, 0, 0 }, { 0x00, 0, 0, 0 } },  /* never answers */
		{ { 0xffff, 0, 0, 0 }, { 0x06, 0, 0, 1 } },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		struct filter f = { 2, bad[i] };
		struct err e = ERR_INIT;

		assert_int_equal(filter_check(&f, &e), -EINVAL);
		assert_true(err_is_set(&e));
		err_fini(&e);
	}
}

static void a_filter_as_text_is_read_or_refused(void **state UNUSED)
{
	static struct filter_op ops[FILTER_MAX];
	struct err e = ERR_INIT;

	assert_int_equal(filter_parse("", ops, &e), 0);
	assert_int_equal(
		filter_parse("0015010200000800000600000000ffff", ops, &e), 2);
	assert_int_equal(ops[0].code, 0x15);
	assert_int_equal(ops[0].jt, 1);
	assert_int_equal(ops[0].jf, 2);
	assert_int_equal(ops[0].k, 0x800);
	assert_int_equal(ops[1].k, 0xffff);
	assert_int_equal(filter_parse("0015", ops, &e), -EINVAL);
	err_fini(&e);
	e = (struct err)ERR_INIT;
	assert_int_equal(filter_parse("00150102000008zz", ops, &e), -EINVAL);
	err_fini(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_filter_passes_what_libpcap_passes),
		cmocka_unit_test(
			any_program_that_is_accepted_agrees_with_libpcap),
		cmocka_unit_test(a_program_that_could_run_astray_is_refused),
		cmocka_unit_test(a_filter_as_text_is_read_or_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
