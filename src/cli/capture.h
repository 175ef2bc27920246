/* SPDX-License-Identifier: Apache-2.0 */
/* Capturing, from the command's side.
 *
 * What      asks the daemon for a capture and writes what comes to a file, a pipe
 *           or the terminal, until it is enough; what `weft capture`, `weft trace`
 *           and Wireshark's extcap share.
 * Why so    libpcap's compiler meets what a user types here, not in the daemon.
 * Threads   the main thread waits for the daemon; one more waits for signals.
 * Refs      pcap-filter(7). */
#ifndef CLI_CAPTURE_H
#define CLI_CAPTURE_H

#include "cli/cli.h"

/* Adds the compiled filter to what is asked; "" adds nothing. 0, or -1 with
 * libpcap's own words. */
int filter_put(const char *text, struct json_object *params,
	       struct err *e) MUST_CHECK;

/* Adds the n-th packet (from 1) of the file --pcap names, or tells why not: an
 * exit status. */
int pcap_put(struct cli *c, uint64_t n, struct json_object *params) MUST_CHECK;

struct capture_sink {
	struct cli *c;
	/* Takes what comes; false: nobody wants more. */
	bool (*take)(struct capture_sink *s, const char *bytes, size_t len);
	int fd;             /* the file or pipe */
	struct str partial; /* a line not yet whole */
	unsigned n;         /* traces drawn */
};

/* Writes to s->fd. */
bool capture_write(struct capture_sink *s, const char *bytes, size_t len);
/* Runs until enough, a signal, or the end of the daemon. Takes `params`. The exit
 * status; *done, when it is CLI_OK, is what the daemon says in the end, to be put. */
int capture_run(struct capture_sink *s, struct json_object *params,
		struct json_object **done);

/* main() when called as weft-extcap. */
int extcap_main(int argc, const char *const *argv);

#endif
