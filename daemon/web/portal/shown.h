/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns certificates with their keys as GnuTLS, which libmicrohttpd speaks TLS with, wants them, and
 * which of them a browser is shown: one of the name that it asks for and of a kind that it can, or
 * the first. */
#ifndef POSTERN_DAEMON_WEB_PORTAL_SHOWN_H
#define POSTERN_DAEMON_WEB_PORTAL_SHOWN_H

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <stddef.h>

struct tls_credential;

struct shown;

struct shown *shown_new(void);
void shown_free(struct shown *shown); /* NULL is allowed */
/* In the order in which they stand in the policy. 0, or GnuTLS's error. */
int shown_add(struct shown *shown, const struct tls_credential *credential);
size_t shown_count(const struct shown *shown);

/* A gnutls_certificate_retrieve_function2, which has no context of its own: which certificates they
 * are it asks by the session's descriptor. who: NULL for one that is not known. */
typedef const struct shown *shown_who(int fd);
void shown_ask(shown_who *who);
int shown_choose(gnutls_session_t session, const gnutls_datum_t *authorities, int nauthorities,
	const gnutls_pk_algorithm_t *kinds, int nkinds, gnutls_pcert_st **chain,
	unsigned int *chain_len, gnutls_privkey_t *key);

#endif
