/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the client's commands: what was received and not yet read, one line of it at a time, and the
 * verb that a line begins with (RFC 5321 4.1). */
#ifndef POSTERN_LIB_SMTP_COMMAND_H
#define POSTERN_LIB_SMTP_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of a line, CRLF included. Kept for every flow: the longest that is right needs 1,258. It is
 * RFC 5321's 512 with the path as long as path.h takes it, and what the extensions may add: SIZE
 * 26, 8BITMIME 17, SMTPUTF8 10, DSN 124 to MAIL and 536 to RCPT, AUTH 505. */
#define SMTP_COMMAND_MAX 1536

enum smtp_command_status {
	SMTP_COMMAND_MORE,    /* no line is whole */
	SMTP_COMMAND_LINE,    /* one is: its text and its length */
	SMTP_COMMAND_LONG,    /* one longer than SMTP_COMMAND_MAX went by; nothing of it is kept */
	SMTP_COMMAND_CONTROL, /* a whole line, with NUL, a control character or DEL in it */
	SMTP_COMMAND_BARE,  /* a CR without LF, or (strict) an LF without CR: no line to believe */
	SMTP_COMMAND_HELLO, /* a TLS handshake where a command should be */
};

/* Zeroed is its beginning. A copy is one more of the same. */
struct smtp_command {
	uint16_t len;     /* bytes kept */
	uint16_t scanned; /* of them looked at */
	uint16_t line;    /* of the line's text, without its end */
	uint16_t taken;   /* the line with its end: goes with smtp_command_drop() */
	uint8_t status;   /* enum smtp_command_status of what stands first */
	bool skips;       /* inside a line that is too long */
	bool control;     /* the line has what no command has */
	bool cr;          /* the byte before was a CR */
	char bytes[SMTP_COMMAND_MAX];
};

/* How many bytes there is room for. */
size_t smtp_command_room(const struct smtp_command *command);
/* Keeps as many bytes as there is room for; returns how many. */
size_t smtp_command_add(struct smtp_command *command, const void *bytes, size_t len);
/* What stands first. repair: a bare LF ends a line as well. The same until the line is dropped. */
enum smtp_command_status smtp_command_next(struct smtp_command *command, bool repair);
/* As much of a line as is there, whatever its length, but for a byte that may be of its end: how
 * long; 0 while a line may still be whole. It is done with by smtp_command_wipe(). */
size_t smtp_command_part(struct smtp_command *command);
/* The line that was read, or the part, is overwritten and done with. */
void smtp_command_wipe(struct smtp_command *command);
/* Nothing behind the line that was read, or behind none, will be: it is overwritten. */
void smtp_command_cut(struct smtp_command *command);
/* The line that was read is done with. */
void smtp_command_drop(struct smtp_command *command);
/* Are there bytes behind the line that was read? */
bool smtp_command_has_behind(const struct smtp_command *command);

enum smtp_verb {
	SMTP_VERB_NONE, /* no verb that we know */
	SMTP_VERB_HELO,
	SMTP_VERB_EHLO,
	SMTP_VERB_MAIL,
	SMTP_VERB_RCPT,
	SMTP_VERB_DATA,
	SMTP_VERB_RSET,
	SMTP_VERB_NOOP,
	SMTP_VERB_QUIT,
	SMTP_VERB_VRFY,
	SMTP_VERB_HELP,
	SMTP_VERB_BDAT,
	SMTP_VERB_STARTTLS,
	SMTP_VERB_AUTH,
	SMTP_VERB_NEVER, /* EXPN, ETRN, XCLIENT, XFORWARD, BURL, TURN...: known and not for clients
			  */
	SMTP_VERB_FOREIGN, /* GET, POST, CONNECT: no SMTP */
};

/* The verb of a line in any case. *args: where its arguments begin in the line, behind the spaces;
 * *args_len without the spaces at the end. */
enum smtp_verb smtp_command_verb(const char *line, size_t len, size_t *args, size_t *args_len);

#endif
