/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns reading what a form of the login page sends: application/x-www-form-urlencoded, in place. */
#ifndef POSTERN_LIB_PORTAL_FORM_H
#define POSTERN_LIB_PORTAL_FORM_H

#include <stdbool.h>
#include <stddef.h>

#define PORTAL_BODY_MAX  4096
#define PORTAL_FIELD_MAX 255 /* bytes of a user, a password, a token */

/* Within the body; "" is what was not there. */
struct portal_form {
	const char *user; /* without blanks around */
	const char *password, *token;
	const char
		*terms; /* the version that the page showed: as portal_terms_version() writes it */
	bool accept;    /* any value of it: a box that is not ticked is not sent */
};

/* body[len] is written, too; whoever has the body wipes it. 0, or -EINVAL: it is longer than
 * PORTAL_BODY_MAX, has a bad %XX, a field of ours twice or too long, a control character in one,
 * one that is not UTF-8, or terms that are no version. Fields that are not ours are passed over. */
int portal_form_parse(char *body, size_t len, struct portal_form *form);

#endif
