/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/auth/user_file.h"

#include "lib/base/text.h"

#include <string.h>

#define FIELDS 4

static bool take_line(const char **text, size_t *len, const char **line, size_t *line_len)
{
	if (*len == 0)
		return false;
	const char *end = memchr(*text, '\n', *len);
	size_t taken = end ? (size_t)(end - *text) + 1 : *len;
	*line = *text;
	*line_len = end ? taken - 1 : taken;
	if (*line_len > 0 && (*line)[*line_len - 1] == '\r')
		--*line_len;
	*text += taken;
	*len -= taken;
	return true;
}

/* Some editors put one in front of UTF-8: it would be of the first user's name. */
static void skip_mark(const char **text, size_t *len)
{
	static const char mark[] = {'\xef', '\xbb', '\xbf'};

	if (*len >= sizeof(mark) && memcmp(*text, mark, sizeof(mark)) == 0) {
		*text += sizeof(mark);
		*len -= sizeof(mark);
	}
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool says_nothing(const char *line, size_t len)
{
	size_t at = 0;

	while (at < len && is_blank(line[at]))
		at++;
	return at == len || line[at] == '#';
}

/* How many fields; those that are not there are empty. */
static size_t split(const char *line, size_t len, struct user_file_entry *entry)
{
	const char *fields[FIELDS] = {line + len, line + len, line + len, line + len};
	size_t lens[FIELDS] = {0}, n = 0;

	for (const char *at = line, *end = line + len;; n++) {
		const char *colon = memchr(at, ':', (size_t)(end - at));
		if (n < FIELDS) {
			fields[n] = at;
			lens[n] = (size_t)((colon ? colon : end) - at);
		}
		if (!colon)
			break;
		at = colon + 1;
	}
	*entry = (struct user_file_entry){
		fields[0], fields[1], fields[2], fields[3], lens[0], lens[1], lens[2], lens[3]};
	return n + 1;
}

static bool is_text(const char *text, size_t len)
{
	for (size_t at = 0, n; at < len; at += n) {
		n = text_character(text + at, len - at);
		if (n == 0)
			return false;
	}
	return true;
}

/* crypt(5): "$", the method, "$", and what it says. Older ones, without, are guessed in a day. */
static bool is_hash(const char *hash, size_t len)
{
	const char *second = len > 1 ? memchr(hash + 1, '$', len - 1) : NULL;

	if (len < 8 || len >= USER_FILE_HASH_SIZE || hash[0] != '$' || !second ||
		second == hash + 1)
		return false;
	for (size_t i = 0; i < len; i++)
		if (hash[i] <= ' ' || hash[i] > '~' || strchr(":;*!\\", hash[i]))
			return false;
	return true;
}

static const char *check_line(const char *line, size_t len)
{
	struct user_file_entry entry;

	if (len > USER_FILE_LINE_MAX)
		return "a line of at most 2048 bytes";
	if (!is_text(line, len))
		return "UTF-8 without control characters";
	size_t n = split(line, len, &entry);
	if (n < 2 || n > FIELDS)
		return "USER:HASH, or USER:HASH:GROUPS:ADDRESSES";
	if (entry.user_len == 0 || entry.user_len > 127 || is_blank(entry.user[0]) ||
		is_blank(entry.user[entry.user_len - 1]))
		return "a user's name of 1 to 127 bytes in front of the first colon";
	if (!is_hash(entry.hash, entry.hash_len))
		return "a hash as `posternctl auth password` makes it, behind the first colon";
	return NULL;
}

const char *user_file_check(const char *text, size_t len, size_t *line)
{
	const char *whole = text, *at;
	size_t whole_len = len, at_len, users = 0;

	skip_mark(&text, &len);
	for (*line = 1; take_line(&text, &len, &at, &at_len); ++*line) {
		struct user_file_entry entry, first;
		char user[128];
		if (says_nothing(at, at_len))
			continue;
		const char *expected = check_line(at, at_len);
		if (expected)
			return expected;
		users++;
		split(at, at_len, &entry);
		memcpy(user, entry.user, entry.user_len);
		user[entry.user_len] = '\0';
		if (user_file_find(whole, whole_len, user, &first) && first.user != entry.user)
			return "each user once";
	}
	*line = 1;
	return users > 0 ? NULL : "a line for each user, one at least";
}

bool user_file_take(const char **text, size_t *len, size_t *line, struct user_file_entry *entry)
{
	const char *at;
	size_t at_len;

	if (*line == 0)
		skip_mark(text, len);
	while (take_line(text, len, &at, &at_len)) {
		++*line;
		if (says_nothing(at, at_len))
			continue;
		split(at, at_len, entry);
		return true;
	}
	return false;
}

bool user_file_find(const char *text, size_t len, const char *user, struct user_file_entry *entry)
{
	size_t line = 0, user_len = strlen(user);

	while (user_file_take(&text, &len, &line, entry)) {
		if (entry->user_len == user_len && memcmp(entry->user, user, user_len) == 0)
			return true;
	}
	return false;
}

bool user_file_next(const char **list, size_t *len, const char **word, size_t *word_len)
{
	while (*len > 0) {
		const char *comma = memchr(*list, ',', *len);
		size_t n = comma ? (size_t)(comma - *list) : *len, taken = comma ? n + 1 : n;
		const char *at = *list;
		*list += taken;
		*len -= taken;
		while (n > 0 && is_blank(*at))
			at++, n--;
		while (n > 0 && is_blank(at[n - 1]))
			n--;
		*word = at;
		*word_len = n;
		if (n > 0)
			return true;
	}
	return false;
}
