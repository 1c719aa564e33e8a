/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/base/fields.h"

#include <string.h>

bool fields_line(struct fields *text, struct fields *line)
{
	size_t len = (size_t)(text->end - text->at);
	const char *end = len ? memchr(text->at, '\n', len) : NULL;

	if (!end)
		return false;
	*line = (struct fields){text->at, end};
	text->at = end + 1;
	return true;
}

/* The blank behind a field, unless the line ends with it. */
static bool step(struct fields *line, const char *end)
{
	if (end < line->end && *end != ' ')
		return false;
	line->at = end < line->end ? end + 1 : end;
	return true;
}

bool fields_number(struct fields *line, uint64_t most, uint64_t *number)
{
	const char *at = line->at;
	uint64_t value = 0;

	for (; at < line->end && *at >= '0' && *at <= '9'; at++) {
		unsigned digit = (unsigned)(*at - '0');
		if (digit > most || value > (most - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	if (at == line->at || !step(line, at))
		return false;
	*number = value;
	return true;
}

bool fields_word(struct fields *line, char *word, size_t size)
{
	size_t left = (size_t)(line->end - line->at);
	const char *blank = left ? memchr(line->at, ' ', left) : NULL;
	size_t len = (size_t)((blank ? blank : line->end) - line->at);

	if (!len || len >= size || memchr(line->at, '\0', len))
		return false;
	memcpy(word, line->at, len);
	word[len] = '\0';
	return step(line, line->at + len);
}

bool fields_rest(struct fields *line, char *text, size_t size)
{
	size_t len = (size_t)(line->end - line->at);

	if (len >= size || (len && memchr(line->at, '\0', len)))
		return false;
	if (len)
		memcpy(text, line->at, len);
	text[len] = '\0';
	line->at = line->end;
	return true;
}

bool fields_over(const struct fields *line)
{
	return line->at == line->end;
}
