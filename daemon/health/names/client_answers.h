/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what DNS said of clients' names, each answer until its time is over. So many are held; of
 * more, the one that was not asked for the longest time goes. */
#ifndef POSTERN_DAEMON_HEALTH_NAMES_CLIENT_ANSWERS_H
#define POSTERN_DAEMON_HEALTH_NAMES_CLIENT_ANSWERS_H

#include "lib/ipc/health.h"

struct client_answers;

/* NULL: out of memory, or chance. */
struct client_answers *client_answers_new(size_t most);
/* NULL is allowed. */
void client_answers_free(struct client_answers *answers);
/* Borrowed until the next call; its flow, place, smtp and seq are nobody's. NULL: none that holds
 * still. */
const struct ipc_looked_up *client_answers_find(
	struct client_answers *answers, const struct addr *addr, uint64_t now_ms);
/* In the place of what was known of its address; copied. */
void client_answers_put(
	struct client_answers *answers, const struct ipc_looked_up *answer, uint64_t until_ms);
size_t client_answers_count(const struct client_answers *answers);

#endif
