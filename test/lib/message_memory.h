/* The memory in which limits of messages are counted, as the keeper makes it. */
#ifndef POSTERN_TEST_MESSAGE_MEMORY_H
#define POSTERN_TEST_MESSAGE_MEMORY_H

#include "lib/message_limit.h"

/* A descriptor of it, and the test's own view, for as long as it runs. */
int make_message_limit(struct message_limit *limits);

#endif
