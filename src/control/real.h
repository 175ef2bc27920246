/* SPDX-License-Identifier: Apache-2.0 */
/* Real ports: what stands for each port of the view.
 *
 * What      a port object, its number, what it was made from, whether it is in
 *           the datapath, and the sentence of what is missing.
 * Why so    the port stays while its device comes and goes (decision D6): a
 *           device that appears is attached, one that vanishes is let go, and
 *           the configuration does not change.
 * Invariant P1 in the datapath exactly while attached. P2 `key` says all that a
 *           change of which needs the port made anew; what can be changed in
 *           place is not in it. P3 a NIC is adopted before it is attached and
 *           given back after it was detached. P4 a namespace that a process
 *           names is that process's: once it has ended, no other that bears its
 *           number is given the port.
 * Threads   the control thread.
 * Owns      port objects and their strings. */
#ifndef CONTROL_REAL_H
#define CONTROL_REAL_H

#include "base/list.h"
#include "model/view.h"
#include "port/adopt.h"
#include "port/port.h"
#include "switch/switch.h"
#include "sys/process.h"

enum real_kind {
	REAL_TAP,
	REAL_TUN,
	REAL_VETH,
	REAL_NIC,
	REAL_HOST,
	REAL_TUNNEL,
	REAL_PATCH,
	REAL_DUMMY,
	REAL_STREAM,
};

struct real_port {
	struct list link;
	char *name;
	char *key;
	enum real_kind kind;
	struct port *port;
	uint32_t id;
	bool attached;
	bool failed; /* rx said its device is gone; waits for it to be back */
	bool wanted; /* in the view being realised */
	bool adopted;
	unsigned readopt_in; /* looks until what came late is moved; 0: none */
	bool was_up;         /* stream: at the last look */
	char *target; /* NIC: the host device it gives its addresses to */
	char *netns;  /* veth: the far end's namespace, NULL: here */
	/* Whose namespace it is, when a process names it: held from the first
	 * attach on. */
	struct process process;
	struct real *real;
	char *missing; /* why it is not attached; NULL: it is */
};

struct real {
	struct list ports;
	struct vswitch *sw;
	const char *run;   /* folder of sockets; set with loop */
	struct loop *loop; /* set with process_ended, before the first attach */
	void (*process_ended)(void *ctx, struct real_port *p);
	void *ctx;
	struct adopt adopt;
	/* Numbers of ports that are gone. The switch may still send to them
	 * until it was given a configuration without them, so no new port may
	 * have one before: else it would be given another's frames. */
	uint32_t *gone;
	unsigned n_gone;
};

void real_init(struct real *r, struct vswitch *sw, const struct adopt *a);
/* Lets go of all; devices stay when `keep`. */
void real_fini(struct real *r, bool keep);
struct real_port *real_find(const struct real *r, const char *name);
struct real_port *real_by_id(const struct real *r, uint32_t id);

/* What a port of the view has to be made from. */
struct real_spec {
	const struct model_view *view;
	uint32_t port; /* index of the view's port, or VIEW_NONE */
	uint32_t
		bridge; /* VIEW_NONE port: index of the bridge whose host device
			  * it is; both none: the tunnel */
};

/* What it is called; static text for the tunnel. */
const char *real_spec_name(const struct real_spec *s);
/* The text of P2, to be freed. */
char *real_spec_key(const struct real_spec *s);
/* Makes the port object (no device yet). NULL with a sentence. */
struct real_port *real_create(struct real *r, const struct real_spec *s,
			      struct err *e) MUST_CHECK;
/* Device and datapath. 0 also when the device is not there yet: `missing` says
 * so. Another failure leaves it detached. */
int real_attach(struct real *r, struct real_port *p, struct err *e) MUST_CHECK;
/* Moves what an adopted NIC was given since, by whoever manages it. */
int real_readopt(struct real *r, struct real_port *p, struct err *e) MUST_CHECK;
void real_detach(struct real *r, struct real_port *p, bool keep);
/* Why an attached port lost its device; to be freed. */
char *real_gone_text(const struct real_port *p);
/* Brings what can be changed in place (addresses, MTU, MAC) to the spec. */
int real_update(struct real *r, struct real_port *p, const struct real_spec *s,
		struct err *e) MUST_CHECK;
/* Detaches, removes what was made, frees; its number is kept aside. */
void real_destroy(struct real *r, struct real_port *p, bool keep);
/* The switch knows nothing of the ports that are gone any more. */
void real_release_numbers(struct real *r);

#endif
