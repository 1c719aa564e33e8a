/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns control's clocks. What was said to last a time is reckoned by the steady clock (steady.h),
 * which no setting of the wall clock moves: leases, idle times, entries of lists, bypass, confirm.
 * What is of the calendar goes by the wall clock, and is looked at again when that was set. */
#ifndef POSTERN_DAEMON_CONTROL_CLOCK_H
#define POSTERN_DAEMON_CONTROL_CLOCK_H

#include "daemon/control/control.h"

struct clock;

/* Goes on with the steady clock of before, by the state folder. NULL: out of memory. */
struct clock *clock_open(struct control *control);
/* What is to be known at the next start is on its way to the disk. */
void clock_save(struct control *control);
void clock_free(struct clock *clock);
/* Who is called when the wall clock was set back: one. */
void clock_on_set_back(struct control *control, void (*set_back)(void *context), void *context);

uint64_t clock_now_ms(const struct control *control);
/* How far the wall clock is ahead of the steady one. */
int64_t clock_ahead_ms(const struct control *control);
/* For who looks at it, and back. 0, which is no time, stays 0. */
uint64_t clock_to_wall(const struct control *control, uint64_t steady_ms);
uint64_t clock_from_wall(const struct control *control, uint64_t wall_ms);
/* For other processes, which know the monotonic clock alone. */
uint64_t clock_to_monotonic(const struct control *control, uint64_t steady_ms);
uint64_t clock_from_monotonic(const struct control *control, uint64_t monotonic_ms);
/* The wall clock, for removing what is too old. */
uint64_t clock_believed_ms(void *control);

#endif
