/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/policy/decide/rule.h"

#include <string.h>
#include <strings.h>

static bool set_holds(const struct mailset *set, const char *key)
{
	void *values[MAILSET_DEPTH];

	return set && mailset_find_all(set, key, values) > 0;
}

/* Of the login, whatever the case of their letters. */
static bool is_own(const struct session *session, const char *key)
{
	for (size_t i = 0; session && i < session->nmails; i++) {
		char own[MAILSET_KEY_SIZE];
		mailset_key(session->mails[i].text, session->mails[i].len, own);
		if (*own && strcmp(own, key) == 0)
			return true;
	}
	return false;
}

bool decide_is_among(const struct decide_question *question, const struct policy_mails *mails,
	const char *key, uint64_t *change_ms)
{
	const struct policy *policy = question->world->policy;
	uint64_t latest = 0;

	*change_ms = 0;
	if (!*key)
		return mails->none;
	if (mails->own && is_own(question->session, key))
		return true;
	if (set_holds(mails->index, key))
		return true;
	for (size_t i = 0; i < mails->list_names.n; i++) {
		const struct policy_list *list = &policy->lists[mails->lists[i]];
		uint64_t end_ms = 0;
		bool in = list->kind == POLICY_LIST_DYNAMIC
				  ? lists_match_mail(question->world->lists, list->name.text, key,
					    question->now_ms, &end_ms)
				  : set_holds(list->mails, key);
		if (in && end_ms == 0)
			return true;
		if (in && end_ms > latest)
			latest = end_ms;
	}
	*change_ms = latest;
	return latest != 0;
}

/* true: it holds, or is not known. */
static bool take_condition(const struct decide_question *question, const struct policy_mails *mails,
	const char *key, bool protected, enum decide_condition condition,
	struct decide_match *match)
{
	uint64_t change_ms;

	if (!mails->given)
		return true;
	match->fields |= DECIDE_ENVELOPE;
	if (!key) {
		match->answer = DECIDE_RULE_MAYBE;
		return true;
	}
	bool in = decide_is_among(question, mails, key, &change_ms) ||
		  (mails->protected && protected);
	bool holds = in != mails->negated;
	decide_lower(&match->until_ms, change_ms);
	if (holds)
		return true;
	match->answer = DECIDE_RULE_NO;
	match->failed = condition;
	return false;
}

bool decide_same_name(const char *a, const char *b)
{
	return strcasecmp(a, b) == 0;
}

static bool has_name(const struct policy_strings *names, const struct decide_tls *tls)
{
	for (size_t i = 0; i < names->n; i++)
		if (tls->has_name && tls->has_name(tls->context, names->v[i].text))
			return true;
	return names->n == 0;
}

bool decide_tls_is_open(const struct policy_tls_condition *condition, const struct decide_tls *tls)
{
	if (!condition->given || !tls)
		return condition->given;
	return condition->verified && tls->on && tls->verified && tls->names_open &&
	       !has_name(&condition->names, tls);
}

static void take_tls(const struct policy_tls_condition *condition, const struct decide_tls *tls,
	struct decide_match *match)
{
	if (!condition->given)
		return;
	match->fields |= DECIDE_ENVELOPE;
	if (decide_tls_is_open(condition, tls)) {
		match->answer = DECIDE_RULE_MAYBE;
		return;
	}
	bool holds = tls->on &&
		     (!condition->verified || (tls->verified && has_name(&condition->names, tls)));
	if (holds != condition->negated)
		return;
	match->answer = DECIDE_RULE_NO;
	match->failed = DECIDE_RULE_TLS;
}

struct decide_match decide_mails(const struct decide_question *question,
	const struct policy_rule *rule, const struct decide_mails *mails, struct decide_match match)
{
	if (match.answer != DECIDE_RULE_NO &&
		take_condition(question, &rule->sender, mails->sender, false, DECIDE_RULE_SENDER,
			&match) &&
		take_condition(question, &rule->recipient, mails->recipient, mails->protected,
			DECIDE_RULE_RECIPIENT, &match))
		take_tls(&rule->tls, mails->tls, &match);
	return match;
}
