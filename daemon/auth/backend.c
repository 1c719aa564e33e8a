/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/auth/backend.h"

#include "daemon/auth/auth.h"
#include "daemon/base/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- mechanisms ---- */

static bool is_password(const char *mechanism)
{
	return sasl_mechanism_of(mechanism) != SASL_OTHER;
}

static const struct dovecot_mechanism *find(const struct backend *backend, const char *mechanism)
{
	const struct dovecot_greeting *greeting = &backend->greeting;

	for (size_t i = 0; i < greeting->n; i++)
		if (strcasecmp(greeting->mechanisms[i].name, mechanism) == 0)
			return &greeting->mechanisms[i];
	return NULL;
}

static bool is_written(const struct policy_strings *names, const char *mechanism)
{
	for (size_t i = 0; i < names->n; i++)
		if (strcasecmp(names->v[i].text, mechanism) == 0)
			return true;
	return names->n == 0;
}

bool backend_takes(const struct backend *backend, const char *mechanism)
{
	/* LOGIN is read here: it is asked as PLAIN */
	bool password = is_password(mechanism);
	const struct dovecot_mechanism *own = find(backend, password ? "PLAIN" : mechanism);

	if (!is_written(&backend->policy->mechanisms, mechanism))
		return false;
	if (password)
		return own || !backend->greeting.done;
	return own && !(own->flags & DOVECOT_PRIVATE);
}

static bool is_yet_to_tell(const struct backend *backend)
{
	return backend->policy->kind == POLICY_AUTH_DOVECOT && !backend->greeting.done;
}

bool backend_may_take(const struct backend *backend, const char *mechanism)
{
	return is_yet_to_tell(backend) && is_written(&backend->policy->mechanisms, mechanism);
}

bool backend_says_password(const struct backend *backend, const char *mechanism)
{
	const struct dovecot_mechanism *own = find(backend, mechanism);

	return is_password(mechanism) || (own && own->flags & DOVECOT_PLAINTEXT);
}

static bool has_word(const char *words, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = words; (at = strstr(at, word)) != NULL; at += len)
		if ((at == words || at[-1] == ' ') && (!at[len] || at[len] == ' '))
			return true;
	return false;
}

static void add_word(char words[static AUTH_MECHANISMS_SIZE], const char *word)
{
	size_t used = strlen(words);

	if (!has_word(words, word) && used + strlen(word) + 2 <= AUTH_MECHANISMS_SIZE)
		snprintf(words + used, AUTH_MECHANISMS_SIZE - used, "%s%s", used ? " " : "", word);
}

static void offer_of(const struct backend *backend, char *mechanisms, char *clear)
{
	static const char *const passwords[] = {"PLAIN", "LOGIN"};
	const struct dovecot_greeting *greeting = &backend->greeting;

	for (size_t i = 0; i < 2; i++)
		if (backend_takes(backend, passwords[i]))
			add_word(mechanisms, passwords[i]);
	for (size_t i = 0; i < greeting->n; i++) {
		const char *name = greeting->mechanisms[i].name;
		if (!backend_takes(backend, name))
			continue;
		add_word(mechanisms, name);
		if (!backend_says_password(backend, name))
			add_word(clear, name);
	}
}

bool backends_offer(struct auth *auth, const struct policy_listener *listener,
	char mechanisms[static AUTH_MECHANISMS_SIZE], char clear[static AUTH_MECHANISMS_SIZE])
{
	bool whole = true;

	mechanisms[0] = clear[0] = '\0';
	for (size_t i = 0; i < listener->auth_names.n; i++) {
		struct backend *backend = backends_find(auth, listener->auth_names.v[i].text);
		if (!backend)
			continue;
		offer_of(backend, mechanisms, clear);
		whole &= !is_yet_to_tell(backend);
	}
	return whole || auth->replica.now->number != auth->backends.first;
}

/* ---- what it told of them ---- */

static void note_mechanisms(struct backend *backend)
{
	char clear[AUTH_MECHANISMS_SIZE] = "";

	backend->state.mechanisms[0] = '\0';
	offer_of(backend, backend->state.mechanisms, clear);
	backend->changed = true;
}

static bool is_same(const struct dovecot_greeting *one, const struct dovecot_greeting *other)
{
	for (size_t i = 0; i < one->n && i < other->n; i++)
		if (strcmp(one->mechanisms[i].name, other->mechanisms[i].name) != 0 ||
			one->mechanisms[i].flags != other->mechanisms[i].flags)
			return false;
	return one->n == other->n && one->done == other->done;
}

void backend_greeted(struct backend *backend, const struct dovecot_greeting *greeting)
{
	if (is_same(&backend->greeting, greeting))
		return;
	backend->greeting = *greeting;
	note_mechanisms(backend);
	backend->auth->face->on_offer(backend->auth);
}

/* It may be away now: what it told before holds until it tells something else. */
static void take_greeting(struct backend *backend, const struct backends *before)
{
	const struct policy_auth *now = backend->policy;

	for (size_t i = 0; now->kind == POLICY_AUTH_DOVECOT && i < before->n; i++) {
		const struct policy_auth *old = before->v[i].policy;
		if (old->kind == POLICY_AUTH_DOVECOT && policy_string_equal(&old->path, &now->path))
			backend->greeting = before->v[i].greeting;
	}
}

/* ---- what was counted ---- */

static bool is_same_hosts(const struct policy_server *one, const struct policy_server *other)
{
	for (size_t i = 0; i < one->nhosts && i < other->nhosts; i++)
		if (!policy_string_equal(&one->hosts[i].name, &other->hosts[i].name) ||
			one->hosts[i].port != other->hosts[i].port)
			return false;
	return one->nhosts == other->nhosts;
}

/* However it is asked. */
static bool is_same_place(const struct backend *one, const struct backend *other)
{
	const struct policy_auth *was = one->policy, *is = other->policy;

	if (was->kind != is->kind)
		return false;
	switch (is->kind) {
	case POLICY_AUTH_LDAP:
		return policy_strings_equal(&was->ldap.urls, &is->ldap.urls);
	case POLICY_AUTH_FORWARD:
		return is_same_hosts(&one->policy_held->servers[was->server],
			&other->policy_held->servers[is->server]);
	case POLICY_AUTH_DOVECOT:
	case POLICY_AUTH_FILE:
		return policy_string_equal(&was->path, &is->path);
	}
	return false;
}

/* Of the one of its name, if that stays where it was. */
static void take_counts(struct backend *backend, const struct backends *before)
{
	backend->state.begun_ms = loop_wall_ms(backend->auth->loop);
	for (size_t i = 0; i < before->n; i++) {
		const struct backend *old = &before->v[i];
		if (!policy_string_equal(&old->policy->name, &backend->policy->name) ||
			!is_same_place(old, backend))
			continue;
		backend->state.counts = old->state.counts;
		backend->state.begun_ms = old->state.begun_ms;
		backend->state.limited_ms = old->state.limited_ms;
	}
}

/* ---- their life ---- */

static void close_all(struct auth *auth, struct backends *backends)
{
	auth->face->on_leave(auth);
	for (size_t i = 0; i < backends->n; i++) {
		struct backend *backend = &backends->v[i];
		if (backend->kind->close)
			backend->kind->close(backend);
		backend->own = NULL;
	}
}

static void forget_all(struct backends *backends)
{
	for (size_t i = 0; i < backends->n; i++)
		policy_unref(backends->v[i].policy_held);
	free(backends->v);
	*backends = (struct backends){0};
}

static void open_one(
	struct auth *auth, struct backend *backend, size_t i, const struct backends *before)
{
	const struct policy *policy = auth_policy(auth);

	backend->auth = auth;
	backend->policy_held = policy_ref(auth->replica.now->policy);
	backend->policy = &policy->auths[i];
	backend->kind = auth->face->kinds[backend->policy->kind];
	ipc_init(&backend->state, IPC_AUTH_STATE, sizeof(backend->state));
	snprintf(
		backend->state.auth, sizeof(backend->state.auth), "%s", backend->policy->name.text);
	backend->state.up = 1;
	take_greeting(backend, before);
	take_counts(backend, before);
	note_mechanisms(backend);
	int error = backend->kind->open(backend);
	if (error)
		backend_note(backend, false, strerror(-error));
}

/* A policy's text decides all of a backend: attempts that are under way with the one before cannot
 * be found out, as with any other change under them, and clients come again. */
void backends_follow(struct auth *auth)
{
	const struct policy *policy = auth_policy(auth);
	struct backends before = auth->backends;

	close_all(auth, &before);
	auth->backends =
		(struct backends){.first = before.v ? before.first : auth->replica.now->number};
	auth->backends.v = calloc(policy->nauths + 1, sizeof(*auth->backends.v));
	if (!auth->backends.v) {
		log_error("no memory for where the policy checks passwords");
		forget_all(&before);
		return;
	}
	for (size_t i = 0; i < policy->nauths; i++)
		open_one(auth, &auth->backends.v[auth->backends.n++], i, &before);
	forget_all(&before);
	backends_tell(auth, true);
	auth->face->on_offer(auth);
}

void backends_renew(struct auth *auth)
{
	for (size_t i = 0; i < auth->backends.n; i++)
		if (auth->backends.v[i].kind->renew)
			auth->backends.v[i].kind->renew(&auth->backends.v[i]);
}

void backends_close(struct auth *auth)
{
	close_all(auth, &auth->backends);
	forget_all(&auth->backends);
}

struct backend *backends_find(struct auth *auth, const char *name)
{
	for (size_t i = 0; i < auth->backends.n; i++)
		if (strcmp(auth->backends.v[i].policy->name.text, name) == 0)
			return &auth->backends.v[i];
	return NULL;
}

/* ---- what is told ---- */

void backends_tell(struct auth *auth, bool all)
{
	for (size_t i = 0; i < auth->backends.n; i++) {
		struct backend *backend = &auth->backends.v[i];
		if ((all || backend->changed) && child_send(&auth->child, &backend->state) == 0)
			backend->changed = false;
	}
}

void backend_note(struct backend *backend, bool up, const char *text)
{
	struct ipc_auth_state *state = &backend->state;
	bool said = !up && text && strcmp(state->text, text) != 0;

	if (state->up != up || !state->since_ms) {
		state->since_ms = loop_wall_ms(backend->auth->loop);
		if (up && state->text[0])
			log_info("auth %s answers again", state->auth);
	}
	state->up = up;
	snprintf(state->text, sizeof(state->text), "%s", !up && text ? text : "");
	backend->changed = true;
	if (said)
		log_error("auth %s: %s", state->auth, text);
}
