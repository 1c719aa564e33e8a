/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the words for how a login at a login page ended. They stand where a flow's ending does: none
 * of them is one of its words. */
#ifndef POSTERN_LIB_RECORD_LOGIN_ENDING_H
#define POSTERN_LIB_RECORD_LOGIN_ENDING_H

/* X(identifier, name, what it means) */
#define LOGIN_ENDING_TABLE(X)                                                                 \
	X(PASSED, "logged-in", "the client is logged in")                                     \
	X(WRONG, "login-wrong", "there is no such user, or it was not his password")          \
	X(OVER_LIMIT, "login-over-limit", "the user has as many sessions as the zone allows") \
	X(FAILED, "login-failed", "the session could not be put in force")

enum login_ending {
#define LOGIN_ENDING_ENUM(id, name, meaning) LOGIN_ENDING_##id,
	LOGIN_ENDING_TABLE(LOGIN_ENDING_ENUM)
#undef LOGIN_ENDING_ENUM
};
#define LOGIN_ENDINGS (LOGIN_ENDING_FAILED + 1) /* the last of the table */

extern const char *const login_ending_names[LOGIN_ENDINGS];
/* 0 or -EINVAL. */
int login_ending_parse(const char *name, enum login_ending *ending);

#endif
