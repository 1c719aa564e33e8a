/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns looking at the files of the running policy's certificates, trust stores and secrets: once a
 * minute, and when somebody asks. What has changed and is good is handed to the processes, which
 * build with it and say whether they could. */
#ifndef POSTERN_DAEMON_CONTROL_CREDENTIAL_RENEW_H
#define POSTERN_DAEMON_CONTROL_CREDENTIAL_RENEW_H

#include "daemon/control/credential/credentials.h"
#include "daemon/process/roles.h"

struct renew;

struct renew *renew_new(struct control *control, struct credentials_part *part);
void renew_free(struct renew *renew);
/* The policy has credentials, or others: they are looked at from now on. */
void renew_begin(struct renew *renew);
/* The next look is now. */
void renew_soon(struct renew *renew);
/* As credentials_reload(). 0 or -ENOMEM. */
int renew_ask(struct renew *renew, const char *name, credentials_done *done, void *context);
/* As credentials_settle(). 0 or -ENOMEM. */
int renew_settle(struct renew *renew, credentials_done *done, void *context);

/* credentials.c, for renew.c alone. */
struct credential_now *credentials_now_at(struct credentials_part *part, size_t i);
void credentials_read_one(const struct credentials_part *part, const struct credential *credential,
	struct credential_read *read);
void credentials_spread(
	struct credentials_part *part, const struct credential *what, struct credential_read *read);
void credentials_note(struct credential_now *now, const struct credential_read *read, uint64_t ms);
void credentials_stamp(struct credential_now *now);
/* Is a process of this role given any? */
bool credentials_are_for(enum process_role role);

#endif
