/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns clamd's protocol as one who has a message looked through by it: INSTREAM, and the two
 * commands that show that it is one. Every byte that is read may be an enemy's. */
#ifndef POSTERN_LIB_SCAN_CLAMAV_H
#define POSTERN_LIB_SCAN_CLAMAV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLAMAV_ANSWER_MAX 1024 /* bytes of an answer, with its end */
#define CLAMAV_NAME_SIZE  128  /* of what was found; a longer one is cut */

/* Each command with its NUL, which is sent, too. */
#define CLAMAV_INSTREAM "zINSTREAM"
#define CLAMAV_PING     "zPING"
#define CLAMAV_VERSION  "zVERSION"

#define CLAMAV_HEAD_BYTES 4 /* before each span of the text, and in its place at the end */
/* Before a span of len bytes, not 0; CLAMAV_CHUNK_MAX at most. */
#define CLAMAV_CHUNK_MAX 1048576
void clamav_head(uint8_t head[static CLAMAV_HEAD_BYTES], size_t len);
/* The end of the text. */
void clamav_end(uint8_t head[static CLAMAV_HEAD_BYTES]);

enum clamav_verdict {
	CLAMAV_MORE,      /* the answer is not whole */
	CLAMAV_OK,        /* nothing was found in all of it */
	CLAMAV_FOUND,     /* `name` */
	CLAMAV_TOO_LARGE, /* beyond its limits: it was not, or not wholly, looked at; `name` */
	CLAMAV_ERROR,     /* it says that it cannot: `name` is its words */
	CLAMAV_NONSENSE,  /* no answer to that: `name` is as much of it as may be shown */
};

/* Begins as {0}. */
struct clamav_answer {
	uint8_t verdict;             /* enum clamav_verdict */
	char name[CLAMAV_NAME_SIZE]; /* printable */
	/* private */
	uint16_t n;
	char text[CLAMAV_ANSWER_MAX];
};

/* Bytes of the answer to INSTREAM, in pieces. ended: all of the text and its end were given to be
 * written. It answers earlier only with an error; what it finds before it has seen the end may be
 * believed, an OK never. Bytes behind an answer make it NONSENSE. */
enum clamav_verdict clamav_read(
	struct clamav_answer *answer, const void *bytes, size_t len, bool ended);
/* It closed: NONSENSE, unless the answer was whole. After a write that failed, read to the end
 * first: it says why before it closes. */
enum clamav_verdict clamav_closed(struct clamav_answer *answer);

/* The same for PING and VERSION: OK with `name` as it says it. */
enum clamav_verdict clamav_read_ping(struct clamav_answer *answer, const void *bytes, size_t len);
enum clamav_verdict clamav_read_version(
	struct clamav_answer *answer, const void *bytes, size_t len);

#endif
