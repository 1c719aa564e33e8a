/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The upgrade in place up to the exec. The theory of operation stands in the header. */
#include "daemon/keeper/keeper.h"

#include "daemon/base/log.h"
#include "daemon/base/notify.h"
#include "daemon/base/privilege.h"
#include "daemon/start/options.h"
#include "lib/base/container.h"
#include "lib/version.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define TRIAL_MS      30000
#define ASKED_MS      3000
#define RESUMING_MS   10000
#define READY_MS      5000 /* so long an upgrade waits for a control that is not ready */
#define FLOWS_MS      200  /* connections wait in the backlog so long */
#define HELD_MS       1000 /* longer than any packet is held */
#define CONTROL_MS    5000
#define DRAIN_UNKNOWN 300 /* control never said */
#define DRAIN_LEAST   1   /* when control did not say */
#define STOP_SEQ      UINT32_MAX

void keeper_upgrade_tell(struct keeper *keeper, const char *verdict, const char *text)
{
	char line[1024];

	int len = snprintf(line, sizeof(line), "%d\nversion %s\nupgrade %u %s %s\n", (int)getpid(),
		POSTERN_VERSION, (unsigned)keeper->upgrade.asked, verdict, text);
	if (len >= (int)sizeof(line)) {
		len = sizeof(line) - 1;
		line[len - 1] = '\n';
	}
	if (pwrite(keeper->lock, line, (size_t)len, 0) != len || ftruncate(keeper->lock, len) < 0)
		log_warning("cannot write the lock file: %s", strerror(errno));
}

static void set_stage(struct keeper *keeper, enum keeper_upgrade_stage stage, uint64_t wait_ms)
{
	keeper->upgrade.stage = stage;
	if (wait_ms)
		loop_timer_set(
			keeper->loop, &keeper->upgrade.end, loop_now_ms(keeper->loop) + wait_ms);
	else
		loop_timer_clear(keeper->loop, &keeper->upgrade.end);
}

static void close_trial(struct keeper *keeper)
{
	struct keeper_upgrade *upgrade = &keeper->upgrade;

	if (upgrade->program >= 0)
		close(upgrade->program);
	if (upgrade->said >= 0)
		close(upgrade->said);
	upgrade->program = upgrade->said = -1;
	upgrade->term = false;
	set_stage(keeper, KEEPER_UPGRADE_NONE, 0);
}

static void refuse(struct keeper *keeper, const char *why)
{
	log_error("no upgrade: %s; version %s goes on", why, POSTERN_VERSION);
	keeper_upgrade_tell(keeper, "refused", why);
	close_trial(keeper);
	keeper->upgrade.paused_ms = 0;
}

/* ---- the trial ---- */

static void begin(struct keeper *keeper)
{
	char text[256];

	keeper->upgrade.wanted = keeper->upgrade.wait_said = false;
	log_info("upgrade: trying %s", keeper->path);
	set_stage(keeper, KEEPER_UPGRADE_TRIAL, TRIAL_MS);
	int error = keeper_trial_start(keeper);
	if (!error)
		return;
	snprintf(text, sizeof(text), "cannot try the new program: %s", strerror(-error));
	refuse(keeper, text);
}

/* ---- hand over, execute ---- */

/* From here on what arrives for control waits in the kernel. */
static void pause_admission(struct keeper *keeper)
{
	if (keeper->upgrade.paused_ms)
		return;
	keeper_admit_pause(keeper);
	keeper->upgrade.paused_ms = loop_now_ms(keeper->loop);
}

static void part_from_control(struct keeper *keeper)
{
	struct ipc_plain order;
	struct ipc_drain end;
	unsigned at = 0;

	pause_admission(keeper);
	keeper_admit_drop(keeper); /* none, if control lived and was in time */
	ipc_init(&end, IPC_DRAIN, sizeof(end));
	keeper->control_ready = false;
	set_stage(keeper, KEEPER_UPGRADE_CONTROL, CONTROL_MS);
	ipc_init(&order, IPC_HAND_OVER, sizeof(order));
	/* what ends may listen: the next one can do so only when it is gone. The next control says
	 * whether it is wanted. Who has flows goes on with them, and is started anew if it dies. */
	keeper->wanted &= roles_with_flows();
	for (struct keeper_child *child; (child = keeper_child_next(keeper, &at));)
		keeper_child_send(child,
			roles[child->role].upgrade == ROLE_ENDS ? (void *)&end : (void *)&order,
			-1);
	channel_free(keeper->control.channel);
	keeper->control.channel = NULL;
}

/* Control is alive, and decides what was read already. */
static void await_held(struct keeper *keeper)
{
	pause_admission(keeper);
	set_stage(keeper, KEEPER_UPGRADE_HELD, HELD_MS);
	if (!keeper->held.n)
		part_from_control(keeper);
}

void keeper_upgrade_on_none_held(struct keeper *keeper)
{
	if (keeper->upgrade.stage == KEEPER_UPGRADE_HELD)
		part_from_control(keeper);
}

/* In a language that they will not hear again. */
static void drain_foreign(struct keeper *keeper)
{
	uint64_t end_ms = loop_now_ms(keeper->loop) + (uint64_t)keeper->drain_s * 1000;
	struct ipc_drain order;
	unsigned at = 0;

	log_warning("the new version speaks another language to relays: the flows of this one go "
		    "on, but are in no audit and no \"flow show\" any more");
	ipc_init(&order, IPC_DRAIN, sizeof(order));
	order.seconds = keeper->drain_s;
	for (struct keeper_child *child; (child = keeper_child_next(keeper, &at));) {
		if (child->until_ms || roles[child->role].upgrade == ROLE_ENDS)
			continue;
		keeper_endpoint_leave(child);
		keeper_child_send(child, &order, -1);
		if (keeper_child_has_flows(child))
			child->until_ms = end_ms + keeper_child_slack_ms(child);
	}
}

/* Control does not say how long flows may go on. What it said before still holds. */
static void drain_untold(struct keeper *keeper)
{
	if (!keeper->drain_s)
		keeper->drain_s = DRAIN_UNKNOWN;
	if (keeper->upgrade.foreign)
		drain_foreign(keeper);
}

bool keeper_upgrade_on_drain_time(struct keeper *keeper, uint32_t seconds)
{
	if (keeper->upgrade.stage != KEEPER_UPGRADE_ASKED)
		return false;
	keeper->drain_s = seconds > DRAIN_LEAST ? seconds : DRAIN_LEAST;
	if (keeper->upgrade.foreign) {
		drain_foreign(keeper);
		set_stage(keeper, KEEPER_UPGRADE_FLOWS, FLOWS_MS);
	} else {
		await_held(keeper);
	}
	return true;
}

/* Returns only when it failed. */
static int execute(struct keeper *keeper, int state, const struct handover *handover)
{
	struct options_child_storage storage;
	char *argv[OPTIONS_CHILD_ARGS];

	int error = privilege_carry_keeper(true);
	if (error)
		return error;
	keeper_handover_close_on_exec(handover, false);
	fcntl(state, F_SETFD, 0);
	/* blocked: they wait for the next program */
	if (keeper->upgrade.term)
		kill(getpid(), SIGTERM);
	if (keeper->upgrade.wanted)
		kill(getpid(), SIGUSR2);
	options_upgrade_argv(&keeper->options, state, false, &storage, argv);
	fexecve(keeper->upgrade.program, argv, environ);
	error = -errno;
	keeper_handover_close_on_exec(handover, true);
	privilege_carry_keeper(false);
	return error;
}

static void go(struct keeper *keeper)
{
	static struct handover handover;
	char text[256];

	notify_reloading("upgrading in place");
	if (keeper->upgrade.wanted)
		keeper->upgrade.asked--; /* it is asked for once more behind the exec */
	int plan = keeper_handover_plan(keeper);
	keeper_handover_fill(keeper, plan, &handover);
	int state = keeper_handover_write(&handover), error = state;
	if (state >= 0)
		error = execute(keeper, state, &handover);
	snprintf(text, sizeof(text), "the new program cannot be executed: %s", strerror(-error));
	if (state >= 0)
		close(state);
	if (plan >= 0)
		close(plan);
	for (size_t i = 0; i < keeper->nchildren; i++) {
		struct keeper_child *child = &keeper->children[i];
		if (!keeper_child_has_flows(child))
			continue;
		child->until_ms = 0; /* those that drain are started again */
		if (!child->pid && keeper_child_is_wanted(child))
			keeper_child_again(child);
	}
	refuse(keeper, text);
	notify_manager("READY=1\nSTATUS=the upgrade failed; the old version goes on");
	keeper_child_start(&keeper->control);
}

bool keeper_upgrade_on_control_end(struct keeper *keeper)
{
	switch (keeper->upgrade.stage) {
	case KEEPER_UPGRADE_ASKED: /* it died over the question */
		drain_untold(keeper);
		part_from_control(keeper);
		go(keeper);
		return true;
	case KEEPER_UPGRADE_FLOWS:
	case KEEPER_UPGRADE_HELD:
		part_from_control(keeper);
		go(keeper);
		return true;
	case KEEPER_UPGRADE_CONTROL:
		go(keeper);
		return true;
	case KEEPER_UPGRADE_NONE:
	case KEEPER_UPGRADE_TRIAL:
	case KEEPER_UPGRADE_RESUMING:
		break;
	}
	return false;
}

/* It does not come up, or is being started anew: there is nothing that it could hand over. */
static void go_without_control(struct keeper *keeper)
{
	drain_untold(keeper);
	part_from_control(keeper);
	loop_timer_clear(keeper->loop, &keeper->control.restart);
	if (keeper->control.pid)
		keeper_child_kill(&keeper->control);
	else
		go(keeper);
}

bool keeper_upgrade_on_trial_end(struct keeper *keeper, pid_t pid, int status)
{
	struct keeper_upgrade *upgrade = &keeper->upgrade;
	char first[256] = "", text[400];
	struct ipc_plain order;

	if (!upgrade->trial || pid != upgrade->trial)
		return false;
	upgrade->trial = 0;
	if (upgrade->stage != KEEPER_UPGRADE_TRIAL)
		return true; /* given up */
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	if (code != 0 && code != KEEPER_UPGRADE_FOREIGN) {
		keeper_trial_log_said(upgrade->said, first, sizeof(first));
		snprintf(text, sizeof(text), "the new program refuses%s%s", *first ? ": " : "",
			first);
		refuse(keeper, text);
		return true;
	}
	upgrade->foreign = code == KEEPER_UPGRADE_FOREIGN;
	if (!keeper->control_ready || !keeper->control.channel) {
		go_without_control(keeper);
		return true;
	}
	set_stage(keeper, KEEPER_UPGRADE_ASKED, ASKED_MS);
	ipc_init(&order, IPC_HAND_OVER, sizeof(order));
	order.header.seq = keeper->stop_seq = STOP_SEQ;
	keeper_child_send(&keeper->control, &order, -1);
	return true;
}

static void on_end(struct loop_timer *timer, uint64_t now_ms)
{
	struct keeper *keeper = container_of(timer, struct keeper, upgrade.end);

	(void)now_ms;
	switch (keeper->upgrade.stage) {
	case KEEPER_UPGRADE_TRIAL:
		if (keeper->upgrade.trial > 0)
			kill(keeper->upgrade.trial, SIGKILL);
		refuse(keeper, "the new program does not end its trial");
		break;
	case KEEPER_UPGRADE_FLOWS:
		await_held(keeper);
		break;
	case KEEPER_UPGRADE_HELD:
		part_from_control(keeper);
		break;
	case KEEPER_UPGRADE_ASKED:
	case KEEPER_UPGRADE_CONTROL:
		log_warning("control does not hand over in time: ending it");
		keeper_child_kill(&keeper->control);
		break;
	case KEEPER_UPGRADE_RESUMING:
		log_error("the processes of version %s do not come up; relays of before go on",
			POSTERN_VERSION);
		keeper_upgrade_tell(keeper, "refused", "the new processes do not come up");
		set_stage(keeper, KEEPER_UPGRADE_NONE, 0);
		break;
	case KEEPER_UPGRADE_NONE:
		break;
	}
}

/* ---- when ---- */

/* NULL: now. */
static const char *why_wait(struct keeper *keeper)
{
	unsigned at = 0, numbers = 0;

	if (keeper->upgrade.stage != KEEPER_UPGRADE_NONE)
		return "another one is under way";
	if (keeper->phase != KEEPER_RUNNING)
		return "it is not ready";
	if (!keeper->control_ready &&
		loop_now_ms(keeper->loop) - keeper->upgrade.wanted_ms < READY_MS)
		return "control is not ready";
	while (keeper_child_next_flows(keeper, &at))
		numbers++;
	if (numbers + roles_columns(keeper->options.relays) > keeper->limit.columns)
		return "relays of earlier versions have flows still";
	return NULL;
}

static void begin_or_wait(struct keeper *keeper)
{
	const char *why = why_wait(keeper);

	if (!why) {
		begin(keeper);
		return;
	}
	if (keeper->upgrade.wait_said)
		return;
	keeper->upgrade.wait_said = true;
	log_info("the upgrade waits: %s", why);
	if (keeper->upgrade.stage == KEEPER_UPGRADE_NONE)
		keeper_upgrade_tell(keeper, "waits", why);
}

void keeper_upgrade_ask(struct keeper *keeper)
{
	if (keeper->phase >= KEEPER_STOPPING) {
		log_warning("no upgrade: Postern is stopping");
		return;
	}
	/* counted each time, so that each who waits finds a verdict on what came after it asked */
	keeper->upgrade.asked++;
	if (!keeper->upgrade.wanted)
		keeper->upgrade.wanted_ms = loop_now_ms(keeper->loop);
	keeper->upgrade.wanted = true;
	keeper->upgrade.wait_said = false;
	begin_or_wait(keeper);
}

void keeper_upgrade_tick(struct keeper *keeper)
{
	uint64_t now_ms = loop_now_ms(keeper->loop);
	char name[16];

	for (unsigned i = 0; i < PROCESS_NUMBERS_MAX; i++) {
		struct keeper_child *old = &keeper->old[i];
		if (!old->pid || !old->until_ms || now_ms < old->until_ms)
			continue;
		log_warning("%s of version %s has not drained in time: killing it",
			keeper_child_name(old, name), old->version);
		keeper_child_kill(old);
	}
	if (keeper->upgrade.wanted && keeper->phase < KEEPER_STOPPING)
		begin_or_wait(keeper);
}

bool keeper_upgrade_on_stop(struct keeper *keeper)
{
	keeper->upgrade.wanted = false;
	switch (keeper->upgrade.stage) {
	case KEEPER_UPGRADE_TRIAL:
		if (keeper->upgrade.trial > 0)
			kill(keeper->upgrade.trial, SIGKILL);
		refuse(keeper, "Postern is stopping");
		break;
	case KEEPER_UPGRADE_ASKED:
	case KEEPER_UPGRADE_FLOWS:
	case KEEPER_UPGRADE_HELD:
	case KEEPER_UPGRADE_CONTROL:
		keeper->upgrade.term = true;
		return true;
	case KEEPER_UPGRADE_NONE:
	case KEEPER_UPGRADE_RESUMING:
		break;
	}
	return false;
}

void keeper_upgrade_begin_resuming(struct keeper *keeper)
{
	keeper->upgrade.undrained = true;
	set_stage(keeper, KEEPER_UPGRADE_RESUMING, RESUMING_MS);
}

void keeper_upgrade_end_resuming(struct keeper *keeper)
{
	keeper->upgrade.undrained = false;
	if (keeper->upgrade.stage == KEEPER_UPGRADE_RESUMING)
		set_stage(keeper, KEEPER_UPGRADE_NONE, 0);
}

void keeper_upgrade_init(struct keeper *keeper)
{
	keeper->upgrade.program = keeper->upgrade.said = -1;
	keeper->upgrade.end.on_time = on_end;
}
