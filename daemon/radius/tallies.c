/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/radius/tallies.h"

#include "daemon/base/log.h"
#include "daemon/radius/radius.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void tallies_fini(struct tallies *tallies)
{
	free(tallies->v);
	*tallies = (struct tallies){0};
}

static const struct tally *find(const struct tallies *tallies, const char *name)
{
	for (size_t i = 0; i < tallies->n; i++)
		if (strcmp(tallies->v[i].told.radius, name) == 0)
			return &tallies->v[i];
	return NULL;
}

void tallies_follow(struct tallies *tallies, const struct policy *policy)
{
	struct tallies next = {.n = policy->nradiuses};

	next.v = calloc(next.n + 1, sizeof(*next.v));
	if (!next.v) {
		log_error("no memory to count packets");
		next.n = 0;
	}
	for (size_t i = 0; i < next.n; i++) {
		const struct tally *before = find(tallies, policy->radiuses[i].name.text);
		if (before) {
			next.v[i] = *before;
			continue;
		}
		ipc_init(&next.v[i].told, IPC_RADIUS_STATE, sizeof(next.v[i].told));
		snprintf(next.v[i].told.radius, sizeof(next.v[i].told.radius), "%s",
			policy->radiuses[i].name.text);
		next.v[i].changed = true;
	}
	tallies_fini(tallies);
	*tallies = next;
}

struct tally *tallies_at(struct tallies *tallies, size_t index)
{
	return index < tallies->n ? &tallies->v[index] : NULL;
}

void tallies_tell(struct radius *radius)
{
	for (size_t i = 0; i < radius->tallies.n; i++) {
		struct tally *tally = &radius->tallies.v[i];
		if (!tally->changed || !child_hears(&radius->child))
			continue;
		tally->told.begun_ms = radius->begun_ms;
		tally->told.md5 = radius->md5 != NULL;
		tally->changed = child_send(&radius->child, &tally->told) < 0;
	}
}

void tallies_tell_again(struct tallies *tallies)
{
	for (size_t i = 0; i < tallies->n; i++)
		tallies->v[i].changed = true;
}
