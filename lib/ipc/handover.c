/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/ipc/handover.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define FD_MAX 1048575

void handover_init(struct handover *handover)
{
	*handover = (struct handover){0};
}

int handover_add(
	struct handover *handover, const char *kind, const char *name, const char *endpoint, int fd)
{
	if (fd < 0)
		return 0;
	if (handover->nfds == HANDOVER_FDS_MAX)
		return -E2BIG;
	struct handover_fd *held = &handover->fds[handover->nfds++];
	*held = (struct handover_fd){.fd = fd};
	snprintf(held->kind, sizeof(held->kind), "%s", kind);
	snprintf(held->name, sizeof(held->name), "%s", name);
	snprintf(held->endpoint, sizeof(held->endpoint), "%s", endpoint);
	return 0;
}

const struct handover_fd *handover_next(
	const struct handover *handover, const char *kind, const char *name, size_t *at)
{
	while (*at < handover->nfds) {
		const struct handover_fd *held = &handover->fds[(*at)++];
		if (strcmp(held->kind, kind) == 0 && strcmp(held->name, name) == 0)
			return held;
	}
	return NULL;
}

int handover_own(const struct handover *handover, const char *name)
{
	size_t at = 0;
	const struct handover_fd *held = handover_next(handover, HANDOVER_OWN, name, &at);

	return held ? held->fd : -1;
}

/* ---- writing ---- */

struct writer {
	char *text;
	size_t room, len;
};

static void put(struct writer *writer, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void put(struct writer *writer, const char *format, ...)
{
	va_list args;
	size_t left = writer->room - writer->len;

	va_start(args, format);
	int n = vsnprintf(writer->text + writer->len, left, format, args);
	va_end(args);
	writer->len = n < 0 || (size_t)n >= left ? writer->room : writer->len + (size_t)n;
}

static bool is_clean(const char *text, bool blank)
{
	if (!*text)
		return false;
	for (; *text; text++)
		if ((unsigned char)*text < (blank ? 0x20 : 0x21) || *text == 0x7f)
			return false;
	return true;
}

int handover_encode(const struct handover *handover, char *text, size_t room)
{
	struct writer writer = {text, room, 0};

	if (!is_clean(handover->version, false) || !is_clean(handover->program, true))
		return -EINVAL;
	put(&writer, "postern-handover %d\n", HANDOVER_FORMAT);
	put(&writer, "version %s\n", handover->version);
	put(&writer, "protocol %" PRIu64 "\n", handover->protocol);
	put(&writer, "drain %" PRIu32 "\n", handover->drain_s);
	put(&writer, "upgrades %" PRIu32 "\n", handover->upgrades);
	put(&writer, "paused %" PRIu64 "\n", handover->paused_ms);
	put(&writer, "lacks %" PRIu32 "\n", handover->lacks);
	put(&writer, "program %s\n", handover->program);
	for (size_t i = 0; i < handover->nfds; i++) {
		const struct handover_fd *held = &handover->fds[i];
		if (!is_clean(held->kind, false) || !is_clean(held->name, false) ||
			!is_clean(held->endpoint, false))
			return -EINVAL;
		put(&writer, "held %s %s %s %d\n", held->kind, held->name, held->endpoint,
			held->fd);
	}
	for (size_t i = 0; i < handover->nchildren; i++) {
		const struct handover_child *child = &handover->children[i];
		if (!is_clean(child->role, false) || !is_clean(child->version, false))
			return -EINVAL;
		put(&writer, "child %s %" PRIu32 " %" PRIu32 " %" PRId32 " %d %" PRIu64 " %s\n",
			child->role, child->number, child->generation, child->pid, child->channel,
			child->until_ms, child->version);
		if (child->mute)
			put(&writer, "mute %d\n", child->channel);
	}
	put(&writer, "end\n");
	return writer.len < room ? (int)writer.len : -E2BIG;
}

/* ---- reading ---- */

/* What is left of one line. */
struct line {
	const char *at, *end;
	bool bad;
};

/* The next word, up to a blank; bad when there is none or it has no room. */
static void take_word(struct line *line, char *word, size_t size)
{
	size_t len = 0;

	while (line->at + len < line->end && line->at[len] != ' ')
		len++;
	word[0] = 0;
	if (len == 0 || len >= size) {
		line->bad = true;
		return;
	}
	memcpy(word, line->at, len);
	word[len] = 0;
	line->at += len;
	if (line->at < line->end)
		line->at++;
	line->bad |= !is_clean(word, false);
}

static void take_rest(struct line *line, char *text, size_t size)
{
	size_t len = (size_t)(line->end - line->at);

	text[0] = 0;
	if (len == 0 || len >= size) {
		line->bad = true;
		return;
	}
	memcpy(text, line->at, len);
	text[len] = 0;
	line->at = line->end;
	line->bad |= strlen(text) != len || !is_clean(text, true);
}

static uint64_t take_number(struct line *line, uint64_t max)
{
	char word[24];
	uint64_t number = 0;

	take_word(line, word, sizeof(word));
	for (const char *p = word; *p; p++) {
		unsigned digit = (unsigned)(*p - '0');
		if (digit > 9 || number > (UINT64_MAX - digit) / 10) {
			line->bad = true;
			return 0;
		}
		number = number * 10 + digit;
	}
	line->bad |= number > max;
	return line->bad ? 0 : number;
}

static int take_fd(struct line *line)
{
	int fd = (int)take_number(line, FD_MAX);
	line->bad |= fd < 3;
	return fd;
}

/* A listener may be closed: -1. */
static int take_listener(struct line *line)
{
	if (line->end - line->at >= 2 && memcmp(line->at, "-1", 2) == 0) {
		char word[8];
		take_word(line, word, sizeof(word));
		return -1;
	}
	return take_fd(line);
}

static void keep(struct line *line, struct handover *handover, const struct handover_fd *held)
{
	if (!line->bad)
		line->bad = handover_add(
				    handover, held->kind, held->name, held->endpoint, held->fd) < 0;
}

static void read_held(struct line *line, struct handover *handover)
{
	struct handover_fd held;

	take_word(line, held.kind, sizeof(held.kind));
	take_word(line, held.name, sizeof(held.name));
	take_word(line, held.endpoint, sizeof(held.endpoint));
	held.fd = take_fd(line);
	keep(line, handover, &held);
}

/* ---- as a version before wrote ---- */

static void read_fd(struct line *line, struct handover *handover)
{
	struct handover_fd held = {.kind = HANDOVER_OWN, .endpoint = "-"};

	take_word(line, held.name, sizeof(held.name));
	held.fd = take_fd(line);
	keep(line, handover, &held);
}

static void read_place(struct line *line, struct handover *handover)
{
	struct handover_fd ip4 = {
		.kind = HANDOVER_LISTENER, .name = "relay", .endpoint = "0.0.0.0"};
	struct handover_fd ip6 = {.kind = HANDOVER_LISTENER, .name = "relay", .endpoint = "::"};

	ip4.fd = take_listener(line);
	ip6.fd = take_listener(line);
	keep(line, handover, &ip4);
	keep(line, handover, &ip6);
}

static void read_child(struct line *line, struct handover *handover)
{
	struct handover_child child = {0};

	take_word(line, child.role, sizeof(child.role));
	child.number = (uint32_t)take_number(line, HANDOVER_NUMBERS_MAX - 1);
	child.generation = (uint32_t)take_number(line, UINT32_MAX);
	child.pid = (int32_t)take_number(line, INT32_MAX);
	child.channel = take_fd(line);
	child.until_ms = take_number(line, UINT64_MAX);
	take_word(line, child.version, sizeof(child.version));
	line->bad |= child.pid < 2 || handover->nchildren == HANDOVER_CHILDREN_MAX;
	if (!line->bad)
		handover->children[handover->nchildren++] = child;
}

/* Behind the child that it is about, told by its channel. */
static void read_mute(struct line *line, struct handover *handover)
{
	int channel = take_fd(line);

	for (size_t i = 0; i < handover->nchildren; i++)
		if (handover->children[i].channel == channel) {
			handover->children[i].mute = true;
			return;
		}
	line->bad = true;
}

/* Known lines; seen[] says which of those that stand once were there. */
enum word {
	WORD_VERSION,
	WORD_PROTOCOL,
	WORD_DRAIN,
	WORD_UPGRADES,
	WORD_PROGRAM,
	WORDS_NEEDED,
	WORD_PAUSED = WORDS_NEEDED,
	WORD_LACKS,
	WORDS_ONCE,
	WORD_HELD = WORDS_ONCE,
	WORD_FD,
	WORD_PLACE,
	WORD_CHILD,
	WORD_MUTE,
	WORDS,
};

static const char *const words[] = {[WORD_VERSION] = "version",
	[WORD_PROTOCOL] = "protocol",
	[WORD_DRAIN] = "drain",
	[WORD_UPGRADES] = "upgrades",
	[WORD_PROGRAM] = "program",
	[WORD_PAUSED] = "paused",
	[WORD_LACKS] = "lacks",
	[WORD_HELD] = "held",
	[WORD_FD] = "fd",
	[WORD_PLACE] = "place",
	[WORD_CHILD] = "child",
	[WORD_MUTE] = "mute"};

static void read_line(struct line *line, struct handover *handover, bool seen[static WORDS_ONCE])
{
	char name[32];
	unsigned word = 0;

	take_word(line, name, sizeof(name));
	while (word < WORDS && strcmp(name, words[word]) != 0)
		word++;
	if (line->bad || word == WORDS)
		return;
	if (word < WORDS_ONCE) {
		line->bad = seen[word];
		seen[word] = true;
	}
	switch ((enum word)word) {
	case WORD_VERSION:
		take_word(line, handover->version, sizeof(handover->version));
		break;
	case WORD_PROTOCOL:
		handover->protocol = take_number(line, UINT64_MAX);
		break;
	case WORD_DRAIN:
		handover->drain_s = (uint32_t)take_number(line, UINT32_MAX);
		break;
	case WORD_UPGRADES:
		handover->upgrades = (uint32_t)take_number(line, UINT32_MAX);
		break;
	case WORD_PROGRAM:
		take_rest(line, handover->program, sizeof(handover->program));
		break;
	case WORD_PAUSED:
		handover->paused_ms = take_number(line, UINT64_MAX);
		break;
	case WORD_LACKS:
		handover->lacks = (uint32_t)take_number(line, UINT32_MAX);
		break;
	case WORD_HELD:
		read_held(line, handover);
		break;
	case WORD_FD:
		read_fd(line, handover);
		break;
	case WORD_PLACE:
		read_place(line, handover);
		break;
	case WORD_CHILD:
		read_child(line, handover);
		break;
	case WORD_MUTE:
		read_mute(line, handover);
		break;
	case WORDS:
		break;
	}
}

static bool are_children_apart(const struct handover *handover)
{
	for (size_t i = 0; i < handover->nchildren; i++) {
		const struct handover_child *a = &handover->children[i];
		for (size_t j = i + 1; j < handover->nchildren; j++) {
			const struct handover_child *b = &handover->children[j];
			if (a->pid == b->pid || a->channel == b->channel ||
				(a->number == b->number && strcmp(a->role, b->role) == 0))
				return false;
		}
	}
	return true;
}

/* No number of a descriptor has two meanings, none of the keeper's own and no child stands there
 * twice. */
static bool are_apart(const struct handover *handover)
{
	for (size_t i = 0; i < handover->nfds; i++) {
		const struct handover_fd *a = &handover->fds[i];
		for (size_t j = i + 1; j < handover->nfds; j++) {
			const struct handover_fd *b = &handover->fds[j];
			if (a->fd == b->fd || (strcmp(a->kind, HANDOVER_OWN) == 0 &&
						      strcmp(b->kind, HANDOVER_OWN) == 0 &&
						      strcmp(a->name, b->name) == 0))
				return false;
		}
		for (size_t j = 0; j < handover->nchildren; j++)
			if (handover->children[j].channel == a->fd)
				return false;
	}
	return are_children_apart(handover);
}

/* What nobody can go on without. The others are made anew. */
static bool is_complete(const struct handover *handover, const bool seen[static WORDS_ONCE])
{
	for (unsigned i = 0; i < WORDS_NEEDED; i++)
		if (!seen[i])
			return false;
	return handover_own(handover, HANDOVER_LOCK) >= 0 &&
	       handover_own(handover, HANDOVER_CONTROL_SOCKET) >= 0 &&
	       handover_own(handover, HANDOVER_SESSION_SOCKET) >= 0 &&
	       handover_own(handover, HANDOVER_TABLE) >= 0 &&
	       handover_own(handover, HANDOVER_QUEUE) >= 0;
}

int handover_decode(const char *text, size_t len, struct handover *handover)
{
	static const char first[] = "postern-handover ";
	const char *end = text + len;
	bool seen[WORDS_ONCE] = {false};

	handover_init(handover);
	/* a NUL would cut a word short after it was measured */
	if (len > HANDOVER_BYTES_MAX || len < sizeof(first) || memchr(text, '\0', len) ||
		memcmp(text, first, sizeof(first) - 1) != 0)
		return -EBADMSG;
	for (unsigned number = 0; text < end; number++) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		if (!newline)
			return -EBADMSG;
		struct line line = {text, newline, false};
		text = newline + 1;
		if (newline - line.at == 3 && memcmp(line.at, "end", 3) == 0)
			return text == end && are_apart(handover) && is_complete(handover, seen)
				       ? 0
				       : -EBADMSG;
		if (number == 0) {
			line.at += sizeof(first) - 1;
			line.bad = take_number(&line, UINT32_MAX) != HANDOVER_FORMAT;
		} else {
			read_line(&line, handover, seen);
		}
		if (line.bad)
			return -EBADMSG;
	}
	return -EBADMSG;
}
