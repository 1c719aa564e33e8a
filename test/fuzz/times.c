/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Times and amounts as people write them. */
#include "daemon/control/request/moment.h"
#include "lib/language/language.h"

#include <stdlib.h>
#include <string.h>

#define NOW_MS 1894797000000ull

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever is taken can be added to now, and shown, and taken again. */
static void take_duration(const char *text)
{
	char shown[32];
	uint64_t ms, again;

	if (language_parse_duration(text, &ms) < 0)
		return;
	if (ms > LANGUAGE_DURATION_MAX_MS || NOW_MS + ms < NOW_MS)
		abort();
	if (language_parse_duration(language_format_duration(ms, shown), &again) < 0 || again != ms)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t past_ms = 1, next_ms = 1;
	char *text = malloc(size + 1);

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	take_duration(text);
	/* 35,000 years are more than anybody means */
	if (moment_parse_past(text, NOW_MS, &past_ms) == 0 && (!past_ms || past_ms >> 50))
		abort();
	if (moment_parse_next(text, NOW_MS, &next_ms) == 0 && (!next_ms || next_ms >> 50))
		abort();
	free(text);
	return 0;
}
