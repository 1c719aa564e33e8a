/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/language/shadow.h"

#include "lib/base/hash.h"
#include "lib/policy/element.h"
#include "lib/policy/mailset.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A rule can only be shadowed by one that shares a value with it, for each condition that names
 * values. So each rule is filed under its values of one condition: the one whose values are the
 * rarest. A later rule then looks under the first of its own values of every condition, and at the
 * rules that are filed nowhere because they name no values. */
enum condition { ZONE, USER, GROUP, PORT, SOURCE, DESTINATION, SENDER, RECIPIENT, CONDITIONS };

struct key {
	uint64_t hash; /* of condition and value; 0: free. Equal hashes only cost time */
	uint32_t uses;
	uint32_t first, last; /* filings, 0: none */
};

struct filing {
	uint32_t rule, next;
};

struct index {
	struct key *keys;
	size_t room; /* a power of two */
	struct filing *filings;
	size_t nfilings, filings_room;
	uint32_t first_unfiled, last_unfiled;
};

static uint64_t mix(uint64_t hash, uint64_t value)
{
	hash = (hash ^ value) * 0x9e3779b97f4a7c15u;
	return hash ^ hash >> 29;
}

static uint64_t hash_string(enum condition condition, const struct policy_string *string)
{
	return mix(mix(condition + 1, string->hash), string->len) | 1;
}

static uint64_t hash_elem(enum condition condition, const struct policy_elem *elem)
{
	uint64_t hash = mix(condition + 1, elem->kind == POLICY_ELEM_MAC), part[2] = {0};
	struct prefix parts[RANGE_PARTS_MAX];

	/* a range that is looked for: what holds it holds its first network */
	if (element_parts(elem, parts) == 0) {
		memcpy(part, elem->mac.bytes, sizeof(elem->mac.bytes));
	} else {
		memcpy(part, parts[0].addr.bytes, sizeof(part));
		hash = mix(hash, parts[0].addr.family * 256u + parts[0].len);
	}
	return mix(mix(hash, part[0]), part[1]) | 1;
}

static uint64_t hash_mail(enum condition condition, const char *key)
{
	size_t len = strlen(key);

	return mix(mix(condition + 1, hash_bytes(key, len)), len) | 1;
}

static struct key *key_of(struct index *index, uint64_t hash)
{
	for (size_t i = hash >> 20;; i++) {
		struct key *key = &index->keys[i & (index->room - 1)];
		if (key->hash == hash || key->hash == 0)
			return key;
	}
}

static const struct policy_where *where_of(const struct policy_rule *rule, enum condition condition)
{
	return condition == SOURCE ? &rule->source : &rule->destination;
}

static const struct policy_mails *mails_of(const struct policy_rule *rule, enum condition condition)
{
	return condition == SENDER ? &rule->sender : &rule->recipient;
}

static const struct policy_strings *strings_of(
	const struct policy_rule *rule, enum condition condition)
{
	return condition == ZONE   ? &rule->zone_names
	       : condition == USER ? &rule->users
				   : &rule->groups;
}

/* What holds an element within a range need not be one of the range's networks; a host's name is
 * of none. */
static bool is_unfiled(const struct policy_where *where)
{
	for (size_t i = 0; i < where->elems.n; i++) {
		if (where->elems.v[i].kind == POLICY_ELEM_RANGE ||
			where->elems.v[i].kind == POLICY_ELEM_HOST)
			return true;
	}
	return false;
}

/* How many values the rule is filed under for a condition; 0 when it names none, or `not`. */
static size_t values(const struct policy_rule *rule, enum condition condition)
{
	switch (condition) {
	case ZONE:
		return rule->zone_names.n;
	case USER:
		return rule->user_negated ? 0 : rule->users.n;
	case GROUP:
		return rule->group_negated ? 0 : rule->groups.n;
	case PORT:
		return rule->ports.n;
	case SOURCE:
	case DESTINATION: {
		const struct policy_where *where = where_of(rule, condition);
		return where->negated || is_unfiled(where) ? 0
							   : where->elems.n + where->list_names.n;
	}
	case SENDER:
	case RECIPIENT: {
		const struct policy_mails *mails = mails_of(rule, condition);
		return mails->negated || mails->protected || mails->own
			       ? 0
			       : mails->none + mails->elems.n + mails->list_names.n;
	}
	case CONDITIONS:
		break;
	}
	return 0;
}

/* <> first, whose key is empty. */
static uint64_t hash_mail_value(
	const struct policy_mails *mails, enum condition condition, size_t i)
{
	char key[MAILSET_KEY_SIZE] = "";

	if (i >= mails->none + mails->elems.n)
		return hash_string(
			condition, &mails->list_names.v[i - mails->none - mails->elems.n]);
	if (i >= mails->none)
		mailset_key(mails->elems.v[i - mails->none].text,
			mails->elems.v[i - mails->none].len, key);
	return hash_mail(condition, key);
}

static uint64_t hash_value(const struct policy_rule *rule, enum condition condition, size_t i)
{
	if (condition == PORT)
		return mix(PORT + 1, rule->ports.v[i]) | 1;
	if (condition == SENDER || condition == RECIPIENT)
		return hash_mail_value(mails_of(rule, condition), condition, i);
	if (condition != SOURCE && condition != DESTINATION)
		return hash_string(condition, &strings_of(rule, condition)->v[i]);
	const struct policy_where *where = where_of(rule, condition);
	if (i < where->elems.n)
		return hash_elem(condition, &where->elems.v[i]);
	return hash_string(condition, &where->list_names.v[i - where->elems.n]);
}

static bool make_index(struct index *index, const struct policy *policy)
{
	size_t all = 0;

	for (size_t i = 0; i < policy->nrules; i++) {
		for (enum condition c = 0; c < CONDITIONS; c++)
			all += values(&policy->rules[i], c);
	}
	for (index->room = 64; index->room < all * 2;)
		index->room *= 2;
	index->filings_room = all + policy->nrules + 1;
	index->nfilings = 1; /* 0 is none */
	index->keys = calloc(index->room, sizeof(*index->keys));
	index->filings = calloc(index->filings_room, sizeof(*index->filings));
	if (!index->keys || !index->filings)
		return false;
	for (size_t i = 0; i < policy->nrules; i++) {
		for (enum condition c = 0; c < CONDITIONS; c++) {
			for (size_t j = 0; j < values(&policy->rules[i], c); j++) {
				uint64_t hash = hash_value(&policy->rules[i], c, j);
				struct key *key = key_of(index, hash);
				key->hash = hash;
				key->uses++;
			}
		}
	}
	return true;
}

static void file_under(struct index *index, uint32_t *first, uint32_t *last, size_t rule)
{
	uint32_t filing = (uint32_t)index->nfilings++;

	index->filings[filing].rule = (uint32_t)rule;
	if (*last)
		index->filings[*last].next = filing;
	else
		*first = filing;
	*last = filing;
}

static void file_rule(struct index *index, const struct policy_rule *rule, size_t i)
{
	enum condition best = CONDITIONS;
	uint64_t least = UINT64_MAX;

	for (enum condition c = 0; c < CONDITIONS; c++) {
		uint64_t uses = 0;
		for (size_t j = 0; j < values(rule, c); j++)
			uses += key_of(index, hash_value(rule, c, j))->uses;
		if (uses > 0 && uses < least) {
			least = uses;
			best = c;
		}
	}
	if (best == CONDITIONS)
		file_under(index, &index->first_unfiled, &index->last_unfiled, i);
	for (size_t j = 0; best != CONDITIONS && j < values(rule, best); j++) {
		struct key *key = key_of(index, hash_value(rule, best, j));
		file_under(index, &key->first, &key->last, i);
	}
}

struct search {
	const struct policy *policy;
	struct index *index;
	const struct policy_rule *rule;
	struct language_effort effort;
	size_t found; /* SIZE_MAX: none */
};

static void search_filings(struct search *search, uint32_t filing)
{
	for (; filing; filing = search->index->filings[filing].next) {
		size_t i = search->index->filings[filing].rule;
		if (i >= search->found || search->effort.left == 0)
			return;
		if (language_implied(&search->policy->rules[i], search->rule, &search->effort)) {
			search->found = i;
			return;
		}
	}
}

static void search_key(struct search *search, uint64_t hash)
{
	search_filings(search, key_of(search->index, hash)->first);
}

/* An address is also in its domain, and both in the domains above. */
static void search_mails(struct search *search, enum condition condition)
{
	const struct policy_mails *mails = mails_of(search->rule, condition);
	char key[MAILSET_KEY_SIZE], above[MAILSET_KEY_SIZE];

	if (mails->none || mails->elems.n == 0)
		return;
	mailset_key(mails->elems.v[0].text, mails->elems.v[0].len, key);
	const char *at = strrchr(key, '@');
	if (at && at != key)
		search_key(search, hash_mail(condition, at));
	for (const char *dot = at ? strchr(at, '.') : NULL; dot; dot = strchr(dot + 1, '.')) {
		snprintf(above, sizeof(above), "@%s", dot);
		search_key(search, hash_mail(condition, above));
	}
}

static void search_condition(struct search *search, enum condition condition)
{
	const struct policy_where *where = where_of(search->rule, condition);

	bool place = condition == SOURCE || condition == DESTINATION;
	struct policy_elem around = {.kind = POLICY_ELEM_PREFIX};
	struct prefix parts[RANGE_PARTS_MAX];

	if (place ? where->negated || where->elems.n + where->list_names.n == 0
		  : values(search->rule, condition) == 0)
		return;
	search_key(search, hash_value(search->rule, condition, 0));
	if (condition == SENDER || condition == RECIPIENT)
		search_mails(search, condition);
	if (!place || where->elems.n == 0 || element_parts(&where->elems.v[0], parts) == 0)
		return;
	around.prefix = parts[0];
	while (around.prefix.len > 0) {
		around.prefix = language_prefix_around(&around.prefix);
		search_key(search, hash_elem(condition, &around));
	}
}

void language_check_shadow(struct language *l)
{
	const struct policy *policy = l->policy;
	const struct language_rule_note *notes = l->rule_notes.v;
	struct index index = {0};
	struct search search = {
		.policy = policy, .index = &index, .effort.left = LANGUAGE_SHADOW_EFFORT};

	if (!make_index(&index, policy))
		language_out_of_memory(l);
	for (size_t i = 0; i < policy->nrules && !l->out_of_memory; i++) {
		if (policy->rules[i].disabled)
			continue;
		search.rule = &policy->rules[i];
		search.found = SIZE_MAX;
		search_filings(&search, index.first_unfiled);
		for (enum condition c = 0; c < CONDITIONS; c++)
			search_condition(&search, c);
		if (search.found != SIZE_MAX)
			language_warn(l, &notes[i].name,
				"rule %s is never reached: rule %s before it takes all that it "
				"could take",
				policy->rules[i].name.text, policy->rules[search.found].name.text);
		file_rule(&index, &policy->rules[i], i);
	}
	free(index.keys);
	free(index.filings);
}
