/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The processes of the table (roles.h): started, watched by their heartbeat, started
 * again.
 *
 * A child that is to go is killed; what follows happens in one place only, when SIGCHLD has said
 * that its process has ended. */
#include "daemon/keeper/keeper.h"

#include "daemon/base/log.h"
#include "lib/base/container.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define MISSED_MAX     5    /* heartbeats, one a second */
#define SHORT_LIFE_MS  2000 /* a child that ended sooner has failed */
#define RESTART_MAX_MS 5000
#define SILENT_CLOSE   3

static void on_ipc(void *context, const struct ipc_header *ipc, int fd)
{
	struct keeper_child *child = context;

	child->keeper->face->on_ipc(child, ipc, fd);
}

static void on_gone(void *context)
{
	struct keeper_child *child = context;
	channel_free(child->channel);
	child->channel = NULL;
	if (child->role == PROCESS_CONTROL)
		keeper_admit_on_control_end(child->keeper);
	/* An ending process closes its channel; one that lives on without it is no use. In an
	 * orderly end it is given the time to finish. */
	if (child->keeper->phase < KEEPER_DRAINING && !child->until_ms && !child->told_to_end)
		keeper_child_kill(child);
}

static const struct channel_handler handler = {on_ipc, on_gone};

static int start_process(struct keeper_child *child, const int fds[PROCESS_FD_END], int own)
{
	pid_t keeper = getpid();
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (pid == 0)
		keeper_execute(child, fds, keeper);
	child->pid = pid;
	child->started_ms = loop_now_ms(child->keeper->loop);
	child->missed = 0;
	child->answered = child->told_to_end = false;
	child->channel = channel_open(child->keeper->loop, own, &handler, child);
	if (!child->channel) {
		close(own);
		keeper_child_kill(child);
	}
	return 0;
}

static int open_family(struct keeper_child *child, bool ip6, bool *opened)
{
	const struct process_options *options = &child->keeper->options;

	for (unsigned i = 0; i < process_listeners(options->relays); i++) {
		int *fd = &child->listeners[ip6][i];
		if (*fd >= 0)
			continue;
		int error = keeper_listener_open(options->relay_port, ip6, fd);
		if (error)
			return error;
		*opened = true;
	}
	return 0;
}

int keeper_child_open_listeners(struct keeper_child *child)
{
	bool opened = false;
	int first_error = 0;
	char name[16];

	for (int ip6 = 0; ip6 <= 1; ip6++) {
		int error = open_family(child, ip6, &opened);
		if (error && error != -EAFNOSUPPORT) { /* the machine does not have it */
			log_error("cannot listen on port %u (IPv%d): %s",
				child->keeper->options.relay_port, ip6 ? 6 : 4, strerror(-error));
			first_error = first_error ? first_error : error;
		}
	}
	if (opened && child->generation > 1)
		keeper_event(child->keeper, IPC_EVENT_LISTENER_OPENED, "%s",
			keeper_child_name(child, name));
	return first_error;
}

void keeper_child_close_listeners(struct keeper_child *child)
{
	for (int i = 0; i < 2 * PROCESS_LISTENERS; i++) {
		int *fd = &child->listeners[i / PROCESS_LISTENERS][i % PROCESS_LISTENERS];
		if (*fd >= 0)
			close(*fd);
		*fd = -1;
	}
}

static int start(struct keeper_child *child)
{
	struct keeper *keeper = child->keeper;
	const unsigned given = roles[child->role].given;
	int fds[PROCESS_FD_END], pair[2];
	int error = keeper_introduce_open_pair(pair), peer = -1;

	if (error)
		return error;
	for (int i = 0; i < PROCESS_FD_END; i++)
		fds[i] = -1;
	fds[PROCESS_FD_KEEPER] = pair[1];
	if (given & GIVEN_LIMIT)
		fds[PROCESS_FD_LIMIT] = keeper->limit_fd;
	if (given & GIVEN_MESSAGE_LIMIT)
		fds[PROCESS_FD_MESSAGE_LIMIT] = keeper->message_limit_fd;
	if (given & GIVEN_CONTROL) {
		peer = keeper_introduce(child);
		if (peer < 0) {
			error = peer;
			close(pair[0]);
			goto close_child_ends;
		}
		fds[PROCESS_FD_CONTROL] = peer;
	}
	if (given & GIVEN_LISTENERS) {
		keeper_child_open_listeners(child);
		memcpy(fds + PROCESS_FD_LISTENERS, child->listeners, sizeof(child->listeners));
	}
	if (given & GIVEN_SOCKETS) {
		fds[PROCESS_FD_CONTROL_SOCKET] = keeper->control_socket;
		fds[PROCESS_FD_SESSION_SOCKET] = keeper->session_socket;
		fds[PROCESS_FD_DESK_SOCKET] = keeper->desk_socket;
	}
	error = start_process(child, fds, pair[0]);
	if (error)
		close(pair[0]);
close_child_ends:
	close(pair[1]);
	if (peer >= 0)
		close(peer);
	return error;
}

static void ping(struct keeper_child *child)
{
	struct ipc_plain ipc;

	child->missed++;
	ipc_init(&ipc, IPC_PING, sizeof(ipc));
	keeper_child_send(child, &ipc, -1);
}

void keeper_child_start(struct keeper_child *child)
{
	struct keeper *keeper = child->keeper;
	const bool ended_as_told = child->told_to_end;
	char name[16];

	keeper_child_name(child, name);
	child->generation++;
	int error = start(child);
	if (error) {
		log_error("cannot start %s: %s", name, strerror(-error));
		child->failures++;
		child->silent++;
		keeper_child_again(child);
		return;
	}
	log_debug("%s runs with pid %d", name, (int)child->pid);
	ping(child);
	if (roles[child->role].told & TOLD_LINKS)
		keeper_kernel_send_links(keeper, child);
	if (child->role == PROCESS_CONTROL) {
		keeper_flow_log_tell(keeper);
		keeper_introduce_all(keeper);
	} else {
		keeper_introduce_pairs(child);
	}
	keeper_endpoint_start(child);
	if (child->generation > 1 && !ended_as_told)
		keeper_event(keeper, IPC_EVENT_RELAY_STARTED, "%s", name);
}

static void on_restart(struct loop_timer *timer, uint64_t now_ms)
{
	struct keeper_child *child = container_of(timer, struct keeper_child, restart);
	(void)now_ms;
	if (keeper_child_is_wanted(child) && child->keeper->phase < KEEPER_DRAINING)
		keeper_child_start(child);
}

/* Its flows are not hurried: it ends with the last of them, unless it is wanted again before. */
static void let_rest(struct keeper_child *child, bool rests)
{
	struct ipc_rest order;

	ipc_init(&order, IPC_REST, sizeof(order));
	order.rests = rests;
	keeper_child_send(child, &order, -1);
}

static void let_end(struct keeper_child *child)
{
	struct ipc_drain order;

	ipc_init(&order, IPC_DRAIN, sizeof(order));
	keeper_child_send(child, &order, -1);
}

/* One that is no longer wanted ends as at a stop; wanted again, its first start is no restart. */
static void follow_wanted(struct keeper_child *child)
{
	struct keeper *keeper = child->keeper;
	const bool wanted = keeper_child_is_wanted(child);

	if (wanted && !child->pid && keeper->phase < KEEPER_DRAINING) {
		loop_timer_clear(keeper->loop, &child->restart);
		child->generation = 0;
		child->failures = 0;
		keeper_child_start(child);
		return;
	}
	if (keeper_child_has_flows(child))
		let_rest(child, !wanted);
	else if (!wanted)
		let_end(child);
	child->told_to_end = !wanted;
}

void keeper_child_want(struct keeper *keeper, unsigned wanted)
{
	const unsigned changed = keeper->wanted ^ wanted;

	keeper->wanted = wanted;
	for (size_t i = 0; i < keeper->nchildren; i++)
		if (roles[keeper->children[i].role].wanted &&
			changed & 1u << keeper->children[i].role)
			follow_wanted(&keeper->children[i]);
}

void keeper_child_init(
	struct keeper *keeper, struct keeper_child *child, enum process_role role, unsigned number)
{
	*child = (struct keeper_child){.keeper = keeper,
		.role = role,
		.number = number,
		.restart.on_time = on_restart,
		.mute = -1};
	memset(child->listeners, 0xff, sizeof(child->listeners)); /* -1 */
}

void keeper_child_init_all(struct keeper *keeper, bool (*is_taken)(struct keeper *, unsigned))
{
	unsigned number = 0;

	keeper_child_init(keeper, &keeper->control, PROCESS_CONTROL, 0);
	for (unsigned role = 0; role < PROCESS_ROLES; role++) {
		unsigned n = roles[role].many ? keeper->options.relays : 1;
		for (unsigned i = 0; role != PROCESS_CONTROL && i < n; i++) {
			struct keeper_child *child = &keeper->children[keeper->nchildren++];
			keeper_child_init(keeper, child, (enum process_role)role, i);
			child->place = i;
			if (!keeper_child_has_flows(child))
				continue;
			while (is_taken && is_taken(keeper, number))
				number++;
			child->number = number++;
		}
	}
}

void keeper_child_start_all(struct keeper *keeper)
{
	for (size_t i = 0; i < keeper->nchildren; i++) {
		struct keeper_child *child = &keeper->children[i];
		if (!child->pid && !child->generation && keeper_child_is_wanted(child))
			keeper_child_start(child);
	}
}

int keeper_child_adopt(struct keeper_child *child, pid_t pid, uint32_t generation, int fd)
{
	child->channel = channel_open(child->keeper->loop, fd, &handler, child);
	if (!child->channel)
		return -ENOMEM;
	child->pid = pid;
	child->generation = generation;
	child->answered = true;
	child->started_ms = 0; /* long ago */
	return 0;
}

/* At once after a long life, then later and later. */
void keeper_child_again(struct keeper_child *child)
{
	struct keeper *keeper = child->keeper;
	uint64_t wait_ms = 0;
	char name[16];

	if (child->failures > 1)
		wait_ms = child->failures > 6 ? RESTART_MAX_MS : 100u << (child->failures - 1);
	if (wait_ms > RESTART_MAX_MS)
		wait_ms = RESTART_MAX_MS;
	/* over an upgrade the relays of before accept there still */
	if (child->silent >= SILENT_CLOSE && !keeper->upgrade.undrained &&
		(child->listeners[0][0] >= 0 || child->listeners[1][0] >= 0)) {
		keeper_child_close_listeners(child);
		keeper_child_name(child, name);
		log_error("%s cannot be started; its listeners are closed", name);
		keeper_event(keeper, IPC_EVENT_LISTENER_CLOSED, "%s", name);
	}
	if (child->silent >= SILENT_CLOSE && !keeper->upgrade.undrained)
		keeper_endpoint_close_place(child);
	loop_timer_set(keeper->loop, &child->restart, loop_now_ms(keeper->loop) + wait_ms);
}

void keeper_child_beat(struct keeper_child *child)
{
	char name[16];

	if (!child->pid || !child->channel)
		return;
	/* Counted in beats and not in time: when the keeper itself was stopped, nobody else was. */
	unsigned max = child->answered ? MISSED_MAX : roles[child->role].silent_s;
	if (child->missed >= max) {
		keeper_child_name(child, name);
		log_error("%s has not answered for %u s: killing it", name, max);
		keeper_event(child->keeper, IPC_EVENT_RELAY_KILLED, "%s", name);
		child->missed = 0;
		keeper_child_kill(child);
		return;
	}
	ping(child);
}

static void forget(struct keeper_child *child)
{
	if (keeper_child_has_flows(child))
		limit_forget_column(&child->keeper->limit, child->number);
	keeper_introduce_gone(child);
}

struct keeper_child *keeper_child_reap(struct keeper *keeper, pid_t pid)
{
	struct keeper_child *child = NULL;
	unsigned at = 0;

	if (keeper->control.pid == pid)
		child = &keeper->control;
	for (struct keeper_child *other; !child && (other = keeper_child_next(keeper, &at));)
		if (other->pid == pid)
			child = other;
	if (!child)
		return NULL;
	child->pid = 0;
	/* its last words may still wait in the channel */
	if (child->channel)
		channel_drain(child->channel);
	channel_free(child->channel);
	child->channel = NULL;
	if (child->mute >= 0)
		close(child->mute);
	child->mute = -1;
	bool short_life = loop_now_ms(keeper->loop) - child->started_ms < SHORT_LIFE_MS;
	child->failures = short_life ? child->failures + 1 : 0;
	child->silent = child->answered ? 0 : child->silent + 1;
	if (child->role != PROCESS_CONTROL)
		forget(child);
	return child;
}
