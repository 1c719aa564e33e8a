#include "lib/language_build.h"

#include <string.h>

static bool once(struct language *l, const struct language_span *word, const char *text)
{
	return language_once(l, &l->block, word, text);
}

/* A text for people that stands in the program. */
static struct policy_string constant(const char *text)
{
	struct policy_string string = {.text = text, .len = (uint32_t)strlen(text)};

	string.hash = policy_hash(text, string.len);
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
	l->zone.unauthenticated = (struct policy_act){
		.verdict = POLICY_VERDICT_ANSWER, .code = 421, .text = constant("Not logged in")};
	l->zone.unmatched = (struct policy_act){.verdict = POLICY_VERDICT_ANSWER,
		.code = 421,
		.text = constant("No rule for you here")};
	l->zone_note.name = l->zone_note.identity = *span;
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

void language_zone_on_logout(struct language *l, const struct language_span *word, bool keeps)
{
	once(l, word, "on-logout");
	l->zone.logout_keeps = keeps;
	l->zone.given |= POLICY_ZONE_ON_LOGOUT;
}

void language_limit_begin(struct language *l)
{
	language_enter(l, &l->inner, LANGUAGE_BLOCK_LIMIT, NULL);
	l->limit_block_s = 0;
}

void language_limit_block(struct language *l, const struct language_span *word,
	const struct language_span *span, uint64_t ms)
{
	language_once(l, &l->inner, word, "block");
	l->limit_block = *word;
	l->limit_block_s = language_seconds(l, span, ms, 1);
}

void language_zone_limit(struct language *l, const struct language_span *word,
	const struct language_span *span, enum policy_limit_kind kind, uint64_t count,
	uint32_t seconds, enum policy_per per)
{
	struct policy_limit limit = {
		.place = word->place, .kind = kind, .per = per, .per_seconds = seconds};

	limit.count = language_number(l, span, count, 1, 1000000000);
	if (kind == POLICY_LIMIT_RATE)
		limit.block_s = l->limit_block_s;
	if (limit.block_s && per == POLICY_PER_ALL)
		language_error(l, &l->limit_block,
			"a limit of the whole zone blocks nobody, expected `per client` or `per "
			"user` before { block }");
	language_add_limit(l, &l->block, word, &limit);
}

void language_zone_comment(struct language *l, const struct language_span *word,
	const struct language_span *span, const struct policy_string *text)
{
	once(l, word, "comment");
	l->zone.comment = language_comment(l, span, text);
	l->zone.given |= POLICY_ZONE_COMMENT;
}

/* One client shall not hold all flows; how many they are is known at the end. */
static void imply_limit(struct language *l)
{
	const struct policy_limit *limits = l->limits.v;

	for (size_t i = 0; i < l->limits.n; i++)
		if (limits[i].kind == POLICY_LIMIT_FLOWS && limits[i].per == POLICY_PER_CLIENT)
			return;
	struct policy_limit *slot = language_push(l, &l->limits, sizeof(*slot));
	if (slot)
		*slot = (struct policy_limit){.implied = true,
			.place = l->zone.place,
			.kind = POLICY_LIMIT_FLOWS,
			.per = POLICY_PER_CLIENT};
}

void language_zone_end(struct language *l)
{
	language_keep_strings(l, &l->interfaces, &l->zone.interfaces, &l->zone_note.interfaces);
	imply_limit(l);
	l->zone.limits.v = language_keep(l, &l->limits, sizeof(struct policy_limit));
	l->zone.limits.n = l->zone.limits.v ? l->limits.n : 0;
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
