/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the way from a member that somebody was given back to the structure that it is a member of.
 */
#ifndef POSTERN_LIB_BASE_CONTAINER_H
#define POSTERN_LIB_BASE_CONTAINER_H

#include <stddef.h>

/* The `type` whose `member` the pointer points to; what is no pointer to such a member is an error
 * of the compiler. */
#define container_of(pointer, type, member)                                        \
	((type *)(void *)((char *)(1 ? (pointer) : &((type *)(void *)0)->member) - \
			  offsetof(type, member)))

#endif
