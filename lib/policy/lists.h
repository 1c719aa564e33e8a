/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the entries of dynamic lists, with their timeouts. Inline and file lists stand in the
 * policy. */
#ifndef POSTERN_LIB_POLICY_LISTS_H
#define POSTERN_LIB_POLICY_LISTS_H

#include "lib/policy/policy.h"

struct lists;

struct lists *lists_new(void);
void lists_free(struct lists *lists); /* NULL is allowed */
/* end_ms: of the caller's clock, 0 = for ever. Adding again sets the new end; an element stays
 * spelled as it came first. 0 or -ENOMEM. */
int lists_add(
	struct lists *lists, const char *name, const struct policy_elem *elem, uint64_t end_ms);
int lists_remove(
	struct lists *lists, const char *name, const struct policy_elem *elem); /* -ENOENT */
/* The same element as it stands in the list, and its end; NULL: it does not. Borrowed until the
 * list's next change. */
const struct policy_elem *lists_find(const struct lists *lists, const char *name,
	const struct policy_elem *elem, uint64_t *end_ms);
void lists_clear(struct lists *lists, const char *name);
/* Does the list hold the address or the MAC at this time? Each may be NULL. An entry that is over
 * counts no more, removed or not. until_ms, if not NULL, is lowered to when the answer changes by
 * itself; in it 0 means never. */
bool lists_match(const struct lists *lists, const char *name, const struct mac *mac,
	const struct addr *addr, uint64_t now_ms, uint64_t *until_ms);
/* The same of a mail address, by its key (mailset.h): does the list hold it, its domain, or a
 * domain above? And of a host, by "@" and its name. */
bool lists_match_mail(const struct lists *lists, const char *name, const char *key, uint64_t now_ms,
	uint64_t *until_ms);
/* Of a list of mail addresses or host names: is an element of just this key in it? */
bool lists_match_text(const struct lists *lists, const char *name, const char *key, uint64_t now_ms,
	uint64_t *until_ms);
size_t lists_count(const struct lists *lists, const char *name);
/* In order; stops when visit returns non-zero and returns that. visit must not change the list. */
int lists_each(const struct lists *lists, const char *name,
	int (*visit)(void *context, const struct policy_elem *elem, uint64_t end_ms),
	void *context);
/* The next entry to end: name and elem are borrowed. false: none. Never a scan. */
bool lists_next_end(
	const struct lists *lists, const char **name, struct policy_elem *elem, uint64_t *end_ms);

#endif
