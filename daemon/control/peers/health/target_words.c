/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/peers/health/target_words.h"

#include "daemon/control/request/json_row.h"
#include "lib/policy/level.h"

#include <stdio.h>

const char *target_words_state(const struct ipc_targets *targets, const struct ipc_target *target)
{
	struct ipc_target views[2];

	ipc_target_views(targets->flows, target, views);
	return target->drained ? "drained" : target_state_names[views[0].state];
}

json_t *target_words_message_state(
	const struct ipc_targets *targets, const struct ipc_target *target)
{
	return targets->flows & LEVEL_FLOWS_READ
		       ? json_string(target_state_names[target->read.state])
		       : json_null();
}

/* That of the other flows behind that of those which are shown first. */
static void put_why(const struct ipc_targets *targets, const struct ipc_target *target, FILE *out)
{
	struct ipc_target views[2];
	unsigned n = ipc_target_views(targets->flows, target, views);
	bool only_read = targets->flows == LEVEL_FLOWS_READ && target->state == TARGET_NEVER &&
			 views[0].state != TARGET_NEVER;
	const struct ipc_target *other = n == 2 ? &views[1] : only_read ? target : NULL;

	if (target->drained)
		fprintf(out, "by the operator; the host is %s%s",
			target_state_names[views[0].state], *views[0].text ? ": " : "");
	fprintf(out, "%s", views[0].text);
	if (other)
		fprintf(out, "%s%s%s%s%s", target->drained || *views[0].text ? "; " : "",
			only_read ? "never used" : target_state_names[other->state],
			ipc_target_level(n == 2, 2), *other->text ? ": " : "", other->text);
}

json_t *target_words_why(const struct ipc_targets *targets, const struct ipc_target *target)
{
	char text[2 * TARGET_TEXT_SIZE + 128] = "";
	FILE *out = fmemopen(text, sizeof(text), "w");

	if (out) {
		put_why(targets, target, out);
		fclose(out);
	}
	return json_row_text(text);
}
