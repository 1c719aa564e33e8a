/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a file is that a statement names: beside the one that names it. */
#include "lib/language/parse.h"

#include <string.h>

const char *language_resolve_path(struct language *l, const struct policy_string *path)
{
	const char *from = language_source_at(l, l->source)->name;
	const char *slash = strrchr(from, '/');

	if (path->len == 0 || path->text[0] == '/' || !slash)
		return path->text;
	size_t len = (size_t)(slash - from) + 1;
	char *joined = arena_alloc(l->policy->arena, len + path->len + 1);
	if (!joined) {
		language_out_of_memory(l);
		return NULL;
	}
	memcpy(joined, from, len);
	memcpy(joined + len, path->text, path->len);
	return joined;
}
