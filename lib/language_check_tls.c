#include "lib/language_parse.h"

static void check_client_tls(
	struct language *l, struct policy_client_tls *tls, const struct language_tls_note *note)
{
	language_resolve_all(l, POLICY_KIND_CERTIFICATE, &tls->certificate_names,
		&note->certificates, tls->certificates);
}

static void check_server_tls(
	struct language *l, struct policy_server_tls *tls, const struct language_tls_note *note)
{
	size_t certificate;

	if (tls->certificate_name.len > 0 &&
		language_resolve(l, POLICY_KIND_CERTIFICATE, &tls->certificate_name,
			&note->certificate, &certificate))
		tls->certificate = (ptrdiff_t)certificate;
}

void language_check_tls(struct language *l)
{
	struct policy *policy = l->policy;
	const struct language_zone_note *zone_notes = l->zone_notes.v;
	const struct language_listener_note *listener_notes = l->listener_notes.v;
	const struct language_server_note *server_notes = l->server_notes.v;

	for (size_t i = 0; i < policy->nzones && !l->stopped; i++)
		check_client_tls(l, &policy->zones[i].tls, &zone_notes[i].tls);
	for (size_t i = 0; i < policy->nlisteners && !l->stopped; i++)
		check_client_tls(l, &policy->listeners[i].tls, &listener_notes[i].tls);
	for (size_t i = 0; i < policy->nservers && !l->stopped; i++) {
		struct policy_server *server = &policy->servers[i];
		check_server_tls(l, &server->tls, &server_notes[i].tls);
		for (size_t j = 0; j < server->nhosts && !l->stopped; j++)
			check_server_tls(l, &server->hosts[j].tls, &server_notes[i].host_tls[j]);
	}
}
