/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/ipc/web.h"

#include "lib/ipc/kind.h"
#include "lib/policy/session.h"
#include "lib/portal/tries.h"

#include <string.h>

static bool metrics_listen_ok(const void *ipc, size_t len)
{
	const struct ipc_metrics_listen *listen = ipc;
	(void)len;
	return ipc_addr_ok(&listen->at.addr) &&
	       (listen->at.addr.family == ADDR_NONE) == (listen->at.port == 0);
}

static bool metrics_state_ok(const void *ipc, size_t len)
{
	const struct ipc_metrics_state *state = ipc;
	(void)len;
	return ipc_addr_given_ok(&state->at.addr) && state->status <= 0;
}

static bool client_is_ok(const struct portal_client *client)
{
	return NAMED_OK(client->zone) && ipc_addr_given_ok(&client->address);
}

static bool login_ok(const void *ipc, size_t len)
{
	const struct ipc_portal_login *login = ipc;

	return len == sizeof(*login) + login->session_bytes &&
	       login->session_bytes <= SESSION_ENCODED_MAX && NAMED_OK(login->portal) &&
	       TEXT_OK(login->terms) &&
	       strspn(login->terms, "0123456789abcdef") == strlen(login->terms) &&
	       client_is_ok(&login->client);
}

static bool client_ok(const void *ipc, size_t len)
{
	const struct ipc_portal_client *client = ipc;

	(void)len;
	return NAMED_OK(client->portal) && client_is_ok(&client->client);
}

static bool wrong_ok(const void *ipc, size_t len)
{
	const struct ipc_portal_wrong *wrong = ipc;

	(void)len;
	return NAMED_OK(wrong->portal) && client_is_ok(&wrong->client) && TEXT_OK(wrong->user);
}

static bool shown_ok(const void *ipc, size_t len)
{
	const struct ipc_portal_shown *shown = ipc;

	(void)len;
	if (!TEXT_OK(shown->user) || shown->device > 1 || shown->messages > 1 || shown->more > 1 ||
		shown->unrecorded > 1 || shown->nmails > PORTAL_MAILS_MAX)
		return false;
	for (uint32_t i = 0; i < shown->nmails; i++)
		if (!TEXT_OK(shown->mails[i].id) || !TEXT_OK(shown->mails[i].reply))
			return false;
	return true;
}

static bool state_ok(const void *ipc, size_t len)
{
	const struct ipc_portal_state *state = ipc;

	(void)len;
	if (!NAMED_OK(state->portal) || !TEXT_OK(state->text) || state->serves > 1 ||
		state->nrows > PORTAL_LOCKED_MAX)
		return false;
	for (uint32_t i = 0; i < state->nrows; i++)
		if ((state->rows[i].what != PORTAL_TRY_DEVICE &&
			    state->rows[i].what != PORTAL_TRY_NETWORK) ||
			!TEXT_OK(state->rows[i].zone) || !ipc_addr_ok(&state->rows[i].address))
			return false;
	return true;
}

/* From IPC_FILE_WEB on. */
static const struct ipc_kind kinds[] = {
	[IPC_METRICS_LISTEN - IPC_FILE_WEB] =
		IPC_FIXED("metrics-listen", metrics_listen, metrics_listen_ok),
	[IPC_METRICS_PAGE - IPC_FILE_WEB] = IPC_PLAIN("metrics-page"),
	[IPC_METRICS_STATE - IPC_FILE_WEB] =
		IPC_FIXED("metrics-state", metrics_state, metrics_state_ok),
	[IPC_METRICS_GET - IPC_FILE_WEB] = IPC_PLAIN("metrics-get"),
	[IPC_PORTAL_LOGIN - IPC_FILE_WEB] = IPC_LONGER("portal-login", portal_login, 0, login_ok),
	[IPC_PORTAL_RENEW - IPC_FILE_WEB] = IPC_FIXED("portal-renew", portal_client, client_ok),
	[IPC_PORTAL_LOGOUT - IPC_FILE_WEB] = IPC_FIXED("portal-logout", portal_client, client_ok),
	[IPC_PORTAL_SHOW - IPC_FILE_WEB] = IPC_FIXED("portal-show", portal_client, client_ok),
	[IPC_PORTAL_SHOWN - IPC_FILE_WEB] = IPC_FIXED("portal-shown", portal_shown, shown_ok),
	[IPC_PORTAL_WRONG - IPC_FILE_WEB] = IPC_FIXED("portal-wrong", portal_wrong, wrong_ok),
	[IPC_PORTAL_STATE - IPC_FILE_WEB] = IPC_FIXED("portal-state", portal_state, state_ok),
};
_Static_assert(IPC_ROWS(kinds) == IPC_WEB_END - IPC_FILE_WEB, "every ipc has its row");
_Static_assert(IPC_ROWS(kinds) <= IPC_FILE_TYPES, "and its own number");

const struct ipc_kinds ipc_web_kinds = {.v = kinds, .n = IPC_ROWS(kinds)};
