/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel cannot do for a server: `path kernel` beside it, and rules that would need it. */
#include "lib/language/parse.h"

#include "lib/policy/level.h"

#include <stdlib.h>

struct checking {
	struct language *l;
	const struct policy *policy;
	size_t *zones; /* those that have a word of the message, or a limit of what flows they have
			*/
	size_t nzones;
	bool led; /* a rule leads to such a server */
};

/* ---- servers */

static void check_tls(struct language *l, const struct policy_server *server,
	const struct policy_server_tls *tls, const struct language_tls_note *note)
{
	if (tls->given && tls->mode != POLICY_SERVER_TLS_NONE)
		language_error(l, &note->word,
			"server %s has `path kernel`, and the kernel speaks no TLS; expected `tls "
			"none`, or `path relay`",
			server->name.text);
}

static void check_words(struct language *l, const struct policy_server *server,
	const struct language_server_note *note)
{
	if (server->announce != POLICY_ANNOUNCE_NONE)
		language_error(l, &note->announce,
			"server %s has `path kernel`, and the kernel tells it nothing of its "
			"clients; expected `announce none`, or `path relay`",
			server->name.text);
	if (server->account.given)
		language_error(l, &note->account.word,
			"server %s has `path kernel`, and the kernel logs in nowhere; expected no "
			"`account`, or `path relay`",
			server->name.text);
	check_tls(l, server, &server->tls, &note->tls);
	if (server->bind == POLICY_BIND_ADDRESS)
		language_error(l, &note->bind,
			"server %s has `path kernel`, which has the client's address or the "
			"gateway's; expected `bind client` or `bind gateway`, or `path relay`",
			server->name.text);
	if (server->given & POLICY_SERVER_LIMIT)
		language_error(l, &note->limit,
			"server %s has `path kernel`, and the kernel counts a client's flows "
			"alone; expected `limit flows N per client` at rules that lead to it, or "
			"`path relay`",
			server->name.text);
}

static void check_host(struct language *l, const struct policy_server *server, size_t i,
	const struct language_server_note *note)
{
	const struct policy_host *host = &server->hosts[i];
	const struct language_span *span = &note->hosts.v[i];

	check_tls(l, server, &host->tls, &note->host_tls[i]);
	if (host->given & POLICY_HOST_LIMIT)
		language_error(l, span,
			"host %s has `limit flows`, and server %s `path kernel`, which counts a "
			"client's flows alone; expected `limit flows N per client` at rules that "
			"lead to it, or `path relay`",
			host->name.text, server->name.text);
}

static bool has_deadlines(const struct policy_server *server)
{
	return server->first_ms != POLICY_FIRST_MS || server->connect_ms != POLICY_CONNECT_MS ||
	       server->greeting_ms != POLICY_GREETING_MS || server->idle_ms != POLICY_IDLE_MS ||
	       server->command_ms != POLICY_COMMAND_MS;
}

/* What is true of the relay, and would be believed of the kernel. */
static void warn(struct language *l, const struct policy_server *server,
	const struct language_server_note *note)
{
	const char *name = server->name.text;

	if (server->given & POLICY_SERVER_TRACE)
		language_warn(l, &note->trace,
			"`trace` has no effect with `path kernel`: nobody writes into what goes to "
			"server %s",
			name);
	if (has_deadlines(server))
		language_warn(l, &note->deadline,
			"`deadline` has no effect on what the kernel leads to server %s: it is for "
			"flows of the relay",
			name);
	if (server->bind == POLICY_BIND_GATEWAY)
		language_warn(l, &note->bind,
			"server %s sees one address for all clients: its limits of a client are "
			"met by all of them at once, and about 500 connections a second are the "
			"most",
			name);
	if (!server->probe)
		language_warn(l, &note->probe,
			"server %s has `path kernel` and no probe: nobody sees that a host is "
			"down; expected `probe smtp`",
			name);
}

static void check_server(struct language *l, const struct policy_server *server,
	const struct language_server_note *note)
{
	check_words(l, server, note);
	for (size_t i = 0; i < server->nhosts && i < note->hosts.n && !l->stopped; i++)
		check_host(l, server, i, note);
	warn(l, server, note);
}

/* ---- domains */

static void check_domain(struct language *l, size_t i)
{
	const struct policy_domain *domain = &l->policy->domains[i];
	const struct language_domain_note *notes = l->domain_notes.v;

	if (l->policy->servers[domain->server].path == POLICY_PATH_KERNEL)
		language_error(l, &notes[i].server,
			"mail to domain %s is read, and server %s has `path kernel`; expected one "
			"with `path relay`",
			domain->name.text, domain->server_name.text);
}

/* ---- rules */

static bool is_per_client(const struct policy_limit *limit)
{
	return limit->kind == POLICY_LIMIT_FLOWS && limit->per == POLICY_PER_CLIENT;
}

/* Of a zone: written, and of flows; sessions are a matter of logins, messages have it read. */
static bool is_of_flows(const struct policy_limit *limit)
{
	return !limit->implied &&
	       (limit->kind == POLICY_LIMIT_FLOWS || limit->kind == POLICY_LIMIT_RATE);
}

static bool has_own_count(const struct policy_rule *rule)
{
	for (size_t i = 0; i < rule->limits.n; i++)
		if (is_per_client(&rule->limits.v[i]))
			return true;
	return false;
}

static void check_own_limits(struct language *l, const struct policy_rule *rule)
{
	char text[LANGUAGE_LIMIT_SIZE];

	for (size_t i = 0; i < rule->limits.n; i++) {
		const struct policy_limit *limit = &rule->limits.v[i];
		const struct language_span span = {limit->place, sizeof("limit") - 1};
		if (!is_per_client(limit) && is_of_flows(limit))
			language_error(l, &span,
				"rule %s leads to server %s, which has `path kernel`, and has "
				"`%s`: the kernel counts a client's flows alone; expected `limit "
				"flows N per client`, or a server with `path relay`",
				rule->name.text, rule->server_name.text,
				language_format_limit(limit, text));
	}
}

static bool check_zone_limits(struct language *l, const struct policy_zone *zone,
	const struct policy_rule *rule, const struct language_rule_note *note)
{
	char text[LANGUAGE_LIMIT_SIZE];

	for (size_t i = 0; !rule->limit_none && i < zone->limits.n; i++) {
		const struct policy_limit *limit = &zone->limits.v[i];
		if (!is_of_flows(limit) || (is_per_client(limit) && has_own_count(rule)))
			continue;
		language_error(l, &note->server,
			"rule %s leads to server %s, which has `path kernel`, and zone %s has "
			"`%s`, which the kernel does not count; expected `limit none`%s at the "
			"rule, or a server with `path relay`",
			rule->name.text, rule->server_name.text, zone->name.text,
			language_format_limit(limit, text),
			is_per_client(limit) ? " or `limit flows N per client`" : "");
		return true;
	}
	return false;
}

static void check_zones_of(struct checking *checking, const struct policy_rule *rule,
	const struct language_rule_note *note)
{
	struct language *l = checking->l;

	for (size_t i = 0; i < checking->nzones; i++) {
		const struct policy_zone *zone = &checking->policy->zones[checking->zones[i]];
		enum level_word word = level_of_zone(zone);
		if (!policy_rule_in_zone(rule, checking->zones[i]))
			continue;
		if (word != LEVEL_NO_WORD) {
			language_error(l, &note->server,
				"rule %s leads to server %s, which has `path kernel`, and zone %s "
				"has `%s`, which has messages read; expected another zone here, or "
				"a server with `path relay`",
				rule->name.text, rule->server_name.text, zone->name.text,
				level_words[word]);
			return;
		}
		if (check_zone_limits(l, zone, rule, note))
			return;
	}
}

static void check_rule(struct checking *checking, size_t index)
{
	struct language *l = checking->l;
	const struct policy_rule *rule = &checking->policy->rules[index];
	const struct language_rule_note *note =
		(struct language_rule_note *)l->rule_notes.v + index;
	enum level_word word = level_of_rule(rule);

	if (rule->disabled || !policy_rule_by_kernel(checking->policy, rule))
		return;
	checking->led = true;
	if (rule->listens)
		language_error(l, &note->server,
			"rule %s is for listeners, where the gateway talks, and server %s has "
			"`path kernel`; expected one with `path relay`",
			rule->name.text, rule->server_name.text);
	else if (word != LEVEL_NO_WORD)
		language_error(l, &note->message_word,
			"rule %s leads to server %s, which has `path kernel`, and has `%s`, which "
			"has messages read; expected a server with `path relay`",
			rule->name.text, rule->server_name.text, level_words[word]);
	check_own_limits(l, rule);
	if (!rule->listens)
		check_zones_of(checking, rule, note);
}

static bool has_words(const struct policy_zone *zone)
{
	bool has = level_of_zone(zone) != LEVEL_NO_WORD;

	for (size_t i = 0; !has && i < zone->limits.n; i++)
		has = is_of_flows(&zone->limits.v[i]);
	return has;
}

static bool check_servers(struct language *l)
{
	const struct language_server_note *notes = l->server_notes.v;
	bool any = false;

	for (size_t i = 0; i < l->policy->nservers && !l->stopped; i++) {
		if (l->policy->servers[i].path != POLICY_PATH_KERNEL)
			continue;
		check_server(l, &l->policy->servers[i], &notes[i]);
		any = true;
	}
	return any;
}

void language_check_paths(struct language *l)
{
	const struct policy *policy = l->policy;
	struct checking checking = {.l = l, .policy = policy};

	if (!check_servers(l))
		return;
	for (size_t i = 0; i < policy->ndomains && !l->stopped; i++)
		check_domain(l, i);
	checking.zones = calloc(policy->nzones + 1, sizeof(size_t));
	if (!checking.zones) {
		language_out_of_memory(l);
		return;
	}
	for (size_t i = 0; i < policy->nzones; i++)
		if (has_words(&policy->zones[i]))
			checking.zones[checking.nzones++] = i;
	for (size_t i = 0; i < policy->nrules && !l->stopped; i++)
		check_rule(&checking, i);
	free(checking.zones);
	if (checking.led && policy->given & POLICY_GIVEN_LIMIT)
		language_error(l, &l->top_limit,
			"`limit flows` counts no flow that the kernel leads to a server with `path "
			"kernel`; expected it nowhere but at rules, as `limit flows N per client`");
}
