/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/policy/decide/domain.h"

#include "lib/policy/decide/rule.h"
#include "lib/policy/mailset.h"

#include <string.h>

/* Is the name one of the domain's lists that change? */
static bool is_listed(const struct decide_world *world, const struct policy_domain *domain,
	const char *key, uint64_t now_ms, uint64_t *until_ms)
{
	for (size_t i = 0; i < domain->list_names.n; i++) {
		const struct policy_list *list = &world->policy->lists[domain->lists[i]];
		if (list->kind == POLICY_LIST_DYNAMIC &&
			lists_match_text(world->lists, list->name.text, key, now_ms, until_ms))
			return true;
	}
	return false;
}

/* The domain of just this name; -1: none. */
static ptrdiff_t find_named(
	const struct decide_world *world, const char *key, uint64_t now_ms, uint64_t *until_ms)
{
	const struct policy *policy = world->policy;
	const struct policy_domain *named =
		policy->domain_names ? mailset_find(policy->domain_names, key) : NULL;

	if (named)
		return named - policy->domains;
	for (size_t i = 0; i < policy->ndomains; i++)
		if (is_listed(world, &policy->domains[i], key, now_ms, until_ms))
			return (ptrdiff_t)i;
	return -1;
}

/* "@mx.hotel.example", then "@.hotel.example" and "@.example". */
static ptrdiff_t find(const struct decide_world *world, const struct smtp_path *path,
	uint64_t now_ms, uint64_t *until_ms)
{
	char key[SMTP_PATH_DOMAIN_MAX + 3] = "@";

	if (world->policy->ndomains == 0)
		return -1;
	if (path->domain_bytes == 0)
		return smtp_path_is_postmaster(path) ? 0 : -1;
	if (path->flags & SMTP_PATH_LITERAL)
		return -1;
	memcpy(key + 1, path->domain, path->domain_bytes);
	key[1 + path->domain_bytes] = '\0';
	ptrdiff_t found = find_named(world, key, now_ms, until_ms);
	for (char *dot = strchr(key, '.'); found < 0 && dot; dot = strchr(dot + 1, '.')) {
		dot[-1] = '@';
		found = find_named(world, dot - 1, now_ms, until_ms);
	}
	return found;
}

static bool takes(const struct decide_world *world, const struct policy_domain *domain,
	const struct smtp_path *path, uint64_t now_ms, uint64_t *until_ms)
{
	const struct decide_question question = {.world = world, .now_ms = now_ms};
	char key[MAILSET_KEY_SIZE];
	uint64_t change_ms;

	if (!domain->recipients.given || smtp_path_is_postmaster(path) || smtp_path_is_srs(path))
		return true;
	mailset_key_of(path, key);
	bool in = decide_is_among(&question, &domain->recipients, key, &change_ms);
	decide_lower(until_ms, change_ms);
	return in;
}

void decide_domain_of(const struct decide_world *world, const struct smtp_path *path,
	uint64_t now_ms, struct decide_domain *domain)
{
	*domain = (struct decide_domain){.index = -1, .takes = true};
	domain->index = find(world, path, now_ms, &domain->until_ms);
	if (domain->index >= 0)
		domain->takes = takes(world, &world->policy->domains[domain->index], path, now_ms,
			&domain->until_ms);
}
