/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of statements become their numbers. */
#include "lib/language/parse.h"

bool language_resolve(struct language *l, enum policy_kind kind, const struct policy_string *name,
	const struct language_span *span, size_t *index)
{
	ptrdiff_t i = policy_find(l->policy, kind, name);

	if (i < 0)
		language_no_such(l, span, kind, name);
	else
		*index = (size_t)i;
	return i >= 0;
}

void language_resolve_all(struct language *l, enum policy_kind kind,
	const struct policy_strings *names, const struct language_spans *spans, size_t *indexes)
{
	for (size_t i = 0; i < names->n && !l->stopped; i++)
		language_resolve(l, kind, &names->v[i], &spans->v[i], &indexes[i]);
}
