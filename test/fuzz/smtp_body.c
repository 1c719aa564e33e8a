/* The text behind DATA: however it is cut, what goes to the server is the text that a second
 * reading finds, and ends where that one says; or nothing more is written. */
#include "lib/smtp/body.h"

#include "test/lib/smtp_text.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct reading {
	struct smtp_body body;
	enum smtp_body_status status;
	size_t used, written;
	char *out;
};

static void read_text(struct reading *reading, bool repair, const char *bytes, size_t len,
	size_t step, size_t room)
{
	*reading = (struct reading){.out = malloc(2 * len + room)};
	smtp_body_init(&reading->body, repair);
	while (reading->used < len && reading->status != SMTP_BODY_END) {
		size_t left = len - reading->used, used, written;
		reading->status = smtp_body_feed(&reading->body, bytes + reading->used,
			left < step ? left : step, &used, reading->out + reading->written, room,
			&written);
		assert(used > 0 && written <= room);
		reading->used += used;
		reading->written += written;
	}
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
				reading->out, reading->written, stored, &stored_len));
			assert(stored_len == text_len && memcmp(stored, text, text_len) == 0);
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
	assert(whole.written == cut.written && memcmp(whole.out, cut.out, cut.written) == 0);
	check(&whole, repair, bytes, len);
	free(whole.out);
	free(cut.out);
	return 0;
}
