/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the places where passwords are checked ask of a policy, and the listeners that ask them. */
#include "lib/language/lexer.h"
#include "lib/ldap/dn.h"
#include "lib/ldap/filter.h"
#include "lib/ldap/url.h"

#include <string.h>
#include <strings.h>
#include <sys/un.h>

/* ---- ldap ---- */

static void check_urls(
	struct language *l, const struct policy_ldap *ldap, const struct language_auth_note *note)
{
	const struct policy_strings *urls = &ldap->urls;
	bool clear = false;

	for (size_t i = 0; i < urls->n; i++) {
		char quoted[LANGUAGE_QUOTE_SIZE];
		struct ldap_url url;
		const char *expected = ldap_url_parse(urls->v[i].text, &url);
		if (expected)
			language_error(l, &note->urls.v[i], "\"%s\" is no directory, expected %s",
				language_quote(urls->v[i].text, urls->v[i].len, quoted), expected);
		clear |= !url.immediate;
		for (size_t j = 0; j < i; j++)
			if (policy_string_equal(&urls->v[i], &urls->v[j]))
				language_error(l, &note->urls.v[i],
					"directory \"%s\" stands twice, expected once",
					language_quote(urls->v[i].text, urls->v[i].len, quoted));
	}
	if (urls->n > POLICY_AUTH_URLS_MAX)
		language_error(l, &note->urls.v[POLICY_AUTH_URLS_MAX],
			"an auth asks %d directories at most", POLICY_AUTH_URLS_MAX);
	if (ldap->insecure && !clear)
		language_error(l, &note->insecure,
			"`insecure` allows passwords in clear, and ldaps:// has none; expected no "
			"`insecure`");
	else if (ldap->insecure)
		language_warn(l, &note->insecure,
			"passwords go to the directory in clear where it takes no StartTLS: who is "
			"between reads them");
}

static void check_filter(
	struct language *l, const struct policy_ldap *ldap, const struct language_span *span)
{
	struct ldap_filter_error error;
	char quoted[LANGUAGE_QUOTE_SIZE];

	if (ldap->filter.len == 0)
		return;
	if (!ldap_filter_check(ldap->filter.text, &error))
		language_error(l, span,
			"\"%s\" is no filter, expected %s behind its first %zu bytes",
			language_quote(ldap->filter.text, ldap->filter.len, quoted), error.expected,
			error.at);
	else if (!strstr(ldap->filter.text, "%u"))
		language_error(l, span,
			"this filter finds the same entry for everybody, expected %%u where the "
			"user's name belongs, as in (uid=%%u)");
}

/* The user's own name, as which he is bound. */
static bool is_template(const struct policy_ldap *ldap)
{
	return strstr(ldap->bind.text, "%u") != NULL;
}

static void check_bind(
	struct language *l, const struct policy_ldap *ldap, const struct language_auth_note *note)
{
	bool bind = note->ldap[LANGUAGE_LDAP_BIND].width > 0, template = is_template(ldap);
	bool secret = note->ldap[LANGUAGE_LDAP_SECRET].width > 0;
	size_t at;

	if (!dn_check(ldap->bind.text, &at))
		language_error(l, &note->ldap[LANGUAGE_LDAP_BIND],
			"a %% stands alone behind the first %zu bytes, expected %%u for the user's "
			"name, or %%%%",
			at);
	else if (template && secret)
		language_error(l, &note->ldap[LANGUAGE_LDAP_SECRET],
			"who is bound is the user, with his own password; expected no `secret`, or "
			"a `bind` without %%u");
	else if (bind && !template && !secret)
		language_error(l, &note->ldap[LANGUAGE_LDAP_BIND],
			"who searches has no password, expected `secret file \"PATH\"` beside it");
	else if (secret && !bind)
		language_error(l, &note->ldap[LANGUAGE_LDAP_SECRET],
			"this is nobody's password, expected `bind \"DN\"` beside it");
}

static void check_search(
	struct language *l, const struct policy_ldap *ldap, const struct language_auth_note *note)
{
	bool base = note->ldap[LANGUAGE_LDAP_BASE].width > 0;
	bool filter = note->ldap[LANGUAGE_LDAP_FILTER].width > 0;
	bool template = is_template(ldap);

	if (base != filter)
		language_error(l, &note->ldap[base ? LANGUAGE_LDAP_BASE : LANGUAGE_LDAP_FILTER],
			"a search needs both base and filter, expected `%s` beside it",
			base ? "filter" : "base");
	else if (!base && !template)
		language_error(l, &note->backend,
			"nothing says which entry a user has; expected base and filter, or `bind` "
			"with %%u");
	else if (!base && !strchr(ldap->bind.text, '=') && (ldap->group.len || ldap->mail.len))
		language_error(l,
			&note->ldap[ldap->group.len ? LANGUAGE_LDAP_GROUP : LANGUAGE_LDAP_MAIL],
			"which entry this is read from is not said: \"%s\" is no DN; expected base "
			"and filter",
			ldap->bind.text);
	if (ldap->prefix.len > 0 && ldap->group.len == 0)
		language_error(l, &note->ldap[LANGUAGE_LDAP_PREFIX],
			"this is the prefix of no group, expected `group \"ATTRIBUTE\"` beside it");
}

/* RFC 4512, 1.4: a name, or numbers with dots. */
static void check_attribute(
	struct language *l, const struct policy_string *name, const struct language_span *span)
{
	size_t fit = strspn(name->text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					"0123456789-.");
	char quoted[LANGUAGE_QUOTE_SIZE];

	if (fit != name->len)
		language_error(l, span,
			"\"%s\" is no attribute, expected letters, digits and hyphens, as in "
			"memberOf",
			language_quote(name->text, name->len, quoted));
}

static void check_ldap(
	struct language *l, const struct policy_ldap *ldap, const struct language_auth_note *note)
{
	check_urls(l, ldap, note);
	check_filter(l, ldap, &note->ldap[LANGUAGE_LDAP_FILTER]);
	check_bind(l, ldap, note);
	check_search(l, ldap, note);
	check_attribute(l, &ldap->group, &note->ldap[LANGUAGE_LDAP_GROUP]);
	check_attribute(l, &ldap->mail, &note->ldap[LANGUAGE_LDAP_MAIL]);
}

/* ---- forward ---- */

/* A password goes there: to whom it is meant for, or nowhere. */
static void check_forward(
	struct language *l, struct policy_auth *auth, const struct language_auth_note *note)
{
	if (!language_resolve(
		    l, POLICY_KIND_SERVER, &auth->server_name, &note->value, &auth->server))
		return;
	const struct policy_server *server = &l->policy->servers[auth->server];
	if (server->path == POLICY_PATH_KERNEL) {
		language_error(l, &note->value,
			"the gateway talks to this server, and %s has `path kernel`; expected one "
			"with `path relay`",
			server->name.text);
		return;
	}
	for (size_t i = 0; i < server->nhosts; i++) {
		const struct policy_host *host = &server->hosts[i];
		enum policy_server_tls_mode mode = policy_host_tls(server, host)->mode;
		if (mode != POLICY_SERVER_TLS_VERIFY && mode != POLICY_SERVER_TLS_PIN) {
			language_error(l, &note->value,
				"the users' passwords would go to whoever answers as %s %s of "
				"server %s; expected `tls verify` or pin there",
				host->is_mx ? "mx" : "host", host->name.text, server->name.text);
			return;
		}
	}
}

/* ---- dovecot ---- */

/* The kernel's own limit, unix(7): no longer one is ever reached. */
static void check_socket(
	struct language *l, const struct policy_auth *auth, const struct language_auth_note *note)
{
	const size_t max = sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1;

	if (auth->path.len > max)
		language_error(l, &note->value,
			"this path has %u bytes with its folder, expected %zu at most, as of any "
			"socket",
			auth->path.len, max);
}

/* ---- mechanisms ---- */

static bool is_mechanism(const struct policy_string *name)
{
	size_t fit = strspn(name->text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					"0123456789-_");
	bool letter = (name->text[0] | 0x20) >= 'a' && (name->text[0] | 0x20) <= 'z';

	return letter && fit == name->len && name->len <= POLICY_AUTH_MECHANISM_MAX;
}

/* Those that ask for no password, and those whose proof says nothing of who it is. */
static bool proves_nobody(const struct policy_string *name)
{
	return strcasecmp(name->text, "ANONYMOUS") == 0 || strcasecmp(name->text, "EXTERNAL") == 0;
}

static void check_mechanisms(
	struct language *l, const struct policy_auth *auth, const struct language_auth_note *note)
{
	for (size_t i = 0; i < auth->mechanisms.n; i++) {
		const struct policy_string *name = &auth->mechanisms.v[i];
		const struct language_span *span = &note->mechanisms.v[i];
		char quoted[LANGUAGE_QUOTE_SIZE];
		bool password = strcasecmp(name->text, "PLAIN") == 0 ||
				strcasecmp(name->text, "LOGIN") == 0;

		language_quote(name->text, name->len, quoted);
		if (!is_mechanism(name) || proves_nobody(name))
			language_error(l, span,
				"\"%s\" is no mechanism that checks a password, expected one such "
				"as PLAIN, LOGIN or SCRAM-SHA-256",
				quoted);
		else if (auth->kind != POLICY_AUTH_DOVECOT && !password)
			language_error(l, span,
				"`%s` sees passwords and checks no %s, expected PLAIN or LOGIN; "
				"`dovecot` has others",
				policy_auth_kind_names[auth->kind], quoted);
		for (size_t j = 0; j < i; j++)
			if (strcasecmp(name->text, auth->mechanisms.v[j].text) == 0)
				language_error(l, span, "mechanism %s stands twice, expected once",
					quoted);
	}
}

/* As it stands in an address: without the dot at its end that DNS may have. */
static bool is_domain(const struct policy_string *text)
{
	return text->len > 0 && text->text[text->len - 1] != '.' && !language_refuse_host(text);
}

static void check_auth(
	struct language *l, struct policy_auth *auth, const struct language_auth_note *note)
{
	char quoted[LANGUAGE_QUOTE_SIZE];

	if (note->backend.width == 0) /* as has been said; it is of no kind */
		return;
	switch (auth->kind) {
	case POLICY_AUTH_LDAP:
		check_ldap(l, &auth->ldap, note);
		break;
	case POLICY_AUTH_FORWARD:
		check_forward(l, auth, note);
		break;
	case POLICY_AUTH_DOVECOT:
		check_socket(l, auth, note);
		break;
	case POLICY_AUTH_FILE:
		break;
	}
	check_mechanisms(l, auth, note);
	if (note->domain.width > 0 && !is_domain(&auth->domain))
		language_error(l, &note->domain,
			"\"%s\" is no domain, expected one such as hotel.example",
			language_quote(auth->domain.text, auth->domain.len, quoted));
}

/* ---- listeners ---- */

/* They cannot say that a user is unknown to them: nobody is asked behind them. */
static bool is_last(enum policy_auth_kind kind)
{
	return kind == POLICY_AUTH_FORWARD || kind == POLICY_AUTH_DOVECOT;
}

/* Whom it binds at once, an unknown user and a wrong password are the same to a directory: result
 * 49. */
static bool binds_at_once(const struct policy_auth *auth)
{
	const struct policy_string *bind = &auth->ldap.bind;

	return auth->kind == POLICY_AUTH_LDAP && bind->len > 0 && strstr(bind->text, "%u");
}

void language_check_auth_order(struct language *l, const struct policy_strings *names,
	const size_t *auths, const struct language_spans *spans)
{
	if (names->n > POLICY_AUTH_BACKENDS_MAX)
		language_error(l, &spans->v[POLICY_AUTH_BACKENDS_MAX], "%d auths are asked at most",
			POLICY_AUTH_BACKENDS_MAX);
	for (size_t i = 0; i < names->n; i++) {
		const struct policy_auth *auth = &l->policy->auths[auths[i]];
		for (size_t j = 0; j < i; j++)
			if (policy_string_equal(&names->v[i], &names->v[j]))
				language_error(l, &spans->v[i],
					"auth %s stands twice, expected once", names->v[i].text);
		if (i + 1 < names->n && is_last(auth->kind))
			language_error(l, &spans->v[i],
				"auth %s never says that it does not know a user, so that none "
				"behind it is asked; expected it last",
				names->v[i].text);
		else if (i + 1 < names->n && binds_at_once(auth))
			language_warn(l, &spans->v[i],
				"auth %s binds a user at once, and directories seldom say that "
				"they do not know him: then auth %s behind it is not asked; "
				"expected `base`, `filter` and a `bind` without %%u, or it last",
				names->v[i].text, names->v[i + 1].text);
	}
}

static void check_listener(struct language *l, struct policy_listener *listener,
	const struct language_listener_note *note)
{
	size_t errors = l->diagnosis->errors;
	bool tls = listener->tls.mode != POLICY_TLS_NONE;

	language_resolve_all(
		l, POLICY_KIND_AUTH, &listener->auth_names, &note->auths, listener->auths);
	if (l->diagnosis->errors == errors)
		language_check_auth_order(l, &listener->auth_names, listener->auths, &note->auths);
	if (listener->auth_names.n > 0 && !tls && !listener->tls.insecure)
		language_error(l, &note->auth,
			"passwords would be asked for in clear, and whoever is between reads them; "
			"expected `tls require { certificate NAME }`, offer or immediate, or `tls "
			"none { insecure }`");
	if (listener->auth_names.n > 0 && listener->tls.insecure)
		language_warn(l, &note->tls.insecure,
			"passwords are taken in clear at listener %s: who is between reads them",
			listener->name.text);
	if (listener->auth_names.n == 0 && listener->tls.insecure)
		language_error(l, &note->tls.insecure,
			"`insecure` allows passwords in clear, and listener %s asks for none; "
			"expected `auth` beside it",
			listener->name.text);
}

/* ---- rules, once every name is resolved ---- */

static bool anybody_logs_in(const struct policy *policy, const struct policy_rule *rule)
{
	for (size_t i = 0; i < policy->nlisteners; i++)
		if (policy_rule_in_listener(rule, i) && policy->listeners[i].auth_names.n > 0)
			return true;
	return false;
}

/* Whoever comes to a listener and is known logged in there; whoever comes by a zone did not. */
static void check_sources(
	struct language *l, const struct policy_rule *rule, const struct language_rule_note *note)
{
	unsigned possible = rule->listens
				    ? 1u << POLICY_SOURCE_AUTH
				    : 1u << POLICY_SOURCE_SESSION | 1u << POLICY_SOURCE_DEVICE;

	for (size_t i = 0; i < rule->users.n; i++)
		if (!(rule->meant[i].sources & possible))
			language_error(l, &note->user,
				"no user of rule %s can be \"%s\": %s; expected \"%s\"",
				rule->name.text, rule->users.v[i].text,
				rule->listens ? "who is known at a listener logged in there with a "
						"password"
					      : "in a zone nobody logs in with a password",
				rule->meant[i].name.text);
}

static void check_rule(
	struct language *l, const struct policy_rule *rule, const struct language_rule_note *note)
{
	bool user = (rule->user_given && !rule->user_none) || rule->group_given;
	bool somebody = rule->listens && anybody_logs_in(l->policy, rule);

	check_sources(l, rule, note);
	if (rule->sender.own && !rule->listens)
		language_error(l, &note->message_word,
			"`own` is of who logs in with a password, and in a zone nobody does; "
			"expected mail addresses, or `listener` in rule %s",
			rule->name.text);
	else if (rule->sender.own && !somebody)
		language_error(l, &note->message_word,
			"`own` is of who logs in, and at no listener of rule %s can anybody; "
			"expected `auth` there",
			rule->name.text);
	else if (rule->listens && user && !somebody && !rule->disabled)
		language_warn(l, &note->name,
			"rule %s is for users, and at none of its listeners can anybody log in: "
			"they have no `auth`",
			rule->name.text);
}

void language_check_auth_rules(struct language *l)
{
	const struct language_rule_note *notes = l->rule_notes.v;

	for (size_t i = 0; i < l->policy->nrules && !l->stopped; i++)
		check_rule(l, &l->policy->rules[i], &notes[i]);
}

void language_check_auth(struct language *l)
{
	struct policy *policy = l->policy;
	const struct language_auth_note *auth_notes = l->auth_notes.v;
	const struct language_listener_note *listener_notes = l->listener_notes.v;

	for (size_t i = 0; i < policy->nauths && !l->stopped; i++)
		check_auth(l, &policy->auths[i], &auth_notes[i]);
	for (size_t i = 0; i < policy->nlisteners && !l->stopped; i++)
		check_listener(l, &policy->listeners[i], &listener_notes[i]);
}
