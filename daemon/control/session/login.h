/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the login: what is asked for, checked against zone and limits, becomes a session. */
#ifndef POSTERN_DAEMON_CONTROL_SESSION_LOGIN_H
#define POSTERN_DAEMON_CONTROL_SESSION_LOGIN_H

#include "daemon/control/peers/question.h"
#include "lib/policy/policy.h"
#include "lib/policy/session.h"

struct control;

/* What is asked for. */
struct login_order {
	char user[POLICY_USER_SIZE];
	char zone[POLICY_NAME_SIZE];
	struct mac mac;
	struct prefix addresses[SESSION_ADDRESSES_MAX];
	size_t naddresses;
	char groups[SESSION_GROUPS_MAX][POLICY_USER_SIZE];
	size_t ngroups;
	bool groups_given, lease_given, idle_given;
	uint64_t lease_ms, idle_ms; /* 0: none */
	enum session_source source;
	char via[POLICY_NAME_SIZE];     /* the portal; empty: none */
	char terms[SESSION_TERMS_SIZE]; /* that were accepted now; empty: none, or before */
	uint32_t uid;
};

enum login_outcome {
	LOGIN_NEW,
	LOGIN_RENEWED,
	LOGIN_REPLACED,
	LOGIN_REFUSED,
	LOGIN_OVER_LIMIT, /* refused by `limit sessions` */
};

/* outcome LOGIN_REFUSED or behind: text says why, session is 0. */
typedef void login_done(
	void *context, enum login_outcome outcome, uint64_t session, const char *text);

/* Carries the login out; the order is copied. done comes when the session is in force everywhere
 * and on disk, perhaps before the return. */
void login_begin(
	struct control *control, const struct login_order *order, login_done *done, void *context);
/* A new lease for a session that is in force. */
void login_renew(struct control *control, uint64_t session, bool lease_given, uint64_t lease_ms,
	login_done *done, void *context);

#endif
