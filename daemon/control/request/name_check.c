/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/request/name_check.h"

#include "daemon/control/control.h"

#include <string.h>

static int stop_at(void *context, struct session *session)
{
	(void)session;
	*(bool *)context = true;
	return 1;
}

static bool has_session(const struct control *control, const char *user)
{
	bool found = false;
	session_table_each_user(control->table, user, stop_at, &found);
	return found;
}

struct named {
	const char *user;
	bool found;
};

static int look_at(void *context, const struct block *block)
{
	struct named *named = context;
	named->found = block->kind == BLOCK_USER && strcmp(block->user, named->user) == 0;
	return named->found;
}

static bool is_blocked(const struct control *control, const char *user)
{
	struct named named = {.user = user};
	blocks_each(control->blocks, look_at, &named);
	return named.found;
}

static bool is_in_policy(const struct policy *policy, const char *user)
{
	for (size_t i = 0; i < policy->nrules; i++)
		for (size_t j = 0; j < policy->rules[i].users.n; j++)
			if (strcmp(policy->rules[i].users.v[j].text, user) == 0)
				return true;
	return false;
}

/* Is somebody of this name logged in, a device, blocked, or named by the policy? */
static bool is_user(const struct control *control, const char *user)
{
	const char *name = user;
	unsigned sources = policy_user_sources(&name);

	/* whom a backend knows is not known here */
	if (sources == 1u << POLICY_SOURCE_AUTH && control->policy->nauths > 0)
		return true;
	return has_session(control, name) || is_blocked(control, user) ||
	       is_in_policy(control->policy, user);
}

static const struct {
	const char *part;
	enum policy_kind kind;
	ptrdiff_t (*find)(const struct policy *policy, const char *name);
} kinds[] = {
	{"zone", POLICY_KIND_ZONE, policy_find_zone},
	{"listener", POLICY_KIND_LISTENER, policy_find_listener},
	{"rule", POLICY_KIND_RULE, policy_find_rule},
	{"server", POLICY_KIND_SERVER, policy_find_server},
};

bool name_check_given(const struct command *command, const char *part)
{
	const struct policy *policy = command->control->policy;
	const char *word = command_value(command, part);
	if (!word)
		return true;
	if (strcmp(part, "user") == 0)
		return is_user(command->control, word);
	if (strcmp(part, "server") == 0 && strcmp(word, "original") == 0)
		return true;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (strcmp(kinds[i].part, part) == 0)
			return kinds[i].find(policy, word) >= 0;
	return true;
}

void name_check_refuse(struct command *command, const char *part, const char *more)
{
	const char *word = command_value(command, part);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (strcmp(kinds[i].part, part) == 0) {
			command_no_such(command, kinds[i].kind, word);
			return;
		}
	command_done(command, OUTCOME_ABSENT,
		"no such user \"%s\": nobody of that name is logged in or blocked, no device and "
		"no "
		"rule has it%s",
		word, more);
}
