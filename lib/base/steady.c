/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/base/steady.h"

#include "lib/base/fields.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static bool same_boot(const struct steady_moment *last, const char *boot, uint64_t monotonic_ms)
{
	return *boot && strcmp(last->boot, boot) == 0 && last->monotonic_ms <= monotonic_ms;
}

void steady_begin(struct steady *steady, const struct steady_moment *last, const char *boot,
	uint64_t monotonic_ms, uint64_t wall_ms)
{
	uint64_t now_ms = wall_ms, passed_ms = 0;

	if (last && same_boot(last, boot, monotonic_ms))
		now_ms = last->steady_ms + (monotonic_ms - last->monotonic_ms);
	else if (last) {
		passed_ms = wall_ms > last->wall_ms ? wall_ms - last->wall_ms : 0;
		now_ms = last->steady_ms + passed_ms;
	}
	steady->offset_ms = (int64_t)(now_ms - monotonic_ms);
	/* what the wall clock said before this start is not known, or too long ago to be believed
	 */
	if (!last) {
		steady->believed_ms = -(int64_t)now_ms;
		steady->since_ms = now_ms;
		return;
	}
	steady->believed_ms = (int64_t)(last->believed_ms - last->steady_ms);
	steady->since_ms = last->since_ms;
	if (passed_ms > STEADY_BELIEF_MS) {
		steady->believed_ms -= (int64_t)passed_ms;
		steady->since_ms = now_ms;
	}
}

uint64_t steady_now(const struct steady *steady, uint64_t monotonic_ms)
{
	return monotonic_ms + (uint64_t)steady->offset_ms;
}

void steady_on_set(struct steady *steady, uint64_t monotonic_ms)
{
	steady->since_ms = steady_now(steady, monotonic_ms);
}

uint64_t steady_believed(struct steady *steady, uint64_t monotonic_ms, uint64_t wall_ms)
{
	uint64_t now_ms = steady_now(steady, monotonic_ms);
	int64_t ahead_ms = (int64_t)(wall_ms - now_ms);

	if (ahead_ms - steady->believed_ms > STEADY_BELIEF_MS &&
		now_ms - steady->since_ms < STEADY_BELIEF_MS)
		return now_ms + (uint64_t)steady->believed_ms;
	steady->believed_ms = ahead_ms;
	return wall_ms;
}

struct steady_moment steady_moment_of(
	struct steady *steady, const char *boot, uint64_t monotonic_ms, uint64_t wall_ms)
{
	struct steady_moment moment = {.monotonic_ms = monotonic_ms,
		.steady_ms = steady_now(steady, monotonic_ms),
		.wall_ms = wall_ms,
		.believed_ms = steady_believed(steady, monotonic_ms, wall_ms),
		.since_ms = steady->since_ms};

	snprintf(moment.boot, sizeof(moment.boot), "%s", *boot ? boot : "-");
	return moment;
}

size_t steady_format(const struct steady_moment *moment, char text[static STEADY_TEXT_SIZE])
{
	int len = snprintf(text, STEADY_TEXT_SIZE,
		"%s %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", moment->boot,
		moment->monotonic_ms, moment->steady_ms, moment->wall_ms, moment->believed_ms,
		moment->since_ms);

	return (size_t)len;
}

int steady_parse(const char *text, size_t len, struct steady_moment *moment)
{
	struct fields left = {text, text + len}, line;
	uint64_t *const numbers[] = {&moment->monotonic_ms, &moment->steady_ms, &moment->wall_ms,
		&moment->believed_ms, &moment->since_ms};

	memset(moment, 0, sizeof(*moment));
	if (!fields_line(&left, &line) || !fields_over(&left) ||
		!fields_word(&line, moment->boot, sizeof(moment->boot)))
		return -EBADMSG;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (!fields_number(&line, STEADY_MS_MAX, numbers[i]))
			return -EBADMSG;
	return fields_over(&line) && moment->since_ms <= moment->steady_ms ? 0 : -EBADMSG;
}
