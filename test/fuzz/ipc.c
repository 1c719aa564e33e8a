/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages between processes: what ipc_check() lets through may be read as its type says. */
#include "lib/ipc/credential.h"
#include "lib/ipc/flow.h"
#include "lib/ipc/kernel.h"
#include "lib/ipc/replica.h"
#include "lib/policy/element.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t sum; /* keeps the reads */

static void read_text(const char *text)
{
	for (const char *p = text; *p; p++)
		if ((unsigned char)*p < 0x20)
			abort();
	sum += strlen(text);
}

static void read_flow(const struct ipc_flow *flow)
{
	read_text(flow->detail);
	sum += strlen(ending_names[flow->ending]);
	for (uint32_t i = 0; i < flow->nattempts; i++) {
		read_text(flow->attempts[i].reply);
		sum += strlen(ending_names[flow->attempts[i].ending]);
	}
}

static void read_ipc(const struct ipc_header *header)
{
	char text[PREFIX_TEXT_SIZE];

	switch (header->type) {
	case IPC_ENTRIES: {
		const struct ipc_entries *entries = (const void *)header;
		for (uint32_t i = 0; i < entries->n; i++) {
			read_text(entries->v[i].ifname);
			sum += strlen(addr_format(&entries->v[i].source, text));
		}
		break;
	}
	case IPC_LIST_ENTRIES: {
		const struct ipc_list_entries *entries = (const void *)header;
		read_text(entries->name);
		struct ipc_list_entry entry;
		char element[ELEMENT_TEXT_SIZE];
		uint32_t at = 0;
		while (ipc_list_next(entries, &at, &entry))
			sum += strlen(element_format(&entry.elem, element));
		break;
	}
	case IPC_SESSIONS: {
		const struct ipc_sessions *sessions = (const void *)header;
		for (uint32_t i = 0; i < sessions->bytes; i++)
			sum += sessions->data[i];
		break;
	}
	case IPC_FLOW: {
		const struct ipc_flow_row *row = (const void *)header;
		struct ipc_flow flow;
		if (ipc_flow_decode(row->data, header->bytes - sizeof(*row), &flow) == 0)
			read_flow(&flow);
		break;
	}
	case IPC_TARGETS: {
		const struct ipc_targets *targets = (const void *)header;
		read_text(targets->server);
		for (uint32_t i = 0; i < targets->n; i++) {
			read_text(targets->v[i].text);
			read_text(targets->v[i].read.text);
			for (unsigned a = 0; a < ipc_target_addresses(&targets->v[i]); a++)
				sum += strlen(addr_format(&targets->v[i].addresses[a], text));
		}
		break;
	}
	case IPC_CREDENTIAL: {
		const struct ipc_credential *credential = (const void *)header;
		read_text(credential->name);
		read_text(credential->file);
		read_text(credential->key);
		for (uint32_t i = 0; i < credential->file_bytes + credential->key_bytes; i++)
			sum += credential->data[i];
		break;
	}
	case IPC_ADMIT: {
		const struct ipc_admit *admit = (const void *)header;
		read_text(admit->ifname);
		sum += addr_bits(&admit->source.addr);
		break;
	}
	default:
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* an exact, aligned copy: a read behind the end is seen */
	uint8_t *copy = malloc(size ? size : 1);
	if (!copy)
		return 0;
	memcpy(copy, data, size);
	if (ipc_check(copy, size) == 0)
		read_ipc((const struct ipc_header *)copy);
	/* most inputs fail in the header: mend it, so that the rest is reached */
	if (size >= sizeof(struct ipc_header)) {
		struct ipc_header *header = (struct ipc_header *)copy;
		header->type %= IPC_TYPES + 1;
		header->version = IPC_VERSION;
		header->bytes = (uint32_t)size;
		header->reserved = 0;
		if (ipc_check(copy, size) == 0)
			read_ipc(header);
	}
	free(copy);
	return 0;
}
