/* Owns giving up privileges: what the keeper keeps, and what control and a relay may still ask of
 * the kernel. */
#ifndef POSTERN_PRIVILEGE_H
#define POSTERN_PRIVILEGE_H

#include <stdbool.h>
#include <sys/types.h>

/* Has a service manager made this process the user already, with what the keeper needs to give up
 * the rest by itself: CAP_NET_ADMIN and CAP_SETPCAP? */
bool privilege_is_given(uid_t uid);
/* Becomes the user for ever, with CAP_NET_ADMIN and nothing else: no other groups, an empty
 * bounding set, no new privileges, no core, not traceable. As root, once, by the keeper. The one
 * capability is inheritable, so that an upgrade in place can take it along, and nothing takes it
 * along unasked. 0 or -errno; not to go on after that. */
int privilege_drop_keeper(uid_t uid, gid_t gid);
/* Shall the next exec keep the capability? Only right before the keeper executes itself anew, and
 * off again if that fails. 0 or -errno. */
int privilege_carry_keeper(bool on);
/* The first act of a keeper that was executed in place: it holds what the one before held and no
 * more, or -EPERM. 0 or -errno; not to go on after that. */
int privilege_resume_keeper(void);
/* In a new process, before it executes something that is not the keeper. 0 or -errno. */
int privilege_drop_all(void);
/* The first act of a child: makes sure that it holds no capability, cannot get one, and dies with
 * the keeper. 0 or -errno. */
int privilege_check_child(void);

/* Seccomp filters, when everything that needs more is open. Whoever is taken over afterwards can
 * start no program and signal, trace or read no other process (those end the process); what else is
 * not on the list fails with EPERM. 0 or -errno. */

/* Files (SQLite, policy, lists), sockets, threads. Also for the threads that run already. */
int privilege_enter_control(void);
/* Sockets and pipes. No files: nothing can be opened, not even to read. */
int privilege_enter_relay(void);
/* Sockets that it connects itself. No files, nothing to accept. */
int privilege_enter_health(void);
/* Sockets that listen and those that come by them. No files, no connection of its own but to the
 * log. */
int privilege_enter_web(void);

#endif
