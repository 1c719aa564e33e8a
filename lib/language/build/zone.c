/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/base/hash.h"
#include "lib/language/build/language_build.h"

#include <string.h>

static bool once(struct language *l, const struct language_span *word, const char *text)
{
	return language_once(l, &l->block, word, text);
}

/* A text for people that stands in the program. */
static struct policy_string constant(const char *text)
{
	struct policy_string string = {.text = text, .len = (uint32_t)strlen(text)};

	string.hash = hash_bytes(text, string.len);
	return string;
}

void language_zone_begin(
	struct language *l, const struct language_span *span, const struct policy_string *name)
{
	memset(&l->zone, 0, sizeof(l->zone));
	memset(&l->zone_note, 0, sizeof(l->zone_note));
	language_enter(l, &l->block, LANGUAGE_BLOCK_ZONE, name);
	l->zone.place = span->place;
	l->zone.name = *name;
	l->zone.comment = language_empty();
	l->zone.tls = language_no_client_tls();
	l->zone.unauthenticated = (struct policy_act){
		.verdict = POLICY_VERDICT_ANSWER, .code = 421, .text = constant("Not logged in")};
	l->zone.unmatched = (struct policy_act){.verdict = POLICY_VERDICT_ANSWER,
		.code = 421,
		.text = constant("No rule for you here")};
	l->zone_note.name = l->zone_note.identity = l->zone_note.unmatched = *span;
	l->interfaces.n = 0;
	l->limits.n = 0;
}

static bool is_interface(const struct policy_string *name)
{
	bool wildcard = name->len > 0 && name->text[name->len - 1] == '*';

	if (name->len == 0 || name->len - wildcard >= POLICY_IFNAME_SIZE)
		return false;
	if (strcmp(name->text, ".") == 0 || strcmp(name->text, "..") == 0)
		return false;
	for (size_t i = 0; i + wildcard < name->len; i++) {
		if (strchr(" /:*", name->text[i]))
			return false;
	}
	return true;
}

/* `interface` may stand more than once; all of them are kept together. */
void language_zone_interfaces(struct language *l)
{
	const struct language_item *item = l->items.v;

	for (size_t i = 0; i < l->items.n; i++) {
		if (!is_interface(&item[i].string))
			language_error(l, &item[i].span,
				"this is no interface name, expected 1 to 15 characters without "
				"space, slash and colon, perhaps a * at the end");
		struct language_item *slot = language_push(l, &l->interfaces, sizeof(*slot));
		if (slot)
			*slot = item[i];
	}
}

void language_zone_networks(struct language *l, const struct language_span *word)
{
	once(l, word, "network");
	language_keep_prefixes(l, &l->items, &l->zone.networks, &l->zone_note.networks);
}

void language_zone_ports(struct language *l, const struct language_span *word)
{
	once(l, word, "port");
	language_keep_ports(l, &l->items, &l->zone.ports, &l->zone_note.ports);
	l->zone.given |= POLICY_ZONE_PORT;
}

void language_zone_identity(struct language *l, const struct language_span *word,
	const struct language_span *span, enum policy_identity identity)
{
	once(l, word, "identity");
	l->zone.identity = identity;
	l->zone.given |= POLICY_ZONE_IDENTITY;
	l->zone_note.identity = *span;
}

void language_zone_unauthenticated(
	struct language *l, const struct language_span *word, const struct policy_act *act)
{
	once(l, word, "unauthenticated");
	l->zone.unauthenticated = *act;
	l->zone.given |= POLICY_ZONE_UNAUTHENTICATED;
}

void language_zone_unmatched(
	struct language *l, const struct language_span *word, const struct policy_act *act)
{
	once(l, word, "unmatched");
	l->zone.unmatched = *act;
	l->zone.given |= POLICY_ZONE_UNMATCHED;
	l->zone_note.unmatched = *word;
}

void language_zone_on_failure(
	struct language *l, const struct language_span *word, enum policy_posture posture)
{
	once(l, word, "on-failure");
	l->zone.on_failure = posture;
	l->zone.given |= POLICY_ZONE_ON_FAILURE;
}

void language_zone_lease(struct language *l, const struct language_span *word,
	const struct language_span *span, uint64_t ms)
{
	once(l, word, "lease");
	l->zone.lease_s = span ? language_seconds(l, span, ms, 1) : 0;
	l->zone.given |= POLICY_ZONE_LEASE;
}

void language_zone_idle(struct language *l, const struct language_span *word,
	const struct language_span *span, uint64_t ms)
{
	once(l, word, "idle");
	l->zone.idle_s = span ? language_seconds(l, span, ms, 1) : 0;
	l->zone.given |= POLICY_ZONE_IDLE;
}

void language_zone_reauthenticate(struct language *l, const struct language_span *word,
	const struct language_span *span, uint64_t ms)
{
	once(l, word, "reauthenticate");
	l->zone.reauthenticate_s = span ? language_seconds(l, span, ms, 1) : 0;
	l->zone.given |= POLICY_ZONE_REAUTHENTICATE;
}

void language_zone_on_link_down(struct language *l, const struct language_span *word, bool ends)
{
	once(l, word, "on-link-down");
	l->zone.link_down_ends = ends;
	l->zone.given |= POLICY_ZONE_ON_LINK_DOWN;
}

void language_zone_on_logout(struct language *l, const struct language_span *word, bool keeps)
{
	once(l, word, "on-logout");
	l->zone.logout_keeps = keeps;
	l->zone.given |= POLICY_ZONE_ON_LOGOUT;
}

void language_zone_level(
	struct language *l, const struct language_span *word, enum policy_level level)
{
	once(l, word, "level");
	l->zone.level = level;
	l->zone.given |= POLICY_ZONE_LEVEL;
	l->zone_note.level = *word;
}

void language_zone_newline(
	struct language *l, const struct language_span *word, enum policy_newline newline)
{
	once(l, word, "newline");
	l->zone.newline = newline;
	l->zone.given |= POLICY_ZONE_NEWLINE;
	l->zone_note.newline = *word;
}

void language_zone_comment(struct language *l, const struct language_span *word,
	const struct language_span *span, const struct policy_string *text)
{
	once(l, word, "comment");
	l->zone.comment = language_comment(l, span, text);
	l->zone.given |= POLICY_ZONE_COMMENT;
}

void language_zone_end(struct language *l)
{
	language_keep_strings(l, &l->interfaces, &l->zone.interfaces, &l->zone_note.interfaces);
	language_limits_end(l, &l->zone.limits, &l->zone.place);
	if (l->zone.interfaces.n == 0 && language_whole(l))
		language_error(l, &l->zone_note.name,
			"zone %s has no interface, expected at least one", l->zone.name.text);
	if (!(l->zone.given & POLICY_ZONE_PORT)) {
		l->zone.ports.v = language_alloc(l, 1, sizeof(*l->zone.ports.v));
		if (!l->zone.ports.v)
			return;
		l->zone.ports.v[0] = 25;
		l->zone.ports.n = 1;
	}
	struct policy_zone *zone = language_push(l, &l->zones, sizeof(*zone));
	struct language_zone_note *note = language_push(l, &l->zone_notes, sizeof(*note));
	if (zone && note) {
		*zone = l->zone;
		*note = l->zone_note;
	}
}
