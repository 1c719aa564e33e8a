#include "lib/steady.h"

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

/* A number and what ends it. */
static bool take_number(const char **at, const char *end, char behind, uint64_t *number)
{
	const char *first = *at;

	for (*number = 0; *at < end && **at >= '0' && **at <= '9'; ++*at) {
		*number = *number * 10 + (uint64_t)(**at - '0');
		if (*number > STEADY_MS_MAX)
			return false;
	}
	return *at > first && *at < end && *(*at)++ == behind;
}

int steady_parse(const char *text, size_t len, struct steady_moment *moment)
{
	const char *end = text + len, *blank = len ? memchr(text, ' ', len) : NULL, *at;
	uint64_t *const numbers[] = {&moment->monotonic_ms, &moment->steady_ms, &moment->wall_ms,
		&moment->believed_ms, &moment->since_ms};
	const size_t n = sizeof(numbers) / sizeof(numbers[0]);

	if (!blank || blank == text || blank - text >= STEADY_BOOT_SIZE)
		return -EBADMSG;
	memset(moment->boot, 0, sizeof(moment->boot));
	memcpy(moment->boot, text, (size_t)(blank - text));
	at = blank + 1;
	for (size_t i = 0; i < n; i++)
		if (!take_number(&at, end, i + 1 < n ? ' ' : '\n', numbers[i]))
			return -EBADMSG;
	if (at != end || moment->since_ms > moment->steady_ms)
		return -EBADMSG;
	return 0;
}
