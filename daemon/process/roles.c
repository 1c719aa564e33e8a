/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/process/roles.h"

#include "lib/policy/level.h"

#include <stdio.h>
#include <string.h>

static bool wants_web(const struct policy *policy)
{
	return policy->metrics_addr.family != ADDR_NONE || policy->nportals > 0;
}

static bool wants_smtp(const struct policy *policy)
{
	if (policy->nlisteners > 0)
		return true;
	for (size_t i = 0; i < policy->nzones; i++)
		if (level_cause_of_zone(policy, i).word != LEVEL_NO_WORD)
			return true;
	return false;
}

/* Where nobody asks it, it has nothing to do. */
static bool wants_auth(const struct policy *policy)
{
	for (size_t i = 0; i < policy->nlisteners; i++)
		if (policy->listeners[i].auth_names.n > 0)
			return true;
	for (size_t i = 0; i < policy->nportals; i++)
		if (policy->portals[i].auth_names.n > 0)
			return true;
	return false;
}

static bool wants_radius(const struct policy *policy)
{
	return policy->nradiuses > 0;
}

#define ROLE_LINE(role, name, ...) [PROCESS_##role] = {#name, name##_main, __VA_ARGS__},
const struct role roles[PROCESS_ROLES] = {PROCESS_TABLE(ROLE_LINE)};

enum process_role roles_find(const char *name)
{
	unsigned role = 0;

	while (role < PROCESS_ROLES && strcmp(roles[role].name, name) != 0)
		role++;
	return (enum process_role)role;
}

const char *roles_title(enum process_role role, unsigned number, char buf[static 16])
{
	if (roles[role].many)
		snprintf(buf, 16, "%s %u", roles[role].name, number);
	else
		snprintf(buf, 16, "%s", roles[role].name);
	return buf;
}

unsigned roles_wanted(const struct policy *policy)
{
	unsigned wanted = 0;

	for (unsigned role = 0; role < PROCESS_ROLES; role++)
		if (roles[role].wanted && roles[role].wanted(policy))
			wanted |= 1u << role;
	return wanted;
}

unsigned roles_with_flows(void)
{
	unsigned with = 0;

	for (unsigned role = 0; role < PROCESS_ROLES; role++)
		if (roles[role].upgrade == ROLE_DRAINS)
			with |= 1u << role;
	return with;
}

unsigned roles_given_for(enum policy_taker taker)
{
	static const unsigned given[POLICY_TAKERS] = {
		[POLICY_TAKER_LISTENER] = GIVEN_ENDPOINTS,
		[POLICY_TAKER_RADIUS] = GIVEN_DATAGRAMS,
		[POLICY_TAKER_PORTAL] = GIVEN_PORTALS,
	};

	return given[taker];
}

enum policy_taker roles_taker(enum process_role role)
{
	const unsigned given = roles[role].given;

	return given & GIVEN_DATAGRAMS ? POLICY_TAKER_RADIUS
	       : given & GIVEN_PORTALS ? POLICY_TAKER_PORTAL
				       : POLICY_TAKER_LISTENER;
}

unsigned roles_columns(unsigned relays)
{
	unsigned columns = 0;

	for (unsigned role = 0; role < PROCESS_ROLES; role++)
		if (roles[role].upgrade == ROLE_DRAINS)
			columns += roles[role].many ? relays : 1;
	return columns;
}
