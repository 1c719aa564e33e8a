/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what a process is given at its start, and the privileges it keeps. */
#ifndef POSTERN_DAEMON_PROCESS_PROCESS_H
#define POSTERN_DAEMON_PROCESS_PROCESS_H

#include "daemon/process/roles.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROCESS_RELAYS_MAX 16
/* After an upgrade in place the processes with flows of before drain beside the new ones: their
 * numbers are apart among all that run. */
#define PROCESS_NUMBERS_MAX 128

/* So many listening sockets of a family have all relays together, or more: each has a backlog of
 * its own, as long as the kernel allows, and what half-open connections may come fits into all. */
#define PROCESS_LISTENERS 12

/* How many of these are one relay's. */
static inline unsigned process_listeners(unsigned relays)
{
	return (PROCESS_LISTENERS + relays - 1) / relays;
}

/* Numbers that the operator may change on the command line of posternd (all have defaults). */
struct process_options {
	const char *config;     /* -f, /etc/postern/postern.conf */
	const char *state_dir;  /* --state, /var/lib/postern */
	const char *run_dir;    /* --run, /run/postern */
	const char *user;       /* --user, postern */
	bool foreground;        /* -d */
	unsigned relays;        /* --relays, number of cores, at most PROCESS_RELAYS_MAX */
	uint32_t mark_mask;     /* --mark-mask, 0xf0000000: one nibble anywhere */
	uint32_t server_mask;   /* --server-mask, 0x0fff0000: without a gap, none of mark_mask's */
	uint32_t route_table;   /* --table, 4025 */
	uint32_t rule_priority; /* --rule-priority; 0: in front of other programs' ip rules */
	uint16_t relay_port;    /* --port, 4025 */
	uint16_t queue;         /* --queue, 4025 */
	int resume; /* --resume: the keeper before hands its place over by this descriptor; -1 */
};

/* A child is the same program, executed anew: its memory holds nothing of the keeper. */
struct process_start {
	struct process_options options;
	int keeper_fd;     /* channel to the keeper */
	int control_fd;    /* channel to control, or -1 */
	size_t nlisteners; /* bound, transparent, listening */
	int listeners[2 * PROCESS_LISTENERS];
	int limit_fd;         /* memfd of the shared limits (limit.h), or -1 */
	int message_limit_fd; /* memfd of the limits of messages (message_limit.h), or -1 */
	int control_socket;   /* bound and listening, control.sock; else -1 */
	int session_socket;   /* bound and listening, session.sock; else -1 */
	int desk_socket;      /* bound and listening, desk.sock; else -1 */
	enum process_role role;
	unsigned number;     /* no other's of this role that runs, from 0; a column of the limits */
	uint32_t generation; /* counts the starts of this child */
};

/* Where a child finds its descriptors. An absent one is closed. */
enum process_fd {
	PROCESS_FD_KEEPER = 3,
	PROCESS_FD_LIMIT,
	PROCESS_FD_MESSAGE_LIMIT,
	PROCESS_FD_CONTROL,
	PROCESS_FD_CONTROL_SOCKET,
	PROCESS_FD_SESSION_SOCKET,
	PROCESS_FD_DESK_SOCKET,
	PROCESS_FD_LISTENERS, /* from here on */
	PROCESS_FD_END = PROCESS_FD_LISTENERS + 2 * PROCESS_LISTENERS,
};

/* A child's life: takes its descriptors over, makes sure of its privileges and calls the
 * main function of its role. Fills the rest of start, whose role and numbers come from the command
 * line. Returns the exit status. */
int process_child_main(const struct process_options *options, struct process_start *start);

/* All of the memory that processes share by this descriptor, which is taken over. NULL: errno says
 * why. */
void *process_map(int fd, int protection, size_t *bytes);

/* Returns the exit status. Control ends with another status than 0 only when it can not work at all
 * (the state folder, no policy): before its first READY the keeper then ends, too. */
int keeper_main(const struct process_options *options);

#endif
