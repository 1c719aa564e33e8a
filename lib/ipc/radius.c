/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/ipc/radius.h"

#include "lib/ipc/kind.h"

#include <stddef.h>
#include <string.h>

_Static_assert(offsetof(struct ipc_radius_event, groups) == sizeof(struct ipc_radius_event),
	"they begin where it ends");
_Static_assert(sizeof(struct ipc_radius_event) + IPC_RADIUS_GROUPS_BYTES <= IPC_BYTES_MAX,
	"the largest event is one ipc");

/* So many texts, of 1 to POLICY_USER_SIZE - 1 bytes each, and nothing behind them. */
static bool groups_ok(const struct ipc_radius_event *event)
{
	const char *at = event->groups, *end = at + event->groups_bytes;
	uint32_t n = 0;

	for (; at < end; n++) {
		size_t left = (size_t)(end - at);
		size_t size = left < POLICY_USER_SIZE ? left : POLICY_USER_SIZE;
		if (!ipc_text_ok(at, size) || !*at)
			return false;
		at += strlen(at) + 1;
	}
	return n == event->ngroups;
}

static bool addresses_ok(const struct ipc_radius_event *event)
{
	if (event->naddresses > RADIUS_ADDRESSES_MAX)
		return false;
	for (uint32_t i = 0; i < event->naddresses; i++)
		if (!ipc_prefix_ok(&event->addresses[i]) || event->addresses[i].len == 0)
			return false;
	return true;
}

static bool event_ok(const void *ipc, size_t len)
{
	const struct ipc_radius_event *event = ipc;
	const bool opens =
		event->status == RADIUS_STATUS_START || event->status == RADIUS_STATUS_INTERIM;

	return !event->reserved && event->ngroups <= RADIUS_GROUPS_MAX &&
	       event->groups_bytes <= IPC_RADIUS_GROUPS_BYTES &&
	       len == sizeof(*event) + event->groups_bytes && NAMED_OK(event->radius) &&
	       NAMED_OK(event->nas) && TEXT_OK(event->user) && TEXT_OK(event->zone) &&
	       (event->user[0] || !opens) && (event->zone[0] || !event->whole) &&
	       ipc_addr_given_ok(&event->source) && event->status < RADIUS_STATUS_OTHER &&
	       event->whole <= 1 && event->session_len <= IPC_RADIUS_SESSION_MAX &&
	       !mac_is_group(&event->mac) && addresses_ok(event) && groups_ok(event);
}

static bool state_ok(const void *ipc, size_t len)
{
	const struct ipc_radius_state *state = ipc;
	(void)len;
	return NAMED_OK(state->radius) && ipc_addr_ok(&state->unlisted_from) && state->md5 <= 1;
}

static bool sender_ok(const void *ipc, size_t len)
{
	const struct ipc_radius_sender *sender = ipc;
	(void)len;
	return NAMED_OK(sender->radius) && ipc_addr_given_ok(&sender->source) &&
	       sender->verdict < RADIUS_VERDICTS && !sender->reserved2;
}

static bool done_ok(const void *ipc, size_t len)
{
	const struct ipc_radius_done *done = ipc;
	return done->n <= IPC_RADIUS_DONE_MAX && done->failed <= 1 &&
	       ipc_count_ok(len, sizeof(*done), done->n, sizeof(*done->ids));
}

/* From IPC_FILE_RADIUS on. */
static const struct ipc_kind kinds[] = {
	[IPC_RADIUS_EVENT - IPC_FILE_RADIUS] =
		IPC_LONGER("radius-event", radius_event, 0, event_ok),
	[IPC_RADIUS_STATE - IPC_FILE_RADIUS] = IPC_FIXED("radius-state", radius_state, state_ok),
	[IPC_RADIUS_SENDER - IPC_FILE_RADIUS] =
		IPC_FIXED("radius-sender", radius_sender, sender_ok),
	[IPC_RADIUS_DONE - IPC_FILE_RADIUS] =
		IPC_LONGER("radius-done", radius_done, sizeof(uint64_t), done_ok),
};
_Static_assert(IPC_ROWS(kinds) == IPC_RADIUS_END - IPC_FILE_RADIUS, "every ipc has its row");
_Static_assert(IPC_ROWS(kinds) <= IPC_FILE_TYPES, "and its own number");

const struct ipc_kinds ipc_radius_kinds = {.v = kinds, .n = IPC_ROWS(kinds)};
