/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns live events: who wants which, and their words. */
#ifndef POSTERN_DAEMON_CONTROL_REQUEST_MONITOR_H
#define POSTERN_DAEMON_CONTROL_REQUEST_MONITOR_H

#include <jansson.h>

#include <stdbool.h>

struct control;

enum monitor_topic {
	MONITOR_FLOW = 1 << 0,
	MONITOR_SESSION = 1 << 1,
	MONITOR_SERVER = 1 << 2,
	MONITOR_POLICY = 1 << 3,
	MONITOR_REFUSAL = 1 << 4,
	MONITOR_MESSAGE = 1 << 5, /* of flows that are read */
	MONITOR_ALL = (1 << 6) - 1,
};

/* Is anybody listening? Ask before an event is put together. */
bool monitor_wanted(const struct control *control, enum monitor_topic topic);
/* Sends one event; the row is taken over and gets `event_at` and `topic` as its first fields. */
void monitor_publish(struct control *control, enum monitor_topic topic, json_t *row);
/* The same of a row that is shown elsewhere, too, with `event` before its fields; NULL: it has
 * none. */
void monitor_publish_row(
	struct control *control, enum monitor_topic topic, const char *event, json_t *row);

#endif
