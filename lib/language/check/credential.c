/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/tls/credential.h"
#include "lib/language/parse.h"

static struct language_span path_of(const struct credential *credential, bool key)
{
	const struct policy_span *at = key ? &credential->key_at : &credential->file_at;

	return (struct language_span){.place = at->place, .width = at->width};
}

static void check_one(struct language *l, const struct credential *credential)
{
	struct credential_verdict verdict = {0};

	l->world->credential(l->world->context, credential, &verdict);
	const struct language_span bad = path_of(credential, verdict.bad_key);
	const struct language_span warned = path_of(credential, verdict.warned_of_key);
	if (verdict.bad)
		language_fault(l, &bad, "%s", verdict.text);
	if (verdict.warning[0])
		language_warn(l, &warned, "%s", verdict.warning);
}

void language_check_credentials(struct language *l)
{
	struct credentials all;

	if (!l->world->credential)
		return;
	if (credentials_of(l->policy, &all) < 0)
		language_out_of_memory(l);
	for (size_t i = 0; i < all.n && !l->stopped; i++)
		check_one(l, &all.v[i]);
	credentials_fini(&all);
}
