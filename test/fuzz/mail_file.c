/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A file's bytes: refused with a line and a reason that may be shown, or the same lines with CRLF
 * and nothing else. */
#include "lib/smtp/text/mail_file.h"
#include "lib/base/text.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The text without its CRs is the file without its own, and with a last line end. */
static void compare(const uint8_t *data, size_t size, const char *text, size_t len)
{
	size_t at = 0;

	for (size_t i = 0; i < len; i++) {
		assert(text[i] != '\0');
		if (text[i] == '\r') {
			assert(i + 1 < len && text[i + 1] == '\n');
			continue;
		}
		assert(text[i] != '\n' || (i > 0 && text[i - 1] == '\r'));
		if (at < size && data[at] == '\r')
			at++;
		if (at == size)
			assert(i + 1 == len && text[i] == '\n');
		else
			assert((uint8_t)text[i] == data[at++]);
	}
	assert(at == size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char wrong[MAIL_FILE_WRONG_SIZE] = "", shown[MAIL_FILE_WRONG_SIZE];
	const size_t room = MAIL_FILE_ROOM(size);
	char *bytes = malloc(size ? size : 1), *out = malloc(room);
	size_t len = 0;

	assert(bytes && out);
	memcpy(bytes, data, size);
	if (mail_file_read(bytes, size, out, room, &len, wrong)) {
		assert(len <= room);
		compare(data, size, out, len);
	} else {
		memcpy(shown, wrong, sizeof(shown));
		text_blank(shown);
		assert(*wrong && strcmp(shown, wrong) == 0);
		assert(strncmp(wrong, "it is larger", 12) != 0);
	}
	free(out);
	free(bytes);
	return 0;
}
