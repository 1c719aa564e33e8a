#include "daemon/control/policy/want.h"

#include "daemon/control/control.h"
#include "daemon/control/peers/peers.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

/* A process that cannot start fails more often than that within this time. */
#define AWAIT_MS 5000

struct want {
	struct control *control;
	bool told;
	unsigned roles;        /* as the keeper was told: 1 << role each */
	struct gather *gather; /* waits; or NULL */
	struct loop_timer late;
};

static void on_late(struct loop_timer *timer, uint64_t now_ms);

struct want *want_new(struct control *control)
{
	struct want *want = calloc(1, sizeof(*want));

	if (!want)
		return NULL;
	want->control = control;
	want->late.on_time = on_late;
	return want;
}

void want_free(struct want *want)
{
	if (!want)
		return;
	loop_timer_clear(want->control->loop, &want->late);
	free(want);
}

void want_policy(struct want *want, const struct policy *coming)
{
	struct control *control = want->control;
	struct ipc_wanted ipc;
	unsigned roles_now = roles_wanted(control->policy) | (coming ? roles_wanted(coming) : 0);

	if (want->told && roles_now == want->roles)
		return;
	want->told = true;
	want->roles = roles_now;
	ipc_init(&ipc, IPC_WANTED, sizeof(ipc));
	ipc.roles = roles_now;
	channel_send(control->keeper, &ipc, -1);
}

/* The first that is wanted and of which not all run; PROCESS_ROLES: none. */
static enum process_role missing(const struct want *want)
{
	const struct control *control = want->control;

	for (unsigned role = 0; role < PROCESS_ROLES; role++) {
		size_t n = roles[role].many ? control->start.options.relays : 1;
		if (want->roles & roles_with_flows() & 1u << role &&
			peers_count(control->peers, (enum process_role)role) < n)
			return (enum process_role)role;
	}
	return PROCESS_ROLES;
}

bool want_all_run(const struct want *want)
{
	return missing(want) == PROCESS_ROLES;
}

static void end(struct want *want, int status, const char *text)
{
	struct gather *gather = want->gather;

	want->gather = NULL;
	loop_timer_clear(want->control->loop, &want->late);
	gather_end(gather, status, text);
}

static void on_late(struct loop_timer *timer, uint64_t now_ms)
{
	struct want *want = (struct want *)(void *)((char *)timer - offsetof(struct want, late));
	enum process_role role = missing(want);
	char text[64];

	(void)now_ms;
	snprintf(text, sizeof(text), "its processes \"%s\" do not come up",
		role == PROCESS_ROLES ? "" : roles[role].name);
	end(want, -ETIME, text);
}

void want_await(struct want *want, struct gather *gather)
{
	struct loop *loop = want->control->loop;

	gather_add(gather);
	want->gather = gather;
	loop_timer_set(loop, &want->late, loop_now_ms(loop) + AWAIT_MS);
	want_on_peer(want);
}

bool want_is(const struct want *want, enum process_role role)
{
	return !roles[role].wanted || want->roles & 1u << role;
}

void want_on_peer(struct want *want)
{
	if (want->gather && want_all_run(want))
		end(want, 0, NULL);
}
