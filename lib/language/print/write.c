/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/language/print/write.h"

#include "lib/policy/element.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void language_write(struct language_writer *w, const char *text, size_t len)
{
	if (w->failed)
		return;
	if (w->room - w->len <= len) {
		size_t room = w->room ? w->room : 256;
		while (room - w->len <= len)
			room *= 2;
		char *more = realloc(w->text, room);
		if (!more) {
			w->failed = true;
			return;
		}
		w->text = more;
		w->room = room;
	}
	memcpy(w->text + w->len, text, len);
	w->len += len;
	w->text[w->len] = '\0';
}

void language_writef(struct language_writer *w, const char *format, ...)
{
	char text[512];
	va_list arguments;

	va_start(arguments, format);
	int n = vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (n < 0 || (size_t)n >= sizeof(text))
		w->failed = true;
	else
		language_write(w, text, (size_t)n);
}

char *language_write_end(struct language_writer *w, size_t *len)
{
	language_write(w, "", 0);
	if (w->failed) {
		free(w->text);
		w->text = NULL;
	}
	if (len)
		*len = w->text ? w->len : 0;
	return w->text;
}

void language_put(struct language_writer *w, const char *text)
{
	language_write(w, text, strlen(text));
}

void language_put_string(struct language_writer *w, const struct policy_string *string)
{
	language_put(w, "\"");
	for (uint32_t i = 0; i < string->len; i++) {
		if (string->text[i] == '"' || string->text[i] == '\\')
			language_put(w, "\\");
		language_write(w, string->text + i, 1);
	}
	language_put(w, "\"");
}

void language_put_strings(
	struct language_writer *w, const char *word, const struct policy_strings *strings)
{
	for (size_t i = 0; i < strings->n; i++) {
		language_put(w, i == 0 ? word : ", ");
		language_put_string(w, &strings->v[i]);
	}
}

void language_put_names(
	struct language_writer *w, const char *word, const struct policy_strings *names, bool more)
{
	for (size_t i = 0; i < names->n; i++) {
		language_put(w, i == 0 && !more ? word : ", ");
		language_put(w, names->v[i].text);
	}
}

void language_put_prefixes(
	struct language_writer *w, const char *word, const struct policy_prefixes *prefixes)
{
	char text[PREFIX_TEXT_SIZE];

	for (size_t i = 0; i < prefixes->n; i++) {
		language_put(w, i == 0 ? word : ", ");
		language_put(w, prefix_format(&prefixes->v[i], text));
	}
}

void language_put_ports(
	struct language_writer *w, const char *word, const struct policy_ports *ports)
{
	for (size_t i = 0; i < ports->n; i++)
		language_writef(w, "%s%u", i == 0 ? word : ", ", ports->v[i]);
}

void language_put_duration(struct language_writer *w, const char *word, uint64_t ms)
{
	char text[32];

	language_writef(w, "%s%s", word, language_format_duration(ms, text));
}

void language_put_act(struct language_writer *w, const struct policy_act *act, bool full)
{
	language_put(w, policy_verdict_names[act->verdict]);
	if (act->verdict != POLICY_VERDICT_ANSWER)
		return;
	if (act->code_given || full)
		language_writef(w, " %u", act->code);
	language_put(w, " ");
	language_put_string(w, &act->text);
}

void language_put_elem(struct language_writer *w, const struct policy_elem *elem)
{
	char text[ELEMENT_TEXT_SIZE];
	size_t len = element_text_len(elem);

	if (len == 0) {
		language_put(w, element_format(elem, text));
		return;
	}
	language_put(w, "\"");
	language_write(w, elem->text, len);
	language_put(w, "\"");
}
