/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "test/lib/portal_markup.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define DEPTH_MAX 32
#define NAMES_MAX 64
#define NAME_SIZE 32

struct reading {
	const char *at, *end;
	char open[DEPTH_MAX][NAME_SIZE];
	size_t depth, tags, headings;
	char ids[NAMES_MAX][NAME_SIZE], wanted[NAMES_MAX][NAME_SIZE];
	size_t nids, nwanted;
	bool labelled; /* the last input has an id or is hidden */
	char last[2];  /* the level of the last heading */
	char wrong[160];
};

static const char *const known[] = {"html", "head", "meta", "title", "link", "body", "header",
	"img", "p", "main", "section", "h1", "h2", "form", "input", "label", "button", "details",
	"summary", "div", "dl", "dt", "dd", "ul", "li", "a", "q", "bdi", "span", "footer"};
static const char *const empty[] = {"meta", "link", "img", "input"};
static const char *const attributes[] = {"lang", "dir", "charset", "name", "content", "rel", "href",
	"src", "alt", "id", "class", "role", "method", "action", "accept-charset", "type", "value",
	"required", "maxlength", "autocomplete", "autocapitalize", "autocorrect", "spellcheck",
	"aria-invalid", "aria-describedby", "for", "open"};

static bool is_one_of(const char *name, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}
#define ONE_OF(name, names) is_one_of(name, names, sizeof(names) / sizeof(*(names)))

static bool fail(struct reading *reading, const char *what, const char *name)
{
	snprintf(reading->wrong, sizeof(reading->wrong), "%s: %s, before \"%.40s\"", what, name,
		reading->at < reading->end ? reading->at : "its end");
	return false;
}

static bool word(struct reading *reading, char name[static NAME_SIZE])
{
	size_t n = 0;

	while (reading->at < reading->end && n + 1 < NAME_SIZE &&
		(islower((unsigned char)*reading->at) || isdigit((unsigned char)*reading->at) ||
			*reading->at == '-'))
		name[n++] = *reading->at++;
	name[n] = '\0';
	return n > 0 || fail(reading, "a name is missing", "");
}

static bool entity(struct reading *reading)
{
	static const char *const good[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"};

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		if ((size_t)(reading->end - reading->at) >= strlen(good[i]) &&
			memcmp(reading->at, good[i], strlen(good[i])) == 0) {
			reading->at += strlen(good[i]);
			return true;
		}
	return fail(reading, "no entity", "&");
}

/* Behind its first quote, to behind its last. */
static bool value(struct reading *reading, char text[static NAME_SIZE])
{
	size_t n = 0;

	while (reading->at < reading->end && *reading->at != '"') {
		if (strchr("<>'\n", *reading->at))
			return fail(reading, "in a value", "< > ' or an end of line");
		if (n + 1 < NAME_SIZE)
			text[n++] = *reading->at;
		if (*reading->at == '&' ? !entity(reading) : !reading->at++)
			return false;
	}
	text[n] = '\0';
	if (reading->at == reading->end)
		return fail(reading, "a value without end", text);
	reading->at++;
	return true;
}

static void keep(char names[static NAMES_MAX][NAME_SIZE], size_t *n, const char *name)
{
	if (*n < NAMES_MAX)
		snprintf(names[(*n)++], NAME_SIZE, "%s", name);
}

static bool attribute(struct reading *reading, const char *tag)
{
	char name[NAME_SIZE], text[NAME_SIZE] = "";

	if (!word(reading, name))
		return false;
	if (!ONE_OF(name, attributes))
		return fail(reading, "an attribute that is not expected", name);
	if (reading->at < reading->end && *reading->at == '=') {
		reading->at++;
		if (reading->at == reading->end || *reading->at++ != '"')
			return fail(reading, "a value without quotes", name);
		if (!value(reading, text))
			return false;
	}
	if ((strcmp(name, "href") == 0 || strcmp(name, "src") == 0 ||
		    strcmp(name, "action") == 0) &&
		(text[0] != '/' || text[1] == '/'))
		return fail(reading, "leads elsewhere", text);
	if (strcmp(name, "id") == 0) {
		for (size_t i = 0; i < reading->nids; i++)
			if (strcmp(reading->ids[i], text) == 0)
				return fail(reading, "an id twice", text);
		keep(reading->ids, &reading->nids, text);
	}
	if (strcmp(name, "for") == 0 || strcmp(name, "aria-describedby") == 0)
		keep(reading->wanted, &reading->nwanted, text);
	if (strcmp(tag, "input") == 0 && (strcmp(name, "id") == 0 || strcmp(text, "hidden") == 0))
		reading->labelled = true;
	return true;
}

static bool heading(struct reading *reading, const char *name)
{
	if (name[0] != 'h' || !isdigit((unsigned char)name[1]))
		return true;
	if (name[1] == '1' && reading->headings > 0)
		return fail(reading, "a second", name);
	if (name[1] != '1' && name[1] > reading->last[0] + 1)
		return fail(reading, "a level of headings is left out", name);
	reading->headings++;
	reading->last[0] = name[1];
	return true;
}

/* Behind "<". */
static bool tag(struct reading *reading)
{
	bool closing = reading->at < reading->end && *reading->at == '/';
	char name[NAME_SIZE];

	reading->at += closing ? 1 : 0;
	if (!word(reading, name))
		return false;
	if (!ONE_OF(name, known))
		return fail(reading, "a tag that is not expected", name);
	reading->tags++;
	reading->labelled = false;
	while (!closing && reading->at < reading->end && *reading->at == ' ') {
		reading->at++;
		if (!attribute(reading, name))
			return false;
	}
	if (reading->at == reading->end || *reading->at++ != '>')
		return fail(reading, "a tag without end", name);
	if (closing && (reading->depth == 0 || strcmp(reading->open[--reading->depth], name) != 0))
		return fail(reading, "closes what is not open", name);
	if (strcmp(name, "input") == 0 && !reading->labelled)
		return fail(reading, "nobody can label it", name);
	if (!closing && !ONE_OF(name, empty)) {
		if (reading->depth == DEPTH_MAX)
			return fail(reading, "too deep", name);
		snprintf(reading->open[reading->depth++], NAME_SIZE, "%s", name);
		return heading(reading, name);
	}
	return true;
}

static bool ends_well(struct reading *reading)
{
	if (reading->depth > 0)
		return fail(reading, "is not closed", reading->open[reading->depth - 1]);
	if (reading->headings == 0)
		return fail(reading, "is missing", "h1");
	for (size_t i = 0; i < reading->nwanted; i++) {
		bool found = false;
		for (size_t j = 0; j < reading->nids; j++)
			found = found || strcmp(reading->wanted[i], reading->ids[j]) == 0;
		if (!found)
			return fail(reading, "no such id", reading->wanted[i]);
	}
	return true;
}

static bool read_all(struct reading *reading, const char *html, size_t len)
{
	static const char doctype[] = "<!DOCTYPE html>\n";

	*reading = (struct reading){.at = html, .end = html + len, .last = "0"};
	if (len < sizeof(doctype) - 1 || memcmp(html, doctype, sizeof(doctype) - 1) != 0)
		return fail(reading, "is missing", "its type");
	reading->at += sizeof(doctype) - 1;
	while (reading->at < reading->end) {
		char c = *reading->at;
		if (c == '>' || c == '"' || c == '\'' || (iscntrl((unsigned char)c) && c != '\n'))
			return fail(reading, "stands in a text", "a character of HTML");
		if (c == '&' ? !entity(reading) : !(reading->at++, c != '<' || tag(reading)))
			return false;
	}
	return ends_well(reading);
}

const char *portal_markup_wrong(const char *html, size_t len)
{
	static struct reading reading;
	return read_all(&reading, html, len) ? NULL : reading.wrong;
}

size_t portal_markup_tags(const char *html, size_t len)
{
	struct reading reading;
	return read_all(&reading, html, len) ? reading.tags : 0;
}
