/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/request/moment.h"

#include "lib/base/fields.h"
#include "lib/language/language.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

static const char *const days[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

/* 0 is no moment. */
static uint64_t moment(uint64_t seconds)
{
	return seconds ? seconds * 1000 : 1;
}

static int to_ms(struct tm *tm, uint64_t *at_ms)
{
	tm->tm_isdst = -1;
	time_t at = mktime(tm);
	if (at < 0)
		return -EINVAL;
	*at_ms = moment((uint64_t)at);
	return 0;
}

static int parse_seconds(const char *text, uint64_t *at_ms)
{
	struct fields field = {text, text + strlen(text)};
	uint64_t seconds;
	if (!fields_number(&field, UINT32_MAX * 16ull, &seconds) || !fields_over(&field))
		return -EINVAL;
	*at_ms = moment(seconds);
	return 0;
}

/* "08:00" or "08:00:30", with what is left behind it, into the hours of tm. */
static const char *take_clock(const char *text, struct tm *tm)
{
	int used = 0;
	tm->tm_hour = tm->tm_min = tm->tm_sec = 0;
	if (sscanf(text, "%2d:%2d%n:%2d%n", &tm->tm_hour, &tm->tm_min, &used, &tm->tm_sec, &used) <
			2 ||
		tm->tm_hour < 0 || tm->tm_hour > 23 || tm->tm_min < 0 || tm->tm_min > 59 ||
		tm->tm_sec < 0 || tm->tm_sec > 59)
		return NULL;
	return text + used;
}

/* Nothing is local time; "Z", "+02:00", "+0200" and "+02" say how far from UTC. */
static bool take_zone(const char *text, bool *is_utc, int *east_s)
{
	int hours = 0, minutes = 0, used = 0;
	*is_utc = *text != '\0';
	*east_s = 0;
	if (!*text || strcmp(text, "Z") == 0 || strcmp(text, "z") == 0)
		return true;
	if (*text != '+' && *text != '-')
		return false;
	if (sscanf(text + 1, "%2d%n:%2d%n", &hours, &used, &minutes, &used) == 1)
		sscanf(text + 1, "%2d%2d%n", &hours, &minutes, &used);
	if (used < 2 || text[1 + used] || hours < 0 || hours > 14 || minutes < 0 || minutes > 59)
		return false;
	*east_s = (hours * 3600 + minutes * 60) * (*text == '-' ? -1 : 1);
	return true;
}

static int to_ms_of(struct tm *tm, bool is_utc, int east_s, uint64_t *at_ms)
{
	if (!is_utc)
		return to_ms(tm, at_ms);
	time_t at = timegm(tm) - east_s;
	if (at < 0)
		return -EINVAL;
	*at_ms = moment((uint64_t)at);
	return 0;
}

/* "2030-01-31", "2030-01-31 08:00:30", "2030-01-31T08:00:30+01:00" */
static int parse_date(const char *text, uint64_t *at_ms)
{
	struct tm tm = {0};
	int used = 0, east_s = 0;
	bool is_utc = false;
	if (*text == '@')
		return parse_seconds(text + 1, at_ms);
	if (sscanf(text, "%4d-%2d-%2d%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &used) != 3 ||
		tm.tm_year < 1970 || tm.tm_mon < 1 || tm.tm_mon > 12 || tm.tm_mday < 1 ||
		tm.tm_mday > 31)
		return -EINVAL;
	text += used;
	if (*text) {
		if (*text != ' ' && *text != 'T' && *text != 't')
			return -EINVAL;
		text = take_clock(text + 1 + strspn(text + 1, " "), &tm);
		if (!text || !take_zone(text, &is_utc, &east_s))
			return -EINVAL;
	}
	const int day = tm.tm_mday;
	tm.tm_year -= 1900;
	tm.tm_mon--;
	/* what no month has, is not the next month's */
	return to_ms_of(&tm, is_utc, east_s, at_ms) < 0 || tm.tm_mday != day ? -EINVAL : 0;
}

/* "now", and "today", "yesterday" and "tomorrow", from midnight or with a time of day. */
static int parse_day(const char *text, uint64_t now_ms, uint64_t *at_ms)
{
	static const struct {
		const char *word;
		int days;
	} words[] = {{"today", 0}, {"yesterday", -1}, {"tomorrow", 1}};
	time_t now = (time_t)(now_ms / 1000);
	struct tm tm;
	if (strcasecmp(text, "now") == 0) {
		*at_ms = now_ms;
		return 0;
	}
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		size_t len = strlen(words[i].word);
		if (strncasecmp(text, words[i].word, len) != 0 || !localtime_r(&now, &tm))
			continue;
		text += len;
		tm.tm_mday += words[i].days;
		tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
		if (*text == ' ')
			text = take_clock(text + strspn(text, " "), &tm);
		return !text || *text ? -EINVAL : to_ms(&tm, at_ms);
	}
	return -EINVAL;
}

/* A time of day, perhaps of a day of the week: on the day that is `step` days from today, counted
 * on until it is right. */
static int parse_hour(const char *text, uint64_t now_ms, int step, uint64_t *at_ms)
{
	time_t now = (time_t)(now_ms / 1000);
	struct tm clock;
	int day = -1;
	for (int i = 0; i < 7; i++)
		if (strncasecmp(text, days[i], 3) == 0)
			day = i;
	if (day >= 0) {
		text += 3;
		text += strspn(text, " ");
	}
	text = take_clock(text, &clock);
	if (!text || *text)
		return -EINVAL;
	for (int i = 0; i <= 8; i++) {
		struct tm tm;
		if (!localtime_r(&now, &tm))
			return -EINVAL;
		tm.tm_mday += i * step;
		tm.tm_hour = clock.tm_hour;
		tm.tm_min = clock.tm_min;
		tm.tm_sec = clock.tm_sec;
		if (to_ms(&tm, at_ms) < 0)
			return -EINVAL;
		bool is_right = step > 0 ? *at_ms >= now_ms : *at_ms <= now_ms;
		if (is_right && (day < 0 || tm.tm_wday == day))
			return 0;
	}
	return -EINVAL;
}

int moment_parse_past(const char *text, uint64_t now_ms, uint64_t *at_ms)
{
	uint64_t ago_ms;
	if (language_parse_duration(text, &ago_ms) == 0) {
		*at_ms = ago_ms < now_ms ? now_ms - ago_ms : 1;
		return 0;
	}
	if (parse_hour(text, now_ms, -1, at_ms) == 0 || parse_day(text, now_ms, at_ms) == 0)
		return 0;
	return parse_date(text, at_ms);
}

int moment_parse_next(const char *text, uint64_t now_ms, uint64_t *at_ms)
{
	if (parse_hour(text, now_ms, 1, at_ms) == 0 || parse_day(text, now_ms, at_ms) == 0)
		return 0;
	return parse_date(text, at_ms);
}
