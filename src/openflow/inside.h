/* SPDX-License-Identifier: Apache-2.0 */
/* Inside openflow: a connection, and what its files share.
 *
 * What      struct of_conn and struct of_hub; who serves which message.
 * Why so    conn.c frames and chooses; the others serve: serve.c what concerns
 *           the connection, mods.c changes, stats.c questions, bundle.c
 *           bundles; async.c tells.
 * Invariant C1 each request has one answer at most, or one error. C2 what a
 *           connection makes us keep is bounded by BUNDLES_MAX and BUNDLE_BYTES.
 * Threads   the control thread. */
#ifndef OPENFLOW_INSIDE_H
#define OPENFLOW_INSIDE_H

#include "base/list.h"
#include "ofwire/error.h"
#include "ofwire/session.h"
#include "openflow/hub.h"

#define BUNDLES_MAX 16u
#define BUNDLE_BYTES (64u << 20)
#define OF_N_TABLES 254u

struct of_bundle_open {
	struct list link;
	uint32_t id;
	uint16_t flags;
	bool closed;
	struct of_out messages; /* one behind the other */
};

struct of_conn {
	struct list link;
	struct of_hub *hub;
	enum of_conn_kind kind;
	const struct of_conn_ops *ops;
	void *ctx;
	struct of_dialect d; /* version 0: no hello yet */
	uint8_t role;        /* enum of_role */
	uint8_t packet_in_form;
	uint16_t id; /* of a controller, as its actions name it */
	struct of_config config;
	bool listens; /* wants to hear of what happens */
	struct of_async async;
	struct list bundles;
	unsigned n_bundles;
	size_t bundle_bytes;
	const char *why;   /* it is over */
	struct of_out out; /* scratch, empty between messages */
};

struct of_hub {
	struct of_hub_config config;
	char *bridge;
	struct list conns;
	unsigned n_conns;
	bool has_generation;
	uint64_t generation;
};

/* A request being served: its header, its bytes. */
struct of_request {
	struct of_conn *c;
	struct of_msg m;
	const uint8_t *bytes;
	size_t len;
	struct switch_of *of; /* of the bridge */
};

/* conn.c */
void of_conn_send(struct of_conn *c, const void *bytes, size_t n);
/* What stands in c->out goes, and it is empty. */
void of_conn_flush(struct of_conn *c);
void of_conn_end(struct of_conn *c, const char *why);
/* As if it had come by the connection. */
enum of_error of_request_serve(struct of_request *r);

/* serve.c */
enum of_error serve_echo(struct of_request *r);
enum of_error serve_features(struct of_request *r);
enum of_error serve_get_config(struct of_request *r);
enum of_error serve_set_config(struct of_request *r);
enum of_error serve_barrier(struct of_request *r);
enum of_error serve_role(struct of_request *r);
enum of_error serve_get_async(struct of_request *r);
enum of_error serve_set_async(struct of_request *r);
enum of_error serve_number(struct of_request *r);
void serve_async_default(struct of_async *a);

/* mods.c */
enum of_error mods_flow(struct of_request *r);
enum of_error mods_group(struct of_request *r);
enum of_error mods_port(struct of_request *r);
enum of_error mods_table(struct of_request *r);
enum of_error mods_packet_out(struct of_request *r);

/* stats.c */
enum of_error stats_serve(struct of_request *r);

/* bundle.c */
enum of_error bundle_control(struct of_request *r);
enum of_error bundle_add(struct of_request *r);
void bundle_forget_all(struct of_conn *c);

/* async.c: told to all connections that listen. */
extern const struct switch_of_ops async_ops; /* ctx: the hub */
void async_role(struct of_conn *c, uint8_t reason);

#endif
