/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the upgrade in place: the keeper becomes the program that lies under its name now, with the
 * same process id, and no flow is lost and no connection refused.
 *
 * Theory of operation. SIGUSR2 to the keeper (`posternd --upgrade`) begins it:
 *
 *   trial     The file under the name that this keeper was started by is opened, and from here on
 *             that descriptor is meant. It is executed with -t, without any capability, and reads
 *             the policy and the state below. If it ends with another status than 0 (or
 *             KEEPER_UPGRADE_FOREIGN), does not end in time or cannot be executed, that is logged
 *             with its words, and this keeper goes on as if nothing had been.
 *   hand over Control takes no new request and answers those that it has (HAND_OVER, answered with
 *             the drain time); until then it decides and changes as ever. Then the packet queue is
 *             no longer read: first packets of unknown clients wait in the kernel, as many as the
 *             queue holds, and for PAUSE_MS at most. Control's word on what was read already is
 *             waited for, so that no packet is left in the kernel whose number nobody knows any
 *             more. Known clients are the kernel's, and notice nothing. The relays
 *             hear of it, too: they say what they have to say, close their channel to control, and
 *             keep records for the next one. They go on with all flows and accept new ones. When
 *             control has heard all of them to the end, it writes what it holds and ends.
 *   execute   The state goes into a memfd, the descriptors named there lose close-on-exec, the
 *             capabilities become ambient, and execve() is called. If it fails, all of it is taken
 *             back and control is started again: the old one goes on.
 *   resume    The new program is the parent of the same children. It owns the same table (flags
 *             owner and persist belong to the netlink socket, which stays open: the table is never
 *             without its owner), the queue with what waits in it, the listening sockets with their
 *             backlogs, the control sockets, the lock, the memory of limits, the service manager's
 *             socket, and the plan in force, so that healing and the posture at a stop are as
 *             before. It starts a new control and makes it known to the old relays and to health,
 *             which tells it what it knows of the servers.
 *   ready     When control is READY the queue is read again and new relays are started at the same
 *             listening sockets. Old and new both accept; that does no harm. When every new one has
 *             answered a heartbeat, the old ones are told to drain for the policy's `drain`, and
 *             health is started anew. The old relays keep their channels: their records, the flows
 *             in `flow show`, `flow kill`, logouts and limits hold for them as for others.
 *
 * Relays of all versions that run have numbers of their own, since control and the memory of limits
 * know them by number. There are numbers for four generations. An upgrade that comes while three
 * still drain, or while another one is under way, waits for its turn; several that wait are one.
 *
 * What two versions say may differ (ipc_protocol()). The trial finds that out. Then the
 * old relays are told to drain before the exec, in their own language, and a moment is left for
 * short flows to end and be recorded; nothing is said to them afterwards. New connections wait in
 * the backlog until the new relays are up. The old flows go on and count in limits, but `flow show`
 * and `flow kill` do not know them, their records are lost, and a logout does not end them; the log
 * says so. Limits whose memory has another layout begin anew. Health begins anew, too: a host by
 * name is known again when it is resolved.
 *
 * State of another format is refused by the trial, and so is a downgrade to a program that has no
 * --resume: then a restart is needed. A keeper that after its exec cannot go on all the same ends
 * with status 1. Its children die with it, the table persists and applies the posture, and the
 * service manager starts a keeper that begins from nothing: what happens at any crash of a keeper.
 * If the new control or the new relays cannot start, the keeper stays and tries again, and the old
 * relays go on with the picture that they have. After 10 s another upgrade may put it right, with
 * the same flows still under way; a control that is not ready is then not asked.
 *
 * SIGTERM during a trial ends the trial; later it waits for the exec and is the new program's.
 * While relays drain it is as ever: all relays drain, none for longer than it had already. */
#ifndef POSTERN_DAEMON_KEEPER_UPGRADE_UPGRADE_H
#define POSTERN_DAEMON_KEEPER_UPGRADE_UPGRADE_H

#include "daemon/base/loop.h"
#include "lib/ipc/handover.h"

#include <stdbool.h>
#include <sys/types.h>

struct keeper;
struct process_options;

/* Exit status of a trial: the state can be taken over, the relays' language is another. */
#define KEEPER_UPGRADE_FOREIGN 3

enum keeper_upgrade_stage {
	KEEPER_UPGRADE_NONE,
	KEEPER_UPGRADE_TRIAL,    /* waits for the trial's end */
	KEEPER_UPGRADE_ASKED,    /* waits for control's word that requests are answered */
	KEEPER_UPGRADE_FLOWS,    /* of another language: short flows end, and are heard of */
	KEEPER_UPGRADE_HELD,     /* waits for control's word on held packets */
	KEEPER_UPGRADE_CONTROL,  /* waits for control's end */
	KEEPER_UPGRADE_RESUMING, /* the new program: until the new relays accept */
};

struct keeper_upgrade {
	enum keeper_upgrade_stage stage;
	bool wanted;                      /* asked for, and not begun */
	bool wait_said;                   /* why it waits was said */
	uint32_t asked;                   /* how often, over all execs */
	pid_t trial;                      /* 0: none */
	int program;                      /* the new file; -1 */
	int said;                         /* memory with the trial's words; -1 */
	bool foreign;                     /* it speaks another language to relays */
	bool term;                        /* SIGTERM came; it is the next program's */
	bool undrained;                   /* the relays of before accept: no new ones are up yet */
	uint64_t wanted_ms;               /* since when */
	struct loop_timer end;            /* the stage waits no longer */
	char from[HANDOVER_VERSION_SIZE]; /* resuming: the version before */
	uint64_t paused_ms;               /* monotonic: since when the packet queue is not read */
	uint64_t waited_ms;               /* resuming: how long it was not */
	/* Resuming: what came with the exec, until it found its place. */
	struct handover state;
};

/* upgrade.c: before the exec. */
void keeper_upgrade_init(struct keeper *keeper);
/* SIGUSR2. */
void keeper_upgrade_ask(struct keeper *keeper);
/* Once a second: what waits may begin; relays that have not drained in time are killed. */
void keeper_upgrade_tick(struct keeper *keeper);
/* Was it the trial that ended? */
bool keeper_upgrade_on_trial_end(struct keeper *keeper, pid_t pid, int status);
/* Control has answered. False: it was not asked for an upgrade. */
bool keeper_upgrade_on_drain_time(struct keeper *keeper, uint32_t seconds);
/* No held packet waits any more. */
void keeper_upgrade_on_none_held(struct keeper *keeper);
/* Control has ended. False: that was not for an upgrade. Does not return when the exec is done. */
bool keeper_upgrade_on_control_end(struct keeper *keeper);
/* True: SIGTERM has to wait for the exec. A trial is given up. */
bool keeper_upgrade_on_stop(struct keeper *keeper);
/* Tells `posternd --upgrade` through the lock file: verdict is done, refused or waits. */
void keeper_upgrade_tell(struct keeper *keeper, const char *verdict, const char *text);

/* trial.c */
/* Executes the program file with -t. 0 or -errno; what it is then stands in keeper->upgrade. */
int keeper_trial_start(struct keeper *keeper);
/* The trial's first lines go to the log; the first of them is in text, too, if that is empty. */
void keeper_trial_log_said(int fd, char *text, size_t size);

/* handover.c */
/* The plan in force in memory: its descriptor, or -1. */
int keeper_handover_plan(const struct keeper *keeper);
/* plan: its memory, or -1. */
void keeper_handover_fill(struct keeper *keeper, int plan, struct handover *state);
/* A descriptor of the state as text, or -errno. */
int keeper_handover_write(const struct handover *state);
void keeper_handover_close_on_exec(const struct handover *state, bool on);

/* The new program: from its begin until its relays accept. */
void keeper_upgrade_begin_resuming(struct keeper *keeper);
void keeper_upgrade_end_resuming(struct keeper *keeper);

/* resume.c: after the exec. */
/* Reads the state and takes its descriptors over, in the place of keeper_prepare(). */
int keeper_resume_read(struct keeper *keeper);
/* Numbers and listeners of the new processes; then the children that live on. */
void keeper_resume_places(struct keeper *keeper);
void keeper_resume_children(struct keeper *keeper);
/* The first READY of the new control. */
void keeper_resume_on_ready(struct keeper *keeper);
/* A child has answered a heartbeat: are all new relays up? */
void keeper_resume_on_answer(struct keeper *keeper);
/* -t --resume: could this program take the state over? Exit status, see above; says why not. */
int keeper_resume_try(const struct process_options *options);

#endif
