/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/session/idle.h"

#include "daemon/control/clock.h"
#include "daemon/control/control.h"
#include "daemon/control/peers/question.h"
#include "daemon/control/session/passed.h"
#include "lib/base/container.h"
#include "lib/base/vector.h"

#include <stdlib.h>
#include <string.h>

#define LOOK_MS 1000 /* a look walks the kernel's table of connections */

/* While the kernel is asked the session counts as in use from asked_ms on. */
struct waiting {
	uint64_t id, active_ms, asked_ms;
};

struct idle {
	struct question ask; /* first */
	struct control *control;
	const struct idle_face *face;
	struct loop_timer timer; /* the next look */
	struct waiting *v;
	size_t n, asked, room; /* the first `asked` are answered by the look under way */
};

static void on_answer(struct question *ask, const struct ipc_header *ipc);

static void look(struct loop_timer *timer, uint64_t now_ms)
{
	struct idle *idle = container_of(timer, struct idle, timer);
	struct ipc_plain question;
	(void)now_ms;
	idle->asked = idle->n;
	ipc_init(&question, IPC_PASSED_GET, sizeof(question));
	question_send(&idle->control->keeper_asks, &idle->ask, &question, -1);
}

struct idle *idle_new(struct control *control, const struct idle_face *face)
{
	struct idle *idle = calloc(1, sizeof(*idle));
	if (!idle)
		return NULL;
	idle->control = control;
	idle->face = face;
	idle->ask.on_answer = on_answer;
	idle->timer.on_time = look;
	return idle;
}

void idle_free(struct idle *idle)
{
	if (!idle)
		return;
	question_cancel(&idle->ask);
	loop_timer_clear(idle->control->loop, &idle->timer);
	free(idle->v);
	free(idle);
}

static bool was_used_since(struct idle *idle, struct session *session, uint64_t active_ms)
{
	uint64_t last_ms = passed_last_ms(idle->control->passed, session->id);
	if (last_ms <= active_ms)
		return false;
	session->active_ms = last_ms;
	session_table_touch(idle->control->table, session);
	return true;
}

bool idle_goes_on(struct idle *idle, struct session *session)
{
	struct control *control = idle->control;
	if (was_used_since(idle, session, session->active_ms))
		return true;
	if (!passed_any(control->passed, session->id))
		return false;
	struct waiting *v = vector_grow(idle->v, idle->n, &idle->room, sizeof(*v));
	if (!v)
		return false;
	idle->v = v;
	struct waiting *waiting = &idle->v[idle->n++];
	*waiting = (struct waiting){.id = session->id,
		.active_ms = session->active_ms,
		.asked_ms = clock_now_ms(control)};
	session->active_ms = waiting->asked_ms;
	session_table_touch(control->table, session);
	if (!idle->ask.asks && !idle->timer.slot)
		loop_timer_set(control->loop, &idle->timer, loop_now_ms(control->loop));
	return true;
}

static void note_used(struct idle *idle, const struct ipc_passed *passed)
{
	uint64_t now_ms = clock_now_ms(idle->control);
	for (uint32_t i = 0; i < passed->n; i++) {
		uint64_t age_ms = passed->v[i].unused_s * 1000ull;
		if (age_ms < now_ms)
			passed_note_used(
				idle->control->passed, &passed->v[i].source, now_ms - age_ms);
	}
}

static void settle(struct idle *idle, const struct waiting *waiting)
{
	struct session *session = session_table_find(idle->control->table, waiting->id);
	/* it has been seen meanwhile, or was renewed */
	if (!session || session->active_ms != waiting->asked_ms)
		return;
	if (!was_used_since(idle, session, waiting->active_ms))
		idle->face->on_idle(idle->control, session);
}

static void on_answer(struct question *ask, const struct ipc_header *ipc)
{
	struct idle *idle = (struct idle *)ask;
	struct loop *loop = idle->control->loop;
	if (ipc && ipc->type == IPC_PASSED) {
		note_used(idle, (const struct ipc_passed *)ipc);
		return;
	}
	bool known = ipc && ipc->type == IPC_REPLY && ((const struct ipc_reply *)ipc)->status == 0;
	for (size_t i = 0; known && i < idle->asked; i++)
		settle(idle, &idle->v[i]);
	idle->n -= idle->asked;
	memmove(idle->v, idle->v + idle->asked, idle->n * sizeof(*idle->v));
	idle->asked = 0;
	idle->face->on_looked(idle->control);
	if (idle->n)
		loop_timer_set(loop, &idle->timer, loop_now_ms(loop) + LOOK_MS);
}
