/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What TLS, certificates and accounts ask of a policy. */
#include "lib/language/parse.h"

#include "lib/dns/dns.h"
#include "lib/policy/level.h"
#include "lib/tls/credential.h"
#include "lib/tls/facts.h"

#include <stdio.h>

#define SMTPS 465

/* ---- the clients' side ---- */

static const struct language_span *first_option(const struct language_tls_note *note)
{
	const struct language_span *options[] = {&note->client, &note->ca, &note->legacy,
		&note->insecure, &note->immediate, &note->certificate};

	if (note->certificates.n > 0)
		return &note->certificates.v[0];
	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++)
		if (options[i]->width > 0)
			return options[i];
	return NULL;
}

static void check_none(struct language *l, const struct language_tls_note *note)
{
	struct language_tls_note others = *note;

	others.insecure = (struct language_span){0}; /* `auth` says whether that has a meaning */
	const struct language_span *option = first_option(&others);
	if (option)
		language_error(l, option,
			"`tls none` has no options, expected it alone, or another word for none");
}

static void check_certificates(
	struct language *l, struct policy_client_tls *tls, const struct language_tls_note *note)
{
	const struct policy_strings *names = &tls->certificate_names;

	language_resolve_all(
		l, POLICY_KIND_CERTIFICATE, names, &note->certificates, tls->certificates);
	if (names->n == 0)
		language_error(l, &note->word,
			"`tls %s` has nothing to show, expected `tls %s { certificate NAME }`",
			policy_tls_names[tls->mode], policy_tls_names[tls->mode]);
	for (size_t i = 1; i < names->n; i++)
		for (size_t j = 0; j < i; j++)
			if (policy_string_equal(&names->v[i], &names->v[j])) {
				language_error(l, &note->certificates.v[i],
					"certificate %s stands twice, expected once",
					names->v[i].text);
				break;
			}
}

static void check_client_tls(
	struct language *l, struct policy_client_tls *tls, const struct language_tls_note *note)
{
	if (!tls->given)
		return;
	if (tls->mode == POLICY_TLS_NONE) {
		check_none(l, note);
		return;
	}
	check_certificates(l, tls, note);
	if (tls->client == POLICY_TLS_CLIENT_REQUIRE && tls->mode == POLICY_TLS_OFFER)
		language_warn(l, &note->client,
			"`client require` refuses who shows no certificate, as nobody in clear "
			"does: `tls offer` is here as `tls require`");
	if (tls->ca.len > 0 && tls->client == POLICY_TLS_CLIENT_NONE)
		language_error(l, &note->ca,
			"`ca` says who signs the clients' certificates, and none is asked for; "
			"expected `client request`, check or require beside it");
	if (tls->ca.len == 0 && tls->client == POLICY_TLS_CLIENT_REQUIRE)
		language_warn(l, &note->client,
			"a certificate of any authority in " CREDENTIAL_TRUST_FILE
			" will do, which everybody can get: say with `ca` whose are meant");
	if (tls->ca.len == 0 && tls->client == POLICY_TLS_CLIENT_CHECK)
		language_warn(l, &note->client,
			"who shows a certificate of an authority that is not "
			"in " CREDENTIAL_TRUST_FILE
			" is refused, as mail servers with one of their own "
			"are: say with `ca` whose are meant, or `client request` to record it");
}

/* ---- zones ---- */

/* Its clients wanted other servers. */
static void warn_redirected(
	struct language *l, const struct policy_zone *zone, const struct language_tls_note *note)
{
	const char *name = zone->name.text;

	if (zone->tls.mode == POLICY_TLS_OFFER)
		language_warn(l, &note->word,
			"clients of zone %s that compare the certificate with the server that "
			"they wanted will refuse this one",
			name);
	else
		language_warn(l, &note->word,
			"clients of zone %s that cannot do TLS, and those that compare the "
			"certificate with the server that they wanted, will send no mail",
			name);
}

/* who: "zone guest", "listener in" */
static void check_ports(struct language *l, const char *who, const struct policy_ports *ports,
	const struct language_spans *spans, const struct policy_client_tls *tls,
	const struct language_tls_note *note)
{
	bool clear = spans->n == 0;

	for (size_t i = 0; i < ports->n && i < spans->n; i++) {
		clear |= ports->v[i] != SMTPS;
		if (ports->v[i] == SMTPS && tls->mode == POLICY_TLS_NONE)
			language_error(l, &spans->v[i],
				"on port %d clients begin TLS at once, and %s has none; expected "
				"`tls offer`, require or immediate in it, or another port",
				SMTPS, who);
	}
	if (tls->mode == POLICY_TLS_IMMEDIATE && clear)
		language_warn(l, &note->word,
			"clients of %s begin in clear on every port but %d, and wait for a "
			"greeting that never comes: `immediate` is for ports where TLS begins at "
			"once",
			who, SMTPS);
}

#define WHO_SIZE (POLICY_NAME_SIZE + 16)
static const char *who_of(const char *kind, const char *name, char who[static WHO_SIZE])
{
	snprintf(who, WHO_SIZE, "%s %s", kind, name);
	return who;
}

static void check_zone(
	struct language *l, struct policy_zone *zone, const struct language_zone_note *note)
{
	char who[WHO_SIZE];

	check_client_tls(l, &zone->tls, &note->tls);
	check_ports(l, who_of("zone", zone->name.text, who), &zone->ports, &note->ports, &zone->tls,
		&note->tls);
	if (zone->tls.insecure)
		language_error(l, &note->tls.insecure,
			"`insecure` allows passwords in clear, and in a zone none is asked for; "
			"expected it at a listener with `auth`");
	if (zone->tls.mode == POLICY_TLS_NONE)
		return;
	warn_redirected(l, zone, &note->tls);
}

static void check_listener(struct language *l, struct policy_listener *listener,
	const struct language_listener_note *note)
{
	char who[WHO_SIZE];

	check_client_tls(l, &listener->tls, &note->tls);
	check_ports(l, who_of("listener", listener->name.text, who), &listener->ports, &note->ports,
		&listener->tls, &note->tls);
}

/* ---- the servers' side ---- */

/* Of what is empty it is told already. */
static void check_names(
	struct language *l, const struct policy_strings *names, const struct language_spans *spans)
{
	char quoted[LANGUAGE_QUOTE_SIZE];

	for (size_t i = 0; i < names->n; i++) {
		const struct policy_string *name = &names->v[i];
		if (name->len > 0 && language_refuse_host(name))
			language_error(l, &spans->v[i],
				"\"%s\" is no host's name, expected the one in the server's "
				"certificate, such as \"mail.example\"",
				language_quote(name->text, name->len, quoted));
		for (size_t j = 0; j < i; j++)
			if (name->len > 0 && dns_same_name(name->text, names->v[j].text)) {
				language_fault(l, &spans->v[i],
					"name %s stands twice, expected once", name->text);
				break;
			}
	}
}

static void check_server_tls(
	struct language *l, struct policy_server_tls *tls, const struct language_tls_note *note)
{
	size_t certificate;

	if (!tls->given)
		return;
	if (tls->mode == POLICY_SERVER_TLS_NONE) {
		check_none(l, note);
		return;
	}
	if (tls->certificate_name.len > 0 &&
		language_resolve(l, POLICY_KIND_CERTIFICATE, &tls->certificate_name,
			&note->certificate, &certificate))
		tls->certificate = (ptrdiff_t)certificate;
	if (tls->ca.len > 0 && tls->mode != POLICY_SERVER_TLS_VERIFY)
		language_error(l, &note->ca,
			"`ca` says who signs the server's certificate, and with `tls %s` that is "
			"not asked; expected `tls verify`",
			policy_server_tls_names[tls->mode]);
	check_names(l, &tls->names, &note->names);
}

/* A name that only DNS said proves nothing. */
static void check_name(struct language *l, const struct policy_host *host,
	const struct policy_server_tls *tls, const struct language_span *span)
{
	if (tls->mode != POLICY_SERVER_TLS_VERIFY || tls->names.n > 0)
		return;
	if (host->is_mx)
		language_error(l, span,
			"the names of mx %s come from DNS, which proves nothing; expected the "
			"name in its certificate: `tls verify \"NAME\"`",
			host->name.text);
	else if (host->addr.family != ADDR_NONE)
		language_error(l, span,
			"host %s is an address; expected the name in its certificate: `tls verify "
			"\"NAME\"`",
			host->name.text);
}

static void check_host(struct language *l, const struct policy_server *server, size_t i,
	const struct language_server_note *note)
{
	const struct policy_host *host = &server->hosts[i];
	const struct policy_server_tls *tls = policy_host_tls(server, host);
	bool proven = tls->mode == POLICY_SERVER_TLS_VERIFY || tls->mode == POLICY_SERVER_TLS_PIN;

	check_name(l, host, tls, &note->hosts.v[i]);
	if (host->port == SMTPS && (!tls->given || tls->mode == POLICY_SERVER_TLS_NONE))
		language_error(l, &note->hosts.v[i],
			"on port %d TLS begins at once, and %s %s has none; expected `tls verify`, "
			"pin, require or offer, or another port",
			SMTPS, host->is_mx ? "mx" : "host", host->name.text);
	if (server->account.given && !server->account.insecure && !proven)
		language_error(l, &note->account.word,
			"the password would go to whoever answers as %s %s; expected `tls verify` "
			"or pin for it, or `insecure` in the account",
			host->is_mx ? "mx" : "host", host->name.text);
}

static void check_server(
	struct language *l, struct policy_server *server, const struct language_server_note *note)
{
	check_server_tls(l, &server->tls, &note->tls);
	for (size_t i = 0; i < server->nhosts && !l->stopped; i++) {
		check_server_tls(l, &server->hosts[i].tls, &note->host_tls[i]);
		check_host(l, server, i, note);
	}
}

void language_check_tls(struct language *l)
{
	struct policy *policy = l->policy;
	const struct language_zone_note *zone_notes = l->zone_notes.v;
	const struct language_listener_note *listener_notes = l->listener_notes.v;
	const struct language_server_note *server_notes = l->server_notes.v;

	for (size_t i = 0; i < policy->nzones && !l->stopped; i++)
		check_zone(l, &policy->zones[i], &zone_notes[i]);
	for (size_t i = 0; i < policy->nlisteners && !l->stopped; i++)
		check_listener(l, &policy->listeners[i], &listener_notes[i]);
	for (size_t i = 0; i < policy->nservers && !l->stopped; i++)
		check_server(l, &policy->servers[i], &server_notes[i]);
}

/* ---- rules, once every name is resolved ---- */

/* Where nobody is asked for a certificate, none is valid. */
static bool check_asked(struct language *l, const struct policy_rule *rule,
	const struct language_span *span, const char *kind, const char *name,
	const struct policy_client_tls *tls)
{
	if (!rule->tls.verified || tls->client != POLICY_TLS_CLIENT_NONE)
		return true;
	language_error(l, span,
		"%s %s asks clients for no certificate, and rule %s is for it; expected `client "
		"request`, check or require in its `tls`, or another %s here",
		kind, name, rule->name.text, kind);
	return false;
}

/* Nothing else is known by name: what stands in a certificate is foreign. */
static bool may_be_name(const struct policy_string *name)
{
	for (size_t i = 0; i < name->len; i++)
		if (name->text[i] <= ' ' || name->text[i] > '~')
			return false;
	return name->len < TLS_NAME_SIZE;
}

static void check_condition_names(
	struct language *l, const struct policy_rule *rule, const struct language_span *span)
{
	char quoted[LANGUAGE_QUOTE_SIZE];

	for (size_t i = 0; i < rule->tls.names.n; i++) {
		const struct policy_string *name = &rule->tls.names.v[i];
		if (!may_be_name(name))
			language_error(l, span,
				"no certificate is known by the name \"%s\"; expected that of a "
				"host, or a mail address, as it stands in the certificate",
				language_quote(name->text, name->len, quoted));
	}
}

/* Whom everybody's authorities sign for is everybody. */
static void warn_anybody(struct language *l, const struct policy_rule *rule,
	const struct language_span *span, const char *who, const struct policy_client_tls *tls)
{
	if (!rule->tls.verified || rule->tls.negated || rule->tls.names.n > 0 || tls->ca.len > 0 ||
		(tls->client != POLICY_TLS_CLIENT_REQUEST &&
			tls->client != POLICY_TLS_CLIENT_CHECK))
		return; /* of `require` it is told where it stands */
	language_warn(l, span,
		"in %s a certificate of any public authority will do, which everybody can get: say "
		"with `ca` in its `tls` whose are meant, or here which names",
		who);
}

static void check_condition(
	struct language *l, const struct policy_rule *rule, const struct language_span *span)
{
	const struct policy *policy = l->policy;
	bool speaks = false, asked = true;
	char who[WHO_SIZE];

	check_condition_names(l, rule, span);
	for (size_t i = 0; i < policy->nzones && asked; i++)
		if (policy_rule_in_zone(rule, i)) {
			const struct policy_zone *zone = &policy->zones[i];
			speaks |= zone->tls.mode != POLICY_TLS_NONE;
			asked = check_asked(l, rule, span, "zone", zone->name.text, &zone->tls);
			warn_anybody(
				l, rule, span, who_of("zone", zone->name.text, who), &zone->tls);
		}
	for (size_t i = 0; i < policy->nlisteners && asked; i++)
		if (policy_rule_in_listener(rule, i)) {
			const struct policy_listener *listener = &policy->listeners[i];
			speaks |= listener->tls.mode != POLICY_TLS_NONE;
			asked = check_asked(
				l, rule, span, "listener", listener->name.text, &listener->tls);
			warn_anybody(l, rule, span, who_of("listener", listener->name.text, who),
				&listener->tls);
		}
	if (asked && !speaks && policy->nzones + policy->nlisteners > 0)
		language_warn(l, span,
			"no %s of rule %s has `tls`: the clients' side is always in clear",
			rule->listens ? "listener" : "zone", rule->name.text);
	if (rule->to_original)
		language_warn(l, span,
			"the client's TLS ends at the gateway: what rule %s sends to the original "
			"goes on in the TLS of whoever answers there, or in clear",
			rule->name.text);
}

static bool counts_messages(const struct policy_limits *limits)
{
	for (size_t i = 0; i < limits->n; i++) {
		const struct policy_limit *limit = &limits->v[i];
		if (!limit->implied && limit->per_seconds > 0 &&
			(limit->kind == POLICY_LIMIT_MESSAGES ||
				limit->kind == POLICY_LIMIT_RECIPIENTS))
			return true;
	}
	return false;
}

static bool is_counted(const struct policy_rule *rule, const struct policy_limits *limits)
{
	return counts_messages(&rule->limits) || (!rule->limit_none && counts_messages(limits));
}

/* Who sends spam by the account ends it for everybody. */
static void check_account(
	struct language *l, const struct policy_rule *rule, const struct language_span *span)
{
	const struct policy *policy = l->policy;
	char who[WHO_SIZE] = "";

	for (size_t i = 0; i < policy->nzones && !*who; i++)
		if (policy_rule_in_zone(rule, i) && !is_counted(rule, &policy->zones[i].limits))
			who_of("zone", policy->zones[i].name.text, who);
	for (size_t i = 0; i < policy->nlisteners && !*who; i++)
		if (policy_rule_in_listener(rule, i) &&
			!is_counted(rule, &policy->listeners[i].limits))
			who_of("listener", policy->listeners[i].name.text, who);
	if (*who)
		language_warn(l, span,
			"rule %s lets %s use the account of server %s without a limit: one client "
			"can have it closed for all; expected `limit messages N/hour per user` "
			"there or here",
			rule->name.text, who, rule->server_name.text);
}

void language_check_tls_rules(struct language *l)
{
	const struct policy *policy = l->policy;
	const struct language_rule_note *notes = l->rule_notes.v;

	for (size_t i = 0; i < policy->nrules && !l->stopped; i++) {
		const struct policy_rule *rule = &policy->rules[i];
		if (rule->disabled)
			continue;
		if (rule->tls.given)
			check_condition(l, rule, &notes[i].tls);
		if (rule->to_server && !rule->to_original && !rule->to_protected &&
			policy->servers[rule->server].account.given)
			check_account(l, rule, &notes[i].server);
	}
}
