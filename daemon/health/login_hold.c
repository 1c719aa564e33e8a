/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/health/login_hold.h"

#include "lib/base/container.h"

#include <stdio.h>

static void on_time(struct loop_timer *timer, uint64_t now_ms)
{
	(void)now_ms;
	login_hold_end(container_of(timer, struct login_hold, timer));
}

void login_hold_init(
	struct login_hold *hold, struct loop *loop, void (*on_over)(struct login_hold *hold))
{
	*hold = (struct login_hold){.loop = loop, .on_over = on_over, .timer.on_time = on_time};
}

void login_hold_fini(struct login_hold *hold)
{
	loop_timer_clear(hold->loop, &hold->timer);
}

void login_hold_begin(struct login_hold *hold, uint64_t until_ms, const char *text)
{
	uint64_t wall_ms = loop_wall_ms(hold->loop);

	if (until_ms <= wall_ms || until_ms > wall_ms + TARGET_LOGIN_MS)
		return;
	hold->until_ms = until_ms;
	snprintf(hold->text, sizeof(hold->text), "%s", text);
	loop_timer_set(hold->loop, &hold->timer, loop_now_ms(hold->loop) + (until_ms - wall_ms));
}

void login_hold_end(struct login_hold *hold)
{
	hold->tested_ms = 0;
	if (!hold->until_ms)
		return;
	loop_timer_clear(hold->loop, &hold->timer);
	hold->until_ms = 0;
	hold->on_over(hold);
}

void login_hold_on_tested(struct login_hold *hold)
{
	hold->tested_ms = loop_now_ms(hold->loop);
}

uint32_t login_hold_left_s(const struct login_hold *hold)
{
	uint64_t wall_ms = loop_wall_ms(hold->loop), now_ms = loop_now_ms(hold->loop);
	uint64_t flows_ms = hold->until_ms > wall_ms ? hold->until_ms - wall_ms : 0;
	uint64_t end_ms = hold->tested_ms + TARGET_LOGIN_MS;
	uint64_t tests_ms = hold->tested_ms && end_ms > now_ms ? end_ms - now_ms : 0;

	return (uint32_t)(((flows_ms > tests_ms ? flows_ms : tests_ms) + 999) / 1000);
}
