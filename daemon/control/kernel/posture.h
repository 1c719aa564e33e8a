/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the posture that outlives every process: a bare plan of the running policy in the state
 * folder, which the keeper puts into the kernel at the next start before anything else. */
#ifndef POSTERN_DAEMON_CONTROL_KERNEL_POSTURE_H
#define POSTERN_DAEMON_CONTROL_KERNEL_POSTURE_H

#include "daemon/control/peers/question.h"

#define POSTURE_FOLDER "policy" /* below the state folder */
#define POSTURE_NAME   "posture"
#define POSTURE_FILE   POSTURE_FOLDER "/" POSTURE_NAME

struct control;
struct plan;

/* Control's first word to the keeper, before it has read anything but the policy: whatever becomes
 * of the start, its closed zones are closed. Its answer, -EEXIST where a plan or a table is in
 * the kernel already, is a part of the gather. */
void posture_send(struct control *control, struct gather *gather);
/* Writes the file, unless it says this already; a part of the gather. */
void posture_keep(struct control *control, struct gather *gather);

/* What was written last, for whoever runs without control. 0 or -errno. */
int posture_read(const char *state_dir, struct plan *plan);

#endif
