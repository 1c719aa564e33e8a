/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the certificate that a portal shows which has `certificate none`: made here, kept in the
 * state folder, and made anew before it ends or when the portal's names have changed. No browser
 * trusts it; one that was told to does so until it is made anew. */
#ifndef POSTERN_DAEMON_CONTROL_CREDENTIAL_OWN_H
#define POSTERN_DAEMON_CONTROL_CREDENTIAL_OWN_H

#include "daemon/control/credential/read.h"
#include "lib/policy/policy.h"

/* Chain and key as if they had been read. One that cannot be kept is used all the same, and read
 * warns of it. To be wiped, whatever it came to. */
void credential_own_read(const char *state_dir, const struct policy_portal *portal, int64_t now_s,
	struct credential_read *read);
/* So many days before its end it is made anew. */
#define CREDENTIAL_OWN_RENEW_DAYS 30

#endif
