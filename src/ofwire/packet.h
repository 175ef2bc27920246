/* SPDX-License-Identifier: Apache-2.0 */
/* Packets to and from a controller.
 *
 * What      PACKET_IN in the forms of all versions, NXT_PACKET_IN and
 *           PACKET_IN2 with userdata and continuation, RESUME, PACKET_OUT.
 * Why so    what is known of a packet is a match over its metadata (in_port,
 *           tunnel, registers), whatever of it a form has room for.
 * Owns      packet, userdata and continuation point into somebody's memory; a
 *           decoded packet-out owns its actions.
 * Threads   values.
 * Refs      OpenFlow 1.0.0 5.3.6, 5.4.1; 1.5.1 7.3.6, 7.4.1; nicira-ext.h. */
#ifndef OFWIRE_PACKET_H
#define OFWIRE_PACKET_H

#include "ofwire/acts.h"
#include "ofwire/match.h"

enum of_packet_in_reason {
	OF_REASON_NO_MATCH, /* 1.3 on: from a table-miss rule */
	OF_REASON_ACTION,
	OF_REASON_INVALID_TTL,
	OF_REASON_ACTION_SET, /* 1.4 on; before: ACTION */
	OF_REASON_GROUP,
	OF_REASON_PACKET_OUT,
};

/* As SET_PACKET_IN_FORMAT has them. */
enum of_packet_in_form { OF_PIN_STANDARD, OF_PIN_NXT, OF_PIN_NXT2 };

struct of_packet_in {
	const void *packet;
	size_t len;         /* bytes that are there */
	uint32_t total_len; /* of the packet */
	uint32_t buffer_id;
	uint8_t reason, table;
	uint64_t cookie;
	struct match metadata;
	/* PACKET_IN2 and RESUME: may be empty. A continuation is the switch's
	 * own business, handed back as it was: properties (prop.h), so that
	 * others can walk over them. */
	struct cursor userdata, continuation;
	bool has_continuation;
};

void of_packet_in_encode(struct of_out *o, enum of_packet_in_form form,
			 unsigned version, uint32_t xid,
			 const struct of_packet_in *pi);
/* Kinds PACKET_IN and RESUME. */
enum of_error of_packet_in_decode(const struct of_msg *m,
				  struct of_packet_in *pi) MUST_CHECK;
void of_resume_encode(struct of_out *o, unsigned version, uint32_t xid,
		      const struct of_packet_in *pi);

struct of_packet_out {
	uint32_t buffer_id;
	struct match metadata; /* in_port, and 1.5: any pipeline field */
	struct of_acts acts;
	const void *packet; /* when buffer_id is none */
	size_t len;
};

void of_packet_out_fini(struct of_packet_out *po);
enum of_error of_packet_out_decode(const struct of_msg *m,
				   struct of_packet_out *po) MUST_CHECK;
/* False when the version cannot say it; o is then as before. */
bool of_packet_out_encode(struct of_out *o, unsigned version, uint32_t xid,
			  const struct of_packet_out *po);

#endif
