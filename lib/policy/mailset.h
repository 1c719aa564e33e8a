/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns sets of mail addresses and domains, and in which form addresses are compared. */
#ifndef POSTERN_LIB_POLICY_MAILSET_H
#define POSTERN_LIB_POLICY_MAILSET_H

#include "lib/smtp/path.h"

/* The form in which addresses are compared, that of smtp_path_key(), as text: "anna@hotel.example",
 * and of elements of lists also "@hotel.example" and "@.hotel.example". "" is the null sender <>,
 * and what has no domain has no '@'. */
#define MAILSET_KEY_SIZE 328 /* with NUL; no less than ELEMENT_TEXT_SIZE */
void mailset_key_of(const struct smtp_path *path, char key[static MAILSET_KEY_SIZE]);
/* Of an element of kind mail (element.h). */
void mailset_key(const char *text, size_t len, char key[static MAILSET_KEY_SIZE]);
/* Of a domain or host, as if all that is at it were meant: "@hotel.example", "@.hotel.example". */
void mailset_key_of_host(const char *text, size_t len, char key[static MAILSET_KEY_SIZE]);

struct mailset;

struct mailset *mailset_new(void);
void mailset_free(struct mailset *set); /* NULL is allowed */
/* Of an element, by its key. The value is the caller's and not NULL; it replaces one that is there.
 * 0 or -ENOMEM, which a replacement never is. */
int mailset_add(struct mailset *set, const char *key, void *value);
/* The value taken out, or NULL. */
void *mailset_del(struct mailset *set, const char *key);
void *mailset_find(const struct mailset *set, const char *key);
/* The values of all elements that hold an address, by its key: itself, its domain, the domains
 * above. How many. */
#define MAILSET_DEPTH 130
unsigned mailset_find_all(
	const struct mailset *set, const char *key, void *values[static MAILSET_DEPTH]);

#endif
