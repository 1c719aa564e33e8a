/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who is behind an interface is no longer true when it went or took another name: the kernel's
 * client entries that name it go. To find them takes reading all, which is long where clients are
 * many, and interfaces may go by the thousand: names are gathered, and all read at most four times
 * a second, but before an interface of such a name is used again. */
#include "daemon/keeper/keeper.h"

#include "daemon/base/log.h"
#include "lib/base/container.h"
#include "lib/base/copy.h"
#include "lib/base/vector.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define GAP_MS 250

struct stale {
	const struct keeper_forget *names;
	struct client_change *v;
	size_t n, room;
};

static int compare(const void *a, const void *b)
{
	return strncmp(a, b, POLICY_IFNAME_SIZE);
}

static void collect(void *context, const struct client *client)
{
	struct stale *stale = context;
	const struct keeper_forget *names = stale->names;

	if (!bsearch(client->ifname, names->v, names->n, sizeof(names->v[0]), compare))
		return;
	struct client_change *v = vector_grow(stale->v, stale->n, &stale->room, sizeof(*v));
	if (!v)
		return;
	stale->v = v;
	stale->v[stale->n++] = (struct client_change){.add = false, .client = *client};
}

static void forget(struct keeper *keeper)
{
	struct keeper_forget *names = &keeper->forget;
	struct stale stale = {.names = names};

	loop_timer_clear(keeper->loop, &names->timer);
	names->done_ms = loop_now_ms(keeper->loop);
	qsort(names->v, names->n, sizeof(names->v[0]), compare);
	clients_dump(keeper->table, collect, &stale);
	for (size_t done = 0; done < stale.n;) {
		size_t n =
			stale.n - done > CLIENTS_CHANGES_MAX ? CLIENTS_CHANGES_MAX : stale.n - done;
		int error = clients_change(keeper->table, stale.v + done, n);
		if (error)
			log_error("cannot forget the clients of interfaces that are gone: %s",
				strerror(-error));
		done += n;
	}
	free(stale.v);
	names->n = 0;
}

static void on_time(struct loop_timer *timer, uint64_t now_ms)
{
	(void)now_ms;
	forget(container_of(timer, struct keeper, forget.timer));
}

void keeper_forget_init(struct keeper *keeper)
{
	keeper->forget.timer.on_time = on_time;
}

void keeper_forget_interface(struct keeper *keeper, const char *name)
{
	struct keeper_forget *names = &keeper->forget;
	uint64_t now_ms = loop_now_ms(keeper->loop), next_ms = names->done_ms + GAP_MS;

	if (!keeper->has_plan || !clients_count(keeper->table))
		return;
	void *v = vector_grow(names->v, names->n, &names->room, sizeof(names->v[0]));
	if (!v) {
		forget(keeper);
		clients_flush(keeper->table); /* costs queue trips and is never wrong */
		return;
	}
	names->v = v;
	copy_text(names->v[names->n++], sizeof(names->v[0]), name);
	loop_timer_set(keeper->loop, &names->timer, now_ms > next_ms ? now_ms : next_ms);
}

void keeper_forget_now(struct keeper *keeper, const char *name)
{
	for (size_t i = 0; i < keeper->forget.n; i++) {
		if (strncmp(keeper->forget.v[i], name, sizeof(keeper->forget.v[0])) == 0) {
			forget(keeper);
			return;
		}
	}
}
