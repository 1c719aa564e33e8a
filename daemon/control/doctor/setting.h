/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the reading of one setting of the kernel, as sysctl has it. */
#ifndef POSTERN_DAEMON_CONTROL_DOCTOR_SETTING_H
#define POSTERN_DAEMON_CONTROL_DOCTOR_SETTING_H

#include <stdbool.h>

/* A number from /proc or /sys; -1: cannot be read. */
long setting_read(const char *path);

/* How many connections conntrack has, and may have; -1: cannot be read. A full table drops new
 * connections, whichever path they would take. Returns whether it is so full that somebody should
 * be told. */
bool setting_of_conntrack(long *count, long *max);
bool setting_is_filling(long count, long max);

#endif
