/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The children as everybody in the keeper has to do with them: who they are, one after the other,
 * reached, ended. */
#include "daemon/keeper/keeper.h"

#include "daemon/base/log.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

/* starts in a row: nobody accepts, so the listener goes */

const char *keeper_child_name(const struct keeper_child *child, char buf[static 16])
{
	return roles_title(child->role, child->number, buf);
}

bool keeper_child_has_flows(const struct keeper_child *child)
{
	return roles[child->role].upgrade == ROLE_DRAINS;
}

uint64_t keeper_child_slack_ms(const struct keeper_child *child)
{
	return roles[child->role].slack_s * UINT64_C(1000);
}

bool keeper_child_is_wanted(const struct keeper_child *child)
{
	return !roles[child->role].wanted || child->keeper->wanted & 1u << child->role;
}

void keeper_child_send(struct keeper_child *child, const void *ipc, int fd)
{
	char name[16];

	if (!child->channel)
		return;
	int error = channel_send(child->channel, ipc, fd);
	if (error && error != -EPIPE) { /* that one is ending by itself */
		log_error("cannot reach %s: %s", keeper_child_name(child, name), strerror(-error));
		keeper_child_kill(child);
	}
}

void keeper_child_send_links(struct keeper *keeper, const void *ipc)
{
	unsigned at = 0;

	keeper_child_send(&keeper->control, ipc, -1);
	for (struct keeper_child *child; (child = keeper_child_next(keeper, &at));)
		if (roles[child->role].told & TOLD_LINKS)
			keeper_child_send(child, ipc, -1);
}

struct keeper_child *keeper_child_next(struct keeper *keeper, unsigned *at)
{
	if (*at < keeper->nchildren)
		return &keeper->children[(*at)++];
	for (size_t i = *at - keeper->nchildren; i < PROCESS_NUMBERS_MAX; i++) {
		++*at;
		if (keeper->old[i].pid)
			return &keeper->old[i];
	}
	return NULL;
}

struct keeper_child *keeper_child_next_flows(struct keeper *keeper, unsigned *at)
{
	struct keeper_child *child;

	do
		child = keeper_child_next(keeper, at);
	while (child && !keeper_child_has_flows(child));
	return child;
}

void keeper_child_kill(struct keeper_child *child)
{
	if (child->pid > 0)
		kill(child->pid, SIGKILL);
}
