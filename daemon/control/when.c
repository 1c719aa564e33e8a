#include "daemon/control/when.h"

#include "lib/fields.h"
#include "lib/language.h"

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

static int parse_date(const char *text, uint64_t *at_ms)
{
	struct tm tm = {0};
	int used = 0;
	if (*text == '@') {
		struct fields field = {text + 1, text + strlen(text)};
		uint64_t seconds;
		if (!fields_number(&field, UINT32_MAX * 16ull, &seconds) || !fields_over(&field))
			return -EINVAL;
		*at_ms = moment(seconds);
		return 0;
	}
	int n = sscanf(text, "%4d-%2d-%2d%n %2d:%2d%n:%2d%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
		&used, &tm.tm_hour, &tm.tm_min, &used, &tm.tm_sec, &used);
	if ((n != 3 && n != 5 && n != 6) || text[used] || tm.tm_year < 1970 || tm.tm_mon < 1 ||
		tm.tm_mon > 12 || tm.tm_mday < 1 || tm.tm_mday > 31 || tm.tm_hour < 0 ||
		tm.tm_hour > 23 || tm.tm_min < 0 || tm.tm_min > 59 || tm.tm_sec < 0 ||
		tm.tm_sec > 59)
		return -EINVAL;
	const int day = tm.tm_mday;
	tm.tm_year -= 1900;
	tm.tm_mon--;
	/* what no month has, is not the next month's */
	return to_ms(&tm, at_ms) < 0 || tm.tm_mday != day ? -EINVAL : 0;
}

/* A time of day, perhaps of a day of the week: on the day that is `step` days from today, counted
 * on until it is right. */
static int parse_hour(const char *text, uint64_t now_ms, int step, uint64_t *at_ms)
{
	time_t now = (time_t)(now_ms / 1000);
	int hour, minute, used = 0, day = -1;
	for (int i = 0; i < 7; i++)
		if (strncasecmp(text, days[i], 3) == 0)
			day = i;
	if (day >= 0) {
		text += 3;
		text += strspn(text, " ");
	}
	if (sscanf(text, "%2d:%2d%n", &hour, &minute, &used) != 2 || text[used] || hour < 0 ||
		hour > 23 || minute < 0 || minute > 59)
		return -EINVAL;
	for (int i = 0; i <= 8; i++) {
		struct tm tm;
		if (!localtime_r(&now, &tm))
			return -EINVAL;
		tm.tm_mday += i * step;
		tm.tm_hour = hour;
		tm.tm_min = minute;
		tm.tm_sec = 0;
		if (to_ms(&tm, at_ms) < 0)
			return -EINVAL;
		bool is_right = step > 0 ? *at_ms >= now_ms : *at_ms <= now_ms;
		if (is_right && (day < 0 || tm.tm_wday == day))
			return 0;
	}
	return -EINVAL;
}

int when_parse_past(const char *text, uint64_t now_ms, uint64_t *at_ms)
{
	uint64_t ago_ms;
	if (language_parse_duration(text, &ago_ms) == 0) {
		*at_ms = ago_ms < now_ms ? now_ms - ago_ms : 1;
		return 0;
	}
	if (parse_hour(text, now_ms, -1, at_ms) == 0)
		return 0;
	return parse_date(text, at_ms);
}

int when_parse_next(const char *text, uint64_t now_ms, uint64_t *at_ms)
{
	if (parse_hour(text, now_ms, 1, at_ms) == 0)
		return 0;
	return parse_date(text, at_ms);
}
