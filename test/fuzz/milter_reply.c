/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A reply in a filter's own words: what is taken is a refusal of one class in words that may be
 * said to a client. */
#include "lib/milter/reply.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct milter_reply reply;
	char *text = malloc(size + 1);

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	if (!milter_reply_parse(text, &reply)) {
		assert(reply.code >= 400 && reply.code < 600);
		assert(reply.code == strtoul((char[]){text[0], text[1], text[2], 0}, NULL, 10));
		assert(smtp_reply_enhanced(reply.enhanced, reply.code) == strlen(reply.enhanced));
		assert(reply.enhanced[0] && reply.words[0]);
		assert(strlen(reply.words) < sizeof(reply.words));
		for (const char *c = reply.words; *c; c++)
			assert((unsigned char)*c >= ' ' && *c != 0x7f);
	}
	free(text);
	return 0;
}
