/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns a message's header from its text to the server: kept while it goes by, and changed as its
 * milters want it, in the order of the policy. */
#ifndef POSTERN_DAEMON_SMTP_SCAN_HEADER_H
#define POSTERN_DAEMON_SMTP_SCAN_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct scans;

/* A larger one goes by unchanged, or not at all if it would have to be changed. */
#define SCAN_HEADER_MAX       (1u << 20)
#define SCAN_HEADER_TOO_LARGE "its header is too large to be changed"

struct scan_header {
	char *bytes; /* up to its end, or more of the text */
	size_t len, room;
	bool too_large, over;
	uint8_t line; /* of the end that is looked for: CRLF CRLF */
	char *front;  /* what is given instead; NULL: it was not asked for */
	size_t front_len;
	uint64_t instead_of;
};

/* False: no memory. */
bool scan_header_begin(struct scans *scans);
void scan_header_put(struct scan_header *header, const char *bytes, size_t len);
/* Makes what its milters want of it. False: it is too large for that, or there is no memory. */
bool scan_header_change(struct scans *scans);
void scan_header_free(struct scan_header *header);

#endif
