#include "lib/journal.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

void journal_init(struct journal *journal)
{
	journal->len = 0;
}

static void put(struct journal *journal, const void *bytes, size_t len)
{
	memcpy(journal->bytes + journal->len, bytes, len);
	journal->len += len;
}

bool journal_put(struct journal *journal, const char *name, const char *value)
{
	size_t name_len = strlen(name), len = strlen(value);
	bool counted = memchr(value, '\n', len) != NULL;

	if (journal->len + name_len + len + 2 + (counted ? 8 : 0) > JOURNAL_SIZE)
		return false;
	put(journal, name, name_len);
	if (counted) {
		unsigned char count[8];
		for (unsigned i = 0; i < 8; i++) /* little endian */
			count[i] = (unsigned char)((uint64_t)len >> (8 * i));
		put(journal, "\n", 1);
		put(journal, count, sizeof(count));
	} else {
		put(journal, "=", 1);
	}
	put(journal, value, len);
	put(journal, "\n", 1);
	return true;
}

void journal_syslog(struct journal *journal, int priority, const struct tm *at, const char *ident,
	int pid, const char *text)
{
	static const char *const months[] = {
		"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

	int n = snprintf(journal->bytes, JOURNAL_SIZE, "<%d>%s %2d %02d:%02d:%02d %s[%d]: %s",
		priority, months[(unsigned)at->tm_mon % 12], at->tm_mday, at->tm_hour, at->tm_min,
		at->tm_sec, ident, pid, text);
	journal->len = n < 0 ? 0 : n < JOURNAL_SIZE ? (size_t)n : JOURNAL_SIZE - 1;
}

/* How long the character is that begins here; 0: not UTF-8, or one that must not be shown. */
static size_t shown(const unsigned char *p)
{
	size_t len = p[0] < 0x80 ? 1 : (p[0] & 0xe0) == 0xc0 ? 2 : (p[0] & 0xf0) == 0xe0 ? 3 : 4;
	uint32_t code = len == 1 ? p[0] : p[0] & (0xffU >> (len + 1));

	if (p[0] < 0x20 || p[0] == 0x7f || (p[0] >= 0x80 && p[0] < 0xc2) || p[0] > 0xf4)
		return 0;
	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80) /* the end of the text is none, either */
			return 0;
		code = code << 6 | (p[i] & 0x3f);
	}
	bool overlong = (len == 3 && code < 0x800) || (len == 4 && code < 0x10000);
	bool control = code >= 0x80 && code < 0xa0;
	bool line_end = code == 0x2028 || code == 0x2029;
	bool turns = (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069) ||
		     code == 0x200e || code == 0x200f || code == 0x61c;
	bool surrogate = code >= 0xd800 && code < 0xe000;
	return overlong || control || line_end || turns || surrogate || code > 0x10ffff ? 0 : len;
}

void journal_blank(char *text)
{
	for (unsigned char *p = (unsigned char *)text; *p;) {
		size_t len = shown(p);
		if (len == 0)
			*p++ = '?';
		p += len;
	}
}
