/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The process that takes accounting packets. Each is proven, read and made an event for control;
 * when what came of it is on the disk, it is answered. It has no sessions, no files, and nothing
 * here waits: while there is no control, what comes waits in the sockets. */
#include "daemon/radius/radius.h"

#include "daemon/base/log.h"
#include "daemon/radius/receive.h"
#include "lib/ipc/flow.h"
#include "lib/ipc/radius.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#define RADIUS_OF(pointer) ((struct radius *)(pointer))
_Static_assert(offsetof(struct radius, child) == 0, "radius begins with its child");

static void on_change(struct child *child, enum replica_change change)
{
	struct radius *radius = RADIUS_OF(child);

	if (change != REPLICA_POLICY && change != REPLICA_COMPLETE)
		return;
	tallies_follow(&radius->tallies, radius_policy(radius));
	sockets_watch(radius);
}

static bool on_control(struct child *child, const struct ipc_header *ipc, int *fd)
{
	struct radius *radius = RADIUS_OF(child);

	if (replica_take(child, &radius->replica, ipc, fd))
		return true;
	if (ipc->type != IPC_RADIUS_DONE)
		return false;
	receive_done(radius, (const struct ipc_radius_done *)ipc);
	return true;
}

static bool on_keeper(struct child *child, const struct ipc_header *ipc, int *fd)
{
	struct radius *radius = RADIUS_OF(child);

	switch (ipc->type) {
	case IPC_ENDPOINT:
		sockets_put(radius, (const struct ipc_endpoint *)ipc, *fd);
		*fd = -1;
		return true;
	case IPC_ENDPOINT_GONE:
		sockets_gone(radius, (const struct ipc_endpoint *)ipc);
		return true;
	default:
		return false;
	}
}

/* Nobody will say what came of what it was told: it is heard of again, by who sent it. */
static void on_control_gone(struct child *child)
{
	struct radius *radius = RADIUS_OF(child);

	waiting_forget_all(&radius->waiting);
	sockets_watch(radius);
}

static void on_hand_over(struct child *child)
{
	struct radius *radius = RADIUS_OF(child);

	radius->leaving = true;
	sockets_watch(radius);
}

static void on_new_control(struct child *child)
{
	struct radius *radius = RADIUS_OF(child);

	radius->leaving = false;

	if (replica_begin(&radius->replica) < 0)
		log_error("no memory for what a new control tells");
	tallies_tell_again(&radius->tallies);
	senders_tell_again(&radius->senders);
}

static void on_tick(struct child *child)
{
	struct radius *radius = RADIUS_OF(child);

	waiting_sweep(&radius->waiting, loop_now_ms(radius->loop));
	tallies_tell(radius);
	senders_tell(radius);
}

static int set_up(struct radius *radius)
{
	static const struct child_face face = {.on_control = on_control,
		.on_keeper = on_keeper,
		.on_control_gone = on_control_gone,
		.on_new_control = on_new_control,
		.on_hand_over = on_hand_over,
		.on_tick = on_tick};
	int error = child_open(&radius->child, radius->start, &face);

	if (error < 0)
		return error;
	radius->loop = radius->child.loop;
	radius->begun_ms = loop_wall_ms(radius->loop);
	radius->md5 = md5_new();
	if (!radius->md5)
		log_error("OpenSSL has no MD5 here, which RADIUS is made of: no packet can be "
			  "believed");
	sockets_init(&radius->sockets);
	if ((error = waiting_init(&radius->waiting)) < 0 ||
		(error = senders_init(&radius->senders)) < 0)
		return error;
	return replica_init(&radius->replica, radius->start->options.relay_port, on_change);
}

static void take_down(struct radius *radius)
{
	sockets_close(radius);
	waiting_fini(&radius->waiting);
	senders_fini(&radius->senders);
	tallies_fini(&radius->tallies);
	md5_free(radius->md5);
	replica_fini(&radius->replica);
	child_fini(&radius->child);
	free(radius);
}

int radius_main(const struct process_start *start)
{
	struct radius *radius = calloc(1, sizeof(*radius));

	if (!radius)
		return 1;
	radius->start = start;
	int status = child_run(&radius->child, set_up(radius));
	take_down(radius);
	return status;
}
