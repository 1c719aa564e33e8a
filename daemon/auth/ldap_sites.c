/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/auth/ldap_sites.h"

#include "daemon/auth/auth.h"
#include "daemon/base/log.h"
#include "daemon/tls/credentials.h"
#include "lib/tls/credential.h"

#include <stdio.h>

#define BINDERS_MAX   8
#define ALONE_MS      10000 /* a directory that failed, where there are others */
#define ONLY_ALONE_MS 1000  /* and where there is none */

static const struct policy_strings *urls_of(const struct ldap_sites *sites)
{
	return &sites->backend->policy->ldap.urls;
}

static uint64_t now_ms(const struct ldap_sites *sites)
{
	return loop_now_ms(sites->backend->auth->loop);
}

/* ---- directories ---- */

const char *ldap_sites_url(const struct ldap_sites *sites, size_t at)
{
	return urls_of(sites)->v[at].text;
}

void ldap_sites_leave_alone(struct ldap_sites *sites, size_t at, const char *why)
{
	struct ldap_site *site = &sites->v[at];
	const char *url = ldap_sites_url(sites, at);
	bool others = urls_of(sites)->n > 1;

	if (!site->down && others)
		log_warning("auth %s: %s: %s", sites->backend->policy->name.text, url, why);
	site->down = true;
	site->alone_until_ms = now_ms(sites) + (others ? ALONE_MS : ONLY_ALONE_MS);
	snprintf(sites->failed, sizeof(sites->failed), "%s: %s", url, why);
}

void ldap_sites_note_answer(struct ldap_sites *sites, size_t at)
{
	struct ldap_site *site = &sites->v[at];

	if (site->down && urls_of(sites)->n > 1)
		log_info("auth %s: %s answers again", sites->backend->policy->name.text,
			ldap_sites_url(sites, at));
	site->down = false;
}

bool ldap_sites_is_alone(const struct ldap_sites *sites, size_t at)
{
	return now_ms(sites) < sites->v[at].alone_until_ms;
}

bool ldap_sites_find(const struct ldap_sites *sites, size_t *at)
{
	for (*at = 0; *at < urls_of(sites)->n; ++*at)
		if (!ldap_sites_is_alone(sites, *at))
			return true;
	return false;
}

/* ---- connections ---- */

void ldap_sites_take_out(struct ldap_sites *sites, struct ldap_link *link)
{
	struct ldap_link **at = &sites->links;

	while (*at != link)
		at = &(*at)->next;
	*at = link->next;
}

void ldap_sites_close_link(struct ldap_sites *sites, struct ldap_link *link)
{
	ldap_sites_take_out(sites, link);
	ldap_link_close(link);
}

static struct ldap_link *open_link(struct ldap_sites *sites, size_t at, bool searches)
{
	struct ldap_link *link =
		ldap_link_open(sites->backend, at, sites->context, sites->face, searches);

	if (!link)
		return NULL;
	link->next = sites->links;
	sites->links = link;
	return link;
}

static struct ldap_link *find_link(const struct ldap_sites *sites, size_t at, bool searches)
{
	struct ldap_link *link = sites->links;

	while (link && (link->site != at || link->searches != searches || link->old || link->user))
		link = link->next;
	return link;
}

bool ldap_sites_binders_are_taken(const struct ldap_sites *sites)
{
	size_t n = 0;

	for (const struct ldap_link *link = sites->links; link; link = link->next)
		n += !link->searches;
	return n >= BINDERS_MAX;
}

/* One to another directory, or from before, makes room. */
static void close_free_binder(struct ldap_sites *sites)
{
	for (struct ldap_link *link = sites->links; link; link = link->next)
		if (!link->searches && !link->user) {
			ldap_sites_close_link(sites, link);
			return;
		}
}

struct ldap_link *ldap_sites_find_binder(struct ldap_sites *sites, size_t at)
{
	struct ldap_link *link = find_link(sites, at, false);

	if (link)
		return link;
	if (ldap_sites_binders_are_taken(sites))
		close_free_binder(sites);
	return ldap_sites_binders_are_taken(sites) ? NULL : open_link(sites, at, false);
}

struct ldap_link *ldap_sites_find_searcher(struct ldap_sites *sites, size_t at)
{
	struct ldap_link *link = find_link(sites, at, true);

	return link ? link : open_link(sites, at, true);
}

/* ---- their life ---- */

static void make_context(struct ldap_sites *sites)
{
	const struct backend *backend = sites->backend;
	struct tls_server_setup setup = {.verifies = true};
	struct tls_trust *trust = NULL;
	struct credential wanted;
	char said[TLS_WHY_SIZE] = "it is not there";

	credential_of_auth_trust(backend->policy, &wanted);
	const struct tls_credential *found =
		tls_credentials_find(&backend->auth->replica.credentials, &wanted);
	if (found)
		trust = tls_trust_new(&(struct tls_pem){found->bytes, found->len}, said);
	setup.trust = trust;
	sites->context = trust ? tls_context_server(&setup, said) : NULL;
	tls_trust_free(trust);
	snprintf(sites->why, sizeof(sites->why), "trust store \"%.80s\": %s", wanted.file, said);
}

void ldap_sites_init(
	struct ldap_sites *sites, struct backend *backend, const struct ldap_link_face *link_face)
{
	*sites = (struct ldap_sites){.backend = backend, .face = link_face};
	make_context(sites);
	if (!sites->context)
		backend_note(backend, false, sites->why);
}

void ldap_sites_renew(struct ldap_sites *sites)
{
	bool missed = !sites->context;

	tls_context_free(sites->context);
	make_context(sites);
	if (!sites->context || missed)
		backend_note(sites->backend, sites->context != NULL, sites->why);
	for (size_t i = 0; i < POLICY_AUTH_URLS_MAX; i++)
		sites->v[i].alone_until_ms = 0;
	for (struct ldap_link *link = sites->links; link; link = link->next)
		link->old = true;
}

void ldap_sites_fini(struct ldap_sites *sites)
{
	while (sites->links)
		ldap_sites_close_link(sites, sites->links);
	tls_context_free(sites->context);
}
