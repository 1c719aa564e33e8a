/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns where log entries go: journald's socket, syslog's, or stderr; opened once, never waited for.
 *
 * Whoever reads the log may be slow, stopped or gone: an entry that cannot be handed over now waits
 * in a small buffer, and when that is full, is counted and lost. A relay never waits for its log.
 */
#ifndef POSTERN_DAEMON_BASE_SINK_H
#define POSTERN_DAEMON_BASE_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum sink_kind {
	SINK_STDERR,
	SINK_SYSLOG,
	SINK_JOURNAL,
};

/* Chooses and opens; later nothing needs to be opened. In the foreground it is stderr, unless
 * stderr is the journal's own stream; else the journal, else syslog, else stderr. */
enum sink_kind sink_open(bool foreground);
/* Takes one entry. */
void sink_put(const char *bytes, size_t len);
/* Hands over what waits, as far as it is taken. */
void sink_flush(void);
/* How many entries were lost since this was last asked, and that there is room again to say so;
 * 0: none, or no room yet. */
uint64_t sink_lost(void);

#endif
