/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns how an array grows: an array with its length and its room, in whatever structure it is. */
#ifndef POSTERN_LIB_BASE_VECTOR_H
#define POSTERN_LIB_BASE_VECTOR_H

#include <stddef.h>

/* Where the n members, of so many bytes each, are with room for one more behind them: *room of them
 * have one then. They may have moved. NULL: out of memory, and all is as it was. Begins as NULL
 * with no room. */
void *vector_grow(void *v, size_t n, size_t *room, size_t bytes);

#endif
