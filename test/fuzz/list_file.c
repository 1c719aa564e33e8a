/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A list file or import of each kind: elements that come back from their text and from the store's
 * bytes as they are, and the places of those that are none. */
#include "lib/language/language.h"
#include "lib/policy/element.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void same(const struct policy_elem *elem)
{
	char text[ELEMENT_TEXT_SIZE], other[ELEMENT_TEXT_SIZE];
	uint8_t bytes[ELEMENT_BYTES_MAX];
	struct policy_elem again, stored;

	element_format(elem, text);
	if (element_parse(element_holds(elem), text, strlen(text), &again) ||
		element_compare(elem, &again) != 0 ||
		strcmp(element_format(&again, other), text) != 0)
		abort();
	if (!element_decode(bytes, element_encode(elem, bytes), &stored) ||
		element_compare(elem, &stored) != 0 ||
		strcmp(element_format(&stored, other), text) != 0)
		abort();
}

/* The networks of a range follow one another without a gap. */
static void whole(const struct policy_elem *elem)
{
	struct prefix parts[RANGE_PARTS_MAX];
	unsigned n = element_parts(elem, parts);

	for (unsigned i = 0; i < n; i++) {
		struct range part = range_of(&parts[i]);
		if (!prefix_is_good(&parts[i]))
			abort();
		if (elem->kind == POLICY_ELEM_RANGE &&
			((i == 0 && !addr_equal(&part.first, &elem->range.first)) ||
				(i + 1 == n && !addr_equal(&part.last, &elem->range.last))))
			abort();
	}
}

static void look_at(const struct language_bad *bad)
{
	char line[LANGUAGE_BAD_SIZE];

	if (!bad->line || !bad->column || !bad->expected)
		abort();
	language_format_bad("x.list", bad, line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = size ? (const char *)data : "";
	struct policy_elem stored;

	for (unsigned holds = 0; holds < POLICY_HOLDS; holds++) {
		struct language_listing listing;
		int error =
			language_parse_list((enum policy_list_holds)holds, text, size, &listing);
		if ((error != 0) != (listing.nbad > 0))
			abort();
		for (size_t i = 0; i < listing.nbad && i < LANGUAGE_BAD_MAX; i++)
			look_at(&listing.bad[i]);
		for (size_t i = 0; i < listing.n; i++) {
			same(&listing.elems[i]);
			whole(&listing.elems[i]);
		}
		language_listing_fini(&listing);
	}
	if (size < 400 && element_decode(data, (int)size, &stored))
		same(&stored);
	return 0;
}
