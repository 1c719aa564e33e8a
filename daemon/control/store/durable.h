/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what is waited for before a change of sessions, lists or blocks is answered: that it is on
 * disk. */
#ifndef POSTERN_DAEMON_CONTROL_STORE_DURABLE_H
#define POSTERN_DAEMON_CONTROL_STORE_DURABLE_H

#include "daemon/control/peers/question.h"
#include "lib/policy/block.h"
#include "lib/policy/session.h"

struct control;

/* Each is a part of the gather; gather NULL: nobody waits, failures are logged. */
void durable_put_session(
	struct control *control, const struct session *session, struct gather *gather);
void durable_del_session(struct control *control, uint64_t id, struct gather *gather);
void durable_add_element(struct control *control, const char *list, const struct policy_elem *elem,
	uint64_t end_ms, struct gather *gather);
void durable_del_element(struct control *control, const char *list, const struct policy_elem *elem,
	struct gather *gather);
struct session_store_entry;
void durable_set_list(struct control *control, const char *list,
	const struct session_store_entry *entries, size_t n, struct gather *gather);
void durable_put_block(struct control *control, const struct block *block, struct gather *gather);
void durable_del_block(struct control *control, const struct block *subject, struct gather *gather);

#endif
