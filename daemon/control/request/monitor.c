/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/request/monitor.h"

#include "daemon/control/control.h"
#include "daemon/control/request/control_socket.h"

#include <stdlib.h>
#include <string.h>

static const char *topic_name(enum monitor_topic topic)
{
	switch (topic) {
	case MONITOR_FLOW:
		return "flow";
	case MONITOR_SESSION:
		return "session";
	case MONITOR_SERVER:
		return "server";
	case MONITOR_POLICY:
		return "policy";
	case MONITOR_REFUSAL:
		return "refusal";
	case MONITOR_MESSAGE:
		return "message";
	case MONITOR_ALL:
		break;
	}
	return "all";
}

bool monitor_wanted(const struct control *control, enum monitor_topic topic)
{
	return control_socket_has_watcher(control->control_socket, topic);
}

void monitor_publish_row(
	struct control *control, enum monitor_topic topic, const char *event, json_t *row)
{
	json_t *told = json_pack("{s:s}", "event", event);

	if (row)
		json_object_update(told, row);
	json_decref(row);
	monitor_publish(control, topic, told);
}

void monitor_publish(struct control *control, enum monitor_topic topic, json_t *row)
{
	json_t *event = json_pack("{s:I, s:s}", "event_at",
		(json_int_t)(loop_wall_ms(control->loop) / 1000), "topic", topic_name(topic));
	if (event && row && control->control_socket) {
		json_object_update(event, row);
		char *text = json_dumps(event, JSON_COMPACT);
		if (text)
			control_socket_publish(control->control_socket, topic, text, strlen(text));
		free(text);
	}
	json_decref(event);
	json_decref(row);
}
