/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/smtp/smtp.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A reply read in pieces is the reply read whole, and what is kept of it is fit for a log. */
static void read_both_ways(const uint8_t *data, size_t size, size_t step)
{
	struct smtp_reply whole, pieces;
	char words[SMTP_REPLY_WORDS_SIZE];
	size_t used_whole, used = 0;

	smtp_reply_init(&whole);
	enum smtp_reply_status status = smtp_reply_feed(&whole, data, size, &used_whole);
	smtp_reply_init(&pieces);
	for (size_t i = 0; i < size && pieces.status == SMTP_REPLY_MORE; i += step) {
		size_t n;
		smtp_reply_feed(&pieces, data + i, size - i < step ? size - i : step, &n);
		used += n;
	}
	assert(pieces.status == status && used == used_whole && used == whole.bytes);
	assert(used <= size && used <= SMTP_REPLY_BYTES_MAX);
	assert(whole.code == pieces.code && whole.offers == pieces.offers);
	assert(strcmp(whole.enhanced, pieces.enhanced) == 0);
	if (status == SMTP_REPLY_DONE) {
		assert(whole.code >= 200 && whole.code <= 599);
		assert(data[used - 1] == '\n');
		assert(strcmp(whole.text, pieces.text) == 0);
	}
	smtp_reply_words(&whole, words);
	for (const char *p = words; *p; p++)
		assert(*p >= ' ' && *p <= '~');
}

/* The bytes as an operator's text. */
static void format_text(const uint8_t *data, size_t size)
{
	char text[1024], line[SMTP_LINE_SIZE];
	size_t n = size < sizeof(text) - 1 ? size : sizeof(text) - 1;

	memcpy(text, data, n);
	text[n] = '\0';
	size_t len = smtp_reply_format(line, 421, n % 2 ? "4.4.1" : NULL, text, text, n);
	assert(len == strlen(line) && len <= 512);
	assert(memcmp(line + len - 3, "]\r\n", 3) == 0);
	for (size_t i = 0; i < len - 2; i++)
		assert((unsigned char)line[i] >= ' ' && line[i] != 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	read_both_ways(data + 1, size - 1, data[0] % 61 + 1);
	format_text(data + 1, size - 1);
	return 0;
}
