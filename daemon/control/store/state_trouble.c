/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/store/state_trouble.h"

#include "daemon/control/audit/audit.h"
#include "daemon/control/audit/message/messages.h"
#include "daemon/control/clock.h"
#include "daemon/control/control.h"
#include "daemon/control/store/session_store.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

#define FULL_BYTES (4u << 20) /* the databases take room in pieces */
#define LOSS_MS    86400000   /* told for so long after the start */

uint64_t state_free_bytes(const struct control *control)
{
	struct statvfs fs;

	if (statvfs(control->start.options.state_dir, &fs) < 0)
		return UINT64_MAX;
	return (uint64_t)fs.f_bavail * fs.f_frsize;
}

size_t state_troubles(
	const struct control *control, struct state_trouble v[static STATE_TROUBLES_MAX])
{
	static const char room[] = "posternctl doctor";
	const char *dir = control->start.options.state_dir;
	const char *loss = session_store_loss(control->store);
	int sessions = session_store_trouble(control->store), audit = audit_trouble(control->audit);
	int messages = messages_trouble(control->messages);
	uint64_t free_bytes = state_free_bytes(control);
	size_t n = 0;

	if (free_bytes < FULL_BYTES) {
		snprintf(v[n].text, sizeof(v[n].text),
			"the disk of %s is full, %" PRIu64 " KiB are free: logins and changes are "
			"refused, audit records are lost",
			dir, free_bytes / 1024);
		v[n++].next = room;
	}
	if (sessions) {
		snprintf(v[n].text, sizeof(v[n].text),
			"%s/state.db: the last change was not stored: %s", dir,
			strerror(-sessions));
		v[n++].next = room;
	}
	if (audit) {
		snprintf(v[n].text, sizeof(v[n].text),
			"%s/audit.db: the last record was not stored: %s", dir, strerror(-audit));
		v[n++].next = room;
	}
	if (messages) {
		snprintf(v[n].text, sizeof(v[n].text),
			"%s/messages.db: the last record was not stored: %s", dir,
			strerror(-messages));
		v[n++].next = room;
	}
	if (*loss && clock_now_ms(control) < control->started_ms + LOSS_MS) {
		snprintf(v[n].text, sizeof(v[n].text), "%s/%s", dir, loss);
		v[n++].next = "posternctl session show";
	}
	return n;
}
