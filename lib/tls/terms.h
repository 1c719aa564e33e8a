/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns how a policy's `tls` of a server is spoken: in which way, and with whom. */
#ifndef POSTERN_LIB_TLS_TERMS_H
#define POSTERN_LIB_TLS_TERMS_H

#include "lib/policy/policy.h"
#include "lib/smtp/engine/engine.h"
#include "lib/tls/facts.h"

/* By what holds for the host (policy_host_tls()); what is not given is an OFFER. */
enum engine_tls tls_terms_wanted(const struct policy_server_tls *tls);
enum policy_server_tls_mode tls_terms_mode(const struct policy_server_tls *tls);
/* Who is asked for and, where that is verified, has to answer: never a name that DNS told. NULL:
 * nobody by name. */
const char *tls_terms_name(const struct policy_host *host, const struct policy_server_tls *tls);
/* What came of it, in a word: "verified", "pinned", "unchecked", "refused", or "none". */
const char *tls_terms_check(enum policy_server_tls_mode mode, const struct tls_seen *seen);
/* The same in a line: "TLSv1.3 TLS_AES_256_GCM_SHA384, verified, certificate of mx.example until
 * 2026-10-02", with as many names as have room. Returns buf. */
#define TLS_TERMS_LINE_SIZE 512
const char *tls_terms_line(enum policy_server_tls_mode mode, const struct tls_seen *seen,
	char buf[static TLS_TERMS_LINE_SIZE]);
/* Of all that the policy says of TLS with this host of the server: another digest, other TLS. */
uint64_t tls_terms_digest(const struct policy_server *server, const struct policy_host *host);

#endif
