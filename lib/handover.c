#include "lib/handover.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define FD_MAX 1048575

static const char *const fd_names[] = {
	[HANDOVER_LOCK] = "lock",
	[HANDOVER_CONTROL_SOCKET] = "control-socket",
	[HANDOVER_SESSION_SOCKET] = "session-socket",
	[HANDOVER_LIMIT] = "limit",
	[HANDOVER_QUEUE_STATS] = "queue-stats",
	[HANDOVER_NOTIFY] = "notify",
	[HANDOVER_TABLE] = "table",
	[HANDOVER_QUEUE] = "queue",
	[HANDOVER_PLAN] = "plan",
	[HANDOVER_DESK_SOCKET] = "desk-socket",
};
_Static_assert(sizeof(fd_names) / sizeof(fd_names[0]) == HANDOVER_FDS, "every one has its name");

static const char *const role_names[] = {
	[HANDOVER_RELAY] = "relay",
	[HANDOVER_HEALTH] = "health",
};
#define ROLES (sizeof(role_names) / sizeof(role_names[0]))

void handover_init(struct handover *handover)
{
	*handover = (struct handover){0};
	for (size_t i = 0; i < HANDOVER_FDS; i++)
		handover->fds[i] = -1;
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
	for (size_t i = 0; i < HANDOVER_FDS; i++)
		if (handover->fds[i] >= 0)
			put(&writer, "fd %s %d\n", fd_names[i], handover->fds[i]);
	for (size_t i = 0; i < handover->nplaces; i++)
		put(&writer, "place %d %d\n", handover->places[i].listener4,
			handover->places[i].listener6);
	for (size_t i = 0; i < handover->nchildren; i++) {
		const struct handover_child *child = &handover->children[i];
		if (!is_clean(child->version, false))
			return -EINVAL;
		put(&writer, "child %s %" PRIu32 " %" PRIu32 " %" PRId32 " %d %" PRIu64 " %s\n",
			role_names[child->role], child->number, child->generation, child->pid,
			child->channel, child->until_ms, child->version);
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

/* A listener may be closed. */
static int take_listener(struct line *line)
{
	if (line->end - line->at >= 2 && memcmp(line->at, "-1", 2) == 0) {
		char word[8];
		take_word(line, word, sizeof(word));
		return -1;
	}
	return take_fd(line);
}

static void read_fd(struct line *line, struct handover *handover)
{
	char name[32];

	take_word(line, name, sizeof(name));
	int fd = take_fd(line);
	for (size_t i = 0; !line->bad && i < HANDOVER_FDS; i++) {
		if (strcmp(name, fd_names[i]) != 0)
			continue;
		line->bad = handover->fds[i] >= 0;
		handover->fds[i] = fd;
	}
}

static void read_child(struct line *line, struct handover *handover)
{
	struct handover_child child = {0};
	char name[16];
	size_t role = 0;

	take_word(line, name, sizeof(name));
	while (role < ROLES && strcmp(name, role_names[role]) != 0)
		role++;
	child.role = (enum handover_role)role;
	child.number = (uint32_t)take_number(line, HANDOVER_NUMBERS_MAX - 1);
	child.generation = (uint32_t)take_number(line, UINT32_MAX);
	child.pid = (int32_t)take_number(line, INT32_MAX);
	child.channel = take_fd(line);
	child.until_ms = take_number(line, UINT64_MAX);
	take_word(line, child.version, sizeof(child.version));
	line->bad |= child.pid < 2 || handover->nchildren == HANDOVER_CHILDREN_MAX;
	if (role == ROLES || line->bad)
		return; /* a kind of child that we do not have ends by itself */
	handover->children[handover->nchildren++] = child;
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
	WORD_FD = WORDS_ONCE,
	WORD_PLACE,
	WORD_CHILD,
	WORDS,
};

static const char *const words[] = {[WORD_VERSION] = "version",
	[WORD_PROTOCOL] = "protocol",
	[WORD_DRAIN] = "drain",
	[WORD_UPGRADES] = "upgrades",
	[WORD_PROGRAM] = "program",
	[WORD_PAUSED] = "paused",
	[WORD_LACKS] = "lacks",
	[WORD_FD] = "fd",
	[WORD_PLACE] = "place",
	[WORD_CHILD] = "child"};

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
	case WORD_FD:
		read_fd(line, handover);
		break;
	case WORD_PLACE:
		if (handover->nplaces == HANDOVER_PLACES_MAX) {
			line->bad = true;
			break;
		}
		handover->places[handover->nplaces].listener4 = take_listener(line);
		handover->places[handover->nplaces++].listener6 = take_listener(line);
		break;
	case WORD_CHILD:
		read_child(line, handover);
		break;
	case WORDS:
		break;
	}
}

/* No number of a descriptor has two meanings, and no child stands there twice. */
static bool are_apart(const struct handover *handover)
{
	int fds[HANDOVER_FDS + 2 * HANDOVER_PLACES_MAX + HANDOVER_CHILDREN_MAX];
	size_t n = 0;

	for (size_t i = 0; i < HANDOVER_FDS; i++)
		fds[n++] = handover->fds[i];
	for (size_t i = 0; i < handover->nplaces; i++) {
		fds[n++] = handover->places[i].listener4;
		fds[n++] = handover->places[i].listener6;
	}
	for (size_t i = 0; i < handover->nchildren; i++)
		fds[n++] = handover->children[i].channel;
	for (size_t i = 0; i < n; i++)
		for (size_t j = i + 1; j < n; j++)
			if (fds[i] >= 0 && fds[i] == fds[j])
				return false;
	for (size_t i = 0; i < handover->nchildren; i++) {
		const struct handover_child *a = &handover->children[i];
		for (size_t j = i + 1; j < handover->nchildren; j++) {
			const struct handover_child *b = &handover->children[j];
			if (a->pid == b->pid || (a->role == b->role && a->number == b->number))
				return false;
		}
	}
	return true;
}

/* What nobody can go on without. The others are made anew. */
static bool is_complete(const struct handover *handover, const bool seen[static WORDS_ONCE])
{
	for (unsigned i = 0; i < WORDS_NEEDED; i++)
		if (!seen[i])
			return false;
	return handover->nplaces > 0 && handover->fds[HANDOVER_LOCK] >= 0 &&
	       handover->fds[HANDOVER_CONTROL_SOCKET] >= 0 &&
	       handover->fds[HANDOVER_SESSION_SOCKET] >= 0 && handover->fds[HANDOVER_TABLE] >= 0 &&
	       handover->fds[HANDOVER_QUEUE] >= 0;
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
