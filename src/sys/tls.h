/* SPDX-License-Identifier: Apache-2.0 */
/* TLS over a non-blocking socket, both sides with certificates.
 *
 * What      tls_config: private key, certificate and CA as the SSL table and
 *           --private-key name them; tls: one connection.
 * Why so    a peer is whoever holds a certificate of our CA: without one a
 *           handshake fails, in both directions. Files are read again when they
 *           changed, so a renewed certificate needs no restart.
 * Invariant S1 TLS 1.2 at least.  S2 nothing blocks: a call that cannot go on
 *           says what it waits for.  S3 with bootstrap and no CA file, the
 *           first server's CA is written down, that connection is refused, and
 *           from the next one on it is verified.
 * Threads   the loop's.
 * Owns      OpenSSL's objects; the socket stays the caller's.
 * Refs      RFC 5246, RFC 8446, ovsdb-server(1) "SSL Configuration". */
#ifndef SYS_TLS_H
#define SYS_TLS_H

#include <sys/types.h>

#include "base/err.h"

struct tls;
struct tls_config;

struct tls_files {
	const char *private_key; /* PEM; all three are wanted */
	const char *certificate;
	const char *ca_cert;
	bool bootstrap_ca_cert; /* ca_cert may be missing as yet */
	const char
		*peer_ca_cert; /* sent along for a peer's bootstrap, or NULL */
	const char *protocols; /* "TLSv1.2,TLSv1.3"; NULL: both */
	const char *ciphers;   /* OpenSSL's list for 1.2; NULL: its own */
	const char *ciphersuites; /* for 1.3 */
};

/* NULL and the sentence when a file cannot be read, is no PEM, or key and
 * certificate do not belong together. */
struct tls_config *tls_config_create(const struct tls_files *files,
				     struct err *e) MUST_CHECK;
struct tls_config *tls_config_ref(struct tls_config *c);
void tls_config_unref(struct tls_config *c);

/* Never NULL. */
struct tls *tls_create(struct tls_config *c, int fd, bool is_server);
/* Tells the peer goodbye when that is possible at once. */
void tls_destroy(struct tls *t);

/* All three: -EAGAIN: wait for what tls_wants says, then call again;
 * -EPROTO: it failed, tls_error says why. */
int tls_handshake(struct tls *t) MUST_CHECK;
/* Bytes read, 0 at an orderly end. */
ssize_t tls_read(struct tls *t, void *buf, size_t n) MUST_CHECK;
/* Bytes written. After -EAGAIN the same bytes come first again. */
ssize_t tls_write(struct tls *t, const void *buf, size_t n) MUST_CHECK;
/* WATCH_READ or WATCH_WRITE. */
unsigned tls_wants(const struct tls *t);
/* Bytes that are decrypted already: the socket need not become readable. */
bool tls_has_pending(const struct tls *t);
/* A clause; never NULL. */
const char *tls_error(const struct tls *t);
/* The common name of the peer's certificate, or NULL. */
const char *tls_peer_cn(const struct tls *t);

#endif
