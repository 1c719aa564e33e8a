/* Directories: a user's entry is searched for and then bound with his password, or he is bound at
 * once, by a name that is made of his.
 *
 * Searches share one connection to each directory. Whoever is bound has one of a few for himself
 * meanwhile (RFC 4511, 4.2.1: a bind is of the whole connection); who finds all taken waits. What
 * goes wrong with a directory takes the question to the next, from its beginning. */
#include "daemon/auth/auth.h"
#include "daemon/auth/ldap_entry.h"
#include "daemon/auth/ldap_link.h"
#include "daemon/log.h"
#include "daemon/tls/credentials.h"
#include "lib/credential.h"
#include "lib/dn.h"
#include "lib/ldap/filter.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BINDERS_MAX    8
#define ALONE_MS       10000 /* a directory that failed, where there are others */
#define ONLY_ALONE_MS  1000  /* and where there is none */
#define REQUEST_SIZE   16384
#define DN_SIZE        1024
#define REFERENCES_MAX 64
#define UNASKED_MAX    256 /* answers to questions that were given up; a flood is none */
#define TEXT_SIZE      256

enum step {
	SEARCHES, /* for the user's entry */
	BINDS,    /* as him */
	READS,    /* his entry, once he is bound */
};

struct ldap_question {
	struct ldap_question *next; /* the longest waiting first */
	struct attempt *attempt;
	struct backend *backend;
	enum step step;
	size_t site;
	struct ldap_link *link; /* NULL: it waits for one */
	int32_t id;             /* 0: it is not asked yet */
	bool again;             /* a connection that was used before closed under it, once */
	struct loop_timer timer;
	unsigned entries, references;
	struct ldap_entry entry; /* the first */
	char dn[DN_SIZE];        /* who is bound */
	char user[GUESS_NAME_SIZE + 256];
};

struct site {
	uint64_t alone_until_ms;
	bool down;
	char why[TEXT_SIZE];
};

struct ldap {
	struct tls_context *context; /* NULL: why says it */
	char why[TEXT_SIZE];
	size_t last; /* site that failed last */
	struct site sites[POLICY_AUTH_URLS_MAX];
	struct ldap_link *links;
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

static const struct policy_ldap *terms_of(const struct backend *backend)
{
	return &backend->policy->ldap;
}

static bool is_template(const struct backend *backend)
{
	return strstr(terms_of(backend)->bind.text, "%u") != NULL;
}

static bool has_search(const struct backend *backend)
{
	return terms_of(backend)->filter.len > 0;
}

static bool is_dn(const struct backend *backend)
{
	return strchr(terms_of(backend)->bind.text, '=') != NULL;
}

static uint64_t now_ms(const struct backend *backend)
{
	return loop_now_ms(backend->auth->loop);
}

/* ---- directories ---- */

static const char *url_of(const struct backend *backend, size_t site)
{
	return terms_of(backend)->urls.v[site].text;
}

static void leave_alone(struct backend *backend, size_t at, const char *why)
{
	struct site *site = &ldap_of(backend)->sites[at];
	bool others = terms_of(backend)->urls.n > 1;

	if (!site->down && others)
		log_warning(
			"auth %s: %s: %s", backend->policy->name.text, url_of(backend, at), why);
	site->down = true;
	site->alone_until_ms = now_ms(backend) + (others ? ALONE_MS : ONLY_ALONE_MS);
	snprintf(site->why, sizeof(site->why), "%s: %s", url_of(backend, at), why);
	ldap_of(backend)->last = at;
}

static void note_answer(struct backend *backend, size_t at)
{
	struct site *site = &ldap_of(backend)->sites[at];

	if (site->down && terms_of(backend)->urls.n > 1)
		log_info("auth %s: %s answers again", backend->policy->name.text,
			url_of(backend, at));
	site->down = false;
}

static bool is_alone(const struct backend *backend, size_t at)
{
	return now_ms(backend) < ldap_of(backend)->sites[at].alone_until_ms;
}

/* The first that may be asked; as many as there are: none. */
static size_t find_site(const struct backend *backend)
{
	size_t at = 0;

	while (at < terms_of(backend)->urls.n && is_alone(backend, at))
		at++;
	return at;
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
	char text[TEXT_SIZE];

	snprintf(text, sizeof(text), "%s: %s", url_of(question->backend, question->site), why);
	finish(question, ATTEMPT_LATER, text);
}

static void finish_by_result(struct ldap_question *question, const char *what, int32_t result)
{
	char why[128];

	snprintf(why, sizeof(why), "%s (result %d)", what, (int)result);
	finish_later(question, why);
}

/* This directory cannot say it, another may. */
static void move_on(struct ldap_question *question, const char *why)
{
	leave_alone(question->backend, question->site, why);
	leave_link(question);
	begin(question);
}

/* ---- links ---- */

static void take_out(struct ldap *ldap, struct ldap_link *link)
{
	struct ldap_link **at = &ldap->links;

	while (*at != link)
		at = &(*at)->next;
	*at = link->next;
}

static void close_link(struct ldap *ldap, struct ldap_link *link)
{
	take_out(ldap, link);
	ldap_link_close(link);
}

static struct ldap_link *open_link(struct backend *backend, size_t site, bool searches)
{
	struct ldap *ldap = ldap_of(backend);
	struct ldap_link *link = ldap_link_open(backend, site, ldap->context, &link_face, searches);

	if (!link)
		return NULL;
	link->next = ldap->links;
	ldap->links = link;
	return link;
}

static struct ldap_link *find_link(const struct ldap *ldap, size_t site, bool searches)
{
	struct ldap_link *link = ldap->links;

	while (link &&
		(link->site != site || link->searches != searches || link->old || link->user))
		link = link->next;
	return link;
}

static size_t count_binders(const struct ldap *ldap)
{
	size_t n = 0;

	for (const struct ldap_link *link = ldap->links; link; link = link->next)
		n += !link->searches;
	return n;
}

/* One to another directory, or from before, makes room. */
static void close_free_binder(struct ldap *ldap)
{
	for (struct ldap_link *link = ldap->links; link; link = link->next)
		if (!link->searches && !link->user) {
			close_link(ldap, link);
			return;
		}
}

static struct ldap_link *find_binder(struct backend *backend, size_t site)
{
	struct ldap *ldap = ldap_of(backend);
	struct ldap_link *link = find_link(ldap, site, false);

	if (link)
		return link;
	if (count_binders(ldap) >= BINDERS_MAX)
		close_free_binder(ldap);
	return count_binders(ldap) < BINDERS_MAX ? open_link(backend, site, false) : NULL;
}

static struct ldap_link *find_searcher(struct backend *backend, size_t site)
{
	struct ldap_link *link = find_link(ldap_of(backend), site, true);

	return link ? link : open_link(backend, site, true);
}

/* ---- asking ---- */

static size_t list_attributes(
	const struct backend *backend, const char *attributes[static LDAP_ENTRY_ATTRIBUTES])
{
	const struct policy_ldap *terms = terms_of(backend);
	const char *const wanted[LDAP_ENTRY_ATTRIBUTES] = {
		ldap_of(backend)->attribute, terms->group.text, terms->mail.text};
	size_t n = 0;

	for (size_t i = 0; i < LDAP_ENTRY_ATTRIBUTES; i++) {
		bool known = !wanted[i][0];
		for (size_t j = 0; j < n; j++)
			known |= strcasecmp(attributes[j], wanted[i]) == 0;
		if (!known)
			attributes[n++] = wanted[i];
	}
	return n;
}

static void write_request(struct ldap_question *question, struct ber_writer *writer)
{
	const struct backend *backend = question->backend;
	const struct policy_ldap *terms = terms_of(backend);
	const char *attributes[LDAP_ENTRY_ATTRIBUTES];
	size_t n = list_attributes(backend, attributes);
	const int32_t limit_s = DIRECTORY_STEP_MS / 1000;

	if (question->step == BINDS)
		ldap_write_bind(
			writer, question->id, question->dn, question->attempt->sasl.password);
	else if (has_search(backend))
		ldap_write_search(writer, question->id, terms->base.text, terms->filter.text,
			question->user, limit_s, attributes, n);
	else
		ldap_write_read(writer, question->id, question->dn, limit_s, attributes, n);
}

static void send(struct ldap_question *question)
{
	struct loop *loop = question->backend->auth->loop;
	uint8_t bytes[REQUEST_SIZE];
	struct ber_writer writer = {.bytes = bytes, .size = sizeof(bytes)};

	question->id = directory_next_id(question->link->directory);
	write_request(question, &writer);
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
	struct backend *backend = question->backend;
	bool searches = question->step == SEARCHES;
	struct ldap_link *link = searches ? find_searcher(backend, question->site)
					  : find_binder(backend, question->site);

	if (!link && (searches || count_binders(ldap_of(backend)) < BINDERS_MAX)) {
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
	struct backend *backend = question->backend;
	struct ldap *ldap = ldap_of(backend);
	size_t site = find_site(backend);

	question->entries = question->references = 0;
	ldap_entry_clear(&question->entry);
	if (site == terms_of(backend)->urls.n) {
		finish(question, ATTEMPT_LATER, ldap->sites[ldap->last].why);
		return;
	}
	question->site = site;
	question->step = is_template(backend) ? BINDS : SEARCHES;
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
		if (is_alone(backend, question->site))
			begin(question);
		else
			place(question);
		return; /* each that is freed serves one */
	}
}

static void on_time(struct loop_timer *timer, uint64_t ms)
{
	struct ldap_question *question =
		(struct ldap_question *)(void *)((char *)timer -
						 offsetof(struct ldap_question, timer));

	(void)ms;
	link_face.on_broken(question->link, "it does not answer", false);
}

static void ask_ldap(struct backend *backend, struct attempt *attempt)
{
	struct ldap *ldap = ldap_of(backend);
	struct ldap_question *question, **last = ldap ? &ldap->questions : NULL;

	if (!ldap || !ldap->context) {
		attempt_answer(attempt, ATTEMPT_LATER, ldap ? ldap->why : "no memory");
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
	question->timer.on_time = on_time;
	attempt_user(attempt, backend, question->user);
	while (*last)
		last = &(*last)->next;
	*last = question;
	attempt->of_backend = question;
	if (is_template(backend) && !dn_fill(terms_of(backend)->bind.text, question->user,
					    question->dn, sizeof(question->dn)))
		finish(question, ATTEMPT_UNKNOWN, "no name there can be so long");
	else
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
		close_link(ldap_of(backend), link);
	serve_waiting(backend);
}

/* ---- what is answered ---- */

static void tell_two(struct backend *backend)
{
	struct ldap *ldap = ldap_of(backend);

	if (ldap->told_ms && now_ms(backend) < ldap->told_ms + 60000)
		return;
	ldap->told_ms = now_ms(backend);
	log_warning("auth %s: its filter finds more than one entry for a name, and nobody is let "
		    "in by two; expected one that finds one",
		backend->policy->name.text);
}

static void pass(struct ldap_question *question)
{
	struct backend *backend = question->backend;
	const struct policy_ldap *terms = terms_of(backend);
	const struct ldap_entry_terms wanted = {.attribute = ldap_of(backend)->attribute,
		.group = terms->group.text,
		.prefix = terms->prefix.text,
		.mail = terms->mail.text};

	if (ldap_entry_who(&question->entry, &wanted, question->user, backend->policy_held,
		    &backend->auth->who))
		finish(question, ATTEMPT_YES, NULL);
	else
		finish_later(question, "a user's name in it cannot be kept");
}

static void bind_entry(struct ldap_question *question)
{
	struct ldap_link *link = question->link;

	if (!ldap_entry_dn(&question->entry, question->dn, sizeof(question->dn))) {
		finish_later(question, "an entry has no name that can be bound");
		return;
	}
	leave_link(question);
	note_answer(question->backend, link->site);
	question->step = BINDS;
	place(question);
}

/* What is wrong with the answer to a search that was no search's fault. */
static void search_failed(struct ldap_question *question, int32_t result)
{
	switch (result) {
	case LDAP_BUSY:
	case LDAP_UNAVAILABLE:
	case LDAP_UNWILLING:
	case LDAP_TIME_LIMIT:
		move_on(question, "it cannot search now");
		break;
	case LDAP_REFERRAL:
		finish_later(question, "it refers to another directory, and referrals are not "
				       "followed; expected the URL of that one");
		break;
	case LDAP_NO_SUCH_OBJECT:
		finish_later(question, "its base is not there, or may not be seen");
		break;
	case LDAP_STRONGER_AUTH_REQUIRED:
	case LDAP_CONFIDENTIALITY_REQUIRED:
	case LDAP_INSUFFICIENT_ACCESS:
		finish_by_result(question, "who searches may not", result);
		break;
	default:
		finish_by_result(question, "it cannot search", result);
		break;
	}
}

static void searched(struct ldap_question *question, int32_t result)
{
	if (question->entries > 1) {
		tell_two(question->backend);
		finish(question, ATTEMPT_NO, "more than one entry has this name");
	} else if (result != LDAP_SUCCESS) {
		search_failed(question, result);
	} else if (question->entries == 0) {
		note_answer(question->backend, question->site);
		finish(question, ATTEMPT_UNKNOWN, NULL);
	} else {
		bind_entry(question);
	}
}

/* His password was right; what is read may say more of him. */
static void read_own(struct ldap_question *question, int32_t result)
{
	struct backend *backend = question->backend;
	const struct policy_ldap *terms = terms_of(backend);
	bool wants = terms->group.len > 0 || terms->mail.len > 0;

	if (question->entries > 1) {
		tell_two(backend);
		finish(question, ATTEMPT_NO, "more than one entry has this name");
	} else if (question->entries == 1 && result == LDAP_SUCCESS) {
		pass(question);
	} else if (has_search(backend) && result == LDAP_SUCCESS) {
		finish(question, ATTEMPT_NO, "the filter finds no entry of this user");
	} else if (has_search(backend) || (wants && result != LDAP_SUCCESS)) {
		search_failed(question, result);
	} else if (wants) {
		finish_later(question, "users may not read their own entries there");
	} else {
		pass(question);
	}
}

static void bound_well(struct ldap_question *question)
{
	struct backend *backend = question->backend;

	note_answer(backend, question->site);
	if (!is_template(backend) || (!has_search(backend) && !is_dn(backend))) {
		pass(question);
		return;
	}
	question->step = READS;
	send(question);
}

static void bound(struct ldap_question *question, int32_t result)
{
	switch (result) {
	case LDAP_SUCCESS:
		bound_well(question);
		break;
	case LDAP_INVALID_CREDENTIALS:
	case LDAP_INAPPROPRIATE_AUTH:
		finish(question, ATTEMPT_NO, NULL);
		break;
	case LDAP_UNWILLING:
	case LDAP_CONSTRAINT_VIOLATION:
		finish(question, ATTEMPT_NO,
			"the directory says that the account is locked, or "
			"its password expired");
		break;
	case LDAP_NO_SUCH_OBJECT:
	case LDAP_INVALID_DN:
		finish(question, ATTEMPT_UNKNOWN, NULL);
		break;
	case LDAP_BUSY:
	case LDAP_UNAVAILABLE:
		move_on(question, "it cannot bind now");
		break;
	case LDAP_REFERRAL:
		finish_later(question, "it refers to another directory, and referrals are not "
				       "followed; expected the URL of that one");
		break;
	default:
		finish_by_result(question, "users cannot be bound", result);
		break;
	}
}

static void take_entry(
	struct ldap_question *question, struct ldap_link *link, struct ber_slice bytes)
{
	if (++question->entries > 2)
		link_face.on_broken(link, "it says more entries than it was asked for", false);
	else if (question->entries == 1 && !ldap_entry_keep(&question->entry, bytes))
		link_face.on_broken(link, "no memory", false);
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
	bool binds = question->step == BINDS;
	if (binds && message->kind == LDAP_BOUND)
		bound(question, message->result);
	else if (!binds && message->kind == LDAP_ENTRY)
		take_entry(question, link, bytes);
	else if (!binds && message->kind == LDAP_REFERENCE &&
		 ++question->references <= REFERENCES_MAX)
		return; /* never followed */
	else if (!binds && message->kind == LDAP_SEARCHED)
		question->step == READS ? read_own(question, message->result)
					: searched(question, message->result);
	else
		link_face.on_broken(link, "it answers something that it was not asked", false);
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
	take_out(ldap, link);
	link->user = NULL;
	if (!quiet)
		leave_alone(backend, link->site, words);
	while ((question = of_link(ldap, link))) {
		loop_timer_clear(backend->auth->loop, &question->timer);
		question->link = NULL;
		question->id = 0;
		if (question->again && !is_alone(backend, link->site))
			leave_alone(backend, link->site, words);
		question->again = true;
		begin(question);
	}
	ldap_link_close(link);
	serve_waiting(backend);
}

static const struct ldap_link_face link_face = {on_ready, on_message, on_broken};

/* ---- its life ---- */

static struct tls_context *make_context(const struct backend *backend, char why[static TEXT_SIZE])
{
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
	struct tls_context *context = trust ? tls_context_server(&setup, said) : NULL;
	tls_trust_free(trust);
	snprintf(why, TEXT_SIZE, "trust store \"%.80s\": %s", wanted.file, said);
	return context;
}

/* In "uid=%u,ou=people" it is uid. */
static void find_dn_attribute(const char *template, char name[static LDAP_ENTRY_ATTRIBUTE_SIZE])
{
	const char *user = strstr(template, "%u"), *equal = user;

	while (equal > template && *equal != '=')
		equal--;
	const char *first = equal;
	while (first > template && !strchr(",+; ", first[-1]))
		first--;
	if (equal > first && equal - first < LDAP_ENTRY_ATTRIBUTE_SIZE)
		snprintf(name, LDAP_ENTRY_ATTRIBUTE_SIZE, "%.*s", (int)(equal - first), first);
}

static int open_ldap(struct backend *backend)
{
	struct ldap *ldap = calloc(1, sizeof(*ldap));

	if (!ldap)
		return -ENOMEM;
	backend->own = ldap;
	if (has_search(backend))
		ldap_filter_attribute(
			terms_of(backend)->filter.text, ldap->attribute, sizeof(ldap->attribute));
	else
		find_dn_attribute(terms_of(backend)->bind.text, ldap->attribute);
	ldap->context = make_context(backend, ldap->why);
	if (!ldap->context)
		backend_note(backend, false, ldap->why);
	return 0;
}

static void renew_ldap(struct backend *backend)
{
	struct ldap *ldap = ldap_of(backend);
	bool missed = ldap && !ldap->context;

	if (!ldap)
		return;
	tls_context_free(ldap->context);
	ldap->context = make_context(backend, ldap->why);
	if (!ldap->context || missed)
		backend_note(backend, ldap->context != NULL, ldap->why);
	for (size_t i = 0; i < POLICY_AUTH_URLS_MAX; i++)
		ldap->sites[i].alone_until_ms = 0;
	for (struct ldap_link *link = ldap->links; link; link = link->next) {
		link->old = true;
		if (!of_link(ldap, link))
			ldap_link_rest(link, true);
	}
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
	while (ldap->links)
		close_link(ldap, ldap->links);
	tls_context_free(ldap->context);
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
