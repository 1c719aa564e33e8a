/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/peers/flow_peers.h"

#include "daemon/base/log.h"
#include "daemon/control/control.h"
#include "daemon/control/credential/credentials.h"
#include "daemon/control/peers/flow_reports.h"
#include "daemon/control/peers/health_peer.h"
#include "daemon/control/peers/peer_clients.h"
#include "daemon/control/peers/scan_states.h"
#include "daemon/control/policy/wanted.h"
#include "daemon/control/session/block_change.h"
#include "daemon/control/store/flow_ids.h"
#include "daemon/control/store/spool_files.h"
#include "lib/ipc/health.h"
#include "lib/ipc/record.h"
#include "lib/language/language.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A relay tells of every flow's start and end; none of it is waited for. */
#define PACE_MS 5

/* A process with flows. */
struct flows_peer {
	struct peer peer;   /* first */
	uint64_t prepared;  /* number of the policy it was last given */
	uint64_t committed; /* of the one it was last told to use */
	struct ipc_assembly assembly;
};

struct flow_peers {
	struct control *control;
	void (*on_left)(struct control *control);
	struct flows_peer v[PROCESS_NUMBERS_MAX];
	/* Without flows, of each role: those that control has nothing particular to say to, and in
	 * the place of the first of a role the peer of whoever has. */
	struct peer plain[PROCESS_ROLES][PROCESS_RELAYS_MAX];
	struct peer *own[PROCESS_ROLES];
};
#define PLAIN (PROCESS_ROLES * PROCESS_RELAYS_MAX)

static const struct peer_face face, plain_face;

static struct peer *plain_at(struct flow_peers *flow_peers, size_t i)
{
	return &flow_peers->plain[i / PROCESS_RELAYS_MAX][i % PROCESS_RELAYS_MAX];
}

/* Each process without flows, one after the other. */
static struct peer *other_at(struct flow_peers *flow_peers, size_t i)
{
	struct peer *own = flow_peers->own[i / PROCESS_RELAYS_MAX];

	return own && i % PROCESS_RELAYS_MAX == 0 ? own : plain_at(flow_peers, i);
}

void flow_peers_put(struct flow_peers *flow_peers, struct peer *peer)
{
	if (flow_peers)
		flow_peers->own[peer->role] = peer;
}

struct flow_peers *flow_peers_new(struct control *control, void (*on_left)(struct control *control))
{
	struct flow_peers *flow_peers = calloc(1, sizeof(*flow_peers));
	if (!flow_peers)
		return NULL;
	flow_peers->control = control;
	flow_peers->on_left = on_left;
	for (uint32_t i = 0; i < PROCESS_NUMBERS_MAX; i++)
		peer_init(&flow_peers->v[i].peer, control, &face, PROCESS_RELAY, i);
	for (uint32_t i = 0; i < PLAIN; i++)
		peer_init(plain_at(flow_peers, i), control, &plain_face,
			(enum process_role)(i / PROCESS_RELAYS_MAX), i % PROCESS_RELAYS_MAX);
	return flow_peers;
}

static void send_flow_ids(struct peer *peer)
{
	struct ipc_flow_ids ipc;
	ipc_init(&ipc, IPC_FLOW_IDS, sizeof(ipc));
	if (flow_ids_take(peer->control->flow_ids, &ipc.first, &ipc.last))
		channel_send(peer->channel, &ipc, -1);
}

/* It says no more. */
static void hang_up(struct peer *peer)
{
	flow_reports_end(peer, &((struct flows_peer *)peer)->assembly);
	peer_hang_up(peer);
}

/* Without a health process it is not answered: a new one's start brings it again. */
static void ask_health(struct peer *peer, const struct ipc_lookup *ipc)
{
	struct ipc_lookup question = *ipc;

	question.header.seq = 0;
	question.smtp = peer->number;
	health_peer_send(peer->control->health, &question);
}

static bool on_ipc(struct peer *peer, const struct ipc_header *ipc)
{
	struct control *control = peer->control;

	switch (ipc->type) {
	case IPC_STARTED:
		flow_reports_started(peer, (const struct ipc_started *)ipc);
		break;
	case IPC_RECORDS:
		flow_reports_records(peer, &((struct flows_peer *)peer)->assembly,
			(const struct ipc_records *)ipc);
		break;
	case IPC_FLOW_IDS_GET:
		send_flow_ids(peer);
		break;
	case IPC_BLOCK:
		block_change_by_limit(control, (const struct ipc_block *)ipc);
		break;
	case IPC_HOST:
		health_peer_send(control->health, ipc);
		break;
	case IPC_LOOKUP:
		ask_health(peer, (const struct ipc_lookup *)ipc);
		break;
	case IPC_SPOOL_FILES_GET:
		spool_files_send(peer, (const struct ipc_spool_files_get *)ipc);
		break;
	case IPC_RESOLVE: /* without a health process it is not answered, and asked again */
		health_peer_send(control->health, ipc);
		break;
	case IPC_SCAN_STATE:
		scan_states_take(control->scans, peer->number, (const struct ipc_scan_state *)ipc);
		break;
	case IPC_REPLY: /* to a question that was given up */
	case IPC_SCAN_TESTING:
	case IPC_SCAN_CHANGE:
	case IPC_SCAN_TESTED:
	case IPC_FLOW:
	case IPC_LOAD:
		break;
	default:
		return false;
	}
	return true;
}

static void on_gone(struct peer *peer)
{
	struct control *control = peer->control;
	char name[16];

	if (!control->stopping && !peer->draining && wanted_is(control->wanted, peer->role))
		log_warning("%s is gone", roles_title(peer->role, peer->number, name));
	/* one that waits for the next control goes on with its flows */
	if (!control->handing_over)
		flow_reports_lost(peer);
	scan_states_gone(control->scans, peer->number);
	hang_up(peer);
	control->flow_peers->on_left(control);
}

void flow_peers_close(struct flow_peers *flow_peers)
{
	for (unsigned i = 0; i < PROCESS_NUMBERS_MAX; i++) {
		struct peer *peer = &flow_peers->v[i].peer;
		if (peer->channel)
			channel_drain(peer->channel);
		hang_up(peer);
	}
	for (size_t i = 0; i < PLAIN; i++)
		peer_hang_up(plain_at(flow_peers, i));
}

void flow_peers_free(struct flow_peers *flow_peers)
{
	if (!flow_peers)
		return;
	flow_peers_close(flow_peers);
	free(flow_peers);
}

/* Sends what the gather, if there is one, waits for. */
static void send_to(struct peer *peer, void *ipc, int fd, struct gather *gather)
{
	if (gather)
		gather_try(gather, &peer->asks, ipc, fd);
	else
		channel_send(peer->channel, ipc, fd);
}

static void send_policy_ipc(struct peer *peer, unsigned type, uint64_t number, bool lenient, int fd,
	struct gather *gather)
{
	struct ipc_policy ipc;
	ipc_init(&ipc, type, sizeof(ipc));
	ipc.number = number;
	ipc.lenient = lenient;
	ipc.inquiry = peer->control->inquiry;
	send_to(peer, &ipc, fd, gather);
}

/* Prepares and commits the running policy. */
static void send_running_policy(struct flows_peer *flows, struct gather *gather)
{
	struct peer *peer = &flows->peer;
	struct control *control = peer->control;
	char name[16];
	size_t len;
	char *text = language_print(control->policy, LANGUAGE_PRINT_RESOLVED, &len);
	int fd = text ? channel_memfd("policy", text, len) : -ENOMEM;
	free(text);
	if (fd < 0) {
		log_error("no memory for the policy of %s",
			roles_title(peer->role, peer->number, name));
		return;
	}
	credentials_tell_running(control->credentials, peer);
	send_policy_ipc(peer, IPC_POLICY, control->policy_number, true, fd, gather);
	send_policy_ipc(peer, IPC_POLICY_COMMIT, control->policy_number, true, -1, gather);
	close(fd);
	flows->prepared = control->policy_number;
}

void flow_peers_ask_flows(struct flow_peers *flow_peers, struct flow_gather *flows)
{
	flow_reports_begin(flows);
	for (unsigned i = 0; i < PROCESS_NUMBERS_MAX; i++)
		if (flow_peers->v[i].peer.channel)
			flow_reports_ask(&flow_peers->v[i].peer, flows);
	gather_end(&flows->gather, 0, NULL);
}

/* The whole picture. */
static void on_open(struct peer *peer)
{
	struct control *control = peer->control;
	struct ipc_plain done;
	char name[16];

	channel_set_pace(peer->channel, PACE_MS);
	log_debug("%s, start %u: sending the picture", roles_title(peer->role, peer->number, name),
		(unsigned)peer->generation);
	((struct flows_peer *)peer)->committed = 0;
	send_running_policy((struct flows_peer *)peer, NULL);
	peer_clients_tell(peer);
	send_flow_ids(peer);
	if (roles[peer->role].told & TOLD_TARGETS)
		health_peer_tell(control->health, peer->channel);
	ipc_init(&done, IPC_PICTURE_DONE, sizeof(done));
	peer_send(peer, &done);
	flow_reports_ask_old(peer);
}

static const struct peer_face face = {.on_open = on_open, .on_ipc = on_ipc, .on_gone = on_gone};

struct peer *flow_peers_find(struct flow_peers *flow_peers, enum process_role role, uint32_t number)
{
	if (role >= PROCESS_ROLES)
		return NULL;
	if (roles[role].upgrade != ROLE_DRAINS)
		return number < PROCESS_RELAYS_MAX
			       ? other_at(flow_peers, role * PROCESS_RELAYS_MAX + number)
			       : NULL;
	if (number >= PROCESS_NUMBERS_MAX)
		return NULL;
	struct peer *peer = &flow_peers->v[number].peer;
	if (!peer->channel)
		peer->role = role;
	return peer->role == role ? peer : NULL;
}

struct peer *flow_peers_next(struct flow_peers *flow_peers, unsigned *at)
{
	while (*at < PROCESS_NUMBERS_MAX + PLAIN) {
		unsigned i = (*at)++;
		struct peer *peer = i < PROCESS_NUMBERS_MAX
					    ? &flow_peers->v[i].peer
					    : other_at(flow_peers, i - PROCESS_NUMBERS_MAX);
		if (peer->channel)
			return peer;
	}
	return NULL;
}

/* Does it run, and take new flows? */
static bool serves(const struct peer *peer, enum process_role role)
{
	return peer->channel && !peer->draining && peer->role == role;
}

size_t flow_peers_count(const struct flow_peers *flow_peers, enum process_role role)
{
	size_t n = 0;
	for (unsigned i = 0; i < PROCESS_NUMBERS_MAX; i++)
		n += serves(&flow_peers->v[i].peer, role);
	return n;
}

bool flow_peers_any(const struct flow_peers *flow_peers)
{
	for (unsigned i = 0; i < PROCESS_NUMBERS_MAX; i++)
		if (flow_peers->v[i].peer.channel)
			return true;
	return false;
}

bool flow_peers_next_draining(
	const struct flow_peers *flow_peers, unsigned *at, struct flow_peers_draining *draining)
{
	for (; *at < PROCESS_NUMBERS_MAX; ++*at) {
		const struct peer *peer = &flow_peers->v[*at].peer;
		if (!peer->channel || !peer->draining)
			continue;
		*draining = (struct flow_peers_draining){.relay = peer->number,
			.flows = peer->last[COUNTER_FLOWS_LIVE],
			.version = peer->version};
		++*at;
		return true;
	}
	return false;
}

/* Is it running, and told ipcs of this kind? */
static bool is_told(const struct peer *peer, const struct ipc_header *ipc)
{
	const unsigned told = roles[peer->role].told;

	switch (ipc->type) {
	case IPC_SESSIONS:
	case IPC_SESSION_GONE:
		return peer->channel && told & TOLD_SESSIONS;
	case IPC_LIST_ENTRIES:
	case IPC_LIST_CLEAR:
	case IPC_BLOCK:
		return peer->channel && told & TOLD_LISTS;
	case IPC_TARGETS:
		return peer->channel && told & TOLD_TARGETS;
	case IPC_INQUIRY:
		return peer->channel && told & TOLD_POLICY;
	default:
		return peer->channel;
	}
}

void flow_peers_send(struct flow_peers *flow_peers, const void *ipc)
{
	for (unsigned i = 0; i < PROCESS_NUMBERS_MAX; i++)
		if (is_told(&flow_peers->v[i].peer, ipc))
			peer_send(&flow_peers->v[i].peer, ipc);
}

void flow_peers_send_to(struct flow_peers *flow_peers, enum process_role role, const void *ipc)
{
	for (unsigned i = 0; i < PROCESS_NUMBERS_MAX; i++)
		if (flow_peers->v[i].peer.role == role)
			peer_send(&flow_peers->v[i].peer, ipc);
}

void flow_peers_send_all(struct flow_peers *flow_peers, const void *ipc)
{
	flow_peers_send(flow_peers, ipc);
	for (size_t i = 0; i < PLAIN; i++)
		peer_send(other_at(flow_peers, i), ipc);
}

void flow_peers_send_session(struct flow_peers *flow_peers, const struct session *session)
{
	struct ipc_sessions *ipc = malloc(sizeof(*ipc) + SESSION_ENCODED_MAX);
	if (!ipc)
		return;
	size_t len =
		peer_clients_encode(flow_peers->control, session, ipc->data, SESSION_ENCODED_MAX);
	ipc_init(ipc, IPC_SESSIONS, sizeof(*ipc));
	ipc->header.bytes += (uint32_t)len;
	ipc->bytes = (uint32_t)len;
	ipc->n = 1;
	if (len)
		flow_peers_send(flow_peers, ipc);
	free(ipc);
}

void flow_peers_send_session_gone(struct flow_peers *flow_peers, uint64_t id)
{
	struct ipc_session_gone ipc;
	ipc_init(&ipc, IPC_SESSION_GONE, sizeof(ipc));
	ipc.id = id;
	flow_peers_send(flow_peers, &ipc);
}

void flow_peers_gather(struct flow_peers *flow_peers, struct gather *gather, void *ipc)
{
	for (unsigned i = 0; i < PROCESS_NUMBERS_MAX; i++)
		if (is_told(&flow_peers->v[i].peer, ipc))
			gather_try(gather, &flow_peers->v[i].peer.asks, ipc, -1);
}

void flow_peers_gather_from(
	struct flow_peers *flow_peers, enum process_role role, struct gather *gather, void *ipc)
{
	for (unsigned i = 0; i < PROCESS_NUMBERS_MAX; i++)
		if (flow_peers->v[i].peer.role == role && flow_peers->v[i].peer.channel)
			gather_try(gather, &flow_peers->v[i].peer.asks, ipc, -1);
}

bool flow_peers_ask(struct flow_peers *flow_peers, enum process_role role, struct question *ask,
	void *ipc, int fd)
{
	for (unsigned i = 0; i < PROCESS_NUMBERS_MAX; i++)
		if (serves(&flow_peers->v[i].peer, role)) {
			question_send(&flow_peers->v[i].peer.asks, ask, ipc, fd);
			return true;
		}
	return false;
}

void flow_peers_prepare(struct flow_peers *flow_peers, uint64_t number, bool lenient,
	const char *text, size_t len, struct gather *gather)
{
	int fd = channel_memfd("policy", text, len);
	if (fd < 0) {
		gather_add(gather);
		gather_end(gather, fd, NULL);
		return;
	}
	for (unsigned i = 0; i < PROCESS_NUMBERS_MAX; i++) {
		struct flows_peer *flows = &flow_peers->v[i];
		if (!flows->peer.channel)
			continue;
		flows->prepared = number;
		credentials_tell(flow_peers->control->credentials, &flows->peer);
		send_policy_ipc(&flows->peer, IPC_POLICY, number, lenient, fd, gather);
	}
	close(fd);
}

void flow_peers_commit(
	struct flow_peers *flow_peers, unsigned roles_meant, uint64_t number, struct gather *gather)
{
	for (unsigned i = 0; i < PROCESS_NUMBERS_MAX; i++) {
		struct flows_peer *flows = &flow_peers->v[i];
		if (!flows->peer.channel || !(roles_meant & 1u << flows->peer.role) ||
			flows->committed == number)
			continue;
		if (flows->prepared == number)
			send_policy_ipc(&flows->peer, IPC_POLICY_COMMIT, number, false, -1, gather);
		else if (number == flow_peers->control->policy_number)
			send_running_policy(flows, gather);
		else
			continue; /* started since then: told when it is the running one */
		flows->committed = number;
	}
}

void flow_peers_abort(struct flow_peers *flow_peers, uint64_t number)
{
	for (unsigned i = 0; i < PROCESS_NUMBERS_MAX; i++) {
		struct flows_peer *flows = &flow_peers->v[i];
		if (!flows->peer.channel || flows->prepared != number)
			continue;
		send_policy_ipc(&flows->peer, IPC_POLICY_ABORT, number, false, -1, NULL);
		flows->prepared = 0;
	}
}

void flow_peers_sum_counters(struct flow_peers *flow_peers, uint64_t sum[static COUNTERS])
{
	for (unsigned i = 0; i < PROCESS_NUMBERS_MAX; i++)
		peer_sum_counters(&flow_peers->v[i].peer, sum);
	for (size_t i = 0; i < PLAIN; i++)
		peer_sum_counters(other_at(flow_peers, i), sum);
}

void flow_peers_sum_histograms(
	const struct flow_peers *flow_peers, struct histogram sum[static HISTOGRAMS])
{
	for (unsigned i = 0; i < sizeof(flow_peers->v) / sizeof(flow_peers->v[0]); i++) {
		for (unsigned kind = 0; kind < HISTOGRAMS; kind++) {
			histogram_sum(&sum[kind], &flow_peers->v[i].peer.dead_times[kind]);
			histogram_sum(&sum[kind], &flow_peers->v[i].peer.last_times[kind]);
		}
	}
}
