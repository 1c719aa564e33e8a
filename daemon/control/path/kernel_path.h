/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the flows that the kernel carries alone as the rest of control sees them: they are shown,
 * counted, ended and recorded as those of the relays are.
 *
 * That one begins or is about to end the kernel logs (NFLOG), to a socket that the keeper has made
 * and control reads. The log is what a flow's identity rests on: its first packet's own MAC. What
 * became of a flow, and what it carried, says the kernel's table of connections, which the keeper
 * is asked of. Where the log was lost, or a flow ends by time alone, a look at the whole table says
 * so. */
#ifndef POSTERN_DAEMON_CONTROL_PATH_KERNEL_PATH_H
#define POSTERN_DAEMON_CONTROL_PATH_KERNEL_PATH_H

#include "daemon/control/path/path.h"

/* It begins with a struct flow_carrier. */
struct kernel_path *kernel_path_new(struct control *control, const struct kernel_path_face *face);
/* Nothing is asked any more. Where Postern stops, each flow's record is written as it is known. */
void kernel_path_close(struct kernel_path *path);
void kernel_path_free(struct kernel_path *path); /* NULL is allowed */
/* The log; taken over. */
void kernel_path_take_log(struct kernel_path *path, int fd);
/* Policy and sessions are in force, or the interfaces are known: with both the log is read. */
void kernel_path_begin(struct kernel_path *path);

#endif
