/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/base/journal.h"

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
