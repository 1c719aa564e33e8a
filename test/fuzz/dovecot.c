/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What Dovecot says: whatever the bytes are, nothing outside of them is found, and what is kept is
 * bounded. */
#include "lib/auth/dovecot.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_line(struct dovecot_greeting *greeting, const char *line, size_t len)
{
	struct dovecot_answer answer;

	dovecot_greet(greeting, line, len);
	assert(greeting->n <= DOVECOT_MECHANISMS_MAX);
	for (size_t i = 0; i < greeting->n; i++)
		assert(greeting->mechanisms[i].name[0] &&
			strlen(greeting->mechanisms[i].name) < DOVECOT_MECHANISM_SIZE);
	dovecot_answer(line, len, &answer);
	assert(strlen(answer.user) < DOVECOT_USER_SIZE);
	assert(strlen(answer.reason) < DOVECOT_TEXT_SIZE);
	assert(answer.challenge_len == 0 ||
		(answer.challenge >= line &&
			answer.challenge + answer.challenge_len <= line + len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dovecot_greeting greeting = {0};

	while (size > 0) {
		const uint8_t *end = memchr(data, '\n', size);
		size_t len = end ? (size_t)(end - data) : size;
		char *line = malloc(len ? len : 1); /* exact: a read behind the end is seen */
		if (!line)
			return 0;
		memcpy(line, data, len);
		read_line(&greeting, line, len);
		free(line);
		data += end ? len + 1 : len;
		size -= end ? len + 1 : len;
	}
	return 0;
}
