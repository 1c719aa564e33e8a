/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns how control hands certificates with their keys, secrets and trust stores to the processes
 * that speak TLS. Keys and secrets stand in the ipc itself: such an ipc is wiped wherever it was
 * held (ipc_is_secret()), which no file in memory could be.
 *
 * They come in front of the policy that needs them, are tried with it, and are in force or dropped
 * as it is; or in front of CREDENTIALS_RENEW, for the policy in force. */
#ifndef POSTERN_LIB_IPC_CREDENTIAL_H
#define POSTERN_LIB_IPC_CREDENTIAL_H

#include "lib/ipc/core.h"
#include "lib/policy/policy.h"
#include "lib/tls/credential.h"

enum ipc_credential_type {
	/* control -> smtp, health */
	IPC_CREDENTIAL =
		IPC_FILE_CREDENTIAL, /* secret; what is public: + descriptor, a sealed memfd */
	IPC_CREDENTIALS_RENEW,       /* those since take the places of the old; answered */
	IPC_CREDENTIAL_END,
};

struct ipc_credential {
	struct ipc_header header;
	uint32_t kind;       /* enum credential_kind */
	uint32_t file_bytes; /* of data: chain, or secret; 0: what is public */
	uint32_t key_bytes;  /* behind them; only of a certificate */
	uint32_t reserved;
	char name[POLICY_NAME_SIZE];     /* of a certificate, or its portal; else empty */
	char file[CREDENTIAL_PATH_SIZE]; /* as the policy says it */
	char key[CREDENTIAL_PATH_SIZE];  /* only of a certificate */
	uint8_t data[];
};

#define IPC_CREDENTIAL_DATA_MAX (IPC_BYTES_MAX - sizeof(struct ipc_credential))

#endif
