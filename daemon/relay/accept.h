/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns stage 3, accept: taking connections from the listening sockets. When something is short it
 * stops for a moment instead of spinning. */
#ifndef POSTERN_DAEMON_RELAY_ACCEPT_H
#define POSTERN_DAEMON_RELAY_ACCEPT_H

#include "daemon/flow/shortage.h"
#include "daemon/process/process.h"

#include <stddef.h>

struct relay;

struct accept_listener {
	struct loop_watch watch;
	struct relay *relay;
};

struct accept {
	struct accept_listener listeners[2 * PROCESS_LISTENERS];
	size_t nlisteners;
	bool watched;
	struct shortage shortage;
};

/* Takes the listeners of relay->start; does not yet accept. */
void accept_init(struct relay *relay);
void accept_fini(struct relay *relay);
/* Nothing while something is short. */
void accept_start(struct relay *relay);
/* For good: the relay drains. */
void accept_stop(struct relay *relay);
/* Something that was short may be there again. */
void accept_resume(struct relay *relay);

#endif
