/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what the login pages ask of other processes: whether a password is right, of auth; all else
 * of control. */
#ifndef POSTERN_DAEMON_WEB_PORTAL_ASK_H
#define POSTERN_DAEMON_WEB_PORTAL_ASK_H

#include "daemon/web/portal/visit.h"

struct ipc_auth_verdict;

/* Each 0, and the visit waits; or -errno. */
int ask_password(struct visit *visit, const char *user, const char *password);
/* verdict: who it is; NULL: nobody was asked, as terms alone are accepted here. */
int ask_login(struct visit *visit, const struct ipc_auth_verdict *verdict);
int ask_renew(struct visit *visit);
int ask_logout(struct visit *visit);
int ask_show(struct visit *visit);
/* Asks nothing: control keeps that the password was wrong. */
void tell_wrong(struct visit *visit);

#endif
