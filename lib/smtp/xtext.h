/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the encodings of foreign values in parameters: xtext (RFC 3461 4) and what stands for UTF-8
 * in an address (RFC 6533 3). */
#ifndef POSTERN_LIB_SMTP_XTEXT_H
#define POSTERN_LIB_SMTP_XTEXT_H

#include <stdbool.h>
#include <stddef.h>

/* One or more of printable ASCII but '+' and '=', and "+XX". No control character may hide in the
 * latter: whoever decodes it, writes it into a header. */
bool smtp_xtext_is_good(const char *text, size_t len);
/* utf-8-addr-xtext: one or more of printable ASCII but '+', '=' and '\', and "\x{20AC}"; with
 * raw, characters over 127 as they are, too (utf-8-addr-unitext, behind SMTPUTF8). */
bool smtp_xtext_is_address(const char *text, size_t len, bool raw);
/* Without raw characters: each comes out as "\x{20AC}". Returns the length; 0: no room for it. */
size_t smtp_xtext_encode_address(const char *text, size_t len, char *out, size_t room);

#endif
