/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/tls.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "sys/fail.h"
#include "sys/loop.h"

#define WHY_LEN 160
#define CN_LEN 128
/* The certificates that are sent along for a peer's bootstrap. */
#define PEER_CA_MAX 16

enum { KEY, CERT, CA, PEER_CA, N_FILES };

/* What a file was when it was read. */
struct stamp {
	struct timespec mtime;
	off_t size;
};

struct tls_config {
	unsigned n_refs;
	char *path[N_FILES];
	struct stamp stamp[N_FILES];
	char *protocols, *ciphers, *ciphersuites;
	bool bootstrap;
	SSL_CTX *ctx;
};

struct tls {
	struct tls_config *config;
	SSL *ssl;
	bool bootstrapping, broken;
	unsigned wants;
	char why[WHY_LEN];
	char cn[CN_LEN];
};

/* --- what OpenSSL says ---------------------------------------------------------- */

/* The newest cause, and an empty queue of errors. */
static const char *ssl_why(void)
{
	const char *why = NULL;
	unsigned long code = ERR_peek_last_error();

	if (code)
		why = ERR_reason_error_string(code);
	ERR_clear_error();
	return why ? why : "unknown reason";
}

/* --- files ------------------------------------------------------------------------ */

static struct stamp stamp_get(const char *path)
{
	struct stat st;

	if (!path || stat(path, &st))
		return (struct stamp){ 0 };
	return (struct stamp){ st.st_mtim, st.st_size };
}

static bool stamp_equal(const struct stamp *a, const struct stamp *b)
{
	return a->size == b->size && a->mtime.tv_sec == b->mtime.tv_sec &&
	       a->mtime.tv_nsec == b->mtime.tv_nsec;
}

static int load_peer_ca(SSL_CTX *ctx, const char *path, struct err *e)
{
	FILE *f = fopen(path, "re");
	X509 *x;

	if (!f)
		return fail_errno(e, errno, "cannot read %s", path);
	for (unsigned i = 0; i < PEER_CA_MAX; i++) {
		x = PEM_read_X509(f, NULL, NULL, NULL);
		if (!x)
			break;
		if (!SSL_CTX_add_extra_chain_cert(ctx, x)) {
			X509_free(x);
			break;
		}
	}
	ERR_clear_error();
	fclose(f);
	return 0;
}

static int load_ca(SSL_CTX *ctx, const struct tls_config *c, struct err *e)
{
	const char *path = c->path[CA];

	if (c->bootstrap && access(path, F_OK))
		return 0;
	if (!SSL_CTX_load_verify_locations(ctx, path, NULL))
		return err_set(e, "%s: cannot use it as CA certificate: %s",
			       path, ssl_why());
	SSL_CTX_set_client_CA_list(ctx, SSL_load_client_CA_file(path));
	return 0;
}

static int load_own(SSL_CTX *ctx, const struct tls_config *c, struct err *e)
{
	if (SSL_CTX_use_certificate_chain_file(ctx, c->path[CERT]) != 1)
		return err_set(e, "%s: cannot use it as certificate: %s",
			       c->path[CERT], ssl_why());
	if (SSL_CTX_use_PrivateKey_file(ctx, c->path[KEY], SSL_FILETYPE_PEM) !=
	    1)
		return err_set(e, "%s: cannot use it as private key: %s",
			       c->path[KEY], ssl_why());
	return 0;
}

/* "TLSv1.2,TLSv1.3": which of the two may be spoken. */
static int set_protocols(SSL_CTX *ctx, const char *text, struct err *e)
{
	bool two = strstr(text, "TLSv1.2"), three = strstr(text, "TLSv1.3");

	if (!two && !three)
		return err_set(e,
			       "ssl-protocols \"%s\" names neither TLSv1.2 nor "
			       "TLSv1.3: older ones are not spoken",
			       text);
	SSL_CTX_set_min_proto_version(ctx,
				      two ? TLS1_2_VERSION : TLS1_3_VERSION);
	SSL_CTX_set_max_proto_version(ctx,
				      three ? TLS1_3_VERSION : TLS1_2_VERSION);
	return 0;
}

static int set_rules(SSL_CTX *ctx, const struct tls_config *c, struct err *e)
{
	SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE |
				      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
				      SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_verify(
		ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	if (c->protocols && set_protocols(ctx, c->protocols, e))
		return -EINVAL;
	if (c->ciphers && SSL_CTX_set_cipher_list(ctx, c->ciphers) != 1)
		return err_set(e, "ssl-ciphers \"%s\": %s", c->ciphers,
			       ssl_why());
	if (c->ciphersuites &&
	    SSL_CTX_set_ciphersuites(ctx, c->ciphersuites) != 1)
		return err_set(e, "ssl-ciphersuites \"%s\": %s",
			       c->ciphersuites, ssl_why());
	return 0;
}

/* Reads all files anew; the old context stays when one is wrong. */
static int config_load(struct tls_config *c, struct err *e)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_method());
	int err;

	must(ctx);
	for (unsigned i = 0; i < N_FILES; i++)
		c->stamp[i] = stamp_get(c->path[i]);
	err = set_rules(ctx, c, e);
	if (!err)
		err = load_own(ctx, c, e);
	if (!err)
		err = load_ca(ctx, c, e);
	if (!err && c->path[PEER_CA])
		err = load_peer_ca(ctx, c->path[PEER_CA], e);
	if (err) {
		SSL_CTX_free(ctx);
		return err;
	}
	SSL_CTX_free(c->ctx);
	c->ctx = ctx;
	return 0;
}

static void config_refresh(struct tls_config *c)
{
	struct err e = ERR_INIT;
	bool same = true;

	for (unsigned i = 0; i < N_FILES; i++) {
		struct stamp now = stamp_get(c->path[i]);

		same &= stamp_equal(&now, &c->stamp[i]);
	}
	if (same)
		return;
	if (config_load(c, &e))
		log_warn("TLS files changed and are of no use, the old ones "
			 "stay: %s",
			 e.text);
	err_fini(&e);
}

static char *dup_or_null(const char *s)
{
	return s ? xstrdup(s) : NULL;
}

struct tls_config *tls_config_create(const struct tls_files *f, struct err *e)
{
	struct tls_config *c;

	if (!f->private_key || !f->certificate || !f->ca_cert) {
		err_set(e, "TLS wants a private key, a certificate and a CA "
			   "certificate");
		return NULL;
	}
	c = xzalloc(sizeof(*c));
	c->n_refs = 1;
	c->path[KEY] = xstrdup(f->private_key);
	c->path[CERT] = xstrdup(f->certificate);
	c->path[CA] = xstrdup(f->ca_cert);
	c->path[PEER_CA] = dup_or_null(f->peer_ca_cert);
	c->bootstrap = f->bootstrap_ca_cert;
	c->protocols = dup_or_null(f->protocols);
	c->ciphers = dup_or_null(f->ciphers);
	c->ciphersuites = dup_or_null(f->ciphersuites);
	if (!config_load(c, e))
		return c;
	tls_config_unref(c);
	return NULL;
}

struct tls_config *tls_config_ref(struct tls_config *c)
{
	c->n_refs++;
	return c;
}

void tls_config_unref(struct tls_config *c)
{
	if (!c || --c->n_refs)
		return;
	for (unsigned i = 0; i < N_FILES; i++)
		free(c->path[i]);
	free(c->protocols);
	free(c->ciphers);
	free(c->ciphersuites);
	SSL_CTX_free(c->ctx);
	free(c);
}

/* --- the socket under it ---------------------------------------------------------- */

/* OpenSSL's own would raise SIGPIPE when the peer is gone. */

static int socket_read(BIO *bio, char *buf, int n)
{
	int fd = (int)(intptr_t)BIO_get_data(bio);
	ssize_t got = recv(fd, buf, (size_t)n, 0);

	BIO_clear_retry_flags(bio);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		BIO_set_retry_read(bio);
	if (!got)
		BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
	return (int)got;
}

static int socket_write(BIO *bio, const char *buf, int n)
{
	int fd = (int)(intptr_t)BIO_get_data(bio);
	ssize_t put = send(fd, buf, (size_t)n, MSG_NOSIGNAL);

	BIO_clear_retry_flags(bio);
	if (put < 0 && (errno == EAGAIN || errno == EINTR))
		BIO_set_retry_write(bio);
	return (int)put;
}

static long socket_ctrl(BIO *bio, int cmd, long num UNUSED, void *ptr UNUSED)
{
	if (cmd == BIO_CTRL_EOF)
		return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0;
	return cmd == BIO_CTRL_FLUSH;
}

/* For the life of the process. */
static BIO_METHOD *socket_method(void)
{
	static BIO_METHOD *method;

	if (method)
		return method;
	method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK,
			      "socket");
	must(method);
	BIO_meth_set_read(method, socket_read);
	BIO_meth_set_write(method, socket_write);
	BIO_meth_set_ctrl(method, socket_ctrl);
	return method;
}

static BIO *socket_bio(int fd)
{
	BIO *bio = BIO_new(socket_method());

	must(bio);
	BIO_set_data(bio, (void *)(intptr_t)fd);
	BIO_set_init(bio, 1);
	return bio;
}

/* --- connections -------------------------------------------------------------------- */

struct tls *tls_create(struct tls_config *c, int fd, bool is_server)
{
	struct tls *t = xzalloc(sizeof(*t));
	BIO *bio;

	config_refresh(c);
	t->config = tls_config_ref(c);
	t->ssl = SSL_new(c->ctx);
	must(t->ssl);
	bio = socket_bio(fd);
	SSL_set_bio(t->ssl, bio, bio);
	t->bootstrapping = c->bootstrap && access(c->path[CA], F_OK);
	if (is_server) {
		SSL_set_accept_state(t->ssl);
	} else {
		SSL_set_connect_state(t->ssl);
		if (t->bootstrapping)
			SSL_set_verify(t->ssl, SSL_VERIFY_NONE, NULL);
	}
	return t;
}

void tls_destroy(struct tls *t)
{
	if (!t)
		return;
	if (!t->broken && SSL_is_init_finished(t->ssl))
		SSL_shutdown(t->ssl);
	SSL_free(t->ssl);
	ERR_clear_error();
	tls_config_unref(t->config);
	free(t);
}

static int tls_break(struct tls *t, const char *why)
{
	t->broken = true;
	snprintf(t->why, sizeof(t->why), "TLS: %s", why);
	return -EPROTO;
}

/* What a call's failure means: 0 for an orderly end, or -errno. */
static int tls_result(struct tls *t, int rc)
{
	int saved = errno;

	switch (SSL_get_error(t->ssl, rc)) {
	case SSL_ERROR_WANT_READ:
		t->wants = WATCH_READ;
		return -EAGAIN;
	case SSL_ERROR_WANT_WRITE:
		t->wants = WATCH_WRITE;
		return -EAGAIN;
	case SSL_ERROR_ZERO_RETURN:
		return 0;
	case SSL_ERROR_SYSCALL:
		return tls_break(t, saved ? err_name(saved) :
					    "closed by the peer");
	default:
		/* A peer that just closes is no news. */
		if (ERR_GET_REASON(ERR_peek_last_error()) ==
		    SSL_R_UNEXPECTED_EOF_WHILE_READING) {
			ERR_clear_error();
			return tls_break(t, "closed by the peer");
		}
		return tls_break(t, ssl_why());
	}
}

/* The self-signed certificate of the server's chain is the CA to be. */
static X509 *chain_ca(SSL *ssl)
{
	STACK_OF(X509) *chain = SSL_get_peer_cert_chain(ssl);

	for (int i = chain ? sk_X509_num(chain) - 1 : -1; i >= 0; i--) {
		X509 *x = sk_X509_value(chain, i);

		if (X509_check_issued(x, x) == X509_V_OK)
			return x;
	}
	return NULL;
}

static int write_ca(const char *path, X509 *x)
{
	int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0444);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "w");
	int err = 0;

	if (!f)
		return -errno;
	if (!PEM_write_X509(f, x))
		err = -EIO;
	if (fclose(f))
		err = -errno;
	if (err)
		unlink(path);
	return err;
}

/* Writes the CA down; this connection was verified by nobody and ends (S3). */
static int tls_bootstrap(struct tls *t)
{
	const char *path = t->config->path[CA];
	X509 *x = chain_ca(t->ssl);
	int err;

	if (!x)
		return tls_break(t, "the server sent no CA certificate to "
				    "start with");
	err = write_ca(path, x);
	if (err && err != -EEXIST)
		return tls_break(t, err_name(err));
	log_info("%s: took over the CA certificate of the first server", path);
	return tls_break(t, "the CA certificate is known as of now");
}

static void tls_name_peer(struct tls *t)
{
	X509 *x = SSL_get1_peer_certificate(t->ssl);

	if (!x)
		return;
	if (X509_NAME_get_text_by_NID(X509_get_subject_name(x), NID_commonName,
				      t->cn, sizeof(t->cn)) < 0)
		t->cn[0] = '\0';
	X509_free(x);
}

int tls_handshake(struct tls *t)
{
	int rc;

	ERR_clear_error();
	rc = SSL_do_handshake(t->ssl);
	if (rc != 1) {
		rc = tls_result(t, rc);
		return rc ? rc : tls_break(t, "closed by the peer");
	}
	if (t->bootstrapping && !SSL_is_server(t->ssl))
		return tls_bootstrap(t);
	tls_name_peer(t);
	return 0;
}

ssize_t tls_read(struct tls *t, void *buf, size_t n)
{
	size_t got = 0;

	ERR_clear_error();
	if (SSL_read_ex(t->ssl, buf, n, &got))
		return (ssize_t)got;
	return tls_result(t, 0);
}

ssize_t tls_write(struct tls *t, const void *buf, size_t n)
{
	size_t put = 0;
	int rc;

	ERR_clear_error();
	if (SSL_write_ex(t->ssl, buf, n, &put))
		return (ssize_t)put;
	rc = tls_result(t, 0);
	return rc ? rc : tls_break(t, "closed by the peer");
}

unsigned tls_wants(const struct tls *t)
{
	return t->wants ? t->wants : WATCH_READ;
}

bool tls_has_pending(const struct tls *t)
{
	return SSL_pending(t->ssl) > 0;
}

const char *tls_error(const struct tls *t)
{
	return t->why[0] ? t->why : "TLS failed";
}

const char *tls_peer_cn(const struct tls *t)
{
	return t->cn[0] ? t->cn : NULL;
}
