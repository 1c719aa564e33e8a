/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as clamd's configuration: nothing outside of them is read, and what was read last
 * changes nothing when it stands there again. */
#include "lib/scan/clamd_conf.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct clamd_conf once, twice;
	char *bytes = malloc(2 * size + 1);

	assert(bytes);
	if (size)
		memcpy(bytes, data, size);
	bytes[size] = '\n';
	if (size)
		memcpy(bytes + size + 1, data, size);
	clamd_conf_read(&once, bytes, size);
	clamd_conf_read(&twice, bytes, 2 * size + 1);
	assert(memchr(once.socket, '\0', sizeof(once.socket)));
	assert(strcmp(once.socket, twice.socket) == 0 && once.port == twice.port);
	assert(once.alerts == twice.alerts && once.stream_bytes == twice.stream_bytes);
	assert(once.scan_bytes == twice.scan_bytes && once.file_bytes == twice.file_bytes);
	assert(once.stream_bytes && once.scan_bytes && once.file_bytes);
	free(bytes);
	return 0;
}
