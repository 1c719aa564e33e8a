/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns how a message that stands in a file, as mail programs save it, becomes the text that a
 * client would have sent. */
#ifndef POSTERN_LIB_SMTP_TEXT_MAIL_FILE_H
#define POSTERN_LIB_SMTP_TEXT_MAIL_FILE_H

#include <stdbool.h>
#include <stddef.h>

#define MAIL_FILE_WRONG_SIZE 192

/* Its lines, which end with LF or CRLF, as they are stored: with CRLF, the last one, too. What is
 * in it goes through the reader of flows: what no client could send is said. False: wrong says
 * what, and in which line; printable. room: a larger text is wrong, and named by it. */
bool mail_file_read(const char *bytes, size_t len, char *out, size_t room, size_t *out_len,
	char wrong[static MAIL_FILE_WRONG_SIZE]);

/* What the text of so many bytes takes at most. */
#define MAIL_FILE_ROOM(bytes) (2 * (bytes) + 8)

#endif
