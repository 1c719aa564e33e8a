/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/language/print/write.h"

#include "lib/policy/level.h"

const char *language_posture_word(enum policy_posture posture)
{
	return posture == POLICY_POSTURE_OPEN ? "open" : "closed";
}

/* Defaults of the message level are told where the zone is read without them: written, they are
 * words that have it read. Nor is a count told that the kernel does not keep for all of the zone:
 * written, it would be refused. */
static bool is_told(const struct policy *policy, size_t zone, const struct policy_limit *limit)
{
	return limit->kind == POLICY_LIMIT_FLOWS
		       ? !policy_zone_by_kernel(policy, zone)
		       : level_of_zone(&policy->zones[zone]) != LEVEL_NO_WORD;
}

static void print_times(struct language_writer *w, const struct policy_zone *zone, unsigned given)
{
	const struct {
		unsigned flag;
		const char *word;
		uint32_t seconds;
	} times[] = {
		{POLICY_ZONE_LEASE, "lease", zone->lease_s},
		{POLICY_ZONE_IDLE, "idle", zone->idle_s},
		{POLICY_ZONE_REAUTHENTICATE, "reauthenticate", zone->reauthenticate_s},
	};

	for (size_t i = 0; i < sizeof(times) / sizeof(*times); i++) {
		if (!(given & times[i].flag))
			continue;
		language_writef(w, "\n    %s ", times[i].word);
		if (times[i].seconds)
			language_put_duration(w, "", times[i].seconds * 1000ull);
		else
			language_put(w, "none");
	}
}

static void print_limits(
	struct language_writer *w, const struct policy *policy, size_t index, bool full)
{
	const struct policy_zone *zone = &policy->zones[index];
	char text[LANGUAGE_LIMIT_SIZE];

	for (size_t i = 0; i < zone->limits.n; i++) {
		struct policy_limit limit = zone->limits.v[i];
		if (limit.implied && !(full && is_told(policy, index, &limit)))
			continue;
		limit.over_given |= full && limit.kind == POLICY_LIMIT_SESSIONS;
		language_put(w, "\n    ");
		language_put(w, language_format_limit(&limit, text));
	}
}

void language_put_zone(
	struct language_writer *w, const struct policy *policy, size_t index, bool full)
{
	const struct policy_zone *zone = &policy->zones[index];
	static const char *const identities[] = {[POLICY_IDENTITY_MAC] = "mac",
		[POLICY_IDENTITY_ADDRESS] = "address",
		[POLICY_IDENTITY_MAC_ADDRESS] = "mac+address"};
	static const char *const levels[] = {[POLICY_LEVEL_AUTO] = "auto",
		[POLICY_LEVEL_CONNECTION] = "connection",
		[POLICY_LEVEL_MESSAGE] = "message"};
	unsigned given = full ? ~0u : zone->given;

	language_writef(w, "zone %s {\n", zone->name.text);
	language_put_strings(w, "    interface ", &zone->interfaces);
	language_put_prefixes(w, "\n    network ", &zone->networks);
	if (given & POLICY_ZONE_PORT)
		language_put_ports(w, "\n    port ", &zone->ports);
	if (given & POLICY_ZONE_IDENTITY)
		language_writef(w, "\n    identity %s", identities[zone->identity]);
	if (given & POLICY_ZONE_ON_FAILURE)
		language_writef(w, "\n    on-failure %s", language_posture_word(zone->on_failure));
	print_times(w, zone, given);
	if (given & POLICY_ZONE_ON_LOGOUT)
		language_put(
			w, zone->logout_keeps ? "\n    on-logout keep" : "\n    on-logout kill");
	if (given & POLICY_ZONE_ON_LINK_DOWN)
		language_put(w, zone->link_down_ends ? "\n    on-link-down end"
						     : "\n    on-link-down keep");
	if (given & POLICY_ZONE_LEVEL)
		language_writef(w, "\n    level %s", levels[zone->level]);
	if (zone->given & POLICY_ZONE_NEWLINE)
		language_put(w, zone->newline == POLICY_NEWLINE_REPAIR ? "\n    newline repair"
								       : "\n    newline strict");
	if (zone->tls.given || full) {
		language_put(w, "\n    ");
		language_put_client_tls(w, &zone->tls, full);
	}
	print_limits(w, policy, index, full);
	if (given & POLICY_ZONE_UNAUTHENTICATED) {
		language_put(w, "\n    unauthenticated ");
		language_put_act(w, &zone->unauthenticated, full);
	}
	if (given & POLICY_ZONE_UNMATCHED) {
		language_put(w, "\n    unmatched ");
		language_put_act(w, &zone->unmatched, full);
	}
	if (zone->given & POLICY_ZONE_COMMENT) {
		language_put(w, "\n    comment ");
		language_put_string(w, &zone->comment);
	}
	language_put(w, "\n}\n");
}
