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
/* Somebody wants what runs to be what the files say: they are looked at as if the minute was over.
 */
void renew_soon(struct renew *renew);
/* Looks at the files of the running policy now, of one certificate or (NULL) of all, and puts in
 * force what is new. done() is told a line for each that was looked at; bad: one of them is.
 * -ENOENT or -ENOMEM at once: there is no such certificate, or no memory. */
typedef void renew_done(void *context, bool bad, const char *text);
int renew_ask(struct renew *renew, const char *name, renew_done *done, void *context);
/* The same as once a minute: only what has changed is looked at. done() is told when what runs is
 * what the files say. 0 or -ENOMEM. */
int renew_settle(struct renew *renew, renew_done *done, void *context);

#endif
