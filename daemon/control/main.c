/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The control process: the order of its start and its end, and what the keeper tells it. */
#include "daemon/control/control.h"

#include "daemon/base/log.h"
#include "daemon/base/privilege.h"
#include "daemon/base/worker.h"
#include "daemon/control/accounting/accounts.h"
#include "daemon/control/audit/audit.h"
#include "daemon/control/audit/flow_events.h"
#include "daemon/control/audit/message/messages.h"
#include "daemon/control/audit/totals.h"
#include "daemon/control/clock.h"
#include "daemon/control/commands/nouns.h"
#include "daemon/control/credential/credentials.h"
#include "daemon/control/credential/renew.h"
#include "daemon/control/explain/outlook.h"
#include "daemon/control/kernel/admit.h"
#include "daemon/control/kernel/bind_client.h"
#include "daemon/control/kernel/bypass.h"
#include "daemon/control/kernel/entries.h"
#include "daemon/control/kernel/interfaces.h"
#include "daemon/control/kernel/listening.h"
#include "daemon/control/kernel/lost_flows.h"
#include "daemon/control/kernel/path.h"
#include "daemon/control/kernel/plan.h"
#include "daemon/control/log_level.h"
#include "daemon/control/metrics/metrics.h"
#include "daemon/control/path/kernel_path.h"
#include "daemon/control/peers/auth_peer.h"
#include "daemon/control/peers/flow_face.h"
#include "daemon/control/peers/flow_peers.h"
#include "daemon/control/peers/health/health_peer.h"
#include "daemon/control/peers/radius_peer.h"
#include "daemon/control/peers/scan_states.h"
#include "daemon/control/peers/web_peer.h"
#include "daemon/control/policy/apply.h"
#include "daemon/control/policy/confirm.h"
#include "daemon/control/policy/file.h"
#include "daemon/control/policy/history/store.h"
#include "daemon/control/policy/inquiry.h"
#include "daemon/control/policy/start.h"
#include "daemon/control/policy/turns.h"
#include "daemon/control/policy/wanted.h"
#include "daemon/control/request/control_socket.h"
#include "daemon/control/request/monitor.h"
#include "daemon/control/session/block_change.h"
#include "daemon/control/session/end_passed.h"
#include "daemon/control/session/idle.h"
#include "daemon/control/session/link_down.h"
#include "daemon/control/session/list_change.h"
#include "daemon/control/session/live_flows.h"
#include "daemon/control/session/passed.h"
#include "daemon/control/session/sessions.h"
#include "daemon/control/session/source_watch.h"
#include "daemon/control/store/drained.h"
#include "daemon/control/store/flow_ids.h"
#include "daemon/control/store/session_store.h"
#include "daemon/process/child.h"
#include "lib/base/container.h"
#include "lib/ipc/kernel.h"
#include "lib/policy/proof/relay.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* How long a hand-over waits for requests to be answered, and then for relays to leave: both are
 * far quicker, and both go on deciding meanwhile. */
#define ANSWERS_MS 1000
#define LEAVE_MS   1000
#define LOOK_MS    2

static struct audit_config audit_config_of(struct control *control)
{
	const struct policy *policy = control->policy;
	return (struct audit_config){.keep_s = policy->audit_keep_s,
		.size_bytes = policy->audit_size_bytes,
		.names_none = policy->audit_names_none,
		.believed_ms = clock_believed_ms,
		.context = control,
		.used_bytes = &control->audit_bytes,
		.beside_bytes = &control->message_bytes};
}

static struct audit_config messages_config_of(struct control *control)
{
	struct audit_config config = audit_config_of(control);

	config.used_bytes = &control->message_bytes;
	config.beside_bytes = &control->audit_bytes;
	return config;
}

/* Another policy is in force: what is kept by it (retention of the audit, ...) follows. */
static void follow_policy(struct control *control)
{
	struct audit_config config = audit_config_of(control);
	struct audit_config messages = messages_config_of(control);
	audit_configure(control->audit, &config);
	messages_configure(control->messages, &messages);
	log_set_privacy(control->policy->audit_names_none);
	list_change_arm(control);
	credentials_follow(control->credentials);
	renew_begin(control->renew);
	health_peer_follow(control->health);
	paths_follow(control->paths);
	auth_peer_follow(control->auth);
	accounts_follow(control->accounts);
	radius_peer_follow(control->radius);
	totals_follow(control->totals, control->policy);
	listening_follow(control);
	lost_flows_forget(control->lost_flows);
	web_peer_follow(control->web);
}

static void on_keeper_event(struct control *control, const struct ipc_event *event)
{
	static const char *const names[IPC_EVENTS] = {"table-healed", "route-healed",
		"admission-late", "admission-shed", "admission-malformed", "queue-stuck",
		"queue-overrun", "entry-failed", "killed", "started-again", "listener-closed",
		"listener-opened"};
	static const enum counter counters[IPC_EVENTS] = {COUNTER_HEALED_TABLE,
		COUNTER_HEALED_ROUTE, COUNTER_ADMISSIONS_LATE, COUNTER_ADMISSIONS_SHED,
		COUNTER_ADMISSIONS_MALFORMED, COUNTER_QUEUE_STUCK, COUNTER_QUEUE_OVERRUNS,
		COUNTER_ENTRIES_FAILED, COUNTER_PROCESSES_KILLED, COUNTER_PROCESSES_STARTED,
		COUNTER_LISTENERS_CLOSED, COUNTERS};
	struct control_events *events = &control->events;
	events->counts[event->kind] += event->count;
	events->last_ms[event->kind] = clock_now_ms(control);
	memcpy(events->last[event->kind], event->text, sizeof(event->text));
	if (counters[event->kind] < COUNTERS)
		control->counters[counters[event->kind]] += event->count;
	bool healed =
		event->kind == IPC_EVENT_HEALED_TABLE || event->kind == IPC_EVENT_HEALED_ROUTE;
	log_event(POLICY_LOG_WARNING, healed ? LOG_ID_KERNEL_HEALED : LOG_ID_NONE, NULL, 0,
		"%s: %s (%u)", names[event->kind], event->text, (unsigned)event->count);
	if (monitor_wanted(control, MONITOR_POLICY))
		monitor_publish(control, MONITOR_POLICY,
			json_pack("{s:s, s:i, s:s}", "event", names[event->kind], "count",
				(int)event->count, "text", event->text));
}

static void on_reloaded(void *context, enum outcome outcome, const char *text)
{
	struct control *control = context;
	if (outcome_status(outcome) != 0)
		log_error("SIGHUP: not applied");
	else
		log_info("SIGHUP: policy %" PRIu64 " is in force%s%s", control->policy_number,
			*text ? ": " : "", text);
}

/* SIGTERM: the keeper asks how long flows may go on, and ends everything when they are over. */
static void on_stop(struct control *control, uint32_t seq)
{
	struct ipc_reply reply;
	ipc_init(&reply, IPC_REPLY, sizeof(reply));
	reply.header.seq = seq;
	reply.value = control->policy->drain_s;
	control->stopping = true;
	if (seq)
		channel_send(control->keeper, &reply, -1);
}

/* Every change that is made from here on would not reach the relays: so first all requests get
 * their answers, and no other is taken. Admission goes on to the end. */
static void look_at_hand_over(struct loop_timer *timer, uint64_t now_ms)
{
	struct control *control = container_of(timer, struct control, leave);
	bool late = now_ms - control->hand_over_ms >= ANSWERS_MS;

	if (control->keeper_gone) {
		log_warning("a relay has not left in time: what it said last may be lost");
		loop_stop(control->loop);
	} else if (!late && !control_socket_is_idle(control->control_socket)) {
		loop_timer_set(control->loop, &control->leave, now_ms + LOOK_MS);
	} else {
		control_socket_mute(control->control_socket);
		on_stop(control, control->hand_over_seq);
	}
}

static void begin_hand_over(struct control *control, uint32_t seq)
{
	control->handing_over = true;
	control->hand_over_seq = seq;
	control->hand_over_ms = loop_now_ms(control->loop);
	control->leave.on_time = look_at_hand_over;
	control_socket_pause(control->control_socket);
	look_at_hand_over(&control->leave, control->hand_over_ms);
}

/* NULL: there is no such process. */
static struct peer *find_peer(struct control *control, const struct ipc_peer *ipc)
{
	return flow_peers_find(control->flow_peers, (enum process_role)ipc->role, ipc->number);
}

/* fd is taken over. */
static void add_peer(struct control *control, const struct ipc_peer *ipc, int fd)
{
	struct peer *peer = find_peer(control, ipc);

	if (peer) {
		peer_add(peer, ipc, fd);
		wanted_on_peer(control->wanted);
	} else if (fd >= 0)
		close(fd);
}

static void on_keeper_ipc(void *context, const struct ipc_header *ipc, int fd)
{
	struct control *control = context;
	const struct ipc_peer *peer = (const struct ipc_peer *)ipc;
	control->counters[COUNTER_IPC_RECEIVED]++;
	if (ipc->type == IPC_PEER) {
		add_peer(control, peer, fd);
		return;
	}
	if (ipc->type == IPC_FLOW_LOG && fd >= 0) {
		kernel_path_take_log(control->kernel_path, fd);
		return;
	}
	if (fd >= 0)
		close(fd);
	if (questions_on_ipc(&control->keeper_asks, ipc))
		return;
	switch (ipc->type) {
	case IPC_PING:
		child_pong(control->keeper, ipc);
		break;
	case IPC_ADMIT:
		admit_decide(control, (const struct ipc_admit *)ipc);
		break;
	case IPC_LINK:
		interfaces_put(control, (const struct ipc_link *)ipc);
		break;
	case IPC_UNLINK:
		interfaces_del(control, ((const struct ipc_link *)ipc)->ifindex);
		break;
	case IPC_MAC_LOST:
		link_down_mac(control, ((const struct ipc_mac_lost *)ipc)->bridge,
			&((const struct ipc_mac_lost *)ipc)->mac);
		break;
	case IPC_LINKS_DONE:
		control->links_done = true;
		kernel_path_begin(control->kernel_path);
		break;
	case IPC_PEER_GONE:
		if (find_peer(control, peer))
			peer_gone(find_peer(control, peer), peer->generation);
		break;
	case IPC_EVENT:
		on_keeper_event(control, (const struct ipc_event *)ipc);
		break;
	case IPC_LISTENING:
		listening_put(control, (const struct ipc_listening *)ipc);
		break;
	case IPC_RELOAD:
		policy_file_apply(control,
			&(struct policy_file_order){.done = on_reloaded, .context = control});
		break;
	case IPC_HAND_OVER:
		begin_hand_over(control, ipc->seq);
		break;
	case IPC_STOP:
		on_stop(control, ipc->seq);
		break;
	case IPC_REPLY: /* to a question that was given up, or to none */
	case IPC_DRAIN:
	case IPC_CLIENT:
	case IPC_TEXT:
	case IPC_FOREIGN:
	case IPC_NEIGHBOUR:
	case IPC_KERNEL_COUNTERS:
	case IPC_CONNECTIONS:
	case IPC_FLOW_LOG: /* without the descriptor */
		break;
	default:
		control->counters[COUNTER_IPC_BAD]++;
		log_warning(
			"the keeper sent %s, which it may not send: ignored", ipc_name(ipc->type));
	}
}

/* A process with flows has left. */
static void on_peer_left(struct control *control)
{
	if (control->handing_over && control->keeper_gone && !flow_peers_any(control->flow_peers))
		loop_stop(control->loop);
}

/* In a hand-over the relays were told to say what they have to say and to leave: the last records
 * are still on their way. */
static void on_keeper_gone(void *context)
{
	struct control *control = context;
	control->keeper_gone = true;
	if (!control->stopping)
		log_error("the keeper is gone");
	if (control->handing_over && flow_peers_any(control->flow_peers))
		loop_timer_set(
			control->loop, &control->leave, loop_now_ms(control->loop) + LEAVE_MS);
	else
		loop_stop(control->loop);
}

static const struct channel_handler keeper_handler = {
	.on_ipc = on_keeper_ipc, .on_gone = on_keeper_gone};

static void on_policy_runs(struct control *control, bool runs)
{
	struct ipc_plain ready;
	if (!runs) {
		control->failed = true;
		loop_stop(control->loop);
		return;
	}
	/* what an earlier control left in the kernel's cache is not known here */
	entries_drop_all(control->entries);
	entries_send(control->entries, NULL);
	bypass_resume(control->bypass);
	kernel_plan_settled(control);
	ipc_init(&ready, IPC_READY, sizeof(ready));
	channel_send(control->keeper, &ready, -1);
	log_level_set(control, control->log_level); /* the keeper has not heard of it yet */
	control->ready = true;
	lost_flows_begin(control->lost_flows);
	kernel_path_begin(control->kernel_path);
	log_event(POLICY_LOG_INFO, LOG_ID_READY, NULL, 0, "ready: policy %" PRIu64 ", %zu sessions",
		control->policy_number, sessions_in_force(control));
}

static void on_current(struct control *control)
{
	confirm_resume(control->confirm);
}

static const struct apply_face apply_face = {.on_switch = follow_policy, .on_current = on_current};

static void on_idle(struct control *control, struct session *session)
{
	sessions_end_idle(control->sessions, session);
}

static void on_looked(struct control *control)
{
	sessions_arm(control->sessions);
}

static const struct idle_face idle_face = {.on_idle = on_idle, .on_looked = on_looked};

static bool may_pass(struct control *control, const struct ipc_targets *targets)
{
	return bind_client_pass(control->bind_client, targets);
}

static void on_path_opened(struct control *control, uint64_t session, const char *ifname)
{
	sessions_active(control->sessions, session);
	if (*ifname)
		sessions_seen(control->sessions, session, ifname);
}

static void on_path_closed(struct control *control, uint64_t session)
{
	sessions_active(control->sessions, session);
}

static const struct kernel_path_face path_face = {
	.on_opened = on_path_opened, .on_closed = on_path_closed};

static void on_targets(struct control *control, size_t server)
{
	paths_follow_server(control->paths, server);
}

static void plan_again(void *context)
{
	struct control *control = context;
	int error = kernel_plan_send(control, control->policy, PLAN_RUNNING, true, NULL);

	if (error)
		log_error("not all paths have their number: %s", strerror(-error));
}

static void on_unnumbered(struct control *control)
{
	turns_when_free(control->turns, plan_again, control);
}

static const struct health_face health_face = {.may_pass = may_pass, .on_targets = on_targets};

static bool make_parts(struct control *control)
{
	control->lists = lists_new();
	control->table = session_table_new();
	control->blocks = blocks_new();
	control->entries = entries_new(control);
	control->live_flows = live_flows_new();
	control->flow_events = flow_events_new();
	control->totals = totals_new();
	control->lost_flows = lost_flows_new(control);
	control->flow_peers = flow_peers_new(control, &flow_face, on_peer_left);
	control->kernel_path = kernel_path_new(control, &path_face);
	if (!control->kernel_path)
		return false;
	control->flow_carrier = (struct flow_carrier *)control->kernel_path;
	control->wanted = wanted_new(control);
	control->listening = calloc(1, sizeof(*control->listening));
	control->health = health_peer_new(control, &health_face);
	control->bind_client =
		control->health ? bind_client_new(control, health_peer_tell_bound, control->health)
				: NULL;
	control->paths = paths_new(control, on_unnumbered);
	control->auth = control->flow_peers ? auth_peer_new(control) : NULL;
	control->radius = control->flow_peers ? radius_peer_new(control) : NULL;
	control->scans = scan_states_new();
	control->web = web_peer_new(control, metrics_make);
	control->credentials = credentials_new(control);
	control->renew = renew_new(control, control->credentials);
	control->turns = turns_new();
	control->apply = apply_new(control, &apply_face);
	control->confirm = confirm_new(control);
	control->begin = policy_start_new(control);
	control->sessions = sessions_new(control);
	control->source_watch = source_watch_new();
	control->end_passed = end_passed_new(control);
	control->idle = idle_new(control, &idle_face);
	return control->lists && control->table && control->blocks && control->entries &&
	       control->live_flows && control->flow_events && control->totals &&
	       control->lost_flows && control->flow_peers && control->wanted &&
	       control->listening && control->bind_client && control->paths && control->auth &&
	       control->radius && control->scans && control->web && control->credentials &&
	       control->renew && control->turns && control->apply && control->confirm &&
	       control->begin && control->source_watch && control->sessions && control->idle &&
	       control->end_passed;
}

/* The policy, and its posture in the kernel: the first act. 0 or -errno, said. */
static int load_policy(struct control *control)
{
	const char *dir = control->start.options.state_dir;
	int error;
	control->disk = worker_open(control->loop);
	control->clock = control->disk ? clock_open(control) : NULL;
	if (!control->clock)
		return -ENOMEM;
	control->started_ms = clock_now_ms(control);
	control->history = policy_store_open(dir, control->disk, &error);
	if (error) {
		log_error("the state folder %s cannot be used: %s", dir, strerror(-error));
		return error;
	}
	error = policy_start_choose(control->begin);
	if (error)
		log_error("there is no policy to start with");
	else
		policy_start_posture(control->begin);
	return error;
}

/* What else is in the state folder: waits for the disk. 0 or -errno, said. */
static int load_state(struct control *control)
{
	const char *dir = control->start.options.state_dir;
	uint64_t last_id;
	control->bypass = bypass_open(control);
	control->drained = control->bypass ? drained_open(control) : NULL;
	if (!control->drained)
		return -ENOMEM;
	control->flow_ids = flow_ids_open(dir, control->disk, loop_wall_ms(control->loop));
	if (!control->flow_ids)
		return -ENOMEM;
	int error = session_store_open(control->loop, dir, control->table, control->lists,
		control->blocks, clock_now_ms(control), &last_id, &control->store);
	if (error) {
		log_error("the state folder %s cannot be used: %s", dir, strerror(-error));
		return error;
	}
	char open[RELAY_TEXT_SIZE];
	if (relay_is_open(control->policy, control->lists, NULL, open)) {
		log_error("policy %" PRIu64 " would be an open relay, with what its lists hold: %s",
			control->policy_number, open);
		return -EPERM;
	}
	control->passed = passed_open(control, last_id);
	if (!control->passed)
		return -ENOMEM;
	struct audit_config config = audit_config_of(control);
	error = audit_open(control->loop, dir, &config, control->counters, &control->audit);
	config = messages_config_of(control);
	if (!error)
		error = messages_open(
			control->loop, dir, &config, control->counters, &control->messages);
	if (error) {
		log_error("the audit in %s cannot be opened: %s", dir, strerror(-error));
		return error;
	}
	error = session_table_set_devices(control->table, control->policy, control->lists);
	sessions_loaded(control->sessions, last_id);
	control->accounts = accounts_open(control);
	if (!control->accounts && !error)
		error = -ENOMEM;
	list_change_arm(control);
	block_change_arm(control);
	return error;
}

/* No request is taken, relays are heard to their end, and nobody answers any more: every question
 * ends here, and what is asked from now on ends at once. */
static void end_questions(struct control *control)
{
	control->closing = true;
	if (control->control_socket) {
		control_socket_pause(control->control_socket);
		control_socket_mute(control->control_socket);
	}
	if (control->audit)
		audit_be_patient(control->audit);
	if (control->messages)
		messages_be_patient(control->messages);
	if (control->flow_peers)
		flow_peers_close(control->flow_peers);
	if (control->kernel_path)
		kernel_path_close(control->kernel_path);
	if (control->health)
		health_peer_close(control->health);
	if (control->auth)
		auth_peer_close(control->auth);
	if (control->radius)
		radius_peer_close(control->radius);
	if (control->web)
		web_peer_close(control->web);
	channel_close(control->keeper);
	questions_fini(&control->keeper_asks);
	clock_save(control);
}

/* What is done on one disk may ask for more on another. */
static void settle(struct control *control)
{
	bool any = true;
	while (any) {
		any = control->store && session_store_settle(control->store);
		any |= control->disk && worker_settle(control->disk);
		any |= control->audit && audit_settle(control->audit);
		any |= control->messages && messages_settle(control->messages);
	}
}

/* In phases, since whoever waits is told an end and may then use any part: no more questions, then
 * the disk, and only when nobody is left to call anybody the parts. */
static void close_parts(struct control *control)
{
	end_questions(control);
	settle(control);
	control_socket_free(control->control_socket);
	audit_close(control->audit);
	messages_close(control->messages);
	session_store_close(control->store);
	worker_close(control->disk);
	channel_free(control->keeper);
	web_peer_free(control->web);
	renew_free(control->renew);
	credentials_free(control->credentials);
	flow_peers_free(control->flow_peers);
	wanted_free(control->wanted);
	policy_start_free(control->begin);
	confirm_free(control->confirm);
	apply_free(control->apply);
	turns_free(control->turns);
	bypass_free(control->bypass);
	interfaces_free(control);
	clock_free(control->clock);
	list_change_disarm(control);
	block_change_disarm(control);
	sessions_free(control->sessions);
	source_watch_free(control->source_watch);
	idle_free(control->idle);
	end_passed_free(control->end_passed);
	passed_free(control->passed);
	flow_ids_free(control->flow_ids);
	policy_store_free(control->history);
	entries_free(control->entries);
	bind_client_free(control->bind_client);
	paths_free(control->paths);
	health_peer_free(control->health);
	auth_peer_free(control->auth);
	radius_peer_free(control->radius);
	accounts_free(control->accounts);
	scan_states_free(control->scans);
	drained_free(control->drained);
	flow_events_free(control->flow_events);
	totals_free(control->totals);
	lost_flows_free(control->lost_flows);
	kernel_path_free(control->kernel_path);
	live_flows_free(control->live_flows);
	session_table_free(control->table);
	blocks_free(control->blocks);
	lists_free(control->lists);
	free(control->listening);
	free(control->list_files);
	policy_unref(control->policy);
	loop_free(control->loop);
	free(control);
}

/* Order: the policy and its posture, the other state, privileges, the plan. */
static int start(struct control *control)
{
	const struct process_start *start_with = &control->start;
	if (!credential_read_init())
		log_warning("memory that OpenSSL frees is not wiped: OpenSSL was used before that "
			    "could be set up");
	control->loop = loop_new();
	if (!control->loop || !make_parts(control))
		return -ENOMEM;
	inquiry_next(control);
	control->keeper =
		channel_open(control->loop, start_with->keeper_fd, &keeper_handler, control);
	if (!control->keeper)
		return -ENOMEM;
	questions_init(&control->keeper_asks, control->loop, control->keeper);
	int error = outlook_attach(control);
	if (error) {
		log_error("the limits of messages cannot be seen: %s", strerror(-error));
		return error;
	}
	error = load_policy(control);
	if (!error)
		error = load_state(control);
	if (error)
		return error;
	control->log_level = control->policy->log_level;
	log_set_level(control->log_level);
	control->control_socket = control_socket_open(control, &command_face,
		(const int[]){[CONTROL_SOCKET_CONTROL] = start_with->control_socket,
			[CONTROL_SOCKET_SESSION] = start_with->session_socket,
			[CONTROL_SOCKET_DESK] = start_with->desk_socket});
	if (!control->control_socket)
		return -ENOMEM;
	tzset();
	error = privilege_enter(roles[PROCESS_CONTROL].privileges);
	if (error) {
		log_error("the filter of system calls cannot be set: %s", strerror(-error));
		return error;
	}
	wanted_policy(control->wanted, NULL);
	credentials_follow(control->credentials);
	renew_begin(control->renew);
	web_peer_follow(control->web);
	confirm_resume(control->confirm);
	policy_start_run(control->begin, on_policy_runs);
	return 0;
}

int control_main(const struct process_start *start_with)
{
	struct control *control = calloc(1, sizeof(*control));
	if (!control)
		return 1;
	control->start = *start_with;
	/* signals to the whole group are the keeper's to answer; control ends with its channel */
	signal(SIGTERM, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	int error = start(control);
	if (!error)
		error = loop_run(control->loop);
	int status = error || control->failed;
	close_parts(control);
	return status;
}
