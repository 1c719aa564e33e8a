/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what one command shows of another's: zones and counters stand in `status` too. */
#ifndef POSTERN_DAEMON_CONTROL_COMMANDS_PARTS_H
#define POSTERN_DAEMON_CONTROL_COMMANDS_PARTS_H

#include "daemon/control/kernel/facts.h"
#include "lib/ipc/replica.h"
#include "lib/metrics/counter.h"
#include "lib/policy/policy.h"

#include <jansson.h>

struct command;
struct control;

/* The list that the command names; NULL: ended. The second: only one whose elements are state. */
const struct policy_list *list_find(struct command *command);
const struct policy_list *list_find_dynamic(struct command *command);
/* list_change.c */
void list_add(struct command *command);
void list_remove(struct command *command);
void list_clear(struct command *command);
void list_replace(struct command *command);
void list_import(struct command *command);
/* scan_test.c */
void scan_test(struct command *command);
/* Interfaces that a zone has now, many that one pattern meets as it and their number, "ppp*
 * (5000)"; and patterns that none meets. */
json_t *command_zone_folded(const struct control *control, const struct policy_zone *zone);
json_t *command_zone_missing(const struct control *control, const struct policy_zone *zone);
/* Where a listener takes connections, each with its state: "listens", "waits" for its address to
 * come, "failed", as another has its port, or "opens". */
json_t *command_listener_endpoints(
	const struct control *control, const struct policy_listener *listener);
/* All counters, of all processes and the kernel. */
void command_counters_sum(
	struct control *control, const struct facts *facts, uint64_t sum[static COUNTERS]);

#endif
