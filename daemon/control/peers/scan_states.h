/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what control knows of how scans fare: what each smtp process told last of each, and what
 * those that ended have left. Names that no policy has any more stay until others need the room. */
#ifndef POSTERN_DAEMON_CONTROL_PEERS_SCAN_STATES_H
#define POSTERN_DAEMON_CONTROL_PEERS_SCAN_STATES_H

#include "lib/ipc/scan.h"

struct scan_states;

struct scan_states *scan_states_new(void);
void scan_states_free(struct scan_states *states);
/* number: of the process. */
void scan_states_take(
	struct scan_states *states, uint32_t number, const struct ipc_scan_state *state);
/* The process is gone: its totals stay. */
void scan_states_gone(struct scan_states *states, uint32_t number);
/* Over all processes: totals of its name, and what is now, added up; and of the filter that it has
 * now: `up` where it is with all that asked it, and else since when the first of them found that it
 * is not; the last fault's time and words. open: with how many it is not tried. False: none has
 * asked it ever, and the sum is zero. */
bool scan_states_sum(const struct scan_states *states, const struct policy_scan *scan,
	struct ipc_scan_state *sum);
/* A bit for each scan that an enabled rule has. */
unsigned scan_states_used(const struct policy *policy);
/* Its state in a word, of what scan_states_sum() said: "up", "down", "unused" by any rule, or
 * "unasked". */
const char *scan_states_word(const struct ipc_scan_state *sum, bool used);

#endif
