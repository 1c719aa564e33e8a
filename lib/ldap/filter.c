/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/ldap/filter.h"

#include "lib/base/text.h"

#include <string.h>

enum {
	FILTER_AND = 0xa0,
	FILTER_OR = 0xa1,
	FILTER_NOT = 0xa2,
	FILTER_EQUAL = 0xa3,
	FILTER_SUBSTRINGS = 0xa4,
	FILTER_GREATER = 0xa5,
	FILTER_LESS = 0xa6,
	FILTER_PRESENT = 0x87,
	FILTER_APPROX = 0xa8,
	FILTER_EXTENSIBLE = 0xa9,

	SUBSTRING_INITIAL = 0x80,
	SUBSTRING_ANY = 0x81,
	SUBSTRING_FINAL = 0x82,

	MATCHING_RULE = 0x81,
	MATCHING_TYPE = 0x82,
	MATCHING_VALUE = 0x83,
	MATCHING_DN = 0x84,

	VALUE_MAX = 1024, /* bytes of one value: a name has at most 255, a DN is not much longer */
};

struct parser {
	const char *text;
	size_t at;
	const char *user;
	struct ber_writer *writer;
	const char *expected; /* what was expected where it went wrong, the first time */
};

static bool fail(struct parser *parser, const char *expected)
{
	if (!parser->expected)
		parser->expected = expected;
	return false;
}

static char peek(const struct parser *parser)
{
	return parser->text[parser->at];
}

static bool take(struct parser *parser, char c)
{
	if (peek(parser) != c)
		return false;
	parser->at++;
	return true;
}

static bool add(struct parser *parser, uint8_t value[static VALUE_MAX], size_t *len,
	const void *bytes, size_t n)
{
	if (n > VALUE_MAX - *len)
		return fail(parser, "a shorter value");
	memcpy(value + *len, bytes, n);
	*len += n;
	return true;
}

/* One byte of a value, an escape, or the user's name. */
static bool parse_byte(struct parser *parser, uint8_t value[static VALUE_MAX], size_t *len)
{
	char c = parser->text[parser->at];

	if (c == '\\') {
		int high = text_hex_digit(parser->text[parser->at + 1]);
		int low = high < 0 ? -1 : text_hex_digit(parser->text[parser->at + 2]);
		if (low < 0)
			return fail(parser, "two hexadecimal digits behind \\");
		const uint8_t byte = (uint8_t)(high << 4 | low);
		parser->at += 3;
		return add(parser, value, len, &byte, 1);
	}
	if (c != '%') {
		parser->at++;
		return add(parser, value, len, &c, 1);
	}
	char next = parser->text[parser->at + 1];
	if (next != 'u' && next != '%')
		return fail(parser, "%u or %%");
	parser->at += 2;
	return next == 'u' ? add(parser, value, len, parser->user, strlen(parser->user))
			   : add(parser, value, len, "%", 1);
}

/* Up to `)` or `*`. */
static bool parse_value(struct parser *parser, uint8_t value[static VALUE_MAX], size_t *len)
{
	*len = 0;
	for (char c; (c = peek(parser)) != '\0' && c != ')' && c != '*';) {
		if (c == '(')
			return fail(parser, "\\28 for a parenthesis inside a value");
		if (!parse_byte(parser, value, len))
			return false;
	}
	return true;
}

static bool is_attribute_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '.' || c == ';';
}

static struct ber_slice parse_attribute(struct parser *parser)
{
	const uint8_t *bytes = (const uint8_t *)parser->text + parser->at;
	size_t begun = parser->at;

	while (is_attribute_byte(peek(parser)))
		parser->at++;
	return (struct ber_slice){.bytes = bytes, .len = parser->at - begun};
}

/* `**` has nothing between: no part. */
static size_t put_part(struct ber_writer *writer, uint8_t tag, const uint8_t *value, size_t len)
{
	if (len == 0)
		return 0;
	ber_put(writer, tag, value, len);
	return 1;
}

/* `attribute=` is before us, the value begins. With a `*` it is a question of presence or parts. */
static bool parse_equal(struct parser *parser, struct ber_slice attribute)
{
	uint8_t value[VALUE_MAX];
	struct ber_writer *writer = parser->writer;
	size_t len, n;

	if (parser->text[parser->at] == '*' && parser->text[parser->at + 1] == ')') {
		parser->at++;
		ber_put(writer, FILTER_PRESENT, attribute.bytes, attribute.len);
		return true;
	}
	if (!parse_value(parser, value, &len))
		return false;
	bool parts = peek(parser) == '*';
	size_t begun = ber_begin(writer, parts ? FILTER_SUBSTRINGS : FILTER_EQUAL);
	ber_put(writer, BER_OCTETS, attribute.bytes, attribute.len);
	if (!parts) {
		ber_put(writer, BER_OCTETS, value, len);
		ber_end(writer, begun);
		return true;
	}
	size_t list = ber_begin(writer, BER_SEQUENCE);
	n = put_part(writer, SUBSTRING_INITIAL, value, len);
	while (take(parser, '*')) {
		if (!parse_value(parser, value, &len))
			return false;
		n += put_part(
			writer, peek(parser) == '*' ? SUBSTRING_ANY : SUBSTRING_FINAL, value, len);
	}
	if (n == 0)
		return fail(parser, "* alone, or text beside it");
	ber_end(writer, list);
	ber_end(writer, begun);
	return true;
}

static bool parse_assertion(struct parser *parser, uint8_t tag, struct ber_slice attribute)
{
	uint8_t value[VALUE_MAX];
	size_t len;

	if (!parse_value(parser, value, &len))
		return false;
	size_t begun = ber_begin(parser->writer, tag);
	ber_put(parser->writer, BER_OCTETS, attribute.bytes, attribute.len);
	ber_put(parser->writer, BER_OCTETS, value, len);
	ber_end(parser->writer, begun);
	return true;
}

/* attribute[:dn][:rule]:=value, of which attribute or rule may be missing. */
static bool parse_extensible(struct parser *parser, struct ber_slice attribute)
{
	uint8_t value[VALUE_MAX];
	struct ber_slice rule = {0};
	bool dn = strncmp(parser->text + parser->at, ":dn:", 4) == 0;
	size_t len;

	if (dn)
		parser->at += 3;
	take(parser, ':');
	rule = parse_attribute(parser);
	if (rule.len > 0 && !take(parser, ':'))
		return fail(parser, ":= behind the matching rule");
	if (!take(parser, '='))
		return fail(parser, ":= or a matching rule");
	if (rule.len == 0 && attribute.len == 0)
		return fail(parser, "an attribute or a matching rule");
	if (!parse_value(parser, value, &len))
		return false;
	size_t begun = ber_begin(parser->writer, FILTER_EXTENSIBLE);
	if (rule.len > 0)
		ber_put(parser->writer, MATCHING_RULE, rule.bytes, rule.len);
	if (attribute.len > 0)
		ber_put(parser->writer, MATCHING_TYPE, attribute.bytes, attribute.len);
	ber_put(parser->writer, MATCHING_VALUE, value, len);
	if (dn)
		ber_put_boolean(parser->writer, MATCHING_DN, true);
	ber_end(parser->writer, begun);
	return true;
}

static bool parse_item(struct parser *parser)
{
	static const struct {
		const char *word;
		uint8_t tag;
	} compares[] = {{">=", FILTER_GREATER}, {"<=", FILTER_LESS}, {"~=", FILTER_APPROX}};
	struct ber_slice attribute = parse_attribute(parser);

	if (peek(parser) == ':')
		return parse_extensible(parser, attribute);
	if (attribute.len == 0)
		return fail(parser, "an attribute, &, | or !");
	if (take(parser, '='))
		return parse_equal(parser, attribute);
	for (size_t i = 0; i < sizeof(compares) / sizeof(compares[0]); i++)
		if (strncmp(parser->text + parser->at, compares[i].word, 2) == 0) {
			parser->at += 2;
			return parse_assertion(parser, compares[i].tag, attribute);
		}
	return fail(parser, "=, >=, <=, ~= or :=");
}

static bool parse_filter(struct parser *parser, unsigned depth);

static bool parse_set(struct parser *parser, uint8_t tag, unsigned depth)
{
	size_t begun = ber_begin(parser->writer, tag);

	do {
		if (!parse_filter(parser, depth + 1))
			return false;
	} while (tag != FILTER_NOT && peek(parser) == '(');
	ber_end(parser->writer, begun);
	return true;
}

static bool parse_filter(struct parser *parser, unsigned depth)
{
	bool good;

	if (depth >= LDAP_FILTER_DEPTH_MAX)
		return fail(parser, "fewer parentheses inside each other");
	if (!take(parser, '('))
		return fail(parser, "(");
	if (take(parser, '&'))
		good = parse_set(parser, FILTER_AND, depth);
	else if (take(parser, '|'))
		good = parse_set(parser, FILTER_OR, depth);
	else if (take(parser, '!'))
		good = parse_set(parser, FILTER_NOT, depth);
	else
		good = parse_item(parser);
	if (good && !take(parser, ')'))
		return fail(parser, ")");
	return good;
}

static bool parse_whole(struct parser *parser)
{
	if (!parse_filter(parser, 0))
		return false;
	return !peek(parser) || fail(parser, "nothing behind the last parenthesis");
}

bool ldap_filter_check(const char *text, struct ldap_filter_error *error)
{
	/* a writer that is full takes all and keeps nothing */
	struct ber_writer nowhere = {.full = true};
	struct parser parser = {.text = text, .user = "u", .writer = &nowhere};
	bool good = parse_whole(&parser);

	*error = (struct ldap_filter_error){.at = parser.at, .expected = parser.expected};
	return good;
}

void ldap_filter_write(struct ber_writer *writer, const char *text, const char *user)
{
	struct parser parser = {.text = text, .user = user, .writer = writer};

	if (!parse_whole(&parser))
		writer->full = true;
}

/* Parentheses inside a value are written as digits: the last one is that of the comparison. */
bool ldap_filter_attribute(const char *text, char *name, size_t size)
{
	const char *item = NULL, *c = text;

	for (; *c && !(c[0] == '%' && c[1] == 'u'); c += *c == '%' && c[1] ? 2 : 1)
		if (*c == '(')
			item = c + 1;
	if (!*c || !item)
		return false;
	struct parser parser = {.text = item};
	size_t len = parse_attribute(&parser).len;
	const char *option = memchr(item, ';', len);
	if (option)
		len = (size_t)(option - item);
	if (len == 0 || len >= size)
		return false;
	memcpy(name, item, len);
	name[len] = '\0';
	return true;
}
