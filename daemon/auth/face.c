/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which file hears what of which: the one place that knows backends, askers and attempts alike. */
#include "daemon/auth/auth.h"

const struct auth_face auth_face = {.on_ask = attempt_begin,
	.on_response = attempt_respond,
	.on_cancel = attempt_cancel,
	.on_gone = attempts_forget,
	.on_offer = askers_offer,
	.on_leave = attempts_leave,
	.kinds = {
		[POLICY_AUTH_FORWARD] = &backend_forward,
		[POLICY_AUTH_DOVECOT] = &backend_dovecot,
		[POLICY_AUTH_FILE] = &backend_users,
		[POLICY_AUTH_LDAP] = &backend_ldap,
	}};
