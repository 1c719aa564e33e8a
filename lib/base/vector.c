/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/base/vector.h"

#include <stdlib.h>

#define FIRST 16

void *vector_grow(void *v, size_t n, size_t *room, size_t bytes)
{
	if (n < *room)
		return v;
	size_t more = *room ? *room * 2 : FIRST, size;
	if (more < *room || __builtin_mul_overflow(more, bytes, &size))
		return NULL;
	void *grown = realloc(v, size);
	if (grown)
		*room = more;
	return grown;
}
