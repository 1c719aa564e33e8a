/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the words for the state of a server's target, as operators read them. */
#ifndef POSTERN_DAEMON_CONTROL_PEERS_HEALTH_TARGET_WORDS_H
#define POSTERN_DAEMON_CONTROL_PEERS_HEALTH_TARGET_WORDS_H

#include "lib/ipc/replica.h"

#include <jansson.h>

/* A target's state in a word, the operator's wish before the probes', and why it is so. */
const char *target_words_state(const struct ipc_targets *targets, const struct ipc_target *target);
json_t *target_words_why(const struct ipc_targets *targets, const struct ipc_target *target);
/* The state that flows at message level find; null: none may come. */
json_t *target_words_message_state(
	const struct ipc_targets *targets, const struct ipc_target *target);

#endif
