/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The keeper's life: start, ready, stop. Children, kernel and admission have files of their own. */
#include "daemon/keeper/keeper.h"

#include "daemon/base/log.h"
#include "daemon/base/notify.h"
#include "lib/base/container.h"
#include "lib/version.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define BEAT_MS        1000
#define STOP_SEQ       UINT32_MAX /* apart from the numbers of control's own questions */
#define FAILURES_START 5          /* crashes of control before it was READY once */
#define STOP_ANSWER_MS 2000       /* how long control may take to name the drain time */
#define END_MS         10000      /* control writes what it holds */
#define END_NOW_MS     2000

/* The starter waits at the pipe: whatever comes through is written to its stderr, a NUL byte says
 * that all is ready, the end without it that nothing will come of it. */
static int wait_for_child(int pipe)
{
	char buf[1024];
	ssize_t n;

	while ((n = read(pipe, buf, sizeof(buf))) > 0) {
		const char *end = memchr(buf, 0, (size_t)n);
		size_t len = end ? (size_t)(end - buf) : (size_t)n;
		if (len && write(STDERR_FILENO, buf, len) < 0)
			return 1;
		if (end)
			return 0;
	}
	return 1;
}

/* In the background: the starter's exit status through *status and 1; 0 in the new process. */
static int go_to_background(struct keeper *keeper, int *status)
{
	int pipes[2];
	if (pipe2(pipes, O_CLOEXEC) < 0)
		return -errno;
	pid_t pid = fork();
	if (pid < 0)
		return -errno;
	if (pid > 0) {
		close(pipes[1]);
		*status = wait_for_child(pipes[0]);
		return 1;
	}
	close(pipes[0]);
	keeper->parent = pipes[1];
	if (setsid() < 0 || chdir("/") < 0 || dup2(keeper->parent, STDERR_FILENO) < 0)
		return -errno;
	return 0;
}

static void point_at_null(int fd)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0)
		return;
	dup2(null, fd);
	if (null > STDERR_FILENO)
		close(null);
}

static void tell_parent(struct keeper *keeper)
{
	if (keeper->parent < 0)
		return;
	point_at_null(STDERR_FILENO);
	if (write(keeper->parent, "", 1) < 0)
		log_debug("the starter is gone");
	close(keeper->parent);
	keeper->parent = -1;
}

static void on_tick(struct loop_timer *timer, uint64_t now_ms)
{
	struct keeper *keeper = container_of(timer, struct keeper, tick);

	unsigned at = 0;

	keeper_child_beat(&keeper->control);
	for (struct keeper_child *child; (child = keeper_child_next(keeper, &at));)
		keeper_child_beat(child);
	keeper_admit_tick(keeper);
	keeper_flow_log_tick(keeper);
	keeper_tell_events(keeper);
	keeper_kernel_tick(keeper);
	keeper_endpoint_tick(keeper);
	keeper_upgrade_tick(keeper);
	notify_manager("WATCHDOG=1");
	loop_timer_set(keeper->loop, &keeper->tick, now_ms + BEAT_MS);
}

static bool flows_run(struct keeper *keeper)
{
	unsigned at = 0;

	for (struct keeper_child *child; (child = keeper_child_next_flows(keeper, &at));)
		if (child->pid)
			return true;
	return false;
}

static void kill_flows(struct keeper *keeper)
{
	unsigned at = 0;

	for (struct keeper_child *child; (child = keeper_child_next_flows(keeper, &at));)
		keeper_child_kill(child);
}

/* Flows end by themselves when the time to drain is over; whoever has some longer than he may is
 * ended. */
static void end_late(struct keeper *keeper)
{
	uint64_t now_ms = loop_now_ms(keeper->loop), next_ms = 0;
	unsigned at = 0;
	char name[16];

	for (struct keeper_child *child; (child = keeper_child_next_flows(keeper, &at));) {
		uint64_t end_ms = keeper->drain_end_ms + keeper_child_slack_ms(child);
		if (child->pid && now_ms >= end_ms) {
			log_warning("%s has not ended in time: killing it",
				keeper_child_name(child, name));
			keeper_child_kill(child);
		} else if (child->pid && (!next_ms || end_ms < next_ms)) {
			next_ms = end_ms;
		}
	}
	if (next_ms)
		loop_timer_set(keeper->loop, &keeper->phase_end, next_ms);
}

static void set_phase(struct keeper *keeper, enum keeper_phase phase, uint64_t wait_ms)
{
	keeper->phase = phase;
	loop_timer_set(keeper->loop, &keeper->phase_end, loop_now_ms(keeper->loop) + wait_ms);
}

/* All flows have ended: the kernel gets what stays behind, and control may go. Only now, since it
 * has stored the relays' last records. */
static void end(struct keeper *keeper)
{
	keeper_admit_drop(keeper);
	keeper->control_ready = false;
	int error = keeper_kernel_leave(keeper);
	if (error)
		log_error("cannot leave the kernel's table in order: %s", strerror(-error));
	set_phase(keeper, KEEPER_ENDING, keeper->term_signals > 1 ? END_NOW_MS : END_MS);
	channel_free(keeper->control.channel);
	keeper->control.channel = NULL;
	if (!keeper->control.pid)
		loop_stop(keeper->loop);
}

static uint32_t drain_left(const struct keeper_child *child, uint64_t now_ms, uint32_t seconds)
{
	uint64_t end_ms = now_ms + keeper_child_slack_ms(child);
	uint64_t left_s = child->until_ms > end_ms ? (child->until_ms - end_ms) / 1000 : 0;

	return left_s < seconds ? (uint32_t)left_s : seconds;
}

static void drain(struct keeper *keeper, uint32_t seconds)
{
	struct ipc_drain order;
	uint64_t now_ms = loop_now_ms(keeper->loop);
	unsigned at = 0;

	log_info("stopping: flows have %u s to end", seconds);
	notify_manager("STOPPING=1");
	notify_manager("STATUS=stopping: flows are given time to end");
	keeper_admit_resume(keeper);
	keeper->drain_end_ms = now_ms + (uint64_t)seconds * 1000;
	set_phase(keeper, KEEPER_DRAINING, 0);
	end_late(keeper); /* nobody yet: sets when */
	ipc_init(&order, IPC_DRAIN, sizeof(order));
	for (struct keeper_child *child; (child = keeper_child_next(keeper, &at));) {
		order.seconds = seconds;
		if (child->until_ms) /* it drains already, and gets no more time by that */
			order.seconds = drain_left(child, now_ms, seconds);
		loop_timer_clear(keeper->loop, &child->restart);
		keeper_child_send(child, &order, -1);
		keeper_child_close_listeners(child);
	}
	keeper_endpoint_close_all(keeper);
	if (!flows_run(keeper))
		end(keeper);
}

static void on_drain_time(struct keeper *keeper, uint32_t seconds)
{
	if (!keeper_upgrade_on_drain_time(keeper, seconds) && keeper->phase == KEEPER_STOPPING)
		drain(keeper, seconds);
}

static void stop(struct keeper *keeper)
{
	struct ipc_plain order;

	if (keeper_upgrade_on_stop(keeper))
		return;
	keeper->term_signals++;
	if (keeper->term_signals > 1) {
		/* a second one: no waiting any more */
		if (keeper->phase == KEEPER_STOPPING)
			drain(keeper, 0);
		if (keeper->phase == KEEPER_DRAINING)
			kill_flows(keeper);
		else
			keeper_child_kill(&keeper->control);
		return;
	}
	bool asks = keeper->control_ready && keeper->control.channel;
	set_phase(keeper, KEEPER_STOPPING, STOP_ANSWER_MS);
	if (!asks) {
		/* over an upgrade what the control before said is still known */
		drain(keeper, keeper->drain_s);
		return;
	}
	ipc_init(&order, IPC_STOP, sizeof(order));
	order.header.seq = keeper->stop_seq = STOP_SEQ;
	keeper_child_send(&keeper->control, &order, -1);
}

static void on_phase_end(struct loop_timer *timer, uint64_t now_ms)
{
	struct keeper *keeper = container_of(timer, struct keeper, phase_end);

	(void)now_ms;
	switch (keeper->phase) {
	case KEEPER_STOPPING:
		drain(keeper, 0);
		break;
	case KEEPER_DRAINING:
		end_late(keeper);
		break;
	case KEEPER_ENDING:
		log_warning("control has not ended in time: killing it");
		keeper_child_kill(&keeper->control);
		break;
	case KEEPER_STARTING:
	case KEEPER_RUNNING:
		break;
	}
}

static void fail(struct keeper *keeper)
{
	keeper->exit_status = 1;
	loop_stop(keeper->loop);
}

static void say_end(const struct keeper_child *child, int status)
{
	char name[16];

	keeper_child_name(child, name);
	if (child->until_ms && WIFEXITED(status) && WEXITSTATUS(status) == 0)
		log_info("%s of version %s has drained", name,
			child->old ? child->version : POSTERN_VERSION);
	else if (child->told_to_end && WIFEXITED(status) && WEXITSTATUS(status) == 0)
		log_debug("%s of the version before has ended", name);
	else if (roles[child->role].wanted && WIFEXITED(status) && WEXITSTATUS(status) == 0)
		log_debug("%s had ended when it was wanted again", name);
	else if (roles[child->role].upgrade == ROLE_REPLACED && WIFEXITED(status) &&
		 WEXITSTATUS(status) == 0)
		log_info("%s ended, to read its settings anew", name);
	else if (WIFSIGNALED(status))
		log_event(POLICY_LOG_ERROR, LOG_ID_PROCESS_ENDED,
			LOG_FIELDS({LOG_FIELD_CHILD, name}), "%s was ended by signal %d (%s)", name,
			WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		log_event(POLICY_LOG_ERROR, LOG_ID_PROCESS_ENDED,
			LOG_FIELDS({LOG_FIELD_CHILD, name}), "%s ended by itself, with status %d",
			name, WEXITSTATUS(status));
}

static void on_child_end(struct keeper *keeper, struct keeper_child *child, int status)
{
	/* one from before an upgrade ends as it was told then, whatever is wanted now */
	bool unwanted = !child->old && !keeper_child_is_wanted(child);
	bool asked = (keeper->phase >= KEEPER_DRAINING || unwanted) && WIFEXITED(status);
	bool is_control = child->role == PROCESS_CONTROL;
	if (is_control && keeper_upgrade_on_control_end(keeper))
		return;
	if (!asked)
		say_end(child, status);
	if (is_control)
		keeper_admit_on_control_end(keeper);
	if (unwanted && keeper->phase < KEEPER_DRAINING)
		return;
	switch (keeper->phase) {
	case KEEPER_STARTING:
		if (is_control && (WIFEXITED(status) || child->failures >= FAILURES_START)) {
			log_error("control cannot start, so Postern cannot");
			fail(keeper);
			return;
		}
		keeper_child_again(child);
		break;
	case KEEPER_RUNNING:
		if (!child->old && !child->until_ms)
			keeper_child_again(child);
		break;
	case KEEPER_STOPPING:
		if (is_control)
			drain(keeper, 0);
		break;
	case KEEPER_DRAINING:
		if (keeper_child_has_flows(child) && !flows_run(keeper))
			end(keeper);
		break;
	case KEEPER_ENDING:
		if (is_control)
			loop_stop(keeper->loop);
		break;
	}
}

static void on_ready(struct keeper *keeper)
{
	keeper->control_ready = true;
	/* whom the kernel knows is its own from now on, and not from the next second on */
	keeper_kernel_tick(keeper);
	keeper_resume_on_ready(keeper);
	if (keeper->phase != KEEPER_STARTING)
		return;
	keeper->phase = KEEPER_RUNNING;
	log_event(POLICY_LOG_INFO, LOG_ID_READY, NULL, 0, "ready: %u relays, port %u, queue %u",
		keeper->options.relays, keeper->options.relay_port, keeper->options.queue);
	tell_parent(keeper);
	notify_manager("READY=1\nSTATUS=version " POSTERN_VERSION);
}

static void reap(struct keeper *keeper)
{
	int status;

	for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
		if (keeper_upgrade_on_trial_end(keeper, pid, status))
			continue;
		struct keeper_child *child = keeper_child_reap(keeper, pid);
		if (child)
			on_child_end(keeper, child, status);
	}
}

static void reload(struct keeper *keeper)
{
	struct ipc_plain order;

	ipc_init(&order, IPC_RELOAD, sizeof(order));
	keeper_child_send(&keeper->control, &order, -1);
}

static void on_signals(struct loop_watch *watch, uint32_t events)
{
	struct keeper *keeper = container_of(watch, struct keeper, signals);
	struct signalfd_siginfo info;

	(void)events;
	while (read(watch->fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGCHLD)
			reap(keeper);
		else if (info.ssi_signo == SIGHUP)
			reload(keeper);
		else if (info.ssi_signo == SIGUSR2)
			keeper_upgrade_ask(keeper);
		else
			stop(keeper);
	}
}

static int open_signals(struct keeper *keeper)
{
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGUSR2);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	keeper->signals.fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (keeper->signals.fd < 0)
		return -errno;
	keeper->signals.on_event = on_signals;
	return loop_add(keeper->loop, &keeper->signals, EPOLLIN);
}

static int open_listeners(struct keeper *keeper)
{
	uint16_t port = keeper->options.relay_port;
	int error = keeper_listener_probe(port);

	if (error == -EADDRINUSE)
		log_error("port %u is used by another program: choose one with --port", port);
	else if (error)
		log_error("cannot listen on port %u: %s", port, strerror(-error));
	for (size_t i = 0; !error && i < keeper->nchildren; i++)
		if (roles[keeper->children[i].role].given & GIVEN_LISTENERS)
			error = keeper_child_open_listeners(&keeper->children[i]);
	return error;
}

/* In the place of the program before. */
static int resume(struct keeper *keeper)
{
	const struct handover *state = &keeper->upgrade.state;
	int error;

	if ((error = keeper_resume_read(keeper)) || (error = open_signals(keeper)) ||
		(error = keeper_kernel_open(keeper, handover_own(state, HANDOVER_TABLE))) ||
		(error = keeper_admit_open(keeper, handover_own(state, HANDOVER_QUEUE))))
		return error;
	keeper_flow_log_open(keeper, handover_own(state, HANDOVER_FLOW_LOG));
	keeper->phase = KEEPER_RUNNING;
	keeper_resume_places(keeper);
	keeper_resume_children(keeper);
	loop_timer_set(keeper->loop, &keeper->tick, loop_now_ms(keeper->loop) + BEAT_MS);
	keeper_child_start(&keeper->control);
	reap(keeper); /* who ended while there was nobody to hear of it */
	return 0;
}

static int start(struct keeper *keeper)
{
	int error;

	keeper->loop = loop_new();
	if (!keeper->loop)
		return -ENOMEM;
	keeper->phase_end.on_time = on_phase_end;
	keeper->tick.on_time = on_tick;
	keeper_upgrade_init(keeper);
	if (keeper->options.resume >= 0)
		return resume(keeper);
	keeper_child_init_all(keeper, NULL);
	keeper_posture_first(&keeper->options);
	if ((error = keeper_prepare(keeper)) || (error = open_signals(keeper)) ||
		(error = keeper_kernel_open(keeper, -1)) ||
		(error = keeper_admit_open(keeper, -1)) || (error = open_listeners(keeper)))
		return error;
	keeper_flow_log_open(keeper, -1);
	keeper_upgrade_tell(keeper, "none", "");
	loop_timer_set(keeper->loop, &keeper->tick, loop_now_ms(keeper->loop) + BEAT_MS);
	keeper_child_start(&keeper->control);
	keeper_child_start_all(keeper);
	return 0;
}

/* Children that are left are ended; they would be anyway, by the death of their parent. */
static void finish(struct keeper *keeper)
{
	unsigned at = 0;

	keeper_child_kill(&keeper->control);
	for (struct keeper_child *child; (child = keeper_child_next(keeper, &at));)
		keeper_child_kill(child);
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
		continue;
	static const char *const sockets[] = {"control.sock", "session.sock", "desk.sock"};
	for (size_t i = 0; i < sizeof(sockets) / sizeof(sockets[0]); i++) {
		char path[PATH_MAX];
		snprintf(path, sizeof(path), "%s/%s", keeper->options.run_dir, sockets[i]);
		if (unlink(path) < 0 && errno != ENOENT)
			log_debug("cannot remove %s: %s", path, strerror(errno));
	}
	queue_close(keeper->queue);
	watch_close(keeper->watch);
	routes_close(keeper->routes);
	links_close(keeper->links);
	bridge_ports_close(keeper->bridge_ports);
	table_close(keeper->table);
	if (keeper->has_plan)
		plan_fini(&keeper->plan);
	loop_free(keeper->loop);
}

static const struct keeper_face face = {.on_ipc = keeper_request_on_ipc,
	.on_ready = on_ready,
	.on_drain_time = on_drain_time,
	.on_none_held = keeper_upgrade_on_none_held};

int keeper_main(const struct process_options *options)
{
	static struct keeper keeper = {.face = &face,
		.program = -1,
		.lock = -1,
		.control_socket = -1,
		.session_socket = -1,
		.desk_socket = -1,
		.limit_fd = -1,
		.message_limit_fd = -1,
		.queue_stats = -1,
		.parent = -1,
		.signals.fd = -1};

	keeper.options = *options;
	if (!options->foreground && options->resume < 0) {
		int status = 1;
		int done = go_to_background(&keeper, &status);
		if (done > 0)
			return status;
		if (done < 0) {
			fprintf(stderr, "posternd: cannot go to the background: %s\n",
				strerror(-done));
			return 1;
		}
	}
	log_init("keeper", options->foreground, POLICY_LOG_INFO);
	if (options->resume < 0)
		notify_open();
	point_at_null(STDIN_FILENO);
	if (!options->foreground)
		point_at_null(STDOUT_FILENO);
	int error = start(&keeper);
	if (!error)
		error = loop_run(keeper.loop);
	else if (keeper.lock < 0 || options->resume >= 0)
		/* Nothing is ours yet, the sockets in the run folder least of all; or children are
		 * there that we do not know: they die with us. */
		return 1;
	finish(&keeper);
	if (!error && !keeper.exit_status)
		log_info("stopped");
	return error ? 1 : keeper.exit_status;
}
