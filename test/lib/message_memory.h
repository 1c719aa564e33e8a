/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The memory in which limits are counted, of flows and of messages, as the keeper makes it. */
#ifndef POSTERN_TEST_MESSAGE_MEMORY_H
#define POSTERN_TEST_MESSAGE_MEMORY_H

#include "lib/limit/message_limit.h"

/* A descriptor of that of flows, for two processes. */
int make_limit(void);
/* A descriptor of it, and the test's own view, for as long as it runs. */
int make_message_limit(struct message_limit *limits);

#endif
