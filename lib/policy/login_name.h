/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the name by which a server is told who sends: bare, or behind its source, so that whoever
 * has it from one source cannot be taken for whoever has it from another. */
#ifndef POSTERN_LIB_POLICY_LOGIN_NAME_H
#define POSTERN_LIB_POLICY_LOGIN_NAME_H

#include "lib/base/addr.h"
#include "lib/policy/policy.h"

#define LOGIN_NAME_TAG_SIZE 8 /* of a source, at most; its ":" takes the place of the NUL */
#define LOGIN_NAME_SIZE     (LOGIN_NAME_TAG_SIZE + POLICY_USER_SIZE)

/* user: empty, none. source: where it is from, "auth", "session" or "device". permitted: without a
 * user, the client's address if that is what permits it to send; NULL if not. Tagged that is
 * "session:anna" or "host:192.0.2.7". Returns text; NULL: the server is told none. */
const char *login_name_format(enum policy_login login, const char *source, const char *user,
	const struct addr *permitted, char text[static LOGIN_NAME_SIZE]);

#endif
