/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/milter/fields.h"

#include <string.h>

/* Where the next byte stands. */
enum at {
	AT_LINE, /* at the begin of a line */
	AT_CR,   /* behind a CR at the begin of a line */
	AT_NAME,
	AT_BLANK, /* behind a name, before its colon: RFC 5322 4.5 */
	AT_VALUE,
	AT_OVER,
};

static enum milter_fields_piece over(struct milter_fields *fields, bool empty)
{
	fields->at = AT_OVER;
	fields->empty = empty;
	return MILTER_FIELDS_OVER;
}

static void hold(struct milter_fields *fields, char c)
{
	fields->line[fields->line_len++] = c;
}

/* RFC 5322 3.6.8: printable ASCII but the colon. True: the line is known now, as `piece`. */
static bool take(struct milter_fields *fields, char c, enum milter_fields_piece *piece)
{
	unsigned char byte = (unsigned char)c;
	bool blank = c == ' ' || c == '\t';

	hold(fields, c);
	if (c == ':' && fields->name_len > 0) {
		fields->at = AT_VALUE;
		fields->in_field = true;
		*piece = MILTER_FIELDS_NAME;
		return true;
	}
	bool fits = fields->line_len < sizeof(fields->line) - 1;
	if (fits && blank && fields->name_len > 0) {
		fields->at = AT_BLANK;
		return false;
	}
	if (fits && byte > ' ' && byte <= '~' && c != ':' && fields->at != AT_BLANK &&
		fields->name_len < MILTER_FIELD_NAME_MAX) {
		fields->at = AT_NAME;
		fields->name_len++;
		return false;
	}
	*piece = over(fields, false);
	return true;
}

/* The first byte of a line. True: it is no more of the field above it, or it is known. */
static bool take_first(
	struct milter_fields *fields, char c, size_t *used, enum milter_fields_piece *piece)
{
	bool folds = fields->in_field && (c == ' ' || c == '\t');

	if (folds) {
		fields->at = AT_VALUE;
		return false;
	}
	if (fields->in_field) { /* the byte is read again, as the begin of a line */
		fields->in_field = false;
		*piece = MILTER_FIELDS_END;
		return true;
	}
	fields->line_len = fields->name_len = 0;
	++*used;
	if (c == '\r') {
		hold(fields, c);
		fields->at = AT_CR;
		return false;
	}
	if (c == '\n') {
		hold(fields, c);
		*piece = over(fields, true);
		return true;
	}
	return take(fields, c, piece);
}

enum milter_fields_piece milter_fields_read(
	struct milter_fields *fields, const char *bytes, size_t len, size_t *used)
{
	enum milter_fields_piece piece = MILTER_FIELDS_MORE;
	const char *lf;

	*used = 0;
	while (*used < len) {
		switch ((enum at)fields->at) {
		case AT_LINE:
			if (take_first(fields, bytes[*used], used, &piece))
				return piece;
			break;
		case AT_CR:
			hold(fields, bytes[(*used)++]);
			return over(fields, fields->line[1] == '\n');
		case AT_NAME:
		case AT_BLANK:
			if (take(fields, bytes[(*used)++], &piece))
				return piece;
			break;
		case AT_VALUE: /* no other byte was used in this call */
			lf = memchr(bytes, '\n', len);
			fields->at = lf ? AT_LINE : AT_VALUE;
			*used = lf ? (size_t)(lf - bytes) + 1 : len;
			return MILTER_FIELDS_VALUE;
		case AT_OVER:
			return MILTER_FIELDS_MORE;
		}
	}
	return piece;
}

enum milter_fields_piece milter_fields_end(struct milter_fields *fields)
{
	if (fields->in_field) {
		fields->in_field = false;
		fields->at = AT_LINE;
		return MILTER_FIELDS_END;
	}
	if (fields->at == AT_LINE || fields->at == AT_OVER)
		fields->line_len = fields->name_len = 0;
	return over(fields, fields->at == AT_OVER && fields->empty);
}
