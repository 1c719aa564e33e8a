/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/flow/choose.h"

#include "daemon/flow/way.h"
#include "lib/policy/choice.h"

#include <stdio.h>

/* Within this time control hears once of a host that is known to be down, and of another one as
 * often as makes it down: the rest would tell nothing, and thousands of flows may fail. */
#define TOLD_EVERY_MS 1000

void choose_begin(struct way *way)
{
	way->tried = 0;
	way->addresses_tried = 0;
	way->target = CHOOSE_NO_TARGET;
	way->choice = replica_targets_ref(
		replica_targets_of(&way->process->replica->targets, way->policy, way->server));
}

void choose_end(struct way *way)
{
	replica_targets_unref(way->choice);
	way->choice = NULL;
}

const struct ipc_target *choose_target(const struct way *way)
{
	return way->choice && way->target != CHOOSE_NO_TARGET ? &way->choice->v[way->target] : NULL;
}

/* Of the host at hand: the family that worked last first, then in the order of the list. */
static bool next_address(struct way *way)
{
	const struct ipc_target *target = choose_target(way);
	if (!target)
		return false;
	uint8_t family = way->choice->seen[way->target].family;
	for (unsigned pass = 0; pass < 2; pass++)
		for (unsigned i = 0; i < target->naddresses; i++) {
			if (way->addresses_tried >> i & 1 ||
				(pass == 0 && target->addresses[i].family != family))
				continue;
			way->addresses_tried |= (uint16_t)(1u << i);
			way->address = (uint8_t)i;
			way->host.addr = target->addresses[i];
			way->host.port = target->port;
			return true;
		}
	return false;
}

bool choose_next(struct way *way)
{
	struct replica_server *list = way->choice;
	if (way->to_original) {
		bool first = !way->tried;
		way->tried = 1;
		way->host = way->original;
		return first;
	}
	if (!list)
		return false;
	while (!next_address(way)) {
		ptrdiff_t at = choice_pick(
			list->v, list->n, way->tried, way->client.addr.family, list->turns);
		if (at < 0)
			return false;
		way->target = (uint8_t)at;
		way->tried |= (uint64_t)1 << at;
		way->addresses_tried = 0;
	}
	return true;
}

void choose_skip_host(struct way *way)
{
	way->addresses_tried = UINT16_MAX;
}

size_t choose_left(const struct way *way)
{
	const struct ipc_target *target = choose_target(way);
	size_t left = 0;
	if (!target)
		return 0;
	for (unsigned i = 0; i < target->naddresses; i++)
		left += !(way->addresses_tried >> i & 1);
	return left +
	       choice_left(way->choice->v, way->choice->n, way->tried, way->client.addr.family);
}

bool choose_was_asked(const struct way *way)
{
	const struct ipc_target *target = choose_target(way);
	return target && way->choice->inquiry == way_host_picture(way->process)->inquiry &&
	       target->asked >> way->address & 1;
}

static void tell(const struct way *way, enum ipc_host_kind kind, const char *words)
{
	struct ipc_host ipc;
	ipc_init(&ipc, IPC_HOST, sizeof(ipc));
	ipc.host = way->host;
	ipc.usable = kind == IPC_HOST_WORKED;
	ipc.kind = (uint16_t)kind;
	snprintf(ipc.server, sizeof(ipc.server), "%s", way_server(way)->name.text);
	snprintf(ipc.text, sizeof(ipc.text), "%s", words);
	child_send(way->process->child, &ipc);
}

/* Most flows have nothing new to tell. */
void choose_worked(struct way *way)
{
	const struct ipc_target *target = choose_target(way);
	if (!target)
		return;
	struct replica_seen *seen = &way->choice->seen[way->target];
	bool is_news = seen->failed || target->state == TARGET_DOWN || target->failing ||
		       (seen->family && seen->family != way->host.addr.family);
	seen->failed = false;
	seen->family = way->host.addr.family;
	if (is_news)
		tell(way, IPC_HOST_WORKED, "");
}

void choose_failed(struct way *way, const char *words)
{
	const struct ipc_target *target = choose_target(way);
	uint64_t now_ms = way_now_ms(way);
	if (!target)
		return;
	struct replica_seen *seen = &way->choice->seen[way->target];
	seen->failed = true;
	if (!seen->told || now_ms >= seen->told_ms + TOLD_EVERY_MS) {
		seen->told_ms = now_ms;
		seen->told = 0;
	}
	if (seen->told >= (target->state == TARGET_DOWN ? 1 : TARGET_FAILURES_DOWN))
		return;
	seen->told++;
	tell(way, IPC_HOST_FAILED, words);
}

void choose_broken(const struct way *way, const char *words)
{
	if (way_server(way))
		tell(way, IPC_HOST_BROKEN, words);
}

void choose_login_refused(const struct way *way, const char *words)
{
	if (way_server(way))
		tell(way, IPC_HOST_LOGIN, words);
}
