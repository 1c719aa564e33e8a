#include "lib/ipc/ipc.h"

#include "lib/ipc/flow.h"
#include "lib/ipc/record.h"
#include "lib/session.h"

#include <errno.h>
#include <string.h>

static bool text_ok(const char *text, size_t size)
{
	size_t len = strnlen(text, size);
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			return false;
	return len < size;
}
#define TEXT_OK(field)  text_ok(field, sizeof(field))
#define NAMED_OK(field) (TEXT_OK(field) && (field)[0])

static bool addr_ok(const struct addr *addr)
{
	static const uint8_t zero[16];
	switch (addr->family) {
	case ADDR_NONE:
		return memcmp(addr->bytes, zero, 16) == 0;
	case ADDR_IP4:
		return memcmp(addr->bytes + 4, zero, 12) == 0;
	case ADDR_IP6:
		return true;
	default:
		return false;
	}
}

static bool addr_given_ok(const struct addr *addr)
{
	return addr->family != ADDR_NONE && addr_ok(addr);
}

static bool prefix_ok(const struct prefix *prefix)
{
	return addr_given_ok(&prefix->addr) && prefix_is_good(prefix);
}

static bool plain_ok(const void *message, size_t len)
{
	(void)message;
	(void)len;
	return true;
}

static bool reply_ok(const void *message, size_t len)
{
	const struct ipc_reply *reply = message;
	(void)len;
	return reply->status <= 0 && reply->header.seq && TEXT_OK(reply->text);
}

static bool link_ok(const void *message, size_t len)
{
	const struct ipc_link *link = message;
	(void)len;
	return link->ifindex && link->has_mac <= 1 && link->up <= 1 && NAMED_OK(link->name);
}

static bool peer_ok(const void *message, size_t len)
{
	const struct ipc_peer *peer = message;
	(void)len;
	return peer->draining <= 1 && TEXT_OK(peer->version);
}

static bool sockets_get_ok(const void *message, size_t len)
{
	const struct ipc_sockets_get *get = message;
	(void)len;
	return get->ip6 <= 1 && get->n && get->n <= IPC_SOCKETS_MAX;
}

static bool socket_ok(const void *message, size_t len)
{
	const struct ipc_socket *socket = message;
	(void)len;
	return socket->ip6 <= 1 && socket->status <= 0;
}

static bool admit_ok(const void *message, size_t len)
{
	const struct ipc_admit *admit = message;
	(void)len;
	return addr_given_ok(&admit->source.addr) && addr_given_ok(&admit->original.addr) &&
	       admit->source.addr.family == admit->original.addr.family && NAMED_OK(admit->ifname);
}

static bool entry_ok(const struct ipc_entry *entry)
{
	if (entry->add > 1 || entry->has_mac > 1 || entry->kernel > DECIDE_KERNEL_DROP)
		return false;
	if (entry->add && !entry->timeout_ms)
		return false;
	if (entry->has_mac != mac_is_set(&entry->mac))
		return false;
	return addr_given_ok(&entry->source) && NAMED_OK(entry->ifname);
}

static bool verdict_ok(const void *message, size_t len)
{
	const struct ipc_verdict *verdict = message;
	(void)len;
	if (verdict->kernel > DECIDE_KERNEL_DROP || verdict->cache > 1 || verdict->forget > 1)
		return false;
	if (verdict->cache && (!entry_ok(&verdict->entry) || !verdict->entry.add))
		return false;
	return !verdict->forget || (entry_ok(&verdict->forgotten) && !verdict->forgotten.add);
}

/* n items of `size` bytes fill what lies behind `base` exactly. */
static bool count_ok(size_t len, size_t base, uint32_t n, size_t size)
{
	return n <= IPC_BYTES_MAX && len == base + n * size;
}

static bool entries_ok(const void *message, size_t len)
{
	const struct ipc_entries *entries = message;
	if (entries->flush > 1 || entries->n > IPC_ENTRIES_MAX ||
		!count_ok(len, sizeof(*entries), entries->n, sizeof(entries->v[0])))
		return false;
	for (uint32_t i = 0; i < entries->n; i++)
		if (!entry_ok(&entries->v[i]))
			return false;
	return true;
}

static bool client_ok(const void *message, size_t len)
{
	const struct ipc_client *client = message;
	(void)len;
	return entry_ok(&client->entry);
}

static bool event_ok(const void *message, size_t len)
{
	const struct ipc_event *event = message;
	(void)len;
	return event->kind < IPC_EVENTS && TEXT_OK(event->text);
}

static bool kernel_counters_ok(const void *message, size_t len)
{
	const struct ipc_kernel_counters *counters = message;
	(void)len;
	return counters->native_queue <= 1 && counters->table_owned <= 1;
}

static bool words_ok(const void *message, size_t len)
{
	const struct ipc_text *text = message;
	(void)len;
	return TEXT_OK(text->text);
}

/* The bytes are read by foreign_read() and its like, which are bounded. */
static bool foreign_ok(const void *message, size_t len)
{
	const struct ipc_foreign *foreign = message;
	return count_ok(len, sizeof(*foreign), foreign->n, 1);
}

static bool bypass_ok(const void *message, size_t len)
{
	const struct ipc_bypass *bypass = message;
	(void)len;
	return bypass->on <= 1 && TEXT_OK(bypass->zone);
}

static bool neighbour_ok(const void *message, size_t len)
{
	const struct ipc_neighbour *neighbour = message;
	(void)len;
	return addr_given_ok(&neighbour->addr) && neighbour->ifindex;
}

static bool passed_ok(const void *message, size_t len)
{
	const struct ipc_passed *passed = message;
	if (passed->n > IPC_PASSED_MAX || len != sizeof(*passed) + passed->n * sizeof(passed->v[0]))
		return false;
	for (uint32_t i = 0; i < passed->n; i++)
		if (!addr_given_ok(&passed->v[i].source))
			return false;
	return true;
}

static bool cut_ok(const void *message, size_t len)
{
	const struct ipc_cut *cut = message;
	(void)len;
	return mac_is_set(&cut->mac) ? cut->source.addr.family == ADDR_NONE
				     : prefix_ok(&cut->source);
}

static bool subject_ok(const struct block *block)
{
	switch (block->kind) {
	case BLOCK_USER:
		return block->user[0];
	case BLOCK_MAC:
		return mac_is_set(&block->mac);
	case BLOCK_ADDRESS:
		return prefix_ok(&block->prefix);
	default:
		return false;
	}
}

static bool block_ok(const void *message, size_t len)
{
	const struct ipc_block *order = message;
	const struct block *block = &order->block;
	(void)len;
	return order->add <= 1 && TEXT_OK(block->user) && TEXT_OK(block->zone) &&
	       TEXT_OK(block->text) && TEXT_OK(block->limit) && subject_ok(block) &&
	       (!order->add || block->code == 421 || block->code == 554);
}

/* The sessions themselves are read by session_decode(), which is bounded. */
static bool sessions_ok(const void *message, size_t len)
{
	const struct ipc_sessions *sessions = message;
	return sessions->n && sessions->n <= sessions->bytes &&
	       count_ok(len, sizeof(*sessions), sessions->bytes, 1);
}

static bool elem_ok(const struct policy_elem *elem)
{
	switch (elem->kind) {
	case POLICY_ELEM_PREFIX:
		return prefix_ok(&elem->prefix);
	case POLICY_ELEM_RANGE:
		return addr_given_ok(&elem->range.first) && addr_given_ok(&elem->range.last) &&
		       range_is_good(&elem->range);
	case POLICY_ELEM_MAC:
		return elem->spelling <= MAC_SPELLING_MAX;
	case POLICY_ELEM_MAIL: /* their texts are control's own */
	case POLICY_ELEM_HOST:
		break;
	}
	return false;
}

static bool list_entries_ok(const void *message, size_t len)
{
	const struct ipc_list_entries *entries = message;
	if (!NAMED_OK(entries->name) ||
		!count_ok(len, sizeof(*entries), entries->n, sizeof(entries->v[0])))
		return false;
	for (uint32_t i = 0; i < entries->n; i++)
		if (entries->v[i].add > 1 || !elem_ok(&entries->v[i].elem))
			return false;
	return true;
}

static bool list_clear_ok(const void *message, size_t len)
{
	const struct ipc_list_entries *entries = message;
	return entries->n == 0 && list_entries_ok(message, len);
}

static bool flow_ids_ok(const void *message, size_t len)
{
	const struct ipc_flow_ids *ids = message;
	(void)len;
	return ids->first && ids->first <= ids->last;
}

static bool kill_ok(const void *message, size_t len)
{
	const struct ipc_kill *order = message;
	(void)len;
	return order->ending < ENDINGS && TEXT_OK(order->user) && TEXT_OK(order->server) &&
	       TEXT_OK(order->zone);
}

static bool log_level_ok(const void *message, size_t len)
{
	const struct ipc_log_level *level = message;
	(void)len;
	return level->level <= POLICY_LOG_DEBUG;
}

static bool started_ok(const void *message, size_t len)
{
	const struct ipc_started *started = message;
	(void)len;
	return TEXT_OK(started->rule);
}

/* The flow itself is read by ipc_flow_decode(), which is bounded. */
static bool flow_ok(const void *message, size_t len)
{
	(void)message;
	return len > sizeof(struct ipc_flow_row);
}

static bool counters_ok(const void *message, size_t len)
{
	const struct ipc_counters *counters = message;
	(void)len;
	return counters->n == COUNTERS;
}

static bool host_ok(const void *message, size_t len)
{
	const struct ipc_host *host = message;
	(void)len;
	return addr_given_ok(&host->host.addr) && host->usable <= 1 &&
	       host->kind <= IPC_HOST_FAILED && NAMED_OK(host->server) && TEXT_OK(host->text);
}

static bool target_ok(const struct ipc_target *target)
{
	if (!NAMED_OK(target->name) || !TEXT_OK(target->text) || !target->port ||
		target->state >= TARGET_STATES || target->client_families > TARGET_CLIENTS_ALL ||
		target->stale > 1 || target->drained > 1 || target->failing > 1 ||
		target->naddresses > TARGET_ADDRESSES_MAX || target->asked >> target->naddresses)
		return false;
	for (unsigned i = 0; i < target->naddresses; i++)
		if (!addr_given_ok(&target->addresses[i]))
			return false;
	return true;
}

static bool targets_ok(const void *message, size_t len)
{
	const struct ipc_targets *targets = message;
	if (!NAMED_OK(targets->server) || targets->n > TARGETS_MAX ||
		!count_ok(len, sizeof(*targets), targets->n, sizeof(targets->v[0])))
		return false;
	for (uint32_t i = 0; i < targets->n; i++)
		if (!target_ok(&targets->v[i]))
			return false;
	return true;
}

static bool probe_now_ok(const void *message, size_t len)
{
	const struct ipc_probe_now *now = message;
	(void)len;
	return TEXT_OK(now->server);
}

static bool metrics_listen_ok(const void *message, size_t len)
{
	const struct ipc_metrics_listen *listen = message;
	(void)len;
	return addr_given_ok(&listen->at.addr) && listen->at.port;
}

static bool metrics_state_ok(const void *message, size_t len)
{
	const struct ipc_metrics_state *state = message;
	(void)len;
	return addr_given_ok(&state->at.addr) && state->status <= 0;
}

static bool load_ok(const void *message, size_t len)
{
	const struct ipc_load *load = message;
	(void)len;
	return addr_given_ok(&load->host.addr) && NAMED_OK(load->server);
}

static bool client_side_ok(const void *message, size_t len)
{
	const struct ipc_client_side *side = message;
	(void)len;
	return addr_ok(&side->ip4) && side->ip4.family != ADDR_IP6 && addr_ok(&side->ip6) &&
	       side->ip6.family != ADDR_IP4;
}

static bool test_ok(const void *message, size_t len)
{
	const struct ipc_test *test = message;
	(void)len;
	return addr_ok(&test->client) && test->nobody <= 1 && NAMED_OK(test->server) &&
	       TEXT_OK(test->user) && TEXT_OK(test->from) && TEXT_OK(test->to) &&
	       trial_is_path(test->from) && trial_is_path(test->to);
}

static bool tested_ok(const void *message, size_t len)
{
	const struct ipc_tested *tested = message;
	(void)len;
	return addr_ok(&tested->host.addr) && addr_ok(&tested->client) &&
	       tested->kind <= IPC_TESTED_VERDICT && tested->verdict < TRIAL_VERDICTS &&
	       NAMED_OK(tested->name) && TEXT_OK(tested->text);
}

static bool foresee_ok(const void *message, size_t len)
{
	const struct ipc_foresee *question = message;
	(void)len;
	return addr_given_ok(&question->client) && addr_ok(&question->original.addr) &&
	       NAMED_OK(question->zone) && NAMED_OK(question->server) && TEXT_OK(question->user);
}

/* bytes: the whole message, or with `longer` its fixed part. */
struct kind {
	const char *name;
	size_t bytes;
	bool longer;
	bool (*ok)(const void *message, size_t len);
};

#define PLAIN(word)                                             \
	{                                                       \
		word, sizeof(struct ipc_plain), false, plain_ok \
	}
#define FIXED(word, type, ok)                        \
	{                                            \
		word, sizeof(struct type), false, ok \
	}
#define LONGER(word, type, ok)                      \
	{                                           \
		word, sizeof(struct type), true, ok \
	}

static const struct kind kinds[] = {
	[IPC_PING] = PLAIN("ping"),
	[IPC_PONG] = PLAIN("pong"),
	[IPC_REPLY] = FIXED("reply", ipc_reply, reply_ok),
	[IPC_LINK] = FIXED("link", ipc_link, link_ok),
	[IPC_UNLINK] = FIXED("unlink", ipc_link, link_ok),
	[IPC_LINKS_DONE] = PLAIN("links-done"),
	[IPC_PEER] = FIXED("peer", ipc_peer, peer_ok),
	[IPC_PEER_GONE] = FIXED("peer-gone", ipc_peer, peer_ok),
	[IPC_DRAIN] = FIXED("drain", ipc_drain, plain_ok),
	[IPC_ADMIT] = FIXED("admit", ipc_admit, admit_ok),
	[IPC_EVENT] = FIXED("event", ipc_event, event_ok),
	[IPC_CLIENT] = FIXED("client", ipc_client, client_ok),
	[IPC_RELOAD] = PLAIN("reload"),
	[IPC_STOP] = PLAIN("stop"),
	[IPC_KERNEL_COUNTERS] = FIXED("kernel-counters", ipc_kernel_counters, kernel_counters_ok),
	[IPC_TEXT] = FIXED("text", ipc_text, words_ok),
	[IPC_READY] = PLAIN("ready"),
	[IPC_VERDICT] = FIXED("verdict", ipc_verdict, verdict_ok),
	[IPC_ENTRIES] = LONGER("entries", ipc_entries, entries_ok),
	[IPC_PLAN] = FIXED("plan", ipc_plan, plain_ok),
	[IPC_BYPASS] = FIXED("bypass", ipc_bypass, bypass_ok),
	[IPC_CLIENTS_GET] = PLAIN("clients-get"),
	[IPC_KERNEL_COUNTERS_GET] = PLAIN("kernel-counters-get"),
	[IPC_NEIGHBOUR_GET] = FIXED("neighbour-get", ipc_neighbour, neighbour_ok),
	[IPC_NEIGHBOUR] = FIXED("neighbour", ipc_neighbour, neighbour_ok),
	[IPC_CUT] = FIXED("cut", ipc_cut, cut_ok),
	[IPC_PASSED_GET] = PLAIN("passed-get"),
	[IPC_PASSED] = LONGER("passed", ipc_passed, passed_ok),
	[IPC_DOCTOR_GET] = PLAIN("doctor-get"),
	[IPC_POLICY] = FIXED("policy", ipc_policy, plain_ok),
	[IPC_POLICY_COMMIT] = FIXED("policy-commit", ipc_policy, plain_ok),
	[IPC_POLICY_ABORT] = FIXED("policy-abort", ipc_policy, plain_ok),
	[IPC_SESSIONS] = LONGER("sessions", ipc_sessions, sessions_ok),
	[IPC_SESSION_GONE] = FIXED("session-gone", ipc_session_gone, plain_ok),
	[IPC_LIST_ENTRIES] = LONGER("list-entries", ipc_list_entries, list_entries_ok),
	[IPC_LIST_CLEAR] = FIXED("list-clear", ipc_list_entries, list_clear_ok),
	[IPC_PICTURE_DONE] = PLAIN("picture-done"),
	[IPC_FLOW_IDS] = FIXED("flow-ids", ipc_flow_ids, flow_ids_ok),
	[IPC_KILL] = FIXED("kill", ipc_kill, kill_ok),
	[IPC_FLOWS_GET] = PLAIN("flows-get"),
	[IPC_LOG_LEVEL] = FIXED("log-level", ipc_log_level, log_level_ok),
	[IPC_FLOW] = LONGER("flow", ipc_flow_row, flow_ok),
	[IPC_RECORDS] = LONGER("records", ipc_records, ipc_records_ok),
	[IPC_STARTED] = FIXED("started", ipc_started, started_ok),
	[IPC_FLOW_IDS_GET] = PLAIN("flow-ids-get"),
	[IPC_COUNTERS] = FIXED("counters", ipc_counters, counters_ok),
	[IPC_HOST] = FIXED("host", ipc_host, host_ok),
	[IPC_TARGETS] = LONGER("targets", ipc_targets, targets_ok),
	[IPC_PROBE_NOW] = FIXED("probe-now", ipc_probe_now, probe_now_ok),
	[IPC_WANTED] = FIXED("wanted", ipc_wanted, plain_ok),
	[IPC_ARRIVED_GET] = PLAIN("arrived-get"),
	[IPC_METRICS_LISTEN] = FIXED("metrics-listen", ipc_metrics_listen, metrics_listen_ok),
	[IPC_METRICS_PAGE] = PLAIN("metrics-page"),
	[IPC_METRICS_STATE] = FIXED("metrics-state", ipc_metrics_state, metrics_state_ok),
	[IPC_METRICS_GET] = PLAIN("metrics-get"),
	[IPC_SOCKETS_GET] = FIXED("sockets-get", ipc_sockets_get, sockets_get_ok),
	[IPC_SOCKET] = FIXED("socket", ipc_socket, socket_ok),
	[IPC_TEST] = FIXED("test", ipc_test, test_ok),
	[IPC_TESTED] = FIXED("tested", ipc_tested, tested_ok),
	[IPC_HAND_OVER] = PLAIN("hand-over"),
	[IPC_LOADS_GET] = PLAIN("loads-get"),
	[IPC_LOAD] = FIXED("load", ipc_load, load_ok),
	[IPC_CLIENT_SIDE] = FIXED("client-side", ipc_client_side, client_side_ok),
	[IPC_BLOCK] = FIXED("block", ipc_block, block_ok),
	[IPC_FORESEE] = FIXED("foresee", ipc_foresee, foresee_ok),
	[IPC_FOREIGN_GET] = PLAIN("foreign-get"),
	[IPC_FOREIGN] = LONGER("foreign", ipc_foreign, foreign_ok),
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

_Static_assert(KINDS == IPC_TYPES, "every message has its row");

int ipc_check(const void *bytes, size_t len)
{
	const struct ipc_header *header = bytes;

	if (len < sizeof(*header) || len > IPC_BYTES_MAX)
		return -EBADMSG;
	if (header->version != IPC_VERSION || header->bytes != len || header->reserved)
		return -EBADMSG;
	if (header->type >= KINDS || !kinds[header->type].ok)
		return -EBADMSG;
	const struct kind *kind = &kinds[header->type];
	if (kind->longer ? len < kind->bytes : len != kind->bytes)
		return -EBADMSG;
	return kind->ok(bytes, len) ? 0 : -EBADMSG;
}

void ipc_init(void *message, enum ipc_type type, size_t bytes)
{
	struct ipc_header *header = message;

	memset(message, 0, bytes);
	header->type = (uint16_t)type;
	header->version = IPC_VERSION;
	header->bytes = (uint32_t)bytes;
}

const char *ipc_name(enum ipc_type type)
{
	return (size_t)type < KINDS && kinds[type].name ? kinds[type].name : "unknown";
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
	for (size_t i = 1; i < KINDS; i++) {
		hash = mix_word(hash, kinds[i].name);
		hash = mix(hash, kinds[i].bytes);
		hash = mix(hash, kinds[i].longer);
	}
	/* what stands repeatedly in the longer ones */
	hash = mix(hash, sizeof(struct ipc_entry));
	hash = mix(hash, sizeof(struct ipc_list_entry));
	hash = mix(hash, sizeof(struct ipc_target));
	hash = mix(hash, sizeof(struct ipc_part));
	return ipc_flow_hash(hash);
}
