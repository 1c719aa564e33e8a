/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what is asked about servers of `path kernel`, whose connections the kernel forwards. */
#ifndef POSTERN_DAEMON_CONTROL_DOCTOR_PATH_H
#define POSTERN_DAEMON_CONTROL_DOCTOR_PATH_H

#include <stdbool.h>

struct control;
struct foreign_dump;

/* Has the policy such a server? */
bool path_is_used(const struct control *control);
/* What other programs' chains do with the connections of each zone to each host; one text a fact,
 * as in foreign/foreign.c. */
void path_tell(const struct control *control, const struct foreign_dump *dump,
	void (*tell)(void *context, const char *text), void *context);

#endif
