/* SPDX-License-Identifier: Apache-2.0 */
#include "ofwire/port.h"

#include "ofwire/prop.h"
#include "ofwire/wire.h"

#define NAME10 16u
#define PROP_ETHERNET 0u
#define LOW_FEATURES 0x7fu /* the speeds that both layouts have */
#define MEDIA10 0xf80u     /* copper to asymmetric pause */
#define MEDIA_SHIFT 4u     /* where 1.1 moved them */
#define CONFIG10 0x7fu
#define CONFIG11 0x65u /* down, no recv, no fwd, no packet-in */
#define PORT14_LEN 40u
#define STATS14_LEN 80u

static uint32_t features_from10(uint32_t f)
{
	return (f & LOW_FEATURES) | (f & MEDIA10) << MEDIA_SHIFT;
}

static uint32_t features_to10(uint32_t f)
{
	return (f & LOW_FEATURES) | (f >> MEDIA_SHIFT & MEDIA10);
}

#define STATE(type, name) W_INT(type, name, 4)

static const struct wire port10[] = {
	W_PORT(struct of_port, number, 2),     W_BYTES(struct of_port, mac, 6),
	W_BYTES(struct of_port, name, NAME10), STATE(struct of_port, config),
	STATE(struct of_port, state),          STATE(struct of_port, curr),
	STATE(struct of_port, advertised),     STATE(struct of_port, supported),
	STATE(struct of_port, peer),           W_END,
};
static const struct wire port11[] = {
	W_PORT(struct of_port, number, 4),     W_PAD(4),
	W_BYTES(struct of_port, mac, 6),       W_PAD(2),
	W_BYTES(struct of_port, name, NAME10), STATE(struct of_port, config),
	STATE(struct of_port, state),          STATE(struct of_port, curr),
	STATE(struct of_port, advertised),     STATE(struct of_port, supported),
	STATE(struct of_port, peer),           STATE(struct of_port, curr_kbps),
	STATE(struct of_port, max_kbps),       W_END,
};
static const struct wire port14[] = {
	W_PAD(4),
	W_BYTES(struct of_port, mac, 6),
	W_PAD(2),
	W_BYTES(struct of_port, name, NAME10),
	STATE(struct of_port, config),
	STATE(struct of_port, state),
	W_END,
};
static const struct wire ethernet14[] = {
	W_PAD(4),
	STATE(struct of_port, curr),
	STATE(struct of_port, advertised),
	STATE(struct of_port, supported),
	STATE(struct of_port, peer),
	STATE(struct of_port, curr_kbps),
	STATE(struct of_port, max_kbps),
	W_END,
};

static void put14(struct of_out *o, const struct of_port *p)
{
	size_t begin = o->len, at;

	of_out_int(o, p->number, 4);
	of_out_int(o, 0, 2);
	/* The fixed part's own padding begins with the length's. */
	of_out_add(o, 2);
	wire_write(o, port14 + 1, p);
	at = of_prop_begin(o, PROP_ETHERNET);
	wire_write(o, ethernet14, p);
	of_prop_end(o, at);
	of_out_patch16(o, begin + 4, o->len - begin);
}

void of_port_put(struct of_out *o, unsigned version, const struct of_port *p)
{
	struct of_port copy = *p;

	copy.name[NAME10 - 1] = '\0'; /* the wire has room for 15 and a NUL */
	copy.config &= version == OF10 ? CONFIG10 : CONFIG11;
	if (version >= OF14) {
		put14(o, &copy);
		return;
	}
	if (version == OF10) {
		copy.state &= OF_PORT_LINK_DOWN | OF_PORT_STP_MASK;
		copy.curr = features_to10(p->curr);
		copy.advertised = features_to10(p->advertised);
		copy.supported = features_to10(p->supported);
		copy.peer = features_to10(p->peer);
	}
	wire_write(o, version == OF10 ? port10 : port11, &copy);
}

static enum of_error get14(struct cursor *c, struct of_port *p)
{
	struct cursor part;
	struct of_prop prop;
	uint16_t len;
	enum of_error e = OF_OK;

	p->number = cursor_u32(c);
	len = cursor_u16(c);
	if (c->failed || len < PORT14_LEN)
		return OF_OFPBRC_BAD_LEN;
	part = cursor_sub(c, len - 6u);
	cursor_skip(&part, 2);
	wire_read(&part, port14 + 1, p);
	if (part.failed)
		return OF_OFPBRC_BAD_LEN;
	while (!e && !cursor_at_end(&part)) {
		e = of_prop_next(&part, &prop);
		if (!e && prop.type == PROP_ETHERNET) {
			wire_read(&prop.body, ethernet14, p);
			e = of_prop_done(&prop);
		}
	}
	return e;
}

enum of_error of_port_get(struct cursor *c, unsigned version, struct of_port *p)
{
	enum of_error e = OF_OK;

	memset(p, 0, sizeof(*p));
	if (version >= OF14)
		e = get14(c, p);
	else
		wire_read(c, version == OF10 ? port10 : port11, p);
	if (version == OF10) {
		p->curr = features_from10(p->curr);
		p->advertised = features_from10(p->advertised);
		p->supported = features_from10(p->supported);
		p->peer = features_from10(p->peer);
	}
	p->name[NAME10 - 1] = '\0';
	return !e && c->failed ? OF_OFPBRC_BAD_LEN : e;
}

/* --- status, change --- */

void of_port_status_encode(struct of_out *o, unsigned version, uint32_t xid,
			   uint8_t reason, const struct of_port *p)
{
	size_t at = of_msg_begin(o, OF_PORT_STATUS, version, xid);

	of_out_int(o, reason, 1);
	of_out_add(o, 7);
	of_port_put(o, version, p);
	of_msg_end(o, at);
}

enum of_error of_port_status_decode(const struct of_msg *m, uint8_t *reason,
				    struct of_port *p)
{
	struct cursor c = m->body;
	enum of_error e;

	*reason = cursor_u8(&c);
	cursor_skip(&c, 7);
	e = of_port_get(&c, m->h.version, p);
	if (e)
		return e;
	if (*reason > OF_PORT_MODIFIED)
		return OF_NXBRC_BAD_REASON;
	return of_msg_done(&c);
}

static const struct wire mod10[] = {
	W_PORT(struct of_port_mod, number, 2),
	W_BYTES(struct of_port_mod, mac, 6),
	W_INT(struct of_port_mod, config, 4),
	W_INT(struct of_port_mod, mask, 4),
	W_INT(struct of_port_mod, advertise, 4),
	W_PAD(4),
	W_END,
};
static const struct wire mod11[] = {
	W_PORT(struct of_port_mod, number, 4),
	W_PAD(4),
	W_BYTES(struct of_port_mod, mac, 6),
	W_PAD(2),
	W_INT(struct of_port_mod, config, 4),
	W_INT(struct of_port_mod, mask, 4),
	W_INT(struct of_port_mod, advertise, 4),
	W_PAD(4),
	W_END,
};
static const struct wire mod14[] = {
	W_PORT(struct of_port_mod, number, 4),
	W_PAD(4),
	W_BYTES(struct of_port_mod, mac, 6),
	W_PAD(2),
	W_INT(struct of_port_mod, config, 4),
	W_INT(struct of_port_mod, mask, 4),
	W_END,
};

static const struct wire *mod_table(unsigned version)
{
	if (version == OF10)
		return mod10;
	return version < OF14 ? mod11 : mod14;
}

void of_port_mod_encode(struct of_out *o, unsigned version, uint32_t xid,
			const struct of_port_mod *pm)
{
	size_t begin = of_msg_begin(o, OF_PORT_MOD, version, xid), at;
	struct of_port_mod copy = *pm;

	if (version == OF10)
		copy.advertise = features_to10(pm->advertise);
	wire_write(o, mod_table(version), &copy);
	if (version >= OF14 && pm->advertise) {
		at = of_prop_begin(o, PROP_ETHERNET);
		of_out_int(o, pm->advertise, 4);
		of_prop_end(o, at);
	}
	of_msg_end(o, begin);
}

enum of_error of_port_mod_decode(const struct of_msg *m, struct of_port_mod *pm)
{
	uint32_t known = m->h.version == OF10 ? CONFIG10 : CONFIG11;
	struct cursor c = m->body;
	struct of_prop p;
	enum of_error e = OF_OK;

	memset(pm, 0, sizeof(*pm));
	wire_read(&c, mod_table(m->h.version), pm);
	if (m->h.version == OF10)
		pm->advertise = features_from10(pm->advertise);
	while (!e && m->h.version >= OF14 && !cursor_at_end(&c)) {
		e = of_prop_next(&c, &p);
		if (!e && p.type != PROP_ETHERNET)
			e = of_prop_unknown(&p);
		if (e)
			break;
		pm->advertise = cursor_u32(&p.body);
		e = of_prop_done(&p);
	}
	if (e)
		return e;
	if (pm->config & ~pm->mask || pm->mask & ~known)
		return OF_OFPPMFC_BAD_CONFIG;
	return of_msg_done(&c);
}

/* --- statistics --- */

#define COUNT(name) W_INT(struct of_port_stats, name, 8)
#define BASIC_COUNTS                                                           \
	COUNT(rx_packets), COUNT(tx_packets), COUNT(rx_bytes),                 \
		COUNT(tx_bytes), COUNT(rx_dropped), COUNT(tx_dropped),         \
		COUNT(rx_errors), COUNT(tx_errors)
#define ETHERNET_COUNTS                                                        \
	COUNT(rx_frame), COUNT(rx_over), COUNT(rx_crc), COUNT(collisions)
#define STATS_DURATION                                                         \
	W_INT(struct of_port_stats, duration_sec, 4),                          \
		W_INT(struct of_port_stats, duration_nsec, 4)

static const struct wire stats10[] = {
	W_PORT(struct of_port_stats, number, 2),
	W_PAD(6),
	BASIC_COUNTS,
	ETHERNET_COUNTS,
	W_END,
};
static const struct wire stats11[] = {
	W_PORT(struct of_port_stats, number, 4),
	W_PAD(4),
	BASIC_COUNTS,
	ETHERNET_COUNTS,
	W_END,
};
static const struct wire stats13[] = {
	W_PORT(struct of_port_stats, number, 4),
	W_PAD(4),
	BASIC_COUNTS,
	ETHERNET_COUNTS,
	STATS_DURATION,
	W_END,
};
static const struct wire stats14[] = {
	W_PAD(2),       W_PORT(struct of_port_stats, number, 4),
	STATS_DURATION, BASIC_COUNTS,
	W_END,
};
static const struct wire stats14_ethernet[] = { W_PAD(4), ETHERNET_COUNTS,
						W_END };

static const struct wire *stats_table(unsigned version)
{
	if (version == OF10)
		return stats10;
	return version < OF13 ? stats11 : stats13;
}

void of_port_stats_put(struct of_out *o, unsigned version,
		       const struct of_port_stats *s)
{
	size_t begin = o->len, at;

	if (version < OF14) {
		wire_write(o, stats_table(version), s);
		return;
	}
	of_out_int(o, 0, 2);
	wire_write(o, stats14, s);
	at = of_prop_begin(o, PROP_ETHERNET);
	wire_write(o, stats14_ethernet, s);
	of_prop_end(o, at);
	of_out_patch16(o, begin, o->len - begin);
}

static enum of_error stats_get14(struct cursor *c, struct of_port_stats *s)
{
	uint16_t len = cursor_u16(c);
	struct cursor part;
	struct of_prop p;
	enum of_error e = OF_OK;

	if (c->failed || len < STATS14_LEN)
		return OF_OFPBRC_BAD_LEN;
	part = cursor_sub(c, len - 2u);
	wire_read(&part, stats14, s);
	if (part.failed)
		return OF_OFPBRC_BAD_LEN;
	while (!e && !cursor_at_end(&part)) {
		e = of_prop_next(&part, &p);
		if (!e && p.type == PROP_ETHERNET) {
			wire_read(&p.body, stats14_ethernet, s);
			e = of_prop_done(&p);
		}
	}
	return e;
}

enum of_error of_port_stats_get(struct cursor *c, unsigned version,
				struct of_port_stats *s)
{
	memset(s, 0xff, sizeof(*s));
	if (version >= OF14)
		return stats_get14(c, s);
	wire_read(c, stats_table(version), s);
	return c->failed ? OF_OFPBRC_BAD_LEN : OF_OK;
}

/* --- queues --- */

#define QUEUE_COUNTS                                                           \
	W_INT(struct of_queue_stats, queue, 4),                                \
		W_INT(struct of_queue_stats, tx_bytes, 8),                     \
		W_INT(struct of_queue_stats, tx_packets, 8),                   \
		W_INT(struct of_queue_stats, tx_errors, 8)
#define QUEUE14_LEN 48u

static const struct wire queue10[] = {
	W_PORT(struct of_queue_stats, port, 2),
	W_PAD(2),
	QUEUE_COUNTS,
	W_END,
};
static const struct wire queue11[] = {
	W_PORT(struct of_queue_stats, port, 4),
	QUEUE_COUNTS,
	W_END,
};
static const struct wire queue13[] = {
	W_PORT(struct of_queue_stats, port, 4),
	QUEUE_COUNTS,
	W_INT(struct of_queue_stats, duration_sec, 4),
	W_INT(struct of_queue_stats, duration_nsec, 4),
	W_END,
};

static const struct wire *queue_table(unsigned version)
{
	if (version == OF10)
		return queue10;
	return version < OF13 ? queue11 : queue13;
}

void of_queue_stats_put(struct of_out *o, unsigned version,
			const struct of_queue_stats *s)
{
	if (version >= OF14) {
		of_out_int(o, QUEUE14_LEN, 2);
		of_out_add(o, 6);
	}
	wire_write(o, queue_table(version), s);
}

enum of_error of_queue_stats_get(struct cursor *c, unsigned version,
				 struct of_queue_stats *s)
{
	struct cursor part = *c;
	uint16_t len;

	memset(s, 0, sizeof(*s));
	s->duration_sec = s->duration_nsec = UINT32_MAX;
	if (version < OF14) {
		wire_read(c, queue_table(version), s);
		return c->failed ? OF_OFPBRC_BAD_LEN : OF_OK;
	}
	len = cursor_u16(&part);
	if (len < QUEUE14_LEN)
		return OF_OFPBRC_BAD_LEN;
	part = cursor_sub(c, len);
	cursor_skip(&part, 8);
	wire_read(&part, queue13, s);
	return part.failed ? OF_OFPBRC_BAD_LEN : OF_OK;
}

/* --- what is asked for --- */

#define QUERY_PORT(n) W_PORT(struct of_port_query, port, n)
#define QUERY_QUEUE W_INT(struct of_port_query, queue, 4)

static const struct wire ask_port10[] = { QUERY_PORT(2), W_PAD(6), W_END };
static const struct wire ask_port11[] = { QUERY_PORT(4), W_PAD(4), W_END };
static const struct wire ask_queue10[] = { QUERY_PORT(2), W_PAD(2), QUERY_QUEUE,
					   W_END };
static const struct wire ask_queue11[] = { QUERY_PORT(4), QUERY_QUEUE, W_END };
static const struct wire ask_config10[] = { QUERY_PORT(2), W_PAD(2), W_END };
static const struct wire ask_nothing[] = { W_END };

static const struct wire *ask_table(enum of_kind kind, unsigned version)
{
	switch (kind) {
	case OF_PORT_STATS_REQUEST:
		return version == OF10 ? ask_port10 : ask_port11;
	case OF_PORT_DESC_STATS_REQUEST:
		return version == OF15 ? ask_port11 : ask_nothing;
	case OF_QUEUE_STATS_REQUEST:
		return version == OF10 ? ask_queue10 : ask_queue11;
	default:
		if (version == OF10)
			return ask_config10;
		return version >= OF14 ? ask_queue11 : ask_port11;
	}
}

void of_port_query_encode(struct of_out *o, enum of_kind kind, unsigned version,
			  uint32_t xid, const struct of_port_query *q)
{
	size_t at = of_msg_begin(o, kind, version, xid);

	wire_write(o, ask_table(kind, version), q);
	of_msg_end(o, at);
}

enum of_error of_port_query_decode(const struct of_msg *m,
				   struct of_port_query *q)
{
	struct cursor c = m->body;

	*q = (struct of_port_query){ OF_PORT_NONE, OF_QUEUE_ALL };
	wire_read(&c, ask_table(m->kind, m->h.version), q);
	/* 1.0 has its own word for all ports of a queue request. */
	if (m->h.version == OF10 && q->port == OF_PORT_ALL)
		q->port = OF_PORT_NONE;
	return of_msg_done(&c);
}

/* --- queue configuration --- */

enum { QUEUE_MIN_RATE = 1, QUEUE_MAX_RATE };

size_t of_queues_begin(struct of_out *o, unsigned version, uint32_t xid,
		       uint32_t port)
{
	size_t at = of_msg_begin(o, OF_QUEUE_GET_CONFIG_REPLY, version, xid);

	if (version == OF10) {
		of_out_int(o, of_port_to_16(port), 2);
		of_out_add(o, 6);
	} else if (version < OF14) {
		of_out_int(o, port, 4);
		of_out_add(o, 4);
	}
	return at;
}

static void put_rate(struct of_out *o, unsigned version, uint16_t type,
		     uint16_t rate)
{
	size_t at;

	if (rate == OF_QUEUE_NO_RATE)
		return;
	at = of_prop_begin(o, type);
	if (version < OF14)
		of_out_add(o, 4);
	of_out_int(o, rate, 2);
	of_out_add(o, version < OF14 ? 6 : 2);
	of_prop_end(o, at);
}

void of_queue_put(struct of_out *o, unsigned version, const struct of_queue *q)
{
	size_t begin = o->len, len_at;

	if (version >= OF14)
		of_out_int(o, q->port, 4);
	of_out_int(o, q->queue, 4);
	if (version == OF12 || version == OF13)
		of_out_int(o, q->port, 4);
	len_at = o->len;
	of_out_add(o, version <= OF11 ? 4 : 8);
	put_rate(o, version, QUEUE_MIN_RATE, q->min_rate);
	put_rate(o, version, QUEUE_MAX_RATE, q->max_rate);
	of_out_patch16(o, len_at, o->len - begin);
}

enum of_error of_queues_head(struct of_msg *m, uint32_t *port)
{
	*port = OF_PORT_NONE;
	if (m->h.version == OF10) {
		*port = of_port_from_16(cursor_u16(&m->body));
		cursor_skip(&m->body, 6);
	} else if (m->h.version < OF14) {
		*port = cursor_u32(&m->body);
		cursor_skip(&m->body, 4);
	}
	return m->body.failed ? OF_OFPBRC_BAD_LEN : OF_OK;
}

static enum of_error get_rates(struct cursor *c, unsigned version,
			       struct of_queue *q)
{
	enum of_error e = OF_OK;
	struct of_prop p;

	while (!e && !cursor_at_end(c)) {
		e = of_prop_next(c, &p);
		if (e)
			return e;
		if (version < OF14)
			cursor_skip(&p.body, 4);
		if (p.type == QUEUE_MIN_RATE)
			q->min_rate = cursor_u16(&p.body);
		else if (p.type == QUEUE_MAX_RATE)
			q->max_rate = cursor_u16(&p.body);
		if (p.body.failed)
			return OF_OFPBPC_BAD_LEN;
	}
	return e;
}

enum of_error of_queue_get(struct cursor *c, unsigned version,
			   struct of_queue *q)
{
	struct cursor head = *c, part;
	uint16_t len;

	*q = (struct of_queue){ OF_PORT_NONE, 0, OF_QUEUE_NO_RATE,
				OF_QUEUE_NO_RATE };
	if (version >= OF14)
		q->port = cursor_u32(&head);
	q->queue = cursor_u32(&head);
	if (version == OF12 || version == OF13)
		q->port = cursor_u32(&head);
	len = cursor_u16(&head);
	part = cursor_sub(c, len);
	cursor_skip(&part, version <= OF11 ? 8 : 16);
	return part.failed ? OF_OFPBRC_BAD_LEN : get_rates(&part, version, q);
}
