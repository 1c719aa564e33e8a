/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns a second reading of the login page's HTML, strict enough that a browser reads it in one way:
 * tags that fit, attributes in double quotes, labels that belong to fields, headings in order,
 * nothing that runs and nothing from elsewhere. */
#ifndef POSTERN_TEST_LIB_PORTAL_MARKUP_H
#define POSTERN_TEST_LIB_PORTAL_MARKUP_H

#include <stddef.h>

/* NULL: it is good; else what is wrong, in storage of its own. */
const char *portal_markup_wrong(const char *html, size_t len);
/* How many tags it has. */
size_t portal_markup_tags(const char *html, size_t len);

#endif
