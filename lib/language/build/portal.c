/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/language/build/language_build.h"

#include <string.h>

static bool once(struct language *l, const struct language_span *word, const char *text)
{
	return language_once(l, &l->block, word, text);
}

void language_portal_begin(
	struct language *l, const struct language_span *span, const struct policy_string *name)
{
	const struct policy_string empty = language_empty();

	memset(&l->portal_note, 0, sizeof(l->portal_note));
	language_enter(l, &l->block, LANGUAGE_BLOCK_PORTAL, name);
	l->portal = (struct policy_portal){.place = span->place,
		.name = *name,
		.port = POLICY_PORTAL_PORT,
		.http_port = POLICY_PORTAL_HTTP_PORT,
		.terms_file = empty,
		.logo_file = empty,
		.texts_file = empty,
		.comment = empty};
	l->portal_note.name = *span;
}

void language_portal_zones(struct language *l, const struct language_span *word)
{
	once(l, word, "zone");
	language_keep_strings(l, &l->items, &l->portal.zone_names, &l->portal_note.zones);
	l->portal.zones = language_alloc(l, l->portal.zone_names.n, sizeof(*l->portal.zones));
}

void language_portal_names(struct language *l, const struct language_span *word)
{
	once(l, word, "name");
	language_keep_strings(l, &l->items, &l->portal.names, &l->portal_note.names);
}

void language_portal_addresses(struct language *l, const struct language_span *word)
{
	struct policy_prefixes prefixes;
	struct policy_portal *portal = &l->portal;

	once(l, word, "address");
	language_keep_prefixes(l, &l->items, &prefixes, &l->portal_note.addresses);
	portal->naddresses = 0;
	portal->addresses = language_alloc(l, prefixes.n, sizeof(*portal->addresses));
	for (size_t i = 0; portal->addresses && i < prefixes.n; i++)
		portal->addresses[portal->naddresses++] = prefixes.v[i].addr;
}

void language_portal_port(struct language *l, const struct language_span *word,
	const struct language_span *span, uint16_t port)
{
	once(l, word, "port");
	l->portal.port = port;
	l->portal.given |= POLICY_PORTAL_GIVEN_PORT;
	l->portal_note.port = *span;
}

void language_portal_http(struct language *l, const struct language_span *word,
	const struct language_span *span, uint16_t port)
{
	once(l, word, "http");
	l->portal.http_port = port;
	l->portal.given |= POLICY_PORTAL_GIVEN_HTTP;
	l->portal_note.http = *span;
}

void language_portal_certificates(struct language *l, const struct language_span *word, bool none)
{
	struct policy_portal *portal = &l->portal;

	once(l, word, "certificate");
	l->portal_note.certificate = *word;
	l->portal_note.no_certificate = none;
	if (none)
		return;
	language_keep_strings(
		l, &l->items, &portal->certificate_names, &l->portal_note.certificates);
	portal->certificates =
		language_alloc(l, portal->certificate_names.n, sizeof(*portal->certificates));
}

void language_portal_auths(struct language *l, const struct language_span *word, bool none)
{
	struct policy_portal *portal = &l->portal;

	once(l, word, "auth");
	l->portal_note.auth = *word;
	l->portal_note.no_auth = none;
	if (none)
		return;
	language_keep_strings(l, &l->items, &portal->auth_names, &l->portal_note.auths);
	portal->auths = language_alloc(l, portal->auth_names.n, sizeof(*portal->auths));
}

void language_portal_file(struct language *l, const struct language_span *word,
	const struct language_span *span, const struct policy_string *path,
	enum language_portal_file file)
{
	static const char *const words[] = {"terms", "logo", "texts"};
	struct policy_string *const paths[] = {
		&l->portal.terms_file, &l->portal.logo_file, &l->portal.texts_file};
	struct policy_span *const places[] = {
		&l->portal.terms_at, &l->portal.logo_at, &l->portal.texts_at};

	once(l, word, words[file]);
	*paths[file] = language_path(l, span, path, places[file]);
}

void language_portal_comment(struct language *l, const struct language_span *word,
	const struct language_span *span, const struct policy_string *text)
{
	once(l, word, "comment");
	l->portal.comment = language_comment(l, span, text);
}

static void check_parts(struct language *l)
{
	const struct policy_portal *portal = &l->portal;
	const struct language_portal_note *note = &l->portal_note;
	const struct {
		bool lacking;
		const char *what, *expected;
	} parts[] = {
		{portal->zone_names.n == 0, "no zone whose clients log in there", "zone NAME"},
		{portal->names.n == 0, "no name that a browser finds it by",
			"name \"login.example\""},
		{portal->naddresses == 0, "no address", "address ADDRESS"},
		{note->certificate.width == 0, "no certificate",
			"certificate NAME` or `certificate none"},
		{note->auth.width == 0, "nobody who knows the passwords",
			"auth NAME` or `auth none"},
	};

	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		if (parts[i].lacking)
			language_error(l, &note->name, "portal %s has %s, expected `%s`",
				portal->name.text, parts[i].what, parts[i].expected);
	if (note->no_auth && portal->terms_file.len == 0)
		language_error(l, &note->auth,
			"nobody is asked for a password at portal %s, and there is nothing to "
			"agree to either; expected `terms file \"PATH\"` beside it",
			portal->name.text);
}

void language_portal_end(struct language *l)
{
	if (l->out_of_memory)
		return;
	if (language_whole(l))
		check_parts(l);
	struct policy_portal *slot = language_push(l, &l->portals, sizeof(*slot));
	struct language_portal_note *note = language_push(l, &l->portal_notes, sizeof(*note));
	if (slot && note) {
		*slot = l->portal;
		*note = l->portal_note;
	}
}
