/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Directories: a user's entry is searched for and then bound with his password, or he is bound at
 * once, by a name that is made of his.
 *
 * Searches share one connection to each directory. Whoever is bound has one of a few for himself
 * meanwhile (RFC 4511, 4.2.1: a bind is of the whole connection); who finds all taken waits, behind
 * those who are known to log in. What goes wrong with a directory takes the question to the next,
 * from its beginning. */
#include "daemon/auth/auth.h"
#include "daemon/auth/ldap_question.h"
#include "daemon/auth/ldap_sites.h"
#include "daemon/base/log.h"
#include "lib/base/container.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REQUEST_SIZE 16384
#define UNASKED_MAX  256 /* answers to questions that were given up; a flood is none */

struct ldap {
	struct ldap_sites sites;
	struct ldap_question *questions;
	uint64_t told_ms;                          /* that a name has two entries */
	char attribute[LDAP_ENTRY_ATTRIBUTE_SIZE]; /* whose value is the user's name; "": none */
};

static const struct ldap_link_face link_face;

static void begin(struct ldap_question *question);
static void serve_waiting(struct backend *backend);

static struct ldap *ldap_of(const struct backend *backend)
{
	return backend->own;
}

static struct ldap_sites *sites_of(const struct ldap_question *question)
{
	return &ldap_of(question->backend)->sites;
}

/* ---- questions ---- */

static void unlink_question(struct ldap_question *question)
{
	struct ldap_question **at = &ldap_of(question->backend)->questions;

	while (*at != question)
		at = &(*at)->next;
	*at = question->next;
}

static struct ldap_question *of_link(const struct ldap *ldap, const struct ldap_link *link)
{
	struct ldap_question *question = ldap->questions;

	while (question && question->link != link)
		question = question->next;
	return question;
}

/* It has no use of its connection any more. */
static void leave_link(struct ldap_question *question)
{
	struct ldap_link *link = question->link;

	loop_timer_clear(question->backend->auth->loop, &question->timer);
	question->link = NULL;
	question->id = 0;
	if (!link)
		return;
	link->user = NULL;
	if (!of_link(ldap_of(question->backend), link))
		ldap_link_rest(link, true);
}

static void free_question(struct ldap_question *question)
{
	loop_timer_clear(question->backend->auth->loop, &question->timer);
	ldap_entry_clear(&question->entry);
	explicit_bzero(question, sizeof(*question));
	free(question);
}

static void finish(struct ldap_question *question, enum attempt_answer answer, const char *text)
{
	struct backend *backend = question->backend;
	struct attempt *attempt = question->attempt;

	leave_link(question);
	unlink_question(question);
	free_question(question);
	attempt->of_backend = NULL;
	serve_waiting(backend);
	attempt_answer(attempt, answer, text);
}

/* It cannot be found out: text says where, too. */
static void finish_later(struct ldap_question *question, const char *why)
{
	char text[LDAP_SITES_TEXT_SIZE];

	snprintf(text, sizeof(text), "%s: %s", ldap_sites_url(sites_of(question), question->site),
		why);
	finish(question, ATTEMPT_LATER, text);
}

/* This directory cannot say it, another may. */
static void move_on(struct ldap_question *question, const char *why)
{
	ldap_sites_leave_alone(sites_of(question), question->site, why);
	leave_link(question);
	begin(question);
}

/* ---- asking ---- */

static void send(struct ldap_question *question)
{
	struct loop *loop = question->backend->auth->loop;
	uint8_t bytes[REQUEST_SIZE];
	struct ber_writer writer = {.bytes = bytes, .size = sizeof(bytes)};

	question->id = directory_next_id(question->link->directory);
	ldap_question_write(question, &writer);
	bool full = writer.full;
	if (ldap_link_send(question->link, &writer)) {
		loop_timer_set(loop, &question->timer, loop_now_ms(loop) + DIRECTORY_STEP_MS);
		return;
	}
	question->id = 0;
	if (full)
		finish(question, ATTEMPT_UNKNOWN, "no name there can be so long");
	else
		finish_later(question, "too much is asked of it at once");
}

/* Onto a connection, if there is one. */
static void place(struct ldap_question *question)
{
	struct ldap_sites *sites = sites_of(question);
	bool searches = question->step == LDAP_STEP_SEARCHES;
	struct ldap_link *link = searches ? ldap_sites_find_searcher(sites, question->site)
					  : ldap_sites_find_binder(sites, question->site);

	if (!link && (searches || !ldap_sites_binders_are_taken(sites))) {
		finish_later(question, "no memory");
		return;
	}
	question->link = link;
	if (!link)
		return;
	if (!searches)
		link->user = question;
	ldap_link_rest(link, false);
	if (link->state == LDAP_LINK_READY)
		send(question);
}

/* At the first directory that works. */
static void begin(struct ldap_question *question)
{
	struct ldap_sites *sites = sites_of(question);

	if (!ldap_question_begin(question))
		finish(question, ATTEMPT_UNKNOWN, "no name there can be so long");
	else if (!ldap_sites_find(sites, &question->site))
		finish(question, ATTEMPT_LATER, sites->failed);
	else
		place(question);
}

/* Who waits for a connection to be bound by. */
static void serve_waiting(struct backend *backend)
{
	struct ldap *ldap = ldap_of(backend);

	for (struct ldap_question *question = ldap->questions; question;
		question = question->next) {
		if (question->link)
			continue;
		if (ldap_sites_is_alone(&ldap->sites, question->site))
			begin(question);
		else
			place(question);
		return; /* each that is freed serves one */
	}
}

static void on_time(struct loop_timer *timer, uint64_t ms)
{
	struct ldap_question *question = container_of(timer, struct ldap_question, timer);

	(void)ms;
	link_face.on_broken(question->link, "it does not answer", false);
}

static void ask_ldap(struct backend *backend, struct attempt *attempt)
{
	struct ldap *ldap = ldap_of(backend);
	struct ldap_question *question, **last = ldap ? &ldap->questions : NULL;

	if (!ldap || !ldap->sites.context) {
		attempt_answer(attempt, ATTEMPT_LATER, ldap ? ldap->sites.why : "no memory");
		return;
	}
	if (!attempt->sasl.password[0]) { /* to a directory it is none, and nobody's success */
		attempt_answer(attempt, ATTEMPT_NO, NULL);
		return;
	}
	question = calloc(1, sizeof(*question));
	if (!question) {
		attempt_answer(attempt, ATTEMPT_LATER, "no memory");
		return;
	}
	question->backend = backend;
	question->attempt = attempt;
	question->attribute = ldap->attribute;
	question->timer.on_time = on_time;
	attempt_user(attempt, backend, question->user);
	while (*last && (!attempt->known || (*last)->attempt->known))
		last = &(*last)->next;
	question->next = *last;
	*last = question;
	attempt->of_backend = question;
	begin(question);
}

static void drop_ldap(struct backend *backend, struct attempt *attempt)
{
	struct ldap_question *question = attempt->of_backend;

	if (!question)
		return;
	struct ldap_link *link = question->link;
	bool asked = question->id != 0;
	leave_link(question);
	unlink_question(question);
	free_question(question);
	/* whoever is bound next may have nothing else outstanding there */
	if (link && !link->searches && asked)
		ldap_sites_close_link(&ldap_of(backend)->sites, link);
	serve_waiting(backend);
}

/* ---- what is answered ---- */

static void tell_two(struct backend *backend)
{
	struct ldap *ldap = ldap_of(backend);
	uint64_t now_ms = loop_now_ms(backend->auth->loop);

	if (ldap->told_ms && now_ms < ldap->told_ms + 60000)
		return;
	ldap->told_ms = now_ms;
	log_warning("auth %s: its filter finds more than one entry for a name, and nobody is let "
		    "in by two; expected one that finds one",
		backend->policy->name.text);
}

static void follow(struct ldap_question *question, const struct ldap_outcome *outcome)
{
	if (outcome->works)
		ldap_sites_note_answer(sites_of(question), question->site);
	switch (outcome->next) {
	case LDAP_NEXT_HEAR:
		break;
	case LDAP_NEXT_ASK:
		send(question);
		break;
	case LDAP_NEXT_PLACE:
		leave_link(question);
		place(question);
		break;
	case LDAP_NEXT_ANSWER:
		finish(question, outcome->answer, outcome->why[0] ? outcome->why : NULL);
		break;
	case LDAP_NEXT_TWO:
		tell_two(question->backend);
		finish(question, ATTEMPT_NO, "more than one entry has this name");
		break;
	case LDAP_NEXT_LATER:
		finish_later(question, outcome->why);
		break;
	case LDAP_NEXT_SITE:
		move_on(question, outcome->why);
		break;
	case LDAP_NEXT_BREAK:
		link_face.on_broken(question->link, outcome->why, false);
		break;
	}
}

static struct ldap_question *find_question(
	const struct ldap *ldap, const struct ldap_link *link, int32_t id)
{
	struct ldap_question *question = ldap->questions;

	while (question && (question->link != link || question->id != id))
		question = question->next;
	return question;
}

static void on_message(
	struct ldap_link *link, const struct ldap_message *message, struct ber_slice bytes)
{
	struct ldap_question *question = find_question(ldap_of(link->backend), link, message->id);

	if (!question) { /* it was given up */
		if (++link->unasked > UNASKED_MAX)
			link_face.on_broken(link, "it does not stop to answer", false);
		return;
	}
	link->served = true;
	struct ldap_outcome outcome = ldap_question_hear(question, message, bytes);
	follow(question, &outcome);
}

static void on_ready(struct ldap_link *link)
{
	struct ldap *ldap = ldap_of(link->backend);
	struct ldap_question *question = ldap->questions;

	if (of_link(ldap, link))
		ldap_link_rest(link, false);
	while (question) {
		if (question->link == link && question->id == 0) {
			send(question);
			question = ldap->questions; /* it may be over, and others with it */
		} else {
			question = question->next;
		}
	}
}

/* An old connection that closes was idle for too long, or the directory began anew: that is tried
 * once more, and nobody is to blame. */
static void on_broken(struct ldap_link *link, const char *why, bool quiet)
{
	struct backend *backend = link->backend;
	struct ldap *ldap = ldap_of(backend);
	struct ldap_question *question;
	char words[128];

	snprintf(words, sizeof(words), "%s", why);
	ldap_sites_take_out(&ldap->sites, link);
	link->user = NULL;
	if (!quiet)
		ldap_sites_leave_alone(&ldap->sites, link->site, words);
	while ((question = of_link(ldap, link))) {
		loop_timer_clear(backend->auth->loop, &question->timer);
		question->link = NULL;
		question->id = 0;
		if (question->again && !ldap_sites_is_alone(&ldap->sites, link->site))
			ldap_sites_leave_alone(&ldap->sites, link->site, words);
		question->again = true;
		begin(question);
	}
	ldap_link_close(link);
	serve_waiting(backend);
}

static const struct ldap_link_face link_face = {on_ready, on_message, on_broken};

/* ---- its life ---- */

static int open_ldap(struct backend *backend)
{
	struct ldap *ldap = calloc(1, sizeof(*ldap));

	if (!ldap)
		return -ENOMEM;
	backend->own = ldap;
	ldap_question_attribute(backend, ldap->attribute);
	ldap_sites_init(&ldap->sites, backend, &link_face);
	return 0;
}

static void renew_ldap(struct backend *backend)
{
	struct ldap *ldap = ldap_of(backend);

	if (!ldap)
		return;
	ldap_sites_renew(&ldap->sites);
	for (struct ldap_link *link = ldap->sites.links; link; link = link->next)
		if (!of_link(ldap, link))
			ldap_link_rest(link, true);
}

/* Its attempts are over already. */
static void close_ldap(struct backend *backend)
{
	struct ldap *ldap = ldap_of(backend);

	if (!ldap)
		return;
	while (ldap->questions) {
		struct ldap_question *question = ldap->questions;
		ldap->questions = question->next;
		free_question(question);
	}
	ldap_sites_fini(&ldap->sites);
	free(ldap);
	backend->own = NULL;
}

const struct backend_kind backend_ldap = {
	.open = open_ldap,
	.renew = renew_ldap,
	.close = close_ldap,
	.ask = ask_ldap,
	.drop = drop_ldap,
};
