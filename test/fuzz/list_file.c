/* A list file or import: elements, or the place of the first that is none. */
#include "lib/language.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void same(const struct policy_elem *elem)
{
	char text[PREFIX_TEXT_SIZE];
	struct policy_elem again;

	language_format_elem(elem, text);
	if (language_parse_elem(text, &again) < 0 || again.kind != elem->kind)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct policy_elem *elems = NULL;
	unsigned line = 0, column = 0;
	char *word = NULL;
	size_t n = 0;

	if (language_parse_list((const char *)data, size, &elems, &n, &line, &column, &word) < 0) {
		if (!line || !column)
			abort();
		free(word);
		return 0;
	}
	for (size_t i = 0; i < n; i++)
		same(&elems[i]);
	free(elems);
	return 0;
}
