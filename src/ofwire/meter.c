/* SPDX-License-Identifier: Apache-2.0 */
#include "ofwire/meter.h"

#include "ofwire/wire.h"

#define BAND_LEN 16u
#define FLAGS_KNOWN                                                            \
	(OF_METER_KBPS | OF_METER_PKTPS | OF_METER_BURST | OF_METER_STATS)

void of_meter_fini(struct of_meter *m)
{
	free(m->bands);
	m->bands = NULL;
	m->n_bands = 0;
}

/* --- bands --- */

static const struct wire band_wire[] = {
	W_INT(struct of_band, rate, 4),
	W_INT(struct of_band, burst, 4),
	W_INT(struct of_band, prec_level, 1),
	W_PAD(3),
	W_END,
};

static void put_bands(struct of_out *o, const struct of_meter *m)
{
	for (size_t i = 0; i < m->n_bands; i++) {
		of_out_int(o, m->bands[i].type, 2);
		of_out_int(o, BAND_LEN, 2);
		wire_write(o, band_wire, &m->bands[i]);
	}
}

static enum of_error get_band(struct cursor *c, struct of_band *b)
{
	uint16_t len;

	memset(b, 0, sizeof(*b));
	b->type = cursor_u16(c);
	len = cursor_u16(c);
	if (c->failed || len != BAND_LEN)
		return OF_OFPBRC_BAD_LEN;
	wire_read(c, band_wire, b);
	if (b->type != OF_BAND_DROP && b->type != OF_BAND_DSCP)
		return OF_OFPMMFC_BAD_BAND;
	if (b->type == OF_BAND_DROP)
		b->prec_level = 0; /* padding */
	return c->failed ? OF_OFPBRC_BAD_LEN : OF_OK;
}

static enum of_error get_bands(struct cursor *c, struct of_meter *m)
{
	enum of_error e = OF_OK;

	m->bands = xcalloc(cursor_left(c) / BAND_LEN + 1, sizeof(*m->bands));
	while (!e && cursor_left(c) >= BAND_LEN)
		e = get_band(c, &m->bands[m->n_bands++]);
	if (!e)
		e = of_msg_done(c);
	if (e)
		of_meter_fini(m);
	return e;
}

/* --- changes, configuration --- */

static const struct wire mod_wire[] = {
	W_INT(struct of_meter, command, 2),
	W_INT(struct of_meter, flags, 2),
	W_INT(struct of_meter, id, 4),
	W_END,
};

void of_meter_mod_encode(struct of_out *o, unsigned version, uint32_t xid,
			 const struct of_meter *m)
{
	size_t at = of_msg_begin(o, OF_METER_MOD, version, xid);

	wire_write(o, mod_wire, m);
	put_bands(o, m);
	of_msg_end(o, at);
}

enum of_error of_meter_mod_decode(const struct of_msg *msg, struct of_meter *m)
{
	struct cursor c = msg->body;

	memset(m, 0, sizeof(*m));
	wire_read(&c, mod_wire, m);
	if (m->command > OF_METER_DELETE)
		return OF_OFPMMFC_BAD_COMMAND;
	if (!m->id || (m->id > OF_METER_MAX && m->id < OF_METER_SLOWPATH) ||
	    (m->command != OF_METER_DELETE && m->id == OF_METER_ALL))
		return OF_OFPMMFC_INVALID_METER;
	/* What is deleted needs no flags. */
	if (m->command == OF_METER_DELETE)
		return OF_OK;
	if (m->flags & ~FLAGS_KNOWN ||
	    (m->flags & OF_METER_KBPS && m->flags & OF_METER_PKTPS))
		return OF_OFPMMFC_BAD_FLAGS;
	return get_bands(&c, m);
}

void of_meter_config_put(struct of_out *o, const struct of_meter *m)
{
	size_t begin = o->len;

	of_out_int(o, 0, 2);
	of_out_int(o, m->flags, 2);
	of_out_int(o, m->id, 4);
	put_bands(o, m);
	of_out_patch16(o, begin, MIN(o->len - begin, UINT16_MAX));
}

enum of_error of_meter_config_get(struct cursor *c, struct of_meter *m)
{
	struct cursor peek = *c, part;

	memset(m, 0, sizeof(*m));
	part = cursor_sub(c, cursor_u16(&peek));
	cursor_skip(&part, 2);
	m->flags = cursor_u16(&part);
	m->id = cursor_u32(&part);
	return part.failed ? OF_OFPBRC_BAD_LEN : get_bands(&part, m);
}

/* --- which meter; statistics; features --- */

void of_meter_query_encode(struct of_out *o, enum of_kind kind,
			   unsigned version, uint32_t xid, uint32_t id)
{
	size_t at = of_msg_begin(o, kind, version, xid);

	of_out_int(o, id, 4);
	of_out_add(o, 4);
	of_msg_end(o, at);
}

enum of_error of_meter_query_decode(const struct of_msg *m, uint32_t *id)
{
	struct cursor c = m->body;

	*id = cursor_u32(&c);
	cursor_skip(&c, 4);
	return of_msg_done(&c);
}

static const struct wire stats_wire[] = {
	W_INT(struct of_meter_stats, flows, 4),
	W_INT(struct of_meter_stats, packets, 8),
	W_INT(struct of_meter_stats, bytes, 8),
	W_INT(struct of_meter_stats, duration_sec, 4),
	W_INT(struct of_meter_stats, duration_nsec, 4),
	W_END,
};
static const struct wire band_stats_wire[] = {
	W_INT(struct of_band_stats, packets, 8),
	W_INT(struct of_band_stats, bytes, 8),
	W_END,
};

void of_meter_stats_put(struct of_out *o, const struct of_meter_stats *s)
{
	size_t begin = o->len;

	of_out_int(o, s->id, 4);
	of_out_add(o, 8);
	wire_write(o, stats_wire, s);
	for (size_t i = 0; i < s->n_bands; i++)
		wire_write(o, band_stats_wire, &s->bands[i]);
	of_out_patch16(o, begin + 4, MIN(o->len - begin, UINT16_MAX));
}

enum of_error of_meter_stats_get(struct cursor *c, struct of_meter_stats *s)
{
	struct cursor peek = *c, part;

	memset(s, 0, sizeof(*s));
	s->id = cursor_u32(&peek);
	part = cursor_sub(c, cursor_u16(&peek));
	cursor_skip(&part, 12);
	wire_read(&part, stats_wire, s);
	s->n_bands = cursor_left(&part) / wire_len(band_stats_wire);
	if (part.failed || cursor_left(&part) % wire_len(band_stats_wire))
		return OF_OFPBRC_BAD_LEN;
	s->bands = xcalloc(s->n_bands + 1, sizeof(*s->bands));
	for (size_t i = 0; i < s->n_bands; i++)
		wire_read(&part, band_stats_wire, &s->bands[i]);
	return OF_OK;
}

void of_meter_stats_fini(struct of_meter_stats *s)
{
	free(s->bands);
	s->bands = NULL;
}

static const struct wire features_wire[] = {
	W_INT(struct of_meter_features, max_meters, 4),
	W_INT(struct of_meter_features, band_types, 4),
	W_INT(struct of_meter_features, capabilities, 4),
	W_INT(struct of_meter_features, max_bands, 1),
	W_INT(struct of_meter_features, max_color, 1),
	W_PAD(2),
	W_END,
};

void of_meter_features_encode(struct of_out *o, unsigned version, uint32_t xid,
			      const struct of_meter_features *f)
{
	size_t at =
		of_msg_begin(o, OF_METER_FEATURES_STATS_REPLY, version, xid);

	wire_write(o, features_wire, f);
	of_msg_end(o, at);
}

enum of_error of_meter_features_decode(const struct of_msg *m,
				       struct of_meter_features *f)
{
	struct cursor c = m->body;

	wire_read(&c, features_wire, f);
	return of_msg_done(&c);
}
