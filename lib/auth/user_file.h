/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the file of users for small sites: lines "user:hash", or "user:hash:groups:addresses" with
 * commas between, as `posternctl auth password` makes them; `#` and empty lines say nothing. */
#ifndef POSTERN_LIB_AUTH_USER_FILE_H
#define POSTERN_LIB_AUTH_USER_FILE_H

#include <stdbool.h>
#include <stddef.h>

#define USER_FILE_BYTES_MAX 57344u /* one ipc holds it */
#define USER_FILE_LINE_MAX  2048
#define USER_FILE_HASH_SIZE 385 /* crypt(5): 384 at most, and NUL */

/* Borrowed from the text; no NUL. */
struct user_file_entry {
	const char *user, *hash, *groups, *mails;
	size_t user_len, hash_len, groups_len, mails_len;
};

/* NULL, or what was expected instead, and in which line, from 1. A line that is wrong is wrong for
 * the whole file: the user of it would be gone without a word. */
const char *user_file_check(const char *text, size_t len, size_t *line);
/* Of a text that was checked; names compare byte for byte. */
bool user_file_find(const char *text, size_t len, const char *user, struct user_file_entry *entry);
/* Takes the next user of a text that was checked; line: his, 0 before the first. False: no more. */
bool user_file_take(const char **text, size_t *len, size_t *line, struct user_file_entry *entry);
/* Takes the next of groups or addresses, without blanks around it. False: there is none. */
bool user_file_next(const char **list, size_t *len, const char **word, size_t *word_len);

#endif
