/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What clamd says, in any pieces: the same verdict, found in the bytes that are there, and a name
 * that may be shown. */
#include "lib/scan/clamav.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum clamav_verdict read_all(
	struct clamav_answer *answer, const uint8_t *data, size_t size, size_t cut, bool ended)
{
	enum clamav_verdict verdict = CLAMAV_MORE;

	*answer = (struct clamav_answer){0};
	for (size_t at = 0; at < size; at += cut) {
		size_t n = cut < size - at ? cut : size - at;
		uint8_t *copy = malloc(n);
		if (!copy)
			abort();
		memcpy(copy, data + at, n);
		verdict = clamav_read(answer, copy, n, ended);
		free(copy);
	}
	for (size_t i = 0; answer->name[i]; i++)
		assert((unsigned char)answer->name[i] >= ' ');
	assert(strlen(answer->name) < CLAMAV_NAME_SIZE);
	return verdict;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct clamav_answer whole, pieces;

	for (unsigned ended = 0; ended < 2; ended++) {
		enum clamav_verdict verdict = read_all(&whole, data, size, size + 1, ended);
		assert(verdict == read_all(&pieces, data, size, 1, ended));
		/* never without these bytes, and never before the text was whole */
		bool ok = (size == 11) && (memcmp(data, "stream: OK\0", 11) == 0 ||
						  memcmp(data, "stream: OK\n", 11) == 0);
		assert((verdict == CLAMAV_OK) == (ok && ended));
		assert(verdict != CLAMAV_FOUND || memmem(data, size, " FOUND", 6));
		assert(verdict == CLAMAV_MORE || clamav_closed(&whole) == verdict);
	}
	return 0;
}
