/* SPDX-License-Identifier: Apache-2.0 */
/* Groups: changes, description, statistics, features.
 *
 * What      GROUP_MOD of 1.1 to 1.5 and of Nicira for 1.0, GROUP_DESC, GROUP
 *           statistics, GROUP_FEATURES; buckets with their actions, and the
 *           selection method as an extension of 1.5's properties.
 * Why so    a description is a change said back: one struct for both.
 * Invariant G1 a decoded change holds what 1.5.1 7.3.4.4 asks of its type:
 *           commands, weights, liveness; whether the group exists is not asked.
 * Owns      struct of_group its buckets, they their actions.
 * Threads   values.
 * Refs      OpenFlow 1.1.0 A.3.4.2, 1.5.1 7.3.4.4, 7.3.5.9 to 7.3.5.11. */
#ifndef OFWIRE_GROUP_H
#define OFWIRE_GROUP_H

#include "ofwire/acts.h"

enum of_group_type {
	OF_GROUP_TYPE_ALL,
	OF_GROUP_TYPE_SELECT,
	OF_GROUP_TYPE_INDIRECT,
	OF_GROUP_TYPE_FF,
	N_OF_GROUP_TYPES
};

enum of_group_command {
	OF_GROUP_ADD,
	OF_GROUP_MODIFY,
	OF_GROUP_DELETE,
	OF_GROUP_INSERT_BUCKET,
	OF_GROUP_REMOVE_BUCKET = 5,
	OF_GROUP_ADD_OR_MODIFY = 0x8000,
};

#define OF_BUCKET_MAX 0xffffff00u
#define OF_BUCKET_FIRST 0xfffffffdu
#define OF_BUCKET_LAST 0xfffffffeu
#define OF_BUCKET_ALL 0xffffffffu

#define OF_METHOD_LEN 16u
#define OF_METHOD_FIELDS 32u

struct of_bucket {
	uint32_t id;
	uint16_t weight;
	uint32_t watch_port, watch_group; /* OF_PORT_NONE, OF_GROUP_ANY */
	struct of_acts acts;
};

struct of_method_field {
	uint16_t field;
	struct field_value mask;
};

struct of_group {
	uint16_t command;
	uint8_t type;
	uint32_t id;
	uint32_t command_bucket; /* of insert and remove */
	struct of_bucket *buckets;
	size_t n_buckets;
	/* Selection of select groups; "" when not said. */
	char method[OF_METHOD_LEN];
	uint64_t method_param;
	unsigned n_fields;
	struct of_method_field fields[OF_METHOD_FIELDS];
};

void of_group_fini(struct of_group *g);
/* A new last bucket, zeroed but for its watches. */
struct of_bucket *of_group_bucket(struct of_group *g);

enum of_error of_group_mod_decode(const struct of_msg *m,
				  struct of_group *g) MUST_CHECK;
/* False when the version cannot say it; o is then as before. */
bool of_group_mod_encode(struct of_out *o, unsigned version, uint32_t xid,
			 const struct of_group *g);

/* One part of GROUP_DESC_STATS_REPLY. */
void of_group_desc_put(struct of_out *o, unsigned version,
		       const struct of_group *g);
enum of_error of_group_desc_get(struct cursor *c, unsigned version,
				struct of_group *g) MUST_CHECK;

/* GROUP_STATS_REQUEST; GROUP_DESC_STATS_REQUEST before 1.5 asks for all. */
void of_group_query_encode(struct of_out *o, enum of_kind kind,
			   unsigned version, uint32_t xid, uint32_t id);
enum of_error of_group_query_decode(const struct of_msg *m,
				    uint32_t *id) MUST_CHECK;

struct of_bucket_stats {
	uint64_t packets, bytes;
};

struct of_group_stats {
	uint32_t id, refs;
	uint64_t packets, bytes;
	uint32_t duration_sec, duration_nsec;
	struct of_bucket_stats *buckets;
	size_t n_buckets;
};

void of_group_stats_put(struct of_out *o, unsigned version,
			const struct of_group_stats *s);
enum of_error of_group_stats_get(struct cursor *c, unsigned version,
				 struct of_group_stats *s) MUST_CHECK;
void of_group_stats_fini(struct of_group_stats *s);

/* By type, as enum of_group_type has them. `actions` are bits of 1.1's action
 * types. */
struct of_group_features {
	uint32_t types, capabilities;
	uint32_t max_groups[N_OF_GROUP_TYPES], actions[N_OF_GROUP_TYPES];
};

void of_group_features_encode(struct of_out *o, unsigned version, uint32_t xid,
			      const struct of_group_features *f);
enum of_error of_group_features_decode(const struct of_msg *m,
				       struct of_group_features *f) MUST_CHECK;

#endif
