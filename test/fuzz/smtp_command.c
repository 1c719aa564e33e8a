/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/smtp/smtp.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void feed(struct smtp_watch *watch, bool server, const uint8_t *bytes, size_t len,
	struct smtp_said *said)
{
	if (server)
		smtp_watch_server(watch, bytes, len, said);
	else
		smtp_watch_client(watch, bytes, len);
}

/* The input is a dialogue: a byte says who speaks (two bits) and for how many bytes. What is noted
 * must not depend on how the bytes were cut. */
static void watch_both_ways(const uint8_t *data, size_t size)
{
	struct smtp_watch whole = {0}, single = {0};
	struct smtp_said said[2] = {{0}};

	for (size_t i = 0; i < size;) {
		unsigned who = data[i] & 3;
		size_t len = data[i++] >> 2;
		if (len > size - i)
			len = size - i;
		if (who == 3) {
			smtp_watch_skip(&whole, len);
			smtp_watch_skip(&single, len);
			continue;
		}
		feed(&whole, who == 2, data + i, len, &said[0]);
		for (size_t j = 0; j < len; j++)
			feed(&single, who == 2, data + i + j, 1, &said[1]);
		i += len;
		assert(memcmp(&whole, &single, sizeof(whole)) == 0);
		assert(strcmp(said[0].text, said[1].text) == 0);
	}
	assert(whole.seen < 1u << SMTP_SEEN_BITS);
	for (unsigned how = 0; how < 4; how++)
		assert(smtp_watch_ending(&whole, how & 1, how & 2) < ENDINGS);
	if (smtp_watch_blind(&whole))
		assert(whole.seen & SMTP_SEEN_TLS);
}

/* All that is said to these bytes, with so much room and so many bytes at a time. */
static size_t answer_all(const uint8_t *data, size_t size, size_t step, size_t room, char *said)
{
	struct smtp_answer answer = {0};
	char *out = malloc(room);
	size_t total = 0;
	bool over = false;

	for (size_t i = 0; i < size && !over;) {
		size_t n = size - i < step ? size - i : step, used, len;
		over = smtp_answer_feed(&answer, data + i, n, &used, "gw", 1, out, room, &len);
		assert(used > 0 && used <= n && len <= room);
		memcpy(said + total, out, len);
		total += len;
		i += used;
	}
	free(out);
	return total;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char said[2][(SMTP_ANSWER_LINES_MAX + 1) * SMTP_LINE_SIZE];

	watch_both_ways(data, size);
	size_t whole = answer_all(data, size, size, SMTP_ANSWER_ROOM, said[0]);
	size_t single = answer_all(data, size, 1, 3 * SMTP_ANSWER_ROOM, said[1]);
	assert(whole == single && memcmp(said[0], said[1], whole) == 0);
	return 0;
}
