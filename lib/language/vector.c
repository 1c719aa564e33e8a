/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/base/vector.h"
#include "lib/base/hash.h"
#include "lib/language/parse.h"

#include <stdlib.h>
#include <string.h>

void *language_push(struct language *l, struct language_vector *vector, size_t size)
{
	void *v = vector_grow(vector->v, vector->n, &vector->room, size);

	if (!v) {
		language_out_of_memory(l);
		return NULL;
	}
	vector->v = v;
	void *member = (char *)vector->v + vector->n++ * size;
	memset(member, 0, size);
	return member;
}

void language_vector_fini(struct language_vector *vector)
{
	free(vector->v);
	*vector = (struct language_vector){0};
}

void *language_alloc(struct language *l, size_t n, size_t size)
{
	if (n == 0)
		return NULL;
	void *v = arena_alloc(l->policy->arena, n * size);
	if (!v)
		language_out_of_memory(l);
	return v;
}

void *language_keep(struct language *l, const struct language_vector *vector, size_t size)
{
	void *v = language_alloc(l, vector->n, size);

	if (v)
		memcpy(v, vector->v, vector->n * size);
	return v;
}

struct policy_string language_empty(void)
{
	return (struct policy_string){.text = "", .hash = hash_bytes("", 0)};
}

struct policy_string language_copy(struct language *l, const char *text, size_t len)
{
	struct policy_string string = {.text = arena_copy(l->policy->arena, text, len)};

	if (!string.text) {
		language_out_of_memory(l);
		string.text = "";
		len = 0;
	}
	string.len = (uint32_t)len;
	string.hash = hash_bytes(string.text, len);
	return string;
}
