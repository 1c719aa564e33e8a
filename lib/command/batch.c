/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/command/batch.h"

#include <stdbool.h>
#include <string.h>

char *batch_line(char **text)
{
	char *line = *text, *end = line ? strchr(line, '\n') : NULL;
	if (!line || !*line)
		return NULL;
	*text = end ? end + 1 : NULL;
	if (end)
		*end = '\0';
	return line;
}

int batch_words(char *line, const char **words, size_t room)
{
	size_t n = 0;
	char *in = line, *out = line;
	for (;;) {
		while (*in == ' ' || *in == '\t' || *in == '\r')
			in++;
		if (!*in || *in == '#')
			return (int)n;
		if (n == room)
			return -1;
		words[n++] = out;
		char quote = '\0';
		bool more = true;
		for (; *in && (quote || !strchr(" \t\r", *in)); in++) {
			if (quote ? *in == quote : (*in == '"' || *in == '\''))
				quote = quote ? '\0' : *in;
			else if (*in == '\\' && in[1] && quote != '\'')
				*out++ = *++in;
			else
				*out++ = *in;
		}
		if (quote)
			return -1;
		more = *in != '\0';
		*out++ = '\0';
		if (!more)
			return (int)n;
		in++;
	}
}
