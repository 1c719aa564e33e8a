/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/ipc/credential.h"

#include "lib/auth/user_file.h"
#include "lib/ipc/kind.h"
#include "lib/tls/certificate.h"

_Static_assert(CERTIFICATE_CHAIN_BYTES_MAX + CERTIFICATE_KEY_BYTES_MAX <= IPC_CREDENTIAL_DATA_MAX,
	"a certificate is one ipc");
_Static_assert(CREDENTIAL_SECRET_BYTES_MAX <= IPC_CREDENTIAL_DATA_MAX, "and so is a secret");

_Static_assert(USER_FILE_BYTES_MAX <= IPC_CREDENTIAL_DATA_MAX, "and a file of users");

static bool has_right_parts(const struct ipc_credential *credential)
{
	switch (credential->kind) {
	case CREDENTIAL_OWN:
	case CREDENTIAL_CERTIFICATE:
		return NAMED_OK(credential->name) && credential->key[0] &&
		       credential->file_bytes > 0 &&
		       credential->file_bytes <= CERTIFICATE_CHAIN_BYTES_MAX &&
		       credential->key_bytes > 0 &&
		       credential->key_bytes <= CERTIFICATE_KEY_BYTES_MAX;
	case CREDENTIAL_USERS:
		return !credential->name[0] && !credential->key[0] && credential->file_bytes > 0 &&
		       credential->file_bytes <= USER_FILE_BYTES_MAX && !credential->key_bytes;
	case CREDENTIAL_SECRET:
		return !credential->name[0] && !credential->key[0] && credential->file_bytes > 0 &&
		       credential->file_bytes <= CREDENTIAL_SECRET_BYTES_MAX &&
		       !credential->key_bytes;
	case CREDENTIAL_TERMS:
	case CREDENTIAL_LOGO:
	case CREDENTIAL_TEXTS:
	case CREDENTIAL_TRUST:
		return !credential->name[0] && !credential->key[0] && !credential->file_bytes &&
		       !credential->key_bytes;
	default:
		return false;
	}
}

static bool credential_ok(const void *ipc, size_t len)
{
	const struct ipc_credential *credential = ipc;

	return TEXT_OK(credential->name) && NAMED_OK(credential->file) &&
	       TEXT_OK(credential->key) && !credential->reserved && has_right_parts(credential) &&
	       len == sizeof(*credential) + credential->file_bytes + credential->key_bytes;
}

/* From IPC_FILE_CREDENTIAL on. */
static const struct ipc_kind kinds[] = {
	[IPC_CREDENTIAL - IPC_FILE_CREDENTIAL] =
		IPC_SECRET_LONGER("credential", credential, 0, credential_ok),
	[IPC_CREDENTIALS_RENEW - IPC_FILE_CREDENTIAL] = IPC_PLAIN("credentials-renew"),
};
_Static_assert(
	IPC_ROWS(kinds) == IPC_CREDENTIAL_END - IPC_FILE_CREDENTIAL, "every ipc has its row");
_Static_assert(IPC_ROWS(kinds) <= IPC_FILE_TYPES, "and its own number");

const struct ipc_kinds ipc_credential_kinds = {.v = kinds, .n = IPC_ROWS(kinds)};
