/* SPDX-License-Identifier: Apache-2.0 */
/* Errors: what was wrong with a message, and how each version says so.
 *
 * What      one enum over the errors of all versions and of the extensions
 *           (errors.def), 0 meaning none; and the OFPT_ERROR message.
 * Why so    a decoder names the fault once; the type and code that a version
 *           has for it, or the experimenter form, is a table's business.
 * Threads   read-only tables; values.
 * Refs      OpenFlow 1.5.1 7.5.4 (Error Message); nicira-ext.h for 0x2320. */
#ifndef OFWIRE_ERROR_H
#define OFWIRE_ERROR_H

#include "ofwire/message.h"

/* The cause that a peer was told, or tells us, with the start of the message
 * that had it. `data` points into what was decoded. */
struct of_error_msg {
	enum of_error error; /* OF_OK when no table knows type and code */
	uint16_t type, code;
	uint32_t vendor; /* 0: the specification's own */
	const void *data;
	size_t len;
};

/* "OFPBRC_BAD_LEN"; NULL for OF_OK. */
const char *of_error_name(enum of_error e);
/* By that name; OF_OK when there is none. */
enum of_error of_error_by_name(const char *name);
/* By what a version has on the wire; OF_OK when nothing is known. */
enum of_error of_error_by_code(unsigned version, uint32_t vendor, uint16_t type,
			       uint16_t code);

/* Answers `request` (len bytes as received; at most OF_ERROR_ECHO_MAX of them
 * are repeated) in its version and xid. An error that its version cannot say
 * becomes OFPBRC_... UNENCODABLE, as the extension has it. */
#define OF_ERROR_ECHO_MAX 64u
void of_error_encode(struct of_out *o, enum of_error e, const void *request,
		     size_t len);
/* An OFPHFC error (failed handshake) carries text, and no request. */
void of_error_encode_hello(struct of_out *o, unsigned version, uint32_t xid,
			   const char *text);
enum of_error of_error_decode(const struct of_msg *m,
			      struct of_error_msg *out) MUST_CHECK;

#endif
