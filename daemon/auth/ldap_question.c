/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/auth/ldap_question.h"

#include "daemon/auth/auth.h"
#include "daemon/auth/directory.h"
#include "lib/ldap/dn.h"
#include "lib/ldap/filter.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define REFERENCES_MAX 64

static const struct policy_ldap *terms_of(const struct ldap_question *question)
{
	return &question->backend->policy->ldap;
}

static bool is_template(const struct ldap_question *question)
{
	return strstr(terms_of(question)->bind.text, "%u") != NULL;
}

static bool has_search(const struct ldap_question *question)
{
	return terms_of(question)->filter.len > 0;
}

static bool is_dn(const struct ldap_question *question)
{
	return strchr(terms_of(question)->bind.text, '=') != NULL;
}

/* ---- what is said ---- */

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

void ldap_question_attribute(
	const struct backend *backend, char name[static LDAP_ENTRY_ATTRIBUTE_SIZE])
{
	const struct policy_ldap *terms = &backend->policy->ldap;

	name[0] = '\0';
	if (terms->filter.len > 0)
		ldap_filter_attribute(terms->filter.text, name, LDAP_ENTRY_ATTRIBUTE_SIZE);
	else
		find_dn_attribute(terms->bind.text, name);
}

bool ldap_question_begin(struct ldap_question *question)
{
	question->entries = question->references = 0;
	ldap_entry_clear(&question->entry);
	question->step = is_template(question) ? LDAP_STEP_BINDS : LDAP_STEP_SEARCHES;
	return !is_template(question) || dn_fill(terms_of(question)->bind.text, question->user,
						 question->dn, sizeof(question->dn));
}

static size_t list_attributes(
	const struct ldap_question *question, const char *attributes[static LDAP_ENTRY_ATTRIBUTES])
{
	const struct policy_ldap *terms = terms_of(question);
	const char *const wanted[LDAP_ENTRY_ATTRIBUTES] = {
		question->attribute, terms->group.text, terms->mail.text};
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

void ldap_question_write(const struct ldap_question *question, struct ber_writer *writer)
{
	const struct policy_ldap *terms = terms_of(question);
	const char *attributes[LDAP_ENTRY_ATTRIBUTES];
	size_t n = list_attributes(question, attributes);
	const int32_t limit_s = DIRECTORY_STEP_MS / 1000;

	if (question->step == LDAP_STEP_BINDS)
		ldap_write_bind(
			writer, question->id, question->dn, question->attempt->sasl.password);
	else if (has_search(question))
		ldap_write_search(writer, question->id, terms->base.text, terms->filter.text,
			question->user, limit_s, attributes, n);
	else
		ldap_write_read(writer, question->id, question->dn, limit_s, attributes, n);
}

/* ---- what comes of it ---- */

static struct ldap_outcome come_to(enum ldap_next next, const char *why)
{
	struct ldap_outcome outcome = {.next = next};

	snprintf(outcome.why, sizeof(outcome.why), "%s", why);
	return outcome;
}

static struct ldap_outcome answer(enum attempt_answer answer, const char *why)
{
	struct ldap_outcome outcome = come_to(LDAP_NEXT_ANSWER, why);

	outcome.answer = answer;
	return outcome;
}

static struct ldap_outcome later_by_result(const char *what, int32_t result)
{
	struct ldap_outcome outcome = come_to(LDAP_NEXT_LATER, "");

	snprintf(outcome.why, sizeof(outcome.why), "%s (result %d)", what, (int)result);
	return outcome;
}

static struct ldap_outcome referred(void)
{
	return come_to(LDAP_NEXT_LATER,
		"it refers to another directory, and referrals are not followed; expected the URL "
		"of that one");
}

static struct ldap_outcome works(struct ldap_outcome outcome)
{
	outcome.works = true;
	return outcome;
}

static struct ldap_outcome pass(const struct ldap_question *question)
{
	struct backend *backend = question->backend;
	const struct policy_ldap *terms = terms_of(question);
	const struct ldap_entry_terms wanted = {.attribute = question->attribute,
		.group = terms->group.text,
		.prefix = terms->prefix.text,
		.mail = terms->mail.text};

	if (ldap_entry_who(&question->entry, &wanted, question->user, backend->policy_held,
		    &backend->auth->who))
		return answer(ATTEMPT_YES, "");
	return come_to(LDAP_NEXT_LATER, "a user's name in it cannot be kept");
}

static struct ldap_outcome bind_entry(struct ldap_question *question)
{
	if (!ldap_entry_dn(&question->entry, question->dn, sizeof(question->dn)))
		return come_to(LDAP_NEXT_LATER, "an entry has no name that can be bound");
	question->step = LDAP_STEP_BINDS;
	return works(come_to(LDAP_NEXT_PLACE, ""));
}

/* What is wrong with the answer to a search that was no search's fault. */
static struct ldap_outcome search_failed(int32_t result)
{
	switch (result) {
	case LDAP_BUSY:
	case LDAP_UNAVAILABLE:
	case LDAP_UNWILLING:
	case LDAP_TIME_LIMIT:
		return come_to(LDAP_NEXT_SITE, "it cannot search now");
	case LDAP_REFERRAL:
		return referred();
	case LDAP_NO_SUCH_OBJECT:
		return come_to(LDAP_NEXT_LATER, "its base is not there, or may not be seen");
	case LDAP_STRONGER_AUTH_REQUIRED:
	case LDAP_CONFIDENTIALITY_REQUIRED:
	case LDAP_INSUFFICIENT_ACCESS:
		return later_by_result("who searches may not", result);
	default:
		return later_by_result("it cannot search", result);
	}
}

static struct ldap_outcome searched(struct ldap_question *question, int32_t result)
{
	if (question->entries > 1)
		return come_to(LDAP_NEXT_TWO, "");
	if (result != LDAP_SUCCESS)
		return search_failed(result);
	if (question->entries == 0)
		return works(answer(ATTEMPT_UNKNOWN, ""));
	return bind_entry(question);
}

/* His password was right; what is read may say more of him. */
static struct ldap_outcome read_own(struct ldap_question *question, int32_t result)
{
	const struct policy_ldap *terms = terms_of(question);
	bool wants = terms->group.len > 0 || terms->mail.len > 0;

	if (question->entries > 1)
		return come_to(LDAP_NEXT_TWO, "");
	if (question->entries == 1 && result == LDAP_SUCCESS)
		return pass(question);
	if (has_search(question) && result == LDAP_SUCCESS)
		return answer(ATTEMPT_NO, "the filter finds no entry of this user");
	if (has_search(question) || (wants && result != LDAP_SUCCESS))
		return search_failed(result);
	if (wants)
		return come_to(LDAP_NEXT_LATER, "users may not read their own entries there");
	return pass(question);
}

static struct ldap_outcome bound_well(struct ldap_question *question)
{
	if (!is_template(question) || (!has_search(question) && !is_dn(question)))
		return works(pass(question));
	question->step = LDAP_STEP_READS;
	return works(come_to(LDAP_NEXT_ASK, ""));
}

static struct ldap_outcome bound(struct ldap_question *question, int32_t result)
{
	switch (result) {
	case LDAP_SUCCESS:
		return bound_well(question);
	case LDAP_INVALID_CREDENTIALS:
	case LDAP_INAPPROPRIATE_AUTH:
		return answer(ATTEMPT_NO, "");
	case LDAP_UNWILLING:
	case LDAP_CONSTRAINT_VIOLATION:
		return answer(ATTEMPT_NO, "the directory says that the account is locked, or its "
					  "password expired");
	case LDAP_NO_SUCH_OBJECT:
	case LDAP_INVALID_DN:
		return answer(ATTEMPT_UNKNOWN, "");
	case LDAP_BUSY:
	case LDAP_UNAVAILABLE:
		return come_to(LDAP_NEXT_SITE, "it cannot bind now");
	case LDAP_REFERRAL:
		return referred();
	default:
		return later_by_result("users cannot be bound", result);
	}
}

static struct ldap_outcome take_entry(struct ldap_question *question, struct ber_slice bytes)
{
	if (++question->entries > 2)
		return come_to(LDAP_NEXT_BREAK, "it says more entries than it was asked for");
	if (question->entries == 1 && !ldap_entry_keep(&question->entry, bytes))
		return come_to(LDAP_NEXT_BREAK, "no memory");
	return come_to(LDAP_NEXT_HEAR, "");
}

struct ldap_outcome ldap_question_hear(
	struct ldap_question *question, const struct ldap_message *message, struct ber_slice bytes)
{
	bool binds = question->step == LDAP_STEP_BINDS;

	if (binds && message->kind == LDAP_BOUND)
		return bound(question, message->result);
	if (!binds && message->kind == LDAP_ENTRY)
		return take_entry(question, bytes);
	if (!binds && message->kind == LDAP_REFERENCE && ++question->references <= REFERENCES_MAX)
		return come_to(LDAP_NEXT_HEAR, ""); /* never followed */
	if (!binds && message->kind == LDAP_SEARCHED)
		return question->step == LDAP_STEP_READS ? read_own(question, message->result)
							 : searched(question, message->result);
	return come_to(LDAP_NEXT_BREAK, "it answers something that it was not asked");
}
