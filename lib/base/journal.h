/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the form of a log entry: journald's native protocol, and the line of syslog.
 *
 * Source: systemd.io/JOURNAL_NATIVE_PROTOCOL, and RFC 3164, section 4.1, without the host name as
 * on every local socket. An entry never takes more than JOURNAL_SIZE, so it always fits into one
 * datagram and never needs a file of its own. */
#ifndef POSTERN_LIB_BASE_JOURNAL_H
#define POSTERN_LIB_BASE_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#define JOURNAL_SIZE 8192

/* One entry that is being written. */
struct journal {
	size_t len;
	char bytes[JOURNAL_SIZE];
};

void journal_init(struct journal *journal);
/* Adds a field. The name is ours: upper case, digits, underscores. The value may be anything; with
 * a line break in it, it goes in the form that counts its bytes, so that it cannot end its field.
 * false: it does not fit whole, and is left out. */
bool journal_put(struct journal *journal, const char *name, const char *value);
/* The line of syslog in place of fields; cut where it does not fit. priority: with the facility. */
void journal_syslog(struct journal *journal, int priority, const struct tm *at, const char *ident,
	int pid, const char *text);

#endif
