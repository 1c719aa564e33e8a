/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/web/portal/portals.h"

#include "daemon/base/log.h"
#include "daemon/web/portal/answer.h"
#include "daemon/web/portal/entrance.h"
#include "daemon/web/portal/say.h"
#include "daemon/web/portal/service.h"
#include "daemon/web/portal/shown.h"
#include "daemon/web/web.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* Of the one process: GnuTLS asks for a certificate by a descriptor alone. */
static const struct portals *of_process;

static const struct shown *shown_of(int fd)
{
	for (const struct visit *visit = of_process ? of_process->visits : NULL; visit;
		visit = visit->next)
		if (visit->fd == fd)
			return visit->service->shown;
	return NULL;
}

int portals_init(struct web *web)
{
	struct portals *portals = &web->portals;
	uint8_t secret[SIPHASH_SECRET_SIZE];

	if (getrandom(portals->key, sizeof(portals->key), 0) != (ssize_t)sizeof(portals->key) ||
		getrandom(secret, sizeof(secret), 0) != (ssize_t)sizeof(secret))
		return -errno;
	portals->tries = portal_tries_new(secret);
	explicit_bzero(secret, sizeof(secret));
	of_process = portals;
	shown_ask(shown_of);
	return portals->tries ? 0 : -ENOMEM;
}

/* ---- what a portal shows ---- */

static const struct tls_credential *find(const struct web *web, const struct credential *wanted)
{
	return tls_credentials_find(&web->replica.credentials, wanted);
}

static void take_texts(struct portal *portal)
{
	char error[PORTAL_ERROR_SIZE];
	struct credential wanted;
	size_t line;
	const struct tls_credential *file =
		credential_of_texts(portal->policy, &wanted) ? find(portal->web, &wanted) : NULL;

	portal_texts_init(&portal->texts);
	if (file && portal_texts_parse(
			    (const char *)file->bytes, file->len, &portal->texts, error, &line) < 0)
		portal_texts_init(&portal->texts);
}

static void take_terms(struct portal *portal)
{
	struct credential wanted;
	const bool given = credential_of_terms(portal->policy, &wanted);
	const struct tls_credential *file = given ? find(portal->web, &wanted) : NULL;

	portal->terms = file ? (const char *)file->bytes : NULL;
	portal->terms_len = file ? file->len : 0;
	portal->lacks_terms = given && !file;
	memset(portal->terms_version, 0, sizeof(portal->terms_version));
	if (file)
		portal_terms_version(portal->terms, portal->terms_len, portal->terms_version);
}

static void drop(struct MHD_Response **response)
{
	if (*response)
		MHD_destroy_response(*response); /* once nobody is sent it any more */
	*response = NULL;
}

static void take_logo(struct portal *portal)
{
	struct credential wanted;
	const struct tls_credential *file =
		credential_of_logo(portal->policy, &wanted) ? find(portal->web, &wanted) : NULL;

	drop(&portal->logo);
	if (file)
		portal->logo = say_make_logo(file->bytes, file->len);
	if (!portal->style)
		portal->style = say_make_style();
}

/* ---- its services ---- */

static void cannot(struct portal *portal, const char *why)
{
	if (strcmp(portal->state.text, why) != 0)
		log_error("portal %s cannot serve HTTPS: %s", portal->name, why);
	snprintf(portal->state.text, sizeof(portal->state.text), "%s", why);
	portal->state.serves = 0;
}

/* NULL: why is said. */
static struct shown *collect(struct portal *portal)
{
	const struct policy_portal *policy = portal->policy;
	struct shown *shown = shown_new();
	struct credential wanted;
	const char *why = "no certificate is there";

	if (shown && credential_of_own(policy, &wanted)) {
		const struct tls_credential *own = find(portal->web, &wanted);
		int error = own ? shown_add(shown, own) : 0;
		why = error ? gnutls_strerror(error) : why;
	}
	for (size_t i = 0; shown && i < policy->certificate_names.n; i++) {
		credential_of_certificate(
			web_policy(portal->web), policy->certificates[i], &wanted);
		const struct tls_credential *one = find(portal->web, &wanted);
		int error = one ? shown_add(shown, one) : 0;
		why = error ? gnutls_strerror(error) : why;
	}
	if (shown && shown_count(shown) > 0)
		return shown;
	shown_free(shown);
	cannot(portal, why);
	return NULL;
}

static void add_service(struct portal *portal, struct shown *shown)
{
	struct service *service = service_new(portal, shown);

	if (!service) {
		cannot(portal, "no memory for it");
		return;
	}
	service->next = portal->services;
	portal->services = service;
}

/* Connections that are there go on with what they began with. */
static void renew_services(struct portal *portal)
{
	bool plain = false;

	for (struct service *service = portal->services; service; service = service->next) {
		service->old |= service->shown != NULL;
		plain |= !service->shown;
	}
	portal->state.serves = 1;
	if (!plain)
		add_service(portal, NULL);
	struct shown *shown = collect(portal);
	if (shown)
		add_service(portal, shown);
	if (portal->state.serves)
		portal->state.text[0] = '\0';
	portal->changed = true;
}

static void sweep_services(struct portal *portal)
{
	for (struct service **at = &portal->services; *at;) {
		struct service *service = *at;
		if (!service->old || service->nvisits > 0) {
			at = &service->next;
			continue;
		}
		*at = service->next;
		service_free(service);
	}
}

/* ---- following the policy ---- */

static struct portal *find_portal(const struct portals *portals, const char *name)
{
	struct portal *portal = portals->first;

	while (portal && strcmp(portal->name, name) != 0)
		portal = portal->next;
	return portal;
}

static struct portal *add_portal(struct web *web, const struct policy_portal *policy)
{
	struct portal *portal = calloc(1, sizeof(*portal));

	if (!portal) {
		log_error("no memory for portal %s", policy->name.text);
		return NULL;
	}
	portal->web = web;
	strcpy(portal->name, policy->name.text);
	ipc_init(&portal->state, IPC_PORTAL_STATE, sizeof(portal->state));
	strcpy(portal->state.portal, portal->name);
	portal->state.begun_ms = loop_wall_ms(web->loop);
	portal->next = web->portals.first;
	web->portals.first = portal;
	return portal;
}

static void free_portal(struct portal *portal)
{
	while (portal->services) {
		struct service *service = portal->services;
		portal->services = service->next;
		service_free(service);
	}
	drop(&portal->style);
	drop(&portal->logo);
	free(portal);
}

/* Those that the policy has no more, while what they point to of the one before is not used. */
static void drop_gone(struct web *web, const struct policy *policy)
{
	for (struct portal **at = &web->portals.first; *at;) {
		struct portal *portal = *at;
		ptrdiff_t index = policy_find_portal(policy, portal->name);
		portal->policy = index < 0 ? NULL : &policy->portals[index];
		if (portal->policy) {
			at = &portal->next;
			continue;
		}
		*at = portal->next;
		for (struct visit *visit = web->portals.visits; visit; visit = visit->next)
			if (visit->service->portal == portal)
				visit->suspended ? visit_say(visit, 0, NULL) : (void)0;
		free_portal(portal);
	}
}

void portals_follow(struct web *web)
{
	const struct policy *policy = web_policy(web);

	if (!policy)
		return;
	drop_gone(web, policy);
	for (size_t i = 0; i < policy->nportals; i++) {
		const struct policy_portal *of = &policy->portals[i];
		struct portal *portal = find_portal(&web->portals, of->name.text);
		if (!portal)
			portal = add_portal(web, of);
		if (!portal)
			continue;
		portal->policy = of;
		take_texts(portal);
		take_terms(portal);
		take_logo(portal);
		renew_services(portal);
	}
	entrance_watch(&web->portals);
}

/* ---- told ---- */

static void fill_locked(const struct web *web, struct ipc_portal_state *state)
{
	struct portal_locked locked[PORTAL_LOCKED_MAX];
	const uint64_t now = loop_now_ms(web->loop);
	size_t n = portal_tries_locked(web->portals.tries, now, locked, PORTAL_LOCKED_MAX);

	state->locked = (uint32_t)n;
	state->nrows = (uint32_t)(n < PORTAL_LOCKED_MAX ? n : PORTAL_LOCKED_MAX);
	for (uint32_t i = 0; i < state->nrows; i++) {
		struct portal_locked_row *row = &state->rows[i];
		memset(row, 0, sizeof(*row));
		row->what = locked[i].what;
		row->failures = locked[i].failures;
		row->until_ms = loop_wall_ms(web->loop) + (locked[i].until_ms - now);
		memcpy(row->zone, locked[i].client.zone, sizeof(row->zone));
		row->mac = locked[i].client.mac;
		row->address = locked[i].client.address;
	}
}

void portals_tell(struct web *web, bool all)
{
	for (struct portal *portal = web->portals.first; portal; portal = portal->next) {
		sweep_services(portal);
		if (!all && !portal->changed && !portal->state.locked)
			continue;
		fill_locked(web, &portal->state);
		portal->changed = child_send(&web->child, &portal->state) != 0;
	}
}

void portals_fini(struct web *web)
{
	struct portals *portals = &web->portals;

	answer_close_auth(web);
	entrance_gone(web, &(struct endpoint){0});
	while (portals->first) {
		struct portal *portal = portals->first;
		portals->first = portal->next;
		free_portal(portal);
	}
	portal_tries_free(portals->tries);
	explicit_bzero(portals->key, sizeof(portals->key));
	of_process = NULL;
}
