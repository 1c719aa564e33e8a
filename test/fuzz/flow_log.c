/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel-rules/flow_log.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_entry(void *context, const struct flow_log_entry *entry)
{
	(void)context;
	/* a packet has both ends, of one family */
	if ((unsigned)entry->kind >= FLOW_LOG_KINDS || entry->source.addr.family == ADDR_NONE ||
		entry->source.addr.family != entry->destination.addr.family)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	flow_log_parse(data, size, on_entry, NULL);
	return 0;
}
