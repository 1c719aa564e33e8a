/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/ipc/auth.h"

#include "lib/ipc/kind.h"
#include "lib/policy/session.h"

#include <string.h>

const char *const auth_verdict_names[AUTH_VERDICTS] = {
#define AUTH_VERDICT_NAME(id, name) [AUTH_##id] = name,
	AUTH_VERDICT_TABLE(AUTH_VERDICT_NAME)
#undef AUTH_VERDICT_NAME
};

_Static_assert(sizeof(struct ipc_auth_verdict) + SESSION_ENCODED_MAX <= IPC_BYTES_MAX,
	"whoever logs in is one ipc");

static bool ask_ok(const void *ipc, size_t len)
{
	const struct ipc_auth_ask *ask = ipc;
	return len == sizeof(*ask) + ask->bytes && ask->bytes <= AUTH_BYTES_MAX &&
	       ask->secured <= 1 && ask->given <= 1 && (ask->given || !ask->bytes) &&
	       ask->portal <= 1 && !ask->reserved[0] && !ask->reserved[1] && !ask->reserved[2] &&
	       ipc_addr_ok(&ask->place) && NAMED_OK(ask->listener) && NAMED_OK(ask->mechanism) &&
	       ipc_addr_given_ok(&ask->client.addr) && ipc_addr_given_ok(&ask->server.addr);
}

static bool response_ok(const void *ipc, size_t len)
{
	const struct ipc_auth_response *response = ipc;
	return len == sizeof(*response) + response->bytes && response->bytes <= AUTH_BYTES_MAX &&
	       !response->reserved;
}

static bool offer_ok(const void *ipc, size_t len)
{
	const struct ipc_auth_offer *offer = ipc;
	(void)len;
	return NAMED_OK(offer->listener) && TEXT_OK(offer->mechanisms) && TEXT_OK(offer->clear) &&
	       offer->whole <= 1 && !offer->reserved;
}

static bool challenge_ok(const void *ipc, size_t len)
{
	const struct ipc_auth_challenge *challenge = ipc;
	return len == sizeof(*challenge) + challenge->bytes && challenge->bytes <= AUTH_BYTES_MAX &&
	       !challenge->reserved;
}

static bool verdict_ok(const void *ipc, size_t len)
{
	const struct ipc_auth_verdict *verdict = ipc;
	return len == sizeof(*verdict) + verdict->session_bytes &&
	       verdict->session_bytes <= SESSION_ENCODED_MAX && verdict->verdict < AUTH_VERDICTS &&
	       (verdict->verdict == AUTH_OK) == (verdict->session_bytes > 0) &&
	       TEXT_OK(verdict->auth) && TEXT_OK(verdict->text);
}

static bool test_ok(const void *ipc, size_t len)
{
	const struct ipc_auth_test *test = ipc;
	return len == sizeof(*test) + test->password_bytes &&
	       test->password_bytes <= AUTH_BYTES_MAX && !test->reserved && NAMED_OK(test->auth) &&
	       NAMED_OK(test->user) && !memchr(test->password, '\0', test->password_bytes);
}

static bool state_ok(const void *ipc, size_t len)
{
	const struct ipc_auth_state *state = ipc;
	(void)len;
	return NAMED_OK(state->auth) && state->up <= 1 && !state->reserved &&
	       TEXT_OK(state->mechanisms) && TEXT_OK(state->text);
}

/* From IPC_FILE_AUTH on. */
static const struct ipc_kind kinds[] = {
	[IPC_AUTH_ASK - IPC_FILE_AUTH] = IPC_SECRET_LONGER("auth-ask", auth_ask, 0, ask_ok),
	[IPC_AUTH_RESPONSE - IPC_FILE_AUTH] =
		IPC_SECRET_LONGER("auth-response", auth_response, 0, response_ok),
	[IPC_AUTH_CANCEL - IPC_FILE_AUTH] = IPC_FIXED("auth-cancel", auth_cancel, ipc_plain_ok),
	[IPC_AUTH_OFFER - IPC_FILE_AUTH] = IPC_FIXED("auth-offer", auth_offer, offer_ok),
	[IPC_AUTH_CHALLENGE - IPC_FILE_AUTH] =
		IPC_LONGER("auth-challenge", auth_challenge, 0, challenge_ok),
	[IPC_AUTH_VERDICT - IPC_FILE_AUTH] =
		IPC_LONGER("auth-verdict", auth_verdict, 0, verdict_ok),
	[IPC_AUTH_TEST - IPC_FILE_AUTH] = IPC_SECRET_LONGER("auth-test", auth_test, 0, test_ok),
	[IPC_AUTH_TESTED - IPC_FILE_AUTH] = IPC_LONGER("auth-tested", auth_verdict, 0, verdict_ok),
	[IPC_AUTH_STATE - IPC_FILE_AUTH] = IPC_FIXED("auth-state", auth_state, state_ok),
	[IPC_AUTH_KEY - IPC_FILE_AUTH] = IPC_SECRET_FIXED("auth-key", auth_key, ipc_plain_ok),
};
_Static_assert(IPC_ROWS(kinds) == IPC_AUTH_END - IPC_FILE_AUTH, "every ipc has its row");
_Static_assert(IPC_ROWS(kinds) <= IPC_FILE_TYPES, "and its own number");

const struct ipc_kinds ipc_auth_kinds = {.v = kinds, .n = IPC_ROWS(kinds)};
