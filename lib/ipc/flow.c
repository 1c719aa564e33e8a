#include "lib/ipc/flow.h"

#include "lib/ipc/pack.h"

#include <errno.h>
#include <string.h>

#define U64(name)        IPC_FIELD(IPC_PACK_U64, ipc_flow, name, 0)
#define U32(name)        IPC_FIELD(IPC_PACK_U32, ipc_flow, name, 0)
#define U16(name, bound) IPC_FIELD(IPC_PACK_U16, ipc_flow, name, bound)
#define TEXT(name)       IPC_FIELD(IPC_PACK_TEXT, ipc_flow, name, 0)
#define ENDPOINT(name)   IPC_FIELD(IPC_PACK_ENDPOINT, ipc_flow, name, 0)

static const struct ipc_field flow_fields[] = {
	U64(id),
	U64(session),
	U64(start_ms),
	U64(end_ms),
	U64(connected_ms),
	U64(from_client_bytes),
	U64(from_server_bytes),
	U32(messages),
	U32(seen),
	U16(verdict, POLICY_VERDICTS),
	U16(ending, ENDINGS),
	U16(reason, DECIDE_REASONS),
	U16(audit, 2),
	U32(relay),
	ENDPOINT(client),
	ENDPOINT(original),
	ENDPOINT(host),
	ENDPOINT(gateway),
	IPC_FIELD(IPC_PACK_MAC, ipc_flow, mac, 0),
	TEXT(ifname),
	TEXT(zone),
	TEXT(user),
	TEXT(rule),
	TEXT(server),
	TEXT(state),
	TEXT(detail),
	TEXT(reply),
};
#define FLOW_FIELDS (sizeof(flow_fields) / sizeof(flow_fields[0]))

static const struct ipc_field attempt_fields[] = {
	IPC_FIELD(IPC_PACK_ENDPOINT, ipc_attempt, host, 0),
	IPC_FIELD(IPC_PACK_U32, ipc_attempt, ms, 0),
	IPC_FIELD(IPC_PACK_U16, ipc_attempt, ending, ENDINGS),
	IPC_FIELD(IPC_PACK_TEXT, ipc_attempt, reply, 0),
};
#define ATTEMPT_FIELDS (sizeof(attempt_fields) / sizeof(attempt_fields[0]))

/* What a packed field takes beyond its size in the struct: two bytes of a number in seven-bit
 * digits, or of a text's length, at most. */
#define OVERHEAD 2
_Static_assert(
	sizeof(struct ipc_flow) + OVERHEAD * (FLOW_FIELDS + IPC_ATTEMPTS_MAX * ATTEMPT_FIELDS) <=
		IPC_FLOW_BYTES_MAX,
	"the largest flow has room");

size_t ipc_flow_encode(const struct ipc_flow *flow, uint8_t bytes[static IPC_FLOW_BYTES_MAX])
{
	struct ipc_packer packer = {.bytes = bytes, .room = IPC_FLOW_BYTES_MAX};
	uint32_t n = flow->nattempts < IPC_ATTEMPTS_MAX ? flow->nattempts : IPC_ATTEMPTS_MAX;

	ipc_pack_struct(&packer, flow_fields, FLOW_FIELDS, flow);
	ipc_pack_number(&packer, n);
	for (uint32_t i = 0; i < n; i++)
		ipc_pack_struct(&packer, attempt_fields, ATTEMPT_FIELDS, &flow->attempts[i]);
	return packer.len;
}

int ipc_flow_decode(const uint8_t *bytes, size_t len, struct ipc_flow *flow)
{
	struct ipc_unpacker unpacker = {.bytes = bytes, .len = len};

	memset(flow, 0, sizeof(*flow));
	ipc_unpack_struct(&unpacker, flow_fields, FLOW_FIELDS, flow);
	flow->nattempts = (uint32_t)ipc_unpack_number(&unpacker, IPC_ATTEMPTS_MAX + 1);
	for (uint32_t i = 0; i < flow->nattempts; i++)
		ipc_unpack_struct(&unpacker, attempt_fields, ATTEMPT_FIELDS, &flow->attempts[i]);
	return ipc_unpack_is_whole(&unpacker) ? 0 : -EBADMSG;
}

uint64_t ipc_flow_hash(uint64_t hash)
{
	hash = ipc_pack_hash(hash, flow_fields, FLOW_FIELDS);
	return ipc_pack_hash(hash, attempt_fields, ATTEMPT_FIELDS);
}
