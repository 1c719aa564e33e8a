/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The upgrade in place behind the exec: this program takes the place of the one before. The theory
 * of operation stands in upgrade.h. */
#include "daemon/keeper/keeper.h"

#include "daemon/base/log.h"
#include "daemon/base/notify.h"
#include "daemon/base/privilege.h"
#include "lib/limit/message_limit.h"
#include "lib/version.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Reads the whole state; it is not closed. 0 or -errno. */
static int read_state(int fd, struct handover *state)
{
	static char text[HANDOVER_BYTES_MAX];
	size_t len = 0;

	while (len < sizeof(text)) {
		ssize_t n = pread(fd, text + len, sizeof(text) - len, (off_t)len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return handover_decode(text, len, state);
		len += (size_t)n;
	}
	return -EMSGSIZE;
}

/* A version before had fewer sockets for each relay: the others are opened with it. More than there
 * are places for would be closed, and what waits in their backlogs with them. */
static bool listeners_fit(const struct handover *state, unsigned relays)
{
	for (unsigned role = 0; role < PROCESS_ROLES; role++) {
		const struct handover_fd *held;
		unsigned n4 = 0, n6 = 0;
		for (size_t at = 0;
			(held = handover_next(state, HANDOVER_LISTENER, roles[role].name, &at));)
			strchr(held->endpoint, ':') ? n6++ : n4++;
		unsigned most = 0;
		if (roles[role].given & GIVEN_LISTENERS)
			most = relays * process_listeners(relays);
		if (roles[role].given & (GIVEN_DATAGRAMS | GIVEN_PORTALS))
			most = KEEPER_ENDPOINTS_MAX;
		if (roles[role].given & GIVEN_ENDPOINTS)
			most = relays * KEEPER_ENDPOINTS_MAX;
		if (n4 > most || n6 > most)
			return false;
	}
	return true;
}

int keeper_resume_try(const struct process_options *options)
{
	static struct handover state;

	int error = read_state(options->resume, &state);
	if (!error && !listeners_fit(&state, options->relays))
		error = -EBADMSG;
	if (error) {
		fprintf(stderr, "posternd " POSTERN_VERSION
				" cannot take over from the version that runs: restart it\n");
		return 1;
	}
	return state.protocol == ipc_protocol() ? 0 : KEEPER_UPGRADE_FOREIGN;
}

/* No program that is started later gets what came over the exec. -EBADF: one is not open. */
static int close_on_exec(const struct handover *state)
{
	int bad = 0;

	for (size_t i = 0; i < state->nfds; i++)
		bad |= fcntl(state->fds[i].fd, F_SETFD, FD_CLOEXEC) < 0;
	for (size_t i = 0; i < state->nchildren; i++)
		bad |= fcntl(state->children[i].channel, F_SETFD, FD_CLOEXEC) < 0;
	return bad ? -EBADF : 0;
}

/* The memory of the limits, in which the old relays go on counting. */
static int attach_limit(struct keeper *keeper, int fd)
{
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || st.st_size <= 0)
		return -EINVAL;
	void *memory = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		return -errno;
	int error = limit_attach(&keeper->limit, memory, (size_t)st.st_size);
	if (error)
		munmap(memory, (size_t)st.st_size);
	else
		keeper->limit_fd = fd;
	return error;
}

/* Of a role that this version knows, too. */
static bool has_flows(const struct handover_child *child)
{
	enum process_role role = roles_find(child->role);
	return role != PROCESS_ROLES && roles[role].upgrade == ROLE_DRAINS;
}

/* What a version with fewer kinds of processes has made is too small: kept as long as it is just
 * large enough, it would let each upgrade from here on wait for the flows of the one before. */
static void take_limit(struct keeper *keeper, const struct handover *state)
{
	unsigned columns = roles_columns(keeper->options.relays);

	for (size_t i = 0; i < state->nchildren; i++)
		columns += has_flows(&state->children[i]);
	if (columns < keeper_limit_columns(keeper))
		columns = keeper_limit_columns(keeper);
	if (attach_limit(keeper, handover_own(state, HANDOVER_LIMIT)) == 0 &&
		keeper->limit.columns >= columns)
		return;
	log_warning("the limits begin anew: flows of the version before are not counted");
	if (handover_own(state, HANDOVER_LIMIT) >= 0)
		close(handover_own(state, HANDOVER_LIMIT));
	keeper->limit_fd = -1;
}

/* A bucket is not lost with the version that took out of it. */
static int take_message_limit(struct keeper *keeper, int fd)
{
	struct message_limit limits;
	struct stat st;
	int error = -EINVAL;

	if (fd >= 0 && fstat(fd, &st) == 0 && st.st_size > 0) {
		void *memory =
			mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (memory != MAP_FAILED) {
			error = message_limit_attach(&limits, memory, (size_t)st.st_size);
			munmap(memory, (size_t)st.st_size);
		}
	}
	if (!error) {
		keeper->message_limit_fd = fd;
		return 0;
	}
	if (fd >= 0) {
		log_warning("the limits of messages begin anew: what was sent before the upgrade "
			    "is not counted");
		close(fd);
	}
	return keeper_prepare_message_limit(keeper);
}

static void take_plan(struct keeper *keeper, int fd)
{
	void *bytes;
	size_t len;

	if (fd < 0 || channel_map(fd, &bytes, &len))
		return;
	keeper->has_plan = len <= PLAN_BYTES_MAX && plan_decode(bytes, len, &keeper->plan) == 0;
	keeper->hosts_now = keeper->has_plan ? keeper->plan.nhosts : 0;
	if (!keeper->has_plan)
		log_warning("the plan of the version before cannot be read: until control's comes "
			    "no flow gets its client's address");
	munmap(bytes, len);
}

int keeper_resume_read(struct keeper *keeper)
{
	struct handover *state = &keeper->upgrade.state;
	const int fd = keeper->options.resume;

	int error = read_state(fd, state);
	if (!error && !listeners_fit(state, keeper->options.relays))
		error = -EBADMSG;
	if (!error)
		error = close_on_exec(state);
	if (error) {
		log_error("cannot take over from the version before: %s", strerror(-error));
		return error;
	}
	close(fd);
	error = privilege_resume_keeper();
	if (error) {
		log_error("cannot give up privileges: %s", strerror(-error));
		return error;
	}
	if (privilege_lacking())
		log_warning(
			"restart once: this version wants %s, which the one before did not have",
			privilege_lacking());
	keeper->uid = getuid();
	keeper->gid = getgid();
	keeper->lock = handover_own(state, HANDOVER_LOCK);
	keeper->control_socket = handover_own(state, HANDOVER_CONTROL_SOCKET);
	keeper->session_socket = handover_own(state, HANDOVER_SESSION_SOCKET);
	keeper->desk_socket = handover_own(state, HANDOVER_DESK_SOCKET);
	/* a version that had none */
	if (keeper->desk_socket < 0 && keeper_prepare_desk(keeper) < 0)
		log_warning("desk.sock is there after a restart");
	keeper->queue_stats = handover_own(state, HANDOVER_QUEUE_STATS);
	keeper->drain_s = state->drain_s;
	keeper->upgrade.asked = state->upgrades;
	keeper_upgrade_begin_resuming(keeper);
	snprintf(keeper->upgrade.from, sizeof(keeper->upgrade.from), "%s", state->version);
	snprintf(keeper->path, sizeof(keeper->path), "%s", state->program);
	keeper->program = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	if (keeper->program < 0) {
		log_error("cannot open my own program file: %s", strerror(errno));
		return -errno;
	}
	notify_adopt(handover_own(state, HANDOVER_NOTIFY));
	take_plan(keeper, handover_own(state, HANDOVER_PLAN));
	take_limit(keeper, state);
	error = take_message_limit(keeper, handover_own(state, HANDOVER_MESSAGE_LIMIT));
	return error || keeper->limit_fd >= 0 ? error : keeper_prepare_limit(keeper);
}

static struct keeper_child *child_of(struct keeper *keeper, enum process_role role, unsigned place)
{
	for (size_t i = 0; i < keeper->nchildren; i++)
		if (keeper->children[i].role == role && keeper->children[i].place == place)
			return &keeper->children[i];
	return NULL;
}

static bool is_taken(struct keeper *keeper, unsigned number)
{
	const struct handover *state = &keeper->upgrade.state;

	for (size_t i = 0; i < state->nchildren; i++)
		if (has_flows(&state->children[i]) && state->children[i].number == number)
			return true;
	return false;
}

/* One for each process in turn, as they were written. */
static void take_listeners(struct keeper *keeper, enum process_role role, bool ip6)
{
	const struct handover *state = &keeper->upgrade.state;
	const struct handover_fd *held;
	unsigned n = 0;

	for (size_t at = 0;
		(held = handover_next(state, HANDOVER_LISTENER, roles[role].name, &at));) {
		if ((strchr(held->endpoint, ':') != NULL) != ip6)
			continue;
		struct keeper_child *child = child_of(keeper, role, n % keeper->options.relays);
		child->listeners[ip6][n++ / keeper->options.relays] = held->fd;
	}
}

static void take_endpoints(struct keeper *keeper, enum process_role role)
{
	const struct handover_fd *held;

	for (size_t at = 0; (held = handover_next(&keeper->upgrade.state, HANDOVER_LISTENER,
				     roles[role].name, &at));) {
		if (keeper_endpoint_adopt(keeper, held->endpoint, roles_taker(role), held->fd) == 0)
			continue;
		log_error("the socket that listens at %s is not taken over", held->endpoint);
		close(held->fd);
	}
}

void keeper_resume_places(struct keeper *keeper)
{
	keeper_child_init_all(keeper, is_taken);
	for (unsigned role = 0; role < PROCESS_ROLES; role++) {
		if (roles[role].given & GIVEN_TAKERS)
			take_endpoints(keeper, (enum process_role)role);
		if (!(roles[role].given & GIVEN_LISTENERS))
			continue;
		take_listeners(keeper, (enum process_role)role, false);
		take_listeners(keeper, (enum process_role)role, true);
	}
}

static void adopt(struct keeper *keeper, struct keeper_child *child,
	const struct handover_child *from, bool mute)
{
	if (mute || from->mute) {
		child->mute = from->channel;
		child->pid = from->pid;
		child->generation = from->generation;
		return;
	}
	if (keeper_child_adopt(child, from->pid, from->generation, from->channel)) {
		log_error("no memory for pid %d of the version before", (int)from->pid);
		close(from->channel); /* then it ends */
		return;
	}
	if (roles[child->role].told & TOLD_LINKS)
		keeper_kernel_send_links(keeper, child);
}

static void adopt_old(struct keeper *keeper, enum process_role role,
	const struct handover_child *from, bool mute, struct keeper_child *old)
{
	keeper_child_init(keeper, old, role, from->number);
	old->old = true;
	old->until_ms = from->until_ms;
	snprintf(old->version, sizeof(old->version), "%s", from->version);
	adopt(keeper, old, from, mute);
}

_Static_assert(HANDOVER_CHILDREN_MAX <= PROCESS_NUMBERS_MAX, "each has its place");

void keeper_resume_children(struct keeper *keeper)
{
	const struct handover *state = &keeper->upgrade.state;
	bool mute = state->protocol != ipc_protocol();
	size_t n = 0;

	for (size_t i = 0; i < state->nchildren; i++) {
		const struct handover_child *from = &state->children[i];
		enum process_role role = roles_find(from->role);
		if (has_flows(from))
			adopt_old(keeper, role, from, mute, &keeper->old[n++]);
		else if (role == PROCESS_ROLES || mute || roles[role].upgrade != ROLE_REPLACED ||
			 !child_of(keeper, role, from->number))
			close(from->channel); /* it was told to end, or ends by that */
		else
			adopt(keeper, child_of(keeper, role, from->number), from, false);
	}
}

void keeper_resume_on_ready(struct keeper *keeper)
{
	keeper_admit_resume(keeper);
	if (!keeper->upgrade.undrained || keeper->phase != KEEPER_RUNNING ||
		child_of(keeper, PROCESS_RELAY, 0)->generation)
		return; /* only once */
	keeper->upgrade.waited_ms = loop_now_ms(keeper->loop) - keeper->upgrade.state.paused_ms;
	keeper_child_start_all(keeper);
}

static void drain_old(struct keeper *keeper)
{
	uint64_t end_ms = loop_now_ms(keeper->loop) + (uint64_t)keeper->drain_s * 1000;
	struct ipc_drain order;
	unsigned n = 0;

	ipc_init(&order, IPC_DRAIN, sizeof(order));
	order.seconds = keeper->drain_s;
	for (unsigned i = 0; i < PROCESS_NUMBERS_MAX; i++) {
		struct keeper_child *old = &keeper->old[i];
		n += old->pid != 0;
		if (!old->pid || old->until_ms)
			continue;
		old->until_ms = end_ms + keeper_child_slack_ms(old);
		keeper_endpoint_leave(old);
		keeper_child_send(old, &order, -1);
	}
	log_info("upgraded from version %s to %s: first packets of unknown clients waited %" PRIu64
		 " ms; %u processes of before drain for %" PRIu32 " s at most",
		keeper->upgrade.from, POSTERN_VERSION, keeper->upgrade.waited_ms, n,
		keeper->drain_s);
}

void keeper_resume_on_answer(struct keeper *keeper)
{
	struct ipc_drain order;

	/* another upgrade that has begun meanwhile takes these relays with the others */
	if (!keeper->upgrade.undrained || keeper->phase != KEEPER_RUNNING ||
		(keeper->upgrade.stage != KEEPER_UPGRADE_RESUMING &&
			keeper->upgrade.stage != KEEPER_UPGRADE_NONE))
		return;
	for (size_t i = 0; i < keeper->nchildren; i++)
		if (keeper_child_has_flows(&keeper->children[i]) &&
			keeper_child_is_wanted(&keeper->children[i]) &&
			!keeper->children[i].answered)
			return;
	keeper_upgrade_end_resuming(keeper);
	drain_old(keeper);
	/* of the version before; control tells the new one what it knew */
	ipc_init(&order, IPC_DRAIN, sizeof(order));
	for (size_t i = 0; i < keeper->nchildren; i++) {
		struct keeper_child *child = &keeper->children[i];
		if (roles[child->role].upgrade != ROLE_REPLACED || !child->pid || child->started_ms)
			continue;
		keeper_child_send(child, &order, -1);
		child->told_to_end = true;
	}
	keeper_upgrade_tell(keeper, "done", POSTERN_VERSION);
	notify_manager("READY=1\nSTATUS=version " POSTERN_VERSION);
}
