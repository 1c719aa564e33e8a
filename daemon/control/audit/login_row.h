/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the record of a login at a login page: a row of audit.db beside those of flows, which has of
 * their columns what a login has. */
#ifndef POSTERN_DAEMON_CONTROL_AUDIT_LOGIN_ROW_H
#define POSTERN_DAEMON_CONTROL_AUDIT_LOGIN_ROW_H

#include "daemon/control/store/database.h"
#include "lib/base/addr.h"
#include "lib/policy/session.h"
#include "lib/record/login_ending.h"

#include <jansson.h>

struct login_record {
	uint64_t at_ms;   /* wall clock */
	uint64_t session; /* 0: none came of it */
	enum login_ending ending;
	struct addr client;
	struct mac mac; /* not set: none */
	char zone[POLICY_NAME_SIZE];
	char source[SESSION_SOURCE_TEXT_SIZE]; /* "portal hotel" */
	char user[POLICY_USER_SIZE];           /* if it is wrong: what was typed */
	char terms[SESSION_TERMS_SIZE];        /* that were accepted; empty: none */
	char detail[256];
};

/* 0 or -errno; -EEXIST: the key is in use. */
int login_row_insert(
	struct database *store, struct sqlite3 *db, const struct login_record *login, uint64_t key);
/* What a row says of a login, in place of what a flow's would. ending, terms: as the row has
 * them; NULL: it has none. */
void login_row_tell(
	json_t *row, const char *ending, const char *terms, const struct addr *client, bool whole);

/* Takes out what says who it was. */
void login_row_strip(struct login_record *login);
/* For thinning (thin.h): of one client and ending, of one zone and ending. */
uint64_t login_row_key_of_client(const struct login_record *login);
uint64_t login_row_key_of_zone(const struct login_record *login);

#endif
