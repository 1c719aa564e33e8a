/* Owns what a process is given at its start, and the privileges it keeps. */
#ifndef POSTERN_PROCESS_H
#define POSTERN_PROCESS_H

#include "lib/policy.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROCESS_RELAYS_MAX 16
/* After an upgrade in place the relays of before drain beside the new ones: numbers of relays are
 * apart among all that run. */
#define PROCESS_NUMBERS_MAX 64

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
	uint32_t route_table;   /* --table, 4025 */
	uint32_t rule_priority; /* --rule-priority; 0: in front of other programs' ip rules */
	uint16_t relay_port;    /* --port, 4025 */
	uint16_t queue;         /* --queue, 4025 */
	int resume; /* --resume: the keeper before hands its place over by this descriptor; -1 */
};

enum process_role {
	PROCESS_CONTROL,
	PROCESS_RELAY,
	PROCESS_HEALTH,
	PROCESS_WEB, /* only while the policy has `metrics listen` */
};

/* A child is the same program, executed anew: its memory holds nothing of the keeper. */
struct process_start {
	struct process_options options;
	int keeper_fd;     /* channel to the keeper */
	int control_fd;    /* all but control: channel to it; else -1 */
	size_t nlisteners; /* relay: bound, transparent, listening */
	int listeners[2 * PROCESS_LISTENERS];
	int limit_fd;        /* memfd of the shared limits (limit.h); relay and control */
	int control_socket;  /* control: bound and listening, control.sock; else -1 */
	int session_socket;  /* control: bound and listening, session.sock; else -1 */
	int desk_socket;     /* control: bound and listening, desk.sock; else -1 */
	unsigned relay;      /* number, from 0 */
	uint32_t generation; /* counts the starts of this child */
};

/* Where a child finds its descriptors. An absent one is closed. */
enum process_fd {
	PROCESS_FD_KEEPER = 3,
	PROCESS_FD_LIMIT,
	PROCESS_FD_CONTROL,        /* all but control */
	PROCESS_FD_CONTROL_SOCKET, /* control */
	PROCESS_FD_SESSION_SOCKET, /* control */
	PROCESS_FD_DESK_SOCKET,    /* control */
	PROCESS_FD_LISTENERS,      /* relay: from here on */
	PROCESS_FD_END = PROCESS_FD_LISTENERS + 2 * PROCESS_LISTENERS,
};

/* A child's life: takes its descriptors over, makes sure of its privileges and calls the
 * main function of its role. Fills the rest of start, whose numbers come from the command line.
 * Returns the exit status. */
int process_child_main(
	const struct process_options *options, struct process_start *start, enum process_role role);

/* All return the exit status. Control ends with another status than 0 only when it can not
 * work at all (the state folder, no policy): before its first READY the keeper then ends, too. */
int keeper_main(const struct process_options *options);
int control_main(const struct process_start *start);
int relay_main(const struct process_start *start);

#endif
