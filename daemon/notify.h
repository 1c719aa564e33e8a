/* Owns what the service manager hears: ready, alive, stopping (sd_notify(3), systemd.service(5)).
 *
 * A stopped keeper is the one failure that no process of Postern can see: nobody then answers the
 * queue's packets. A service with WatchdogSec ends and restarts it. */
#ifndef POSTERN_NOTIFY_H
#define POSTERN_NOTIFY_H

/* Takes the manager's socket from the environment; without one nothing is ever sent. Once. */
void notify_open(void);
/* Says "READY=1", "WATCHDOG=1" or "STOPPING=1". Never waits. */
void notify_manager(const char *state);

#endif
