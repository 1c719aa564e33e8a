/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what sessions of TLS have in common: which certificates are shown, who is believed, what is
 * negotiated. One towards clients for each zone or listener, one towards each server.
 *
 * What is negotiated is ours alone: TLS 1.2 and 1.3, no renegotiation, no compression, no tickets
 * and no session that could be taken up again (with client certificates that fails, or is believed
 * unchecked). No configuration of the machine's is read. `legacy` is TLS 1.0 and whatever keys and
 * ciphers the library still has.
 *
 * A context does not change. A reload makes a new one; sessions that run hold theirs. */
#ifndef POSTERN_DAEMON_TLS_CONTEXT_H
#define POSTERN_DAEMON_TLS_CONTEXT_H

#include "daemon/tls/trust.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tls_context;

/* Once in a process, before it gives up its rights: whatever the library reads or opens, it does
 * here. 0 or -ENOMEM. */
int tls_init(void);

struct tls_certificate {
	struct tls_pem chain; /* the certificate, and those between it and a root */
	struct tls_pem key;   /* may be the same bytes */
};

/* We are the TLS server. */
struct tls_client_setup {
	/* By name: exact, then with a wildcard; who names none of them, or none at all, is shown
	 * the first. Of one name there may be one of each kind of key. */
	const struct tls_certificate *certificates;
	size_t ncertificates;
	bool asks;                     /* for the client's certificate; none fails a handshake */
	const struct tls_trust *trust; /* judges it; NULL: nobody's signature counts */
	bool legacy;
};

/* We are the TLS client. */
struct tls_server_setup {
	const struct tls_certificate *certificate; /* ours; NULL: none */
	bool verifies;                             /* what is no good fails the handshake */
	const struct tls_trust *trust;             /* whom it goes by; NULL: nobody's counts */
	/* One of these has to be in its certificate; 0: the name that tls_connect() is told. */
	const char *const *names;
	size_t nnames;
	/* Not 0: its public key has to be one of these, whoever signed it. */
	const uint8_t (*pins)[32];
	size_t npins;
	bool legacy;
};

/* NULL: why says it, without a byte of the key. */
struct tls_context *tls_context_client(
	const struct tls_client_setup *setup, char why[static TLS_WHY_SIZE]);
struct tls_context *tls_context_server(
	const struct tls_server_setup *setup, char why[static TLS_WHY_SIZE]);
struct tls_context *tls_context_hold(struct tls_context *context);
/* Frees it with its last holder; NULL is none. */
void tls_context_free(struct tls_context *context);

#endif
