/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what an operator's files for the login page may be: terms and a logo. */
#ifndef POSTERN_LIB_PORTAL_FILES_H
#define POSTERN_LIB_PORTAL_FILES_H

#include <stddef.h>

#define PORTAL_TERMS_MAX 65536
#define PORTAL_LOGO_MAX  262144

/* Plain text in UTF-8, paragraphs parted by empty lines. NULL: it is good; else what was wrong and
 * expected, and in which line (0: in none). */
const char *portal_terms_check(const char *bytes, size_t len, size_t *line);
/* By which it is told which terms somebody accepted: the begin of their SHA-256, as sha256sum says
 * it. */
#define PORTAL_VERSION_SIZE 17
void portal_terms_version(const char *bytes, size_t len, char version[static PORTAL_VERSION_SIZE]);

/* Of its first bytes: "image/png", ...; NULL: none that is taken. */
const char *portal_logo_type(const void *bytes, size_t len);
/* The same for the operator. NULL: it is good. */
const char *portal_logo_check(const void *bytes, size_t len);

#endif
