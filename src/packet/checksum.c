/* SPDX-License-Identifier: Apache-2.0 */
#include "packet/checksum.h"

#ifdef __x86_64__
#include <immintrin.h>
#endif

#include "packet/headers.h"

#define UDP_CSUM_OFFSET 6u /* the other transports' is another */

#define SUM_LONG 64u /* words from which on wide registers pay */

/* Sums 32-bit little-endian words into 64 bits: carries cannot be lost in less
 * than 2^32 words, and the compiler makes vectors of it. The sum of the words
 * as they lie is the byte-swapped sum of the big-endian ones (RFC 1071 2(B)). */
static uint64_t sum_words(const uint8_t *p, size_t n)
{
	uint64_t a = 0, b = 0, c = 0, d = 0;
	uint32_t w[4];
	size_t i = 0;

	for (; i + 4 <= n; i += 4) {
		memcpy(w, p + i * 4, 16);
		a += w[0];
		b += w[1];
		c += w[2];
		d += w[3];
	}
	for (; i < n; i++) {
		memcpy(w, p + i * 4, 4);
		a += w[0];
	}
	return a + b + c + d;
}

#ifdef __x86_64__
/* The same, 64 bytes a round: halves of 64-bit lanes summed apart. What finishes
 * or checks the segments of a stream spends most of its time here. */
__attribute__((target("avx2"))) static uint64_t sum_words_avx2(const uint8_t *p,
							       size_t n)
{
	const __m256i low = _mm256_set1_epi64x(0xffffffff);
	__m256i a = _mm256_setzero_si256(), b = a, c = a, d = a;
	uint64_t lanes[4];
	size_t i = 0;

	for (; i + 16 <= n; i += 16) {
		__m256i v = _mm256_loadu_si256((const void *)(p + i * 4));
		__m256i w = _mm256_loadu_si256((const void *)(p + i * 4 + 32));

		a = _mm256_add_epi64(a, _mm256_and_si256(v, low));
		b = _mm256_add_epi64(b, _mm256_srli_epi64(v, 32));
		c = _mm256_add_epi64(c, _mm256_and_si256(w, low));
		d = _mm256_add_epi64(d, _mm256_srli_epi64(w, 32));
	}
	a = _mm256_add_epi64(_mm256_add_epi64(a, b), _mm256_add_epi64(c, d));
	_mm256_storeu_si256((void *)lanes, a);
	return lanes[0] + lanes[1] + lanes[2] + lanes[3] +
	       sum_words(p + i * 4, n - i);
}

#endif

static uint64_t sum_long(const uint8_t *p, size_t n)
{
#ifdef __x86_64__
	if (n >= SUM_LONG && __builtin_cpu_supports("avx2"))
		return sum_words_avx2(p, n);
#endif
	return sum_words(p, n);
}

static uint16_t fold(uint64_t sum)
{
	sum = (sum & 0xffffffffu) + (sum >> 32);
	sum = (sum & 0xffffffffu) + (sum >> 32);
	sum = (sum & 0xffffu) + (sum >> 16);
	sum = (sum & 0xffffu) + (sum >> 16);
	return (uint16_t)sum;
}

uint64_t checksum_add(uint64_t sum, const void *p, size_t len)
{
	uint64_t s = sum_long(p, len / 4);
	uint8_t rest[4] = { 0 };
	uint32_t w;

	if (len % 4) {
		memcpy(rest, (const uint8_t *)p + len / 4 * 4, len % 4);
		memcpy(&w, rest, 4);
		s += w;
	}
	return sum + __builtin_bswap16(fold(s));
}

uint16_t checksum_fold(uint64_t sum)
{
	return fold(sum);
}

uint16_t checksum(const void *p, size_t len)
{
	return (uint16_t)~fold(checksum_add(0, p, len));
}

/* RFC 1624, equation 3: HC' = ~(~HC + ~m + m'). */
uint16_t checksum_update16(uint16_t old, uint16_t a, uint16_t b)
{
	return (uint16_t)~fold((uint64_t)(uint16_t)~old + (uint16_t)~a + b);
}

uint16_t checksum_update32(uint16_t old, uint32_t a, uint32_t b)
{
	uint64_t sum = (uint16_t)~old;

	sum += (uint16_t) ~(a >> 16) + (b >> 16);
	sum += (uint64_t)(uint16_t)~a + (uint16_t)b;
	return (uint16_t)~fold(sum);
}

uint16_t checksum_update(uint16_t old, const void *a, const void *b, size_t n)
{
	uint16_t was = fold(checksum_add(0, a, n));
	uint64_t sum = (uint64_t)(uint16_t)~old + (uint16_t)~was;

	return (uint16_t)~fold(checksum_add(sum, b, n));
}

uint64_t checksum_pseudo4(uint32_t src, uint32_t dst, uint8_t proto,
			  uint32_t len)
{
	return (uint64_t)(src >> 16) + (src & 0xffff) + (dst >> 16) +
	       (dst & 0xffff) + proto + (len >> 16) + (len & 0xffff);
}

uint64_t checksum_pseudo6(struct ip6_addr src, struct ip6_addr dst,
			  uint8_t proto, uint32_t len)
{
	uint64_t sum = (uint64_t)proto + (len >> 16) + (len & 0xffff);

	sum = checksum_add(sum, src.b, sizeof(src.b));
	return checksum_add(sum, dst.b, sizeof(dst.b));
}

/* Castagnoli's polynomial, reflected, four bits at a time: a table small enough to
 * be read here, for processors without the instruction. */
static uint32_t crc32c_plain(uint32_t c, const uint8_t *b, size_t len)
{
	static const uint32_t table[16] = {
		0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1,
		0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
		0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
		0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
	};

	for (size_t i = 0; i < len; i++) {
		c ^= b[i];
		c = table[c & 15] ^ c >> 4;
		c = table[c & 15] ^ c >> 4;
	}
	return c;
}

#ifdef __x86_64__
__attribute__((target("sse4.2"))) static uint32_t
crc32c_fast(uint32_t c, const uint8_t *b, size_t len)
{
	uint64_t c64 = c, word;
	size_t i = 0;

	for (; i + 8 <= len; i += 8) {
		memcpy(&word, b + i, 8);
		c64 = __builtin_ia32_crc32di(c64, word);
	}
	return crc32c_plain((uint32_t)c64, b + i, len - i);
}

static uint32_t crc32c_add(uint32_t c, const uint8_t *b, size_t len)
{
	return __builtin_cpu_supports("sse4.2") ? crc32c_fast(c, b, len) :
						  crc32c_plain(c, b, len);
}
#else
static uint32_t crc32c_add(uint32_t c, const uint8_t *b, size_t len)
{
	return crc32c_plain(c, b, len);
}
#endif

uint32_t crc32c(const void *p, size_t len)
{
	return ~crc32c_add(0xffffffffu, p, len);
}

void packet_csum_finish(struct packet *p)
{
	uint8_t *start = p->data + p->csum_start;
	uint8_t *field = start + p->csum_offset;
	uint32_t len = p->len - p->csum_start, crc;
	uint16_t sum;

	if (!(p->flags & PACKET_CSUM_PARTIAL))
		return;
	must(packet_csum_fits(p));
	if (packet_csum_is_crc32c(p)) {
		crc = crc32c_sctp(start, len);
		memcpy(field, &crc, sizeof(crc));
		p->flags &= ~(uint32_t)PACKET_CSUM_PARTIAL;
		return;
	}
	p->flags &= ~(uint32_t)PACKET_CSUM_PARTIAL;
	sum = checksum(start, len);
	/* In UDP zero means no checksum, so zero is written as ones (RFC 768); in
	 * the others ones would be a zero that no sum gives (RFC 1624 3). */
	if (!sum && p->csum_offset == UDP_CSUM_OFFSET)
		sum = 0xffff;
	put_be16(field, sum);
}

/* The transport part: protocol, bytes, and the pseudo-header's sum. */
struct transport {
	uint8_t proto;
	const uint8_t *data;
	uint32_t len;
	uint64_t pseudo;
};

static bool transport4(const struct packet *p, struct transport *t)
{
	const struct ip4_header *ip = (const void *)(p->data + p->l3);
	uint32_t left = p->len - p->l3, header, total;

	if (left < IP4_HEADER_LEN)
		return false;
	header = ip4_header_len(ip);
	total = from_be16(ip->total_len);
	if (header < IP4_HEADER_LEN || total < header || total > left ||
	    from_be16(ip->frag) & (IP4_MF | IP4_OFFSET_MASK))
		return false;
	t->proto = ip->proto;
	t->data = p->data + p->l3 + header;
	t->len = total - header;
	t->pseudo = checksum_pseudo4(from_be32(ip->src), from_be32(ip->dst),
				     ip->proto, t->len);
	return true;
}

static bool transport6(const struct packet *p, struct transport *t)
{
	const struct ip6_header *ip = (const void *)(p->data + p->l3);
	uint32_t left = p->len - p->l3, end, at = IP6_HEADER_LEN;
	uint8_t next;

	if (left < IP6_HEADER_LEN)
		return false;
	end = IP6_HEADER_LEN + from_be16(ip->payload_len);
	if (end > left)
		return false;
	next = ip->next;
	for (unsigned i = 0; i < IP6_MAX_EXTENSIONS; i++) {
		const uint8_t *ext = p->data + p->l3 + at;

		if (next != IP_PROTO_HOPOPTS && next != IP_PROTO_DSTOPTS)
			break;
		if (at + 8 > end)
			return false;
		next = ext[0];
		at += ((uint32_t)ext[1] + 1) * 8;
	}
	if (at > end)
		return false;
	t->proto = next;
	t->data = p->data + p->l3 + at;
	t->len = end - at;
	t->pseudo = checksum_pseudo6(ip->src, ip->dst, next, t->len);
	return true;
}

static enum csum_state sum_is_ones(uint64_t sum, const struct transport *t)
{
	return fold(checksum_add(sum, t->data, t->len)) == 0xffff ? CSUM_RIGHT :
								    CSUM_WRONG;
}

/* What counts is UDP's own length: IP may carry more behind the datagram. */
static enum csum_state verify_udp(struct transport t, bool ip6)
{
	uint32_t len;

	if (t.len < UDP_HEADER_LEN)
		return CSUM_UNKNOWN;
	if (!get_be16(t.data + 6))
		return ip6 ? CSUM_WRONG : CSUM_UNKNOWN;
	len = get_be16(t.data + 4);
	if (len < UDP_HEADER_LEN || len > t.len)
		return CSUM_WRONG;
	t.pseudo += (uint16_t)~t.len + len;
	t.len = len;
	return sum_is_ones(t.pseudo, &t);
}

/* The field counts as zero while it is summed (RFC 9260 6.8), and is stored with
 * its least significant byte first. */
uint32_t crc32c_sctp(const uint8_t *sctp, uint32_t len)
{
	static const uint8_t zero[4];
	uint32_t c = crc32c_add(0xffffffffu, sctp, 8);

	c = crc32c_add(c, zero, sizeof(zero));
	return ~crc32c_add(c, sctp + SCTP_HEADER_LEN, len - SCTP_HEADER_LEN);
}

static enum csum_state verify_sctp(const struct transport *t)
{
	uint32_t stored;

	if (t->len < SCTP_HEADER_LEN)
		return CSUM_UNKNOWN;
	memcpy(&stored, t->data + 8, sizeof(stored));
	return stored == crc32c_sctp(t->data, t->len) ? CSUM_RIGHT : CSUM_WRONG;
}

enum csum_state packet_csum_verify(const struct packet *p)
{
	struct transport t;
	bool ip6;

	if (p->flags & PACKET_CSUM_PARTIAL || p->l3 == PACKET_NO_LAYER ||
	    p->l3 >= p->len)
		return CSUM_UNKNOWN;
	ip6 = p->data[p->l3] >> 4 == 6;
	if (ip6 ? !transport6(p, &t) : !transport4(p, &t))
		return CSUM_UNKNOWN;
	switch (t.proto) {
	case IP_PROTO_TCP:
		return t.len < TCP_HEADER_LEN ? CSUM_UNKNOWN :
						sum_is_ones(t.pseudo, &t);
	case IP_PROTO_UDP:
		return verify_udp(t, ip6);
	case IP_PROTO_ICMP6:
		return ip6 ? sum_is_ones(t.pseudo, &t) : CSUM_UNKNOWN;
	case IP_PROTO_ICMP:
		return ip6 ? CSUM_UNKNOWN : sum_is_ones(0, &t);
	case IP_PROTO_SCTP:
		return verify_sctp(&t);
	default:
		return CSUM_UNKNOWN;
	}
}
