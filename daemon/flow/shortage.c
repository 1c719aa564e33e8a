/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/flow/shortage.h"

#include "lib/base/container.h"

#include <errno.h>
#include <stddef.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define PAUSE_MS      100
#define SAID_EVERY_MS 60000

static void on_resume(struct loop_timer *timer, uint64_t now_ms)
{
	struct shortage *shortage = container_of(timer, struct shortage, resume);

	(void)now_ms;
	shortage_end(shortage);
}

static void take_reserve(struct shortage *shortage)
{
	shortage->reserve = eventfd(0, EFD_CLOEXEC);
}

static void drop_reserve(struct shortage *shortage)
{
	if (shortage->reserve >= 0)
		close(shortage->reserve);
	shortage->reserve = -1;
}

void shortage_init(
	struct shortage *shortage, struct loop *loop, void (*on_change)(struct shortage *shortage))
{
	*shortage = (struct shortage){
		.loop = loop, .on_change = on_change, .resume = {.on_time = on_resume}};
	take_reserve(shortage);
}

void shortage_fini(struct shortage *shortage)
{
	loop_timer_clear(shortage->loop, &shortage->resume);
	shortage->paused = false;
	drop_reserve(shortage);
}

bool shortage_is(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOBUFS;
}

/* Without a descriptor the connection would wait in the backlog unheard. */
static bool refuse_one(struct shortage *shortage, int listener)
{
	drop_reserve(shortage);
	int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (client >= 0)
		close(client);
	take_reserve(shortage);
	return client >= 0;
}

bool shortage_pause(struct shortage *shortage, int listener, int error)
{
	bool refused = (error == EMFILE || error == ENFILE) && shortage->reserve >= 0 &&
		       refuse_one(shortage, listener);

	loop_timer_set(shortage->loop, &shortage->resume, loop_now_ms(shortage->loop) + PAUSE_MS);
	shortage->paused = true;
	shortage->on_change(shortage);
	return refused;
}

void shortage_end(struct shortage *shortage)
{
	if (!shortage->paused)
		return;
	loop_timer_clear(shortage->loop, &shortage->resume);
	shortage->paused = false;
	/* there was none left to take again */
	if (shortage->reserve < 0)
		take_reserve(shortage);
	shortage->on_change(shortage);
}

bool shortage_is_news(struct shortage *shortage)
{
	uint64_t now_ms = loop_now_ms(shortage->loop);

	if (shortage->said_ms && now_ms < shortage->said_ms + SAID_EVERY_MS)
		return false;
	shortage->said_ms = now_ms;
	return true;
}
