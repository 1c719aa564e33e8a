/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns our nftables table: its socket, its making, replacing, adopting and taking away. */
#ifndef POSTERN_KERNEL_RULES_NFTABLES_TABLE_H
#define POSTERN_KERNEL_RULES_NFTABLES_TABLE_H

#include "kernel-rules/nftables/table_name.h"
#include "kernel-rules/plan.h"

/* One nftables netlink socket does all the writing: where the kernel has owned tables (6.9), the
 * table is this socket's, and no other program can touch it. Calls send one batch, read the
 * answers that are then already there, and return: none waits. */
struct table;

/* 0 or -errno. Changes nothing in the kernel. */
int table_open(struct table **table);
/* The same with the socket of an earlier program of this process, which owns the table still, and
 * with its table_lacks(). Takes fd over when it returns 0. */
int table_adopt(struct table **table, int fd, uint32_t lacks);
/* The same with a copy of the socket of the process that owns the table and does not do its work:
 * for a change or two, since it still reads there, too. -ESRCH: nobody owns it, or none that is
 * seen from here; -EPERM; other -errno. */
int table_borrow(struct table **table);
int table_fd(const struct table *table);
/* What this kernel was found not to have, as bits. Who knows it need not find out by a batch that
 * fails, which costs 10 ms. */
#define TABLE_LACKS 7
uint32_t table_lacks(const struct table *table);
/* Leaves the table in the kernel as it is. NULL is allowed. */
void table_close(struct table *table);
/* The netlink port of the socket, by which the watch knows our own changes. */
uint32_t table_port(const struct table *table);

/* Makes the kernel hold what the plan says, in one batch: makes the table, or adopts what a dead
 * keeper left, or replaces chains and static sets by name and keeps client entries, counters and
 * running bypasses. Also the healing after a foreign change. A failing batch changes nothing.
 * A bare plan without a closed zone removes the table, unless local users are to be kept off a
 * server.
 * 0; -EBUSY: the table is a living other process's; -EMSGSIZE: plan too big; other -errno. */
int table_apply(struct table *table, const struct plan *plan);
/* Leads new connections where the plan's paths lead now, in one batch: what plan_lead_path()
 * changed since the plan was applied; nothing else of it may be another. Connections that there are
 * go on where they go. 0; -ENOENT: no running table with these paths, or another program took
 * something out of it (apply the plan); other -errno, and nothing was changed. */
int table_change_paths(struct table *table, const struct plan *plan);
/* For so long entries with the verdicts pass and kernel count; behind it their clients are unknown
 * ones. An apply keeps what is left of the time. 0, -ENOENT (no running table) or -errno. */
int table_keep_alive(struct table *table, uint64_t ms);
/* 1: there is a table of ours, whoever made it; 0: none; -errno. */
int table_exists(struct table *table);
/* Takes the table out of the kernel. 0 also when there is none. */
int table_remove(struct table *table);

enum table_queue table_queue(const struct table *table);
/* Is the table safe from other programs (flags owner and persist)? */
bool table_is_owned(const struct table *table);

/* Lets everything of a zone (NULL: of all zones, those that later come included) pass for so many
 * seconds (0: until it is turned off). Works without a plan: on what a dead or stopped keeper left,
 * too. It ends by itself in the kernel. Switching all on or off takes the single ones in.
 * 0, also when there is no table; -ENOENT: no such zone; -ENOTEMPTY: not for this zone alone, since
 * bypass is on for all; -ESTALE: the table is another version's; other -errno. */
int table_bypass_on(struct table *table, const char *zone, uint32_t seconds);
int table_bypass_off(struct table *table, const char *zone);
/* Seconds left for this zone by itself (NULL: for all); 0: off; UINT32_MAX: no end. -errno below
 * 0. */
int64_t table_bypass_left(struct table *table, const char *zone);

/* Packets counted since the table was made, or its counters were zeroed. */
struct table_counters {
	uint64_t arrived;        /* first packets of new connections from zones */
	uint64_t steered;        /* of these, by their decision, on to the relays */
	uint64_t queued;         /* first packets that went to the queue */
	uint64_t limited;        /* over the rate limit in front of the queue */
	uint64_t posture_reset;  /* undecided, or without a listener, in a closed zone */
	uint64_t posture_passed; /* the same in an open zone */
	uint64_t bypassed;
	uint64_t stray_reset; /* mid-stream packets of no known connection */
	uint64_t refused;     /* reset by verdict */
	uint64_t dropped;     /* dropped by verdict */
	uint64_t killed;      /* reset after a logout */
	uint64_t shielded;    /* packets for the relay's port that we did not steer there: reset */
	uint64_t bound;       /* answers of servers to flows with their client's own address */
	uint64_t unclaimed;   /* such answers to no flow: dropped */
	uint64_t path_begun;  /* of those that arrived, by their decision, on a path */
	uint64_t path_lost;   /* reset, since their path led nowhere */
	uint64_t login_refused; /* local users' packets to servers that take a login at our word */
};
/* 0, -ENOENT (no table) or -errno. */
int table_counters(struct table *table, struct table_counters *counters);
/* Lets all counters begin anew, so that they can stand beside what processes counted since they
 * were started. 0, also without a table, or -errno. */
int table_zero_counters(struct table *table);
/* First packets that arrived, by zone, in one reading for all. 0, -ENOENT or -errno. */
int table_each_arrived(struct table *table,
	void (*visit)(void *context, const char *zone, uint64_t packets), void *context);

#endif
