#include "lib/language_parse.h"

#include <errno.h>
#include <stdio.h>

/* What the language knows and this release does not do yet: used, it is refused by name, never
 * ignored. A release that brings one of these deletes its line here. */
static bool bind_is_client(const struct policy_server *server)
{
	return server->bind == POLICY_BIND_CLIENT;
}

static const struct {
	const char *name;
	bool (*used)(const struct policy_server *server);
	enum language_severity severity;
} later_in_server[] = {
	{"bind client", bind_is_client, LANGUAGE_ERROR},
};

static size_t refuse(const struct policy *policy, struct language_diagnosis *diagnosis,
	const struct policy_place *place, const char *server, const char *name,
	enum language_severity severity)
{
	bool error = severity == LANGUAGE_ERROR;
	char text[800];
	const char *file = place->file < policy->nfiles ? policy->files[place->file] : "policy";
	int n = snprintf(text, sizeof(text), "%.500s:", file);

	if (place->line > 0)
		n += snprintf(
			text + n, sizeof(text) - (size_t)n, "%u:%u:", place->line, place->column);
	snprintf(text + n, sizeof(text) - (size_t)n,
		error ? " error: %s%s%s%s comes with a later release, expected a policy without it"
		      : " warning: %s%s%s%s has no effect yet, it comes with a later release",
		server ? "server " : "", server ? server : "", server ? ": " : "", name);
	if (language_diagnosis_add(diagnosis, severity, place, text) < 0)
		diagnosis->errors += diagnosis->errors == 0;
	return error;
}

size_t language_refuse_later(const struct policy *policy, struct language_diagnosis *diagnosis)
{
	static const struct policy_place nowhere;
	size_t refused = 0;

	for (size_t i = 0; i < policy->nservers; i++) {
		const struct policy_server *server = &policy->servers[i];
		for (size_t j = 0; j < sizeof(later_in_server) / sizeof(*later_in_server); j++) {
			if (later_in_server[j].used(server))
				refused += refuse(policy, diagnosis, &server->place,
					server->name.text, later_in_server[j].name,
					later_in_server[j].severity);
		}
	}
	if (policy->given & POLICY_GIVEN_METRICS)
		refused += refuse(policy, diagnosis, &nowhere, NULL, "metrics", LANGUAGE_ERROR);
	return refused;
}
