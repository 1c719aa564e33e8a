/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the schedule of a rule: is it on at a local time, and when does that change. */
#ifndef POSTERN_LIB_POLICY_SCHEDULE_H
#define POSTERN_LIB_POLICY_SCHEDULE_H

#include "lib/policy/policy.h"

#include <time.h>

/* Turns a moment into local time, tm_gmtoff included; localtime_r outside of tests. lib reads no
 * clock or zone. */
typedef struct tm *schedule_local(const time_t *at, struct tm *tm);

bool schedule_on(const struct policy_schedule *schedule, time_t now, schedule_local *local);
/* The same for a moment that is local time already: many schedules, one conversion. */
bool schedule_on_local(const struct policy_schedule *schedule, const struct tm *tm);
/* The next moment after now at which schedule_on() changes, right across midnight and changes of
 * daylight saving time; 0: never. */
time_t schedule_next_change(
	const struct policy_schedule *schedule, time_t now, schedule_local *local);

#endif
