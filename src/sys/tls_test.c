/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sys/stream_test_pair.h"
#include "sys/tls.h"

#define LISTEN "pssl:0:127.0.0.1"
#define PATH_LEN 96

/* A certificate authority, and files of whoever it vouches for, in a folder of
 * the test's. */
struct party {
	EVP_PKEY *key;
	X509 *cert;
};

static char folder[PATH_LEN];

static const char *path_of(const char *name)
{
	static char paths[8][PATH_LEN + 64];
	static unsigned at;

	at = (at + 1) % ARRAY_SIZE(paths);
	snprintf(paths[at], sizeof(paths[at]), "%s/%s", folder, name);
	return paths[at];
}

static void cert_name(X509 *x, const char *cn, X509 *issuer)
{
	X509_NAME *n = X509_get_subject_name(x);

	X509_NAME_add_entry_by_txt(n, "CN", MBSTRING_ASC,
				   (const unsigned char *)cn, -1, -1, 0);
	X509_set_issuer_name(x, X509_get_subject_name(issuer ? issuer : x));
}

static void cert_extend(X509 *x, bool is_ca)
{
	X509_EXTENSION *e = X509V3_EXT_conf_nid(
		NULL, NULL, NID_basic_constraints,
		is_ca ? "critical,CA:TRUE" : "critical,CA:FALSE");

	X509_add_ext(x, e, -1);
	X509_EXTENSION_free(e);
}

/* Signed by `ca`, or by itself. */
static struct party party_make(const char *cn, const struct party *ca)
{
	struct party p = { EVP_EC_gen("P-256"), X509_new() };
	static long serial = 1;

	X509_set_version(p.cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(p.cert), serial++);
	X509_gmtime_adj(X509_getm_notBefore(p.cert), -3600);
	X509_gmtime_adj(X509_getm_notAfter(p.cert), 3600);
	X509_set_pubkey(p.cert, p.key);
	cert_name(p.cert, cn, ca ? ca->cert : NULL);
	cert_extend(p.cert, !ca);
	assert_true(X509_sign(p.cert, ca ? ca->key : p.key, EVP_sha256()) > 0);
	return p;
}

static void party_free(struct party *p)
{
	EVP_PKEY_free(p->key);
	X509_free(p->cert);
}

static void write_cert(const char *name, X509 *x)
{
	FILE *f = fopen(path_of(name), "we");

	assert_non_null(f);
	assert_int_equal(PEM_write_X509(f, x), 1);
	fclose(f);
}

static void write_key(const char *name, EVP_PKEY *k)
{
	FILE *f = fopen(path_of(name), "we");

	assert_non_null(f);
	assert_int_equal(PEM_write_PrivateKey(f, k, NULL, NULL, 0, NULL, NULL),
			 1);
	fclose(f);
}

/* WHO-key.pem and WHO-cert.pem of a party that `ca` vouches for. */
static void write_party(const char *who, const char *cn, const struct party *ca)
{
	struct party p = party_make(cn, ca);
	char name[48];

	snprintf(name, sizeof(name), "%s-key.pem", who);
	write_key(name, p.key);
	snprintf(name, sizeof(name), "%s-cert.pem", who);
	write_cert(name, p.cert);
	party_free(&p);
}

static int make_files(void **state UNUSED)
{
	struct party ca, other;

	snprintf(folder, sizeof(folder), "/tmp/weft-tls-%d-XXXXXX",
		 (int)getpid());
	assert_non_null(mkdtemp(folder));
	ca = party_make("the CA", NULL);
	other = party_make("another CA", NULL);
	write_cert("ca.pem", ca.cert);
	write_cert("other.pem", other.cert);
	write_party("good", "host one", &ca);
	write_party("evil", "host two", &other);
	party_free(&ca);
	party_free(&other);
	return 0;
}

static int remove_files(void **state UNUSED)
{
	static const char *const names[] = { "ca.pem",        "other.pem",
					     "good-key.pem",  "good-cert.pem",
					     "evil-key.pem",  "evil-cert.pem",
					     "bootstrap.pem", "plain.pem" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		unlink(path_of(names[i]));
	return rmdir(folder);
}

static struct tls_files files_of(const char *who, const char *ca)
{
	char key[48], cert[48];

	snprintf(key, sizeof(key), "%s-key.pem", who);
	snprintf(cert, sizeof(cert), "%s-cert.pem", who);
	return (struct tls_files){ .private_key = path_of(key),
				   .certificate = path_of(cert),
				   .ca_cert = path_of(ca) };
}

static struct tls_config *config_of(const char *who, const char *ca)
{
	struct tls_files f = files_of(who, ca);
	struct err e = ERR_INIT;
	struct tls_config *c = tls_config_create(&f, &e);

	if (!c)
		fail_msg("%s", e.text);
	return c;
}

/* --- who gets in ------------------------------------------------------------ */

static void both_sides_are_known_by_their_certificates(void **state UNUSED)
{
	struct tls_config *c = config_of("good", "ca.pem");
	struct pair p = { 0 };
	char *text = xzalloc(1000000);

	pair_open(&p, LISTEN, c);
	assert_string_equal(stream_peer_cn(p.server.stream), "host one");
	assert_string_equal(stream_peer_cn(p.client.stream), "host one");
	stream_send(p.client.stream, text, 1000000);
	p.server.want = 1000000;
	loop_run_ms(p.loop, PAIR_WAIT_MS);
	assert_int_equal(p.server.got.len, 1000000);
	stream_send(p.server.stream, "thanks", 6);
	p.client.want = 6;
	loop_run_ms(p.loop, PAIR_WAIT_MS);
	assert_int_equal(p.client.got.len, 6);
	free(text);
	pair_close(&p);
	tls_config_unref(c);
}

/* Dials with `theirs` a server that has `ours`, until an attempt failed or
 * was let go; the server must not have taken it. */
static void refused(struct tls_config *ours, struct tls_config *theirs)
{
	struct pair p = { 0 };
	char name[STREAM_NAME_LEN];
	const char *names[] = { name };

	pair_listen(&p, LISTEN, ours);
	snprintf(name, sizeof(name), "ssl:127.0.0.1:%u",
		 stream_listener_port(p.listener));
	pair_dial(&p, names, 1, theirs);
	for (unsigned i = 0; i < 100 && !p.client.why[0]; i++)
		loop_run_ms(p.loop, PAIR_WAIT_MS);
	assert_int_not_equal(p.client.why[0], 0);
	assert_int_equal(p.server.n_up, 0);
	pair_close(&p);
}

static void stranger_s_certificate_is_refused_both_ways(void **state UNUSED)
{
	struct tls_config *good = config_of("good", "ca.pem");
	struct tls_config *evil = config_of("evil", "ca.pem");

	refused(good, evil);
	refused(evil, good);
	tls_config_unref(good);
	tls_config_unref(evil);
}

/* --- hostile peers ------------------------------------------------------------ */

static int raw_dial(const struct pair *p)
{
	struct stream_name n;
	struct err e = ERR_INIT;
	char name[STREAM_NAME_LEN];
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	snprintf(name, sizeof(name), "tcp:127.0.0.1:%u",
		 stream_listener_port(p->listener));
	assert_int_equal(stream_name_parse(name, 0, &n, &e), 0);
	assert_int_equal(
		connect(fd, (struct sockaddr *)&n.address, n.address_len), 0);
	return fd;
}

/* Until the server has let everybody go. */
static void wait_gone(struct pair *p)
{
	for (unsigned i = 0; i < 500; i++) {
		loop_run_ms(p->loop, 10);
		if (!stream_listener_n_clients(p->listener))
			break;
	}
	assert_int_equal(stream_listener_n_clients(p->listener), 0);
}

static void who_speaks_no_tls_is_let_go(void **state UNUSED)
{
	static const char text[] =
		"{\"id\":0,\"method\":\"list_dbs\",\"params\":[]}";
	struct tls_config *c = config_of("good", "ca.pem");
	struct pair p = { 0 };
	int fd;

	pair_listen(&p, LISTEN, c);
	fd = raw_dial(&p);
	loop_run_ms(p.loop, 50);
	assert_int_equal(stream_listener_n_clients(p.listener), 1);
	assert_int_equal(write(fd, text, sizeof(text)), sizeof(text));
	wait_gone(&p);
	assert_int_equal(p.server.n_up, 0);
	close(fd);
	pair_close(&p);
	tls_config_unref(c);
}

/* A client of OpenSSL's own: without a certificate, or of an old protocol. */
static void raw_client(struct pair *p, int max_version)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	int fd = raw_dial(p), rc = 0;
	SSL *ssl;

	SSL_CTX_set_security_level(ctx, 0);
	SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION);
	SSL_CTX_set_max_proto_version(ctx, max_version);
	ssl = SSL_new(ctx);
	SSL_set_fd(ssl, fd);
	loop_run_ms(p->loop, 20);
	/* The loop and the client take turns: one thread. */
	for (unsigned i = 0; i < 50; i++) {
		struct timeval tick = { 0, 10000 };

		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tick, sizeof(tick));
		rc = SSL_do_handshake(ssl);
		loop_run_ms(p->loop, 10);
		if (rc != 1 && SSL_get_error(ssl, rc) != SSL_ERROR_WANT_READ)
			break;
	}
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	close(fd);
	wait_gone(p);
	assert_int_equal(p->server.n_up, 0);
}

static void no_certificate_or_old_protocol_is_refused(void **state UNUSED)
{
	struct tls_config *c = config_of("good", "ca.pem");
	struct pair p = { 0 };

	pair_listen(&p, LISTEN, c);
	raw_client(&p, TLS1_3_VERSION);
	raw_client(&p, TLS1_2_VERSION);
	raw_client(&p, TLS1_1_VERSION);
	pair_close(&p);
	tls_config_unref(c);
}

/* --- files -------------------------------------------------------------------- */

static void bootstrap_takes_the_first_ca_and_then_insists(void **state UNUSED)
{
	struct tls_files f = files_of("good", "bootstrap.pem");
	struct tls_files s = files_of("good", "ca.pem");
	struct err e = ERR_INIT;
	struct tls_config *server, *client;
	struct pair p = { 0 };
	char name[STREAM_NAME_LEN];
	const char *names[] = { name };

	f.bootstrap_ca_cert = true;
	s.peer_ca_cert = s.ca_cert;
	server = tls_config_create(&s, &e);
	client = tls_config_create(&f, &e);
	assert_non_null(server);
	assert_non_null(client);
	pair_listen(&p, LISTEN, server);
	snprintf(name, sizeof(name), "ssl:127.0.0.1:%u",
		 stream_listener_port(p.listener));
	pair_dial(&p, names, 1, client);
	for (unsigned i = 0; i < 100 && !p.client.n_up; i++)
		loop_run_ms(p.loop, PAIR_WAIT_MS);
	assert_int_equal(p.client.n_up, 1);
	assert_int_equal(access(path_of("bootstrap.pem"), R_OK), 0);
	assert_non_null(strstr(p.client.why, "is known as of now"));
	pair_close(&p);
	tls_config_unref(server);
	tls_config_unref(client);
}

static void renewed_certificate_needs_no_restart(void **state UNUSED)
{
	struct tls_config *c = config_of("good", "ca.pem");
	struct pair p = { 0 };
	struct party ca = party_make("a new CA", NULL);

	write_cert("ca.pem", ca.cert);
	write_party("good", "host renewed", &ca);
	pair_open(&p, LISTEN, c);
	assert_string_equal(stream_peer_cn(p.server.stream), "host renewed");
	pair_close(&p);
	party_free(&ca);
	tls_config_unref(c);
}

static void useless_files_are_refused_with_a_sentence(void **state UNUSED)
{
	static const char *const says[] = { "certificate", "private key",
					    "TLSv1.2" };
	struct tls_files f[3];

	f[0] = files_of("good", "ca.pem");
	f[0].certificate = path_of("nowhere.pem");
	f[1] = files_of("good", "ca.pem");
	f[1].private_key = path_of("evil-key.pem");
	f[2] = files_of("good", "ca.pem");
	f[2].protocols = "SSLv3,TLSv1";
	for (size_t i = 0; i < ARRAY_SIZE(f); i++) {
		struct err e = ERR_INIT;

		assert_null(tls_config_create(&f[i], &e));
		if (!strstr(e.text, says[i]))
			fail_msg("%s", e.text);
		err_fini(&e);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_sides_are_known_by_their_certificates),
		cmocka_unit_test(stranger_s_certificate_is_refused_both_ways),
		cmocka_unit_test(who_speaks_no_tls_is_let_go),
		cmocka_unit_test(no_certificate_or_old_protocol_is_refused),
		cmocka_unit_test(bootstrap_takes_the_first_ca_and_then_insists),
		cmocka_unit_test(useless_files_are_refused_with_a_sentence),
		cmocka_unit_test(renewed_certificate_needs_no_restart),
	};

	return cmocka_run_group_tests(tests, make_files, remove_files);
}
