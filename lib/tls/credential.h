/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what of a policy is read from files that never become part of it: certificates with their
 * keys, trust stores, secrets. */
#ifndef POSTERN_LIB_TLS_CREDENTIAL_H
#define POSTERN_LIB_TLS_CREDENTIAL_H

#include "lib/policy/policy.h"

#include <stdbool.h>
#include <stddef.h>

enum credential_kind {
	CREDENTIAL_CERTIFICATE,
	CREDENTIAL_TRUST,  /* `ca`: certificates of who may sign others' */
	CREDENTIAL_SECRET, /* a password: the file's one line */
	CREDENTIAL_USERS,  /* users with hashes of their passwords (user_file.h) */
	CREDENTIAL_OWN,    /* a portal's certificate that is made here: no file of the operator's */
	CREDENTIAL_TERMS,  /* what a portal's page shows: lib/portal/files.h, lib/portal/texts.h */
	CREDENTIAL_LOGO,
	CREDENTIAL_TEXTS,
};
#define CREDENTIAL_KINDS 8

/* Everybody may see it: then it travels as a sealed file in memory. */
bool credential_is_public(enum credential_kind kind);

#define CREDENTIAL_PATH_SIZE        512
#define CREDENTIAL_SECRET_BYTES_MAX 1024u
#define CREDENTIAL_RADIUS_LEAST     16 /* a shorter one is guessed from one packet */

/* Whom a policy trusts where it does not say: what Debian's ca-certificates keeps. */
#define CREDENTIAL_TRUST_FILE "/etc/ssl/certs/ca-certificates.crt"

/* Borrowed from the policy. */
struct credential {
	enum credential_kind kind;
	const char *name;                   /* of the certificate, or its portal; else "" */
	const char *file, *key;             /* key: of the certificate, else "" */
	struct policy_span file_at, key_at; /* where a statement names them */
	/* towards whom, or by what, it is used */
	bool clients, servers, auths, radiuses, portals;
	const struct policy_portal *portal; /* of an own one; else NULL */
};

/* Each once: certificates by their names, all others by their files. */
struct credentials {
	struct credential *v;
	size_t n, room;
};

/* 0 or -ENOMEM. To be fini'ed in any case. */
int credentials_of(const struct policy *policy, struct credentials *all);
void credentials_fini(struct credentials *all);

/* What the parts of a policy want. False: nothing. */
bool credential_of_certificate(
	const struct policy *policy, size_t certificate, struct credential *wanted);
bool credential_of_client_trust(const struct policy_client_tls *tls, struct credential *wanted);
bool credential_of_server_trust(const struct policy_server_tls *tls, struct credential *wanted);
bool credential_of_account(const struct policy_account *account, struct credential *wanted);
bool credential_of_auth_trust(const struct policy_auth *auth, struct credential *wanted);
bool credential_of_auth_secret(const struct policy_auth *auth, struct credential *wanted);
bool credential_of_radius(const struct policy_radius_source *source, struct credential *wanted);
/* Each of what it shows; false: it has it not. */
bool credential_of_own(const struct policy_portal *portal, struct credential *wanted);
bool credential_of_terms(const struct policy_portal *portal, struct credential *wanted);
bool credential_of_logo(const struct policy_portal *portal, struct credential *wanted);
bool credential_of_texts(const struct policy_portal *portal, struct credential *wanted);
bool credential_of_users(const struct policy_auth *auth, struct credential *wanted);

/* "certificate mail", "trust store", "secret" */
#define CREDENTIAL_TITLE_SIZE (POLICY_NAME_SIZE + 24)
const char *credential_title(
	const struct credential *credential, char buf[static CREDENTIAL_TITLE_SIZE]);
/* What comes of it while it was never read. */
const char *credential_lack(enum credential_kind kind);

/* What became of reading it. */
struct credential_verdict {
	bool bad, bad_key;  /* bad_key: its key is */
	char text[768];     /* bad: why, with the file and what to do */
	bool warned_of_key; /* and not of the file */
	char warning[512];  /* it can be used, but; empty: nothing */
};

#endif
