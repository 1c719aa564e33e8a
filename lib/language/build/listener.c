/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/language/build/language_build.h"

#include "lib/policy/element.h"

#include <string.h>

static bool once(struct language *l, const struct language_span *word, const char *text)
{
	return language_once(l, &l->block, word, text);
}

/* ---- listener */

void language_listener_begin(
	struct language *l, const struct language_span *span, const struct policy_string *name)
{
	memset(&l->listener, 0, sizeof(l->listener));
	memset(&l->listener_note, 0, sizeof(l->listener_note));
	language_enter(l, &l->block, LANGUAGE_BLOCK_LISTENER, name);
	l->listener.place = span->place;
	l->listener.name = *name;
	l->listener.comment = language_empty();
	l->listener.tls = language_no_client_tls();
	l->listener.unmatched = language_verdict(POLICY_VERDICT_ANSWER);
	l->listener.unmatched.code = 554;
	l->listener.unmatched.text = language_copy(l, "relaying denied", 15);
	l->listener_note.name = l->listener_note.unmatched = *span;
	l->limits.n = 0;
}

void language_listener_addresses(struct language *l, const struct language_span *word)
{
	struct policy_prefixes prefixes;

	once(l, word, "address");
	language_keep_prefixes(l, &l->items, &prefixes, &l->listener_note.addresses);
	l->listener.naddresses = 0;
	l->listener.addresses = language_alloc(l, prefixes.n, sizeof(*l->listener.addresses));
	for (size_t i = 0; l->listener.addresses && i < prefixes.n; i++)
		l->listener.addresses[l->listener.naddresses++] = prefixes.v[i].addr;
}

void language_listener_ports(struct language *l, const struct language_span *word)
{
	once(l, word, "port");
	language_keep_ports(l, &l->items, &l->listener.ports, &l->listener_note.ports);
	l->listener.given |= POLICY_LISTENER_PORT;
}

void language_listener_accept(struct language *l, const struct language_span *word,
	const struct language_span *span, bool negated, bool any)
{
	once(l, word, "accept");
	l->listener_note.accept = *word;
	if (!any) {
		language_where(l, &l->listener.accept, &l->listener_note.lists, negated);
		return;
	}
	language_refuse_not_any(l, span, negated);
	l->listener.accept = (struct policy_where){.given = true, .any = true};
}

void language_listener_auth(struct language *l, const struct language_span *word)
{
	struct policy_listener *listener = &l->listener;

	once(l, word, "auth");
	language_keep_strings(l, &l->items, &listener->auth_names, &l->listener_note.auths);
	listener->auths = language_alloc(l, listener->auth_names.n, sizeof(*listener->auths));
	l->listener_note.auth = *word;
}

void language_listener_tls(struct language *l, const struct language_span *word)
{
	once(l, word, "tls");
	l->listener.tls = l->client_tls;
	l->listener_note.tls = l->tls_note;
}

void language_listener_newline(
	struct language *l, const struct language_span *word, enum policy_newline newline)
{
	once(l, word, "newline");
	l->listener.newline = newline;
	l->listener.given |= POLICY_LISTENER_NEWLINE;
}

void language_listener_unmatched(
	struct language *l, const struct language_span *word, const struct policy_act *act)
{
	once(l, word, "unmatched");
	l->listener.unmatched = *act;
	l->listener.given |= POLICY_LISTENER_UNMATCHED;
	l->listener_note.unmatched = *word;
}

void language_listener_comment(struct language *l, const struct language_span *word,
	const struct language_span *span, const struct policy_string *text)
{
	once(l, word, "comment");
	l->listener.comment = language_comment(l, span, text);
	l->listener.given |= POLICY_LISTENER_COMMENT;
}

void language_listener_end(struct language *l)
{
	struct policy_listener *listener = &l->listener;

	language_limits_end(l, &listener->limits, &listener->place);
	if (listener->naddresses == 0 && language_whole(l))
		language_error(l, &l->listener_note.name,
			"listener %s has no address, expected at least one", listener->name.text);
	if (!(listener->given & POLICY_LISTENER_PORT)) {
		listener->ports.v = language_alloc(l, 1, sizeof(*listener->ports.v));
		if (!listener->ports.v)
			return;
		listener->ports.v[0] = 25;
		listener->ports.n = 1;
	}
	struct policy_listener *slot = language_push(l, &l->listeners, sizeof(*slot));
	struct language_listener_note *note = language_push(l, &l->listener_notes, sizeof(*note));
	if (slot && note) {
		*slot = *listener;
		*note = l->listener_note;
	}
}

/* ---- domain */

void language_domain_begin(
	struct language *l, const struct language_span *span, const struct policy_string *name)
{
	memset(&l->domain, 0, sizeof(l->domain));
	memset(&l->domain_note, 0, sizeof(l->domain_note));
	language_enter(l, &l->block, LANGUAGE_BLOCK_DOMAIN, name);
	l->domain.place = span->place;
	l->domain.name = *name;
	l->domain.server_name = l->domain.comment = language_empty();
	l->domain_note.name = *span;
}

void language_domain_names(struct language *l, const struct language_span *word)
{
	const struct language_item *item = l->items.v;
	struct policy_strings *names = &l->domain.names;
	struct policy_elems elems;

	once(l, word, "name");
	l->domain_note.named = true;
	language_keep_elems(l, &l->items, &elems, &l->domain_note.names);
	names->n = 0;
	names->v = language_alloc(l, elems.n, sizeof(*names->v));
	for (size_t i = 0; names->v && i < l->items.n; i++)
		if (item[i].kind == LANGUAGE_ITEM_ELEM)
			names->v[names->n++] =
				language_copy(l, item[i].elem.text, item[i].elem.len);
	language_keep_strings(l, &l->items, &l->domain.list_names, &l->domain_note.lists);
	l->domain.lists = language_alloc(l, l->domain.list_names.n, sizeof(*l->domain.lists));
}

void language_domain_server(struct language *l, const struct language_span *word,
	const struct language_span *span, const struct policy_string *name)
{
	once(l, word, "server");
	l->domain.server_name = *name;
	l->domain_note.server = *span;
}

void language_domain_recipients(struct language *l, const struct language_span *word, bool any)
{
	once(l, word, "recipient");
	l->domain.recipient_any = any;
	if (!any)
		language_mails(l, &l->domain.recipients, &l->domain_note.recipients, false);
}

void language_domain_comment(struct language *l, const struct language_span *word,
	const struct language_span *span, const struct policy_string *text)
{
	once(l, word, "comment");
	l->domain.comment = language_comment(l, span, text);
}

void language_domain_end(struct language *l)
{
	const struct policy_domain *d = &l->domain;
	const char *lacking = !l->domain_note.named     ? "name, expected at least one"
			      : d->server_name.len == 0 ? "server, expected one"
							: NULL;

	if (lacking && language_whole(l))
		language_error(
			l, &l->domain_note.name, "domain %s has no %s", d->name.text, lacking);
	struct policy_domain *domain = language_push(l, &l->domains, sizeof(*domain));
	struct language_domain_note *note = language_push(l, &l->domain_notes, sizeof(*note));
	if (domain && note) {
		*domain = l->domain;
		*note = l->domain_note;
	}
}
