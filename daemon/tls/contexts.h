/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the contexts that one policy needs, towards the clients of each zone and listener and
 * towards each host of its servers, with the secrets of their accounts.
 *
 * They are made when the policy is prepared and are in force with it. A reload of a certificate
 * makes them anew for the same policy. Who began with some holds them. */
#ifndef POSTERN_DAEMON_TLS_CONTEXTS_H
#define POSTERN_DAEMON_TLS_CONTEXTS_H

#include "daemon/tls/context.h"
#include "daemon/tls/credentials.h"
#include "lib/policy/policy.h"

struct tls_contexts;

enum tls_sides {
	TLS_CLIENTS = 1 << 0, /* of zones and listeners */
	TLS_SERVERS = 1 << 1,
	TLS_SECRETS = 1 << 2, /* of accounts */
};

/* What cannot be made is left out; why says the first reason, and is empty when all is there. NULL:
 * out of memory. */
struct tls_contexts *tls_contexts_make(const struct policy *policy,
	const struct tls_credentials *credentials, unsigned sides, char *why, size_t size);
struct tls_contexts *tls_contexts_hold(struct tls_contexts *contexts);
/* Frees them with the last holder; NULL is none. */
void tls_contexts_free(struct tls_contexts *contexts);

/* One of its own for all that a process makes, from 1: these are known by it when they are gone. */
uint64_t tls_contexts_number(const struct tls_contexts *contexts);

/* Is there everything that there was? Both are of one policy. */
bool tls_contexts_hold_all(const struct tls_contexts *now, const struct tls_contexts *before);

/* By the policy's indexes; borrowed. NULL: it has no `tls`, or what it needs is not there: then
 * there is no TLS here, and no mail where the policy demands it. */
struct tls_context *tls_contexts_zone(const struct tls_contexts *contexts, size_t zone);
struct tls_context *tls_contexts_listener(const struct tls_contexts *contexts, size_t listener);
struct tls_context *tls_contexts_host(
	const struct tls_contexts *contexts, size_t server, size_t host);
/* The secret of the server's account, borrowed. NULL: it has none, or it is not there. */
const char *tls_contexts_secret(const struct tls_contexts *contexts, size_t server, size_t *len);

#endif
