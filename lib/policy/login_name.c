/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/policy/login_name.h"

#include <assert.h>
#include <stdio.h>

static_assert(sizeof("host:") + ADDR_TEXT_SIZE <= LOGIN_NAME_SIZE, "an address fits");

const char *login_name_format(enum policy_login login, const char *source, const char *user,
	const struct addr *permitted, char text[static LOGIN_NAME_SIZE])
{
	char addr[ADDR_TEXT_SIZE];

	switch (login) {
	case POLICY_LOGIN_OFF:
		return NULL;
	case POLICY_LOGIN_ON:
		snprintf(text, LOGIN_NAME_SIZE, "%.*s", POLICY_USER_SIZE - 1, user);
		return *user ? text : NULL;
	case POLICY_LOGIN_TAGGED:
		break;
	}
	if (*user)
		snprintf(text, LOGIN_NAME_SIZE, "%.*s:%.*s", LOGIN_NAME_TAG_SIZE - 1, source,
			POLICY_USER_SIZE - 1, user);
	else if (permitted)
		snprintf(text, LOGIN_NAME_SIZE, "host:%s", addr_format(permitted, addr));
	return *user || permitted ? text : NULL;
}
