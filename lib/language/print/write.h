/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns text that grows while a policy is printed. Private to lib/language/. */
#ifndef POSTERN_LIB_LANGUAGE_PRINT_WRITE_H
#define POSTERN_LIB_LANGUAGE_PRINT_WRITE_H

#include "lib/language/language.h"

struct language_writer {
	char *text;
	size_t len, room;
	bool failed; /* out of memory */
};

void language_write(struct language_writer *w, const char *text, size_t len);
/* At most 511 bytes. */
void language_writef(struct language_writer *w, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* The text, malloc'ed; NULL: out of memory. len may be NULL. */
char *language_write_end(struct language_writer *w, size_t *len);

/* Values as the language writes them; word is what stands in front of the first. */
void language_put(struct language_writer *w, const char *text);
void language_put_string(struct language_writer *w, const struct policy_string *string);
void language_put_strings(
	struct language_writer *w, const char *word, const struct policy_strings *strings);
/* more: they go on behind values of another form in the same comma list */
void language_put_names(
	struct language_writer *w, const char *word, const struct policy_strings *names, bool more);
void language_put_prefixes(
	struct language_writer *w, const char *word, const struct policy_prefixes *prefixes);
void language_put_ports(
	struct language_writer *w, const char *word, const struct policy_ports *ports);
void language_put_duration(struct language_writer *w, const char *word, uint64_t ms);
void language_put_act(struct language_writer *w, const struct policy_act *act, bool full);
void language_put_elem(struct language_writer *w, const struct policy_elem *elem);
/* tls.c: whole statements, without what is around them. */
void language_put_certificate(struct language_writer *w, const struct policy_certificate *c);
void language_put_auth(struct language_writer *w, const struct policy_auth *auth);
const char *language_posture_word(enum policy_posture posture);
void language_put_zone(
	struct language_writer *w, const struct policy *policy, size_t zone, bool full);
void language_put_scan(struct language_writer *w, const struct policy_scan *scan, bool full);
void language_put_radius(struct language_writer *w, const struct policy_radius *radius, bool full);
void language_put_portal(struct language_writer *w, const struct policy_portal *portal, bool full);
void language_put_client_tls(
	struct language_writer *w, const struct policy_client_tls *tls, bool full);
void language_put_server_tls(struct language_writer *w, const struct policy_server_tls *tls);
void language_put_account(
	struct language_writer *w, const struct policy_account *account, bool full);
void language_put_tls_condition(
	struct language_writer *w, const struct policy_tls_condition *condition);

/* An empty line between two groups of statements, unless nothing stands before it. */
void language_write_gap(struct language_writer *w);
/* All in front of the first statement with a name. */
void language_write_top(struct language_writer *w, const struct policy *policy, bool full);
/* One statement with its newline. */
void language_write_part(struct language_writer *w, const struct policy *policy,
	enum policy_kind kind, size_t i, enum language_print flags);
void language_write_rule(struct language_writer *w, const struct policy_rule *rule);

#endif
