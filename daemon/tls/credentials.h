/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the certificates with their keys, the secrets and the trust stores that control handed to
 * this process: in force, and those that came for a policy that is not yet. Wiped when they go. */
#ifndef POSTERN_DAEMON_TLS_CREDENTIALS_H
#define POSTERN_DAEMON_TLS_CREDENTIALS_H

#include "lib/ipc/credential.h"
#include "lib/policy/policy.h"
#include "lib/tls/credential.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of each file as they came: PEM, or the secret. */
struct tls_credential {
	enum credential_kind kind;
	bool coming; /* not in force yet */
	char name[POLICY_NAME_SIZE];
	char file[CREDENTIAL_PATH_SIZE], key_file[CREDENTIAL_PATH_SIZE];
	uint8_t *bytes, *key; /* key: of a certificate, else NULL */
	size_t len, key_len;
	bool mapped; /* a trust store's bytes */
};

struct tls_credentials {
	struct tls_credential **v;
	size_t n, room;
};

/* Begins as {0}. */
void tls_credentials_fini(struct tls_credentials *all);
/* Takes one in as coming, in the place of a coming one for the same files. fd (-1: none) is taken
 * over. 0 or -errno. */
int tls_credentials_put(struct tls_credentials *all, const struct ipc_credential *ipc, int fd);
/* The coming one for the same files (and name), else that in force, or NULL. Borrowed. */
const struct tls_credential *tls_credentials_find(
	const struct tls_credentials *all, const struct credential *wanted);
/* What was coming is in force; what the policy names no longer goes. */
void tls_credentials_settle(struct tls_credentials *all, const struct policy *policy);
/* What was coming does not come. */
void tls_credentials_drop(struct tls_credentials *all);

#endif
