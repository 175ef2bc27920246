/* SPDX-License-Identifier: Apache-2.0 */
/* Meters: changes, configuration, statistics, features.
 *
 * What      METER_MOD, METER_CONFIG, METER statistics and METER_FEATURES of 1.3
 *           to 1.5.
 * Why so    a configuration is a change said back: one struct for both.
 * Invariant D1 a decoded meter has bands of known types only.
 * Owns      struct of_meter its bands.
 * Threads   values.
 * Refs      OpenFlow 1.3.5 7.3.4.4, 7.3.5.12 to 7.3.5.14. */
#ifndef OFWIRE_METER_H
#define OFWIRE_METER_H

#include "ofwire/message.h"

enum of_meter_command { OF_METER_ADD, OF_METER_MODIFY, OF_METER_DELETE };

#define OF_METER_KBPS 1u
#define OF_METER_PKTPS 2u
#define OF_METER_BURST 4u
#define OF_METER_STATS 8u

enum of_band_type { OF_BAND_DROP = 1, OF_BAND_DSCP = 2 };

struct of_band {
	uint16_t type;
	uint8_t prec_level; /* of DSCP remarking */
	uint32_t rate, burst;
};

struct of_meter {
	uint16_t command, flags;
	uint32_t id;
	struct of_band *bands;
	size_t n_bands;
};

void of_meter_fini(struct of_meter *m);
void of_meter_mod_encode(struct of_out *o, unsigned version, uint32_t xid,
			 const struct of_meter *m);
enum of_error of_meter_mod_decode(const struct of_msg *msg,
				  struct of_meter *m) MUST_CHECK;

/* One part of METER_CONFIG_STATS_REPLY. */
void of_meter_config_put(struct of_out *o, const struct of_meter *m);
enum of_error of_meter_config_get(struct cursor *c,
				  struct of_meter *m) MUST_CHECK;

/* METER_STATS_REQUEST, METER_CONFIG_STATS_REQUEST. */
void of_meter_query_encode(struct of_out *o, enum of_kind kind,
			   unsigned version, uint32_t xid, uint32_t id);
enum of_error of_meter_query_decode(const struct of_msg *m,
				    uint32_t *id) MUST_CHECK;

struct of_band_stats {
	uint64_t packets, bytes;
};

struct of_meter_stats {
	uint32_t id, flows;
	uint64_t packets, bytes;
	uint32_t duration_sec, duration_nsec;
	struct of_band_stats *bands;
	size_t n_bands;
};

void of_meter_stats_put(struct of_out *o, const struct of_meter_stats *s);
enum of_error of_meter_stats_get(struct cursor *c,
				 struct of_meter_stats *s) MUST_CHECK;
void of_meter_stats_fini(struct of_meter_stats *s);

struct of_meter_features {
	uint32_t max_meters, band_types, capabilities;
	uint8_t max_bands, max_color;
};

void of_meter_features_encode(struct of_out *o, unsigned version, uint32_t xid,
			      const struct of_meter_features *f);
enum of_error of_meter_features_decode(const struct of_msg *m,
				       struct of_meter_features *f) MUST_CHECK;

#endif
