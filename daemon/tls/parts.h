/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what the files of this folder know of each other. Nobody else includes it. */
#ifndef POSTERN_DAEMON_TLS_PARTS_H
#define POSTERN_DAEMON_TLS_PARTS_H

#include "daemon/tls/context.h"
#include "lib/tls/facts.h"

#include <openssl/ssl.h>

/* trust.c: the store, borrowed. */
X509_STORE *tls_trust_store(const struct tls_trust *trust);
/* A reader of the bytes, which are not copied; NULL: no memory. */
BIO *tls_pem_open(const struct tls_pem *pem);
/* For PEM that is locked by a password: nobody is asked for it. */
int tls_pem_no_password(char *buffer, int size, int writes, void *argument);
/* why: the library's words for its first error. */
void tls_say_error(char why[static TLS_WHY_SIZE], const char *what);

/* names.c: visits the names of a certificate, as tls_names() says. */
typedef bool tls_name_visit(const char *name, void *argument);
void tls_certificate_names(const X509 *certificate, tls_name_visit *visit, void *argument);
/* Who signed it: the common name of that one, else its organization's; empty: neither. Printable.
 */
void tls_certificate_issuer(const X509 *certificate, char text[static TLS_NAME_SIZE]);
/* Without the dot that DNS may end a name with: neither certificates nor SNI have it (RFC 6066 3).
 * The name itself, or buf. */
const char *tls_name_of_host(const char *name, char buf[static TLS_NAME_SIZE]);

/* context.c */
struct tls_context {
	unsigned holders;
	SSL_CTX *ctx;
	bool judges; /* the peer's certificate, by who signed it */
	/* towards clients, with more than one: */
	struct tls_shown *shown;
	size_t nshown;
	/* towards servers: */
	bool verifies;
	char **names;
	size_t nnames;
	uint8_t (*pins)[32];
	size_t npins;
	EVP_PKEY *no_key; /* for tls_forget_key() */
};

struct tls_session {
	SSL *ssl;
	struct tls_context *context;
	const char *why;
	int verify_error; /* X509_V_*: the first */
	uint16_t records; /* in the call at hand */
	uint8_t wants;    /* enum tls_step */
	uint8_t failure;  /* enum tls_failure */
	uint8_t reason;   /* enum tls_reason: a name or a pin that is not there */
	bool over;        /* nothing more can be said */
	bool unfinished;  /* a record waits for the socket */
	bool drained;     /* the call at hand read the socket, and got less than it asked for */
};

/* session.c: of the peer's certificate, good and bad: never fails, notes the first error. */
int tls_session_on_verify(int good, X509_STORE_CTX *store);
/* Of all that the peer showed; where any will do, nobody's signature is looked at. */
int tls_session_on_chain(X509_STORE_CTX *store, void *argument);
/* A record came in. */
void tls_session_on_record(
	int writes, int version, int type, const void *bytes, size_t len, SSL *ssl, void *argument);

#endif
