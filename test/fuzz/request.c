/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Feeds a stream to the reader of the control protocol in pieces, as a socket would. */
#include "lib/command/request.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *words[REQUEST_WORDS_MAX];
	struct request_reader reader;
	size_t step = size ? data[0] % 37 + 1u : 1;
	request_reader_init(&reader);
	for (size_t at = size ? 1 : 0; at < size;) {
		size_t room, n = size - at < step ? size - at : step;
		uint8_t *to = request_reader_room(&reader, &room);
		if (!to)
			break;
		if (n > room)
			n = room;
		memcpy(to, data + at, n);
		request_reader_fed(&reader, n);
		at += n;
		enum request_kind kind;
		const uint8_t *payload;
		size_t len;
		int got;
		while ((got = request_reader_frame(&reader, &kind, &payload, &len)) == 1) {
			int count = request_words(payload, len, words, REQUEST_WORDS_MAX);
			size_t sum = 0;
			for (int i = 0; i < count; i++)
				sum += strlen(words[i]) + 1;
			if (count >= 0 && sum != len)
				abort();
			request_reader_next(&reader);
		}
		if (got < 0)
			break;
	}
	request_reader_fini(&reader);
	return 0;
}
