/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/ipc/flow.h"

#include "lib/ipc/kind.h"
#include "lib/ipc/pack.h"
#include "lib/ipc/record.h"

#include <errno.h>
#include <string.h>

#define U64(name)        IPC_FIELD(IPC_PACK_U64, ipc_flow, name, 0)
#define U32(name)        IPC_FIELD(IPC_PACK_U32, ipc_flow, name, 0)
#define U16(name, bound) IPC_FIELD(IPC_PACK_U16, ipc_flow, name, bound)
#define TEXT(name)       IPC_FIELD(IPC_PACK_TEXT, ipc_flow, name, 0)
#define ENDPOINT(name)   IPC_FIELD(IPC_PACK_ENDPOINT, ipc_flow, name, 0)
#define TLS(name)        TEXT(name.version), TEXT(name.cipher), TEXT(name.check), TEXT(name.peer)

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
	TEXT(listener),
	TEXT(user),
	TEXT(rule),
	TEXT(server),
	TEXT(state),
	TEXT(detail),
	TEXT(reply),
	U16(logins_refused, 0),
	U16(logins_later, 0),
	U16(path, POLICY_PATHS),
	TEXT(source),
};
#define FLOW_FIELDS (sizeof(flow_fields) / sizeof(flow_fields[0]))

/* Behind a number: 1 if any of them is there, or else 0 and none of them. */
static const struct ipc_field tls_fields[] = {
	TLS(client_tls),
	TLS(server_tls),
	TEXT(client_sni),
	TEXT(client_names),
	U16(client_names_cut, 2),
};
#define TLS_FIELDS (sizeof(tls_fields) / sizeof(tls_fields[0]))

static const struct ipc_field attempt_fields[] = {
	IPC_FIELD(IPC_PACK_ENDPOINT, ipc_attempt, host, 0),
	IPC_FIELD(IPC_PACK_U32, ipc_attempt, ms, 0),
	IPC_FIELD(IPC_PACK_U16, ipc_attempt, ending, ENDINGS),
	IPC_FIELD(IPC_PACK_TEXT, ipc_attempt, reply, 0),
};
#define ATTEMPT_FIELDS (sizeof(attempt_fields) / sizeof(attempt_fields[0]))

_Static_assert(
	sizeof(struct ipc_flow) + IPC_FIELD_OVERHEAD * (2 + FLOW_FIELDS + TLS_FIELDS +
							       IPC_ATTEMPTS_MAX * ATTEMPT_FIELDS) <=
		IPC_FLOW_BYTES_MAX,
	"the largest flow has room");

static bool is_side(const struct ipc_tls *side)
{
	return *side->version || *side->cipher || *side->check || *side->peer;
}

static bool has_tls(const struct ipc_flow *flow)
{
	return is_side(&flow->client_tls) || is_side(&flow->server_tls) || *flow->client_sni ||
	       *flow->client_names || flow->client_names_cut;
}

static void unpack_tls(struct ipc_unpacker *unpacker, struct ipc_flow *flow)
{
	if (!ipc_unpack_number(unpacker, 2))
		return;
	ipc_unpack_struct(unpacker, tls_fields, TLS_FIELDS, flow);
	if (!has_tls(flow))
		unpacker->bad = true; /* none of them has one spelling, too */
}

size_t ipc_flow_encode(const struct ipc_flow *flow, uint8_t bytes[static IPC_FLOW_BYTES_MAX])
{
	struct ipc_packer packer = {.bytes = bytes, .room = IPC_FLOW_BYTES_MAX};
	uint32_t n = flow->nattempts < IPC_ATTEMPTS_MAX ? flow->nattempts : IPC_ATTEMPTS_MAX;
	bool tls = has_tls(flow);

	ipc_pack_struct(&packer, flow_fields, FLOW_FIELDS, flow);
	ipc_pack_number(&packer, tls);
	if (tls)
		ipc_pack_struct(&packer, tls_fields, TLS_FIELDS, flow);
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
	unpack_tls(&unpacker, flow);
	flow->nattempts = (uint32_t)ipc_unpack_number(&unpacker, IPC_ATTEMPTS_MAX + 1);
	for (uint32_t i = 0; i < flow->nattempts; i++)
		ipc_unpack_struct(&unpacker, attempt_fields, ATTEMPT_FIELDS, &flow->attempts[i]);
	return ipc_unpack_is_whole(&unpacker) ? 0 : -EBADMSG;
}

/* For ipc_protocol(). */
static uint64_t hash_fields(uint64_t hash)
{
	hash = ipc_pack_hash(hash, flow_fields, FLOW_FIELDS);
	hash = ipc_pack_hash(hash, tls_fields, TLS_FIELDS);
	return ipc_pack_hash(hash, attempt_fields, ATTEMPT_FIELDS);
}

static bool flow_ids_ok(const void *ipc, size_t len)
{
	const struct ipc_flow_ids *ids = ipc;
	(void)len;
	return ids->first && ids->first <= ids->last;
}

static bool kill_ok(const void *ipc, size_t len)
{
	const struct ipc_kill *order = ipc;
	(void)len;
	return order->ending < ENDINGS && TEXT_OK(order->user) && TEXT_OK(order->server) &&
	       TEXT_OK(order->zone) && TEXT_OK(order->listener);
}

static bool started_ok(const void *ipc, size_t len)
{
	const struct ipc_started *started = ipc;
	size_t n = (len - sizeof(*started)) / sizeof(started->v[0]);

	if (len != sizeof(*started) + n * sizeof(started->v[0]))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!TEXT_OK(started->v[i].rule) || !TEXT_OK(started->v[i].listener))
			return false;
	return n > 0;
}

/* The flow itself is read by ipc_flow_decode(), which is bounded. */
static bool flow_ok(const void *ipc, size_t len)
{
	(void)ipc;
	return len > sizeof(struct ipc_flow_row);
}

static bool load_ok(const void *ipc, size_t len)
{
	const struct ipc_load *load = ipc;
	(void)len;
	return ipc_addr_given_ok(&load->host.addr) && NAMED_OK(load->server);
}

static bool host_ok(const void *ipc, size_t len)
{
	const struct ipc_host *host = ipc;
	(void)len;
	return ipc_addr_given_ok(&host->host.addr) && host->usable <= 1 &&
	       host->kind <= IPC_HOST_LOGIN && NAMED_OK(host->server) && TEXT_OK(host->text);
}

static bool foresee_ok(const void *ipc, size_t len)
{
	const struct ipc_foresee *question = ipc;
	(void)len;
	return ipc_addr_given_ok(&question->client) && ipc_addr_ok(&question->original.addr) &&
	       TEXT_OK(question->zone) && TEXT_OK(question->listener) &&
	       !question->zone[0] != !question->listener[0] && TEXT_OK(question->server) &&
	       TEXT_OK(question->rule) && TEXT_OK(question->user) && question->read <= 1;
}

static bool sockets_get_ok(const void *ipc, size_t len)
{
	const struct ipc_sockets_get *get = ipc;
	(void)len;
	return get->ip6 <= 1 && get->n && get->n <= IPC_SOCKETS_MAX;
}

static bool socket_ok(const void *ipc, size_t len)
{
	const struct ipc_socket *socket = ipc;
	(void)len;
	return socket->ip6 <= 1 && socket->status <= 0;
}

static bool spool_files_get_ok(const void *ipc, size_t len)
{
	const struct ipc_spool_files_get *get = ipc;
	(void)len;
	return get->n && get->n <= IPC_SPOOL_FILES_MAX;
}

static bool spool_file_ok(const void *ipc, size_t len)
{
	const struct ipc_spool_file *file = ipc;
	(void)len;
	return file->status <= 0;
}

static bool endpoint_ok(const void *ipc, size_t len)
{
	const struct ipc_endpoint *endpoint = ipc;
	(void)len;
	return ipc_addr_ok(&endpoint->at.addr) && endpoint->empty <= 1 &&
	       (endpoint->at.addr.family != ADDR_NONE ||
		       endpoint->header.type == IPC_ENDPOINT_GONE);
}

/* From IPC_FILE_FLOW on. */
static const struct ipc_kind kinds[] = {
	[IPC_FLOW_IDS - IPC_FILE_FLOW] = IPC_FIXED("flow-ids", flow_ids, flow_ids_ok),
	[IPC_KILL - IPC_FILE_FLOW] = IPC_FIXED("kill", kill, kill_ok),
	[IPC_FLOWS_GET - IPC_FILE_FLOW] = IPC_PLAIN("flows-get"),
	[IPC_LOADS_GET - IPC_FILE_FLOW] = IPC_PLAIN("loads-get"),
	[IPC_FORESEE - IPC_FILE_FLOW] = IPC_FIXED("foresee", foresee, foresee_ok),
	[IPC_FLOW - IPC_FILE_FLOW] = IPC_LONGER("flow", flow_row, 0, flow_ok),
	[IPC_RECORDS - IPC_FILE_FLOW] =
		IPC_LONGER("records", records, sizeof(struct ipc_part), ipc_records_ok),
	[IPC_STARTED - IPC_FILE_FLOW] =
		IPC_LONGER("started", started, sizeof(struct ipc_start), started_ok),
	[IPC_FLOW_IDS_GET - IPC_FILE_FLOW] = IPC_PLAIN("flow-ids-get"),
	[IPC_LOAD - IPC_FILE_FLOW] = IPC_FIXED("load", load, load_ok),
	[IPC_HOST - IPC_FILE_FLOW] = IPC_FIXED("host", host, host_ok),
	[IPC_SPOOL_FILES_GET - IPC_FILE_FLOW] =
		IPC_FIXED("spool-files-get", spool_files_get, spool_files_get_ok),
	[IPC_SPOOL_FILE - IPC_FILE_FLOW] = IPC_FIXED("spool-file", spool_file, spool_file_ok),
	[IPC_SOCKETS_GET - IPC_FILE_FLOW] = IPC_FIXED("sockets-get", sockets_get, sockets_get_ok),
	[IPC_SOCKET - IPC_FILE_FLOW] = IPC_FIXED("socket", socket, socket_ok),
	[IPC_ENDPOINT - IPC_FILE_FLOW] = IPC_FIXED("endpoint", endpoint, endpoint_ok),
	[IPC_ENDPOINT_GONE - IPC_FILE_FLOW] = IPC_FIXED("endpoint-gone", endpoint, endpoint_ok),
};
_Static_assert(IPC_ROWS(kinds) == IPC_FLOW_END - IPC_FILE_FLOW, "every ipc has its row");
_Static_assert(IPC_ROWS(kinds) <= IPC_FILE_TYPES, "and its own number");

const struct ipc_kinds ipc_flow_kinds = {.v = kinds, .n = IPC_ROWS(kinds), .hash = hash_fields};
