/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what the service manager hears: ready, alive, stopping (sd_notify(3), systemd.service(5)).
 *
 * A stopped keeper is the one failure that no process of Postern can see: nobody then answers the
 * queue's packets. A service with WatchdogSec ends and restarts it. */
#ifndef POSTERN_DAEMON_BASE_NOTIFY_H
#define POSTERN_DAEMON_BASE_NOTIFY_H

/* Takes the manager's socket from the environment; without one nothing is ever sent. Once. */
void notify_open(void);
/* The socket, for the program that takes this one's place; -1: none. */
int notify_fd(void);
/* Takes over the socket of the program before, -1: none, in the place of notify_open(). */
void notify_adopt(int fd);
/* Says "READY=1", "WATCHDOG=1" or "STOPPING=1". Never waits. */
void notify_manager(const char *state);
/* "RELOADING=1" with the time that the manager needs to know which READY=1 ends it. */
void notify_reloading(const char *status);

#endif
