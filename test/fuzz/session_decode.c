/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bytes to sessions: what is taken comes out as the same bytes again, and can be put in a table. */
#include "lib/policy/session.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct session_storage *storage = malloc(session_storage_size());
	struct session_table *table = session_table_new();
	uint8_t again[SESSION_ENCODED_MAX];
	struct session session;
	size_t used;

	while (size > 0 && (used = session_decode(data, size, &session, storage)) > 0) {
		if (session_encode(&session, again, sizeof(again)) != used ||
			memcmp(again, data, used) != 0)
			abort();
		if (session_table_put(table, &session) < 0)
			abort();
		data += used;
		size -= used;
	}
	session_table_free(table);
	free(storage);
	return 0;
}
