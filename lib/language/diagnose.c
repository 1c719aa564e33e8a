/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/base/text.h"
#include "lib/language/parse.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN_COLUMNS 160 /* of a source line */

static int order(const void *a, const void *b)
{
	const struct language_message *x = a, *y = b;

	if (x->place.file != y->place.file)
		return x->place.file < y->place.file ? -1 : 1;
	if (x->place.line != y->place.line)
		return x->place.line < y->place.line ? -1 : 1;
	if (x->place.column != y->place.column)
		return x->place.column < y->place.column ? -1 : 1;
	return x->text < y->text ? -1 : x->text > y->text;
}

void language_diagnosis_sort(struct language_diagnosis *diagnosis)
{
	if (diagnosis->n > 1)
		qsort(diagnosis->v, diagnosis->n, sizeof(*diagnosis->v), order);
}

/* Of a message of ours, "FILE:LINE:COLUMN: error: WHAT, expected THAT" and a hint that asks
 * `did you mean "NEAR"?`, the parts for who cannot read. NULL: it has none. */
static const char *cut(struct arena *arena, const char *text, const char *before, const char *end)
{
	const char *at = strstr(text, before);
	if (!at || (*end == '\n' && memchr(text, '\n', (size_t)(at - text))))
		return NULL; /* in the source line that is quoted */
	at += strlen(before);
	return arena_copy(arena, at, strcspn(at, end));
}

int language_diagnosis_add(struct language_diagnosis *diagnosis, enum language_severity severity,
	const struct policy_place *place, const char *file, const char *text)
{
	bool error = severity == LANGUAGE_ERROR;
	size_t most = error ? LANGUAGE_ERRORS_MAX : LANGUAGE_WARNINGS_MAX;

	if (error ? diagnosis->errors++ >= most : diagnosis->warnings++ >= most)
		return 0;
	if (!diagnosis->arena)
		diagnosis->arena = arena_new();
	if (!diagnosis->arena)
		return -ENOMEM;
	if (!diagnosis->v)
		diagnosis->v = arena_alloc(diagnosis->arena,
			(LANGUAGE_ERRORS_MAX + LANGUAGE_WARNINGS_MAX) * sizeof(*diagnosis->v));
	text = arena_copy(diagnosis->arena, text, strlen(text));
	if (!diagnosis->v || !text)
		return -ENOMEM;
	struct language_message *message = &diagnosis->v[diagnosis->n++];
	message->severity = severity;
	message->text = text;
	message->file = file ? arena_copy(diagnosis->arena, file, strlen(file)) : NULL;
	message->expected = cut(diagnosis->arena, text, ", expected ", "\n");
	message->near = cut(diagnosis->arena, text, "did you mean \"", "\"");
	if (place)
		message->place = *place;
	return 0;
}

void language_diagnosis_fini(struct language_diagnosis *diagnosis)
{
	arena_free(diagnosis->arena);
	*diagnosis = (struct language_diagnosis){0};
}

const char *language_first_error(const struct language_diagnosis *diagnosis)
{
	for (size_t i = 0; i < diagnosis->n; i++)
		if (diagnosis->v[i].severity == LANGUAGE_ERROR)
			return diagnosis->v[i].text;
	return "out of memory";
}

void language_out_of_memory(struct language *l)
{
	if (l->out_of_memory)
		return;
	l->out_of_memory = true;
	if (language_diagnosis_add(
		    l->diagnosis, LANGUAGE_ERROR, NULL, NULL, "error: out of memory") < 0)
		l->diagnosis->errors = 1;
}

/* Copies a character as far as it may be shown; returns how many bytes of text it took. */
static size_t show(const char *text, size_t len, char *out, size_t *n)
{
	size_t taken = text_character(text, len);

	if (taken == 0) {
		out[(*n)++] = '?';
		return 1;
	}
	memcpy(out + *n, text, taken);
	*n += taken;
	return taken;
}

const char *language_quote(const char *text, size_t len, char buf[static LANGUAGE_QUOTE_SIZE])
{
	size_t n = 0, i = 0;

	while (i < len && n < LANGUAGE_QUOTE_SIZE - 12)
		i += show(text + i, len - i, buf, &n);
	strcpy(buf + n, i < len ? "..." : "");
	return buf;
}

/* Finds where the lines of a source begin, once. */
static bool index_lines(struct language_source *source)
{
	size_t n = 1;

	if (source->lines)
		return true;
	for (size_t i = 0; i < source->len; i++)
		n += source->text[i] == '\n';
	source->lines = calloc(n, sizeof(*source->lines));
	if (!source->lines)
		return false;
	source->lines[0] = (uint32_t)language_mark(source->text, source->len);
	source->nlines = 1;
	for (size_t i = 0; i < source->len; i++) {
		if (source->text[i] == '\n')
			source->lines[source->nlines++] = (uint32_t)i + 1;
	}
	return true;
}

/* The source line and a caret under the span. A long line is shown around the span only. */
static size_t quote_line(struct language *l, const struct language_span *span, char *out)
{
	struct language_source *source = language_source_at(l, span->place.file);
	if (!index_lines(source) || span->place.line == 0 || span->place.line > source->nlines)
		return 0;
	const char *line = source->text + source->lines[span->place.line - 1];
	size_t len = source->len - source->lines[span->place.line - 1];
	const char *newline = memchr(line, '\n', len);
	if (newline)
		len = (size_t)(newline - line);
	if (len > 0 && line[len - 1] == '\r')
		len--;

	uint32_t first = span->place.column > SHOWN_COLUMNS - 40 ? span->place.column - 60 : 1;
	size_t i = 0, n = 0;
	for (uint32_t column = 1; column < first && i < len; column++) {
		for (i++; i < len && ((unsigned char)line[i] & 0xc0) == 0x80;)
			i++;
	}
	char caret[SHOWN_COLUMNS + 80];
	size_t carets = 0;
	uint32_t column = first;
	while (i < len && column < first + SHOWN_COLUMNS) {
		if (column < span->place.column)
			caret[carets++] = line[i] == '\t' ? '\t' : ' ';
		if (line[i] == '\t') {
			out[n++] = '\t';
			i++;
		} else {
			i += show(line + i, len - i, out, &n);
		}
		column++;
	}
	while (carets + first < span->place.column && carets < SHOWN_COLUMNS)
		caret[carets++] = ' ';
	caret[carets++] = '^';
	for (uint32_t j = 1; j < span->width && span->place.column + j < column; j++)
		caret[carets++] = '~';
	out[n++] = '\n';
	memcpy(out + n, caret, carets);
	return n + carets;
}

void language_say(struct language *l, enum language_severity severity,
	const struct language_span *span, const char *hint, const char *format, ...)
{
	static const char *const severities[] = {[LANGUAGE_WARNING] = "warning",
		[LANGUAGE_FAULT] = "error",
		[LANGUAGE_ERROR] = "error"};
	char text[4096];
	size_t n = 0;
	va_list arguments;

	if (severity == LANGUAGE_ERROR && l->diagnosis->errors + 1 >= LANGUAGE_ERRORS_MAX)
		l->stopped = true;
	if (severity != LANGUAGE_ERROR && l->diagnosis->warnings >= LANGUAGE_WARNINGS_MAX) {
		l->diagnosis->warnings++;
		return;
	}
	const char *file =
		l->sources.n > 0 ? language_source_at(l, span->place.file)->name : "policy";
	if (span->place.line > 0)
		n = (size_t)snprintf(text, 600, "%.500s:%u:%u: %s: ", file, span->place.line,
			span->place.column, severities[severity]);
	else
		n = (size_t)snprintf(text, 600, "%.500s: %s: ", file, severities[severity]);
	va_start(arguments, format);
	int more = vsnprintf(text + n, 1500, format, arguments);
	va_end(arguments);
	n += more < 0 ? 0 : more < 1500 ? (size_t)more : 1499;
	if (span->place.line > 0 && span->width > 0) {
		text[n] = '\n';
		size_t quoted = quote_line(l, span, text + n + 1);
		n += quoted ? quoted + 1 : 0;
	}
	text[n] = '\0';
	if (hint)
		snprintf(text + n, sizeof(text) - n, "\n%s", hint);
	if (language_diagnosis_add(l->diagnosis, severity, &span->place, file, text) < 0)
		language_out_of_memory(l);
}
