/* SPDX-License-Identifier: Apache-2.0 */
#include "ofwire/table.h"

#include "ofwire/oxm.h"
#include "ofwire/prop.h"
#include "ofwire/wire.h"

enum {
	TF_INSTRUCTIONS = 0,
	TF_NEXT_TABLES = 2,
	TF_WRITE_ACTIONS = 4,
	TF_APPLY_ACTIONS = 6,
	TF_MATCH = 8,
	TF_MASK = 10,
	TF_WRITE_FIELDS = 12,
	TF_APPLY_FIELDS = 14,
};
#define TF_MISS 1u
#define FIXED_LEN 64u
#define COMMANDS 4u

static const struct wire fixed_wire[] = {
	W_INT(struct of_table_features, id, 1),
	W_INT(struct of_table_features, command, 1),
	W_PAD(4),
	W_BYTES(struct of_table_features, name, OF_TABLE_NAME_LEN),
	W_INT(struct of_table_features, metadata_match, 8),
	W_INT(struct of_table_features, metadata_write, 8),
	W_INT(struct of_table_features, capabilities, 4),
	W_INT(struct of_table_features, max, 4),
	W_END,
};

/* --- writing --- */

static void put_bits(struct of_out *o, uint16_t type, uint32_t bits,
		     unsigned version)
{
	size_t at = of_prop_begin(o, type);

	for (unsigned i = 0; i < 32; i++) {
		if (!(bits >> i & 1))
			continue;
		of_out_int(o, i, 2);
		/* Those of 1.3 come with their padding. */
		of_out_int(o, version == OF13 ? 8 : 4, 2);
		of_out_add(o, version == OF13 ? 4 : 0);
	}
	of_prop_end(o, at);
}

static void put_next(struct of_out *o, uint16_t type, const uint64_t *next)
{
	size_t at = of_prop_begin(o, type);

	for (unsigned i = 0; i < 256; i++)
		if (next[i / 64] >> i % 64 & 1)
			of_out_int(o, i, 1);
	of_prop_end(o, at);
}

static void put_fields(struct of_out *o, uint16_t type, unsigned version,
		       const struct of_field_set *set,
		       const struct of_field_set *masks)
{
	size_t at = of_prop_begin(o, type);

	for (unsigned i = 0; i < N_FIELDS; i++) {
		const struct oxm *oxm;

		if (!of_field_set_has(set, i))
			continue;
		oxm = oxm_find((enum field_id)i, version);
		if (oxm)
			oxm_header_put(o, oxm,
				       masks && of_field_set_has(masks, i));
	}
	of_prop_end(o, at);
}

static void put_abilities(struct of_out *o, unsigned version, uint16_t miss,
			  const struct of_table_abilities *a)
{
	put_bits(o, TF_INSTRUCTIONS | miss, a->instructions, version);
	put_next(o, TF_NEXT_TABLES | miss, a->next);
	put_bits(o, TF_WRITE_ACTIONS | miss, a->write_actions, version);
	put_bits(o, TF_APPLY_ACTIONS | miss, a->apply_actions, version);
	put_fields(o, TF_WRITE_FIELDS | miss, version, &a->write_fields, NULL);
	put_fields(o, TF_APPLY_FIELDS | miss, version, &a->apply_fields, NULL);
}

void of_table_features_put(struct of_out *o, unsigned version,
			   const struct of_table_features *f)
{
	size_t begin = o->len;
	struct of_table_features copy = *f;

	if (version < OF15)
		copy.command = 0;
	of_out_int(o, 0, 2);
	wire_write(o, fixed_wire, &copy);
	if (f->has_props) {
		put_abilities(o, version, 0, &f->hit);
		put_abilities(o, version, TF_MISS, &f->miss);
		put_fields(o, TF_MATCH, version, &f->match, &f->mask);
		put_fields(o, TF_MASK, version, &f->mask, NULL);
	}
	of_out_patch16(o, begin, MIN(o->len - begin, UINT16_MAX));
}

/* --- reading --- */

/* Instructions and actions by number; an experimenter's has a longer header and
 * no bit. */
static enum of_error get_bits(struct cursor *c, uint32_t *bits)
{
	while (!cursor_at_end(c)) {
		uint16_t type = cursor_u16(c), len = cursor_u16(c);

		if (c->failed || len < 4 || !cursor_skip(c, len - 4u))
			return OF_OFPBPC_BAD_LEN;
		if (type < 32)
			*bits |= 1u << type;
	}
	return OF_OK;
}

static enum of_error get_next(struct cursor *c, uint64_t *next)
{
	while (!cursor_at_end(c)) {
		uint8_t table = cursor_u8(c);

		next[table / 64] |= 1ull << table % 64;
	}
	return OF_OK;
}

static enum of_error get_fields(struct cursor *c, struct of_field_set *set,
				struct of_field_set *masks)
{
	while (!cursor_at_end(c)) {
		struct oxm_header h;
		enum of_error e = oxm_header_get(c, &h);

		if (e == OF_OFPBMC_BAD_LEN)
			return OF_OFPBPC_BAD_LEN;
		if (!h.oxm)
			continue; /* not one of ours */
		of_field_set_put(set, h.oxm->field);
		if (masks && h.has_mask)
			of_field_set_put(masks, h.oxm->field);
	}
	return OF_OK;
}

static enum of_error get_ability(struct of_prop *p,
				 struct of_table_abilities *a)
{
	switch (p->type & ~TF_MISS) {
	case TF_INSTRUCTIONS:
		return get_bits(&p->body, &a->instructions);
	case TF_NEXT_TABLES:
		return get_next(&p->body, a->next);
	case TF_WRITE_ACTIONS:
		return get_bits(&p->body, &a->write_actions);
	case TF_APPLY_ACTIONS:
		return get_bits(&p->body, &a->apply_actions);
	case TF_WRITE_FIELDS:
		return get_fields(&p->body, &a->write_fields, NULL);
	case TF_APPLY_FIELDS:
		return get_fields(&p->body, &a->apply_fields, NULL);
	default:
		return of_prop_unknown(p);
	}
}

static enum of_error get_prop(struct of_prop *p, struct of_table_features *f)
{
	f->has_props = true;
	if (p->type == TF_MATCH)
		return get_fields(&p->body, &f->match, &f->mask);
	if (p->type == TF_MASK)
		return get_fields(&p->body, &f->mask, NULL);
	return get_ability(p, p->type & TF_MISS ? &f->miss : &f->hit);
}

/* Has the sub-property a "miss" twin that was left out? Then it is the same. */
static void fill_miss(struct of_table_features *f, uint32_t seen)
{
	struct of_table_abilities *hit = &f->hit, *miss = &f->miss;

	if (!(seen >> (TF_INSTRUCTIONS | TF_MISS) & 1))
		miss->instructions = hit->instructions;
	if (!(seen >> (TF_NEXT_TABLES | TF_MISS) & 1))
		memcpy(miss->next, hit->next, sizeof(miss->next));
	if (!(seen >> (TF_WRITE_ACTIONS | TF_MISS) & 1))
		miss->write_actions = hit->write_actions;
	if (!(seen >> (TF_APPLY_ACTIONS | TF_MISS) & 1))
		miss->apply_actions = hit->apply_actions;
	if (!(seen >> (TF_WRITE_FIELDS | TF_MISS) & 1))
		miss->write_fields = hit->write_fields;
	if (!(seen >> (TF_APPLY_FIELDS | TF_MISS) & 1))
		miss->apply_fields = hit->apply_fields;
}

static enum of_error get_props(struct cursor *c, struct of_table_features *f)
{
	enum of_error e = OF_OK;
	uint32_t seen = 0;
	struct of_prop p;

	while (!e && !cursor_at_end(c)) {
		e = of_prop_next(c, &p);
		if (e)
			return e;
		if (p.type < 32) {
			if (seen >> p.type & 1)
				return OF_OFPBPC_DUP_TYPE;
			seen |= 1u << p.type;
		}
		e = get_prop(&p, f);
	}
	if (!e)
		fill_miss(f, seen);
	return e;
}

enum of_error of_table_features_get(struct cursor *c, unsigned version,
				    struct of_table_features *f)
{
	struct cursor peek = *c, part;
	uint16_t len = cursor_u16(&peek);

	memset(f, 0, sizeof(*f));
	if (peek.failed || len < FIXED_LEN)
		return OF_OFPBRC_BAD_LEN;
	part = cursor_sub(c, len);
	cursor_skip(&part, 2);
	wire_read(&part, fixed_wire, f);
	if (part.failed)
		return OF_OFPBRC_BAD_LEN;
	f->name[OF_TABLE_NAME_LEN - 1] = '\0';
	if (version < OF15)
		f->command = 0;
	else if (f->command >= COMMANDS)
		return OF_OFPTFFC_BAD_COMMAND;
	return get_props(&part, f);
}
