/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/smtp/smtp.h"

#include <string.h>

/* Theory of operation.
 *
 * The client's commands are numbered as they end, the server's replies as they end, and reply n
 * belongs to command n, so that pipelining does not confuse. A text's end and a BDAT chunk count as
 * commands, as they are answered. What follows DATA is taken as text at once, and as commands again
 * if the answer is not 354. Where the count goes wrong (a server that does not answer empty lines,
 * bytes that were spliced) it is set right by 354, which answers nothing but DATA, and by a reply
 * while no command waits, which inside a text can only be the text's own.
 *
 * Some commands' replies matter: their numbers are marked, in order, so that of several texts in
 * one pipeline each finds its answer. Marks beyond the room are left out: such a text is not
 * counted. */

enum state {
	STATE_COMMAND,
	STATE_TEXT,  /* of a message, up to CR LF . CR LF */
	STATE_CHUNK, /* of BDAT, `left` bytes more */
	STATE_TLS,   /* record headers are looked at until it is clear that mail may flow */
	STATE_BLIND,
};

/* `at` in STATE_COMMAND: letters of the verb so far, or one of these */
enum {
	AT_LONGEST = 8, /* STARTTLS */
	AT_SIZE,        /* the number behind BDAT */
	AT_LAST,        /* LAST behind the number, as many letters of it */
	AT_REST = AT_LAST + 4,
	AT_UNKNOWN, /* somewhere in a line of which the beginning was not seen */
};

/* `at` in STATE_TEXT */
enum {
	TEXT_LINE, /* at the beginning of a line */
	TEXT_DOT,
	TEXT_DOT_CR,
	TEXT_CR,
	TEXT_REST,
};

enum kind {
	KIND_NONE,
	KIND_DATA,
	KIND_END, /* of a text, by its dot or as BDAT LAST */
	KIND_TLS,
};

enum {
	FLAG_GO = 1 << 1,     /* the text at hand was answered by 354 */
	FLAG_AUTH = 1 << 4,   /* AUTH waits for its answer */
	FLAG_SECRET = 1 << 5, /* the client's next line answers a 334 */
	FLAG_LAST = 1 << 6,   /* BDAT ... LAST */
	FLAG_MORE = 1 << 7,   /* the server's line is not the last of its reply */
};

enum verb {
	VERB_HELO,
	VERB_EHLO,
	VERB_STARTTLS,
	VERB_AUTH,
	VERB_MAIL,
	VERB_RCPT,
	VERB_DATA,
	VERB_BDAT,
	VERB_QUIT,
};
#define VERBS     9
#define ALL_VERBS ((1u << VERBS) - 1)

static const struct {
	char word[AT_LONGEST + 1];
	uint8_t len;
	uint16_t seen;
} verbs[VERBS] = {
	[VERB_HELO] = {"HELO", 4, SMTP_SEEN_HELO},
	[VERB_EHLO] = {"EHLO", 4, SMTP_SEEN_EHLO},
	[VERB_STARTTLS] = {"STARTTLS", 8, SMTP_SEEN_STARTTLS},
	[VERB_AUTH] = {"AUTH", 4, SMTP_SEEN_AUTH},
	[VERB_MAIL] = {"MAIL", 4, SMTP_SEEN_MAIL},
	[VERB_RCPT] = {"RCPT", 4, SMTP_SEEN_RCPT},
	[VERB_DATA] = {"DATA", 4, SMTP_SEEN_DATA},
	[VERB_BDAT] = {"BDAT", 4, SMTP_SEEN_DATA},
	[VERB_QUIT] = {"QUIT", 4, SMTP_SEEN_QUIT},
};

const char *const smtp_seen_names[SMTP_SEEN_BITS] = {
	"helo", "ehlo", "starttls", "tls", "auth", "login", "mail", "rcpt", "data", "quit"};

#define TLS_RECORDS_ENOUGH 2  /* so many of the client's records hold more than an alert */
#define TLS_DATA           23 /* RFC 8446 5.1; from 20 change_cipher_spec to 24 heartbeat */
#define TLS_ALERT_LEN      19 /* an encrypted alert of TLS 1.3 */

static void mark(struct smtp_watch *watch, uint16_t number, enum kind kind)
{
	if (watch->nmarks == SMTP_MARKS)
		return;
	watch->kinds |= (uint16_t)(kind << (2 * watch->nmarks));
	watch->marks[watch->nmarks++] = number;
}

static enum kind kind_at(const struct smtp_watch *watch, unsigned i)
{
	return i < watch->nmarks ? (enum kind)(watch->kinds >> (2 * i) & 3) : KIND_NONE;
}

static unsigned find_mark(const struct smtp_watch *watch, enum kind kind)
{
	unsigned i = 0;
	while (i < watch->nmarks && kind_at(watch, i) != kind)
		i++;
	return i;
}

static void drop_marks(struct smtp_watch *watch, unsigned n)
{
	watch->nmarks = (uint8_t)(watch->nmarks - n);
	for (unsigned i = 0; i < watch->nmarks; i++)
		watch->marks[i] = watch->marks[i + n];
	watch->kinds = n < SMTP_MARKS ? (uint16_t)(watch->kinds >> (2 * n)) : 0;
}

static void begin_line(struct smtp_watch *watch)
{
	watch->at = 0;
	watch->verbs = 0;
}

/* A whole command line was seen: verbs has one bit, or none. */
static void on_command(struct smtp_watch *watch)
{
	uint16_t number = watch->sent++;
	uint16_t which = watch->verbs;

	begin_line(watch);
	if (watch->flags & FLAG_SECRET) {
		watch->flags &= (uint8_t)~FLAG_SECRET;
		return;
	}
	if (which == 0)
		return;
	enum verb verb = (enum verb)__builtin_ctz(which);
	watch->seen |= verbs[verb].seen;
	switch (verb) {
	case VERB_STARTTLS:
		mark(watch, number, KIND_TLS);
		break;
	case VERB_AUTH:
		watch->flags |= FLAG_AUTH;
		break;
	case VERB_RCPT:
		watch->rcpts += watch->rcpts < UINT16_MAX;
		break;
	case VERB_DATA:
		watch->flags &= (uint8_t)~FLAG_GO;
		mark(watch, number, KIND_DATA);
		watch->data_at = number;
		watch->state = STATE_TEXT;
		watch->at = TEXT_LINE;
		break;
	case VERB_BDAT:
		if (watch->flags & FLAG_LAST)
			mark(watch, number, KIND_END);
		watch->flags &= (uint8_t)~FLAG_LAST;
		if (watch->left > 0)
			watch->state = STATE_CHUNK;
		break;
	case VERB_HELO:
	case VERB_EHLO:
	case VERB_MAIL:
	case VERB_QUIT:
		break;
	}
}

/* The verb is over: leaves the bit of the one it was, or none. */
static void end_verb(struct smtp_watch *watch)
{
	for (unsigned i = 0; i < VERBS; i++)
		if (verbs[i].len != watch->at)
			watch->verbs &= (uint16_t) ~(1u << i);
	if (watch->at == 0)
		watch->verbs = 0;
	watch->at = watch->verbs == 1u << VERB_BDAT ? AT_SIZE : AT_REST;
	watch->left = 0;
	watch->flags &= (uint8_t)~FLAG_LAST;
}

static void take_verb(struct smtp_watch *watch, unsigned char c)
{
	unsigned char upper = c & (unsigned char)~0x20;

	if (upper < 'A' || upper > 'Z' || watch->at == AT_LONGEST) {
		end_verb(watch);
		if (upper >= 'A' && upper <= 'Z')
			watch->verbs = 0;
		return;
	}
	if (watch->at == 0)
		watch->verbs = ALL_VERBS;
	for (unsigned i = 0; i < VERBS; i++)
		if (verbs[i].word[watch->at] != (char)upper)
			watch->verbs &= (uint16_t) ~(1u << i);
	watch->at++;
}

/* BDAT SP size [SP LAST], RFC 3030. */
static void take_size(struct smtp_watch *watch, unsigned char c)
{
	static const char last[] = "LAST";

	if (watch->at == AT_SIZE && c >= '0' && c <= '9') {
		uint64_t size = (uint64_t)watch->left * 10 + (unsigned)(c - '0');
		watch->left = size < UINT32_MAX ? (uint32_t)size : UINT32_MAX;
	} else if (watch->at < AT_REST && c != ' ' && c != '\t') {
		unsigned i = watch->at == AT_SIZE ? 0 : watch->at - AT_LAST;
		if ((c & ~0x20) != last[i]) {
			watch->at = AT_REST;
			return;
		}
		watch->at = (uint8_t)(AT_LAST + i + 1);
		if (watch->at == AT_REST)
			watch->flags |= FLAG_LAST;
	}
}

/* Reads commands. Returns how many bytes were used: fewer than len when a text or chunk begins. */
static size_t read_commands(struct smtp_watch *watch, const unsigned char *p, size_t len)
{
	size_t i = 0;

	while (i < len && watch->state == STATE_COMMAND) {
		if (watch->at >= AT_REST) {
			const unsigned char *end = memchr(p + i, '\n', len - i);
			if (!end)
				return len;
			i = (size_t)(end - p);
		}
		unsigned char c = p[i++];
		if (c != '\n') {
			if (watch->at <= AT_LONGEST)
				take_verb(watch, c);
			else
				take_size(watch, c);
			continue;
		}
		if (watch->at == AT_UNKNOWN) {
			begin_line(watch);
			continue;
		}
		if (watch->at <= AT_LONGEST)
			end_verb(watch);
		on_command(watch);
	}
	return i;
}

/* The text is over: its answer comes as the number that a command would have. */
static void on_text_end(struct smtp_watch *watch)
{
	mark(watch, watch->sent++, KIND_END);
	watch->state = STATE_COMMAND;
	begin_line(watch);
}

static size_t read_text(struct smtp_watch *watch, const unsigned char *p, size_t len)
{
	size_t i = 0;

	while (i < len && watch->state == STATE_TEXT) {
		if (watch->at == TEXT_REST) {
			const unsigned char *cr = memchr(p + i, '\r', len - i);
			if (!cr)
				return len;
			i = (size_t)(cr - p);
		}
		unsigned char c = p[i++];
		if (c == '\r')
			watch->at = watch->at == TEXT_DOT ? TEXT_DOT_CR : TEXT_CR;
		else if (c == '\n' && watch->at == TEXT_DOT_CR)
			on_text_end(watch);
		else if (c == '\n' && watch->at == TEXT_CR)
			watch->at = TEXT_LINE;
		else if (c == '.' && watch->at == TEXT_LINE)
			watch->at = TEXT_DOT;
		else
			watch->at = TEXT_REST;
	}
	return i;
}

static size_t read_chunk(struct smtp_watch *watch, size_t len)
{
	size_t n = len < watch->left ? len : watch->left;

	watch->left -= (uint32_t)n;
	if (watch->left == 0) {
		watch->state = STATE_COMMAND;
		begin_line(watch);
	}
	return n;
}

/* Counts the client's records that can hold more than an alert. Fewer than two means that it never
 * came so far as to say EHLO again: it did not like the certificate. `verbs` is the record's type
 * here, `rcpts` stays, and `sent` counts. */
static size_t read_tls(struct smtp_watch *watch, const unsigned char *p, size_t len)
{
	size_t i = 0;

	while (i < len && watch->state == STATE_TLS) {
		if (watch->at == 5) {
			size_t n = len - i < watch->left ? len - i : watch->left;
			i += n;
			watch->left -= (uint32_t)n;
			if (watch->left == 0)
				watch->at = 0;
			continue;
		}
		unsigned char c = p[i++];
		if (watch->at == 0) {
			watch->verbs = c;
			watch->left = 0;
			if (c < 20 || c > 24)
				watch->state = STATE_BLIND;
		} else if (watch->at >= 3) {
			watch->left = watch->left << 8 | c;
		}
		watch->at++;
		if (watch->at < 5)
			continue;
		if (watch->verbs == TLS_DATA && watch->left > TLS_ALERT_LEN &&
			++watch->sent == TLS_RECORDS_ENOUGH)
			watch->state = STATE_BLIND;
		if (watch->left == 0)
			watch->at = 0;
	}
	return i;
}

void smtp_watch_client(struct smtp_watch *watch, const void *bytes, size_t len)
{
	const unsigned char *p = bytes;

	while (len > 0) {
		size_t used = len;
		switch ((enum state)watch->state) {
		case STATE_COMMAND:
			used = read_commands(watch, p, len);
			break;
		case STATE_TEXT:
			used = read_text(watch, p, len);
			break;
		case STATE_CHUNK:
			used = read_chunk(watch, len);
			break;
		case STATE_TLS:
			used = read_tls(watch, p, len);
			break;
		case STATE_BLIND:
			break;
		}
		p += used;
		len -= used;
	}
}

void smtp_watch_skip(struct smtp_watch *watch, uint64_t len)
{
	if (len == 0)
		return;
	switch ((enum state)watch->state) {
	case STATE_COMMAND:
		watch->at = AT_UNKNOWN;
		break;
	case STATE_TEXT:
		watch->at = TEXT_REST;
		break;
	case STATE_CHUNK:
		if (len > watch->left) {
			watch->left = 0;
			watch->state = STATE_COMMAND;
			watch->at = AT_UNKNOWN;
		} else {
			read_chunk(watch, (size_t)len);
		}
		break;
	case STATE_TLS:
		watch->state = STATE_BLIND;
		break;
	case STATE_BLIND:
		break;
	}
}

static void begin_tls(struct smtp_watch *watch)
{
	watch->seen |= SMTP_SEEN_TLS;
	watch->state = STATE_TLS;
	watch->at = 0;
	watch->sent = 0;
	watch->flags = 0;
	drop_marks(watch, watch->nmarks);
}

/* A reply while nothing waits for one: the server gives up, or a text's end went by unseen. */
static void on_unasked(struct smtp_watch *watch)
{
	if (watch->state != STATE_TEXT || !(watch->flags & FLAG_GO))
		return;
	if (watch->code / 100 == 2)
		watch->messages++;
	watch->flags &= (uint8_t)~FLAG_GO;
	watch->state = STATE_COMMAND;
	begin_line(watch);
}

/* 354: true: some DATA was waiting for it. */
static bool on_go(struct smtp_watch *watch)
{
	unsigned i = find_mark(watch, KIND_DATA);

	if (i == watch->nmarks)
		return false;
	watch->got = (uint16_t)(watch->marks[i] + 1);
	if (watch->marks[i] == watch->data_at)
		watch->flags |= FLAG_GO;
	drop_marks(watch, i + 1);
	return true;
}

static void on_auth_reply(struct smtp_watch *watch)
{
	if (watch->code == 235)
		watch->seen |= SMTP_SEEN_LOGIN;
	if (watch->code == 334)
		watch->flags |= FLAG_SECRET;
	else if (watch->got == watch->sent)
		watch->flags &= (uint8_t)~FLAG_AUTH;
}

static void on_reply(struct smtp_watch *watch)
{
	watch->code = watch->reply_code;
	if (watch->code == 354 && on_go(watch))
		return;
	if (watch->got == watch->sent) {
		on_unasked(watch);
		return;
	}
	uint16_t number = watch->got++;
	enum kind kind = watch->marks[0] == number ? kind_at(watch, 0) : KIND_NONE;
	if (kind != KIND_NONE)
		drop_marks(watch, 1);
	if (watch->flags & FLAG_AUTH)
		on_auth_reply(watch);
	switch (kind) {
	case KIND_NONE:
		break;
	case KIND_DATA: /* refused: what followed it were commands */
		if (number != watch->data_at || watch->state != STATE_TEXT)
			break;
		watch->state = STATE_COMMAND;
		begin_line(watch);
		break;
	case KIND_END:
		watch->flags &= (uint8_t)~FLAG_GO;
		watch->messages += watch->code / 100 == 2;
		break;
	case KIND_TLS:
		if (watch->code == 220)
			begin_tls(watch);
		break;
	}
}

/* The next reply is one to a text: its end was seen, or it was spliced and the server answers. */
static bool answers_text(const struct smtp_watch *watch)
{
	if (watch->got == watch->sent)
		return watch->state == STATE_TEXT && watch->flags & FLAG_GO;
	return watch->nmarks > 0 && watch->marks[0] == watch->got && kind_at(watch, 0) == KIND_END;
}

bool smtp_watch_awaits(const struct smtp_watch *watch)
{
	return find_mark(watch, KIND_END) < watch->nmarks ||
	       (watch->state == STATE_TEXT && watch->flags & FLAG_GO);
}

/* One byte of a reply's line; each line begins anew. */
static void say(struct smtp_said *said, unsigned char c, bool begins)
{
	if (begins)
		said->len = 0;
	if (c != '\r' && c != '\n' && said->len < sizeof(said->text) - 1u)
		said->text[said->len++] = c >= ' ' && c < 0x7f ? (char)c : '?';
	said->text[said->len] = '\0';
}

void smtp_watch_server(
	struct smtp_watch *watch, const void *bytes, size_t len, struct smtp_said *said)
{
	const unsigned char *p = bytes;
	enum {
		SEPARATOR = 3,
		REST,
		WRONG, /* no reply line */
	};

	for (size_t i = 0; i < len && watch->state < STATE_TLS; i++) {
		bool told = said && answers_text(watch);
		if (watch->reply_at >= REST && !told) {
			const unsigned char *end = memchr(p + i, '\n', len - i);
			if (!end)
				return;
			i = (size_t)(end - p);
		}
		unsigned char c = p[i];
		if (told)
			say(said, c, watch->reply_at == 0);
		if (watch->reply_at < SEPARATOR && c != '\n') {
			bool digit = c >= '0' && c <= '9';
			watch->reply_code =
				(uint16_t)((watch->reply_at ? watch->reply_code : 0) * 10 +
					   (digit ? c - '0' : 0));
			watch->reply_at = digit ? (uint8_t)(watch->reply_at + 1) : WRONG;
			continue;
		}
		if (watch->reply_at == SEPARATOR) {
			watch->flags &= (uint8_t)~FLAG_MORE;
			if (c == '-')
				watch->flags |= FLAG_MORE;
			watch->reply_at = REST;
		}
		if (c != '\n')
			continue;
		if (watch->reply_at == REST && !(watch->flags & FLAG_MORE))
			on_reply(watch);
		watch->reply_at = 0;
	}
}

bool smtp_watch_in_text(const struct smtp_watch *watch)
{
	return (watch->state == STATE_TEXT && watch->flags & FLAG_GO) ||
	       watch->state == STATE_CHUNK;
}

bool smtp_watch_blind(const struct smtp_watch *watch)
{
	return watch->state == STATE_BLIND;
}

/* The word for a client that went before any mail did. */
static enum ending ending_of_left(const struct smtp_watch *watch, enum ending otherwise)
{
	if (watch->state == STATE_TLS)
		return ENDING_LEFT_AFTER_STARTTLS;
	if (watch->seen & SMTP_SEEN_MAIL)
		return ENDING_LEFT_AFTER_MAIL;
	if (watch->seen & SMTP_SEEN_LOGIN)
		return otherwise;
	if (watch->seen & SMTP_SEEN_AUTH)
		return ENDING_LEFT_AFTER_AUTH;
	if (watch->seen & SMTP_SEEN_STARTTLS)
		return ENDING_LEFT_AFTER_STARTTLS;
	if (watch->seen & (SMTP_SEEN_EHLO | SMTP_SEEN_HELO))
		return ENDING_LEFT_AFTER_EHLO;
	return watch->seen & SMTP_SEEN_QUIT ? ENDING_QUIT : ENDING_LEFT_AFTER_GREETING;
}

enum ending smtp_watch_ending(const struct smtp_watch *watch, bool client_first, bool reset)
{
	bool quit = watch->seen & SMTP_SEEN_QUIT;
	enum ending plain = quit           ? ENDING_QUIT
			    : client_first ? (reset ? ENDING_CLIENT_RESET : ENDING_CLIENT_CLOSED)
					   : (reset ? ENDING_SERVER_RESET : ENDING_SERVER_CLOSED);

	if (smtp_watch_in_text(watch) || find_mark(watch, KIND_END) < watch->nmarks)
		return client_first ? ENDING_LEFT_IN_DATA : ENDING_SERVER_LEFT_IN_DATA;
	if (watch->state == STATE_BLIND || watch->messages > 0)
		return plain;
	if (client_first || quit || watch->state == STATE_TLS)
		return ending_of_left(watch, plain);
	return plain;
}
