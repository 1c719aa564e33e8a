/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/tls/context.h"

#include "daemon/tls/parts.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* One certificate with its key, as it is shown. */
struct tls_shown {
	X509 *certificate;
	STACK_OF(X509) * chain;
	EVP_PKEY *key;
	char **names;
	size_t nnames;
};

int tls_init(void)
{
	unsigned char some[16];

	/* the first call decides: no configuration is read by any later one */
	if (!OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_LOAD_SSL_STRINGS |
				      OPENSSL_INIT_LOAD_CRYPTO_STRINGS,
		    NULL))
		return -ENOMEM;
	return RAND_bytes(some, sizeof(some)) == 1 ? 0 : -ENOMEM;
}

/* ---- certificates that are shown ---- */

static bool add_name(const char *name, void *argument)
{
	struct tls_shown *shown = argument;
	char **names = realloc(shown->names, (shown->nnames + 1) * sizeof(*names));

	if (!names)
		return false;
	shown->names = names;
	names[shown->nnames] = strdup(name);
	shown->nnames += names[shown->nnames] != NULL;
	return true;
}

static void clear_shown(struct tls_shown *shown)
{
	X509_free(shown->certificate);
	sk_X509_pop_free(shown->chain, X509_free);
	EVP_PKEY_free(shown->key);
	for (size_t i = 0; i < shown->nnames; i++)
		free(shown->names[i]);
	free(shown->names);
}

/* All there are, the first apart. False: none, or one that is cut or locked. */
static bool read_chain(struct tls_shown *shown, const struct tls_pem *pem)
{
	BIO *bio = tls_pem_open(pem);
	X509 *next;

	shown->chain = sk_X509_new_null();
	if (bio)
		shown->certificate = PEM_read_bio_X509(bio, NULL, tls_pem_no_password, NULL);
	if (!shown->chain || !shown->certificate) {
		BIO_free(bio);
		return false;
	}
	ERR_clear_error();
	while ((next = PEM_read_bio_X509(bio, NULL, tls_pem_no_password, NULL)))
		if (!sk_X509_push(shown->chain, next)) {
			X509_free(next);
			break;
		}
	bool ended = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
	BIO_free(bio);
	if (ended)
		ERR_clear_error();
	return ended;
}

static bool read_key(struct tls_shown *shown, const struct tls_pem *pem)
{
	BIO *bio = tls_pem_open(pem);

	if (bio)
		shown->key = PEM_read_bio_PrivateKey(bio, NULL, tls_pem_no_password, NULL);
	BIO_free(bio);
	return shown->key != NULL;
}

static bool read_shown(struct tls_shown *shown, const struct tls_certificate *certificate,
	char why[static TLS_WHY_SIZE])
{
	if (!read_chain(shown, &certificate->chain)) {
		tls_say_error(why, "certificate");
		return false;
	}
	if (!read_key(shown, &certificate->key)) {
		tls_say_error(why, "key");
		return false;
	}
	ERR_clear_error();
	tls_certificate_names(shown->certificate, add_name, shown);
	return true;
}

/* ---- which of them ---- */

static bool is_named(const struct tls_shown *shown, const char *name)
{
	for (size_t i = 0; i < shown->nnames; i++)
		if (strcasecmp(shown->names[i], name) == 0)
			return true;
	return false;
}

/* Shows all that have the name: the handshake takes the kind of key that the client can read. Of
 * one kind the first stands: it is put in last. */
static bool show_named(SSL *ssl, const struct tls_context *context, const char *name)
{
	bool any = false;

	for (size_t i = context->nshown; i-- > 0;) {
		const struct tls_shown *shown = &context->shown[i];
		if (is_named(shown, name))
			any = SSL_use_cert_and_key(
				      ssl, shown->certificate, shown->key, shown->chain, 1) == 1 ||
			      any;
	}
	return any;
}

/* "mail.example" is "*.example", too: one label alone. */
static bool show_wildcard(SSL *ssl, const struct tls_context *context, const char *name)
{
	char wildcard[TLS_NAME_SIZE + 1];
	const char *dot = strchr(name, '.');

	if (!dot || dot == name || strlen(dot) >= TLS_NAME_SIZE)
		return false;
	snprintf(wildcard, sizeof(wildcard), "*%s", dot);
	return show_named(ssl, context, wildcard);
}

static bool show_first(SSL *ssl, const struct tls_context *context)
{
	const struct tls_shown *first = &context->shown[0];

	if (first->nnames > 0)
		return show_named(ssl, context, first->names[0]);
	return SSL_use_cert_and_key(ssl, first->certificate, first->key, first->chain, 1) == 1;
}

static int on_certificate(SSL *ssl, void *argument)
{
	const struct tls_context *context = argument;
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
	char host[TLS_NAME_SIZE];

	if (name)
		name = tls_name_of_host(name, host);
	if (name && (show_named(ssl, context, name) || show_wildcard(ssl, context, name)))
		return 1;
	return show_first(ssl, context) ? 1 : 0;
}

/* ---- what is negotiated ---- */

/* Who says what it wants to speak, and means something else than mail, is not to be answered with
 * mail: a web page cannot be made to speak with us. */
static int on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
	const unsigned char *in, unsigned in_len, void *argument)
{
	static const unsigned char smtp[] = "\x04smtp";
	unsigned char *selected;

	(void)ssl, (void)argument;
	if (SSL_select_next_proto(&selected, out_len, smtp, sizeof(smtp) - 1, in, in_len) !=
		OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*out = selected;
	return SSL_TLSEXT_ERR_OK;
}

static bool set_legacy(SSL_CTX *ctx)
{
	SSL_CTX_set_security_level(ctx, 0);
	SSL_CTX_set_dh_auto(ctx, 1);
	SSL_CTX_set_options(ctx, SSL_OP_LEGACY_SERVER_CONNECT); /* RFC 5746 is of 2010 */
	return SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION) &&
	       SSL_CTX_set_cipher_list(ctx, "ALL:!aNULL:!eNULL:!PSK:!SRP");
}

/* All are good. With the first a handshake takes less time and a session less memory (SHA-256
 * instead of SHA-384), which is why it stands before the longer key. */
#define CIPHERS_1_3                                      \
	"TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:" \
	"TLS_CHACHA20_POLY1305_SHA256"

/* ciphers: of TLS 1.2. level: of keys and hashes. */
static bool set_rules(SSL_CTX *ctx, bool legacy, int level, const char *ciphers)
{
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
					 SSL_OP_NO_TICKET | SSL_OP_CIPHER_SERVER_PREFERENCE |
					 SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_num_tickets(ctx, 0);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
				      SSL_MODE_RELEASE_BUFFERS | SSL_MODE_AUTO_RETRY);
	/* a record is one read of the socket, not one for its header and one for the rest */
	SSL_CTX_set_read_ahead(ctx, 1);
	SSL_CTX_set_msg_callback(ctx, tls_session_on_record);
	if (!SSL_CTX_set_max_proto_version(ctx, 0) || !SSL_CTX_set_ciphersuites(ctx, CIPHERS_1_3))
		return false;
	if (legacy)
		return set_legacy(ctx);
	SSL_CTX_set_security_level(ctx, level);
	return SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) &&
	       SSL_CTX_set_cipher_list(ctx, ciphers);
}

static struct tls_context *new_context(const SSL_METHOD *method)
{
	struct tls_context *context = calloc(1, sizeof(*context));

	ERR_clear_error();
	if (!context || !(context->ctx = SSL_CTX_new(method))) {
		free(context);
		return NULL;
	}
	context->holders = 1;
	return context;
}

static void ask_peer(struct tls_context *context, bool judges)
{
	context->judges = judges;
	SSL_CTX_set_verify(context->ctx, SSL_VERIFY_PEER, tls_session_on_verify);
	SSL_CTX_set_cert_verify_callback(context->ctx, tls_session_on_chain, context);
}

static struct tls_context *no_memory(struct tls_context *context, char why[static TLS_WHY_SIZE])
{
	tls_context_free(context);
	snprintf(why, TLS_WHY_SIZE, "no memory");
	return NULL;
}

/* ---- towards clients ---- */

/* Likewise. */
#define CIPHERS_1_2 "ECDHE+AESGCM+AES128:ECDHE+AESGCM:ECDHE+CHACHA20"

/* Each is tried on the context itself: what would not do, a handshake should not find out. */
static bool add_shown(struct tls_context *context, const struct tls_certificate *certificate,
	char why[static TLS_WHY_SIZE])
{
	struct tls_shown *shown = &context->shown[context->nshown++];

	if (!read_shown(shown, certificate, why))
		return false;
	if (SSL_CTX_use_cert_and_key(
		    context->ctx, shown->certificate, shown->key, shown->chain, 1) == 1)
		return true;
	tls_say_error(why, "certificate and key");
	return false;
}

struct tls_context *tls_context_client(
	const struct tls_client_setup *setup, char why[static TLS_WHY_SIZE])
{
	struct tls_context *context = new_context(TLS_server_method());

	if (!context || !set_rules(context->ctx, setup->legacy, 2, CIPHERS_1_2))
		return no_memory(context, why);
	context->shown = calloc(setup->ncertificates + 1, sizeof(*context->shown));
	if (!context->shown)
		return no_memory(context, why);
	SSL_CTX_set_alpn_select_cb(context->ctx, on_alpn, NULL);
	if (setup->asks)
		ask_peer(context, true);
	if (setup->trust)
		SSL_CTX_set1_cert_store(context->ctx, tls_trust_store(setup->trust));
	for (size_t i = 0; i < setup->ncertificates; i++)
		if (!add_shown(context, &setup->certificates[i], why)) {
			tls_context_free(context);
			return NULL;
		}
	if (setup->ncertificates == 0) {
		snprintf(why, TLS_WHY_SIZE, "no certificate");
		tls_context_free(context);
		return NULL;
	}
	if (setup->ncertificates > 1)
		SSL_CTX_set_cert_cb(context->ctx, on_certificate, context);
	return context;
}

/* ---- towards servers ---- */

static bool copy_names(struct tls_context *context, const struct tls_server_setup *setup)
{
	context->names = calloc(setup->nnames + 1, sizeof(*context->names));
	if (!context->names)
		return false;
	for (; context->nnames < setup->nnames; context->nnames++) {
		context->names[context->nnames] = strdup(setup->names[context->nnames]);
		if (!context->names[context->nnames])
			return false;
	}
	return true;
}

static bool copy_pins(struct tls_context *context, const struct tls_server_setup *setup)
{
	context->pins = calloc(setup->npins + 1, sizeof(*context->pins));
	if (!context->pins)
		return false;
	if (setup->npins > 0)
		memcpy(context->pins, setup->pins, setup->npins * sizeof(*context->pins));
	context->npins = setup->npins;
	return true;
}

/* A public key that takes little, and that nobody can have signed with: it is no point of its curve
 * (Ed25519, whose y would be 2). NULL: no memory. */
static EVP_PKEY *new_no_key(void)
{
	static const uint8_t info[44] = {
		0x30, 42, 0x30, 5, 0x06, 3, 0x2b, 0x65, 0x70, 0x03, 33, 0, 2};
	const uint8_t *at = info;

	return d2i_PUBKEY(NULL, &at, sizeof(info));
}

static bool use_own(struct tls_context *context, const struct tls_certificate *certificate,
	char why[static TLS_WHY_SIZE])
{
	struct tls_shown shown = {0};
	bool good = read_shown(&shown, certificate, why);

	if (good && SSL_CTX_use_cert_and_key(
			    context->ctx, shown.certificate, shown.key, shown.chain, 1) != 1) {
		tls_say_error(why, "certificate and key");
		good = false;
	}
	clear_shown(&shown);
	return good;
}

/* A server that is not judged may be as weak as it likes: the other way is in the clear. */
struct tls_context *tls_context_server(
	const struct tls_server_setup *setup, char why[static TLS_WHY_SIZE])
{
	struct tls_context *context = new_context(TLS_client_method());
	bool judged = setup->verifies || setup->npins > 0;

	if (!context ||
		!set_rules(
			context->ctx, setup->legacy, judged ? 2 : 1, "DEFAULT:!PSK:!SRP:!aNULL") ||
		!copy_names(context, setup) || !copy_pins(context, setup) ||
		!(context->no_key = new_no_key()))
		return no_memory(context, why);
	context->verifies = setup->verifies;
	ask_peer(context, setup->verifies);
	if (setup->trust)
		SSL_CTX_set1_cert_store(context->ctx, tls_trust_store(setup->trust));
	if (setup->certificate && !use_own(context, setup->certificate, why)) {
		tls_context_free(context);
		return NULL;
	}
	return context;
}

/* ---- its holders ---- */

struct tls_context *tls_context_hold(struct tls_context *context)
{
	context->holders++;
	return context;
}

void tls_context_free(struct tls_context *context)
{
	if (!context || --context->holders > 0)
		return;
	for (size_t i = 0; i < context->nshown; i++)
		clear_shown(&context->shown[i]);
	for (size_t i = 0; i < context->nnames; i++)
		free(context->names[i]);
	free(context->shown);
	free(context->names);
	free(context->pins);
	EVP_PKEY_free(context->no_key);
	SSL_CTX_free(context->ctx);
	free(context);
}
