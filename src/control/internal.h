/* SPDX-License-Identifier: Apache-2.0 */
/* Inside control: what its files share.
 *
 * What      the struct of control, and what realise, watch, show, explain and the
 *           methods offer each other.
 * Why so    the public header stays a page.
 * Threads   the control thread. */
#ifndef CONTROL_INTERNAL_H
#define CONTROL_INTERNAL_H

#include "control/captures.h"
#include "control/confirm.h"
#include "control/control.h"
#include "control/desire.h"
#include "control/events.h"
#include "control/examine.h"
#include "control/explain_far.h"
#include "control/metrics.h"
#include "control/openflow.h"
#include "control/progress.h"
#include "control/real.h"
#include "sys/loop.h"
#include "sys/netns.h"
#include "sys/nl.h"
#include "sys/nl_monitor.h"

struct rpc_call;
struct rpc_server;
struct store;
struct json_object;

struct control {
	struct control_config config;
	struct vswitch *sw;
	struct nl *nl;
	struct nl_monitor *monitor;
	struct netns_watch *netns;
	struct real real;
	struct peer_numbers peers;
	struct model *model;     /* applied */
	struct model_view *view; /* of it */
	struct store *store;
	struct desire desire; /* what the switch was given last */
	struct rpc_server *rpc;
	struct defer rebuild; /* the loop guard's wish */
	struct timer look;    /* for what no event tells */
	uint64_t started_ms;
	struct events events;
	struct examinations examinations;
	struct metrics metrics;
	struct captures captures;
	struct confirm confirm;
	struct progress progress; /* of the change that is being made */
	struct explain_far far;
	struct openflow_sockets openflow;
};

/* realise.c: from what is to a view. On failure what is stands somewhere in
 * between: the caller realises the old view again. */
int control_realise(struct control *c, const struct model_view *v,
		    struct err *e) MUST_CHECK;
/* The undo of one that failed. */
int control_realise_back(struct control *c, const struct model_view *v,
			 struct err *e) MUST_CHECK;
/* The same configuration once more. */
void control_rebuild(void *arg);
/* Nothing: for the end, and the undo of the first apply. */
void control_clear(struct control *c, bool keep);

/* watch.c: devices and namespaces that come and go; processes that ports name by
 * number, known before the first port is attached. */
void control_watch_processes(struct control *c);
int control_watch(struct control *c, struct err *e) MUST_CHECK;
void control_unwatch(struct control *c);
void control_port_failed(void *arg, uint32_t port, int error);

/* news.c: what the switch tells of (switch_events). */
void news_moved(void *arg, const char *bridge, const struct move *m,
		uint64_t lost);
void news_flap(void *arg, const char *bridge, const struct mac_flap *f);
void news_neighbour(void *arg, const char *domain, const struct ip_addr *ip,
		    struct eth_addr mac);

/* methods.c */
int control_listen(struct control *c, struct err *e) MUST_CHECK;
void control_unlisten(struct control *c);

/* show.c: the state as JSON; the caller owns the result. NULL: no such kind. */
struct json_object *show_kind(struct control *c, const char *kind);
struct json_object *show_status(struct control *c);
/* drops.c */
struct json_object *show_drops(struct control *c);
/* host.c */
struct json_object *show_host(struct control *c);

/* explain.c */
/* The method "explain". */
void explain_start(struct control *c, struct rpc_call *call,
		   struct json_object *params);
/* The way of a packet with this key, as if it came now. */
struct json_object *explain_key(struct control *c, const struct flow_key *key,
				const char *from);
/* Which rule decided so; false: none, or it would decide otherwise by now. */
struct explain_rule {
	char bridge[64], text[64], file[256];
	unsigned line; /* 0: not of a file */
};
bool explain_rule_of(struct control *c, const struct flow_key *key,
		     struct act_list done, struct explain_rule *out);

#endif
