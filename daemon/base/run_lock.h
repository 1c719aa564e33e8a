/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns who uses a run folder: the one that holds its file posternd.lock, in which its pid stands.
 */
#ifndef POSTERN_DAEMON_BASE_RUN_LOCK_H
#define POSTERN_DAEMON_BASE_RUN_LOCK_H

#include <stdbool.h>

#define RUN_LOCK_NAME     "posternd.lock"
#define RUN_LOCK_PID_SIZE 32

/* Is there one, whether it answers or not? pid: as text, "?" if it is not known; NULL is allowed.
 */
bool run_lock_is_held(const char *run_dir, char pid[RUN_LOCK_PID_SIZE]);

#endif
