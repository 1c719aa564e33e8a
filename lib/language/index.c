/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is looked up is indexed: places, mail addresses, hosts, the names of protected domains. */
#include "lib/language/parse.h"

#include "lib/policy/element.h"
#include "lib/policy/mailset.h"

/* Any value that is not NULL says that the index holds the element. */
static int index_elems(struct policy_elems *elems, struct lpm **index)
{
	*index = lpm_new();
	if (!*index)
		return -1;
	for (size_t i = 0; i < elems->n; i++) {
		const struct policy_elem *elem = &elems->v[i];
		struct prefix parts[RANGE_PARTS_MAX];
		unsigned n = element_parts(elem, parts);
		if (elem->kind == POLICY_ELEM_MAC && lpm_add_mac(*index, &elem->mac, elems) < 0)
			return -1;
		for (unsigned j = 0; j < n; j++) {
			if (lpm_add(*index, &parts[j], elems) < 0)
				return -1;
		}
	}
	return 0;
}

/* The same of mail addresses. */
static int index_mails(struct policy_elems *elems, struct mailset **index)
{
	char key[MAILSET_KEY_SIZE];

	*index = mailset_new();
	for (size_t i = 0; *index && i < elems->n; i++) {
		mailset_key(elems->v[i].text, elems->v[i].len, key);
		if (mailset_add(*index, key, elems) < 0)
			return -1;
	}
	return *index ? 0 : -1;
}

/* The hosts among them, as the domains that they are called. */
static int index_hosts(struct policy_elems *elems, struct mailset **index)
{
	char key[MAILSET_KEY_SIZE];

	for (size_t i = 0; i < elems->n; i++) {
		const struct policy_elem *elem = &elems->v[i];
		if (elem->kind != POLICY_ELEM_HOST)
			continue;
		if (!*index)
			*index = mailset_new();
		mailset_key_of_host(elem->text, elem->len, key);
		if (!*index || mailset_add(*index, key, elems) < 0)
			return -1;
	}
	return 0;
}

static int index_list(struct policy_list *list)
{
	if (list->kind == POLICY_LIST_DYNAMIC)
		return 0;
	if (index_elems(&list->elems, &list->index) < 0)
		return -1;
	switch (list->holds) {
	case POLICY_HOLDS_ADDRESSES:
		break;
	case POLICY_HOLDS_MAIL:
		return index_mails(&list->elems, &list->mails);
	case POLICY_HOLDS_HOSTS:
		return index_hosts(&list->elems, &list->hosts);
	}
	return 0;
}

static int index_where(struct policy_where *where)
{
	if (where->elems.n == 0)
		return 0;
	return index_elems(&where->elems, &where->index) < 0 ||
			       index_hosts(&where->elems, &where->hosts) < 0
		       ? -1
		       : 0;
}

static int index_condition(struct policy_mails *mails)
{
	return mails->elems.n > 0 ? index_mails(&mails->elems, &mails->index) : 0;
}

static int index_rule(struct policy_rule *rule)
{
	return index_where(&rule->source) < 0 || index_where(&rule->destination) < 0 ||
			       index_condition(&rule->sender) < 0 ||
			       index_condition(&rule->recipient) < 0
		       ? -1
		       : 0;
}

/* A name of two domains, in whatever spelling, is the first's; who checks says so. */
static int index_domain_name(
	struct policy *policy, struct policy_domain *domain, const char *text, size_t len)
{
	char key[MAILSET_KEY_SIZE];

	mailset_key_of_host(text, len, key);
	if (mailset_find(policy->domain_names, key))
		return 0;
	return mailset_add(policy->domain_names, key, domain);
}

static int index_domain(struct policy *policy, struct policy_domain *domain)
{
	if (!policy->domain_names)
		policy->domain_names = mailset_new();
	if (!policy->domain_names || index_condition(&domain->recipients) < 0)
		return -1;
	for (size_t i = 0; i < domain->names.n; i++)
		if (index_domain_name(
			    policy, domain, domain->names.v[i].text, domain->names.v[i].len) < 0)
			return -1;
	for (size_t i = 0; i < domain->list_names.n; i++) {
		const struct policy_list *list = &policy->lists[domain->lists[i]];
		for (size_t j = 0; j < list->elems.n; j++)
			if (list->elems.v[j].kind == POLICY_ELEM_HOST &&
				index_domain_name(policy, domain, list->elems.v[j].text,
					list->elems.v[j].len) < 0)
				return -1;
	}
	return 0;
}

void language_index(struct language *l)
{
	struct policy *policy = l->policy;
	bool failed = false;

	for (size_t i = 0; i < policy->nlists; i++)
		failed |= index_list(&policy->lists[i]) < 0;
	for (size_t i = 0; i < policy->nlisteners; i++)
		failed |= index_where(&policy->listeners[i].accept) < 0;
	for (size_t i = 0; i < policy->ndomains; i++)
		failed |= index_domain(policy, &policy->domains[i]) < 0;
	for (size_t i = 0; i < policy->nrules; i++)
		failed |= index_rule(&policy->rules[i]) < 0;
	if (failed)
		language_out_of_memory(l);
}
