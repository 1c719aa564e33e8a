/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/ipc/replica.h"

#include "lib/policy/element.h"

#include "lib/base/net/range.h"
#include "lib/ipc/kind.h"
#include "lib/policy/level.h"

#include <string.h>

/* The sessions themselves are read by session_decode(), which is bounded. */
static bool sessions_ok(const void *ipc, size_t len)
{
	const struct ipc_sessions *sessions = ipc;
	return sessions->n && sessions->n <= sessions->bytes &&
	       ipc_count_ok(len, sizeof(*sessions), sessions->bytes, 1);
}

/* end_ms, add, how long the element is: then element_encode() */
#define LIST_ENTRY_HEAD (sizeof(uint64_t) + 1 + sizeof(uint16_t))

bool ipc_list_put(struct ipc_list_entries *entries, size_t room, const struct ipc_list_entry *entry)
{
	uint8_t bytes[ELEMENT_BYTES_MAX];
	uint16_t len = (uint16_t)element_encode(&entry->elem, bytes);

	if (sizeof(*entries) + entries->bytes + LIST_ENTRY_HEAD + len > room)
		return false;
	uint8_t *at = entries->data + entries->bytes;
	memcpy(at, &entry->end_ms, sizeof(entry->end_ms));
	at[sizeof(entry->end_ms)] = entry->add;
	memcpy(at + sizeof(entry->end_ms) + 1, &len, sizeof(len));
	memcpy(at + LIST_ENTRY_HEAD, bytes, len);
	entries->n++;
	entries->bytes += (uint32_t)(LIST_ENTRY_HEAD + len);
	entries->header.bytes = (uint32_t)sizeof(*entries) + entries->bytes;
	return true;
}

bool ipc_list_next(
	const struct ipc_list_entries *entries, uint32_t *at, struct ipc_list_entry *entry)
{
	const uint8_t *from = entries->data + *at;
	size_t left = entries->bytes - *at;
	uint16_t len;

	if (left < LIST_ENTRY_HEAD || from[sizeof(entry->end_ms)] > 1)
		return false;
	memcpy(&entry->end_ms, from, sizeof(entry->end_ms));
	entry->add = from[sizeof(entry->end_ms)];
	memcpy(&len, from + sizeof(entry->end_ms) + 1, sizeof(len));
	if (len > left - LIST_ENTRY_HEAD ||
		!element_decode(from + LIST_ENTRY_HEAD, len, &entry->elem))
		return false;
	*at += (uint32_t)(LIST_ENTRY_HEAD + len);
	return true;
}

static bool list_entries_ok(const void *ipc, size_t len)
{
	const struct ipc_list_entries *entries = ipc;
	struct ipc_list_entry entry;
	uint32_t n = 0, at = 0;

	if (!NAMED_OK(entries->name) || !ipc_count_ok(len, sizeof(*entries), entries->bytes, 1))
		return false;
	while (ipc_list_next(entries, &at, &entry))
		n++;
	return n == entries->n && at == entries->bytes;
}

static bool list_clear_ok(const void *ipc, size_t len)
{
	const struct ipc_list_entries *entries = ipc;
	return entries->n == 0 && list_entries_ok(ipc, len);
}

static bool subject_ok(const struct block *block)
{
	switch (block->kind) {
	case BLOCK_USER:
		return block->user[0];
	case BLOCK_MAC:
		return mac_is_set(&block->mac);
	case BLOCK_ADDRESS:
		return ipc_prefix_ok(&block->prefix);
	default:
		return false;
	}
}

static bool block_ok(const void *ipc, size_t len)
{
	const struct ipc_block *order = ipc;
	const struct block *block = &order->block;
	(void)len;
	return order->add <= 1 && TEXT_OK(block->user) && TEXT_OK(block->zone) &&
	       TEXT_OK(block->text) && TEXT_OK(block->limit) && subject_ok(block) &&
	       (!order->add || block->code == 421 || block->code == 554);
}

_Static_assert(
	sizeof(struct ipc_targets) + TARGETS_MAX * sizeof(struct ipc_target) <= IPC_BYTES_MAX,
	"all targets of a server fit");

unsigned ipc_target_addresses(const struct ipc_target *target)
{
	return target->naddresses > target->read.naddresses ? target->naddresses
							    : target->read.naddresses;
}

struct ipc_target ipc_target_seen(const struct ipc_target *target, bool read)
{
	struct ipc_target seen = *target;

	if (!read)
		return seen;
	memcpy(seen.text, target->read.text, sizeof(seen.text));
	seen.since_ms = target->read.since_ms;
	seen.state = target->read.state;
	seen.client_families = target->read.client_families;
	seen.failing = target->read.failing;
	seen.naddresses = target->read.naddresses;
	return seen;
}

unsigned ipc_target_views(
	unsigned flows, const struct ipc_target *target, struct ipc_target views[static 2])
{
	const struct ipc_target_read *read = &target->read;

	views[0] = ipc_target_seen(target, flows == LEVEL_FLOWS_READ);
	if (flows != LEVEL_FLOWS_ALL ||
		(read->state == target->state && read->failing == target->failing))
		return 1;
	views[1] = ipc_target_seen(target, true);
	return 2;
}

const char *ipc_target_level(unsigned view, unsigned n)
{
	return n == 1 ? "" : view == 0 ? " at connection level" : " at message level";
}

void ipc_target_put(struct ipc_target *target, const struct addr *addr)
{
	target->client_families = target->read.client_families = TARGET_CLIENTS_ALL;
	target->naddresses = target->read.naddresses = addr->family != ADDR_NONE;
	target->addresses[0] = *addr;
}

static bool read_ok(const struct ipc_target_read *read)
{
	return TEXT_OK(read->text) && read->state < TARGET_STATES &&
	       read->client_families <= TARGET_CLIENTS_ALL && read->failing <= 1 &&
	       read->naddresses <= TARGET_ADDRESSES_MAX;
}

static bool target_ok(const struct ipc_target *target)
{
	if (!NAMED_OK(target->name) || !TEXT_OK(target->text) || !target->port ||
		target->state >= TARGET_STATES || target->client_families > TARGET_CLIENTS_ALL ||
		target->stale > 1 || target->drained > 1 || target->failing > 1 ||
		target->pending > 1 || target->naddresses > TARGET_ADDRESSES_MAX ||
		target->asked >> target->naddresses || target->lost >> target->naddresses ||
		!read_ok(&target->read) || (target->pending && ipc_target_addresses(target) > 0))
		return false;
	for (unsigned i = 0; i < ipc_target_addresses(target); i++)
		if (!ipc_addr_given_ok(&target->addresses[i]))
			return false;
	return true;
}

static bool targets_ok(const void *ipc, size_t len)
{
	const struct ipc_targets *targets = ipc;
	if (!NAMED_OK(targets->server) || targets->n > TARGETS_MAX || targets->known > 1 ||
		targets->flows > LEVEL_FLOWS_ALL ||
		!ipc_count_ok(len, sizeof(*targets), targets->n, sizeof(targets->v[0])))
		return false;
	for (uint32_t i = 0; i < targets->n; i++)
		if (!target_ok(&targets->v[i]))
			return false;
	return true;
}

static bool commit_ok(const void *ipc, size_t len)
{
	(void)len;
	return ((const struct ipc_policy *)ipc)->inquiry != 0;
}

static bool inquiry_ok(const void *ipc, size_t len)
{
	(void)len;
	return ((const struct ipc_inquiry *)ipc)->number != 0;
}

/* From IPC_FILE_PICTURE on. */
static const struct ipc_kind kinds[] = {
	[IPC_POLICY - IPC_FILE_PICTURE] = IPC_FIXED("policy", policy, ipc_plain_ok),
	[IPC_POLICY_COMMIT - IPC_FILE_PICTURE] = IPC_FIXED("policy-commit", policy, commit_ok),
	[IPC_POLICY_ABORT - IPC_FILE_PICTURE] = IPC_FIXED("policy-abort", policy, ipc_plain_ok),
	[IPC_SESSIONS - IPC_FILE_PICTURE] = IPC_LONGER("sessions", sessions, 0, sessions_ok),
	[IPC_SESSION_GONE - IPC_FILE_PICTURE] =
		IPC_FIXED("session-gone", session_gone, ipc_plain_ok),
	[IPC_LIST_ENTRIES - IPC_FILE_PICTURE] =
		IPC_LONGER("list-entries", list_entries, 0, list_entries_ok),
	[IPC_LIST_CLEAR - IPC_FILE_PICTURE] = IPC_FIXED("list-clear", list_entries, list_clear_ok),
	[IPC_PICTURE_DONE - IPC_FILE_PICTURE] = IPC_PLAIN("picture-done"),
	[IPC_BLOCK - IPC_FILE_PICTURE] = IPC_FIXED("block", block, block_ok),
	[IPC_TARGETS - IPC_FILE_PICTURE] =
		IPC_LONGER("targets", targets, sizeof(struct ipc_target), targets_ok),
	[IPC_INQUIRY - IPC_FILE_PICTURE] = IPC_FIXED("inquiry", inquiry, inquiry_ok),
};
_Static_assert(IPC_ROWS(kinds) == IPC_PICTURE_END - IPC_FILE_PICTURE, "every ipc has its row");
_Static_assert(IPC_ROWS(kinds) <= IPC_FILE_TYPES, "and its own number");

const struct ipc_kinds ipc_picture_kinds = {.v = kinds, .n = IPC_ROWS(kinds)};
