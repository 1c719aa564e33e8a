/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/ipc/handover.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is taken can be written again, and comes back the same. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char text[HANDOVER_BYTES_MAX * 2];
	static struct handover first, second;

	if (handover_decode((const char *)data, size, &first))
		return 0;
	int len = handover_encode(&first, text, sizeof(text));
	if (len < 0 || len > HANDOVER_BYTES_MAX || handover_decode(text, (size_t)len, &second) ||
		memcmp(&first, &second, sizeof(first)) != 0)
		abort();
	return 0;
}
