/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the header fields that every answer of the login page has, whatever it is. */
#ifndef POSTERN_LIB_PORTAL_HEADERS_H
#define POSTERN_LIB_PORTAL_HEADERS_H

#include <stdbool.h>
#include <stddef.h>

struct portal_header {
	const char *name, *value;
};

enum portal_content {
	PORTAL_CONTENT_PAGE,
	PORTAL_CONTENT_STYLE,
	PORTAL_CONTENT_LOGO, /* whose type is its own */
};

/* Returns how many there are. strict: browsers are told to come by HTTPS alone, which may only be
 * said where a certificate stands that they take. */
#define PORTAL_HEADERS_MAX 12
size_t portal_headers(enum portal_content content, bool strict,
	struct portal_header v[static PORTAL_HEADERS_MAX]);

#endif
