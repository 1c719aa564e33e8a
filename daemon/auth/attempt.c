/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/auth/attempt.h"

#include "daemon/auth/auth.h"
#include "daemon/auth/crowd.h"
#include "daemon/base/log.h"
#include "lib/base/container.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

/* A client that says nothing is its smtp's to end; this is only so that nothing stays for ever. */
#define TALK_MS 360000

static void on_time(struct loop_timer *timer, uint64_t now_ms);

int attempts_init(struct attempts *attempts)
{
	return pool_init(&attempts->pool, sizeof(struct attempt), ATTEMPTS_MAX);
}

void attempts_fini(struct attempts *attempts)
{
	pool_fini(&attempts->pool);
}

/* Fresh: how long a no takes is told by the clock, not by the batch. */
static uint64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void wait_for(struct attempt *attempt, enum attempt_state state, uint64_t ms)
{
	attempt->state = state;
	loop_timer_set(attempt->auth->loop, &attempt->timer, now_us() / 1000 + ms);
}

/* ---- its life ---- */

static void leave_backend(struct attempt *attempt)
{
	const struct backend_kind *kind = attempt->backend ? attempt->backend->kind : NULL;

	if (attempt->asking && kind && kind->drop)
		kind->drop(attempt->backend, attempt);
	attempt->asking = false;
	attempt->of_backend = NULL;
}

static void end(struct attempt *attempt)
{
	struct attempts *all = &attempt->auth->attempts;

	leave_backend(attempt);
	loop_timer_clear(attempt->auth->loop, &attempt->timer);
	*(attempt->before ? &attempt->before->next : &all->first) = attempt->next;
	if (attempt->next)
		attempt->next->before = attempt->before;
	policy_unref(attempt->policy);
	explicit_bzero(attempt, sizeof(*attempt));
	pool_give(&all->pool, attempt);
}

/* Nobody waits for one that talks: when its client does answer, he comes again. A no that is held
 * comes early: where so many are, how long one took tells nothing. */
static void make_room(const struct attempts *all)
{
	struct attempt *attempt = crowd_who_goes(all);

	if (attempt && attempt->state == ATTEMPT_HOLDS)
		asker_verdict(attempt->asker, attempt->id, AUTH_REFUSED, "", NULL, NULL, 0, NULL);
	if (attempt)
		end(attempt);
}

static struct attempt *new_attempt(struct auth *auth)
{
	struct attempts *all = &auth->attempts;

	if (pool_taken(&all->pool) == ATTEMPTS_MAX)
		make_room(all);
	struct attempt *attempt = pool_take(&all->pool);
	if (!attempt)
		return NULL;
	memset(attempt, 0, sizeof(*attempt));
	attempt->auth = auth;
	attempt->number = ++all->last;
	attempt->policy = policy_ref(auth->replica.now->policy);
	attempt->timer.on_time = on_time;
	attempt->begun_ms = now_us() / 1000;
	attempt->next = all->first;
	if (attempt->next)
		attempt->next->before = attempt;
	all->first = attempt;
	return attempt;
}

static struct attempt *find(struct auth *auth, const struct asker *asker, uint64_t id)
{
	for (struct attempt *attempt = auth->attempts.first; attempt; attempt = attempt->next)
		if (attempt->asker == asker && attempt->id == id)
			return attempt;
	return NULL;
}

struct attempt *attempt_find(struct auth *auth, uint64_t number)
{
	for (struct attempt *attempt = auth->attempts.first; attempt; attempt = attempt->next)
		if (attempt->number == number)
			return attempt;
	return NULL;
}

/* ---- verdicts ---- */

/* Whose domain is left out where the name is counted: that of the first that is asked. */
static const char *domain_of(const struct attempt *attempt)
{
	const struct policy_strings *names = attempt->auth_names;
	ptrdiff_t first =
		names && names->n > 0 ? policy_find_auth(attempt->policy, names->v[0].text) : -1;

	if (first < 0)
		return NULL;
	const struct policy_auth *auth = &attempt->policy->auths[first];
	return auth->domain.len > 0 ? auth->domain.text : NULL;
}

/* Of its password nothing is needed any more. */
static void forget_password(struct attempt *attempt)
{
	explicit_bzero(attempt->sasl.password, sizeof(attempt->sasl.password));
}

static void tell_control(struct attempt *attempt, enum auth_verdict verdict, const char *auth_name,
	const char *text, const uint8_t *session, size_t len)
{
	struct child *child = &attempt->auth->child;
	union {
		struct ipc_auth_verdict ipc;
		uint8_t room[sizeof(struct ipc_auth_verdict) + SESSION_ENCODED_MAX];
	} out;
	const struct ipc_header request = {.seq = attempt->seq};

	ipc_init(&out.ipc, IPC_AUTH_TESTED, sizeof(out.ipc));
	out.ipc.header.seq = attempt->seq;
	out.ipc.header.bytes += (uint32_t)len;
	out.ipc.verdict = verdict;
	out.ipc.session_bytes = (uint32_t)len;
	snprintf(out.ipc.auth, sizeof(out.ipc.auth), "%s", auth_name);
	snprintf(out.ipc.text, sizeof(out.ipc.text), "%s", text ? text : "");
	if (len > 0)
		memcpy(out.ipc.session, session, len);
	child_send(child, &out.ipc);
	child_reply(child, &request, 0, 0, "");
}

static void affirm(
	const struct attempt *attempt, const uint8_t *session, size_t len, struct affirm *affirm)
{
	const struct affirmed affirmed = {
		attempt->where, attempt->place, attempt->client.addr, session, len};

	affirm_make(attempt->auth->key, &affirmed, loop_now_ms(attempt->auth->loop), affirm);
}

static void say(struct attempt *attempt, enum auth_verdict verdict, const char *text)
{
	struct auth *auth = attempt->auth;
	const struct backend *backend = attempt->backend;
	const char *name = backend ? backend->policy->name.text : "";
	uint8_t session[SESSION_ENCODED_MAX];
	struct affirm proof;
	size_t len = 0;

	if (verdict == AUTH_OK)
		len = who_encode(&auth->who, attempt->where, session);
	if (verdict == AUTH_OK && len == 0)
		verdict = AUTH_LATER;
	if (len > 0 && attempt->portal)
		affirm(attempt, session, len, &proof);
	if (attempt->asker)
		asker_verdict(attempt->asker, attempt->id, verdict, name, text, session, len,
			len > 0 && attempt->portal ? &proof : NULL);
	else
		tell_control(attempt, verdict, name, text, session, len);
	end(attempt);
}

/* A no is held back, so that nothing is told by how fast it comes. */
static void refuse(struct attempt *attempt, const char *text)
{
	struct auth *auth = attempt->auth;
	uint64_t us = now_us();

	forget_password(attempt);
	if (!attempt->asker) {
		say(attempt, AUTH_REFUSED, text);
		return;
	}
	uint32_t wait_ms = guess_refused(
		auth->guess, attempt->name, &attempt->place, attempt->proof, attempt->begun_ms, us);
	if (text)
		log_debug("a login was refused by %s: %s",
			attempt->backend ? attempt->backend->policy->name.text : "its form", text);
	attempt->state = ATTEMPT_HOLDS;
	loop_timer_set(auth->loop, &attempt->timer, us / 1000 + wait_ms);
}

static void pass(struct attempt *attempt)
{
	struct auth *auth = attempt->auth;

	/* of what the backend alone understood the name is sure only now */
	if (attempt->through)
		guess_name(auth->who.user.text, domain_of(attempt), attempt->name);
	if (attempt->asker)
		guess_passed(auth->guess, attempt->name, &attempt->place, attempt->proof, now_us());
	say(attempt, AUTH_OK, NULL);
}

/* ---- backends ---- */

/* The next that takes the mechanism; NULL: none is left. */
static struct backend *next_backend(struct attempt *attempt)
{
	const struct policy_strings *names = attempt->auth_names;

	while (names && attempt->at < names->n) {
		const char *name = names->v[attempt->at++].text;
		struct backend *backend = backends_find(attempt->auth, name);
		if (backend && backend_takes(backend, attempt->mechanism))
			return backend;
	}
	return NULL;
}

static void ask(struct attempt *attempt, struct backend *backend)
{
	attempt->backend = backend;
	attempt->asking = true;
	attempt->asked_ms = now_us() / 1000;
	backend->state.counts.asked++;
	backend->changed = true;
	wait_for(attempt, ATTEMPT_ASKS, AUTH_ANSWER_MS);
}

static void ask_next(struct attempt *attempt)
{
	struct backend *backend = next_backend(attempt);

	if (!backend) {
		refuse(attempt, NULL);
		return;
	}
	ask(attempt, backend);
	backend->kind->ask(backend, attempt);
}

/* Not of a no: others hold it back on purpose, as is done here. */
static void note_slow(struct attempt *attempt, enum attempt_answer answer)
{
	if (answer != ATTEMPT_NO && answer != ATTEMPT_UNKNOWN &&
		now_us() / 1000 - attempt->asked_ms >= AUTH_SLOW_MS)
		attempt->backend->state.counts.slow++;
}

void attempt_answer(struct attempt *attempt, enum attempt_answer answer, const char *text)
{
	struct backend *backend = attempt->backend;

	if (!attempt->asking)
		return;
	note_slow(attempt, answer);
	backend->changed = true;
	attempt->asking = false;
	attempt->of_backend = NULL;
	backend_note(backend, answer != ATTEMPT_LATER, text);
	switch (answer) {
	case ATTEMPT_YES:
		backend->state.counts.passed++;
		who_end(&attempt->auth->who, backend->policy->domain.text);
		pass(attempt);
		break;
	case ATTEMPT_NO:
		backend->state.counts.refused++;
		refuse(attempt, text);
		break;
	case ATTEMPT_UNKNOWN:
		backend->state.counts.refused++;
		if (attempt->asker)
			ask_next(attempt);
		else
			say(attempt, AUTH_REFUSED, text);
		break;
	case ATTEMPT_LATER:
		backend->state.counts.later++;
		forget_password(attempt);
		say(attempt, AUTH_LATER, text);
		break;
	}
}

void attempt_challenge(struct attempt *attempt, const void *bytes, size_t len)
{
	if (!attempt->asker || len > AUTH_BYTES_MAX) {
		attempt_answer(attempt, ATTEMPT_LATER, "its challenge is too long");
		return;
	}
	wait_for(attempt, ATTEMPT_TALKS, TALK_MS);
	asker_challenge(attempt->asker, attempt->id, bytes, len);
}

static const char *put_domain(
	const char *user, const struct backend *backend, char name[static ATTEMPT_USER_SIZE])
{
	const struct policy_string *domain = &backend->policy->domain;

	if (domain->len > 0 && !strchr(user, '@'))
		snprintf(name, ATTEMPT_USER_SIZE, "%s@%s", user, domain->text);
	else
		snprintf(name, ATTEMPT_USER_SIZE, "%s", user);
	return name;
}

const char *attempt_user(const struct attempt *attempt, const struct backend *backend,
	char name[static ATTEMPT_USER_SIZE])
{
	char typed[SASL_USER_MAX + 1];
	const char *user = attempt->sasl.user + strspn(attempt->sasl.user, " \t");
	size_t len = strlen(user);

	while (len > 0 && strchr(" \t", user[len - 1]))
		len--;
	snprintf(typed, sizeof(typed), "%.*s", (int)len, user);
	return put_domain(typed, backend, name);
}

const char *attempt_typed(const struct attempt *attempt, const struct backend *backend,
	char name[static ATTEMPT_USER_SIZE])
{
	char typed[GUESS_NAME_SIZE];

	guess_name(attempt->sasl.user, NULL, typed);
	return put_domain(typed, backend, name);
}

/* ---- the dialogue ---- */

/* Where somebody logs in, as its policy has it. */
struct attempt_where {
	const char *name;
	const struct policy_strings *auth_names;
	bool insecure; /* passwords may come in clear */
};

/* Told of the backend that would have been asked. */
static void put_off(struct attempt *attempt, struct backend *backend)
{
	if (backend) {
		backend->state.counts.limited++;
		backend->state.limited_ms = loop_wall_ms(attempt->auth->loop);
		backend->changed = true;
	}
	say(attempt, AUTH_LIMITED, NULL);
}

/* User and password are there. */
static void check(struct attempt *attempt)
{
	guess_name(attempt->sasl.user, domain_of(attempt), attempt->name);
	attempt->proof = guess_proof(attempt->auth->guess, attempt->sasl.password);
	attempt->begun_ms = now_us() / 1000;
	if (crowd_may_ask(attempt, now_us()))
		ask_next(attempt);
	else
		put_off(attempt, next_backend(attempt));
}

static void take_response(struct attempt *attempt, const void *bytes, size_t len, bool given)
{
	switch (sasl_respond(&attempt->sasl, bytes, len, given)) {
	case SASL_MORE: {
		const char *challenge = sasl_challenge(&attempt->sasl);
		wait_for(attempt, ATTEMPT_TALKS, TALK_MS);
		asker_challenge(attempt->asker, attempt->id, challenge, strlen(challenge));
		break;
	}
	case SASL_DONE:
		check(attempt);
		break;
	case SASL_REFUSED:
		guess_name(attempt->sasl.user, domain_of(attempt), attempt->name);
		refuse(attempt, NULL);
		break;
	case SASL_MALFORMED:
		say(attempt, AUTH_MALFORMED, NULL);
		break;
	}
}

/* May the backend be asked about what it alone understands? Who it is, some mechanisms say in their
 * first response: for how often he is guessed at it is as good as a name that is typed, and for
 * nothing else. Of others the address is counted. False: the attempt is over. */
static bool may_go_on(
	struct attempt *attempt, struct backend *backend, const void *bytes, size_t len, bool given)
{
	char user[SASL_USER_MAX + 1];

	if (attempt->counted || (!given && sasl_names_user(attempt->mechanism)))
		return true;
	attempt->counted = true;
	if (sasl_named_user(attempt->mechanism, bytes, len, user))
		guess_name(user, domain_of(attempt), attempt->name);
	if (crowd_may_ask(attempt, now_us()))
		return true;
	put_off(attempt, backend);
	return false;
}

static void begin_through(
	struct attempt *attempt, struct backend *backend, const struct ipc_auth_ask *said)
{
	attempt->through = true;
	if (!may_go_on(attempt, backend, said->response, said->bytes, said->given))
		return;
	ask(attempt, backend);
	backend->kind->begin(backend, attempt, said->response, said->bytes, said->given);
}

/* Of the listener, or the portal, of this name: who is asked, and may passwords come in clear?
 * False: it is not known here. */
static bool find_where(
	const struct policy *policy, const struct ipc_auth_ask *said, struct attempt_where *where)
{
	ptrdiff_t at = !policy        ? -1
		       : said->portal ? policy_find_portal(policy, said->listener)
				      : policy_find_listener(policy, said->listener);

	if (at < 0)
		return false;
	if (said->portal)
		*where = (struct attempt_where){
			policy->portals[at].name.text, &policy->portals[at].auth_names, false};
	else
		*where = (struct attempt_where){policy->listeners[at].name.text,
			&policy->listeners[at].auth_names, policy->listeners[at].tls.insecure};
	return true;
}

/* Is a backend of it yet to tell what it has? */
static bool may_have(struct auth *auth, const struct policy_strings *names, const char *mechanism)
{
	for (size_t i = 0; i < names->n; i++) {
		const struct backend *backend = backends_find(auth, names->v[i].text);
		if (backend && backend_may_take(backend, mechanism))
			return true;
	}
	return false;
}

void attempt_begin(struct auth *auth, struct asker *asker, const struct ipc_auth_ask *said)
{
	struct attempt_where where;
	bool known = find_where(auth_policy(auth), said, &where);
	struct attempt *attempt = known ? new_attempt(auth) : NULL;

	if (!attempt) {
		asker_verdict(asker, said->id, AUTH_LATER, "",
			known ? "too many log in at once" : "it is not known here", NULL, 0, NULL);
		return;
	}
	attempt->asker = asker;
	attempt->id = said->id;
	attempt->where = where.name;
	attempt->portal = said->portal;
	attempt->auth_names = where.auth_names;
	attempt->client = said->client;
	attempt->place = said->place.family == ADDR_NONE ? said->client.addr : said->place;
	attempt->server = said->server;
	attempt->secured = said->secured;
	snprintf(attempt->mechanism, sizeof(attempt->mechanism), "%s", said->mechanism);
	struct backend *backend = next_backend(attempt);
	attempt->at = 0;
	bool clear = !said->secured && !where.insecure;
	enum sasl_mechanism mechanism = sasl_mechanism_of(said->mechanism);
	if (!backend && may_have(auth, where.auth_names, said->mechanism)) {
		say(attempt, AUTH_LATER, "which mechanisms there are is not known yet");
	} else if (!backend || (clear && backend_says_password(backend, said->mechanism))) {
		say(attempt, AUTH_NO_MECHANISM, NULL);
	} else if (mechanism == SASL_OTHER) {
		begin_through(attempt, backend, said);
	} else {
		sasl_init(&attempt->sasl, mechanism);
		take_response(attempt, said->response, said->bytes, said->given);
	}
}

void attempt_respond(
	struct auth *auth, struct asker *asker, const struct ipc_auth_response *response)
{
	struct attempt *attempt = find(auth, asker, response->id);

	/* its verdict came while the client was to speak: then nobody heard it */
	if (!attempt)
		asker_verdict(asker, response->id, AUTH_LATER, "",
			"it was over before the client answered", NULL, 0, NULL);
	if (!attempt || attempt->state != ATTEMPT_TALKS)
		return;
	if (!attempt->through) {
		take_response(attempt, response->response, response->bytes, true);
		return;
	}
	if (!may_go_on(attempt, attempt->backend, response->response, response->bytes, true))
		return;
	attempt->begun_ms = attempt->asked_ms = now_us() / 1000;
	wait_for(attempt, ATTEMPT_ASKS, AUTH_ANSWER_MS);
	attempt->backend->kind->respond(
		attempt->backend, attempt, response->response, response->bytes);
}

void attempt_cancel(struct auth *auth, struct asker *asker, uint64_t id)
{
	struct attempt *attempt = find(auth, asker, id);

	if (attempt)
		end(attempt);
}

void attempts_forget(struct auth *auth, const struct asker *asker)
{
	for (struct attempt *attempt = auth->attempts.first, *next; attempt; attempt = next) {
		next = attempt->next;
		if (attempt->asker == asker)
			end(attempt);
	}
}

void attempts_leave(struct auth *auth)
{
	for (struct attempt *attempt = auth->attempts.first, *next; attempt; attempt = next) {
		next = attempt->next;
		if (attempt->asking && attempt->backend)
			attempt->backend->state.counts.later++;
		attempt->asking = false;
		attempt->backend = NULL;
		if (attempt->state != ATTEMPT_HOLDS)
			say(attempt, AUTH_LATER, "where it is asked has changed");
	}
}

void attempt_test(struct auth *auth, const struct ipc_auth_test *test)
{
	struct backend *backend = backends_find(auth, test->auth);
	struct attempt *attempt = backend ? new_attempt(auth) : NULL;

	if (!attempt || test->password_bytes > SASL_PASSWORD_MAX ||
		strlen(test->user) > SASL_USER_MAX) {
		child_reply(&auth->child, &test->header, backend ? -EBUSY : -ENOENT, 0,
			backend ? "too many log in at once, or what is said is too long"
				: "nobody listens for whom it would be asked");
		if (attempt)
			end(attempt);
		return;
	}
	attempt->where = "test";
	attempt->seq = test->header.seq;
	attempt->known = true;
	snprintf(attempt->mechanism, sizeof(attempt->mechanism), "PLAIN");
	snprintf(attempt->sasl.user, sizeof(attempt->sasl.user), "%s", test->user);
	memcpy(attempt->sasl.password, test->password, test->password_bytes);
	ask(attempt, backend);
	backend->kind->ask(backend, attempt);
}

static void on_time(struct loop_timer *timer, uint64_t now_ms)
{
	struct attempt *attempt = container_of(timer, struct attempt, timer);

	(void)now_ms;
	switch (attempt->state) {
	case ATTEMPT_TALKS:
		end(attempt);
		break;
	case ATTEMPT_ASKS:
		if (attempt->backend->kind->drop)
			attempt->backend->kind->drop(attempt->backend, attempt);
		attempt->of_backend = NULL;
		attempt_answer(attempt, ATTEMPT_LATER, "it does not answer");
		break;
	case ATTEMPT_HOLDS:
		say(attempt, AUTH_REFUSED, NULL);
		break;
	}
}
