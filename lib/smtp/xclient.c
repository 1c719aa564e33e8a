/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/smtp/xclient.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* In the order in which they are sent; ADDR last. */
static const struct {
	const char *name;
	enum xclient_attribute attribute;
} attributes[] = {
	{"NAME", XCLIENT_NAME},
	{"REVERSE_NAME", XCLIENT_REVERSE_NAME},
	{"PORT", XCLIENT_PORT},
	{"LOGIN", XCLIENT_LOGIN},
	{"DESTADDR", XCLIENT_DESTADDR},
	{"DESTPORT", XCLIENT_DESTPORT},
	{"ADDR", XCLIENT_ADDR},
};
#define ATTRIBUTES (sizeof(attributes) / sizeof(*attributes))

/* A user name of 127 bytes, each as "+XX", fits a line of its own. */
#define VALUE_SIZE 400

#define LABEL_MAX      63
#define NAME_MAX_BYTES 255

const char *xclient_attribute_name(enum xclient_attribute attribute)
{
	for (size_t i = 0; i < ATTRIBUTES; i++)
		if (attributes[i].attribute == attribute)
			return attributes[i].name;
	return "?";
}

unsigned xclient_offered(const char *text, size_t len)
{
	unsigned offered = 0;
	for (size_t at = 0; at < len;) {
		size_t end = at;
		while (end < len && !memchr(" \t\r\n", text[end], 4))
			end++;
		for (size_t i = 0; i < ATTRIBUTES; i++)
			if (strlen(attributes[i].name) == end - at &&
				strncasecmp(attributes[i].name, text + at, end - at) == 0)
				offered |= attributes[i].attribute;
		at = end + 1;
	}
	return offered;
}

/* RFC 3461, section 4: xtext. The whole text or, where it does not fit, nothing. */
static void format_xtext(const char *text, char value[static VALUE_SIZE])
{
	size_t used = 0;
	for (; *text && used + 4 <= VALUE_SIZE; text++) {
		unsigned char c = (unsigned char)*text;
		if (c > ' ' && c < 0x7f && c != '+' && c != '=')
			value[used++] = (char)c;
		else
			used += (size_t)snprintf(value + used, 4, "+%02X", c);
	}
	value[*text ? 0 : used] = '\0';
}

static bool is_label_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '-';
}

/* As Postfix has it (valid_hostname): a server that is told another refuses the identity, and a
 * stranger's DNS would take the server from all. */
static bool is_host_name(const char *name)
{
	size_t len = strlen(name), label = 0;
	bool numeric = true;

	for (size_t i = 0; i < len; i++) {
		bool last = i + 1 == len || name[i + 1] == '.';
		if (name[i] == '.' && (label == 0 || i + 1 == len))
			return false;
		if (name[i] == '-' && (label == 0 || last))
			return false;
		if (name[i] != '.' && (!is_label_byte(name[i]) || label == LABEL_MAX))
			return false;
		label = name[i] == '.' ? 0 : label + 1;
		numeric &= (name[i] >= '0' && name[i] <= '9') || name[i] == '.';
	}
	return len > 0 && len <= NAME_MAX_BYTES && !numeric;
}

static void format_name(const char *name, bool open, char value[static VALUE_SIZE])
{
	bool good = name && is_host_name(name);

	snprintf(value, VALUE_SIZE, "%s",
		good            ? name
		: open && !name ? "[TEMPUNAVAIL]"
				: "[UNAVAILABLE]");
}

static void format_addr(const struct addr *addr, char value[static VALUE_SIZE])
{
	char text[ADDR_TEXT_SIZE];
	snprintf(value, VALUE_SIZE, "%s%s", addr->family == ADDR_IP6 ? "IPV6:" : "",
		addr_format(addr, text));
}

static void format_value(const struct xclient_identity *identity, enum xclient_attribute attribute,
	char value[static VALUE_SIZE])
{
	switch (attribute) {
	case XCLIENT_NAME:
		format_name(identity->name, identity->name_open, value);
		break;
	case XCLIENT_REVERSE_NAME:
		format_name(identity->reverse_name, identity->name_open, value);
		break;
	case XCLIENT_ADDR:
		format_addr(&identity->client.addr, value);
		break;
	case XCLIENT_PORT:
		snprintf(value, VALUE_SIZE, "%u", identity->client.port);
		break;
	case XCLIENT_LOGIN:
		format_xtext(identity->login, value);
		break;
	case XCLIENT_DESTADDR:
		format_addr(&identity->original.addr, value);
		break;
	case XCLIENT_DESTPORT:
		snprintf(value, VALUE_SIZE, "%u", identity->original.port);
		break;
	}
}

/* Puts one attribute on the last command, or begins another when the line would be too long. */
static void put_attribute(
	struct xclient_commands *commands, size_t *used, const char *name, const char *value)
{
	size_t need = strlen(name) + strlen(value) + 2;
	if (commands->n == 0 || commands->len[commands->n - 1] + need + 2 > XCLIENT_LINE_MAX) {
		if (commands->n > 0) {
			memcpy(commands->text + *used, "\r\n", 2);
			*used += 2;
			commands->len[commands->n - 1] += 2;
		}
		memcpy(commands->text + *used, "XCLIENT", 7);
		*used += 7;
		commands->len[commands->n++] = 7;
	}
	*used += (size_t)snprintf(
		commands->text + *used, XCLIENT_SIZE - *used, " %s=%s", name, value);
	commands->len[commands->n - 1] += (uint16_t)need;
}

int xclient_encode(const struct xclient_identity *identity, unsigned offered,
	struct xclient_commands *commands)
{
	bool login = identity->login && *identity->login;
	unsigned needed = XCLIENT_NAME | XCLIENT_ADDR | XCLIENT_PORT | (login ? XCLIENT_LOGIN : 0);
	size_t used = 0;

	*commands = (struct xclient_commands){.n = 0};
	for (size_t i = 0; i < ATTRIBUTES; i++) {
		char value[VALUE_SIZE];
		enum xclient_attribute attribute = attributes[i].attribute;
		if (needed & attribute & ~offered)
			return -(int)attribute;
		if (!(offered & attribute) || (attribute == XCLIENT_LOGIN && !login))
			continue;
		format_value(identity, attribute, value);
		if (!*value) /* a user name that cannot be told is not left out silently */
			return -(int)attribute;
		put_attribute(commands, &used, attributes[i].name, value);
	}
	memcpy(commands->text + used, "\r\n", 2);
	commands->len[commands->n - 1] += 2;
	return 0;
}
