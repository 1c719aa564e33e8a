/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Relay control: an open relay cannot be written. Listeners, what their rules may be, and what asks
 * for protected domains. */
#include "lib/language/parse.h"

#include "lib/policy/element.h"
#include "lib/policy/mailset.h"
#include "lib/policy/proof/relay.h"

#define WIDE "wider than a /8 together (IPv6: a /19), as good as everybody; expected fewer sources"

/* ---- listeners ---- */

/* Do both take connections to one address? 0.0.0.0 and :: are all of their version. */
static bool share_address(
	const struct policy_listener *a, const struct policy_listener *b, size_t i)
{
	for (size_t j = 0; j < b->naddresses; j++) {
		const struct addr *x = &a->addresses[i], *y = &b->addresses[j];
		if (x->family == y->family &&
			(addr_equal(x, y) || addr_is_unspecified(x) || addr_is_unspecified(y)))
			return true;
	}
	return false;
}

static bool has_port(const struct policy_ports *ports, uint16_t port)
{
	for (size_t i = 0; i < ports->n; i++)
		if (ports->v[i] == port)
			return true;
	return false;
}

static void check_apart(struct language *l, size_t index)
{
	const struct policy_listener *listener = &l->policy->listeners[index];
	const struct language_listener_note *note =
		(struct language_listener_note *)l->listener_notes.v + index;

	for (size_t other = 0; other < index; other++) {
		const struct policy_listener *before = &l->policy->listeners[other];
		for (size_t p = 0; p < listener->ports.n; p++) {
			if (!has_port(&before->ports, listener->ports.v[p]))
				continue;
			for (size_t i = 0; i < listener->naddresses; i++)
				if (share_address(listener, before, i))
					language_error(l, &note->addresses.v[i],
						"listener %s has this address with port %u "
						"already, "
						"expected another address or port",
						before->name.text, listener->ports.v[p]);
		}
	}
}

static void check_twice(struct language *l, const struct policy_listener *listener,
	const struct language_listener_note *note)
{
	for (size_t i = 1; i < listener->naddresses; i++) {
		const struct policy_listener before = {
			.addresses = listener->addresses, .naddresses = i};
		if (share_address(listener, &before, i))
			language_error(l, &note->addresses.v[i],
				"listener %s has this address twice, expected it once",
				listener->name.text);
	}
	for (size_t i = 1; i < listener->ports.n; i++)
		if (has_port(&(struct policy_ports){listener->ports.v, i}, listener->ports.v[i]))
			language_error(l, &note->ports.v[i],
				"listener %s has port %u twice, expected it once",
				listener->name.text, listener->ports.v[i]);
}

static bool is_nobodys(const struct addr *addr)
{
	return addr->family == ADDR_IP4 ? addr->bytes[0] >= 224 : addr->bytes[0] == 0xff;
}

static void check_own(struct language *l, const struct policy_listener *listener,
	const struct language_listener_note *note)
{
	const struct addr *metrics = &l->policy->metrics_addr;

	for (size_t p = 0; p < listener->ports.n; p++) {
		uint16_t port = listener->ports.v[p];
		const struct language_span *span =
			note->ports.n > p ? &note->ports.v[p] : &note->name;
		if (l->world->relay_port && port == l->world->relay_port)
			language_error(
				l, span, "port %u is the relays' own, expected another port", port);
		for (size_t i = 0; i < listener->naddresses; i++) {
			const struct policy_listener other = {
				.addresses = (struct addr *)metrics, .naddresses = 1};
			if (metrics->family != ADDR_NONE && port == l->policy->metrics_port &&
				share_address(listener, &other, i))
				language_error(l, &note->addresses.v[i],
					"the metrics have this address with port %u, expected "
					"another address or port",
					port);
		}
	}
	for (size_t i = 0; i < listener->naddresses; i++) {
		const struct addr *addr = &listener->addresses[i];
		if (addr_is_link_local(addr) && addr->family == ADDR_IP6)
			language_error(l, &note->addresses.v[i],
				"this address does not say on which interface, expected one that "
				"is not link-local");
		else if (is_nobodys(addr))
			language_error(l, &note->addresses.v[i],
				"no host has this address, expected one of the gateway");
		else if (!addr_is_unspecified(addr) && !addr_is_loopback(addr) &&
			 l->world->own_address && !l->world->own_address(l->world->context, addr))
			language_warn(l, &note->addresses.v[i],
				"this is no address of the gateway (it may come)");
	}
}

/* Behind a router all clients have the router's. */
static bool holds_mac(const struct policy *policy, const struct policy_where *where)
{
	for (size_t i = 0; i < where->elems.n; i++)
		if (where->elems.v[i].kind == POLICY_ELEM_MAC)
			return true;
	for (size_t i = 0; i < where->list_names.n; i++) {
		const struct policy_elems *elems = &policy->lists[where->lists[i]].elems;
		for (size_t j = 0; j < elems->n; j++)
			if (elems->v[j].kind == POLICY_ELEM_MAC)
				return true;
	}
	return false;
}

static bool holds_host(const struct policy *policy, const struct policy_where *where)
{
	for (size_t i = 0; i < where->list_names.n; i++)
		if (policy->lists[where->lists[i]].holds == POLICY_HOLDS_HOSTS)
			return true;
	for (size_t i = 0; i < where->elems.n; i++)
		if (where->elems.v[i].kind == POLICY_ELEM_HOST)
			return true;
	return false;
}

static void check_places(
	struct language *l, const struct policy_where *where, const struct language_span *span)
{
	if (holds_mac(l->policy, where))
		language_error(l, span,
			"a MAC says nothing of who comes to a listener: behind a router all have "
			"the router's; expected addresses, networks or hosts");
}

/* The keeper holds so many sockets for each process. */
static void check_room(struct language *l)
{
	size_t endpoints = 0;

	for (size_t i = 0; i < l->policy->nportals; i++) {
		const struct policy_portal *portal = &l->policy->portals[i];
		const struct language_portal_note *note =
			(struct language_portal_note *)l->portal_notes.v + i;
		endpoints += portal->naddresses * (portal->http_port ? 2 : 1);
		if (endpoints <= POLICY_ENDPOINTS_MAX)
			continue;
		language_fault(l, &note->name,
			"all portals have more than %d addresses with a port, expected no more",
			POLICY_ENDPOINTS_MAX);
		return;
	}
	for (size_t i = 0; i < l->policy->nlisteners; i++) {
		const struct policy_listener *listener = &l->policy->listeners[i];
		const struct language_listener_note *note =
			(struct language_listener_note *)l->listener_notes.v + i;
		endpoints += listener->naddresses * listener->ports.n;
		if (endpoints <= POLICY_ENDPOINTS_MAX)
			continue;
		language_fault(l, &note->name,
			"all listeners and portals have more than %d addresses with a port, "
			"expected no more",
			POLICY_ENDPOINTS_MAX);
		return;
	}
}

static void check_listener(struct language *l, size_t index)
{
	const struct policy_listener *listener = &l->policy->listeners[index];
	const struct language_listener_note *note =
		(struct language_listener_note *)l->listener_notes.v + index;
	const struct policy_where *accept = &listener->accept;

	check_apart(l, index);
	check_twice(l, listener, note);
	check_own(l, listener, note);
	check_places(l, accept, &note->accept);
	if (accept->given && !accept->any && !accept->negated &&
		relay_is_too_wide(l->policy, accept))
		language_error(l, &note->accept,
			"what listener %s accepts is " WIDE ", or `accept any`",
			listener->name.text);
	if (listener->unmatched.verdict != POLICY_VERDICT_ANSWER)
		language_error(l, &note->unmatched,
			"listener %s talks to its clients: then it is too late to %s; expected an "
			"answer",
			listener->name.text, policy_verdict_names[listener->unmatched.verdict]);
}

/* ---- domains ---- */

static void check_names(struct language *l, size_t index)
{
	const struct policy_domain *domain = &l->policy->domains[index];
	const struct language_domain_note *note =
		(struct language_domain_note *)l->domain_notes.v + index;
	char key[MAILSET_KEY_SIZE];

	for (size_t i = 0; i < domain->names.n && !l->stopped; i++) {
		mailset_key_of_host(domain->names.v[i].text, domain->names.v[i].len, key);
		const struct policy_domain *first = mailset_find(l->policy->domain_names, key);
		if (first != domain)
			language_error(l, &note->names.v[i],
				"domain %s has this name already, expected it in one domain",
				first->name.text);
	}
	for (size_t i = 0; i < domain->list_names.n && !l->stopped; i++) {
		const struct policy_list *list = &l->policy->lists[domain->lists[i]];
		char text[ELEMENT_TEXT_SIZE];
		for (size_t j = 0; j < list->elems.n && !l->stopped; j++)
			if (!element_is_domain(&list->elems.v[j])) {
				language_error(l, &note->lists.v[i],
					"\"%s\" in list %s is no domain to protect, expected names "
					"of two parts at least",
					element_format(&list->elems.v[j], text), list->name.text);
				break;
			}
	}
}

/* The one server of all domains; -1: they have several, or there are none. */
static ptrdiff_t common_server(const struct policy *policy)
{
	for (size_t i = 1; i < policy->ndomains; i++)
		if (policy->domains[i].server != policy->domains[0].server)
			return -1;
	return policy->ndomains > 0 ? (ptrdiff_t)policy->domains[0].server : -1;
}

/* ---- rules ---- */

static const char *account_of(const struct policy *policy, const struct policy_rule *rule)
{
	const struct policy_server *server = NULL;

	if (rule->to_original)
		return NULL;
	if (!rule->to_protected)
		server = &policy->servers[rule->server];
	for (size_t i = 0; i < policy->ndomains && rule->to_protected; i++)
		if (policy->servers[policy->domains[i].server].account.given)
			server = &policy->servers[policy->domains[i].server];
	return server && server->account.given ? server->name.text : NULL;
}

static bool asks_for_user(const struct policy_rule *rule)
{
	return (rule->user_given && !rule->user_negated && !rule->user_none) ||
	       (rule->group_given && !rule->group_negated);
}

/* What anybody may use must not lead where we are trusted. */
static void check_account(
	struct language *l, const struct policy_rule *rule, const struct language_rule_note *note)
{
	const char *server = account_of(l->policy, rule);

	if (server)
		language_error(l, &note->server,
			"rule %s takes mail from anybody, and server %s sends what it gets on, by "
			"its account; expected the domains' own server",
			rule->name.text, server);
}

static void check_permit(
	struct language *l, const struct policy_rule *rule, const struct language_rule_note *note)
{
	char name[ELEMENT_TEXT_SIZE];

	switch (relay_permit_of(rule)) {
	case RELAY_NOBODY:
		language_error(l, &note->server,
			"rule %s would relay for everybody; expected `user any`, users or groups "
			"without `not`, sources without `not`, or `recipient protected` with "
			"nothing beside it",
			rule->name.text);
		break;
	case RELAY_USER:
		break;
	case RELAY_SOURCE:
		if (relay_is_too_wide(l->policy, &rule->source))
			language_error(l, &note->source,
				"what rule %s permits is " WIDE
				", `user any` or `recipient protected`",
				rule->name.text);
		else if (relay_find_anybodys(l->policy, &rule->source))
			language_error(l, &note->source,
				"rule %s permits \"%s\" to relay, below which anybody has a name; "
				"expected names of two parts at least",
				rule->name.text,
				element_format(
					relay_find_anybodys(l->policy, &rule->source), name));
		else if (holds_host(l->policy, &rule->source))
			language_warn(l, &note->source,
				"rule %s permits hosts by their names: who has a word in their "
				"DNS may relay",
				rule->name.text);
		break;
	case RELAY_PROTECTED:
		if (!asks_for_user(rule))
			check_account(l, rule, note);
		break;
	}
}

static void check_of_listener(
	struct language *l, const struct policy_rule *rule, const struct language_rule_note *note)
{
	const char *name = rule->name.text;

	if (rule->zone_names.n > 0)
		language_error(l, &note->zones.v[0],
			"rule %s is for listeners, and so for no zone; expected two rules", name);
	if (rule->destination.protected)
		language_error(l, &note->destination,
			"what comes to a listener is addressed to the gateway itself; expected "
			"`recipient protected`");
	if (rule->to_original)
		language_error(l, &note->server,
			"what comes to a listener has no original destination, expected a server");
	if (!rule->to_server && rule->act.verdict != POLICY_VERDICT_ANSWER)
		language_error(l, &note->verdict,
			"rule %s is for listeners, which talk to their clients: then it is too "
			"late to %s; expected a server or an answer",
			name, policy_verdict_names[rule->act.verdict]);
	if (note->flow_limit.width > 0)
		language_error(l, &note->flow_limit,
			"rule %s takes messages, not connections, as it is for listeners: this "
			"would never count; expected it at the listener",
			name);
	check_places(l, &rule->source, &note->source);
	if (rule->to_server && !rule->to_original)
		check_permit(l, rule, note);
}

static void check_of_zone(
	struct language *l, const struct policy_rule *rule, const struct language_rule_note *note)
{
	for (size_t i = 0; i < rule->source.elems.n; i++)
		if (rule->source.elems.v[i].kind == POLICY_ELEM_HOST) {
			language_error(l, &note->source,
				"clients of a zone are not known by names, expected addresses, or "
				"`listener` beside it");
			break;
		}
}

/* `user none` takes who is not logged in, to protected domains and nowhere else. */
static void check_nobody(
	struct language *l, const struct policy_rule *rule, const struct language_rule_note *note)
{
	const struct policy *policy = l->policy;

	if (relay_permit_of(rule) != RELAY_PROTECTED || rule->group_given) {
		language_error(l, &note->user,
			"rule %s is for who is not logged in, expected `recipient protected` with "
			"nothing beside it, and no group",
			rule->name.text);
		return;
	}
	for (size_t i = 0; i < policy->nzones; i++) {
		const struct policy_zone *zone = &policy->zones[i];
		if (policy_rule_in_zone(rule, i) &&
			zone->unauthenticated.verdict != POLICY_VERDICT_ANSWER)
			language_error(l, &note->user,
				"zone %s has `unauthenticated %s`, and rule %s reads what such "
				"clients send; expected an answer there, which their other "
				"recipients hear",
				zone->name.text,
				policy_verdict_names[zone->unauthenticated.verdict],
				rule->name.text);
		if (policy_rule_in_zone(rule, i) && zone->level == POLICY_LEVEL_CONNECTION)
			return; /* said by the levels */
	}
	if (rule->to_server && !rule->listens)
		check_account(l, rule, note);
}

static void check_protected(
	struct language *l, const struct policy_rule *rule, const struct language_rule_note *note)
{
	const struct policy *policy = l->policy;
	bool users = rule->listens ? relay_permit_of(rule) == RELAY_USER || rule->user_given
				   : !rule->user_none;

	if (policy->ndomains == 0 && (rule->recipient.protected || rule->destination.protected))
		language_error(l, rule->recipient.protected ? &note->recipient : &note->destination,
			"no domain is protected, expected a `domain`");
	if (!rule->to_protected)
		return;
	if (relay_permit_of(rule) != RELAY_PROTECTED) {
		language_error(l, &note->server,
			"rule %s leads to the server of the recipient's domain, expected "
			"`recipient protected` with nothing beside it",
			rule->name.text);
		return;
	}
	if (users && policy->ndomains > 0 && common_server(policy) < 0)
		language_error(l, &note->server,
			"the domains have several servers, and a message of a user to two of them "
			"has one; expected one server here, which sends it on");
}

/* ---- logins at one server ---- */

static bool is_told_names(const struct policy_server *server)
{
	return (server->announce == POLICY_ANNOUNCE_XCLIENT ||
		       server->announce == POLICY_ANNOUNCE_PROXY_V2) &&
	       server->announce_login == POLICY_LOGIN_ON;
}

static bool leads_to(const struct policy *policy, const struct policy_rule *rule, size_t server)
{
	if (rule->disabled || !rule->to_server || rule->to_original)
		return false;
	if (!rule->to_protected)
		return rule->server == server;
	for (size_t i = 0; i < policy->ndomains; i++)
		if (policy->domains[i].server == server)
			return true;
	return false;
}

/* Does it take who logged in with a password, whether it asks for that or not? */
static bool takes_logins(const struct policy *policy, const struct policy_rule *rule)
{
	if (!rule->listens || rule->user_none)
		return false;
	for (size_t i = 0; i < policy->nlisteners; i++)
		if (policy->listeners[i].auth_names.n > 0 && policy_rule_in_listener(rule, i))
			return true;
	return asks_for_user(rule);
}

static bool takes_sessions(const struct policy_rule *rule)
{
	return !rule->listens && !rule->user_none;
}

/* A server that is told names without their source: who logged in with a password, and a guest by
 * the name of one of the staff, would be the same there. */
static void check_logins_at(struct language *l, size_t server)
{
	const struct policy *policy = l->policy;
	const struct language_rule_note *notes = l->rule_notes.v;
	const struct policy_rule *rules = policy->rules;
	size_t session = policy->nrules, login = policy->nrules;

	for (size_t i = policy->nrules; i-- > 0;)
		if (!leads_to(policy, &rules[i], server))
			continue;
		else if (takes_sessions(&rules[i]))
			session = i;
		else if (takes_logins(policy, &rules[i]))
			login = i;
	if (session == policy->nrules || login == policy->nrules)
		return;
	language_error(l, &notes[login].server,
		"server %s is told the logins of rule %s and those of rule %s alike: who logs in "
		"in a zone could have the name of somebody there; expected `login tagged`, `login "
		"off`, or two servers",
		policy->servers[server].name.text, rules[login].name.text,
		rules[session].name.text);
}

static void check_logins(struct language *l)
{
	const struct policy *policy = l->policy;

	for (size_t i = 0; i < policy->nservers && !l->stopped; i++)
		if (is_told_names(&policy->servers[i]))
			check_logins_at(l, i);
}

void language_check_relay(struct language *l)
{
	const struct policy *policy = l->policy;
	const struct language_rule_note *notes = l->rule_notes.v;
	char text[RELAY_TEXT_SIZE];

	for (size_t i = 0; i < policy->nlisteners && !l->stopped; i++)
		check_listener(l, i);
	check_room(l);
	for (size_t i = 0; i < policy->ndomains && !l->stopped; i++)
		check_names(l, i);
	for (size_t i = 0; i < policy->nrules && !l->stopped; i++) {
		const struct policy_rule *rule = &policy->rules[i];
		if (rule->listens)
			check_of_listener(l, rule, &notes[i]);
		else
			check_of_zone(l, rule, &notes[i]);
		if (rule->user_none)
			check_nobody(l, rule, &notes[i]);
		check_protected(l, rule, &notes[i]);
	}
	check_logins(l);
	if (l->diagnosis->errors == 0 && relay_is_open(policy, NULL, NULL, text)) {
		const struct language_listener_note *notes_of = l->listener_notes.v;
		language_error(l, &notes_of->name, "%s", text);
	}
}
