/* SPDX-License-Identifier: Apache-2.0 */
#include "packet/pcap_file.h"

#include <errno.h>

#define MAGIC_NG 0x0a0d0d0au
#define MAGIC_ORDER 0x1a2b3c4du
#define MAGIC_US 0xa1b2c3d4u
#define MAGIC_NS 0xa1b23c4du
#define PCAP_HEAD_REST 16u /* version, zone, accuracy: not needed */
#define NS 1000000000u

enum block {
	BLOCK_INTERFACE = 1,
	BLOCK_PACKET_OLD = 2,
	BLOCK_SIMPLE = 3,
	BLOCK_PACKET = 6,
};

#define OPT_END 0u
#define OPT_TIME_RESOLUTION 9u
#define BLOCK_OVERHEAD 12u /* type and twice the length */
#define DEFAULT_UNITS 1000000u

static int broken(struct err *e, const char *what)
{
	return err_set(e,
		       "the capture file is damaged: %s; what stands before "
		       "can be read",
		       what);
}

/* --- integers of the file's byte order --- */

static uint32_t file_u32(const struct pcap_file *f, struct cursor *c)
{
	uint32_t v = cursor_u32(c);

	return f->swapped ? v : __builtin_bswap32(v);
}

static uint16_t file_u16(const struct pcap_file *f, struct cursor *c)
{
	uint16_t v = cursor_u16(c);

	return f->swapped ? v : __builtin_bswap16(v);
}

/* --- the older format --- */

static bool pcap_magic(struct pcap_file *f, uint32_t magic)
{
	f->swapped = magic == MAGIC_US || magic == MAGIC_NS;
	if (!f->swapped)
		magic = __builtin_bswap32(magic);
	f->time_unit = magic == MAGIC_NS ? 1 : 1000;
	return magic == MAGIC_US || magic == MAGIC_NS;
}

static int pcap_head(struct pcap_file *f, struct err *e)
{
	cursor_skip(&f->in, PCAP_HEAD_REST - 4);
	f->snap_len = file_u32(f, &f->in);
	f->link_type = file_u32(f, &f->in) & 0xffffu; /* above: FCS length */
	return f->in.failed ? broken(e, "its head is cut short") : 0;
}

static int pcap_next(struct pcap_file *f, struct pcap_frame *out, struct err *e)
{
	uint64_t s, fraction;

	if (cursor_at_end(&f->in))
		return 0;
	s = file_u32(f, &f->in);
	fraction = file_u32(f, &f->in);
	*out = (struct pcap_frame){ .link_type = f->link_type };
	out->time_ns = s * NS + fraction * f->time_unit;
	out->len = file_u32(f, &f->in);
	out->wire_len = file_u32(f, &f->in);
	out->wire_len = MAX(out->wire_len, out->len);
	if (out->len > PCAP_FILE_MAX_PACKET)
		return broken(e, "a packet is longer than any can be");
	out->bytes = cursor_take(&f->in, out->len);
	return f->in.failed ? broken(e, "its last packet is cut short") : 1;
}

/* --- pcapng --- */

/* if_tsresol: a power of ten, or, with the top bit, of two. 0: out of range. */
static uint64_t resolution(uint8_t v)
{
	uint64_t units = 1;

	if (v & 0x80)
		return (v & 0x7fu) <= 63 ? 1ull << (v & 0x7f) : 0;
	if (v > 19)
		return 0;
	while (v--)
		units *= 10;
	return units;
}

static void interface_options(const struct pcap_file *f, struct cursor *c,
			      struct pcap_file_interface *i)
{
	while (cursor_left(c) >= 4) {
		uint16_t code = file_u16(f, c), len = file_u16(f, c);
		struct cursor value = cursor_sub(c, len);

		if (code == OPT_END || value.failed)
			return;
		cursor_skip(c, ROUND_UP(len, 4u) - len);
		if (code == OPT_TIME_RESOLUTION && len == 1)
			i->units = resolution(cursor_u8(&value));
	}
}

static void take_interface(struct pcap_file *f, struct cursor *c)
{
	struct pcap_file_interface i = { .units = DEFAULT_UNITS };

	i.link_type = file_u16(f, c);
	cursor_skip(c, 2);
	i.snap_len = file_u32(f, c);
	interface_options(f, c, &i);
	if (f->n_interfaces < PCAP_FILE_INTERFACES)
		f->interfaces[f->n_interfaces] = i;
	f->n_interfaces++;
}

static uint64_t to_ns(uint64_t time, uint64_t units)
{
	if (!units)
		return 0;
	return (uint64_t)((unsigned __int128)time * NS / units);
}

/* The interface's own, or NULL when it is not one of those known. */
static const struct pcap_file_interface *find_interface(struct pcap_file *f,
							struct pcap_frame *out)
{
	if (out->interface >= MIN(f->n_interfaces, PCAP_FILE_INTERFACES))
		return NULL;
	out->link_type = f->interfaces[out->interface].link_type;
	return &f->interfaces[out->interface];
}

static int take_packet(struct pcap_file *f, struct cursor *c, bool old,
		       struct pcap_frame *out)
{
	const struct pcap_file_interface *i;
	uint64_t time;

	if (old) {
		out->interface = file_u16(f, c);
		cursor_skip(c, 2); /* packets lost */
	} else {
		out->interface = file_u32(f, c);
	}
	time = (uint64_t)file_u32(f, c) << 32;
	time |= file_u32(f, c);
	out->len = file_u32(f, c);
	out->wire_len = file_u32(f, c);
	out->wire_len = MAX(out->wire_len, out->len);
	out->bytes = cursor_take(c, out->len);
	i = find_interface(f, out);
	if (c->failed || !i || out->len > PCAP_FILE_MAX_PACKET)
		return 0;
	out->time_ns = to_ns(time, i->units);
	return 1;
}

/* All that is left of the block is the packet, up to the snap length. */
static int take_simple(struct pcap_file *f, struct cursor *c,
		       struct pcap_frame *out)
{
	const struct pcap_file_interface *i;

	out->interface = 0;
	out->wire_len = file_u32(f, c);
	i = find_interface(f, out);
	out->len = out->wire_len;
	if (i && i->snap_len)
		out->len = MIN(out->len, i->snap_len);
	out->bytes = cursor_take(c, out->len);
	return !c->failed && i && out->len <= PCAP_FILE_MAX_PACKET;
}

/* A section's head: the byte order, which the length in front of it is in. */
static bool section_order(struct pcap_file *f)
{
	struct cursor c = f->in;
	uint32_t magic;

	cursor_skip(&c, 4);
	magic = cursor_u32(&c);
	f->swapped = magic == MAGIC_ORDER;
	f->n_interfaces = 0;
	return !c.failed &&
	       (f->swapped || magic == __builtin_bswap32(MAGIC_ORDER));
}

static int ng_block(struct pcap_file *f, struct pcap_frame *out, struct err *e)
{
	uint32_t type = file_u32(f, &f->in), len;
	struct cursor c;

	if (type == MAGIC_NG && !section_order(f))
		return broken(e, "a section does not tell its byte order");
	len = file_u32(f, &f->in);
	if (f->in.failed || len < BLOCK_OVERHEAD || len % 4)
		return broken(e, "a block has an impossible length");
	c = cursor_sub(&f->in, len - BLOCK_OVERHEAD);
	if (c.failed || !cursor_skip(&f->in, 4))
		return broken(e, "its last block is cut short");
	*out = (struct pcap_frame){ 0 };
	switch (type) {
	case BLOCK_INTERFACE:
		take_interface(f, &c);
		return 0;
	case BLOCK_PACKET:
	case BLOCK_PACKET_OLD:
		return take_packet(f, &c, type == BLOCK_PACKET_OLD, out);
	case BLOCK_SIMPLE:
		return take_simple(f, &c, out);
	}
	return 0;
}

int pcap_file_next(struct pcap_file *f, struct pcap_frame *out, struct err *e)
{
	int rc = 0;

	if (!f->is_ng)
		return pcap_next(f, out, e);
	while (!rc && !cursor_at_end(&f->in))
		rc = ng_block(f, out, e);
	return rc;
}

int pcap_file_decode(struct pcap_file *f, const void *bytes, size_t len,
		     struct err *e)
{
	uint32_t magic;

	*f = (struct pcap_file){ .in = cursor_init(bytes, len) };
	magic = cursor_u32(&f->in);
	f->is_ng = magic == MAGIC_NG && !f->in.failed;
	if (f->is_ng) {
		f->in = cursor_init(bytes, len);
		return 0;
	}
	if (f->in.failed || !pcap_magic(f, magic))
		return err_set(e,
			       "this is no capture file: it begins neither as "
			       "pcapng nor as pcap does");
	return pcap_head(f, e);
}
