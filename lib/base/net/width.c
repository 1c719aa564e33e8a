/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/base/net/width.h"

#include "lib/base/vector.h"
#include "lib/policy/element.h"

#include <stdlib.h>

__extension__ typedef unsigned __int128 number;

#define WIDEST4 ((number)1 << (32 - 8))
#define WIDEST6 ((number)1 << (128 - 19))

static void add_range(struct width *width, const struct range *range)
{
	struct range *v = vector_grow(width->v, width->n, &width->room, sizeof(*v));
	if (!v) {
		width->failed = true;
		return;
	}
	width->v = v;
	width->v[width->n++] = *range;
}

void width_add(struct width *width, const struct policy_elem *elem)
{
	struct range range;

	switch (elem->kind) {
	case POLICY_ELEM_PREFIX:
		range = range_of(&elem->prefix);
		add_range(width, &range);
		break;
	case POLICY_ELEM_RANGE:
		add_range(width, &elem->range);
		break;
	case POLICY_ELEM_MAC:
	case POLICY_ELEM_MAIL:
	case POLICY_ELEM_HOST:
		break;
	}
}

void width_add_all(struct width *width, const struct policy_elems *elems)
{
	for (size_t i = 0; i < elems->n; i++)
		width_add(width, &elems->v[i]);
}

static int compare(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	if (x->first.family != y->first.family)
		return x->first.family < y->first.family ? -1 : 1;
	return addr_compare(&x->first, &y->first);
}

static number number_of(const struct addr *addr)
{
	number value = 0;

	for (unsigned i = 0; i < addr_bits(addr) / 8; i++)
		value = value << 8 | addr->bytes[i];
	return value;
}

/* Of one family, in order. What is too much alone is never added, so that no sum runs over. */
static bool is_more(const struct range *v, size_t n, number most)
{
	number sum = 0, behind = 0; /* what lies before it was counted */

	for (size_t i = 0; i < n; i++) {
		number first = number_of(&v[i].first), last = number_of(&v[i].last);
		if (i > 0 && first < behind)
			first = behind;
		if (i > 0 && last < behind)
			continue;
		if (last - first >= most)
			return true;
		sum += last - first + 1;
		if (sum > most)
			return true;
		behind = last + 1;
		if (behind == 0)
			break;
	}
	return false;
}

bool width_is_too_wide(struct width *width)
{
	size_t n4 = 0;

	if (width->failed)
		return true;
	if (width->n > 0)
		qsort(width->v, width->n, sizeof(*width->v), compare);
	while (n4 < width->n && width->v[n4].first.family == ADDR_IP4)
		n4++;
	return is_more(width->v, n4, WIDEST4) || is_more(width->v + n4, width->n - n4, WIDEST6);
}

void width_fini(struct width *width)
{
	free(width->v);
}
