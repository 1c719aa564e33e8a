/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns giving up privileges: what the keeper keeps, and what control and a relay may still ask of
 * the kernel. */
#ifndef POSTERN_DAEMON_BASE_PRIVILEGE_H
#define POSTERN_DAEMON_BASE_PRIVILEGE_H

#include <stdbool.h>
#include <sys/types.h>

/* The keeper keeps a set of capabilities: CAP_NET_ADMIN, and CAP_NET_BIND_SERVICE for the ports of
 * listeners. */

/* Has a service manager made this process the user already, with what the keeper needs to give up
 * the rest by itself: the set and CAP_SETPCAP? */
bool privilege_is_given(uid_t uid);
/* Becomes the user for ever, with the set and nothing else: no other groups, an empty bounding set,
 * no new privileges, no core, not traceable. As root, once, by the keeper. The set is inheritable,
 * so that an upgrade in place can take it along, and nothing takes it along unasked. 0 or -errno;
 * not to go on after that. */
int privilege_drop_keeper(uid_t uid, gid_t gid);
/* Shall the next exec keep the set? Only right before the keeper executes itself anew, and
 * off again if that fails. 0 or -errno. */
int privilege_carry_keeper(bool on);
/* The first act of a keeper that was executed in place: it holds of the set what the one before
 * held and no more, or -EPERM. 0 or -errno; not to go on after that. */
int privilege_resume_keeper(void);
/* The name of a capability of the set that is not held: the one before did not have it, and only a
 * restart can bring it. NULL: none. */
const char *privilege_lacking(void);
/* In a new process, before it executes something that is not the keeper. 0 or -errno. */
int privilege_drop_all(void);
/* The first act of a child: makes sure that it holds no capability, cannot get one, and dies with
 * the keeper. 0 or -errno. */
int privilege_check_child(void);

/* What a process may do beside waiting, connecting and speaking by sockets. */
enum privilege {
	PRIVILEGE_FLOWS = 1 << 0,  /* accepts, and moves bulk by pipes */
	PRIVILEGE_LISTEN = 1 << 1, /* listens anew, and accepts */
	PRIVILEGE_ACCEPT = 1 << 3, /* accepts */
	PRIVILEGE_SPOOL = 1 << 4,  /* reads and writes files that it was given */
	PRIVILEGE_FILES = 1 << 2,  /* SQLite, policy, lists; threads, routes, sealed memory */
};

/* The filter of system calls, when everything that needs more is open; also for the threads that
 * run already. Whoever is taken over afterwards can start no program and signal, trace or read no
 * other process (those end the process); what else is not on the list fails with EPERM. privileges:
 * enum privilege. 0 or -errno. */
int privilege_enter(unsigned privileges);

#endif
