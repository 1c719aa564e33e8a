/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/policy/history/record.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Both files are lines of "word value", each part of several bytes behind its length:
 *	postern-policy 1 HASH
 *	number 12
 *	...
 *	source 345
 *	<345 bytes>
 *	end
 * HASH is that of everything behind the first line. */
#define RECORD_WORD  "postern-policy 1 "
#define CURRENT_WORD "postern-current 1 "
#define HASH_DIGITS  16

struct writing {
	char *bytes;
	size_t len, room;
	bool failed;
};

static void put_bytes(struct writing *writing, const char *bytes, size_t len)
{
	if (writing->failed)
		return;
	if (writing->room - writing->len < len) {
		size_t room = 2 * (writing->room + len);
		char *more = realloc(writing->bytes, room);
		if (!more) {
			writing->failed = true;
			return;
		}
		writing->bytes = more;
		writing->room = room;
	}
	memcpy(writing->bytes + writing->len, bytes, len);
	writing->len += len;
}

static void __attribute__((format(printf, 2, 3)))
put(struct writing *writing, const char *format, ...)
{
	char line[8192];
	va_list args;
	va_start(args, format);
	int n = vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (n < 0 || (size_t)n >= sizeof(line))
		writing->failed = true;
	else
		put_bytes(writing, line, (size_t)n);
}

static void put_part(
	struct writing *writing, const char *word, const char *name, const char *bytes, size_t len)
{
	put(writing, "%s %zu%s%s\n", word, len, *name ? " " : "", name);
	put_bytes(writing, bytes, len);
	put_bytes(writing, "\n", 1);
}

static void begin(struct writing *writing, const char *word)
{
	*writing = (struct writing){0};
	put(writing, "%s%0*d\n", word, HASH_DIGITS, 0);
}

static int finish(struct writing *writing, const char *word, char **bytes, size_t *len)
{
	put_bytes(writing, "end\n", 4);
	if (writing->failed) {
		free(writing->bytes);
		return -ENOMEM;
	}
	size_t head = strlen(word) + HASH_DIGITS + 1;
	uint64_t hash =
		policy_texts_hash(POLICY_TEXTS_HASH, writing->bytes + head, writing->len - head);
	char digits[HASH_DIGITS + 1];
	snprintf(digits, sizeof(digits), "%016" PRIx64, hash);
	memcpy(writing->bytes + strlen(word), digits, HASH_DIGITS);
	*bytes = writing->bytes;
	*len = writing->len;
	return 0;
}

/* What is left to read of a file whose checksum is right; still nothing in it is believed. */
struct reading {
	const char *at, *end;
};

static bool open_reading(struct reading *reading, const char *word, const char *bytes, size_t len)
{
	size_t head = strlen(word) + HASH_DIGITS + 1;
	if (len < head || memcmp(bytes, word, strlen(word)) != 0 || bytes[head - 1] != '\n')
		return false;
	char digits[HASH_DIGITS + 1];
	snprintf(digits, sizeof(digits), "%016" PRIx64,
		policy_texts_hash(POLICY_TEXTS_HASH, bytes + head, len - head));
	reading->at = bytes + head;
	reading->end = bytes + len;
	return memcmp(bytes + strlen(word), digits, HASH_DIGITS) == 0;
}

/* Cuts the next line into word and value. false: no line. */
static bool take_line(struct reading *reading, char word[static 16], char *value, size_t room)
{
	const char *newline = memchr(reading->at, '\n', (size_t)(reading->end - reading->at));
	if (!newline)
		return false;
	const char *space = memchr(reading->at, ' ', (size_t)(newline - reading->at));
	const char *stop = space ? space : newline;
	size_t nword = (size_t)(stop - reading->at);
	size_t nvalue = space ? (size_t)(newline - space - 1) : 0;
	if (nword >= 16 || nvalue >= room)
		return false;
	memcpy(word, reading->at, nword);
	word[nword] = '\0';
	if (nvalue)
		memcpy(value, space + 1, nvalue);
	value[nvalue] = '\0';
	reading->at = newline + 1;
	return true;
}

/* The bytes of a part whose line was "word LENGTH [name]". */
static bool take_part(struct reading *reading, const char *value, const char **name,
	const char **bytes, size_t *len)
{
	char *rest;
	*len = strtoull(value, &rest, 10);
	*name = *rest == ' ' ? rest + 1 : rest;
	if (rest == value || *len >= (size_t)(reading->end - reading->at))
		return false;
	*bytes = reading->at;
	reading->at += *len;
	return *reading->at++ == '\n';
}

static char *copy_part(const char *bytes, size_t len)
{
	char *copy = malloc(len + 1);
	if (copy) {
		memcpy(copy, bytes, len);
		copy[len] = '\0';
	}
	return copy;
}

bool policy_record_is_edit(const char *origin)
{
	return strcmp(origin, "file") != 0 && strncmp(origin, "policy ", 7) != 0;
}

void policy_record_fini(struct policy_record *record)
{
	free(record->source);
	free(record->canonical);
	policy_texts_fini(&record->texts);
	*record = (struct policy_record){0};
}

int policy_record_encode(const struct policy_record *record, char **bytes, size_t *len)
{
	struct writing writing;
	begin(&writing, RECORD_WORD);
	put(&writing, "number %" PRIu64 "\nat %" PRIu64 "\nuid %u\norigin %s\n", record->number,
		record->at_ms, (unsigned)record->uid, record->origin);
	put_part(&writing, "source", "", record->source, record->source_len);
	put_part(&writing, "canonical", "", record->canonical, record->canonical_len);
	for (size_t i = 0; i < record->texts.n; i++)
		put_part(&writing, "file", record->texts.v[i].path, record->texts.v[i].text,
			record->texts.v[i].len);
	return finish(&writing, RECORD_WORD, bytes, len);
}

static bool take_record_line(
	struct reading *reading, struct policy_record *record, const char *word, const char *value)
{
	const char *name, *bytes;
	size_t len;
	if (strcmp(word, "number") == 0) {
		record->number = strtoull(value, NULL, 10);
	} else if (strcmp(word, "at") == 0) {
		record->at_ms = strtoull(value, NULL, 10);
	} else if (strcmp(word, "uid") == 0) {
		record->uid = (uint32_t)strtoul(value, NULL, 10);
	} else if (strcmp(word, "origin") == 0) {
		snprintf(record->origin, sizeof(record->origin), "%.*s",
			(int)sizeof(record->origin) - 1, value);
	} else if (strcmp(word, "source") == 0 && !record->source) {
		if (!take_part(reading, value, &name, &bytes, &len))
			return false;
		record->source = copy_part(bytes, len);
		record->source_len = len;
	} else if (strcmp(word, "canonical") == 0 && !record->canonical) {
		if (!take_part(reading, value, &name, &bytes, &len))
			return false;
		record->canonical = copy_part(bytes, len);
		record->canonical_len = len;
	} else if (strcmp(word, "file") == 0) {
		return take_part(reading, value, &name, &bytes, &len) &&
		       policy_texts_add(&record->texts, name, bytes, len) == 0;
	} else {
		return false;
	}
	return true;
}

int policy_record_decode(const char *bytes, size_t len, struct policy_record *record)
{
	struct reading reading;
	char word[16], value[8192];
	*record = (struct policy_record){0};
	if (!open_reading(&reading, RECORD_WORD, bytes, len))
		return -EBADMSG;
	while (take_line(&reading, word, value, sizeof(value))) {
		if (strcmp(word, "end") == 0) {
			if (!record->source || !record->canonical || !record->number)
				break;
			return 0;
		}
		if (!take_record_line(&reading, record, word, value))
			break;
	}
	policy_record_fini(record);
	return -EBADMSG;
}

int policy_record_decode_head(const char *bytes, size_t len, struct policy_record *record)
{
	const size_t first = strlen(RECORD_WORD) + HASH_DIGITS + 1;
	struct reading reading = {.at = bytes + first, .end = bytes + len};
	char word[16], value[8192];
	*record = (struct policy_record){0};
	if (len <= first || memcmp(bytes, RECORD_WORD, strlen(RECORD_WORD)) != 0)
		return -EBADMSG;
	while (take_line(&reading, word, value, sizeof(value))) {
		if (strcmp(word, "source") == 0) {
			record->source_len = strtoull(value, NULL, 10);
			return record->number ? 0 : -EBADMSG;
		}
		if (strcmp(word, "canonical") == 0 || strcmp(word, "file") == 0 ||
			!take_record_line(&reading, record, word, value))
			break;
	}
	return -EBADMSG;
}

void policy_current_fini(struct policy_current *current)
{
	for (size_t i = 0; i < current->npaths; i++)
		free(current->paths[i]);
	free(current->paths);
	*current = (struct policy_current){0};
}

int policy_current_add_path(struct policy_current *current, const char *path)
{
	if (current->npaths == POLICY_TEXTS_MAX)
		return -E2BIG;
	char **paths = realloc(current->paths, (current->npaths + 1) * sizeof(*paths));
	if (!paths)
		return -ENOMEM;
	current->paths = paths;
	paths[current->npaths] = strdup(path);
	if (!paths[current->npaths])
		return -ENOMEM;
	current->npaths++;
	return 0;
}

int policy_current_copy(struct policy_current *to, const struct policy_current *from)
{
	*to = *from;
	to->paths = NULL;
	to->npaths = 0;
	for (size_t i = 0; i < from->npaths; i++) {
		int error = policy_current_add_path(to, from->paths[i]);
		if (error) {
			policy_current_fini(to);
			return error;
		}
	}
	return 0;
}

int policy_current_encode(const struct policy_current *current, char **bytes, size_t *len)
{
	struct writing writing;
	begin(&writing, CURRENT_WORD);
	put(&writing, "number %" PRIu64 "\nhash %" PRIx64 "\n", current->number,
		current->file_hash);
	put(&writing, "until %" PRIu64 "\nback %" PRIu64 "\n", current->confirm_until_ms,
		current->confirm_back);
	for (size_t i = 0; i < current->npaths; i++)
		put(&writing, "file %s\n", current->paths[i]);
	return finish(&writing, CURRENT_WORD, bytes, len);
}

int policy_current_decode(const char *bytes, size_t len, struct policy_current *current)
{
	struct reading reading;
	char word[16], value[8192];
	*current = (struct policy_current){0};
	if (!open_reading(&reading, CURRENT_WORD, bytes, len))
		return -EBADMSG;
	while (take_line(&reading, word, value, sizeof(value))) {
		if (strcmp(word, "end") == 0 && current->number)
			return 0;
		if (strcmp(word, "number") == 0)
			current->number = strtoull(value, NULL, 10);
		else if (strcmp(word, "hash") == 0)
			current->file_hash = strtoull(value, NULL, 16);
		else if (strcmp(word, "until") == 0)
			current->confirm_until_ms = strtoull(value, NULL, 10);
		else if (strcmp(word, "back") == 0)
			current->confirm_back = strtoull(value, NULL, 10);
		else if (strcmp(word, "file") != 0 || policy_current_add_path(current, value) != 0)
			break;
	}
	policy_current_fini(current);
	return -EBADMSG;
}
