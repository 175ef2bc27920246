/* SPDX-License-Identifier: Apache-2.0 */
/* What two ends of a connection tell each other about themselves.
 *
 * What      hello with its bitmap of versions, echo, features, configuration,
 *           role, asynchronous configuration, controller id, formats, bundles.
 * Why so    none of it touches a table of the pipeline.
 * Owns      nothing: `data` members point into what was decoded.
 * Threads   values.
 * Refs      OpenFlow 1.5.1 7.3.1, 7.3.2, 7.3.8 to 7.3.11, 7.4, 7.5;
 *           nicira-ext.h for the vendor forms before 1.2. */
#ifndef OFWIRE_SESSION_H
#define OFWIRE_SESSION_H

#include "ofwire/message.h"

/* Versions as a set: bit n is version n, as the bitmap has them on the wire. */
#define OF_VERSIONS_ALL 0x7eu
void of_hello_encode(struct of_out *o, uint32_t versions, uint32_t xid);
/* Without a bitmap: all up to the header's version. A hello whose elements lie
 * counts as one without. */
uint32_t of_hello_decode(const struct of_msg *m);
/* The highest version of both; 0: none. */
unsigned of_versions_agree(uint32_t a, uint32_t b);

/* The reply repeats what came. */
void of_echo_encode(struct of_out *o, enum of_kind kind, unsigned version,
		    uint32_t xid, struct cursor data);

#define OF_CAP_FLOW_STATS 0x1u
#define OF_CAP_TABLE_STATS 0x2u
#define OF_CAP_PORT_STATS 0x4u
#define OF_CAP_GROUP_STATS 0x8u /* 1.1 on */
#define OF_CAP_IP_REASM 0x20u
#define OF_CAP_QUEUE_STATS 0x40u
#define OF_CAP_ARP_MATCH_IP 0x80u     /* 1.0, 1.1 */
#define OF_CAP_PORT_BLOCKED 0x100u    /* 1.2 on */
#define OF_CAP_BUNDLES 0x200u         /* 1.5 */
#define OF_CAP_FLOW_MONITORING 0x400u /* 1.5 */

struct of_features {
	uint64_t datapath_id;
	uint32_t n_buffers;
	uint32_t capabilities;
	uint32_t actions; /* 1.0: bits of enum ofp_action_type */
	uint8_t n_tables;
	uint8_t auxiliary_id; /* 1.3 on */
	struct cursor ports;  /* decoded: before 1.3, for of_port_decode */
};

/* Ports are added by the caller (of_port_encode) before of_msg_end. */
size_t of_features_begin(struct of_out *o, unsigned version, uint32_t xid,
			 const struct of_features *f);
enum of_error of_features_decode(const struct of_msg *m,
				 struct of_features *f) MUST_CHECK;

/* flags: how fragments are treated. */
enum of_frag_mode { OF_FRAG_NORMAL, OF_FRAG_DROP, OF_FRAG_REASM, OF_FRAG_NX };
#define OF_CONFIG_FRAG_MASK 0x3u
#define OF_CONFIG_INVALID_TTL 0x4u /* 1.1, 1.2 */

struct of_config {
	uint16_t flags, miss_send_len;
};

void of_config_encode(struct of_out *o, enum of_kind kind, unsigned version,
		      uint32_t xid, const struct of_config *config);
enum of_error of_config_decode(const struct of_msg *m,
			       struct of_config *config) MUST_CHECK;

enum of_role { OF_ROLE_NOCHANGE, OF_ROLE_EQUAL, OF_ROLE_MASTER, OF_ROLE_SLAVE };

struct of_role_msg {
	uint8_t role;   /* enum of_role */
	uint8_t reason; /* role status: 0 master request, 1 config, 2 expired */
	bool has_generation;
	uint16_t short_id; /* 1.5 */
	uint64_t generation_id;
};

/* Of the kinds ROLE_REQUEST, ROLE_REPLY and ROLE_STATUS. */
void of_role_encode(struct of_out *o, enum of_kind kind, unsigned version,
		    uint32_t xid, const struct of_role_msg *role);
enum of_error of_role_decode(const struct of_msg *m,
			     struct of_role_msg *role) MUST_CHECK;

enum of_async_type {
	OF_ASYNC_PACKET_IN,
	OF_ASYNC_PORT_STATUS,
	OF_ASYNC_FLOW_REMOVED,
	OF_ASYNC_ROLE_STATUS,
	OF_ASYNC_TABLE_STATUS,
	OF_ASYNC_REQUESTFORWARD,
	N_OF_ASYNC
};

/* One bit a reason. */
struct of_async {
	uint32_t master[N_OF_ASYNC]; /* and equal */
	uint32_t slave[N_OF_ASYNC];
};

/* Kinds SET_ASYNC_CONFIG (before 1.3 as NXT_SET_ASYNC_CONFIG) and
 * GET_ASYNC_REPLY. Decoding changes what the message names, leaving the rest of
 * *a as it was; on error *a is untouched. */
void of_async_encode(struct of_out *o, enum of_kind kind, unsigned version,
		     uint32_t xid, const struct of_async *a);
enum of_error of_async_decode(const struct of_msg *m,
			      struct of_async *a) MUST_CHECK;

/* Messages with one number: SET_FLOW_FORMAT (0 or 2), SET_PACKET_IN_FORMAT (0
 * standard, 1 NXT, 2 NXT2), SET_CONTROLLER_ID, FLOW_MOD_TABLE_ID (0 or 1),
 * CT_FLUSH_ZONE, FLOW_MONITOR_CANCEL. */
void of_number_encode(struct of_out *o, enum of_kind kind, unsigned version,
		      uint32_t xid, uint32_t number);
enum of_error of_number_decode(const struct of_msg *m,
			       uint32_t *number) MUST_CHECK;

enum of_bundle_type {
	OF_BUNDLE_OPEN_REQUEST,
	OF_BUNDLE_OPEN_REPLY,
	OF_BUNDLE_CLOSE_REQUEST,
	OF_BUNDLE_CLOSE_REPLY,
	OF_BUNDLE_COMMIT_REQUEST,
	OF_BUNDLE_COMMIT_REPLY,
	OF_BUNDLE_DISCARD_REQUEST,
	OF_BUNDLE_DISCARD_REPLY,
};
#define OF_BUNDLE_ATOMIC 1u
#define OF_BUNDLE_ORDERED 2u

struct of_bundle {
	uint32_t id;
	uint16_t type; /* of control messages */
	uint16_t flags;
	const void *message; /* of add: the message in it, whole */
	size_t len;
};

/* Kinds BUNDLE_CONTROL and BUNDLE_ADD_MESSAGE; in 1.3 ONF's extension. */
void of_bundle_encode(struct of_out *o, enum of_kind kind, unsigned version,
		      uint32_t xid, const struct of_bundle *b);
enum of_error of_bundle_decode(const struct of_msg *m,
			       struct of_bundle *b) MUST_CHECK;

/* REQUESTFORWARD: the whole message that another controller sent. */
void of_forward_encode(struct of_out *o, unsigned version, uint32_t xid,
		       const void *message, size_t len);
enum of_error of_forward_decode(const struct of_msg *m, const void **message,
				size_t *len) MUST_CHECK;

#endif
