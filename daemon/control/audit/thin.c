/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/audit/thin.h"

#include "lib/base/copy.h"
#include "lib/base/hash.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS 4096

/* Two clients of one slot put each other out; then there are more records, and the bound over all
 * of them holds. */
struct slot {
	uint64_t key;
	uint64_t full_at_ms; /* when all may be kept at once again */
	uint64_t left_out;
};

struct thin {
	uint64_t at_once, each_ms;
	struct slot slots[SLOTS];
};

struct thin *thin_new(unsigned at_once, unsigned each_ms)
{
	struct thin *thin = calloc(1, sizeof(*thin));

	if (thin) {
		thin->at_once = at_once;
		thin->each_ms = each_ms;
	}
	return thin;
}

void thin_free(struct thin *thin)
{
	free(thin);
}

uint64_t thin_key(unsigned char *who, size_t len)
{
	uint64_t key = hash_bytes(who, len);

	who[len - 1] = UCHAR_MAX; /* 64 bits of two times 32 */
	key = key << 32 | hash_bytes(who, len);
	who[len - 1] = 0;
	return key;
}

bool thin_keeps(struct thin *thin, uint64_t key, uint64_t now_ms, uint64_t *left_out)
{
	struct slot *slot = &thin->slots[key % SLOTS];

	if (slot->key != key)
		*slot = (struct slot){.key = key};
	if (slot->full_at_ms < now_ms)
		slot->full_at_ms = now_ms;
	*left_out = slot->left_out;
	if (slot->full_at_ms + thin->each_ms > now_ms + thin->at_once * thin->each_ms) {
		slot->left_out++;
		return false;
	}
	slot->full_at_ms += thin->each_ms;
	slot->left_out = 0;
	return true;
}

bool thin_concerns(const struct ipc_flow *record)
{
	return !record->session && !*record->user;
}

/* The MAC where there is one: a client makes up addresses more easily. */
uint64_t thin_key_of_flow(const struct ipc_flow *record)
{
	struct {
		char zone[POLICY_NAME_SIZE], rule[POLICY_NAME_SIZE];
		struct addr addr;
		struct mac mac;
		uint16_t ending, zero;
	} who;

	memset(&who, 0, sizeof(who));
	copy_text(who.zone, sizeof(who.zone), record->zone);
	copy_text(who.rule, sizeof(who.rule), record->rule);
	if (mac_is_set(&record->mac))
		who.mac = record->mac;
	else
		who.addr = record->client.addr;
	who.ending = record->ending;
	return thin_key((unsigned char *)&who, sizeof(who));
}
