/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/auth/who.h"

#include "lib/base/hash.h"
#include "lib/base/text.h"
#include "lib/policy/element.h"

#include <string.h>

static bool is_text(const char *text, size_t len)
{
	for (size_t at = 0, n; at < len; at += n) {
		n = text_character(text + at, len - at);
		if (n == 0)
			return false;
	}
	return len > 0;
}

static bool keep(struct who *who, const char *text, size_t len, struct policy_string *string)
{
	if (len + 1 > sizeof(who->text) - who->used)
		return false;
	char *at = who->text + who->used;
	memcpy(at, text, len);
	at[len] = '\0';
	who->used += len + 1;
	*string = (struct policy_string){at, (uint32_t)len, hash_bytes(at, len)};
	return true;
}

bool who_begin(struct who *who, const struct policy *policy, const char *user, size_t len)
{
	who->policy = policy;
	who->used = who->ngroups = who->nmails = 0;
	return len < POLICY_USER_SIZE && is_text(user, len) && keep(who, user, len, &who->user);
}

static bool is_named(const struct policy *policy, const struct policy_string *group)
{
	for (size_t i = 0; i < policy->nrules; i++)
		for (size_t j = 0; j < policy->rules[i].groups.n; j++)
			if (policy_string_equal(&policy->rules[i].groups.v[j], group))
				return true;
	return false;
}

static bool has(const struct policy_string *strings, size_t n, const struct policy_string *string)
{
	for (size_t i = 0; i < n; i++)
		if (policy_string_equal(&strings[i], string))
			return true;
	return false;
}

void who_add_group(struct who *who, const char *group, size_t len)
{
	const struct policy_string said = {group, (uint32_t)len, hash_bytes(group, len)};

	if (who->ngroups == SESSION_GROUPS_MAX || len >= POLICY_USER_SIZE || !is_text(group, len) ||
		!is_named(who->policy, &said) || has(who->groups, who->ngroups, &said))
		return;
	who->ngroups += keep(who, group, len, &who->groups[who->ngroups]);
}

void who_add_mail(struct who *who, const char *mail, size_t len)
{
	const struct policy_string said = {mail, (uint32_t)len, hash_bytes(mail, len)};
	struct policy_elem elem;

	/* one address, not all of a domain */
	if (who->nmails == SESSION_MAILS_MAX || len >= SESSION_MAIL_SIZE || !is_text(mail, len) ||
		mail[0] == '@' || element_parse(POLICY_HOLDS_MAIL, mail, len, &elem) ||
		has(who->mails, who->nmails, &said))
		return;
	who->nmails += keep(who, mail, len, &who->mails[who->nmails]);
}

void who_end(struct who *who, const char *domain)
{
	char mail[SESSION_MAIL_SIZE];
	size_t user = who->user.len, len = user + 1 + strlen(domain);

	if (who->nmails > 0)
		return;
	if (memchr(who->user.text, '@', user)) {
		who_add_mail(who, who->user.text, user);
	} else if (domain[0] && len < sizeof(mail)) {
		memcpy(mail, who->user.text, user);
		mail[user] = '@';
		strcpy(mail + user + 1, domain);
		who_add_mail(who, mail, len);
	}
}

size_t who_encode(
	const struct who *who, const char *listener, uint8_t bytes[static SESSION_ENCODED_MAX])
{
	struct session session = {.kind = SESSION_AUTH,
		.zone = {listener, (uint32_t)strlen(listener), 0},
		.user = who->user,
		.groups = (struct policy_string *)who->groups,
		.ngroups = who->ngroups,
		.mails = who->mails,
		.nmails = who->nmails};

	return session_encode(&session, bytes, SESSION_ENCODED_MAX);
}
