/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/radius/who.h"

#include "lib/base/text.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

const char *const radius_unused_names[RADIUS_UNUSEDS] = {
#define RADIUS_UNUSED_NAME(id, word, meaning) [RADIUS_UNUSED_##id] = word,
	RADIUS_UNUSED_TABLE(RADIUS_UNUSED_NAME)
#undef RADIUS_UNUSED_NAME
};

const char *const radius_unused_meanings[RADIUS_UNUSEDS] = {
#define RADIUS_UNUSED_MEANING(id, word, meaning) [RADIUS_UNUSED_##id] = meaning,
	RADIUS_UNUSED_TABLE(RADIUS_UNUSED_MEANING)
#undef RADIUS_UNUSED_MEANING
};

const struct policy_radius_source *radius_source_of(
	const struct policy_radius *radius, const struct addr *source)
{
	const struct policy_radius_source *best = NULL;
	int longest = -1;

	for (size_t i = 0; i < radius->nsources; i++)
		for (size_t j = 0; j < radius->sources[i].prefixes.n; j++) {
			const struct prefix *prefix = &radius->sources[i].prefixes.v[j];
			if (prefix->len <= longest || !prefix_contains(prefix, source))
				continue;
			longest = prefix->len;
			best = &radius->sources[i];
		}
	return best;
}

/* ---- texts ---- */

/* Text that may be shown, which fits; else the octets are none. */
static bool take_text(const struct radius_octets *octets, char *to, size_t size)
{
	const char *text = (const char *)octets->bytes;

	if (octets->len == 0 || octets->len >= size)
		return false;
	for (size_t at = 0, n; at < octets->len; at += n) {
		n = text_character(text + at, octets->len - at);
		if (n == 0)
			return false;
	}
	memcpy(to, text, octets->len);
	to[octets->len] = '\0';
	return true;
}

static bool is_text(const struct radius_octets *octets, const struct policy_string *text)
{
	return octets->len == text->len && octets->len > 0 &&
	       memcmp(octets->bytes, text->text, text->len) == 0;
}

static bool has_text(const struct policy_strings *texts, const char *text)
{
	for (size_t i = 0; i < texts->n; i++)
		if (strcmp(texts->v[i].text, text) == 0)
			return true;
	return false;
}

static bool is_ignored(const struct policy_radius *radius, const char *user)
{
	for (size_t i = 0; i < radius->ignored.n; i++)
		if (strcasecmp(radius->ignored.v[i].text, user) == 0)
			return true;
	return false;
}

/* User-Name is what the client typed, which an AAA compares without case: one user by however many
 * spellings, or his limit of sessions and his block would be none. */
static bool take_typed(const struct radius_octets *name, char user[static POLICY_USER_SIZE])
{
	struct radius_octets rest = *name;

	while (rest.len > 0 && rest.bytes[0] == ' ') {
		rest.bytes++;
		rest.len--;
	}
	while (rest.len > 0 && rest.bytes[rest.len - 1] == ' ')
		rest.len--;
	if (!take_text(&rest, user, POLICY_USER_SIZE))
		return false;
	for (char *at = user; *at; at++)
		if (*at >= 'A' && *at <= 'Z')
			*at |= 0x20;
	return true;
}

static bool take_user(const struct policy_radius *radius, const struct radius_account *account,
	enum policy_radius_user which, char user[static POLICY_USER_SIZE])
{
	bool there = false;

	switch (which) {
	case POLICY_RADIUS_CUI:
		there = take_text(&account->cui, user, POLICY_USER_SIZE);
		break;
	case POLICY_RADIUS_USER_NAME:
		there = take_typed(&account->user_name, user);
		break;
	case POLICY_RADIUS_MAC:
		there = mac_is_set(&account->mac);
		if (there)
			mac_format(&account->mac, user);
		break;
	}
	return there && !is_ignored(radius, user);
}

static bool find_user(const struct policy_radius *radius, const struct radius_account *account,
	struct radius_who *who)
{
	for (size_t i = 0; i < radius->nusers; i++)
		if (take_user(radius, account, radius->users[i], who->user))
			return true;
	who->user[0] = '\0';
	return false;
}

/* Octets (RFC 2865, 5.25), of which those are groups that read as text behind the prefix. Several
 * in one are apart by no sign that all agree on. */
static void find_groups(const struct policy_radius *radius, const struct radius_account *account,
	struct radius_who *who)
{
	const bool class = radius->group == POLICY_RADIUS_CLASS;
	const struct radius_octets *v = class ? account->classes : account->filters;
	const size_t n = class ? account->nclasses : account->nfilters;
	const size_t skip = radius->prefix.len;

	for (size_t i = 0; radius->given & POLICY_RADIUS_GIVEN_GROUP && i < n; i++) {
		struct radius_octets rest = v[i];
		if (skip > 0 &&
			(rest.len < skip || memcmp(rest.bytes, radius->prefix.text, skip) != 0))
			continue;
		rest.bytes += skip;
		rest.len -= skip;
		if (take_text(&rest, who->groups[who->ngroups], POLICY_USER_SIZE))
			who->ngroups++;
		else
			who->bad_groups++;
	}
}

/* The first of its name and its addresses that it says. */
static void find_nas(
	const struct radius_account *account, const struct addr *source, struct radius_who *who)
{
	char address[ADDR_TEXT_SIZE];

	if (take_text(&account->nas_identifier, who->nas, sizeof(who->nas)))
		return;
	const struct addr *addr = account->nas_ip4.family   ? &account->nas_ip4
				  : account->nas_ip6.family ? &account->nas_ip6
							    : source;
	snprintf(who->nas, sizeof(who->nas), "%s", addr_format(addr, address));
}

/* ---- the zone ---- */

enum answer { UNKNOWN, YES, NO };

static enum answer has_ssid(
	const struct policy_radius_zone *zone, const struct radius_account *account)
{
	if (account->ssid.len == 0)
		return UNKNOWN;
	for (size_t i = 0; i < zone->ssids.n; i++)
		if (is_text(&account->ssid, &zone->ssids.v[i]))
			return YES;
	return NO;
}

/* By any of its names: it always has one. */
static enum answer has_nas(const struct policy_radius_zone *zone,
	const struct radius_account *account, const struct addr *source)
{
	const struct addr *addrs[] = {&account->nas_ip4, &account->nas_ip6, source};
	char text[ADDR_TEXT_SIZE];

	for (size_t i = 0; i < zone->nases.n; i++)
		if (is_text(&account->nas_identifier, &zone->nases.v[i]))
			return YES;
	for (size_t i = 0; i < sizeof(addrs) / sizeof(*addrs); i++)
		if (addrs[i]->family && has_text(&zone->nases, addr_format(addrs[i], text)))
			return YES;
	return NO;
}

static enum answer has_wlan(
	const struct policy_radius_zone *zone, const struct radius_account *account)
{
	if (!account->has_wlan)
		return UNKNOWN;
	for (size_t i = 0; i < zone->nwlans; i++)
		if (zone->wlans[i] == account->wlan)
			return YES;
	return NO;
}

/* What the packet says for this zone: 0 nothing, more the surer; -1: it is not of it. */
static int weigh(const struct policy_radius_zone *zone, const struct radius_account *account,
	const struct addr *source)
{
	const struct {
		bool asked;
		enum answer answer;
		int weight;
	} parts[] = {
		{zone->ssids.n > 0, has_ssid(zone, account), 4},
		{zone->nases.n > 0, has_nas(zone, account, source), 2},
		{zone->nwlans > 0, has_wlan(zone, account), 1},
	};
	int weight = 0;
	bool all = true;

	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		if (!parts[i].asked)
			continue;
		if (parts[i].answer == NO)
			return -1;
		all = all && parts[i].answer == YES;
		weight += parts[i].weight;
	}
	return all ? weight : 0;
}

/* How long the network of the zone is that holds one of the addresses; -1: none does. */
static int network_of(const struct policy_zone *zone, const struct radius_account *account)
{
	int longest = -1;

	for (size_t i = 0; i < zone->networks.n; i++)
		for (size_t j = 0; j < account->naddresses; j++)
			if (zone->networks.v[i].len > longest &&
				zone->networks.v[i].len <= account->addresses[j].len &&
				prefix_contains(&zone->networks.v[i], &account->addresses[j].addr))
				longest = zone->networks.v[i].len;
	return longest;
}

static bool asks(const struct policy_radius_zone *zone)
{
	return zone->ssids.n > 0 || zone->nases.n > 0 || zone->nwlans > 0;
}

/* By the network, of those that the packet does not speak against. open: a zone without networks,
 * and without conditions here: it takes all others. */
static enum radius_unused find_by_network(const struct policy *policy,
	const struct policy_radius *radius, const struct radius_account *account,
	const struct addr *source, struct radius_who *who)
{
	size_t open = RADIUS_NO_ZONE;
	int longest = -1;
	bool may_come = false;

	for (size_t i = 0; i < radius->nzones; i++) {
		const struct policy_radius_zone *zone = &radius->zones[i];
		const struct policy_zone *of = &policy->zones[zone->zone];
		if (weigh(zone, account, source) < 0)
			continue;
		int len = network_of(of, account);
		if (len > longest) {
			longest = len;
			who->zone = zone->zone;
		}
		may_come = may_come || of->networks.n > 0;
		if (of->networks.n == 0 && !asks(zone))
			open = zone->zone;
	}
	if (longest >= 0)
		return RADIUS_UNUSED_NOTHING;
	who->zone = open;
	if (open != RADIUS_NO_ZONE || (may_come && account->naddresses == 0))
		return RADIUS_UNUSED_NOTHING;
	return RADIUS_UNUSED_ZONE;
}

static enum radius_unused find_zone(const struct policy *policy, const struct policy_radius *radius,
	const struct radius_account *account, const struct addr *source, struct radius_who *who)
{
	int most = 0;

	for (size_t i = 0; i < radius->nzones; i++) {
		int weight = weigh(&radius->zones[i], account, source);
		if (weight <= most)
			continue;
		most = weight;
		who->zone = radius->zones[i].zone;
	}
	return most ? RADIUS_UNUSED_NOTHING : find_by_network(policy, radius, account, source, who);
}

static bool in_networks(const struct policy_zone *zone, const struct prefix *prefix)
{
	for (size_t i = 0; i < zone->networks.n; i++)
		if (zone->networks.v[i].len <= prefix->len &&
			prefix_contains(&zone->networks.v[i], &prefix->addr))
			return true;
	return zone->networks.n == 0;
}

static enum radius_unused take_client(const struct policy_zone *zone,
	const struct radius_account *account, struct radius_who *who)
{
	for (size_t i = 0; i < account->naddresses; i++)
		if (in_networks(zone, &account->addresses[i]))
			who->addresses[who->naddresses++] = account->addresses[i];
	if (zone->identity != POLICY_IDENTITY_ADDRESS && !mac_is_set(&account->mac))
		return RADIUS_UNUSED_MAC;
	who->whole = zone->identity == POLICY_IDENTITY_MAC || who->naddresses > 0;
	return !who->whole && account->naddresses > 0 ? RADIUS_UNUSED_NETWORK
						      : RADIUS_UNUSED_NOTHING;
}

/* ---- when ---- */

/* False: too far from now. What it says of its delay is believed for an hour. */
static bool find_time(const struct policy_radius *radius, const struct radius_account *account,
	uint64_t now_ms, struct radius_who *who)
{
	const uint64_t delay_ms = account->delay_s * 1000ull;
	const uint64_t most_ms = RADIUS_DELAY_MAX_S * 1000ull;
	const int64_t skew_ms = radius->skew_s * (int64_t)1000;

	who->event_ms = account->has_time   ? account->time_s * 1000ull
			: delay_ms < now_ms ? now_ms - delay_ms
					    : 0;
	uint64_t lasted_ms = account->session_s * 1000ull;
	if (account->has_session_time && lasted_ms < who->event_ms)
		who->begin_ms = who->event_ms - lasted_ms;
	who->skew_ms = (int64_t)(now_ms - who->event_ms);
	if (who->skew_ms > 0) {
		uint64_t owned = delay_ms < most_ms ? delay_ms : most_ms;
		who->skew_ms -= (int64_t)owned;
		if (who->skew_ms < 0)
			who->skew_ms = 0;
	}
	return who->skew_ms <= skew_ms && who->skew_ms >= -skew_ms;
}

enum radius_unused radius_who_read(const struct policy *policy, const struct policy_radius *radius,
	const struct radius_account *account, const struct addr *source, uint64_t now_ms,
	struct radius_who *who)
{
	const bool stop = account->status == RADIUS_STATUS_STOP;

	*who = (struct radius_who){.zone = RADIUS_NO_ZONE, .mac = account->mac};
	if (account->status == RADIUS_STATUS_OTHER)
		return RADIUS_UNUSED_STATUS;
	find_nas(account, source, who);
	if (!find_time(radius, account, now_ms, who))
		return RADIUS_UNUSED_SKEW;
	if (account->status == RADIUS_STATUS_ON || account->status == RADIUS_STATUS_OFF)
		return RADIUS_UNUSED_NOTHING;
	if (!find_user(radius, account, who) && !stop)
		return RADIUS_UNUSED_USER;
	find_groups(radius, account, who);
	enum radius_unused unused = find_zone(policy, radius, account, source, who);
	if (unused == RADIUS_UNUSED_NOTHING && who->zone != RADIUS_NO_ZONE)
		unused = take_client(&policy->zones[who->zone], account, who);
	return stop ? RADIUS_UNUSED_NOTHING : unused;
}
