/* SPDX-License-Identifier: Apache-2.0 */
#include "packet/pcapng.h"

#define BLOCK_SECTION 0x0a0d0d0au
#define BLOCK_INTERFACE 1u
#define BLOCK_COUNTS 5u
#define BLOCK_PACKET 6u
#define BYTE_ORDER_MAGIC 0x1a2b3c4du
#define UNKNOWN_LENGTH UINT64_MAX

enum option {
	OPT_END = 0,
	OPT_COMMENT = 1,
	SHB_OS = 3,
	SHB_APPLICATION = 4,
	IF_NAME = 2,
	IF_DESCRIPTION = 3,
	IF_MAC = 6,
	IF_TIME_RESOLUTION = 9,
	IF_FILTER = 11,
	EPB_FLAGS = 2,
	EPB_DROP_COUNT = 4,
	ISB_START = 2,
	ISB_END = 3,
	ISB_SEEN = 4,
	ISB_OS_LOST = 7,
	ISB_GIVEN = 8,
};

#define RESOLUTION_NS 9u /* ten to the minus ninth */

/* --- pieces --- */

static void put_bytes(struct str *out, const void *p, size_t n)
{
	if (n)
		str_add_n(out, p, n);
}

static void put_u16(struct str *out, uint16_t v)
{
	put_bytes(out, &v, sizeof(v));
}

static void put_u32(struct str *out, uint32_t v)
{
	put_bytes(out, &v, sizeof(v));
}

static void put_u64(struct str *out, uint64_t v)
{
	put_bytes(out, &v, sizeof(v));
}

/* Times and some counters are two words, the upper one first. */
static void put_time(struct str *out, uint64_t ns)
{
	put_u32(out, (uint32_t)(ns >> 32));
	put_u32(out, (uint32_t)ns);
}

static void put_padding(struct str *out, size_t n)
{
	put_bytes(out, "\0\0\0", ROUND_UP(n, 4) - n);
}

static void put_option(struct str *out, enum option o, const void *p, size_t n)
{
	put_u16(out, (uint16_t)o);
	put_u16(out, (uint16_t)n);
	put_bytes(out, p, n);
	put_padding(out, n);
}

static void put_text(struct str *out, enum option o, const char *text)
{
	if (text)
		put_option(out, o, text,
			   MIN(strlen(text), (size_t)PCAPNG_COMMENT_MAX));
}

static void put_option_time(struct str *out, enum option o, uint64_t ns)
{
	put_u16(out, (uint16_t)o);
	put_u16(out, 8);
	put_time(out, ns);
}

static void put_option_u64(struct str *out, enum option o, uint64_t v)
{
	put_option(out, o, &v, sizeof(v));
}

/* --- blocks: their length stands in front and behind --- */

static size_t block_begin(struct str *out, uint32_t type)
{
	size_t at = out->len;

	put_u32(out, type);
	put_u32(out, 0);
	return at;
}

static void block_end(struct str *out, size_t at)
{
	uint32_t len = (uint32_t)(out->len - at) + 4;

	memcpy(out->s + at + 4, &len, sizeof(len));
	put_u32(out, len);
}

void pcapng_put_section(struct str *out, const char *application)
{
	size_t at = block_begin(out, BLOCK_SECTION);

	put_u32(out, BYTE_ORDER_MAGIC);
	put_u16(out, 1); /* version 1.0 */
	put_u16(out, 0);
	put_u64(out, UNKNOWN_LENGTH);
	put_text(out, SHB_OS, "Linux");
	put_text(out, SHB_APPLICATION, application);
	put_option(out, OPT_END, NULL, 0);
	block_end(out, at);
}

void pcapng_put_interface(struct str *out, const struct pcapng_interface *i)
{
	const uint8_t resolution = RESOLUTION_NS, text_filter = 0;
	size_t at = block_begin(out, BLOCK_INTERFACE);

	put_u16(out, i->link_type);
	put_u16(out, 0);
	put_u32(out, i->snap_len);
	put_text(out, IF_NAME, i->name);
	put_text(out, IF_DESCRIPTION, i->description);
	if (!eth_addr_is_zero(i->mac))
		put_option(out, IF_MAC, i->mac.b, sizeof(i->mac.b));
	put_option(out, IF_TIME_RESOLUTION, &resolution, 1);
	if (i->filter) {
		size_t n = MIN(strlen(i->filter), (size_t)PCAPNG_COMMENT_MAX);

		put_u16(out, IF_FILTER);
		put_u16(out, (uint16_t)(n + 1));
		put_bytes(out, &text_filter, 1);
		put_bytes(out, i->filter, n);
		put_padding(out, n + 1);
	}
	put_option(out, OPT_END, NULL, 0);
	block_end(out, at);
}

void pcapng_put_packet(struct str *out, const struct pcapng_packet *p)
{
	const uint32_t flags = (uint32_t)p->direction;
	size_t at = block_begin(out, BLOCK_PACKET);

	put_u32(out, p->interface);
	put_time(out, p->time_ns);
	put_u32(out, p->len);
	put_u32(out, p->wire_len);
	put_bytes(out, p->bytes, p->len);
	put_padding(out, p->len);
	put_text(out, OPT_COMMENT, p->comment);
	if (flags)
		put_option(out, EPB_FLAGS, &flags, sizeof(flags));
	if (p->n_lost)
		put_option_u64(out, EPB_DROP_COUNT, p->n_lost);
	put_option(out, OPT_END, NULL, 0);
	block_end(out, at);
}

void pcapng_put_counts(struct str *out, const struct pcapng_counts *c)
{
	size_t at = block_begin(out, BLOCK_COUNTS);

	put_u32(out, c->interface);
	put_time(out, c->time_ns);
	put_option_time(out, ISB_START, c->start_ns);
	put_option_time(out, ISB_END, c->end_ns);
	put_option_u64(out, ISB_SEEN, c->n_seen);
	put_option_u64(out, ISB_OS_LOST, c->n_lost);
	put_option_u64(out, ISB_GIVEN, c->n_given);
	put_option(out, OPT_END, NULL, 0);
	block_end(out, at);
}
