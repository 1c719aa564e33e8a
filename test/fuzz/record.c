/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Records between processes, whole and in parts: nothing is handed out that is longer than a record
 * may be, what is a flow has one spelling, and nothing is left behind. The input is a row of ipcs,
 * each with its length (two bytes, little endian) in front. */
#include "lib/ipc/record.h"
#include "lib/ipc/flow.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t sum; /* keeps the reads */

static void read_flow(const uint8_t *bytes, size_t len)
{
	uint8_t again[IPC_FLOW_BYTES_MAX];
	struct ipc_flow flow;

	if (ipc_flow_decode(bytes, len, &flow) < 0)
		return;
	sum += strlen(ending_names[flow.ending]) + strlen(flow.detail);
	if (ipc_flow_encode(&flow, again) != len || memcmp(again, bytes, len) != 0)
		abort();
}

static void take(void *context, enum ipc_record_kind kind, const uint8_t *bytes, size_t len)
{
	(void)context;
	if (kind < IPC_RECORD_FLOW || kind >= IPC_RECORD_KINDS || len == 0 ||
		len > IPC_RECORD_BYTES_MAX)
		abort();
	for (size_t i = 0; i < len; i++)
		sum += bytes[i];
	read_flow(bytes, len);
}

static void hear(struct ipc_assembly *assembly, const uint8_t *data, size_t len)
{
	/* exact and aligned: a read behind the end is seen */
	struct ipc_records *records = malloc(sizeof(*records) + len);

	if (!records)
		return;
	ipc_init(records, IPC_RECORDS, sizeof(*records));
	records->header.bytes += (uint32_t)len;
	memcpy(records->data, data, len);
	if (ipc_check(records, records->header.bytes) == 0)
		ipc_records_read(assembly, records, take, NULL);
	free(records);
	if (assembly->bytes && assembly->len > IPC_RECORD_BYTES_MAX)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ipc_assembly assembly = {0};

	read_flow(data, size);
	while (size > 2) {
		size_t len = (size_t)(data[0] | data[1] << 8);
		data += 2;
		size -= 2;
		if (len > size)
			len = size;
		hear(&assembly, data, len);
		data += len;
		size -= len;
	}
	ipc_assembly_end(&assembly);
	return 0;
}
