/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/policy/emptying.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A dynamic list's elements are state, and free to go. */
static bool empties(const struct policy_list *before, const struct policy *coming)
{
	ptrdiff_t i = policy_find_list(coming, before->name.text);
	if (i < 0 || before->kind == POLICY_LIST_DYNAMIC || !before->elems.n)
		return false;
	const struct policy_list *after = &coming->lists[i];
	return after->kind != POLICY_LIST_DYNAMIC && !after->elems.n;
}

char *emptying_find(const struct policy *running, const struct policy *coming)
{
	size_t len;
	char *text = NULL;
	FILE *out = open_memstream(&text, &len);
	if (!out)
		return NULL;
	if (running->nzones && !coming->nzones)
		fprintf(out, "no zone would be left of %zu: nothing would be redirected\n",
			running->nzones);
	if (running->nrules && !coming->nrules)
		fprintf(out, "no rule would be left of %zu\n", running->nrules);
	for (size_t i = 0; i < running->nlists; i++)
		if (empties(&running->lists[i], coming))
			fprintf(out, "list %s would be empty, of %zu elements\n",
				running->lists[i].name.text, running->lists[i].elems.n);
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}
