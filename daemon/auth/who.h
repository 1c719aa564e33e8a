/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns who somebody is, as a backend names him: the name that counts, groups, own addresses. */
#ifndef POSTERN_DAEMON_AUTH_WHO_H
#define POSTERN_DAEMON_AUTH_WHO_H

#include "lib/policy/session.h"

struct who {
	const struct policy *policy; /* whose groups are kept */
	char text[POLICY_USER_SIZE + SESSION_GROUPS_MAX * POLICY_USER_SIZE +
		  SESSION_MAILS_MAX * SESSION_MAIL_SIZE];
	size_t used;
	struct policy_string user, groups[SESSION_GROUPS_MAX], mails[SESSION_MAILS_MAX];
	size_t ngroups, nmails;
};

/* False: that is no name that can be kept: empty, too long, with control characters, no UTF-8. */
bool who_begin(struct who *who, const struct policy *policy, const char *user, size_t len);
/* Groups that no rule names say nothing and are left out, as is what can be none. */
void who_add_group(struct who *who, const char *group, size_t len);
void who_add_mail(struct who *who, const char *mail, size_t len);
/* Where the backend named no address: the name itself if it is one, else that in the domain (""
 * none). */
void who_end(struct who *who, const char *domain);
/* As a session of a listener, into bytes. Returns its length; 0: it does not fit. */
size_t who_encode(
	const struct who *who, const char *listener, uint8_t bytes[static SESSION_ENCODED_MAX]);

#endif
