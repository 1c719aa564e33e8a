/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The client's lines and a server's EHLO: the same however they are cut, and never out of bounds.
 */
#include "lib/smtp/command.h"
#include "lib/smtp/offers.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What came of the bytes, as a text: each line's status, its length and its bytes. */
struct story {
	size_t len;
	uint8_t *bytes;
};

static void tell(struct story *story, const struct smtp_command *command)
{
	story->bytes[story->len++] = command->status;
	if (command->status != SMTP_COMMAND_LINE && command->status != SMTP_COMMAND_CONTROL)
		return;
	assert(command->line <= command->taken && command->taken <= command->len);
	memcpy(story->bytes + story->len, command->bytes, command->taken);
	story->len += command->taken;
}

static bool is_over(enum smtp_command_status status)
{
	return status == SMTP_COMMAND_BARE || status == SMTP_COMMAND_HELLO;
}

static void read_lines(
	struct story *story, bool repair, const uint8_t *data, size_t size, size_t step)
{
	struct smtp_command *command = calloc(1, sizeof(*command));
	enum smtp_command_status status = SMTP_COMMAND_MORE;

	story->bytes = malloc(2 * size + 1);
	story->len = 0;
	for (size_t i = 0; i < size && !is_over(status);) {
		size_t n = size - i < step ? size - i : step;
		size_t room = smtp_command_room(command);
		size_t used = smtp_command_add(command, data + i, n);
		assert(used > 0 && used == (n < room ? n : room));
		i += used;
		while ((status = smtp_command_next(command, repair)) != SMTP_COMMAND_MORE) {
			tell(story, command);
			if (is_over(status))
				break;
			assert(status == smtp_command_next(command, repair));
			smtp_command_drop(command);
		}
	}
	free(command);
}

static void check_words(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	struct smtp_offers offers = {0};
	size_t args, len;

	memcpy(text, data, size);
	smtp_offers_read(&offers, text, size);
	assert(offers.has_xclient || offers.xclient == 0);
	smtp_command_verb(text, size, &args, &len);
	assert(args + len <= size);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const size_t steps[] = {1, 2, 3, 7, 61, SMTP_COMMAND_MAX - 1, SMTP_COMMAND_MAX};

	if (size < 1)
		return 0;
	bool repair = data[0] & 1;
	struct story whole, other;
	read_lines(&whole, repair, data + 1, size - 1, size);
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		read_lines(&other, repair, data + 1, size - 1, steps[i]);
		assert(other.len == whole.len);
		assert(memcmp(other.bytes, whole.bytes, whole.len) == 0);
		free(other.bytes);
	}
	free(whole.bytes);
	check_words(data + 1, size - 1);
	return 0;
}
