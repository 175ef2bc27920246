/* SPDX-License-Identifier: Apache-2.0 */
/* What a capture's records become: pcapng, lines for people, or traces.
 *
 * What      turns records of dp/capture.h into bytes for the client: packets as
 *           they are or as the wire has them (segments, finished checksums), in
 *           a tunnel or with the tunnel's headers in front, with comments that say
 *           what was decided.
 * Why so    the worker only copies; what costs time is done here.
 * Bounds    CAPTURE_TRACES_PER_S traces a second; the rest is counted.
 * Threads   the control thread.
 * Owns      its buffer, its packets, its table of interfaces. */
#ifndef CONTROL_CAPTURE_OUT_H
#define CONTROL_CAPTURE_OUT_H

#include "base/str.h"
#include "dp/capture.h"

#define CAPTURE_TRACES_PER_S 20u

struct control;

enum capture_format { CAPTURE_PCAPNG, CAPTURE_TEXT, CAPTURE_TRACE };

struct capture_out {
	struct control *c;
	enum capture_format format;
	bool wire;  /* segmented, checksums finished */
	bool outer; /* a tunnel's packets with the headers that carry them */
	uint32_t snap;
	const char *filter; /* as the user wrote it, or NULL */
	struct str bytes;   /* made, not yet sent */
	uint64_t n_given;   /* records that were written */
	uint64_t n_skipped; /* not traced: too many */
	uint64_t lost_told;
	int64_t wall_ns; /* to be added to the datapath's clock */
	uint64_t started_ns;
	uint32_t *
		interface_of; /* by port and kind: number + 1; lazily touched */
	/* Those told of, each once. */
	struct capture_interface {
		char *name;
		uint16_t link_type;
	} * interfaces;
	uint32_t n_interfaces;
	uint64_t second; /* the one of which traces are counted */
	unsigned n_in_second;
	struct packet_pool *pool;
};

/* False when the kernel refuses the address space. */
bool capture_out_init(struct capture_out *o) MUST_CHECK;
void capture_out_fini(struct capture_out *o);
/* What stands in front. */
void capture_out_begin(struct capture_out *o);
/* The port will have packets. */
void capture_out_port(struct capture_out *o, uint32_t port);
/* `lost`: copies that found no room, in all so far. */
void capture_out_add(struct capture_out *o, const struct capture_record *r,
		     uint64_t lost);
void capture_out_end(struct capture_out *o, uint64_t lost);
/* Port numbers mean other ports now. */
void capture_out_forget_ports(struct capture_out *o);

#endif
