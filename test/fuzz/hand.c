/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A client that is handed over: what ipc_check() lets through may be read, its session too. */
#include "lib/ipc/hand.h"

#include "lib/policy/session.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t sum; /* keeps the reads */

static void read_session(const struct ipc_hand *hand)
{
	struct session_storage *storage = malloc(session_storage_size());
	struct session session;

	if (storage && hand_get_session(hand, &session, storage) == 0) {
		sum += strlen(session.zone.text) + strlen(session.user.text);
		for (size_t i = 0; i < session.ngroups; i++)
			sum += strlen(session.groups[i].text);
	}
	free(storage);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* an exact, aligned copy: a read behind the end is seen */
	uint8_t *copy = malloc(size ? size : 1);

	if (!copy)
		return 0;
	memcpy(copy, data, size);
	if (size >= sizeof(struct ipc_header)) {
		struct ipc_header *header = (struct ipc_header *)copy;
		header->type = IPC_HAND;
		header->version = IPC_VERSION;
		header->bytes = (uint32_t)size;
		header->reserved = 0;
	}
	if (ipc_check(copy, size) == 0) {
		const struct ipc_hand *hand = (const struct ipc_hand *)copy;
		sum += strlen(hand->ifname) + strlen(hand->zone);
		read_session(hand);
	}
	free(copy);
	return 0;
}
