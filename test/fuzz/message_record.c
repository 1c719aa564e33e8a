/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The record of a message: what is read is written the same, and shown as one line of JSON. */
#include "lib/record/message_record.h"
#include "daemon/control/audit/message/message_text.h"
#include "lib/record/queue_id.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define RECIPIENTS 64

static void show(const struct message_record *record)
{
	for (int whole = 0; whole < 2; whole++) {
		char *text = message_text_dump(record, whole);
		json_t *json = text ? json_loads(text, 0, NULL) : NULL;
		if (!json_is_object(json) || strchr(text, '\n') || strlen(text) >= 1 << 20)
			abort();
		json_decref(json);
		free(text);
	}
}

/* Of a record without what only a later version knows. */
static void write_again(const struct message_record *record)
{
	static uint8_t bytes[MESSAGE_RECORD_BYTES_MAX],
		again[MESSAGE_RECORD_BYTES_MAX + MESSAGE_RECORD_SPARE];
	struct message_recipient recipients[RECIPIENTS];
	struct message_record read;
	size_t at = 0, n = 0;

	while (n < RECIPIENTS && message_recipient_next(record, &at, &recipients[n]))
		n++;
	size_t len = message_record_encode(record, recipients, n, bytes, sizeof(bytes));
	if (!len || message_record_decode(bytes, len, &read) < 0 || read.recipients != n)
		abort();
	size_t twice = message_record_encode(&read, recipients, n, again, sizeof(again));
	if (twice != len || memcmp(bytes, again, len) != 0)
		abort();
	size_t stripped = message_record_strip(&read, again, len + MESSAGE_RECORD_SPARE);
	if (!stripped || stripped > len || message_record_decode(again, stripped, &read) < 0 ||
		read.user.at || read.sender.at || read.client.addr.family != ADDR_NONE)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct message_record record;
	const char *id;

	size_t found = queue_id_find((const char *)data, size, &id);
	if (found && (found > QUEUE_ID_MAX || id < (const char *)data ||
			     id + found > (const char *)data + size))
		abort();
	if (message_record_decode(data, size, &record) < 0)
		return 0;
	show(&record);
	write_again(&record);
	return 0;
}
