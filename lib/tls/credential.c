/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/tls/credential.h"

#include "lib/base/vector.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool credential_of_certificate(
	const struct policy *policy, size_t certificate, struct credential *wanted)
{
	const struct policy_certificate *from = &policy->certificates[certificate];

	*wanted = (struct credential){.kind = CREDENTIAL_CERTIFICATE,
		.name = from->name.text,
		.file = from->file.text,
		.key = from->key.text,
		.file_at = from->file_at,
		.key_at = from->key_at};
	return true;
}

static bool trust_of(
	const struct policy_string *ca, const struct policy_span *at, struct credential *wanted)
{
	*wanted = (struct credential){.kind = CREDENTIAL_TRUST,
		.name = "",
		.file = ca->len ? ca->text : CREDENTIAL_TRUST_FILE,
		.key = "",
		.file_at = *at};
	return true;
}

bool credential_of_client_trust(const struct policy_client_tls *tls, struct credential *wanted)
{
	return tls->mode != POLICY_TLS_NONE && tls->client != POLICY_TLS_CLIENT_NONE &&
	       trust_of(&tls->ca, &tls->ca_at, wanted);
}

bool credential_of_server_trust(const struct policy_server_tls *tls, struct credential *wanted)
{
	return tls->mode == POLICY_SERVER_TLS_VERIFY && trust_of(&tls->ca, &tls->ca_at, wanted);
}

bool credential_of_account(const struct policy_account *account, struct credential *wanted)
{
	*wanted = (struct credential){.kind = CREDENTIAL_SECRET,
		.name = "",
		.file = account->secret_file.text,
		.key = "",
		.file_at = account->secret_at};
	return account->given;
}

static bool file_of(enum credential_kind kind, const struct policy_string *file,
	const struct policy_span *at, struct credential *wanted)
{
	*wanted = (struct credential){
		.kind = kind, .name = "", .file = file->text, .key = "", .file_at = *at};
	return file->len > 0;
}

/* A directory whose passwords may go in clear is spoken to in TLS all the same where it can. */
bool credential_of_auth_trust(const struct policy_auth *auth, struct credential *wanted)
{
	return auth->kind == POLICY_AUTH_LDAP &&
	       trust_of(&auth->ldap.ca, &auth->ldap.ca_at, wanted);
}

bool credential_of_auth_secret(const struct policy_auth *auth, struct credential *wanted)
{
	return auth->kind == POLICY_AUTH_LDAP &&
	       file_of(CREDENTIAL_SECRET, &auth->ldap.secret_file, &auth->ldap.secret_at, wanted);
}

bool credential_of_users(const struct policy_auth *auth, struct credential *wanted)
{
	return auth->kind == POLICY_AUTH_FILE &&
	       file_of(CREDENTIAL_USERS, &auth->path, &auth->path_at, wanted);
}

bool credential_of_radius(const struct policy_radius_source *source, struct credential *wanted)
{
	return file_of(CREDENTIAL_SECRET, &source->secret_file, &source->secret_at, wanted);
}

bool credential_is_public(enum credential_kind kind)
{
	return kind == CREDENTIAL_TRUST || kind == CREDENTIAL_TERMS || kind == CREDENTIAL_LOGO ||
	       kind == CREDENTIAL_TEXTS;
}

bool credential_of_own(const struct policy_portal *portal, struct credential *wanted)
{
	*wanted = (struct credential){.kind = CREDENTIAL_OWN,
		.name = portal->name.text,
		.file = "own",
		.key = "own",
		.portal = portal};
	return portal->certificate_names.n == 0;
}

bool credential_of_terms(const struct policy_portal *portal, struct credential *wanted)
{
	return file_of(CREDENTIAL_TERMS, &portal->terms_file, &portal->terms_at, wanted);
}

bool credential_of_logo(const struct policy_portal *portal, struct credential *wanted)
{
	return file_of(CREDENTIAL_LOGO, &portal->logo_file, &portal->logo_at, wanted);
}

bool credential_of_texts(const struct policy_portal *portal, struct credential *wanted)
{
	return file_of(CREDENTIAL_TEXTS, &portal->texts_file, &portal->texts_at, wanted);
}

static struct credential *find(struct credentials *all, const struct credential *wanted)
{
	for (size_t i = 0; i < all->n; i++)
		if (all->v[i].kind == wanted->kind && strcmp(all->v[i].name, wanted->name) == 0 &&
			strcmp(all->v[i].file, wanted->file) == 0)
			return &all->v[i];
	return NULL;
}

static int add(struct credentials *all, const struct credential *wanted)
{
	struct credential *found = find(all, wanted);

	if (found) {
		found->clients |= wanted->clients;
		found->servers |= wanted->servers;
		found->auths |= wanted->auths;
		found->radiuses |= wanted->radiuses;
		found->portals |= wanted->portals;
		return 0;
	}
	struct credential *v = vector_grow(all->v, all->n, &all->room, sizeof(*v));
	if (!v)
		return -ENOMEM;
	all->v = v;
	all->v[all->n++] = *wanted;
	return 0;
}

static int add_client(
	struct credentials *all, const struct policy *policy, const struct policy_client_tls *tls)
{
	struct credential wanted;
	int error = 0;

	if (tls->mode == POLICY_TLS_NONE)
		return 0;
	for (size_t i = 0; !error && i < tls->certificate_names.n; i++) {
		credential_of_certificate(policy, tls->certificates[i], &wanted);
		wanted.clients = true;
		error = add(all, &wanted);
	}
	if (!error && credential_of_client_trust(tls, &wanted)) {
		wanted.clients = true;
		error = add(all, &wanted);
	}
	return error;
}

static int add_server(
	struct credentials *all, const struct policy *policy, const struct policy_server_tls *tls)
{
	struct credential wanted;
	int error = 0;

	if (!tls->given || tls->mode == POLICY_SERVER_TLS_NONE)
		return 0;
	if (tls->certificate >= 0) {
		credential_of_certificate(policy, (size_t)tls->certificate, &wanted);
		wanted.servers = true;
		error = add(all, &wanted);
	}
	if (!error && credential_of_server_trust(tls, &wanted)) {
		wanted.servers = true;
		error = add(all, &wanted);
	}
	return error;
}

static int add_server_all(
	struct credentials *all, const struct policy *policy, const struct policy_server *server)
{
	struct credential wanted;
	int error = add_server(all, policy, &server->tls);

	for (size_t i = 0; !error && i < server->nhosts; i++)
		error = add_server(all, policy, &server->hosts[i].tls);
	if (!error && credential_of_account(&server->account, &wanted)) {
		wanted.servers = true;
		error = add(all, &wanted);
	}
	return error;
}

static int add_auth(struct credentials *all, const struct policy_auth *auth)
{
	bool (*const parts[])(const struct policy_auth *, struct credential *) = {
		credential_of_auth_trust, credential_of_auth_secret, credential_of_users};
	int error = 0;

	for (size_t i = 0; !error && i < sizeof(parts) / sizeof(*parts); i++) {
		struct credential wanted;
		if (!parts[i](auth, &wanted))
			continue;
		wanted.auths = true;
		error = add(all, &wanted);
	}
	return error;
}

static int add_radius(struct credentials *all, const struct policy_radius *radius)
{
	struct credential wanted;
	int error = 0;

	for (size_t i = 0; !error && i < radius->nsources; i++) {
		if (!credential_of_radius(&radius->sources[i], &wanted))
			continue;
		wanted.radiuses = true;
		error = add(all, &wanted);
	}
	return error;
}

static int add_portal(
	struct credentials *all, const struct policy *policy, const struct policy_portal *portal)
{
	bool (*const parts[])(const struct policy_portal *, struct credential *) = {
		credential_of_own, credential_of_terms, credential_of_logo, credential_of_texts};
	struct credential wanted;
	int error = 0;

	for (size_t i = 0; !error && i < portal->certificate_names.n; i++) {
		credential_of_certificate(policy, portal->certificates[i], &wanted);
		wanted.portals = true;
		error = add(all, &wanted);
	}
	for (size_t i = 0; !error && i < sizeof(parts) / sizeof(*parts); i++) {
		if (!parts[i](portal, &wanted))
			continue;
		wanted.portals = true;
		error = add(all, &wanted);
	}
	return error;
}

int credentials_of(const struct policy *policy, struct credentials *all)
{
	struct credential wanted;
	int error = 0;

	*all = (struct credentials){0};
	for (size_t i = 0; !error && i < policy->ncertificates; i++)
		if (credential_of_certificate(policy, i, &wanted))
			error = add(all, &wanted);
	for (size_t i = 0; !error && i < policy->nzones; i++)
		error = add_client(all, policy, &policy->zones[i].tls);
	for (size_t i = 0; !error && i < policy->nlisteners; i++)
		error = add_client(all, policy, &policy->listeners[i].tls);
	for (size_t i = 0; !error && i < policy->nservers; i++)
		error = add_server_all(all, policy, &policy->servers[i]);
	for (size_t i = 0; !error && i < policy->nauths; i++)
		error = add_auth(all, &policy->auths[i]);
	for (size_t i = 0; !error && i < policy->nradiuses; i++)
		error = add_radius(all, &policy->radiuses[i]);
	for (size_t i = 0; !error && i < policy->nportals; i++)
		error = add_portal(all, policy, &policy->portals[i]);
	return error;
}

void credentials_fini(struct credentials *all)
{
	free(all->v);
	*all = (struct credentials){0};
}

const char *credential_title(
	const struct credential *credential, char buf[static CREDENTIAL_TITLE_SIZE])
{
	switch (credential->kind) {
	case CREDENTIAL_CERTIFICATE:
		snprintf(buf, CREDENTIAL_TITLE_SIZE, "certificate %s", credential->name);
		break;
	case CREDENTIAL_TRUST:
		snprintf(buf, CREDENTIAL_TITLE_SIZE, "trust store");
		break;
	case CREDENTIAL_SECRET:
		snprintf(buf, CREDENTIAL_TITLE_SIZE, "secret");
		break;
	case CREDENTIAL_USERS:
		snprintf(buf, CREDENTIAL_TITLE_SIZE, "users");
		break;
	case CREDENTIAL_OWN:
		snprintf(buf, CREDENTIAL_TITLE_SIZE, "certificate of portal %s", credential->name);
		break;
	case CREDENTIAL_TERMS:
		snprintf(buf, CREDENTIAL_TITLE_SIZE, "terms");
		break;
	case CREDENTIAL_LOGO:
		snprintf(buf, CREDENTIAL_TITLE_SIZE, "logo");
		break;
	case CREDENTIAL_TEXTS:
		snprintf(buf, CREDENTIAL_TITLE_SIZE, "texts");
		break;
	}
	return buf;
}

const char *credential_lack(enum credential_kind kind)
{
	switch (kind) {
	case CREDENTIAL_CERTIFICATE:
	case CREDENTIAL_TRUST:
		break;
	case CREDENTIAL_SECRET:
		return "there is no login with it";
	case CREDENTIAL_USERS:
		return "who logs in by it hears 454";
	case CREDENTIAL_OWN:
		return "nobody can log in there";
	case CREDENTIAL_TERMS:
		return "nobody can accept them, so nobody can log in there";
	case CREDENTIAL_LOGO:
	case CREDENTIAL_TEXTS:
		return "the page is without";
	}
	return "there is no TLS with it";
}
