/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/tls/contexts.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct secret {
	char *text; /* NULL: none */
	size_t len;
};

struct of_host {
	bool own; /* has a `tls` of its own, which then holds, whatever became of its context */
	struct tls_context *context;
};

struct of_server {
	struct tls_context *context;
	struct of_host *hosts;
	size_t nhosts;
	struct secret secret;
};

struct tls_contexts {
	uint64_t number;
	unsigned holders;
	struct tls_context **zones, **listeners;
	struct of_server *servers;
	size_t nzones, nlisteners, nservers;
};

/* What is needed while they are made. */
struct making {
	const struct policy *policy;
	const struct tls_credentials *credentials;
	char *why;
	size_t size;
};

static void say(struct making *making, const struct credential *wanted, const char *text)
{
	char title[CREDENTIAL_TITLE_SIZE];

	if (!making->why[0])
		snprintf(making->why, making->size, "%s: %s: %s", credential_title(wanted, title),
			wanted->file, text);
}

static void free_server(struct of_server *server)
{
	tls_context_free(server->context);
	for (size_t i = 0; server->hosts && i < server->nhosts; i++)
		tls_context_free(server->hosts[i].context);
	free(server->hosts);
	if (server->secret.text)
		explicit_bzero(server->secret.text, server->secret.len);
	free(server->secret.text);
}

void tls_contexts_free(struct tls_contexts *contexts)
{
	if (!contexts || --contexts->holders > 0)
		return;
	for (size_t i = 0; contexts->zones && i < contexts->nzones; i++)
		tls_context_free(contexts->zones[i]);
	for (size_t i = 0; contexts->listeners && i < contexts->nlisteners; i++)
		tls_context_free(contexts->listeners[i]);
	for (size_t i = 0; contexts->servers && i < contexts->nservers; i++)
		free_server(&contexts->servers[i]);
	free(contexts->zones);
	free(contexts->listeners);
	free(contexts->servers);
	free(contexts);
}

struct tls_contexts *tls_contexts_hold(struct tls_contexts *contexts)
{
	if (contexts)
		contexts->holders++;
	return contexts;
}

/* ---- what they are made of ---- */

static bool find_certificate(
	struct making *making, size_t index, struct tls_certificate *certificate)
{
	struct credential wanted;

	credential_of_certificate(making->policy, index, &wanted);
	const struct tls_credential *found = tls_credentials_find(making->credentials, &wanted);
	if (!found) {
		say(making, &wanted, "it is not there");
		return false;
	}
	*certificate = (struct tls_certificate){
		.chain = {found->bytes, found->len}, .key = {found->key, found->key_len}};
	return true;
}

/* NULL: said. */
static struct tls_trust *find_trust(struct making *making, const struct credential *wanted)
{
	char why[TLS_WHY_SIZE] = "it is not there";
	const struct tls_credential *found = tls_credentials_find(making->credentials, wanted);
	struct tls_trust *trust =
		found ? tls_trust_new(&(struct tls_pem){found->bytes, found->len}, why) : NULL;

	if (!trust)
		say(making, wanted, why);
	return trust;
}

/* ---- towards clients ---- */

/* One that is missing leaves the others; none at all, or nobody to judge by, is no context. */
static struct tls_context *make_client(struct making *making, const struct policy_client_tls *tls)
{
	struct tls_certificate *certificates =
		calloc(tls->certificate_names.n + 1, sizeof(*certificates));
	struct tls_client_setup setup = {.certificates = certificates,
		.asks = tls->client != POLICY_TLS_CLIENT_NONE,
		.legacy = tls->legacy};
	struct tls_context *context = NULL;
	struct tls_trust *trust = NULL;
	struct credential wanted;
	char why[TLS_WHY_SIZE];

	for (size_t i = 0; certificates && i < tls->certificate_names.n; i++)
		setup.ncertificates += find_certificate(
			making, tls->certificates[i], &certificates[setup.ncertificates]);
	if (!setup.ncertificates)
		goto done;
	if (credential_of_client_trust(tls, &wanted) && !(trust = find_trust(making, &wanted)))
		goto done;
	setup.trust = trust;
	context = tls_context_client(&setup, why);
	if (!context) {
		credential_of_certificate(making->policy, tls->certificates[0], &wanted);
		say(making, &wanted, why);
	}
done:
	tls_trust_free(trust);
	free(certificates);
	return context;
}

/* ---- towards servers ---- */

static const char **names_of(const struct policy_strings *names)
{
	const char **v = calloc(names->n + 1, sizeof(*v));

	for (size_t i = 0; v && i < names->n; i++)
		v[i] = names->v[i].text;
	return v;
}

/* NULL: it has none, or said. */
static struct tls_context *make_server(
	struct making *making, const char *server, const struct policy_server_tls *tls)
{
	if (tls->given && tls->mode == POLICY_SERVER_TLS_NONE)
		return NULL;
	struct tls_server_setup setup = {.verifies = tls->mode == POLICY_SERVER_TLS_VERIFY,
		.nnames = tls->names.n,
		.pins = tls->npins ? (const uint8_t(*)[32])tls->pins : NULL,
		.npins = tls->npins,
		.legacy = tls->legacy};
	const char **names = names_of(&tls->names);
	struct tls_context *context = NULL;
	struct tls_trust *trust = NULL;
	struct tls_certificate own;
	struct credential wanted;
	char why[TLS_WHY_SIZE] = "no memory";

	if (!names)
		return NULL;
	setup.names = names;
	if (tls->given && tls->certificate >= 0) {
		if (!find_certificate(making, (size_t)tls->certificate, &own))
			goto done;
		setup.certificate = &own;
	}
	if (credential_of_server_trust(tls, &wanted) && !(trust = find_trust(making, &wanted)))
		goto done;
	setup.trust = trust;
	context = tls_context_server(&setup, why);
	if (!context && !making->why[0])
		snprintf(making->why, making->size, "server %s: tls: %s", server, why);
done:
	tls_trust_free(trust);
	free(names);
	return context;
}

static void take_secret(
	struct making *making, const struct policy_account *account, struct secret *secret)
{
	struct credential wanted;

	if (!credential_of_account(account, &wanted))
		return;
	const struct tls_credential *found = tls_credentials_find(making->credentials, &wanted);
	secret->text = found ? malloc(found->len + 1) : NULL;
	if (!secret->text) {
		say(making, &wanted, "it is not there");
		return;
	}
	memcpy(secret->text, found->bytes, found->len);
	secret->text[found->len] = '\0';
	secret->len = found->len;
}

static bool make_of_server(struct making *making, const struct policy_server *server,
	unsigned sides, struct of_server *made)
{
	made->hosts = calloc(server->nhosts + 1, sizeof(*made->hosts));
	if (!made->hosts)
		return false;
	made->nhosts = server->nhosts;
	made->context = make_server(making, server->name.text, &server->tls);
	for (size_t i = 0; i < server->nhosts; i++) {
		made->hosts[i].own = server->hosts[i].tls.given;
		if (made->hosts[i].own)
			made->hosts[i].context =
				make_server(making, server->name.text, &server->hosts[i].tls);
	}
	if (sides & TLS_SECRETS)
		take_secret(making, &server->account, &made->secret);
	return true;
}

struct tls_contexts *tls_contexts_make(const struct policy *policy,
	const struct tls_credentials *credentials, unsigned sides, char *why, size_t size)
{
	/* an address is taken again by the next ones, a number never */
	static uint64_t last;
	struct making making = {policy, credentials, why, size};
	struct tls_contexts *made = calloc(1, sizeof(*made));

	why[0] = '\0';
	if (!made)
		return NULL;
	made->holders = 1;
	made->number = ++last;
	made->zones = calloc(policy->nzones + 1, sizeof(struct tls_context *));
	made->listeners = calloc(policy->nlisteners + 1, sizeof(struct tls_context *));
	made->servers = calloc(policy->nservers + 1, sizeof(*made->servers));
	bool fits = made->zones && made->listeners && made->servers;
	made->nzones = policy->nzones;
	made->nlisteners = policy->nlisteners;
	for (size_t i = 0; fits && sides & TLS_CLIENTS && i < policy->nzones; i++)
		if (policy->zones[i].tls.mode != POLICY_TLS_NONE)
			made->zones[i] = make_client(&making, &policy->zones[i].tls);
	for (size_t i = 0; fits && sides & TLS_CLIENTS && i < policy->nlisteners; i++)
		if (policy->listeners[i].tls.mode != POLICY_TLS_NONE)
			made->listeners[i] = make_client(&making, &policy->listeners[i].tls);
	for (size_t i = 0; fits && sides & TLS_SERVERS && i < policy->nservers;
		i++, made->nservers++)
		fits = make_of_server(&making, &policy->servers[i], sides, &made->servers[i]);
	if (fits)
		return made;
	tls_contexts_free(made);
	return NULL;
}

static bool server_holds_all(const struct of_server *now, const struct of_server *before)
{
	bool all = (now->context || !before->context) && (now->secret.text || !before->secret.text);

	for (size_t i = 0; all && i < before->nhosts; i++)
		all = now->hosts[i].context || !before->hosts[i].context;
	return all;
}

uint64_t tls_contexts_number(const struct tls_contexts *contexts)
{
	return contexts ? contexts->number : 0;
}

bool tls_contexts_hold_all(const struct tls_contexts *now, const struct tls_contexts *before)
{
	bool all = true;

	for (size_t i = 0; before && all && i < before->nzones; i++)
		all = now->zones[i] || !before->zones[i];
	for (size_t i = 0; before && all && i < before->nlisteners; i++)
		all = now->listeners[i] || !before->listeners[i];
	for (size_t i = 0; before && all && i < before->nservers; i++)
		all = server_holds_all(&now->servers[i], &before->servers[i]);
	return all;
}

/* ---- asked for ---- */

struct tls_context *tls_contexts_zone(const struct tls_contexts *contexts, size_t zone)
{
	return contexts && zone < contexts->nzones ? contexts->zones[zone] : NULL;
}

struct tls_context *tls_contexts_listener(const struct tls_contexts *contexts, size_t listener)
{
	return contexts && listener < contexts->nlisteners ? contexts->listeners[listener] : NULL;
}

struct tls_context *tls_contexts_host(
	const struct tls_contexts *contexts, size_t server, size_t host)
{
	if (!contexts || server >= contexts->nservers)
		return NULL;
	const struct of_server *of = &contexts->servers[server];
	return host < of->nhosts && of->hosts[host].own ? of->hosts[host].context : of->context;
}

const char *tls_contexts_secret(const struct tls_contexts *contexts, size_t server, size_t *len)
{
	if (!contexts || server >= contexts->nservers)
		return NULL;
	*len = contexts->servers[server].secret.len;
	return contexts->servers[server].secret.text;
}
