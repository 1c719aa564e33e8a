/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The web process: it serves the page of all metrics by HTTP, as control made it, and the login
 * pages by HTTPS. HTTP is hostile input: nothing else is done here. Of secrets it holds the keys of
 * the login pages, and passwords until process auth has them. */
#include "daemon/web/web.h"

#include "daemon/base/log.h"
#include "daemon/web/portal/answer.h"
#include "daemon/web/portal/entrance.h"
#include "daemon/web/portal/portals.h"
#include "lib/ipc/flow.h"

#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

/* of its child */
#define WEB(pointer) ((struct web *)(pointer))
_Static_assert(offsetof(struct web, child) == 0, "web begins with its child");

static void on_change(struct child *child, enum replica_change change)
{
	struct web *web = WEB(child);

	if (change == REPLICA_POLICY || change == REPLICA_COMPLETE || change == REPLICA_RENEWED)
		portals_follow(web);
}

static bool on_control(struct child *child, const struct ipc_header *ipc, int *fd)
{
	struct web *web = WEB(child);

	return metrics_take(&web->metrics, ipc, fd) || answer_take(web, ipc) ||
	       replica_take(child, &web->replica, ipc, fd);
}

static bool on_keeper(struct child *child, const struct ipc_header *ipc, int *fd)
{
	struct web *web = WEB(child);
	const void *m = ipc;

	switch (ipc->type) {
	case IPC_LINK:
		if (link_put(&web->links, m) < 0)
			log_error("no memory for an interface");
		return true;
	case IPC_UNLINK:
		link_del(&web->links, ((const struct ipc_link *)m)->ifindex);
		return true;
	case IPC_LINKS_DONE:
		return true;
	case IPC_ENDPOINT:
		entrance_put(web, &((const struct ipc_endpoint *)m)->at, *fd);
		*fd = -1;
		return true;
	case IPC_ENDPOINT_GONE:
		entrance_gone(web, &((const struct ipc_endpoint *)m)->at);
		return true;
	default:
		return false;
	}
}

static void on_pair(struct child *child, enum process_role role, int fd)
{
	if (role == PROCESS_AUTH)
		answer_open_auth(WEB(child), fd);
	else
		close(fd);
}

static void on_control_gone(struct child *child)
{
	metrics_give_up(&WEB(child)->metrics);
	answer_control_gone(WEB(child));
}

static void on_new_control(struct child *child)
{
	if (replica_begin(&WEB(child)->replica) < 0)
		log_error("no memory for a new picture");
	portals_tell(WEB(child), true);
}

static void on_tick(struct child *child)
{
	portals_tell(WEB(child), false);
}

static int set_up(struct web *web, const struct process_start *start)
{
	static const struct child_face face = {.on_control = on_control,
		.on_keeper = on_keeper,
		.on_control_gone = on_control_gone,
		.on_new_control = on_new_control,
		.on_pair = on_pair,
		.on_tick = on_tick};
	int error = child_open(&web->child, start, &face);

	if (error < 0)
		return error;
	web->loop = web->child.loop;
	metrics_init(&web->metrics, &web->child);
	if ((error = portals_init(web)) < 0)
		return error;
	return replica_init(&web->replica, start->options.relay_port, on_change);
}

int web_main(const struct process_start *start)
{
	struct web *web = calloc(1, sizeof(*web));

	if (!web)
		return 1;
	int status = child_run(&web->child, set_up(web, start));
	metrics_fini(&web->metrics);
	portals_fini(web);
	replica_fini(&web->replica);
	link_table_fini(&web->links);
	child_fini(&web->child);
	free(web);
	return status;
}
