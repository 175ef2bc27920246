/* SPDX-License-Identifier: Apache-2.0 */
/* What we write, others read: tshark and capinfos judge, and our own reader. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>
#include <pcap/pcap.h>

#include "packet/pcap_file.h"
#include "packet/pcapng.h"
#include "packet/test_frame.h"

#define T0 1700000000123456789ull
#define N_FRAMES 40u

static uint8_t frames[N_FRAMES][200];
static uint32_t frame_len[N_FRAMES];

static void make_frames(void)
{
	static uint8_t room[FRAME_MAX];

	for (unsigned i = 0; i < N_FRAMES; i++) {
		struct frame_spec s = { .proto = 17,
					.sport = (uint16_t)(1000 + i),
					.dport = 53,
					.payload = room + 40000,
					.payload_len = i };

		frame_len[i] = frame_build(&s, room).len;
		memcpy(frames[i], room, frame_len[i]);
	}
}

static void put_frame(struct str *out, unsigned i, uint32_t len,
		      const char *comment)
{
	struct pcapng_packet p = { .interface = i % 2,
				   .time_ns = T0 + i,
				   .bytes = frames[i],
				   .len = len,
				   .wire_len = frame_len[i],
				   .direction = i % 3,
				   .n_lost = i == 7 ? 3 : 0,
				   .comment = comment };

	pcapng_put_packet(out, &p);
}

static void write_all(struct str *out)
{
	struct pcapng_interface c1 = { .name = "c1",
				       .description = "port c1 (veth)",
				       .filter = "udp port 53",
				       .link_type = PCAPNG_LINK_ETHERNET,
				       .snap_len = PCAPNG_SNAP_MAX,
				       .mac = { { 2, 0, 0, 0, 0, 1 } } };
	struct pcapng_interface c2 = { .name = "a-longer-name",
				       .link_type = PCAPNG_LINK_ETHERNET };
	struct pcapng_counts counts = { .interface = 1,
					.time_ns = T0 + 100,
					.start_ns = T0,
					.end_ns = T0 + 100,
					.n_seen = 43,
					.n_lost = 3,
					.n_given = 40 };

	pcapng_put_section(out, "weft test");
	pcapng_put_interface(out, &c1);
	pcapng_put_interface(out, &c2);
	for (unsigned i = 0; i < N_FRAMES; i++)
		put_frame(out, i, frame_len[i],
			  i == 5 ? "to c2 by rule" : NULL);
	pcapng_put_counts(out, &counts);
}

/* --- our own reader --- */

static void what_is_written_is_read_back(void **state UNUSED)
{
	struct str s = STR_INIT;
	struct err e = ERR_INIT;
	struct pcap_file *f = xzalloc(sizeof(*f));
	struct pcap_frame p;

	write_all(&s);
	assert_int_equal(pcap_file_decode(f, s.s, s.len, &e), 0);
	for (unsigned i = 0; i < N_FRAMES; i++) {
		assert_int_equal(pcap_file_next(f, &p, &e), 1);
		assert_int_equal(p.len, frame_len[i]);
		assert_int_equal(p.wire_len, frame_len[i]);
		assert_memory_equal(p.bytes, frames[i], p.len);
		assert_int_equal(p.time_ns, T0 + i);
		assert_int_equal(p.interface, i % 2);
		assert_int_equal(p.link_type, PCAPNG_LINK_ETHERNET);
	}
	assert_int_equal(pcap_file_next(f, &p, &e), 0);
	free(f);
	str_fini(&s);
}

/* Of every prefix the packets before the cut are read, and nothing behind it. */
static void a_file_cut_short_is_read_up_to_the_cut(void **state UNUSED)
{
	struct str s = STR_INIT;
	struct pcap_file *f = xzalloc(sizeof(*f));
	struct pcap_frame p;
	unsigned last = 0;

	write_all(&s);
	for (size_t cut = 1; cut < s.len; cut++) {
		struct frame_guard g = frame_guard_make(s.s, cut);
		struct err e = ERR_INIT;
		unsigned n = 0;
		int rc = pcap_file_decode(f, g.at, cut, &e);

		while (!rc && (rc = pcap_file_next(f, &p, &e)) == 1) {
			rc = 0;
			n++;
		}
		assert_true(n >= last && n <= last + 1);
		last = n;
		assert_int_equal(err_is_set(&e), rc < 0);
		err_fini(&e);
		frame_guard_free(&g);
	}
	assert_int_equal(last, N_FRAMES);
	free(f);
	str_fini(&s);
}

static void what_libpcap_writes_is_read(void **state UNUSED)
{
	char path[] = "/tmp/weft-pcap-XXXXXX";
	static uint8_t room[65536];
	struct pcap_file *f = xzalloc(sizeof(*f));
	struct err e = ERR_INIT;
	struct pcap_frame p;
	pcap_dumper_t *d;
	pcap_t *pcap;
	FILE *in;
	size_t n;

	for (int nano = 0; nano < 2; nano++) {
		close(mkstemp(path));
		pcap = pcap_open_dead_with_tstamp_precision(
			DLT_EN10MB, 65535,
			nano ? PCAP_TSTAMP_PRECISION_NANO :
			       PCAP_TSTAMP_PRECISION_MICRO);
		d = pcap_dump_open(pcap, path);
		for (unsigned i = 0; i < N_FRAMES; i++) {
			struct pcap_pkthdr h = { .ts = { 1700000000, 5 },
						 .caplen = frame_len[i],
						 .len = 1500 };

			pcap_dump((unsigned char *)d, &h, frames[i]);
		}
		pcap_dump_close(d);
		pcap_close(pcap);
		in = fopen(path, "r");
		n = fread(room, 1, sizeof(room), in);
		fclose(in);
		unlink(path);
		assert_int_equal(pcap_file_decode(f, room, n, &e), 0);
		for (unsigned i = 0; i < N_FRAMES; i++) {
			assert_int_equal(pcap_file_next(f, &p, &e), 1);
			assert_memory_equal(p.bytes, frames[i], frame_len[i]);
			assert_int_equal(p.wire_len, 1500);
			assert_int_equal(p.time_ns, 1700000000000000000ull +
							    (nano ? 5 : 5000));
		}
		assert_int_equal(pcap_file_next(f, &p, &e), 0);
		memcpy(path, "/tmp/weft-pcap-XXXXXX", sizeof(path));
	}
	free(f);
}

static void
what_is_no_capture_file_is_refused_with_a_sentence(void **state UNUSED)
{
	static const char *const texts[] = { "", "abc",
					     "weft: 1\nports: {}\n" };
	struct pcap_file *f = xzalloc(sizeof(*f));

	for (unsigned i = 0; i < ARRAY_SIZE(texts); i++) {
		struct err e = ERR_INIT;

		assert_int_not_equal(
			pcap_file_decode(f, texts[i], strlen(texts[i]), &e), 0);
		assert_true(err_is_set(&e));
		err_fini(&e);
	}
	free(f);
}

/* --- tshark and capinfos --- */

/* The output of a command on the file we write. */
static char *judged(const char *command, const struct str *file)
{
	char path[] = "/tmp/weft-pcapng-XXXXXX", room[16384];
	int fd = mkstemp(path);
	char *cmd =
		xasprintf("%s %s >%s.said 2>/dev/null", command, path, path);
	char *said = xasprintf("%s.said", path);
	size_t n;
	FILE *f;

	assert_int_equal(write(fd, file->s, file->len), file->len);
	close(fd);
	assert_int_equal(system(cmd), 0);
	f = fopen(said, "r");
	assert_non_null(f);
	n = fread(room, 1, sizeof(room), f);
	fclose(f);
	unlink(path);
	unlink(said);
	free(cmd);
	free(said);
	return xstrndup(room, n);
}

static bool have(const char *program)
{
	char *cmd = xasprintf("command -v %s >/dev/null", program);
	bool yes = !system(cmd);

	free(cmd);
	if (!yes)
		fprintf(stderr, "%s is not installed\n", program);
	return yes;
}

static void
tshark_reads_bytes_names_directions_and_comments(void **state UNUSED)
{
	struct str s = STR_INIT;
	char *said, *line, *rest;
	unsigned i = 0;

	if (!have("tshark"))
		skip();
	write_all(&s);
	said = judged(
		"tshark -n -T fields -e frame.len -e frame.interface_name "
		"-e frame.packet_flags_direction -e udp.srcport "
		"-e frame.time_epoch -e frame.comment -r",
		&s);
	rest = said;
	while (rest && (line = strsep(&rest, "\n")) && *line) {
		char want[256];

		snprintf(want, sizeof(want),
			 "%u\t%s\t%s\t%u\t1700000000.%09u\t%s", frame_len[i],
			 i % 2 ? "a-longer-name" : "c1",
			 i % 3 == 0 ? "" :
			 i % 3 == 1 ? "0x00000001" :
				      "0x00000002",
			 1000 + i, 123456789 + i,
			 i == 5 ? "to c2 by rule" : "");
		assert_string_equal(line, want);
		i++;
	}
	assert_int_equal(i, N_FRAMES);
	free(said);
	str_fini(&s);
}

static void capinfos_finds_the_file_sound(void **state UNUSED)
{
	static const char *const wants[] = {
		"pcapng",
		"Number of packets:   40",
		"weft test",
		"Name = c1",
		"Description = port c1 (veth)",
		"Filter string = udp port 53",
		"Time resolution = 0x09",
		"Number of interfaces in file: 2",
	};
	struct str s = STR_INIT;
	char *said;

	if (!have("capinfos"))
		skip();
	write_all(&s);
	said = judged("capinfos", &s);
	for (unsigned i = 0; i < ARRAY_SIZE(wants); i++)
		if (!strstr(said, wants[i]))
			fail_msg("capinfos does not say \"%s\":\n%s", wants[i],
				 said);
	free(said);
	str_fini(&s);
}

static void a_packet_of_any_length_leaves_the_file_sound(void **state UNUSED)
{
	struct str s = STR_INIT;
	char *said;

	if (!have("tshark"))
		skip();
	pcapng_put_section(&s, "weft");
	for (unsigned i = 0; i < 2; i++)
		pcapng_put_interface(
			&s, &(struct pcapng_interface){ .link_type = 1 });
	for (unsigned i = 0; i < N_FRAMES; i++)
		put_frame(&s, i, i, "cut");
	said = judged("tshark -n -T fields -e frame.cap_len -r", &s);
	assert_non_null(strstr(said, "0\n1\n2\n3\n4\n5\n"));
	assert_non_null(strstr(said, "\n38\n39\n"));
	free(said);
	str_fini(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read_back),
		cmocka_unit_test(a_file_cut_short_is_read_up_to_the_cut),
		cmocka_unit_test(what_libpcap_writes_is_read),
		cmocka_unit_test(
			what_is_no_capture_file_is_refused_with_a_sentence),
		cmocka_unit_test(
			tshark_reads_bytes_names_directions_and_comments),
		cmocka_unit_test(capinfos_finds_the_file_sound),
		cmocka_unit_test(a_packet_of_any_length_leaves_the_file_sound),
	};

	make_frames();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
