/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What happened that control is to hear of: counted, and told at once or once a second. */
#include "daemon/keeper/keeper.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static bool is_flood(enum ipc_event_kind kind)
{
	return kind == IPC_EVENT_ADMIT_LATE || kind == IPC_EVENT_ADMIT_SHED ||
	       kind == IPC_EVENT_ADMIT_MALFORMED || kind == IPC_EVENT_QUEUE_OVERRUN ||
	       kind == IPC_EVENT_ENTRY_FAILED;
}

void keeper_event(struct keeper *keeper, enum ipc_event_kind kind, const char *format, ...)
{
	va_list args;

	keeper->events[kind]++;
	va_start(args, format);
	vsnprintf(keeper->event_text[kind], sizeof(keeper->event_text[kind]), format, args);
	va_end(args);
	if (!is_flood(kind))
		keeper_tell_events(keeper);
}

void keeper_tell_events(struct keeper *keeper)
{
	struct ipc_event event;

	if (!keeper->control.channel)
		return;
	for (unsigned kind = 0; kind < IPC_EVENTS; kind++) {
		if (!keeper->events[kind])
			continue;
		ipc_init(&event, IPC_EVENT, sizeof(event));
		event.kind = kind;
		event.count = keeper->events[kind];
		memcpy(event.text, keeper->event_text[kind], sizeof(event.text));
		keeper->events[kind] = 0;
		keeper_child_send(&keeper->control, &event, -1);
	}
}
