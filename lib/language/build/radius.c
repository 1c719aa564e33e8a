/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/language/build/language_build.h"

#include <string.h>

#define TIMEOUT_LEAST_S 60
#define TIMEOUT_MOST_S  (30 * 86400)
#define SKEW_MOST_S     86400

static bool once(struct language *l, const struct language_span *word, const char *text)
{
	return language_once(l, &l->block, word, text);
}

static bool once_inside(struct language *l, const struct language_span *word, const char *text)
{
	return language_once(l, &l->inner, word, text);
}

void language_radius_begin(
	struct language *l, const struct language_span *span, const struct policy_string *name)
{
	const struct policy_string empty = language_empty();

	memset(&l->radius_note, 0, sizeof(l->radius_note));
	l->radius_sources.n = l->radius_source_notes.n = 0;
	l->radius_zones.n = l->radius_zone_notes.n = 0;
	language_enter(l, &l->block, LANGUAGE_BLOCK_RADIUS, name);
	l->radius = (struct policy_radius){.place = span->place,
		.name = *name,
		.users = {POLICY_RADIUS_CUI, POLICY_RADIUS_USER_NAME},
		.nusers = 2,
		.prefix = empty,
		.timeout_s = POLICY_RADIUS_TIMEOUT_S,
		.skew_s = POLICY_RADIUS_SKEW_S,
		.comment = empty};
	l->radius_note.name = *span;
}

void language_radius_listen(struct language *l, const struct language_span *word,
	const struct language_span *span, uint16_t port)
{
	struct policy_prefixes prefixes;
	struct policy_radius *radius = &l->radius;

	(void)span;
	once(l, word, "listen");
	l->radius_note.listen = *word;
	language_keep_prefixes(l, &l->items, &prefixes, &l->radius_note.addresses);
	radius->naddresses = 0;
	radius->addresses = language_alloc(l, prefixes.n, sizeof(*radius->addresses));
	for (size_t i = 0; radius->addresses && i < prefixes.n; i++)
		radius->addresses[radius->naddresses++] = prefixes.v[i].addr;
	radius->port = port;
}

/* ---- from ---- */

void language_radius_from(struct language *l, const struct language_span *word)
{
	language_enter(l, &l->inner, LANGUAGE_BLOCK_RADIUS_SOURCE, NULL);
	l->radius_source = (struct policy_radius_source){.secret_file = language_empty()};
	l->radius_part_note = (struct language_radius_part_note){.word = *word};
	language_keep_prefixes(
		l, &l->items, &l->radius_source.prefixes, &l->radius_part_note.values);
}

void language_radius_secret(struct language *l, const struct language_span *word,
	const struct language_span *span, const struct policy_string *path)
{
	once_inside(l, word, "secret");
	l->radius_source.secret_file = language_path(l, span, path, &l->radius_source.secret_at);
}

void language_radius_from_end(struct language *l)
{
	if (l->radius_source.secret_file.len == 0 && language_whole(l))
		language_error(l, &l->radius_part_note.word,
			"these have no secret, expected `secret file \"...\"` in braces behind "
			"them");
	struct policy_radius_source *source = language_push(l, &l->radius_sources, sizeof(*source));
	struct language_radius_part_note *note =
		language_push(l, &l->radius_source_notes, sizeof(*note));
	if (source && note) {
		*source = l->radius_source;
		*note = l->radius_part_note;
	}
}

/* ---- zone ---- */

void language_radius_zone(
	struct language *l, const struct language_span *span, const struct policy_string *name)
{
	language_enter(l, &l->inner, LANGUAGE_BLOCK_RADIUS_ZONE, NULL);
	l->radius_zone = (struct policy_radius_zone){.zone_name = *name};
	l->radius_part_note = (struct language_radius_part_note){.word = *span};
}

void language_radius_ssids(struct language *l, const struct language_span *word)
{
	once_inside(l, word, "ssid");
	language_keep_strings(l, &l->items, &l->radius_zone.ssids, &l->radius_part_note.values);
}

void language_radius_nases(struct language *l, const struct language_span *word)
{
	once_inside(l, word, "nas");
	language_keep_strings(l, &l->items, &l->radius_zone.nases, NULL);
}

void language_radius_wlans(struct language *l, const struct language_span *word)
{
	const struct language_item *item = l->items.v;

	once_inside(l, word, "wlan");
	l->radius_zone.nwlans = 0;
	l->radius_zone.wlans = language_alloc(l, l->items.n, sizeof(*l->radius_zone.wlans));
	for (size_t i = 0; l->radius_zone.wlans && i < l->items.n; i++)
		l->radius_zone.wlans[l->radius_zone.nwlans++] =
			language_number(l, &item[i].span, item[i].number, 0, UINT32_MAX);
}

void language_radius_zone_end(struct language *l)
{
	struct policy_radius_zone *zone = language_push(l, &l->radius_zones, sizeof(*zone));
	struct language_radius_part_note *note =
		language_push(l, &l->radius_zone_notes, sizeof(*note));

	if (zone && note) {
		*zone = l->radius_zone;
		*note = l->radius_part_note;
	}
}

/* ---- the rest ---- */

void language_radius_users(struct language *l, const struct language_span *word)
{
	const struct language_item *item = l->items.v;
	struct policy_radius *radius = &l->radius;

	once(l, word, "user");
	radius->given |= POLICY_RADIUS_GIVEN_USER;
	radius->nusers = 0;
	for (size_t i = 0; i < l->items.n; i++) {
		enum policy_radius_user user = (enum policy_radius_user)item[i].number;
		for (size_t j = 0; j < i; j++)
			if (item[j].number == item[i].number) {
				language_error(l, &item[i].span, "%s stands twice, expected once",
					policy_radius_user_names[user]);
				return;
			}
		radius->users[radius->nusers++] = user;
	}
}

void language_radius_ignore(struct language *l, const struct language_span *word)
{
	once(l, word, "ignore");
	language_keep_strings(l, &l->items, &l->radius.ignored, NULL);
}

void language_radius_group(
	struct language *l, const struct language_span *word, enum policy_radius_group group)
{
	once(l, word, "group");
	language_enter(l, &l->inner, LANGUAGE_BLOCK_RADIUS_GROUP, NULL);
	l->radius.group = group;
	l->radius.given |= POLICY_RADIUS_GIVEN_GROUP;
}

void language_radius_prefix(struct language *l, const struct language_span *word,
	const struct language_span *span, const struct policy_string *prefix)
{
	once_inside(l, word, "prefix");
	if (prefix->len == 0)
		language_error(l, span, "this is empty, expected a text");
	l->radius.prefix = *prefix;
}

/* Whole seconds; `least` where they are not. */
static uint32_t seconds(struct language *l, const struct language_span *span, uint64_t ms,
	uint32_t least, uint32_t most)
{
	if (ms % 1000 == 0 && ms >= least * 1000ull && ms <= most * 1000ull)
		return (uint32_t)(ms / 1000);
	language_error(
		l, span, "this time does not fit, expected whole seconds, %us to %us", least, most);
	return least;
}

void language_radius_timeout(struct language *l, const struct language_span *word,
	const struct language_span *span, uint64_t ms)
{
	once(l, word, "timeout");
	l->radius.timeout_s = seconds(l, span, ms, TIMEOUT_LEAST_S, TIMEOUT_MOST_S);
	l->radius.given |= POLICY_RADIUS_GIVEN_TIMEOUT;
}

void language_radius_skew(struct language *l, const struct language_span *word,
	const struct language_span *span, uint64_t ms)
{
	once(l, word, "skew");
	l->radius.skew_s = seconds(l, span, ms, 1, SKEW_MOST_S);
	l->radius.given |= POLICY_RADIUS_GIVEN_SKEW;
}

void language_radius_restart(struct language *l, const struct language_span *word, bool keeps)
{
	once(l, word, "restart");
	l->radius.restart_keeps = keeps;
	l->radius.given |= POLICY_RADIUS_GIVEN_RESTART;
}

void language_radius_comment(struct language *l, const struct language_span *word,
	const struct language_span *span, const struct policy_string *text)
{
	once(l, word, "comment");
	l->radius.comment = language_comment(l, span, text);
}

static void check_parts(struct language *l)
{
	const struct policy_radius *radius = &l->radius;
	const struct language_span *name = &l->radius_note.name;

	if (radius->naddresses == 0)
		language_error(l, name,
			"radius %s listens nowhere, expected `listen ADDRESS port "
			"1813`",
			radius->name.text);
	if (radius->nsources == 0)
		language_error(l, name,
			"radius %s hears nobody, expected `from NETWORK { secret file \"...\" }`",
			radius->name.text);
	if (radius->nzones == 0)
		language_error(l, name,
			"radius %s has no zone that sessions are of, expected `zone NAME`",
			radius->name.text);
}

void language_radius_end(struct language *l)
{
	struct policy_radius *radius = &l->radius;
	struct language_radius_note *note = &l->radius_note;

	radius->nsources = l->radius_sources.n;
	radius->sources = language_keep(l, &l->radius_sources, sizeof(*radius->sources));
	note->sources = language_keep(l, &l->radius_source_notes, sizeof(*note->sources));
	radius->nzones = l->radius_zones.n;
	radius->zones = language_keep(l, &l->radius_zones, sizeof(*radius->zones));
	note->zones = language_keep(l, &l->radius_zone_notes, sizeof(*note->zones));
	if (l->out_of_memory)
		return;
	if (language_whole(l))
		check_parts(l);
	struct policy_radius *slot = language_push(l, &l->radiuses, sizeof(*slot));
	struct language_radius_note *note_slot =
		language_push(l, &l->radius_notes, sizeof(*note_slot));
	if (slot && note_slot) {
		*slot = *radius;
		*note_slot = *note;
	}
}
