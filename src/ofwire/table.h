/* SPDX-License-Identifier: Apache-2.0 */
/* Tables and the switch as a whole: description, change, statistics, features.
 *
 * What      TABLE_MOD, TABLE_DESC, TABLE statistics, TABLE_FEATURES, DESC, and
 *           Nicira's table of tunnel options (TLV_TABLE).
 * Why so    what a table may do is a few bitmaps: of instructions, of actions,
 *           of fields, of next tables.
 * Threads   values.
 * Refs      OpenFlow 1.0.0 5.3.5, 1.1.0 A.3.5.4, 1.2 A.3.5.4, 1.5.1 7.3.4.1,
 *           7.3.5.4, 7.3.5.16, 7.3.5.17; nicira-ext.h (nx_tlv_map). */
#ifndef OFWIRE_TABLE_H
#define OFWIRE_TABLE_H

#include "flow/field.h"
#include "ofwire/message.h"

#define OF_TABLE_NAME_LEN 32u
#define OF_TABLE_CONFIG_MASK 3u /* 1.1, 1.2: what a miss does */
#define OF_TABLE_EVICTION 4u    /* 1.4 on */
#define OF_TABLE_VACANCY 8u

#define OF_EVICT_OTHER 1u
#define OF_EVICT_IMPORTANCE 2u
#define OF_EVICT_LIFETIME 4u

struct of_table {
	uint8_t id;
	uint32_t config;
	bool has_eviction, has_vacancy;
	uint32_t eviction;
	uint8_t vacancy_down, vacancy_up, vacancy; /* percent */
};

void of_table_mod_encode(struct of_out *o, unsigned version, uint32_t xid,
			 const struct of_table *t);
enum of_error of_table_mod_decode(const struct of_msg *m,
				  struct of_table *t) MUST_CHECK;
/* One part of TABLE_DESC_REPLY, and what TABLE_STATUS carries. */
void of_table_desc_put(struct of_out *o, const struct of_table *t);
enum of_error of_table_desc_get(struct cursor *c,
				struct of_table *t) MUST_CHECK;

/* TABLE_STATUS: vacancy down (3) or up (4). */
void of_table_status_encode(struct of_out *o, unsigned version, uint32_t xid,
			    uint8_t reason, const struct of_table *t);
enum of_error of_table_status_decode(const struct of_msg *m, uint8_t *reason,
				     struct of_table *t) MUST_CHECK;

/* What before 1.3 says of features is written as given: bits of 1.0's
 * wildcards, 1.2's fields. */
struct of_table_stats {
	uint8_t id;
	char name[OF_TABLE_NAME_LEN];
	uint32_t wildcards10, match11, wildcards11, instructions, write_actions,
		apply_actions, config;
	uint64_t match12, wildcards12, write_fields12, apply_fields12,
		metadata_match, metadata_write;
	uint32_t max, active;
	uint64_t lookups, matches;
};

void of_table_stats_put(struct of_out *o, unsigned version,
			const struct of_table_stats *s);
enum of_error of_table_stats_get(struct cursor *c, unsigned version,
				 struct of_table_stats *s) MUST_CHECK;

struct of_field_set {
	uint64_t bits[DIV_ROUND_UP(N_FIELDS, 64)];
};

static inline void of_field_set_put(struct of_field_set *s, unsigned field)
{
	s->bits[field / 64] |= 1ull << field % 64;
}

static inline bool of_field_set_has(const struct of_field_set *s,
				    unsigned field)
{
	return s->bits[field / 64] >> field % 64 & 1;
}

/* For rules that match, and for the table-miss rule. Instructions and actions
 * are bits by their numbers in 1.3. */
struct of_table_abilities {
	uint32_t instructions, write_actions, apply_actions;
	uint64_t next[4]; /* a bit a table */
	struct of_field_set write_fields, apply_fields;
};

struct of_table_features {
	uint8_t id, command; /* 1.5: 0 replace, 1 modify, 2 enable, 3 disable */
	char name[OF_TABLE_NAME_LEN];
	uint64_t metadata_match, metadata_write;
	uint32_t capabilities, max;
	struct of_table_abilities hit, miss;
	struct of_field_set match, mask; /* fields, and those with any mask */
	bool has_props;                  /* a request may name a table only */
};

/* One part of TABLE_FEATURES_STATS_REQUEST and _REPLY. */
void of_table_features_put(struct of_out *o, unsigned version,
			   const struct of_table_features *f);
enum of_error of_table_features_get(struct cursor *c, unsigned version,
				    struct of_table_features *f) MUST_CHECK;

/* The switch, by name. Each ends with NUL. */
struct of_desc {
	char manufacturer[256], hardware[256], software[256], serial[32],
		datapath[256];
};

void of_desc_encode(struct of_out *o, unsigned version, uint32_t xid,
		    const struct of_desc *d);
enum of_error of_desc_decode(const struct of_msg *m,
			     struct of_desc *d) MUST_CHECK;

/* Tunnel options: which stands in tun_metadata<index>. */
enum of_tlv_command { OF_TLV_ADD, OF_TLV_DELETE, OF_TLV_CLEAR };
#define OF_TLV_MAX 64u
struct of_tlv {
	uint16_t option_class, index;
	uint8_t option_type, option_len;
};

struct of_tlv_table {
	uint16_t command;   /* of a change */
	uint32_t max_space; /* of a reply: bytes, fields */
	uint16_t max_fields;
	unsigned n;
	struct of_tlv maps[OF_TLV_MAX];
};

/* Kinds TLV_TABLE_MOD and TLV_TABLE_REPLY. */
void of_tlv_encode(struct of_out *o, enum of_kind kind, unsigned version,
		   uint32_t xid, const struct of_tlv_table *t);
enum of_error of_tlv_decode(const struct of_msg *m,
			    struct of_tlv_table *t) MUST_CHECK;

#endif
