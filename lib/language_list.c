#include "lib/language_parse.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool is_delimiter(char c)
{
	return c == ',' || c == ';' || c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* The column of a place in a line, in characters, from 1. */
static unsigned column_of(const char *line, const char *at)
{
	unsigned column = 1;

	for (; line < at; line++)
		column += ((unsigned char)*line & 0xc0) != 0x80;
	return column;
}

static bool parse_word(const char *word, size_t len, struct policy_elem *elem)
{
	char text[PREFIX_TEXT_SIZE];

	if (len >= sizeof(text) || memchr(word, '\0', len))
		return false;
	memcpy(text, word, len);
	text[len] = '\0';
	return language_parse_elem(text, elem) == 0;
}

int language_parse_list(const char *text, size_t len, struct policy_elem **elems, size_t *n,
	unsigned *line, unsigned *column, char **word)
{
	const char *end = text + len, *begin = text;
	struct policy_elem *v = NULL;
	size_t used = 0, room = 0;

	*elems = NULL;
	*n = 0;
	*line = 1;
	*column = 1;
	*word = NULL;
	for (const char *at = text; at < end;) {
		if (*at == '\n') {
			begin = at + 1;
			++*line;
		}
		if (is_delimiter(*at)) {
			at++;
			continue;
		}
		const char *from = at;
		if (*at == '#') {
			while (at < end && *at != '\n')
				at++;
			continue;
		}
		while (at < end && !is_delimiter(*at) && *at != '#')
			at++;
		if (used == room) {
			room = room ? room * 2 : 64;
			struct policy_elem *more = realloc(v, room * sizeof(*v));
			if (!more) {
				free(v);
				return -ENOMEM;
			}
			v = more;
		}
		if (!parse_word(from, (size_t)(at - from), &v[used])) {
			free(v);
			*column = column_of(begin, from);
			*word = strndup(from, (size_t)(at - from));
			return -EINVAL;
		}
		used++;
	}
	*elems = v;
	*n = used;
	return 0;
}
