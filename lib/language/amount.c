/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/language/parse.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct unit {
	char text[4];
	uint64_t factor;
};

/* Largest first: the printer takes the first that divides. */
static const struct unit durations[] = {
	{"w", 7 * 86400000ull},
	{"d", 86400000},
	{"h", 3600000},
	{"m", 60000},
	{"s", 1000},
	{"ms", 1},
};
static const struct unit sizes[] = {
	{"g", 1 << 30},
	{"m", 1 << 20},
	{"k", 1 << 10},
};

static bool amount(const struct unit *units, size_t n, uint64_t count, const char *text, size_t len,
	uint64_t *value)
{
	for (size_t i = 0; i < n; i++) {
		if (strlen(units[i].text) == len && memcmp(units[i].text, text, len) == 0)
			return !__builtin_mul_overflow(count, units[i].factor, value);
	}
	return false;
}

static const char *format(const struct unit *units, size_t n, uint64_t value, char buf[static 32])
{
	size_t i = 0;

	if (value == 0)
		i = n == 6 ? 4 : n - 1; /* 0s, 0k */
	while (value != 0 && i < n - 1 && value % units[i].factor != 0)
		i++;
	snprintf(buf, 32, "%" PRIu64 "%s", value / units[i].factor, units[i].text);
	return buf;
}

bool language_milliseconds(uint64_t count, const char *unit, size_t len, uint64_t *ms)
{
	return amount(durations, sizeof(durations) / sizeof(*durations), count, unit, len, ms);
}

bool language_bytes(uint64_t count, const char *unit, size_t len, uint64_t *bytes)
{
	return amount(sizes, sizeof(sizes) / sizeof(*sizes), count, unit, len, bytes);
}

const char *language_format_duration(uint64_t ms, char buf[static 32])
{
	return format(durations, sizeof(durations) / sizeof(*durations), ms, buf);
}

const char *language_format_size(uint64_t bytes, char buf[static 32])
{
	return format(sizes, sizeof(sizes) / sizeof(*sizes), bytes, buf);
}

int language_parse_duration(const char *text, uint64_t *ms)
{
	uint64_t count = 0;
	const char *p = text;

	for (; *p >= '0' && *p <= '9'; p++) {
		if (__builtin_mul_overflow(count, 10u, &count) ||
			__builtin_add_overflow(count, (unsigned)(*p - '0'), &count))
			return -EINVAL;
	}
	if (p == text || !language_milliseconds(count, p, strlen(p), ms) ||
		*ms > LANGUAGE_DURATION_MAX_MS)
		return -EINVAL;
	return 0;
}

static const char *unit_of(const struct policy_limit *limit)
{
	return limit->per_seconds == 1      ? "second"
	       : limit->per_seconds == 60   ? "minute"
	       : limit->per_seconds == 3600 ? "hour"
					    : "day";
}

/* "100", "100/hour" or "30m" */
static const char *format_amount(const struct policy_limit *limit, char buf[static 48])
{
	char size[32];

	if (limit->kind == POLICY_LIMIT_SIZE)
		snprintf(buf, 48, "%s", language_format_size(limit->size_bytes, size));
	else if (limit->per_seconds)
		snprintf(buf, 48, "%" PRIu32 "/%s", limit->count, unit_of(limit));
	else
		snprintf(buf, 48, "%" PRIu32, limit->count);
	return buf;
}

const char *language_format_limit(
	const struct policy_limit *limit, char buf[static LANGUAGE_LIMIT_SIZE])
{
	static const char *const kinds[POLICY_LIMIT_KINDS] = {[POLICY_LIMIT_FLOWS] = "flows",
		[POLICY_LIMIT_RATE] = "rate",
		[POLICY_LIMIT_SESSIONS] = "sessions",
		[POLICY_LIMIT_MESSAGES] = "messages",
		[POLICY_LIMIT_RECIPIENTS] = "recipients",
		[POLICY_LIMIT_SIZE] = "size"};
	static const char *const per[POLICY_PERS] = {[POLICY_PER_ALL] = "",
		[POLICY_PER_CLIENT] = " per client",
		[POLICY_PER_USER] = " per user",
		[POLICY_PER_SENDER] = " per sender",
		[POLICY_PER_FLOW] = " per flow",
		[POLICY_PER_MESSAGE] = " per message"};
	char text[32], amount_text[48], block[48] = "";

	if (limit->block_s)
		snprintf(block, sizeof(block), " { block %s }",
			language_format_duration(limit->block_s * 1000ull, text));
	else if (limit->over_given)
		snprintf(block, sizeof(block), " { over %s }",
			limit->over_replaces ? "replace" : "refuse");
	snprintf(buf, LANGUAGE_LIMIT_SIZE, "limit %s %s%s%s", kinds[limit->kind],
		format_amount(limit, amount_text), per[limit->per], block);
	return buf;
}
