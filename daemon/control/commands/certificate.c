/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/commands/nouns.h"
#include "daemon/control/request/command.h"

#include "daemon/control/control.h"
#include "daemon/control/credential/credentials.h"
#include "daemon/control/credential/renew.h"
#include "daemon/control/request/json_row.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- show ---- */

static void add_user(json_t *array, const char *kind, const struct policy_string *name)
{
	char text[POLICY_NAME_SIZE + 16];

	snprintf(text, sizeof(text), "%s %s", kind, name->text);
	json_array_append_new(array, json_string(text));
}

static bool client_uses(const struct policy_client_tls *tls, size_t certificate)
{
	for (size_t i = 0; i < tls->certificate_names.n; i++)
		if (tls->certificates[i] == certificate)
			return true;
	return false;
}

static bool server_uses(const struct policy_server *server, size_t certificate)
{
	bool uses = server->tls.given && server->tls.certificate == (ptrdiff_t)certificate;

	for (size_t i = 0; !uses && i < server->nhosts; i++)
		uses = server->hosts[i].tls.given &&
		       server->hosts[i].tls.certificate == (ptrdiff_t)certificate;
	return uses;
}

static json_t *used_by(const struct policy *policy, size_t certificate)
{
	json_t *array = json_array();

	for (size_t i = 0; i < policy->nzones; i++)
		if (client_uses(&policy->zones[i].tls, certificate))
			add_user(array, "zone", &policy->zones[i].name);
	for (size_t i = 0; i < policy->nlisteners; i++)
		if (client_uses(&policy->listeners[i].tls, certificate))
			add_user(array, "listener", &policy->listeners[i].name);
	for (size_t i = 0; i < policy->nportals; i++)
		for (size_t j = 0; j < policy->portals[i].certificate_names.n; j++)
			if (policy->portals[i].certificates[j] == certificate)
				add_user(array, "portal", &policy->portals[i].name);
	for (size_t i = 0; i < policy->nservers; i++)
		if (server_uses(&policy->servers[i], certificate))
			add_user(array, "server", &policy->servers[i].name);
	return array;
}

static json_t *fingerprint_of(const struct certificate_facts *facts)
{
	char text[sizeof("sha256:") + 2 * sizeof(facts->fingerprint)] = "sha256:";

	for (size_t i = 0; i < sizeof(facts->fingerprint); i++)
		snprintf(text + 7 + 2 * i, 3, "%02x", facts->fingerprint[i]);
	return json_string(text);
}

static json_t *text_or_null(const char *text)
{
	return *text ? json_row_text(text) : json_null();
}

static const struct credential_now *now_of(const struct control *control, const char *name)
{
	size_t n;
	const struct credential_now *now = credentials_now(control->credentials, &n);

	for (size_t i = 0; i < n; i++)
		if (now[i].what.kind == CREDENTIAL_CERTIFICATE &&
			strcmp(now[i].what.name, name) == 0)
			return &now[i];
	return NULL;
}

static void put_facts(json_t *row, const struct control *control, const struct credential_now *now)
{
	const struct certificate_facts *facts = &now->facts;
	int64_t days = certificate_days_left(facts, credentials_now_s(control->credentials));

	json_object_set_new(row, "names", text_or_null(facts->names));
	json_object_set_new(row, "subject", json_row_text(facts->subject));
	json_object_set_new(row, "issuer", json_row_text(facts->issuer));
	json_object_set_new(row, "self_signed", json_boolean(facts->self_signed));
	json_object_set_new(row, "serial", json_row_text(facts->serial));
	json_object_set_new(row, "fingerprint", fingerprint_of(facts));
	json_object_set_new(row, "key_kind", json_row_text(facts->key));
	json_object_set_new(row, "chain", json_integer(facts->chain));
	json_object_set_new(row, "begins_at", json_row_time((uint64_t)facts->begins * 1000));
	json_object_set_new(row, "ends_at", json_row_time((uint64_t)facts->ends * 1000));
	json_object_set_new(row, "days_left", json_integer((json_int_t)days));
	json_object_set_new(row, "loaded_at", json_row_time(now->loaded_ms));
}

static void show_certificate(struct command *command, size_t index)
{
	const struct control *control = command->control;
	const struct policy_certificate *certificate = &control->policy->certificates[index];
	const struct credential_now *now = now_of(control, certificate->name.text);
	json_t *row = json_pack("{s:o, s:o, s:o, s:o, s:b}", "certificate",
		json_row_string(&certificate->name), "used_by", used_by(control->policy, index),
		"file", json_row_string(&certificate->file), "key",
		json_row_string(&certificate->key), "loaded", now && now->loaded);

	if (now && now->loaded)
		put_facts(row, control, now);
	json_object_set_new(row, "trouble", text_or_null(now ? now->trouble : ""));
	json_object_set_new(row, "warning", text_or_null(now ? now->warning : ""));
	command_row(command, row);
}

static void run_show(struct command *command)
{
	size_t i, end;

	if (!command_named(command, POLICY_KIND_CERTIFICATE, &i, &end))
		return;
	for (; i < end; i++)
		show_certificate(command, i);
	command_ok(command);
}

/* ---- reload ---- */

static void on_reloaded(void *context, bool bad, const char *text)
{
	size_t len = strlen(text);

	while (len && text[len - 1] == '\n')
		len--;
	command_done(context, bad ? OUTCOME_REFUSED : OUTCOME_DONE, "%.*s", (int)len,
		len ? text : "the policy needs no certificate, trust store or secret");
}

static void run_reload(struct command *command)
{
	const char *name = command_value(command, "NAME");

	command_log(command);
	int error = renew_ask(command->control->renew, name, on_reloaded, command);
	if (error == -ENOENT)
		command_no_such(command, POLICY_KIND_CERTIFICATE, name);
	else if (error)
		command_done(command, OUTCOME_REFUSED, "%s", strerror(-error));
}

static const struct command_verb verbs[] = {
	{"show", run_show},
	{"reload", run_reload},
	{"add", command_edit},
	{"replace", command_edit},
	{"set", command_edit},
	{"delete", command_edit},
	{NULL, NULL},
};

const struct command_noun command_certificate = {"certificate", verbs};
