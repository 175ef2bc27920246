/* SPDX-License-Identifier: Apache-2.0 */
#include "packet/test_frame.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>

#include <cmocka.h>

#define PAGE 4096u
#define TCP 6
#define UDP 17
#define SCTP 132
#define ICMP6 58

struct writer {
	uint8_t *out;
	uint32_t n;
};

static void w8(struct writer *w, uint32_t v)
{
	w->out[w->n++] = (uint8_t)v;
}

static void w16(struct writer *w, uint32_t v)
{
	w8(w, v >> 8);
	w8(w, v);
}

static void w32(struct writer *w, uint32_t v)
{
	w16(w, v >> 16);
	w16(w, v);
}

static void wbytes(struct writer *w, const void *p, uint32_t n)
{
	if (n)
		memcpy(w->out + w->n, p, n);
	w->n += n;
}

static void store16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

uint16_t frame_sum(const uint8_t *p, size_t len, uint32_t sum)
{
	for (size_t i = 0; i < len; i++) {
		sum += i & 1 ? p[i] : (uint32_t)p[i] << 8;
		if (sum >> 16)
			sum = (sum & 0xffff) + (sum >> 16);
	}
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

void frame_pattern(uint8_t *p, size_t len, uint32_t seed)
{
	uint64_t s = seed;

	for (size_t i = 0; i < len; i++)
		p[i] = (uint8_t)frame_random(&s, 256);
}

uint32_t frame_random(uint64_t *state, uint32_t below)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return (uint32_t)((z ^ z >> 31) % below);
}

static uint8_t proto_of(const struct frame_spec *s)
{
	return s->proto ? s->proto : TCP;
}

static uint32_t l4_header_len(const struct frame_spec *s)
{
	switch (proto_of(s)) {
	case TCP:
		return s->timestamps ? 32 : 20;
	case UDP:
		return 8;
	case SCTP:
		return 12;
	case ICMP6:
		return 4;
	default:
		return 0;
	}
}

static void write_ethernet(struct writer *w, const struct frame_spec *s)
{
	static const uint8_t addresses[12] = { 2, 0, 0, 0, 0, 1,
					       2, 0, 0, 0, 0, 2 };

	wbytes(w, addresses, 12);
	for (unsigned i = 0; i < s->n_tags; i++) {
		w16(w, s->tpid[i] ? s->tpid[i] : 0x8100);
		w16(w, s->tci[i]);
	}
	w16(w, s->eth_type ? s->eth_type : s->ip6 ? 0x86dd : 0x0800);
}

static void write_ip4(struct writer *w, const struct frame_spec *s,
		      uint32_t payload)
{
	uint8_t *ip = w->out + w->n;
	uint32_t header = 20u + s->ip4_options * 4u;

	w8(w, 0x40 | header / 4);
	w8(w, s->tos);
	w16(w, header + payload);
	w16(w, s->id);
	w16(w, s->df ? 0x4000 : 0);
	w8(w, s->ttl ? s->ttl : 64);
	w8(w, proto_of(s));
	w16(w, 0);
	w32(w, 0xc0000200u + s->host); /* 192.0.2.0 */
	w32(w, 0xc6336402u);           /* 198.51.100.2 */
	for (unsigned i = 0; i < s->ip4_options * 4u; i++)
		w8(w, 1);
	store16(ip + 10, (uint16_t)~frame_sum(ip, header, 0));
}

static void write_ip6(struct writer *w, const struct frame_spec *s,
		      uint32_t payload)
{
	static const uint8_t net[15] = { 0x20, 1, 0xd, 0xb8, 0, 1 };

	w32(w, 0x60000000u | (uint32_t)s->tos << 20);
	w16(w, payload + (s->dst_options ? 8 : 0));
	w8(w, s->dst_options ? 60 : proto_of(s));
	w8(w, s->ttl ? s->ttl : 64);
	wbytes(w, net, 15);
	w8(w, s->host);
	wbytes(w, net, 15);
	w8(w, 0xfe);
	if (!s->dst_options)
		return;
	w8(w, proto_of(s));
	w8(w, 0);
	w16(w, 0x0104); /* padding of four bytes */
	w32(w, 0);
}

static void write_tcp(struct writer *w, const struct frame_spec *s)
{
	w16(w, s->sport);
	w16(w, s->dport);
	w32(w, s->seq);
	w32(w, s->ack);
	w8(w, (s->timestamps ? 8u : 5u) << 4);
	w8(w, s->flags ? s->flags : 0x10);
	w16(w, s->window);
	w32(w, 0);
	if (!s->timestamps)
		return;
	w32(w, 0x0101080a);
	w32(w, s->timestamps);
	w32(w, 7);
}

static void write_l4(struct writer *w, const struct frame_spec *s)
{
	switch (proto_of(s)) {
	case TCP:
		write_tcp(w, s);
		break;
	case UDP:
		w16(w, s->sport);
		w16(w, s->dport);
		w16(w, s->udp_len ? s->udp_len : 8 + s->payload_len);
		w16(w, 0);
		break;
	case SCTP:
		w16(w, s->sport);
		w16(w, s->dport);
		w32(w, s->seq);
		w32(w, 0);
		break;
	case ICMP6:
		w32(w, 0x80000000u);
		break;
	}
}

/* Offset of the checksum in the transport header; 0: none, or not this kind. */
static uint32_t csum_at(const struct frame_spec *s)
{
	switch (proto_of(s)) {
	case TCP:
		return 16;
	case UDP:
		return s->no_csum ? 0 : 6;
	case ICMP6:
		return 2;
	default:
		return 0;
	}
}

static uint32_t slow_crc32c(const uint8_t *p, uint32_t len)
{
	uint32_t c = 0xffffffffu;

	for (uint32_t i = 0; i < len; i++) {
		c ^= p[i];
		for (unsigned bit = 0; bit < 8; bit++)
			c = c & 1 ? c >> 1 ^ 0x82f63b78u : c >> 1;
	}
	return ~c;
}

static void write_csum(const struct frame_spec *s, uint8_t *out,
		       struct frame_layout *f)
{
	uint32_t len = f->len - f->l4, at = csum_at(s);
	const uint8_t *ip = out + f->l3;
	uint16_t sum;

	if (proto_of(s) == SCTP) {
		uint32_t crc = slow_crc32c(out + f->l4, len);

		f->csum = f->l4 + 8;
		if (!s->partial)
			memcpy(out + f->csum, &crc, 4);
		return;
	}
	if (!at)
		return;
	f->csum = f->l4 + at;
	sum = s->ip6 ? frame_sum(ip + 8, 32, proto_of(s) + len) :
		       frame_sum(ip + 12, 8, proto_of(s) + len);
	if (!s->partial) {
		sum = (uint16_t)~frame_sum(out + f->l4, len, sum);
		if (!sum && proto_of(s) == UDP)
			sum = 0xffff;
	}
	store16(out + f->csum, sum);
}

struct frame_layout frame_build(const struct frame_spec *s, uint8_t *out)
{
	uint32_t l4_len = l4_header_len(s) + s->payload_len;
	struct writer w = { out, 0 };
	struct frame_layout f = { 0 };

	if (!s->layer3)
		write_ethernet(&w, s);
	f.l3 = w.n;
	if (!s->eth_type && s->ip6)
		write_ip6(&w, s, l4_len);
	else if (!s->eth_type)
		write_ip4(&w, s, l4_len);
	f.l4 = w.n;
	if (!s->eth_type)
		write_l4(&w, s);
	f.payload = w.n;
	wbytes(&w, s->payload, s->payload_len);
	f.len = w.n;
	if (!s->eth_type)
		write_csum(s, out, &f);
	return f;
}

struct frame_layout frame_packet(const struct frame_spec *s, struct packet *p)
{
	static uint8_t bytes[FRAME_MAX];
	struct frame_layout f = frame_build(s, bytes);

	packet_fill(p, bytes, f.len);
	if (s->layer3)
		p->packet_type = s->ip6 ? PACKET_TYPE_IP6 : PACKET_TYPE_IP4;
	p->l3 = (uint16_t)f.l3;
	p->l4 = (uint16_t)f.l4;
	if (s->partial) {
		p->flags |= PACKET_CSUM_PARTIAL;
		p->csum_start = (uint16_t)f.l4;
		p->csum_offset = (uint16_t)(f.csum - f.l4);
	}
	return f;
}

struct frame_layout frame_gso(const struct frame_spec *s, uint16_t gso_size,
			      struct packet *p)
{
	struct frame_spec partial = *s;
	struct frame_layout f;

	partial.partial = true;
	f = frame_packet(&partial, p);
	p->gso_size = gso_size;
	if (proto_of(s) == UDP)
		p->gso_type = s->ip6 ? GSO_UDP6 : GSO_UDP4;
	else
		p->gso_type = s->ip6 ? GSO_TCP6 : GSO_TCP4;
	return f;
}

void frame_assert_equal(const uint8_t *got, uint32_t got_len,
			const uint8_t *want, uint32_t want_len)
{
	assert_int_equal(got_len, want_len);
	for (uint32_t i = 0; i < want_len; i++)
		if (got[i] != want[i])
			fail_msg("byte %u of %u: %02x, should be %02x", i,
				 want_len, got[i], want[i]);
}

struct frame_guard frame_guard_make(const void *bytes, size_t len)
{
	size_t n = ROUND_UP(len, PAGE);
	struct frame_guard g = { .map_len = n + PAGE };

	g.map = mmap(NULL, g.map_len, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(g.map != MAP_FAILED);
	assert_int_equal(mprotect(g.map + n, PAGE, PROT_NONE), 0);
	g.at = g.map + n - len;
	if (len)
		memcpy(g.at, bytes, len);
	return g;
}

void frame_guard_free(struct frame_guard *g)
{
	munmap(g->map, g->map_len);
}
