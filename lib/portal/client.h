/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns who a connection of the login page is, as the kernel saw it: never what it says itself. */
#ifndef POSTERN_LIB_PORTAL_CLIENT_H
#define POSTERN_LIB_PORTAL_CLIENT_H

#include "lib/base/addr.h"
#include "lib/policy/policy.h"

struct portal_client {
	char zone[POLICY_NAME_SIZE]; /* NUL to the end */
	struct mac mac;              /* of its saved SYN; unset: the interface has none */
	struct addr address;
};

#endif
