/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The text behind DATA: however it is cut, what goes to the server, and what is to be stored, is
 * the text that a second reading finds, and ends where that one says; or nothing more is written.
 * What is stored becomes the same on its way once more. */
#include "lib/smtp/text/body.h"
#include "lib/smtp/text/stuff.h"

#include "test/lib/smtp_text.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct reading {
	struct smtp_body body;
	enum smtp_body_status status;
	size_t used;
	struct smtp_body_out sent, stored;
};

static void read_text(struct reading *reading, bool repair, const char *bytes, size_t len,
	size_t step, size_t room)
{
	*reading = (struct reading){
		.sent.bytes = malloc(2 * len + room), .stored.bytes = malloc(2 * len + room)};
	smtp_body_init(&reading->body, repair);
	while (reading->used < len && reading->status != SMTP_BODY_END) {
		size_t left = len - reading->used, used;
		reading->sent.room = reading->sent.len + room;
		reading->stored.room = reading->stored.len + room;
		reading->status = smtp_body_feed(&reading->body, bytes + reading->used,
			left < step ? left : step, &used, &reading->sent, &reading->stored);
		assert(used > 0 && reading->sent.len <= reading->sent.room);
		assert(reading->stored.len <= reading->stored.room);
		reading->used += used;
	}
}

/* Whatever is given to be sent: it goes as one text, or not to its end. */
static void check_stuffed(const char *bytes, size_t len, size_t room, bool good)
{
	char *out = malloc(SMTP_STUFF_ROOM(len) + room), *text = malloc(len + 1);
	size_t used = 0, sent = 0, text_len, n;
	enum smtp_stuff at = SMTP_STUFF_LINE;

	while (used < len && at != SMTP_STUFF_BAD) {
		size_t took = smtp_stuff(&at, bytes + used, len - used, out + sent, room, &n);
		assert(n <= room && (took > 0 || at == SMTP_STUFF_BAD));
		used += took;
		sent += n;
	}
	assert(!good || at == SMTP_STUFF_LINE);
	if (at == SMTP_STUFF_LINE) {
		assert(smtp_text_end(out, sent) == 0);
		assert(smtp_text_stored(out, sent, text, &text_len));
		assert(text_len == len && memcmp(text, bytes, len) == 0);
	}
	free(out);
	free(text);
}

static void check(const struct reading *reading, bool repair, const char *bytes, size_t len)
{
	char *text = malloc(2 * len + 1), *stored = malloc(2 * len + 1);
	size_t end = smtp_text_end(bytes, len), text_len, stored_len;

	assert((reading->status == SMTP_BODY_END) == (end > 0));
	assert(reading->used == (end ? end : len));
	if (end > 0) {
		bool good = smtp_text_of(bytes, end - 3, repair, text, &text_len);
		assert(good == (reading->body.bad == 0));
		assert(good == (smtp_body_refusal(&reading->body) == NULL));
		if (good) {
			assert(smtp_text_stored(
				reading->sent.bytes, reading->sent.len, stored, &stored_len));
			assert(stored_len == text_len && memcmp(stored, text, text_len) == 0);
			assert(reading->stored.len == text_len);
			assert(memcmp(reading->stored.bytes, text, text_len) == 0);
			check_stuffed(text, text_len, 2 + len % 5, true);
			assert(reading->body.bytes == text_len);
		}
	}
	free(text);
	free(stored);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reading whole, cut;

	if (size == 0)
		return 0;
	bool repair = data[0] & 1;
	const char *bytes = (const char *)data + 1;
	size_t len = size - 1;
	read_text(&whole, repair, bytes, len, len, 2 * len + SMTP_BODY_ROOM);
	read_text(
		&cut, repair, bytes, len, 1 + (data[0] >> 1) % 16, SMTP_BODY_ROOM + (data[0] >> 5));
	assert(memcmp(&whole.body, &cut.body, sizeof(whole.body)) == 0);
	assert(whole.status == cut.status && whole.used == cut.used);
	assert(whole.sent.len == cut.sent.len);
	assert(memcmp(whole.sent.bytes, cut.sent.bytes, cut.sent.len) == 0);
	assert(whole.stored.len == cut.stored.len);
	assert(memcmp(whole.stored.bytes, cut.stored.bytes, cut.stored.len) == 0);
	check_stuffed(bytes, len, 2 * len + 2, false);
	check(&whole, repair, bytes, len);
	free(whole.sent.bytes);
	free(whole.stored.bytes);
	free(cut.sent.bytes);
	free(cut.stored.bytes);
	return 0;
}
