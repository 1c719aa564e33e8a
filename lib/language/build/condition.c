/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Conditions that rules and listeners have alike: places and mail addresses. */
#include "lib/language/build/language_build.h"

/* ---- conditions, of rules too */

void language_where(
	struct language *l, struct policy_where *where, struct language_spans *lists, bool negated)
{
	*where = (struct policy_where){.given = true, .negated = negated};
	language_keep_elems(l, &l->items, &where->elems, NULL);
	language_keep_strings(l, &l->items, &where->list_names, lists);
	where->lists = language_alloc(l, where->list_names.n, sizeof(*where->lists));
}

void language_mails(
	struct language *l, struct policy_mails *mails, struct language_spans *lists, bool negated)
{
	const struct language_item *item = l->items.v;

	*mails = (struct policy_mails){.given = true, .negated = negated};
	language_keep_elems(l, &l->items, &mails->elems, NULL);
	language_keep_strings(l, &l->items, &mails->list_names, lists);
	mails->lists = language_alloc(l, mails->list_names.n, sizeof(*mails->lists));
	for (size_t i = 0; i < l->items.n; i++) {
		mails->none |= item[i].kind == LANGUAGE_ITEM_NONE;
		mails->own |= item[i].kind == LANGUAGE_ITEM_OWN;
		mails->protected |= item[i].kind == LANGUAGE_ITEM_PROTECTED;
	}
}
