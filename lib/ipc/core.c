/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/ipc/core.h"

#include "lib/ipc/kind.h"
#include "lib/policy/session.h"

#include <errno.h>
#include <string.h>

static bool reply_ok(const void *ipc, size_t len)
{
	const struct ipc_reply *reply = ipc;
	(void)len;
	return reply->status <= 0 && reply->header.seq && TEXT_OK(reply->text);
}

static bool peer_ok(const void *ipc, size_t len)
{
	const struct ipc_peer *peer = ipc;
	(void)len;
	return peer->draining <= 1 && TEXT_OK(peer->version);
}

static bool rest_ok(const void *ipc, size_t len)
{
	const struct ipc_rest *rest = ipc;
	(void)len;
	return rest->rests <= 1;
}

static bool log_level_ok(const void *ipc, size_t len)
{
	const struct ipc_log_level *level = ipc;
	(void)len;
	return level->level <= POLICY_LOG_DEBUG;
}

static bool counters_ok(const void *ipc, size_t len)
{
	const struct ipc_counters *counters = ipc;
	(void)len;
	return counters->n == COUNTERS;
}

static const struct ipc_kind kinds[] = {
	[IPC_PING - IPC_FILE_CORE] = IPC_PLAIN("ping"),
	[IPC_PONG - IPC_FILE_CORE] = IPC_PLAIN("pong"),
	[IPC_REPLY - IPC_FILE_CORE] = IPC_FIXED("reply", reply, reply_ok),
	[IPC_PEER - IPC_FILE_CORE] = IPC_FIXED("peer", peer, peer_ok),
	[IPC_PEER_GONE - IPC_FILE_CORE] = IPC_FIXED("peer-gone", peer, peer_ok),
	[IPC_DRAIN - IPC_FILE_CORE] = IPC_FIXED("drain", drain, ipc_plain_ok),
	[IPC_HAND_OVER - IPC_FILE_CORE] = IPC_PLAIN("hand-over"),
	[IPC_REST - IPC_FILE_CORE] = IPC_FIXED("rest", rest, rest_ok),
	[IPC_LOG_LEVEL - IPC_FILE_CORE] = IPC_FIXED("log-level", log_level, log_level_ok),
	[IPC_COUNTERS - IPC_FILE_CORE] = IPC_FIXED("counters", counters, counters_ok),
};
_Static_assert(IPC_ROWS(kinds) == IPC_CORE_END - IPC_FILE_CORE, "every ipc has its row");
_Static_assert(IPC_ROWS(kinds) <= IPC_FILE_TYPES, "and its own number");

const struct ipc_kinds ipc_core_kinds = {.v = kinds, .n = IPC_ROWS(kinds)};

static const struct ipc_kinds *const files[] = {
	[IPC_FILE_CORE / IPC_FILE_TYPES] = &ipc_core_kinds,
	[IPC_FILE_KERNEL / IPC_FILE_TYPES] = &ipc_kernel_kinds,
	[IPC_FILE_PICTURE / IPC_FILE_TYPES] = &ipc_picture_kinds,
	[IPC_FILE_FLOW / IPC_FILE_TYPES] = &ipc_flow_kinds,
	[IPC_FILE_HEALTH / IPC_FILE_TYPES] = &ipc_health_kinds,
	[IPC_FILE_WEB / IPC_FILE_TYPES] = &ipc_web_kinds,
	[IPC_FILE_HAND / IPC_FILE_TYPES] = &ipc_hand_kinds,
	[IPC_FILE_CREDENTIAL / IPC_FILE_TYPES] = &ipc_credential_kinds,
	[IPC_FILE_AUTH / IPC_FILE_TYPES] = &ipc_auth_kinds,
	[IPC_FILE_SCAN / IPC_FILE_TYPES] = &ipc_scan_kinds,
	[IPC_FILE_RADIUS / IPC_FILE_TYPES] = &ipc_radius_kinds,
};
_Static_assert(IPC_ROWS(files) == IPC_FILES, "every file has its kinds");

/* NULL: there is none of this type. */
static const struct ipc_kind *kind_of(unsigned type)
{
	if (type >= IPC_TYPES)
		return NULL;
	const struct ipc_kinds *file = files[type / IPC_FILE_TYPES];
	unsigned at = type % IPC_FILE_TYPES;
	return at < file->n && file->v[at].name ? &file->v[at] : NULL;
}

int ipc_check(const void *bytes, size_t len)
{
	const struct ipc_header *header = bytes;

	if (len < sizeof(*header) || len > IPC_BYTES_MAX)
		return -EBADMSG;
	if (header->version != IPC_VERSION || header->bytes != len || header->reserved)
		return -EBADMSG;
	const struct ipc_kind *kind = kind_of(header->type);
	if (!kind || (kind->longer ? len < kind->bytes : len != kind->bytes))
		return -EBADMSG;
	return kind->ok(bytes, len) ? 0 : -EBADMSG;
}

const char *ipc_name(unsigned type)
{
	const struct ipc_kind *kind = kind_of(type);

	return kind ? kind->name : "unknown";
}

bool ipc_is_secret(unsigned type)
{
	const struct ipc_kind *kind = kind_of(type);

	return kind && kind->secret;
}

/* FNV-1a, a number at a time. */
static uint64_t mix(uint64_t hash, uint64_t number)
{
	for (unsigned i = 0; i < 8; i++)
		hash = (hash ^ (number >> 8 * i & 0xff)) * 0x100000001b3ULL;
	return hash;
}

static uint64_t mix_word(uint64_t hash, const char *word)
{
	while (*word)
		hash = mix(hash, (unsigned char)*word++);
	return mix(hash, 0);
}

uint64_t ipc_protocol(void)
{
	uint64_t hash = 0xcbf29ce484222325ULL;

	hash = mix(hash, IPC_VERSION);
	hash = mix(hash, ENDINGS);
	hash = mix(hash, SESSION_ENCODED_MAX);
	for (unsigned i = 0; i < COUNTERS; i++)
		hash = mix_word(hash, counter_name(i));
	for (unsigned type = 0; type < IPC_TYPES; type++) {
		const struct ipc_kind *kind = kind_of(type);
		if (!kind)
			continue;
		hash = mix(hash, type);
		hash = mix_word(hash, kind->name);
		hash = mix(hash, kind->bytes);
		hash = mix(hash, kind->longer);
		hash = mix(hash, kind->item);
	}
	for (unsigned i = 0; i < IPC_FILES; i++)
		if (files[i]->hash)
			hash = files[i]->hash(hash);
	return hash;
}
