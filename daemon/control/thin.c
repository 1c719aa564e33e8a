#include "daemon/control/thin.h"

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
	struct slot slots[SLOTS];
};

struct thin *thin_new(void)
{
	return calloc(1, sizeof(struct thin));
}

void thin_free(struct thin *thin)
{
	free(thin);
}

bool thin_concerns(const struct ipc_flow *record)
{
	return !record->session && !*record->user;
}

/* The MAC where there is one: a client makes up addresses more easily. */
static uint64_t key_of(const struct ipc_flow *record)
{
	struct {
		char zone[POLICY_NAME_SIZE], rule[POLICY_NAME_SIZE];
		struct addr addr;
		struct mac mac;
		uint16_t ending;
	} who;

	memset(&who, 0, sizeof(who));
	strncpy(who.zone, record->zone, sizeof(who.zone) - 1);
	strncpy(who.rule, record->rule, sizeof(who.rule) - 1);
	if (mac_is_set(&record->mac))
		who.mac = record->mac;
	else
		who.addr = record->client.addr;
	who.ending = record->ending;
	uint64_t key = policy_hash(&who, sizeof(who));
	who.ending = (uint16_t)~who.ending; /* 64 bits of two times 32 */
	return key << 32 | policy_hash(&who, sizeof(who));
}

bool thin_keeps(
	struct thin *thin, const struct ipc_flow *record, uint64_t now_ms, uint64_t *left_out)
{
	uint64_t key = key_of(record);
	struct slot *slot = &thin->slots[key % SLOTS];

	if (slot->key != key)
		*slot = (struct slot){.key = key};
	if (slot->full_at_ms < now_ms)
		slot->full_at_ms = now_ms;
	*left_out = slot->left_out;
	if (slot->full_at_ms + THIN_EACH_MS > now_ms + THIN_AT_ONCE * THIN_EACH_MS) {
		slot->left_out++;
		return false;
	}
	slot->full_at_ms += THIN_EACH_MS;
	slot->left_out = 0;
	return true;
}
