/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/radius/claims.h"

#include <errno.h>
#include <stdlib.h>

int radius_claims_init(struct radius_claims *claims)
{
	claims->v = calloc((size_t)RADIUS_CLAIM_SETS * RADIUS_CLAIM_WAYS, sizeof(*claims->v));
	return claims->v ? 0 : -ENOMEM;
}

void radius_claims_fini(struct radius_claims *claims)
{
	free(claims->v);
	claims->v = NULL;
}

static struct radius_claim *set_of(const struct radius_claims *claims, uint64_t what)
{
	return &claims->v[what % RADIUS_CLAIM_SETS * RADIUS_CLAIM_WAYS];
}

static struct radius_claim *find(const struct radius_claims *claims, uint64_t what)
{
	struct radius_claim *set = set_of(claims, what);

	for (size_t i = 0; i < RADIUS_CLAIM_WAYS; i++)
		if (set[i].what == what)
			return &set[i];
	return NULL;
}

const struct radius_claim *radius_claims_find(const struct radius_claims *claims, uint64_t what)
{
	return find(claims, what);
}

bool radius_claims_lose(
	const struct radius_claims *claims, const struct radius_claim *claim, bool starts)
{
	const struct radius_claim *other = find(claims, claim->what);

	if (!other || other->key == claim->key || other->user == claim->user)
		return false;
	uint64_t mine_s = claim->begin_ms / 1000, its_s = other->begin_ms / 1000;
	return mine_s < its_s || (mine_s == its_s && !starts);
}

void radius_claims_put(struct radius_claims *claims, const struct radius_claim *claim)
{
	struct radius_claim *to = find(claims, claim->what);

	if (to) {
		if (to->key == claim->key || claim->begin_ms / 1000 >= to->begin_ms / 1000)
			*to = *claim;
		return;
	}
	struct radius_claim *set = set_of(claims, claim->what);
	to = &set[0];
	for (size_t i = 0; i < RADIUS_CLAIM_WAYS && to->what; i++)
		if (!set[i].what || set[i].begin_ms < to->begin_ms)
			to = &set[i];
	*to = *claim;
}

void radius_claims_set_back(struct radius_claims *claims, uint64_t wall_ms)
{
	for (size_t i = 0; i < (size_t)RADIUS_CLAIM_SETS * RADIUS_CLAIM_WAYS; i++)
		if (claims->v[i].begin_ms > wall_ms)
			claims->v[i].begin_ms = wall_ms;
}
