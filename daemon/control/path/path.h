/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what the files of the kernel path share. */
#ifndef POSTERN_DAEMON_CONTROL_PATH_PATH_H
#define POSTERN_DAEMON_CONTROL_PATH_PATH_H

#include "daemon/control/control.h"
#include "daemon/control/path/kernel_flows.h"
#include "daemon/control/peers/flow_carrier.h"

/* More than come while the keeper cuts some. */
#define PATH_UNFOLLOWED_MAX 4096

/* What becomes of its flows elsewhere. */
struct kernel_path_face {
	/* A flow of the session began, or was met. ifname: "" where it is not known. */
	void (*on_opened)(struct control *control, uint64_t session, const char *ifname);
	void (*on_closed)(struct control *control, uint64_t session);
};

/* Who waits for the next look at all flows. done is called once. */
struct whole_wait {
	struct whole_wait *next;
	void (*done)(struct whole_wait *wait);
};

/* Flows that the kernel has and the log did not tell of. */
struct path_strangers {
	struct conntrack_one *v;
	size_t n, room, at;
	bool asking, answered; /* the question at hand: it is being sent; it is answered */
};

struct kernel_path {
	struct flow_carrier carrier; /* first */
	const struct kernel_path_face *face;
	struct control *control;
	struct kernel_flows *flows;
	bool closed;
	uint64_t next_id, last_id; /* numbers of flows to use */

	struct loop_watch log; /* fd -1: none */
	int log_fd;            /* that is read when all is known that it is read by; -1: none */

	/* asking.c */
	struct question ask;
	struct loop_timer look;         /* the next flow that the kernel is to be asked of */
	bool cutting;                   /* what is asked cuts */
	uint64_t asked[IPC_TUPLES_MAX]; /* ids; 0: answered */
	uint32_t nasked;
	struct ipc_tuple unfollowed[PATH_UNFOLLOWED_MAX]; /* to be cut, without a flow here */
	size_t nunfollowed;

	/* whole.c */
	struct question ask_whole;
	struct loop_timer whole;      /* the next look at all */
	struct loop_timer settle;     /* strangers of the last one are looked at */
	uint64_t dump, dumped_ms;     /* number of the last one, and when it began: monotonic */
	uint64_t dump_wall_ms;        /* and by the wall clock */
	bool dumping, again;          /* one is under way; another is wanted behind it */
	struct whole_wait *waits;     /* for the next one */
	struct whole_wait *waits_now; /* for the one under way */
	struct path_strangers strangers;
	/* Those that the log told of since the look began, however short they were: no strangers.
	 */
	struct ipc_tuple *begun;
	size_t nbegun, begun_room, nsorted; /* the first of them are in order */
};

#endif
