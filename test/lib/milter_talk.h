/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns a talk with a filter in a script: what the owner of a milter gives it, what the filter says,
 * and what has to come out. The owner goes by the rules of lib/milter/milter.h and no more. */
#ifndef TEST_MILTER_TALK_H
#define TEST_MILTER_TALK_H

#include "lib/milter/milter.h"

#define MILTER_TALK_MAX (1 << 22)

struct milter_talk {
	struct milter milter;
	struct milter_setup setup;
	struct milter_macros macros;
	struct milter_out out;
	uint64_t now_ms;
	size_t cut;        /* bytes of a text a call; 0: all */
	size_t filter_cut; /* of the filter's */
	uint8_t bytes[MILTER_ROOM];
	/* of a text: what is still to be given */
	char *text;
	size_t text_len, text_at;
	/* what was told, and of what it was not looked at */
	size_t told_len, told_seen;
	uint8_t told[MILTER_TALK_MAX];
	unsigned writes;
	uint8_t answer, why; /* the last one that was not NONE */
	char refusal[1024];
	bool close_client;
};

/* As a filter that wants and answers all but for these bits. Nothing is told that was not seen. */
struct milter_talk *milter_talk_new(uint32_t protocol);
void milter_talk_free(struct milter_talk *talk);
/* A filter's packet. */
void milter_talk_say(struct milter_talk *talk, char letter, const void *data, size_t len);
void milter_talk_bytes(struct milter_talk *talk, const void *bytes, size_t len);
/* The owner gives a text, as far as it may; the rest when the filter lets it go on. */
void milter_talk_text(struct milter_talk *talk, const char *text, size_t len);

/* Lines, each by its first letter; \r \n \0 \t \\ \xNN are one byte:
 * "c" "h NAME" "m ADDRESS" "r ADDRESS" "d" "t TEXT" "e" "a" "q"   connect to quit
 * "Fx..." a packet of the filter, x its letter          "B BYTES" these bytes of it, no more
 * "X" it closes                                         "T MS" time goes by
 * "> PACKETS" all that was told, packets with a blank between, NUL as |
 * "go" "none" "refused 550 5.7.1 words" "failed WHY"    the answer
 * "s STATE" "f WORDS" what the fault has in it */
void milter_talk_run(struct milter_talk *talk, const char *script);
/* The same with every cut of both sides' bytes from 1 to 8. */
void milter_talk_each(uint32_t protocol, const char *script);

#endif
