/* SPDX-License-Identifier: Apache-2.0 */
/* Packet filters: what tcpdump's language is compiled to, run on bytes.
 *
 * What      the classic BPF machine: checks a program, then runs it on a packet.
 * Why so    libpcap compiles, in the unprivileged command; the daemon runs what
 *           comes out on the packet path and so takes none of libpcap's code or
 *           of the seven libraries behind it. The tests hold every answer against
 *           libpcap's own.
 * Invariant B1 a checked program ends: jumps go forwards only, inside it. B2 no
 *           load leaves the packet or the scratch memory: the packet is refused.
 *           B3 it never divides by zero.
 * Bounds    FILTER_MAX instructions, each run at most once a packet.
 * Threads   a program is read only; any number may run it.
 * Refs      bpf(4) of BSD; McCanne, Jacobson 1993. */
#ifndef PACKET_FILTER_H
#define PACKET_FILTER_H

#include "base/err.h"

#define FILTER_MAX 4096u
#define FILTER_MEMORY 16u

struct filter_op {
	uint16_t code;
	uint8_t jt, jf; /* how far to jump when true, false */
	uint32_t k;
};

struct filter {
	unsigned n; /* 0: lets all pass */
	const struct filter_op *ops;
};

/* May it be run? -EINVAL with a sentence: it came from outside. */
int filter_check(const struct filter *f, struct err *e) MUST_CHECK;
/* Does the packet pass? `f` was checked. */
bool filter_pass(const struct filter *f, const void *bytes, uint32_t len);

/* As text, 16 hexadecimal digits an instruction; parse: how many were read into
 * `ops` (room for FILTER_MAX), or -EINVAL with a sentence. */
int filter_parse(const char *text, struct filter_op *ops,
		 struct err *e) MUST_CHECK;

#endif
