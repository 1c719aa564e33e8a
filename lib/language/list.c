/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/language/parse.h"

#include "lib/base/vector.h"
#include "lib/policy/element.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Stands where words are read from: list files come out of editors, spreadsheets and scripts. */
struct reader {
	const char *at, *end, *begin; /* begin: of the line */
	unsigned line;
};

struct word {
	const char *text;
	size_t len;
	unsigned line, column;
	const char *wrong; /* what was expected of the word itself; NULL: it is whole */
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static bool is_delimiter(char c)
{
	return c == ',' || c == ';' || c == '\n' || is_blank(c);
}

/* The column of a place in a line, in characters, from 1. */
static unsigned column_of(const char *line, const char *at)
{
	unsigned column = 1;

	for (; line < at; line++)
		column += ((unsigned char)*line & 0xc0) != 0x80;
	return column;
}

/* To the next word, over delimiters and comments. false: the end. */
static bool skip(struct reader *r)
{
	bool comment = false;

	for (; r->at < r->end; r->at++) {
		if (!comment && !is_delimiter(*r->at) && *r->at != '#')
			return true;
		comment = (comment || *r->at == '#') && *r->at != '\n';
		if (*r->at == '\n') {
			r->begin = r->at + 1;
			r->line++;
		}
	}
	return false;
}

static void trim(struct word *word)
{
	while (word->len > 0 && is_blank(word->text[0])) {
		word->text++;
		word->len--;
	}
	while (word->len > 0 && is_blank(word->text[word->len - 1]))
		word->len--;
}

/* A field in quotes is one word, without the blanks at its ends. */
static void read_quoted(struct reader *r, struct word *word)
{
	const char *newline = memchr(r->at, '\n', (size_t)(r->end - r->at));
	const char *line_end = newline ? newline : r->end;
	const char *close = memchr(r->at + 1, '"', (size_t)(line_end - r->at - 1));
	const char *behind = close ? close + 1 : line_end;

	if (!close)
		word->wrong = "a quote before the end of the line";
	else if (behind < r->end && !is_delimiter(*behind) && *behind != '#')
		word->wrong = "a delimiter behind the quote";
	while (close && behind < r->end && !is_delimiter(*behind) && *behind != '#')
		behind++;
	word->text = r->at + !word->wrong;
	word->len = (size_t)((word->wrong ? behind : close) - word->text);
	trim(word);
	r->at = behind;
}

/* The next word; one of no length is an empty field. false: the end. */
static bool next_word(struct reader *r, struct word *word)
{
	if (!skip(r))
		return false;
	*word = (struct word){.text = r->at, .line = r->line, .column = column_of(r->begin, r->at)};
	if (*r->at == '"') {
		read_quoted(r, word);
		return true;
	}
	while (r->at < r->end && !is_delimiter(*r->at) && *r->at != '#')
		r->at++;
	word->len = (size_t)(r->at - word->text);
	return true;
}

/* Of letters, digits and what joins them, and never hexadecimal alone: no mistyped element looks
 * like this. */
static bool is_heading(const struct word *word)
{
	bool beyond_hex = false;

	if (word->wrong)
		return false;
	for (size_t i = 0; i < word->len; i++) {
		char c = word->text[i], low = (char)(c | 0x20);
		bool letter = low >= 'a' && low <= 'z';
		beyond_hex = beyond_hex || (letter && low > 'f');
		if (!letter && (i == 0 ? c != '(' : !strchr("0123456789_-() ", c)))
			return false;
	}
	return beyond_hex || word->len == 0;
}

/* Is all of the first line with words in it a heading, as spreadsheets write one? Then it is read
 * over. Returns its number, 0: none. */
static unsigned skip_heading(struct reader *r)
{
	struct reader ahead = *r, behind = *r;
	struct word word;
	unsigned line = 0;
	bool any = false;

	while (next_word(&ahead, &word) && (!line || word.line == line)) {
		if (!is_heading(&word))
			return 0;
		line = word.line;
		any = any || word.len > 0;
		behind = ahead;
	}
	*r = behind;
	return any ? line : 0;
}

static void note_bad(
	struct language_listing *listing, const struct word *word, const char *expected)
{
	if (listing->nbad++ >= LANGUAGE_BAD_MAX)
		return;
	listing->bad[listing->nbad - 1] = (struct language_bad){.line = word->line,
		.column = word->column,
		.word = word->text,
		.len = word->len,
		.expected = expected};
}

static void note_good(struct language_listing *listing, const struct word *word)
{
	const struct policy_elem *elem = &listing->elems[listing->n++];
	struct prefix prefix;

	if (elem->kind != POLICY_ELEM_PREFIX ||
		prefix_parse(word->text, word->len, &prefix) != -EDOM || listing->nwide++)
		return;
	listing->wide = (struct language_bad){
		.line = word->line, .column = word->column, .word = word->text, .len = word->len};
}

static bool add_word(
	struct language_listing *listing, enum policy_list_holds holds, const struct word *word)
{
	struct policy_elem *more =
		vector_grow(listing->elems, listing->n, &listing->room, sizeof(*more));
	if (!more)
		return false;
	listing->elems = more;
	const char *expected = word->wrong ? word->wrong
					   : element_parse(holds, word->text, word->len,
						     &listing->elems[listing->n]);
	if (expected)
		note_bad(listing, word, expected);
	else
		note_good(listing, word);
	return true;
}

size_t language_mark(const char *text, size_t len)
{
	return len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
}

static bool begins(const struct reader *r, const char *mark)
{
	size_t len = strlen(mark);

	return (size_t)(r->end - r->at) >= len && memcmp(r->at, mark, len) == 0;
}

static int read_words(
	struct reader *r, enum policy_list_holds holds, struct language_listing *listing)
{
	struct word word;

	while (next_word(r, &word)) {
		if (word.len == 0 && !word.wrong)
			continue;
		if (!add_word(listing, holds, &word))
			return -ENOMEM;
	}
	return listing->nbad ? -EINVAL : 0;
}

int language_parse_list(enum policy_list_holds holds, const char *text, size_t len,
	struct language_listing *listing)
{
	struct reader r = {.at = text, .end = text + len, .begin = text, .line = 1};

	*listing = (struct language_listing){0};
	if (begins(&r, "\xff\xfe") || begins(&r, "\xfe\xff")) {
		const struct word word = {.text = "UTF-16", .len = 6, .line = 1, .column = 1};
		note_bad(listing, &word, "text in UTF-8");
		return -EINVAL;
	}
	r.begin = r.at += language_mark(text, len);
	struct reader from = r;
	listing->heading = skip_heading(&r);
	int error = read_words(&r, holds, listing);
	if (error == 0 && listing->heading && listing->n == 0) { /* of nothing: it is none */
		listing->heading = 0;
		error = read_words(&from, holds, listing);
	}
	return error;
}

void language_listing_fini(struct language_listing *listing)
{
	free(listing->elems);
	listing->elems = NULL;
	listing->n = listing->room = 0;
}

const char *language_format_bad(
	const char *file, const struct language_bad *bad, char buf[static LANGUAGE_BAD_SIZE])
{
	snprintf(buf, LANGUAGE_BAD_SIZE,
		"%.300s:%u:%u: error: \"%.*s\" is no entry of this list, expected %s", file,
		bad->line, bad->column, bad->len < 90 ? (int)bad->len : 90, bad->word,
		bad->expected);
	return buf;
}
