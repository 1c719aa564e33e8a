/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/clock.h"

#include "daemon/base/log.h"
#include "daemon/control/kernel/entries.h"
#include "daemon/control/store/disk.h"
#include "daemon/control/store/state_lines.h"
#include "lib/base/container.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME      "clock"
#define BOOT_PATH "/proc/sys/kernel/random/boot_id"
/* After a power cut, with a clock that does not know how long it was, so much of a lease comes back
 * at most. */
#define SAVE_MS 600000

struct clock {
	struct control *control;
	char boot[STEADY_BOOT_SIZE]; /* empty: it cannot be read */
	struct loop_timer timer;
	struct gather saving;
	bool writing;
	void (*set_back)(void *context);
	void *set_back_context;
};

uint64_t clock_now_ms(const struct control *control)
{
	return steady_now(&control->steady, loop_now_ms(control->loop));
}

int64_t clock_ahead_ms(const struct control *control)
{
	return (int64_t)(loop_wall_ms(control->loop) - clock_now_ms(control));
}

/* A time before the first of the other clock is its first. */
static uint64_t shift(uint64_t at_ms, int64_t by_ms)
{
	if (!at_ms)
		return 0;
	return by_ms < 0 && at_ms <= (uint64_t)-by_ms ? 1 : at_ms + (uint64_t)by_ms;
}

uint64_t clock_to_wall(const struct control *control, uint64_t steady_ms)
{
	return shift(steady_ms, clock_ahead_ms(control));
}

uint64_t clock_from_wall(const struct control *control, uint64_t wall_ms)
{
	return shift(wall_ms, -clock_ahead_ms(control));
}

uint64_t clock_to_monotonic(const struct control *control, uint64_t steady_ms)
{
	return shift(steady_ms, -control->steady.offset_ms);
}

uint64_t clock_from_monotonic(const struct control *control, uint64_t monotonic_ms)
{
	return shift(monotonic_ms, control->steady.offset_ms);
}

uint64_t clock_believed_ms(void *context)
{
	struct control *control = context;
	return steady_believed(
		&control->steady, loop_now_ms(control->loop), loop_wall_ms(control->loop));
}

static void on_saved(struct gather *gather)
{
	struct clock *clock = container_of(gather, struct clock, saving);
	clock->writing = false;
	if (gather->status)
		log_error("%s", gather->text);
}

void clock_save(struct control *control)
{
	struct clock *clock = control->clock;
	char text[STEADY_TEXT_SIZE];

	if (!clock || clock->writing)
		return;
	struct state_lines *lines = state_lines_new(sizeof(text));
	if (!lines)
		return;
	struct steady_moment moment = steady_moment_of(&control->steady, clock->boot,
		loop_now_ms(control->loop), loop_wall_ms(control->loop));
	steady_format(&moment, text);
	state_lines_put(lines, "%s", text);
	clock->writing = true;
	gather_init(&clock->saving, on_saved);
	state_lines_write(lines, control, NAME, &clock->saving,
		"the state folder does not take the time: after a restart leases may be longer");
	gather_end(&clock->saving, 0, NULL);
}

static void on_time(struct loop_timer *timer, uint64_t now_ms)
{
	struct clock *clock = container_of(timer, struct clock, timer);
	clock_save(clock->control);
	loop_timer_set(clock->control->loop, timer, now_ms + SAVE_MS);
}

/* The kernel remembers verdicts until a schedule's next change, reckoned before. */
static void on_set(void *context, int64_t by_ms)
{
	struct control *control = context;
	log_warning("the wall clock was set %s by %lld s", by_ms < 0 ? "back" : "ahead",
		(long long)((by_ms < 0 ? -by_ms : by_ms) / 1000));
	steady_on_set(&control->steady, loop_now_ms(control->loop));
	entries_drop_all(control->entries);
	entries_send(control->entries, NULL);
	if (by_ms < 0 && control->clock && control->clock->set_back)
		control->clock->set_back(control->clock->set_back_context);
	clock_save(control);
}

void clock_on_set_back(struct control *control, void (*set_back)(void *context), void *context)
{
	if (!control->clock)
		return;
	control->clock->set_back = set_back;
	control->clock->set_back_context = context;
}

static void read_boot(char boot[static STEADY_BOOT_SIZE])
{
	FILE *file = fopen(BOOT_PATH, "re");
	boot[0] = '\0';
	if (!file || !fgets(boot, STEADY_BOOT_SIZE, file))
		log_warning("%s cannot be read: after a restart leases go by the wall clock",
			BOOT_PATH);
	if (file)
		fclose(file);
	boot[strcspn(boot, " \n")] = '\0';
}

struct clock *clock_open(struct control *control)
{
	struct clock *clock = calloc(1, sizeof(*clock));
	struct steady_moment last;
	if (!clock)
		return NULL;
	clock->control = control;
	clock->timer.on_time = on_time;
	read_boot(clock->boot);
	char *text = state_lines_read(control, NAME);
	bool known = text && steady_parse(text, strlen(text), &last) == 0;
	if (text && !known)
		log_error(
			"%s in the state folder cannot be read: leases go by the wall clock", NAME);
	free(text);
	steady_begin(&control->steady, known ? &last : NULL, clock->boot,
		loop_now_ms(control->loop), loop_wall_ms(control->loop));
	int error = loop_on_clock_set(control->loop, on_set, control);
	if (error)
		log_error("the wall clock cannot be watched: %s", strerror(-error));
	/* soon: the disk does not wait for it */
	loop_timer_set(control->loop, &clock->timer, 0);
	return clock;
}

void clock_free(struct clock *clock)
{
	if (!clock)
		return;
	loop_timer_clear(clock->control->loop, &clock->timer);
	free(clock);
}
