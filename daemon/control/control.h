/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what the parts of the control process share. Each part is its own file's: what only one file
 * needs is not here. main.c starts and ends them. */
#ifndef POSTERN_DAEMON_CONTROL_CONTROL_H
#define POSTERN_DAEMON_CONTROL_CONTROL_H

#include "daemon/base/loop.h"
#include "daemon/control/peers/question.h"
#include "daemon/process/process.h"
#include "lib/base/steady.h"
#include "lib/ipc/kernel.h"
#include "lib/limit/message_limit.h"
#include "lib/metrics/counter.h"
#include "lib/policy/block.h"
#include "lib/policy/lists.h"
#include "lib/policy/policy.h"
#include "lib/policy/session.h"

struct apply;
struct bind_client;
struct paths;
struct turns;
struct confirm;
struct bypass;
struct clock;
struct credentials_part;
struct renew;
struct entries;
struct live_flows;
struct flow_peers;
struct end_passed;
struct idle;
struct passed;
struct worker;
struct drained;
struct flow_events;
struct flow_ids;
struct accounts;
struct auth_peer;
struct scan_states;
struct health_peer;
struct radius_peer;
struct lost_flows;
struct kernel_path;
struct flow_carrier;
struct control_link;
struct listening;
struct web_peer;
struct policy_start;
struct policy_store;
struct control_socket;
struct sessions;
struct source_watch;
struct session_store;
struct totals;
struct wanted;
struct audit;
struct messages;

struct control_list_file; /* trouble/list.c */

/* What the keeper has told since the start. */
struct control_events {
	uint64_t counts[IPC_EVENTS];
	char last[IPC_EVENTS][IPC_TEXT_SIZE];
	uint64_t last_ms[IPC_EVENTS];
};

/* The whole state of the process; each part is opened by its own file. */
struct control {
	struct process_start start;
	struct loop *loop;
	struct steady steady;
	struct clock *clock;
	struct channel *keeper;
	struct questions keeper_asks;

	struct policy *policy; /* the running one */
	uint64_t policy_number;
	uint64_t inquiry; /* that the processes were told last; inquiry.h */
	struct lists *lists;
	struct session_table *table;
	struct blocks *blocks;
	struct message_limit message_limits; /* outlook.h */

	struct worker *disk;
	struct flow_ids *flow_ids;
	struct policy_store *history;
	struct session_store *store;
	struct audit *audit;
	struct messages *messages;
	struct sessions *sessions;
	struct accounts *accounts;
	struct source_watch *source_watch;
	struct end_passed *end_passed;
	struct passed *passed;
	struct idle *idle;
	struct entries *entries;
	struct flow_peers *flow_peers;
	struct wanted *wanted;
	struct health_peer *health;
	struct bind_client *bind_client;
	struct paths *paths;
	struct auth_peer *auth;
	struct radius_peer *radius;
	struct scan_states *scans;
	struct web_peer *web;
	struct credentials_part *credentials;
	struct renew *renew;
	struct live_flows *live_flows;
	struct flow_events *flow_events;
	struct totals *totals;
	struct lost_flows *lost_flows;
	struct kernel_path *kernel_path;
	struct flow_carrier *flow_carrier; /* the same, for who ends and shows flows */
	struct turns *turns;
	struct apply *apply;
	struct confirm *confirm;
	struct policy_start *begin;
	struct bypass *bypass;
	struct drained *drained;
	struct control_socket *control_socket;

	struct control_link *links;
	size_t nlinks, links_room;
	bool links_done;
	struct control_events events;
	uint64_t counters[COUNTERS]; /* control's own */
	struct listening *listening;
	struct ipc_kernel_counters kernel;   /* as last told */
	uint64_t audit_bytes, message_bytes; /* that the records take on the disk, as last seen */
	size_t request_bytes;                /* held for requests, see intake.h */
	enum policy_log_level log_level;
	uint64_t started_ms;                 /* steady */
	bool ready;                          /* the keeper has plan and READY */
	bool file_bad;                       /* changed, and not to be applied */
	uint64_t judged_hash, judged_number; /* what policy_file_differs() last judged */
	bool judged_same;
	struct control_list_file *list_files; /* what `status` last found of each */
	size_t nlist_files;
	char file_refused[512]; /* why a good file was not applied; "": it was, or is to be */
	char policy_fault[512]; /* what is wrong now with the policy that runs; "": nothing */
	char plan_trouble[384]; /* which policy the kernel refused at the start, and why */
	uint64_t posture_hash;  /* of what the file for the next start says; 0: not known */
	uint64_t filed_number;  /* the policy of which `filed` tells */
	bool filed;             /* it is what the file said when it was applied or saved */
	bool stopping, failed;
	bool closing;      /* the loop has ended: nothing is waited for but the disk */
	bool handing_over; /* another control comes; relays go on with their flows */
	bool keeper_gone;
	uint32_t hand_over_seq;        /* answered when all requests have their answers */
	uint64_t hand_over_ms;         /* when it was asked for */
	struct loop_timer leave;       /* looks whether the hand-over may go on */
	struct loop_timer list_timer;  /* the next entry of a dynamic list to end */
	struct loop_timer block_timer; /* the next block to end */
};

#endif
