/* Owns what commands that show finished things have in common: of which time, how many rows, and
 * that there are more. */
#ifndef POSTERN_COMMAND_HISTORY_H
#define POSTERN_COMMAND_HISTORY_H

#include "daemon/control/command.h"

#define HISTORY_ROWS 50 /* shown when no limit is given */

/* Of `since` and `until`; 0: not given. false: the command has ended. */
bool history_times(struct command *command, uint64_t *since_ms, uint64_t *until_ms);
/* Of `limit`; UINT64_MAX: all. */
uint64_t history_limit(const struct command *command);
/* Ends the command: what was shown are not all. */
void history_more(struct command *command, uint64_t shown);

#endif
