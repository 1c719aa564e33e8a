/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/policy/schedule.h"

#define DAY_MINUTES  1440u
#define DAY_SECONDS  86400
#define WEEK_MINUTES (7 * DAY_MINUTES)
/* A week's schedule that changes at all does so within two weeks, even if a change of the clock
 * leaves one of its ranges out. */
#define SEARCH_SECONDS (22 * DAY_SECONDS)

static bool day_in(uint8_t days, unsigned day)
{
	return days >> day & 1;
}

/* day from Monday = 0, minute of that day. A range that ends before it begins (or where it begins)
 * reaches into the day after. */
static bool range_on(const struct policy_range *range, unsigned day, unsigned minute)
{
	if (!range->hours_given)
		return day_in(range->days, day);
	if (range->from < range->to)
		return day_in(range->days, day) && minute >= range->from && minute < range->to;
	return (day_in(range->days, day) && minute >= range->from) ||
	       (day_in(range->days, (day + 6) % 7) && minute < range->to);
}

static bool on_at(const struct policy_schedule *schedule, unsigned day, unsigned minute)
{
	if (schedule->n == 0)
		return true;
	for (size_t i = 0; i < schedule->n; i++)
		if (range_on(&schedule->v[i], day, minute))
			return true;
	return false;
}

bool schedule_on_local(const struct policy_schedule *schedule, const struct tm *tm)
{
	return on_at(schedule, (unsigned)(tm->tm_wday + 6) % 7,
		(unsigned)(tm->tm_hour * 60 + tm->tm_min));
}

bool schedule_on(const struct policy_schedule *schedule, time_t now, schedule_local *local)
{
	struct tm tm;

	if (schedule->n == 0)
		return true;
	return local(&now, &tm) && schedule_on_local(schedule, &tm);
}

/* The next minute of the day behind `minute` at which a range may begin or end; the end of the day
 * at the latest. */
static unsigned next_edge(const struct policy_schedule *schedule, unsigned minute)
{
	unsigned edge = DAY_MINUTES;

	for (size_t i = 0; i < schedule->n; i++) {
		const struct policy_range *range = &schedule->v[i];
		if (!range->hours_given)
			continue;
		if (range->from > minute && range->from < edge)
			edge = range->from;
		if (range->to > minute && range->to < edge)
			edge = range->to;
	}
	return edge;
}

/* Is it the same at every minute of every week? */
static bool is_constant(const struct policy_schedule *schedule)
{
	bool first = on_at(schedule, 0, 0);

	for (unsigned at = 0; at < WEEK_MINUTES;) {
		unsigned minute = at % DAY_MINUTES;
		if (on_at(schedule, at / DAY_MINUTES, minute) != first)
			return false;
		at += next_edge(schedule, minute) - minute;
	}
	return true;
}

static long offset_at(time_t at, schedule_local *local)
{
	struct tm tm;

	return local(&at, &tm) ? tm.tm_gmtoff : 0;
}

/* The first moment in (from, to] at which the clocks no longer have the offset they have at from,
 * given that at `to` they have another. */
static time_t find_clock_change(time_t from, time_t to, long offset, schedule_local *local)
{
	while (to - from > 1) {
		time_t middle = from + (to - from) / 2;
		if (offset_at(middle, local) == offset)
			from = middle;
		else
			to = middle;
	}
	return to;
}

time_t schedule_next_change(
	const struct policy_schedule *schedule, time_t now, schedule_local *local)
{
	struct tm tm;

	if (is_constant(schedule) || !local(&now, &tm))
		return 0;
	bool on = schedule_on_local(schedule, &tm);
	/* From edge to edge. Between two edges local time runs on evenly, unless the clocks change:
	 * then the change is the next edge. */
	for (time_t at = now; at - now < SEARCH_SECONDS;) {
		unsigned minute = (unsigned)(tm.tm_hour * 60 + tm.tm_min);
		time_t next = at + (time_t)(next_edge(schedule, minute) - minute) * 60 - tm.tm_sec;
		long offset = tm.tm_gmtoff;
		if (next <= at) /* a leap second */
			next = at + 1;
		if (offset_at(next, local) != offset)
			next = find_clock_change(at, next, offset, local);
		at = next;
		if (!local(&at, &tm))
			return 0;
		if (schedule_on_local(schedule, &tm) != on)
			return at;
	}
	return now + SEARCH_SECONDS;
}
