/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/smtp/command.h"

#include <string.h>
#include <strings.h>

#define TLS_HANDSHAKE 0x16 /* RFC 8446 5.1: the first byte of a record that says hello */

size_t smtp_command_room(const struct smtp_command *command)
{
	return sizeof(command->bytes) - command->len;
}

/* The end of a line stands at `at`; its text and its end are so long. */
static enum smtp_command_status end_line(
	struct smtp_command *command, size_t text_bytes, size_t line_bytes)
{
	bool skipped = command->skips;

	command->line = skipped ? 0 : (uint16_t)text_bytes;
	command->taken = (uint16_t)line_bytes;
	command->skips = false;
	command->cr = false;
	if (skipped)
		return SMTP_COMMAND_LONG;
	return command->control ? SMTP_COMMAND_CONTROL : SMTP_COMMAND_LINE;
}

/* Reads on to the end of the first line. A line too long is thrown away as it comes, but for the
 * bytes that decide where it ends. */
static enum smtp_command_status scan(struct smtp_command *command, bool repair)
{
	if (!command->skips && command->len > 0 &&
		(unsigned char)command->bytes[0] == TLS_HANDSHAKE)
		return SMTP_COMMAND_HELLO;
	while (command->scanned < command->len) {
		unsigned char c = (unsigned char)command->bytes[command->scanned++];
		if (c == '\n' && (command->cr || repair))
			return end_line(
				command, command->scanned - 1u - command->cr, command->scanned);
		if (command->cr || c == '\n')
			return SMTP_COMMAND_BARE;
		command->cr = c == '\r';
		if ((c < ' ' && c != '\r') || c == 0x7f)
			command->control = true;
	}
	if (command->skips || command->len == sizeof(command->bytes)) {
		command->skips = true;
		command->len = command->scanned = 0;
	}
	return SMTP_COMMAND_MORE;
}

size_t smtp_command_add(struct smtp_command *command, const void *bytes, size_t len)
{
	size_t room = smtp_command_room(command);

	if (len > room)
		len = room;
	memcpy(command->bytes + command->len, bytes, len);
	command->len = (uint16_t)(command->len + len);
	return len;
}

enum smtp_command_status smtp_command_next(struct smtp_command *command, bool repair)
{
	if (command->status == SMTP_COMMAND_MORE)
		command->status = (uint8_t)scan(command, repair);
	return (enum smtp_command_status)command->status;
}

void smtp_command_drop(struct smtp_command *command)
{
	command->len = (uint16_t)(command->len - command->taken);
	memmove(command->bytes, command->bytes + command->taken, command->len);
	command->scanned = command->line = command->taken = 0;
	command->status = SMTP_COMMAND_MORE;
	command->control = false;
}

size_t smtp_command_part(struct smtp_command *command)
{
	if (command->len < sizeof(command->bytes) || memchr(command->bytes, '\n', command->len))
		return 0;
	/* what comes behind is looked at as if it stood in front */
	command->taken = (uint16_t)(command->len - 1);
	command->cr = false;
	return command->taken;
}

void smtp_command_wipe(struct smtp_command *command)
{
	smtp_command_drop(command);
	/* where it stood, and where it had stood before what was in front of it went */
	explicit_bzero(command->bytes + command->len, sizeof(command->bytes) - command->len);
}

void smtp_command_cut(struct smtp_command *command)
{
	explicit_bzero(command->bytes + command->taken, sizeof(command->bytes) - command->taken);
	if (command->len > command->taken)
		command->len = command->taken;
	if (command->scanned > command->len)
		command->scanned = command->len;
}

bool smtp_command_has_behind(const struct smtp_command *command)
{
	return command->len > command->taken;
}

static const struct {
	const char *word;
	enum smtp_verb verb;
} verbs[] = {
	{"RCPT", SMTP_VERB_RCPT},
	{"MAIL", SMTP_VERB_MAIL},
	{"DATA", SMTP_VERB_DATA},
	{"EHLO", SMTP_VERB_EHLO},
	{"HELO", SMTP_VERB_HELO},
	{"QUIT", SMTP_VERB_QUIT},
	{"RSET", SMTP_VERB_RSET},
	{"NOOP", SMTP_VERB_NOOP},
	{"VRFY", SMTP_VERB_VRFY},
	{"HELP", SMTP_VERB_HELP},
	{"BDAT", SMTP_VERB_BDAT},
	{"STARTTLS", SMTP_VERB_STARTTLS},
	{"AUTH", SMTP_VERB_AUTH},
	{"EXPN", SMTP_VERB_NEVER},
	{"ETRN", SMTP_VERB_NEVER},
	{"XCLIENT", SMTP_VERB_NEVER},
	{"XFORWARD", SMTP_VERB_NEVER},
	{"BURL", SMTP_VERB_NEVER},
	{"TURN", SMTP_VERB_NEVER},
	{"ATRN", SMTP_VERB_NEVER},
	{"XEXCH50", SMTP_VERB_NEVER},
	{"SEND", SMTP_VERB_NEVER},
	{"SOML", SMTP_VERB_NEVER},
	{"SAML", SMTP_VERB_NEVER},
	{"GET", SMTP_VERB_FOREIGN},
	{"POST", SMTP_VERB_FOREIGN},
	{"CONNECT", SMTP_VERB_FOREIGN},
};

enum smtp_verb smtp_command_verb(const char *line, size_t len, size_t *args, size_t *args_len)
{
	size_t word = 0, end = len;

	while (word < len && line[word] != ' ')
		word++;
	while (end > word && line[end - 1] == ' ')
		end--;
	*args = word;
	while (*args < end && line[*args] == ' ')
		(*args)++;
	*args_len = end - *args;
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strlen(verbs[i].word) == word && strncasecmp(line, verbs[i].word, word) == 0)
			return verbs[i].verb;
	return SMTP_VERB_NONE;
}
