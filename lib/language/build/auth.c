/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/language/build/language_build.h"

#include <string.h>

static bool once(struct language *l, const struct language_span *word, const char *text)
{
	return language_once(l, &l->block, word, text);
}

static struct policy_ldap no_ldap(void)
{
	const struct policy_string empty = language_empty();

	return (struct policy_ldap){.base = empty,
		.filter = empty,
		.bind = empty,
		.secret_file = empty,
		.group = empty,
		.prefix = empty,
		.mail = empty,
		.ca = empty};
}

void language_auth_begin(
	struct language *l, const struct language_span *span, const struct policy_string *name)
{
	const struct policy_string empty = language_empty();

	memset(&l->auth_note, 0, sizeof(l->auth_note));
	language_enter(l, &l->block, LANGUAGE_BLOCK_AUTH, name);
	l->auth = (struct policy_auth){.place = span->place,
		.name = *name,
		.ldap = no_ldap(),
		.server_name = empty,
		.path = empty,
		.domain = empty,
		.comment = empty};
	l->auth_note.name = *span;
}

/* One of the four ways, and one only. */
static void take_backend(
	struct language *l, const struct language_span *word, enum policy_auth_kind kind)
{
	const char *name = policy_auth_kind_names[kind];

	if (l->auth_note.backend.width > 0 && l->auth.kind != kind)
		language_error(l, word,
			"auth %s is `%s` already, expected one of ldap, forward, dovecot and file; "
			"a listener takes several auths: `auth ONE, ANOTHER`",
			l->auth.name.text, policy_auth_kind_names[l->auth.kind]);
	else
		once(l, word, name);
	l->auth.kind = kind;
	l->auth_note.backend = *word;
}

void language_auth_ldap(struct language *l, const struct language_span *word)
{
	take_backend(l, word, POLICY_AUTH_LDAP);
	language_keep_strings(l, &l->items, &l->auth.ldap.urls, &l->auth_note.urls);
	language_enter(l, &l->inner, LANGUAGE_BLOCK_LDAP, NULL);
}

void language_auth_forward(struct language *l, const struct language_span *word,
	const struct language_span *span, const struct policy_string *server)
{
	take_backend(l, word, POLICY_AUTH_FORWARD);
	l->auth.server_name = *server;
	l->auth_note.value = *span;
}

void language_auth_path(struct language *l, const struct language_span *word,
	const struct language_span *span, const struct policy_string *path,
	enum policy_auth_kind kind)
{
	take_backend(l, word, kind);
	l->auth.path = language_path(l, span, path, &l->auth.path_at);
	l->auth_note.value = *span;
}

void language_auth_mechanisms(struct language *l, const struct language_span *word)
{
	once(l, word, "mechanism");
	language_keep_strings(l, &l->items, &l->auth.mechanisms, &l->auth_note.mechanisms);
}

void language_auth_domain(struct language *l, const struct language_span *word,
	const struct language_span *span, const struct policy_string *domain)
{
	once(l, word, "domain");
	l->auth.domain = *domain;
	l->auth_note.domain = *span;
}

void language_auth_comment(struct language *l, const struct language_span *word,
	const struct language_span *span, const struct policy_string *text)
{
	once(l, word, "comment");
	l->auth.comment = language_comment(l, span, text);
}

void language_auth_end(struct language *l)
{
	if (l->auth_note.backend.width == 0 && language_whole(l))
		language_error(l, &l->auth_note.name,
			"auth %s asks nobody, expected ldap, forward, dovecot or file",
			l->auth.name.text);
	struct policy_auth *auth = language_push(l, &l->auths, sizeof(*auth));
	struct language_auth_note *note = language_push(l, &l->auth_notes, sizeof(*note));
	if (auth && note) {
		*auth = l->auth;
		*note = l->auth_note;
	}
}

/* ---- ldap ---- */

static const char *const ldap_words[LANGUAGE_LDAPS] = {
	[LANGUAGE_LDAP_BASE] = "base",
	[LANGUAGE_LDAP_FILTER] = "filter",
	[LANGUAGE_LDAP_BIND] = "bind",
	[LANGUAGE_LDAP_SECRET] = "secret",
	[LANGUAGE_LDAP_GROUP] = "group",
	[LANGUAGE_LDAP_PREFIX] = "prefix",
	[LANGUAGE_LDAP_MAIL] = "mail",
	[LANGUAGE_LDAP_CA] = "ca",
};

static struct policy_string *text_of(struct policy_ldap *ldap, enum language_ldap which)
{
	struct policy_string *const texts[LANGUAGE_LDAPS] = {
		[LANGUAGE_LDAP_BASE] = &ldap->base,
		[LANGUAGE_LDAP_FILTER] = &ldap->filter,
		[LANGUAGE_LDAP_BIND] = &ldap->bind,
		[LANGUAGE_LDAP_SECRET] = &ldap->secret_file,
		[LANGUAGE_LDAP_GROUP] = &ldap->group,
		[LANGUAGE_LDAP_PREFIX] = &ldap->prefix,
		[LANGUAGE_LDAP_MAIL] = &ldap->mail,
		[LANGUAGE_LDAP_CA] = &ldap->ca,
	};

	return texts[which];
}

static void take(struct language *l, const struct language_span *word,
	const struct language_span *span, struct policy_string text, enum language_ldap which)
{
	language_once(l, &l->inner, word, ldap_words[which]);
	*text_of(&l->auth.ldap, which) = text;
	l->auth_note.ldap[which] = *span;
}

void language_ldap_text(struct language *l, const struct language_span *word,
	const struct language_span *span, const struct policy_string *text,
	enum language_ldap which)
{
	if (text->len == 0)
		language_error(l, span, "this is empty, expected a text");
	take(l, word, span, *text, which);
}

void language_ldap_file(struct language *l, const struct language_span *word,
	const struct language_span *span, const struct policy_string *path,
	enum language_ldap which)
{
	struct policy_ldap *ldap = &l->auth.ldap;
	bool secret = which == LANGUAGE_LDAP_SECRET;

	take(l, word, span, language_path(l, span, path, secret ? &ldap->secret_at : &ldap->ca_at),
		which);
}

void language_ldap_insecure(struct language *l, const struct language_span *word)
{
	language_once(l, &l->inner, word, "insecure");
	l->auth.ldap.insecure = true;
	l->auth_note.insecure = *word;
}
