/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/ldap/dn.h"

#include "lib/base/text.h"

#include <string.h>
#include <strings.h>

struct text {
	char *bytes;
	size_t size, len;
	bool full;
};

static void put(struct text *text, char c)
{
	if (text->len + 1 >= text->size) {
		text->full = true;
		return;
	}
	text->bytes[text->len++] = c;
}

/* As hexadecimal digits, which RFC 4514, 2.4 allows for every byte: no list of exceptions by place
 * has to be right. */
static void put_escaped(struct text *text, char c)
{
	static const char digits[] = "0123456789abcdef";
	bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		     c == '.' || c == '-' || c == '_' || c == '@' || (uint8_t)c >= 0x80;

	if (plain) {
		put(text, c);
		return;
	}
	put(text, '\\');
	put(text, digits[(uint8_t)c >> 4]);
	put(text, digits[(uint8_t)c & 0xf]);
}

bool dn_check(const char *text, size_t *at)
{
	for (const char *c = text; *c; c++) {
		if (*c != '%')
			continue;
		*at = (size_t)(c - text);
		if (c[1] != 'u' && c[1] != '%')
			return false;
		c++;
	}
	return true;
}

bool dn_fill(const char *text, const char *user, char *dn, size_t size)
{
	struct text to = {.bytes = dn, .size = size};
	bool is_dn = strchr(text, '=') != NULL;

	for (; *text; text++) {
		if (*text != '%') {
			put(&to, *text);
			continue;
		}
		if (*++text == '%')
			put(&to, '%');
		for (const char *c = user; *text == 'u' && *c; c++)
			is_dn ? put_escaped(&to, *c) : put(&to, *c);
	}
	dn[to.len] = '\0';
	return !to.full;
}

/* One byte of a DN's value; a plain separator ends it. */
static bool get_byte(struct ber_slice *value, char *c)
{
	const uint8_t *bytes = value->bytes;
	size_t taken = 1;

	if (value->len == 0 || bytes[0] == ',' || bytes[0] == '+' || bytes[0] == ';')
		return false;
	*c = (char)bytes[0];
	if (bytes[0] == '\\' && value->len > 1) {
		int high = text_hex_digit((char)bytes[1]),
		    low = value->len > 2 ? text_hex_digit((char)bytes[2]) : -1;
		bool digits = high >= 0 && low >= 0;
		*c = digits ? (char)(high << 4 | low) : (char)bytes[1];
		taken = digits ? 3 : 2;
	}
	value->bytes += taken;
	value->len -= taken;
	return true;
}

/* Behind "cn=" of "cn=staff,ou=groups"; false: it is no DN. */
static bool skip_type(struct ber_slice *value)
{
	for (size_t i = 0; i < value->len; i++) {
		uint8_t c = value->bytes[i];
		if (c == '=' && i > 0) {
			value->bytes += i + 1;
			value->len -= i + 1;
			return true;
		}
		bool of_type = ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || (c >= '0' && c <= '9') ||
			       c == '-' || c == '.';
		if (!of_type)
			return false;
	}
	return false;
}

static bool skip_prefix(struct ber_slice *value, const char *prefix)
{
	size_t len = strlen(prefix);

	if (len > value->len || strncasecmp((const char *)value->bytes, prefix, len) != 0)
		return false;
	value->bytes += len;
	value->len -= len;
	return true;
}

bool dn_group(struct ber_slice value, const char *prefix, char *group, size_t size)
{
	struct text to = {.bytes = group, .size = size};
	struct ber_slice whole = value;
	bool is_dn = skip_type(&value);
	char c;

	if (prefix[0]) {
		value = whole;
		if (!skip_prefix(&value, prefix))
			return false;
		is_dn &= strchr(prefix, '=') != NULL;
	}
	while (is_dn && get_byte(&value, &c))
		put(&to, c);
	for (size_t i = 0; !is_dn && i < value.len; i++)
		put(&to, (char)value.bytes[i]);
	group[to.len] = '\0';
	return !to.full && to.len > 0 && strlen(group) == to.len;
}
