/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the keeper process: the state that its parts share, and what they offer each other. */
#ifndef POSTERN_DAEMON_KEEPER_KEEPER_H
#define POSTERN_DAEMON_KEEPER_KEEPER_H

#include "daemon/base/channel.h"
#include "daemon/base/loop.h"
#include "daemon/keeper/held_packets.h"
#include "daemon/keeper/upgrade/upgrade.h"
#include "daemon/process/process.h"
#include "kernel-rules/bridge_port.h"
#include "kernel-rules/links.h"
#include "kernel-rules/nftables/clients.h"
#include "kernel-rules/nftables/table.h"
#include "kernel-rules/nftables/watch.h"
#include "kernel-rules/plan.h"
#include "kernel-rules/queue.h"
#include "kernel-rules/routes.h"
#include "lib/ipc/flow.h"
#include "lib/ipc/kernel.h"
#include "lib/limit/limit.h"

#include <sys/types.h>

struct keeper;

#define KEEPER_CHILDREN_MAX (PROCESS_ROLES * PROCESS_RELAYS_MAX)

/* A process that the keeper keeps running. */
struct keeper_child {
	struct keeper *keeper;
	enum process_role role;
	unsigned place;  /* among those of its role and version, from 0 */
	unsigned number; /* no other's of its role that runs; where it has flows, no other's at all:
			    its column in the limits */
	uint32_t generation;
	pid_t pid;               /* 0: not running */
	struct channel *channel; /* NULL: gone */
	uint64_t started_ms;
	unsigned missed;   /* heartbeats without an answer */
	bool answered;     /* since it was started */
	unsigned failures; /* short lives in a row */
	unsigned silent;   /* lives in a row without an answer */
	bool told_to_end;  /* it needs no killing when its channel closes */
	struct loop_timer restart;
	int listeners[2][PROCESS_LISTENERS]; /* IPv4, IPv6; -1: closed */
	/* From before an upgrade: it drains and is not started again. */
	bool old;
	uint64_t until_ms; /* old: when it is to have drained; 0: it was not told to yet */
	int mute;          /* old, of another language: its channel, on which nothing is said; -1 */
	char version[HANDOVER_VERSION_SIZE]; /* old */
};

/* Where the keeper is in its life. Only keeper.c writes it. */
enum keeper_phase {
	KEEPER_STARTING, /* until control is READY for the first time */
	KEEPER_RUNNING,
	KEEPER_STOPPING, /* control was asked for the drain time */
	KEEPER_DRAINING, /* relays end their flows */
	KEEPER_ENDING,   /* the plan for the stop is in the kernel; control ends */
};

/* Interfaces whose clients the kernel is to forget. */
struct keeper_forget {
	char (*v)[POLICY_IFNAME_SIZE];
	size_t n, room;
	struct loop_timer timer;
	uint64_t done_ms;
};

/* Where a listener of the policy takes connections: a socket for each process that serves it. Or
 * where a radius takes packets, or a portal connections: the one socket of the one process. */
struct keeper_endpoint {
	char listener[POLICY_NAME_SIZE];
	enum policy_taker taker;
	struct endpoint at;
	bool planned;                /* of the plan in force; else it goes with the next SETTLED */
	bool fresh;                  /* opened for the plan at hand, which is not in force yet */
	int error;                   /* 0: it listens; -errno: it does not, and is tried again */
	char why[IPC_TEXT_SIZE];     /* with an error */
	int fds[PROCESS_RELAYS_MAX]; /* by the place of the process; -1: closed */
};
/* Those of the plan before stand beside those of the next one. */
#define KEEPER_ENDPOINTS_MAX (2 * PLAN_ENDPOINTS_MAX)

/* What low files call back, made by main.c. */
struct keeper_face {
	/* A child says something. Takes fd over. */
	void (*on_ipc)(struct keeper_child *from, const struct ipc_header *ipc, int fd);
	/* Control has everything in force. */
	void (*on_ready)(struct keeper *keeper);
	/* Control has said how long flows may go on. */
	void (*on_drain_time)(struct keeper *keeper, uint32_t seconds);
	/* No packet waits for control's word any more. */
	void (*on_none_held)(struct keeper *keeper);
};

struct keeper {
	const struct keeper_face *face;
	struct process_options options;
	struct loop *loop;
	enum keeper_phase phase;
	int exit_status;

	/* made while still root (prepare.c) */
	uid_t uid;
	gid_t gid;
	int program;                      /* this keeper's file, whatever its name means now */
	char path[HANDOVER_PROGRAM_SIZE]; /* that name */
	int lock, control_socket, session_socket, desk_socket, limit_fd, message_limit_fd;
	int queue_stats; /* /proc/net/netfilter/nfnetlink_queue, which only root may open; or -1 */
	struct limit limit;
	int parent; /* the starter waits here for a word; -1: none */

	struct keeper_child control;
	struct keeper_child children[KEEPER_CHILDREN_MAX]; /* all but control */
	size_t nchildren;
	struct keeper_child old[PROCESS_NUMBERS_MAX]; /* pid 0: free */
	unsigned wanted; /* of those that need not run: 1 << role each, as control says */
	bool control_ready;
	uint32_t stop_seq, drain_s;
	unsigned term_signals;
	struct loop_watch signals;
	struct loop_timer tick;      /* heartbeats, once a second */
	struct loop_timer phase_end; /* the phase waits no longer */
	uint64_t drain_end_ms;       /* DRAINING: when flows end by themselves */
	struct keeper_upgrade upgrade;

	/* the kernel (kernel.c) */
	struct table *table;
	struct routes *routes;
	struct links *links;
	struct bridge_ports *bridge_ports; /* NULL: they cannot be followed */
	struct watch *watch;
	struct loop_watch routes_watch, links_watch, bridge_ports_watch, table_watch;
	struct plan plan; /* in force, when has_plan */
	bool has_plan;
	size_t hosts_now;             /* of the plan's hosts; the others are of plans before */
	bool heal_table, heal_routes; /* at the next heal */
	struct loop_timer heal;
	uint64_t healed_ms;
	struct loop_timer follow; /* others' ip rules changed: ours are to stand in front */
	uint64_t followed_ms;
	uint64_t alive_ms; /* when entries to pass were last trusted for a while */
	unsigned heals;    /* in the second that began at healed_ms */
	struct keeper_forget forget;

	/* the policy's listeners (endpoint.c) */
	struct keeper_endpoint endpoints[KEEPER_ENDPOINTS_MAX];
	size_t nendpoints;

	/* admission (admit.c) */
	struct queue *queue;
	struct loop_watch queue_watch;
	bool queue_read;                  /* else packets wait in the kernel */
	struct loop_timer queue_read_end; /* they do not wait longer */
	struct held_packets held;         /* what was read and waits for control's word */
	struct loop_timer held_end;
	uint64_t crowd_ms;   /* when many last waited */
	uint64_t awaited_ms; /* until then first packets are dropped for control's sake */
	uint64_t overruns;
	struct histogram admission;

	/* flows that the kernel carries alone (flow_log.c) */
	int flow_log;       /* what it logs of them; -1: none can be had */
	int flow_log_error; /* why, as was said */

	uint32_t events[IPC_EVENTS]; /* not yet told to control */
	char event_text[IPC_EVENTS][IPC_TEXT_SIZE];
};

/* bypass.c */
/* Bypass in the kernel, with no daemon running. Returns the exit status. */
int keeper_bypass_main(const char *state_dir, bool on, const char *zone, uint32_t seconds);
/* event.c */
/* Counts an event; control is told at once, or once a second where a flood is possible. */
void keeper_event(struct keeper *keeper, enum ipc_event_kind kind, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Once a second: what was not told yet. */
void keeper_tell_events(struct keeper *keeper);

/* prepare.c: everything that needs root. 0, or -errno after saying why. */
int keeper_prepare(struct keeper *keeper);
/* Makes desk.sock. 0 or -errno, said. */
int keeper_prepare_desk(struct keeper *keeper);
/* So many columns has memory of the limits that is made now: for several generations. */
unsigned keeper_limit_columns(const struct keeper *keeper);
/* Makes the memory of the limits anew. */
int keeper_prepare_limit(struct keeper *keeper);
int keeper_prepare_message_limit(struct keeper *keeper);

/* children.c */
const char *keeper_child_name(const struct keeper_child *child, char buf[static 16]);
bool keeper_child_has_flows(const struct keeper_child *child);
/* So long it may be over its time to drain. */
uint64_t keeper_child_slack_ms(const struct keeper_child *child);
bool keeper_child_is_wanted(const struct keeper_child *child);
/* Sends, and kills a child that cannot be reached. */
void keeper_child_send(struct keeper_child *child, const void *ipc, int fd);
/* About the interfaces, for all that are told of them. */
void keeper_child_send_links(struct keeper *keeper, const void *ipc);
/* All but control one after the other, those from before an upgrade included: start with *at 0. */
struct keeper_child *keeper_child_next(struct keeper *keeper, unsigned *at);
/* Of these the ones that may have flows. */
struct keeper_child *keeper_child_next_flows(struct keeper *keeper, unsigned *at);
void keeper_child_kill(struct keeper_child *child);

/* child.c */
void keeper_child_init(
	struct keeper *keeper, struct keeper_child *child, enum process_role role, unsigned number);
/* Control and all that the table names, none started. is_taken: numbers of those with flows that
 * run already. */
void keeper_child_init_all(struct keeper *keeper, bool (*is_taken)(struct keeper *, unsigned));
void keeper_child_start(struct keeper_child *child);
/* Those of this version that are wanted and were never started, control aside. */
void keeper_child_start_all(struct keeper *keeper);
/* Control has said which of those that need not run are wanted: 1 << role each. */
void keeper_child_want(struct keeper *keeper, unsigned wanted);
/* Pings, and kills whoever has not answered for too long. */
void keeper_child_beat(struct keeper_child *child);
/* The child with this pid has ended: clears it up. NULL: no child of ours. */
struct keeper_child *keeper_child_reap(struct keeper *keeper, pid_t pid);
/* Takes over a process of the keeper before. fd is its channel, taken over when it returns 0. */
int keeper_child_adopt(struct keeper_child *child, pid_t pid, uint32_t generation, int fd);
/* Starts it again, soon: the more often it failed, the later. */
void keeper_child_again(struct keeper_child *child);
/* Opens what is closed. 0, or the first -errno, said. */
int keeper_child_open_listeners(struct keeper_child *child);
/* From then on nobody accepts: TPROXY fails, and the zones' posture holds. */
void keeper_child_close_listeners(struct keeper_child *child);

/* execute.c: in the new process, whose parent this keeper is; with these descriptors (-1:
 * none). Never returns. */
void keeper_execute(const struct keeper_child *child, const int fds[PROCESS_FD_END], pid_t keeper);

/* introduce.c */
/* Two ends, or -errno. */
int keeper_introduce_open_pair(int pair[2]);
/* Gives control one end of a new pair and returns the child's end, or -errno. */
int keeper_introduce(struct keeper_child *child);
/* A new control meets those that run on. */
void keeper_introduce_all(struct keeper *keeper);
/* A process that was started meets those of its version that it has to do with. */
void keeper_introduce_pairs(struct keeper_child *child);
/* Control hears that it has ended. */
void keeper_introduce_gone(struct keeper_child *child);

/* listener.c. 0 or -errno. */
/* Is the port nobody else's? The relays of a keeper that was killed are given a moment to die. */
int keeper_listener_probe(uint16_t port);
int keeper_listener_open(uint16_t port, bool ip6, int *fd);

/* endpoint.c: where the policy's listeners take connections. */
/* Opens what the plan has and is not open. lenient: what cannot be had is tried again later; else
 * -errno, text (IPC_TEXT_SIZE) says why, and nothing was opened. What was opened is kept or given
 * up by the next call. */
int keeper_endpoint_prepare(
	struct keeper *keeper, const struct plan *plan, bool lenient, char *text);
/* The plan is in force: what was opened is handed to those who serve it, and control hears how all
 * of it is. */
void keeper_endpoint_keep(struct keeper *keeper, const struct plan *plan);
/* It is not to be: what was opened for it is closed. */
void keeper_endpoint_give_up(struct keeper *keeper);
/* The plan's policy is in force everywhere: what is not of it is closed, when those who serve it
 * have taken what waits there. */
void keeper_endpoint_settle(struct keeper *keeper);
/* Once a second: what could not be had is tried again. */
void keeper_endpoint_tick(struct keeper *keeper);
/* All sockets of its place go to a process that was just started; what is closed is opened. */
void keeper_endpoint_start(struct keeper_child *child);
/* It cannot be started: the others of its role take its share. */
void keeper_endpoint_close_place(struct keeper_child *child);
/* Postern is stopping: those who serve them close them at their end. */
void keeper_endpoint_close_all(struct keeper *keeper);
/* From a version before: others accept there from now on. */
void keeper_endpoint_leave(struct keeper_child *child);
/* A socket that came over an exec, of the next place that has none there. -EBADMSG: there is none.
 */
int keeper_endpoint_adopt(struct keeper *keeper, const char *at, enum policy_taker taker, int fd);

/* port_owner.c: who listens there, in words, as far as the kernel tells; "another program" else.
 * Returns text, which has IPC_TEXT_SIZE. */
const char *keeper_taken_by(const struct endpoint *at, bool datagrams, char *text);

/* socket.c: answers a relay or health with as many sockets as it asked for, or why
 * not. */
void keeper_socket_on_get(struct keeper_child *child, const struct ipc_sockets_get *request);

/* kernel.c */
/* fd: the socket of the keeper before, which owns the table, or -1. */
int keeper_kernel_open(struct keeper *keeper, int fd);
/* Tells one child all interfaces. */
void keeper_kernel_send_links(struct keeper *keeper, struct keeper_child *child);
/* Once a second. */
void keeper_kernel_tick(struct keeper *keeper);
/* Table and routes together: both, or as before. Takes over what plan owns when it returns 0. */
int keeper_kernel_apply(struct keeper *keeper, struct plan *plan);
/* Paths of the plan in force lead elsewhere from now on; also when it is put back. 0;
 * -ENOENT: it has no such path; other -errno. */
int keeper_kernel_lead_paths(struct keeper *keeper, const struct ipc_paths *paths);
/* What a stopped Postern leaves behind: the posture of the plan in force. */
int keeper_kernel_leave(struct keeper *keeper);

/* posture.c */
/* The first act of a start: where no table of ours is in the kernel, the posture of the policy that
 * ran last, or else of the file, is put there, whatever becomes of the start. Nothing when another
 * posternd runs. */
void keeper_posture_first(const struct process_options *options);
/* The same from control's plan, before it has done anything else. -EEXIST: a plan is in force, or
 * a table stands already. */
int keeper_posture_take(struct keeper *keeper, struct plan *plan);

/* forget.c */
void keeper_forget_init(struct keeper *keeper);
/* Soon no entry names the interface. */
void keeper_forget_interface(struct keeper *keeper, const char *name);
/* An interface of this name came: entries of an earlier one go now. */
void keeper_forget_now(struct keeper *keeper, const char *name);

/* admit.c */
/* fd: the socket of the keeper before, or -1. */
int keeper_admit_open(struct keeper *keeper, int fd);
/* While control is changed for another, packets wait in the kernel: bounded by the queue's length,
 * and by time. Then they go the usual way. */
void keeper_admit_pause(struct keeper *keeper);
void keeper_admit_resume(struct keeper *keeper);
void keeper_admit_on_verdict(struct keeper *keeper, const struct ipc_verdict *verdict);
/* Nobody will decide them any more: every held packet is dropped, and its client sends it again. */
void keeper_admit_drop(struct keeper *keeper);
/* Control has ended, or nobody is at the other end of its channel. What it was asked is dropped,
 * and for a short time what comes, if it is started anew: clients send again, and meet the next
 * control; or the posture, when there is none by then. */
void keeper_admit_on_control_end(struct keeper *keeper);
/* What the kernel says of the queue. `strange`: packets that wait there and are not held here.
 * false: it does not say, or the queue is not being read now. */
struct keeper_queue {
	unsigned number, port, waiting, dropped, user_dropped, strange;
	uint32_t last_id;
};
bool keeper_admit_look(struct keeper *keeper, struct keeper_queue *queue);
/* Once a second: no packet is left in the queue that is nobody's. */
void keeper_admit_tick(struct keeper *keeper);
struct client_change keeper_admit_change(const struct ipc_entry *entry);

/* flow_log.c */
/* fd: the socket of the keeper before, or -1. Without one path kernel has no records. */
void keeper_flow_log_open(struct keeper *keeper, int fd);
/* A new control gets it. */
void keeper_flow_log_tell(struct keeper *keeper);
/* Once a second: one that could not be had is tried again. */
void keeper_flow_log_tick(struct keeper *keeper);
/* Tells control in rows what the kernel has of the flows that it asked of, and cuts them if it said
 * so. 0 or -errno. */
int keeper_flow_log_answer(struct keeper *keeper, const struct ipc_header *ipc);

/* request.c: what the processes ask. One that asks what it may not is killed. Takes
 * fd over. */
void keeper_request_on_ipc(struct keeper_child *from, const struct ipc_header *ipc, int fd);
bool keeper_request_may(enum process_role role, unsigned type);

/* foreign.c: other programs' chains, rules and sets, one message of the kernel after the
 * other. Bounded. */
void keeper_foreign_copy(void (*tell)(void *context, const void *bytes, size_t len), void *context);

/* facts.c: what doctor needs privilege for, one "key value" text after the other. */
void keeper_facts_tell(
	struct keeper *keeper, void (*tell)(void *context, const char *text), void *context);
/* Of these the lines "arrived", which cost little. */
void keeper_facts_tell_arrived(
	struct keeper *keeper, void (*tell)(void *context, const char *text), void *context);

#endif
