/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns where a directory is: "ldaps://ldap.hotel.example", "ldap://[2001:db8::1]:3389". */
#ifndef POSTERN_LIB_LDAP_URL_H
#define POSTERN_LIB_LDAP_URL_H

#include "lib/base/addr.h"

#include <stdbool.h>

#define LDAP_URL_HOST_SIZE 256

struct ldap_url {
	bool immediate;                /* ldaps: TLS begins at once; else by StartTLS */
	char host[LDAP_URL_HOST_SIZE]; /* a name, or the address's text without brackets */
	struct addr addr;              /* family ADDR_NONE: a name */
	uint16_t port;                 /* 636 and 389 unless written */
};

/* NULL, or what was expected. Path and query have no meaning here and are refused. */
const char *ldap_url_parse(const char *text, struct ldap_url *url);

#endif
