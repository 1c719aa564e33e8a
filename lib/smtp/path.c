/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/smtp/path.h"

#include "lib/base/text.h"
#include "lib/smtp/domain.h"

#include <string.h>
#include <strings.h>

/* What is still to be read. */
struct reader {
	const char *at, *end;
};

static bool is_next(const struct reader *reader, char c)
{
	return reader->at < reader->end && *reader->at == c;
}

static bool take(struct reader *reader, char c)
{
	if (!is_next(reader, c))
		return false;
	reader->at++;
	return true;
}

/* RFC 5322 3.2.3, and RFC 6531 3.3 for what is over 127. */
static bool is_atom(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       c >= 0x80 || (c && strchr("!#$%&'*+-/=?^_`{|}~", c));
}

/* One character into the local part, which is more than a byte over 127. */
static enum smtp_path_status take_character(struct reader *reader, struct smtp_path *path)
{
	size_t n = text_shown(reader->at, (size_t)(reader->end - reader->at));

	if (n == 0)
		return SMTP_PATH_BAD_BYTE;
	if (path->local_bytes + n > SMTP_PATH_LOCAL_MAX)
		return SMTP_PATH_TOO_LONG;
	memcpy(path->local + path->local_bytes, reader->at, n);
	path->local_bytes = (uint8_t)(path->local_bytes + n);
	if (n > 1)
		path->flags |= SMTP_PATH_UTF8;
	reader->at += n;
	return SMTP_PATH_GOOD;
}

/* Dots stand where they like: some carriers gave away "a..b", which goes on in quotes. */
static enum smtp_path_status take_dot_string(struct reader *reader, struct smtp_path *path)
{
	while (reader->at < reader->end && !memchr("@> ", *reader->at, 3)) {
		if (*reader->at != '.' && !is_atom((unsigned char)*reader->at))
			return *reader->at == '"' ? SMTP_PATH_NO_PATH : SMTP_PATH_BAD_BYTE;
		enum smtp_path_status status = take_character(reader, path);
		if (status != SMTP_PATH_GOOD)
			return status;
	}
	return SMTP_PATH_GOOD;
}

static enum smtp_path_status take_quoted(struct reader *reader, struct smtp_path *path)
{
	reader->at++;
	while (!take(reader, '"')) {
		take(reader, '\\');
		if (reader->at == reader->end)
			return SMTP_PATH_NO_PATH;
		enum smtp_path_status status = take_character(reader, path);
		if (status != SMTP_PATH_GOOD)
			return status;
	}
	return SMTP_PATH_GOOD;
}

static bool is_dot_string(const struct smtp_path *path)
{
	bool atom = false;

	for (size_t i = 0; i < path->local_bytes; i++) {
		unsigned char c = (unsigned char)path->local[i];
		if (c == '.' ? !atom : !is_atom(c))
			return false;
		atom = c != '.';
	}
	return atom;
}

/* The local part as it is written; out may be NULL. */
static size_t format_local(const struct smtp_path *path, char *out)
{
	bool quoted = !is_dot_string(path);
	size_t n = 0;
	char unused[2 * SMTP_PATH_LOCAL_MAX + 2];

	out = out ? out : unused;
	if (quoted)
		out[n++] = '"';
	for (size_t i = 0; i < path->local_bytes; i++) {
		if (path->local[i] == '"' || path->local[i] == '\\')
			out[n++] = '\\';
		out[n++] = path->local[i];
	}
	if (quoted)
		out[n++] = '"';
	return n;
}

/* A server behind may read a route where RFC 5321 has none (Postfix: "b@y"@x and b%y@x go to y),
 * so a recipient has no byte that any reading gives a meaning: quotes hide only spaces and dots. */
static enum smtp_path_status check_recipient(const struct smtp_path *path)
{
	if (path->flags & SMTP_PATH_LITERAL)
		return SMTP_PATH_ADDRESS;
	for (size_t i = 0; i < path->local_bytes; i++) {
		unsigned char c = (unsigned char)path->local[i];
		if (c == '%' || c == '!' || (!is_atom(c) && c != '.' && c != ' '))
			return SMTP_PATH_ROUTE;
	}
	return SMTP_PATH_GOOD;
}

/* RFC 5321 4.1.2 A-d-l: "@a,@b:", which a sender may have and nobody heeds. */
static enum smtp_path_status take_route(struct reader *reader, unsigned way)
{
	if (!is_next(reader, '@'))
		return SMTP_PATH_GOOD;
	if (way & SMTP_PATH_RECIPIENT)
		return SMTP_PATH_ROUTE;
	do {
		char unused[SMTP_PATH_DOMAIN_MAX];
		const char *from = reader->at + 1;
		if (!take(reader, '@'))
			return SMTP_PATH_NO_PATH;
		while (reader->at < reader->end && !memchr(",:> ", *reader->at, 4))
			reader->at++;
		if (smtp_domain_parse(from, (size_t)(reader->at - from), unused) <= 0)
			return SMTP_PATH_BAD_DOMAIN;
	} while (take(reader, ','));
	return take(reader, ':') ? SMTP_PATH_GOOD : SMTP_PATH_NO_PATH;
}

static enum smtp_path_status take_domain(struct reader *reader, struct smtp_path *path)
{
	const char *from = reader->at;

	while (reader->at < reader->end && !memchr("> ", *reader->at, 2)) {
		if ((unsigned char)*reader->at >= 0x80)
			path->flags |= SMTP_PATH_UTF8;
		reader->at++;
	}
	size_t len = (size_t)(reader->at - from);
	if (len == 0)
		return SMTP_PATH_NO_DOMAIN;
	if (memchr(from, '@', len))
		return SMTP_PATH_ROUTE;
	if (len > SMTP_PATH_DOMAIN_MAX + 1)
		return SMTP_PATH_TOO_LONG;
	int n = *from == '[' ? smtp_domain_parse_literal(from, len, path->domain)
			     : smtp_domain_parse(from, len, path->domain);
	if (n <= 0)
		return SMTP_PATH_BAD_DOMAIN;
	if (*from == '[')
		path->flags |= SMTP_PATH_LITERAL;
	path->domain_bytes = (uint8_t)n;
	return SMTP_PATH_GOOD;
}

static enum smtp_path_status take_mailbox(
	struct reader *reader, struct smtp_path *path, unsigned way)
{
	enum smtp_path_status status =
		is_next(reader, '"') ? take_quoted(reader, path) : take_dot_string(reader, path);
	if (status != SMTP_PATH_GOOD)
		return status;
	/* fewer bytes than it came with where backslashes were needless */
	if (format_local(path, NULL) > SMTP_PATH_LOCAL_MAX)
		return SMTP_PATH_TOO_LONG;
	if (path->local_bytes == 0)
		return SMTP_PATH_NO_DOMAIN;
	if (take(reader, '@'))
		status = take_domain(reader, path);
	else if (!(way & SMTP_PATH_RECIPIENT) || !smtp_path_is_postmaster(path))
		status = SMTP_PATH_NO_DOMAIN;
	if (status == SMTP_PATH_GOOD && way & SMTP_PATH_RECIPIENT)
		status = check_recipient(path);
	return status;
}

/* "<>", with which a bounce is sent. */
static enum smtp_path_status take_null(struct smtp_path *path, unsigned way)
{
	path->flags = SMTP_PATH_NULL;
	return way & SMTP_PATH_RECIPIENT ? SMTP_PATH_NO_DOMAIN : SMTP_PATH_GOOD;
}

static enum smtp_path_status take_path(struct reader *reader, struct smtp_path *path, unsigned way)
{
	take(reader, ' ');
	bool bracket = take(reader, '<');
	if (!bracket && !(way & SMTP_PATH_BARE))
		return SMTP_PATH_NO_PATH;
	if (reader->at == reader->end || is_next(reader, ' '))
		return SMTP_PATH_NO_PATH;
	enum smtp_path_status status = take_route(reader, way);
	if (status == SMTP_PATH_GOOD)
		status = bracket && is_next(reader, '>') && reader->at[-1] == '<'
				 ? take_null(path, way)
				 : take_mailbox(reader, path, way);
	if (status == SMTP_PATH_GOOD && bracket && !take(reader, '>'))
		status = SMTP_PATH_NO_PATH;
	if (status == SMTP_PATH_GOOD && reader->at < reader->end && !is_next(reader, ' '))
		status = SMTP_PATH_NO_PATH;
	return status;
}

enum smtp_path_status smtp_path_parse(
	struct smtp_path *path, unsigned way, const char *bytes, size_t len, size_t *used)
{
	struct reader reader = {bytes, bytes + len};

	memset(path, 0, sizeof(*path));
	enum smtp_path_status status = take_path(&reader, path, way);
	*used = status == SMTP_PATH_GOOD ? (size_t)(reader.at - bytes) : 0;
	if (status != SMTP_PATH_GOOD)
		memset(path, 0, sizeof(*path));
	return status;
}

const struct smtp_refusal *smtp_path_refusal(enum smtp_path_status status, unsigned way)
{
	static const struct smtp_refusal sender[SMTP_PATH_STATUSES] = {
		[SMTP_PATH_NO_PATH] = {501, "5.1.7", "the sender goes in brackets: <user@domain>"},
		[SMTP_PATH_BAD_BYTE] = {553, "5.1.7", "the sender has a byte no address has"},
		[SMTP_PATH_NO_DOMAIN] = {553, "5.1.7", "the sender must be user@domain or <>"},
		[SMTP_PATH_TOO_LONG] = {553, "5.1.7", "the sender's address is too long"},
		[SMTP_PATH_BAD_DOMAIN] = {553, "5.1.7", "the sender's domain is none"},
		[SMTP_PATH_ROUTE] = {553, "5.1.7", "the sender has more than one @"},
		[SMTP_PATH_ADDRESS] = {553, "5.1.7", "the sender's domain is an address"},
		[SMTP_PATH_UNASKED] = {553, "5.6.7", "the sender needs SMTPUTF8"},
	};
	static const struct smtp_refusal recipient[SMTP_PATH_STATUSES] = {
		[SMTP_PATH_NO_PATH] = {501, "5.1.3",
			"the recipient goes in brackets: <user@domain>"},
		[SMTP_PATH_BAD_BYTE] = {550, "5.1.3", "the recipient has a byte no address has"},
		[SMTP_PATH_NO_DOMAIN] = {550, "5.1.3", "the recipient must be user@domain"},
		[SMTP_PATH_TOO_LONG] = {550, "5.1.3", "the recipient's address is too long"},
		[SMTP_PATH_BAD_DOMAIN] = {550, "5.1.3", "the recipient's domain is none"},
		[SMTP_PATH_ROUTE] = {550, "5.7.1", "no routes in a recipient"},
		[SMTP_PATH_ADDRESS] = {550, "5.1.3", "no addresses in place of a domain"},
		[SMTP_PATH_UNASKED] = {553, "5.6.7", "the recipient needs SMTPUTF8 at MAIL"},
	};

	return way & SMTP_PATH_RECIPIENT ? &recipient[status] : &sender[status];
}

size_t smtp_path_format(const struct smtp_path *path, char out[static SMTP_PATH_TEXT_MAX])
{
	size_t n = 0;

	out[n++] = '<';
	if (path->local_bytes > 0)
		n += format_local(path, out + n);
	if (path->domain_bytes > 0) {
		out[n++] = '@';
		memcpy(out + n, path->domain, path->domain_bytes);
		n += path->domain_bytes;
	}
	out[n++] = '>';
	return n;
}

bool smtp_path_needs_utf8(const struct smtp_path *path)
{
	for (size_t i = 0; i < path->local_bytes; i++)
		if ((unsigned char)path->local[i] >= 0x80)
			return true;
	return false;
}

static bool begins_with(const struct smtp_path *path, const char *word)
{
	size_t len = strlen(word);
	return path->local_bytes >= len && strncasecmp(path->local, word, len) == 0;
}

bool smtp_path_is_srs(const struct smtp_path *path)
{
	return begins_with(path, "SRS0=") || begins_with(path, "SRS1=");
}

bool smtp_path_is_postmaster(const struct smtp_path *path)
{
	return path->local_bytes == strlen("postmaster") && begins_with(path, "postmaster");
}

/* Where the address begins behind "prvs=0123456789=": 0 where that is none of BATV's. */
static size_t behind_tag(const struct smtp_path *path)
{
	static const char alphanumeric[] =
		"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	size_t at = strlen("prvs=");

	if (!begins_with(path, "prvs="))
		return 0;
	while (at < path->local_bytes &&
		memchr(alphanumeric, path->local[at], sizeof(alphanumeric) - 1))
		at++;
	bool tagged = at > strlen("prvs=") && at + 1 < path->local_bytes && path->local[at] == '=';
	return tagged ? at + 1 : 0;
}

void smtp_path_key(const struct smtp_path *path, struct smtp_path *key)
{
	bool srs = smtp_path_is_srs(path);
	size_t from = behind_tag(path), n = 0;

	*key = *path;
	key->flags &= (uint8_t)~SMTP_PATH_UTF8;
	memset(key->local, 0, sizeof(key->local));
	for (size_t i = from; i < path->local_bytes; i++) {
		char c = path->local[i];
		if (c == '+' && n > 0 && !srs)
			break;
		key->local[n++] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
	}
	key->local_bytes = (uint8_t)n;
}
