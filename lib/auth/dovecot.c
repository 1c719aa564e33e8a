/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/auth/dovecot.h"

#include "lib/base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define VERSION_MAJOR 1
#define VERSION_MINOR 1
#define ESCAPE        '\001'

/* ---- fields ---- */

struct fields {
	const char *at, *end;
	bool over;
};

struct field {
	const char *text; /* as it stands: escaped */
	size_t len;
};

static struct fields fields_of(const char *line, size_t len)
{
	return (struct fields){.at = line, .end = line + len};
}

/* False: there is none left. */
static bool next(struct fields *fields, struct field *field)
{
	if (fields->over)
		return false;
	const char *tab = memchr(fields->at, '\t', (size_t)(fields->end - fields->at));
	const char *end = tab ? tab : fields->end;
	*field = (struct field){fields->at, (size_t)(end - fields->at)};
	fields->over = !tab;
	fields->at = tab ? tab + 1 : end;
	return true;
}

static bool is(const struct field *field, const char *word)
{
	return field->len == strlen(word) && memcmp(field->text, word, field->len) == 0;
}

/* Behind "name=", or NULL: it is another field. */
static const char *value_of(const struct field *field, const char *name)
{
	size_t len = strlen(name);

	return field->len > len && memcmp(field->text, name, len) == 0 && field->text[len] == '='
		       ? field->text + len + 1
		       : NULL;
}

static bool number_of(const struct field *field, uint32_t *number)
{
	uint64_t value = 0;

	if (field->len == 0 || field->len > 10)
		return false;
	for (size_t i = 0; i < field->len; i++) {
		if (field->text[i] < '0' || field->text[i] > '9')
			return false;
		value = value * 10 + (uint64_t)(field->text[i] - '0');
	}
	*number = (uint32_t)value;
	return value <= UINT32_MAX;
}

static char unescaped(char c)
{
	return c == '0' ? '\0' : c == 't' ? '\t' : c == 'r' ? '\r' : c == 'n' ? '\n' : c;
}

/* False: it does not fit. */
static bool copy(const char *value, const char *end, char *out, size_t size)
{
	size_t n = 0;

	for (; value < end; value++) {
		if (n + 1 >= size)
			return false;
		out[n++] = *value == ESCAPE && value + 1 < end ? unescaped(*++value) : *value;
	}
	out[n] = '\0';
	return strlen(out) == n;
}

/* ---- greeting ---- */

static const char *greet_version(struct dovecot_greeting *greeting, struct fields *fields)
{
	uint32_t major, minor;
	struct field field;

	if (!next(fields, &field) || !number_of(&field, &major) || !next(fields, &field) ||
		!number_of(&field, &minor) || major != VERSION_MAJOR)
		return "VERSION 1 of the auth-client protocol";
	greeting->version = true;
	return NULL;
}

static bool is_mechanism(const struct field *name)
{
	for (size_t i = 0; i < name->len; i++) {
		char c = name->text[i];
		if (!(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') && c != '-' && c != '_')
			return false;
	}
	return name->len > 0 && name->len < DOVECOT_MECHANISM_SIZE;
}

/* One that is strange, or one too many, is only not offered. */
static void greet_mechanism(struct dovecot_greeting *greeting, struct fields *fields)
{
	struct field name, flag;

	if (!next(fields, &name) || !is_mechanism(&name) || greeting->n == DOVECOT_MECHANISMS_MAX)
		return;
	struct dovecot_mechanism *mechanism = &greeting->mechanisms[greeting->n++];
	*mechanism = (struct dovecot_mechanism){0};
	memcpy(mechanism->name, name.text, name.len);
	if (is(&name, "EXTERNAL") || is(&name, "ANONYMOUS"))
		mechanism->flags |= DOVECOT_PRIVATE;
	while (next(fields, &flag)) {
		if (is(&flag, "plaintext"))
			mechanism->flags |= DOVECOT_PLAINTEXT;
		else if (is(&flag, "private") || is(&flag, "anonymous"))
			mechanism->flags |= DOVECOT_PRIVATE;
	}
}

const char *dovecot_greet(struct dovecot_greeting *greeting, const char *line, size_t len)
{
	struct fields fields = fields_of(line, len);
	struct field command;

	next(&fields, &command);
	if (is(&command, "VERSION"))
		return greet_version(greeting, &fields);
	if (!greeting->version)
		return "VERSION first";
	if (is(&command, "MECH"))
		greet_mechanism(greeting, &fields);
	else if (is(&command, "SPID"))
		greeting->peer = true;
	else if (is(&command, "DONE"))
		greeting->done = true;
	/* a socket for Dovecot's own (auth-master) says neither */
	if (greeting->done && !greeting->peer)
		return "SPID before DONE: is it a socket of `auth`, not auth-master?";
	return NULL;
}

/* ---- what is asked ---- */

struct out {
	char *bytes;
	size_t size, len;
	bool full;
};

static void put(struct out *out, const char *bytes, size_t len)
{
	if (out->full || len > out->size - out->len) {
		out->full = true;
		return;
	}
	memcpy(out->bytes + out->len, bytes, len);
	out->len += len;
}

__attribute__((format(printf, 2, 3))) static void putf(struct out *out, const char *format, ...)
{
	char text[256];
	va_list arguments;

	va_start(arguments, format);
	int n = vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (n < 0 || (size_t)n >= sizeof(text))
		out->full = true;
	else
		put(out, text, (size_t)n);
}

/* Base64 alone goes behind `resp=`: what it could have of tabs and line ends would be commands. */
static void put_base64(struct out *out, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		char c = text[i];
		bool fits = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
			    (c >= '0' && c <= '9') || c == '+' || c == '/' || c == '=';
		out->full |= !fits;
	}
	put(out, text, len);
}

static size_t end(struct out *out)
{
	put(out, "\n", 1);
	return out->full || out->len > DOVECOT_LINE_MAX ? 0 : out->len;
}

size_t dovecot_hello(uint32_t pid, char *out, size_t room)
{
	struct out to = {.bytes = out, .size = room};

	putf(&to, "VERSION\t%d\t%d\nCPID\t%u", VERSION_MAJOR, VERSION_MINOR, pid);
	return end(&to);
}

size_t dovecot_ask(const struct dovecot_login *login, char *out, size_t room)
{
	struct out to = {.bytes = out, .size = room};

	/* no-penalty: else one guesser makes all who share his address wait; how often may be
	 * guessed is counted here */
	putf(&to, "AUTH\t%u\t%s\tservice=smtp\tnologin\tno-penalty\tlip=%s\trip=%s", login->id,
		login->mechanism, login->server, login->client);
	putf(&to, "\tlport=%u\trport=%u%s", login->server_port, login->client_port,
		login->secured ? "\tsecured" : "");
	if (login->response) { /* the last of all */
		putf(&to, "\tresp=");
		put_base64(&to, login->response, login->response_len);
	}
	return end(&to);
}

size_t dovecot_continue(uint32_t id, const char *response, size_t len, char *out, size_t room)
{
	struct out to = {.bytes = out, .size = room};

	putf(&to, "CONT\t%u\t", id);
	put_base64(&to, response, len);
	return end(&to);
}

size_t dovecot_cancel(uint32_t id, char *out, size_t room)
{
	struct out to = {.bytes = out, .size = room};

	putf(&to, "CANCEL\t%u", id);
	return end(&to);
}

/* ---- what is answered ---- */

static void take_ok(struct fields *fields, struct dovecot_answer *answer)
{
	struct field field;

	answer->kind = DOVECOT_OK;
	while (next(fields, &field)) {
		const char *user = value_of(&field, "user");
		if (!user || copy(user, field.text + field.len, answer->user, DOVECOT_USER_SIZE))
			continue;
		/* not he whose name was typed: that may be another's here */
		*answer = (struct dovecot_answer){.kind = DOVECOT_LATER, .id = answer->id};
		snprintf(answer->reason, sizeof(answer->reason), "%s",
			"the user's name that it says does not fit");
		return;
	}
}

static void take_fail(struct fields *fields, struct dovecot_answer *answer)
{
	struct field field;

	answer->kind = DOVECOT_NO;
	while (next(fields, &field)) {
		const char *end_of = field.text + field.len;
		const char *reason = value_of(&field, "reason");
		const char *code = value_of(&field, "code");
		if (is(&field, "temp") ||
			(code && (size_t)(end_of - code) == strlen("temp_fail") &&
				memcmp(code, "temp_fail", strlen("temp_fail")) == 0))
			answer->kind = DOVECOT_LATER;
		if (reason && !copy(reason, end_of, answer->reason, DOVECOT_TEXT_SIZE))
			answer->reason[0] = '\0';
	}
	text_blank(answer->reason);
}

void dovecot_answer(const char *line, size_t len, struct dovecot_answer *answer)
{
	struct fields fields = fields_of(line, len);
	struct field command, field;

	*answer = (struct dovecot_answer){.kind = DOVECOT_ANOTHER};
	next(&fields, &command);
	bool ok = is(&command, "OK"), fail = is(&command, "FAIL"), cont = is(&command, "CONT");
	if (!ok && !fail && !cont)
		return;
	if (!next(&fields, &field) || !number_of(&field, &answer->id)) {
		answer->kind = DOVECOT_NONSENSE;
	} else if (ok) {
		take_ok(&fields, answer);
	} else if (fail) {
		take_fail(&fields, answer);
	} else if (next(&fields, &field)) {
		answer->kind = DOVECOT_MORE;
		answer->challenge = field.text;
		answer->challenge_len = field.len;
	} else {
		answer->kind = DOVECOT_MORE; /* an empty challenge */
		answer->challenge = "";
	}
}
