#include "lib/message.h"

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
	const struct message_reply *reply = message;
	(void)len;
	return reply->status <= 0 && reply->header.seq && TEXT_OK(reply->text);
}

static bool link_ok(const void *message, size_t len)
{
	const struct message_link *link = message;
	(void)len;
	return link->ifindex && link->has_mac <= 1 && link->up <= 1 && NAMED_OK(link->name);
}

static bool peer_ok(const void *message, size_t len)
{
	const struct message_peer *peer = message;
	(void)len;
	return peer->draining <= 1 && TEXT_OK(peer->version);
}

static bool sockets_get_ok(const void *message, size_t len)
{
	const struct message_sockets_get *get = message;
	(void)len;
	return get->ip6 <= 1 && get->n && get->n <= MESSAGE_SOCKETS_MAX;
}

static bool socket_ok(const void *message, size_t len)
{
	const struct message_socket *socket = message;
	(void)len;
	return socket->ip6 <= 1 && socket->status <= 0;
}

static bool admit_ok(const void *message, size_t len)
{
	const struct message_admit *admit = message;
	(void)len;
	return addr_given_ok(&admit->source.addr) && addr_given_ok(&admit->original.addr) &&
	       admit->source.addr.family == admit->original.addr.family && NAMED_OK(admit->ifname);
}

static bool entry_ok(const struct message_entry *entry)
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
	const struct message_verdict *verdict = message;
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
	return n <= MESSAGE_BYTES_MAX && len == base + n * size;
}

static bool entries_ok(const void *message, size_t len)
{
	const struct message_entries *entries = message;
	if (entries->flush > 1 || entries->n > MESSAGE_ENTRIES_MAX ||
		!count_ok(len, sizeof(*entries), entries->n, sizeof(entries->v[0])))
		return false;
	for (uint32_t i = 0; i < entries->n; i++)
		if (!entry_ok(&entries->v[i]))
			return false;
	return true;
}

static bool client_ok(const void *message, size_t len)
{
	const struct message_client *client = message;
	(void)len;
	return entry_ok(&client->entry);
}

static bool event_ok(const void *message, size_t len)
{
	const struct message_event *event = message;
	(void)len;
	return event->kind < MESSAGE_EVENTS && TEXT_OK(event->text);
}

static bool kernel_counters_ok(const void *message, size_t len)
{
	const struct message_kernel_counters *counters = message;
	(void)len;
	return counters->native_queue <= 1 && counters->table_owned <= 1;
}

static bool words_ok(const void *message, size_t len)
{
	const struct message_text *text = message;
	(void)len;
	return TEXT_OK(text->text);
}

/* The bytes are read by foreign_read() and its like, which are bounded. */
static bool foreign_ok(const void *message, size_t len)
{
	const struct message_foreign *foreign = message;
	return count_ok(len, sizeof(*foreign), foreign->n, 1);
}

static bool bypass_ok(const void *message, size_t len)
{
	const struct message_bypass *bypass = message;
	(void)len;
	return bypass->on <= 1 && TEXT_OK(bypass->zone);
}

static bool neighbour_ok(const void *message, size_t len)
{
	const struct message_neighbour *neighbour = message;
	(void)len;
	return addr_given_ok(&neighbour->addr) && neighbour->ifindex;
}

static bool passed_ok(const void *message, size_t len)
{
	const struct message_passed *passed = message;
	if (passed->n > MESSAGE_PASSED_MAX ||
		len != sizeof(*passed) + passed->n * sizeof(passed->v[0]))
		return false;
	for (uint32_t i = 0; i < passed->n; i++)
		if (!addr_given_ok(&passed->v[i].source))
			return false;
	return true;
}

static bool cut_ok(const void *message, size_t len)
{
	const struct message_cut *cut = message;
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
	const struct message_block *order = message;
	const struct block *block = &order->block;
	(void)len;
	return order->add <= 1 && TEXT_OK(block->user) && TEXT_OK(block->zone) &&
	       TEXT_OK(block->text) && TEXT_OK(block->limit) && subject_ok(block) &&
	       (!order->add || block->code == 421 || block->code == 554);
}

/* The sessions themselves are read by session_decode(), which is bounded. */
static bool sessions_ok(const void *message, size_t len)
{
	const struct message_sessions *sessions = message;
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
	const struct message_list_entries *entries = message;
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
	const struct message_list_entries *entries = message;
	return entries->n == 0 && list_entries_ok(message, len);
}

static bool flow_ids_ok(const void *message, size_t len)
{
	const struct message_flow_ids *ids = message;
	(void)len;
	return ids->first && ids->first <= ids->last;
}

static bool kill_ok(const void *message, size_t len)
{
	const struct message_kill *order = message;
	(void)len;
	return order->ending < ENDINGS && TEXT_OK(order->user) && TEXT_OK(order->server) &&
	       TEXT_OK(order->zone);
}

static bool log_level_ok(const void *message, size_t len)
{
	const struct message_log_level *level = message;
	(void)len;
	return level->level <= POLICY_LOG_DEBUG;
}

static bool started_ok(const void *message, size_t len)
{
	const struct message_started *started = message;
	(void)len;
	return TEXT_OK(started->rule);
}

static bool flow_ok(const void *message, size_t len)
{
	const struct message_flow *flow = message;
	(void)len;
	if (flow->verdict >= POLICY_VERDICTS || flow->ending >= ENDINGS ||
		flow->reason >= DECIDE_REASONS || flow->audit > 1)
		return false;
	if (!addr_ok(&flow->client.addr) || !addr_ok(&flow->original.addr) ||
		!addr_ok(&flow->host.addr) || !addr_ok(&flow->gateway.addr))
		return false;
	if (!TEXT_OK(flow->ifname) || !TEXT_OK(flow->zone) || !TEXT_OK(flow->user) ||
		!TEXT_OK(flow->rule) || !TEXT_OK(flow->server) || !TEXT_OK(flow->state) ||
		!TEXT_OK(flow->detail) || !TEXT_OK(flow->reply) ||
		flow->nattempts > MESSAGE_ATTEMPTS_MAX)
		return false;
	for (uint32_t i = 0; i < flow->nattempts; i++) {
		const struct message_attempt *attempt = &flow->attempts[i];
		if (!addr_ok(&attempt->host.addr) || attempt->ending >= ENDINGS ||
			!TEXT_OK(attempt->reply))
			return false;
	}
	return true;
}

static bool counters_ok(const void *message, size_t len)
{
	const struct message_counters *counters = message;
	(void)len;
	return counters->n == COUNTERS;
}

static bool host_ok(const void *message, size_t len)
{
	const struct message_host *host = message;
	(void)len;
	return addr_given_ok(&host->host.addr) && host->usable <= 1 &&
	       host->kind <= MESSAGE_HOST_FAILED && NAMED_OK(host->server) && TEXT_OK(host->text);
}

static bool target_ok(const struct message_target *target)
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
	const struct message_targets *targets = message;
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
	const struct message_probe_now *now = message;
	(void)len;
	return TEXT_OK(now->server);
}

static bool metrics_listen_ok(const void *message, size_t len)
{
	const struct message_metrics_listen *listen = message;
	(void)len;
	return addr_given_ok(&listen->at.addr) && listen->at.port;
}

static bool metrics_state_ok(const void *message, size_t len)
{
	const struct message_metrics_state *state = message;
	(void)len;
	return addr_given_ok(&state->at.addr) && state->status <= 0;
}

static bool load_ok(const void *message, size_t len)
{
	const struct message_load *load = message;
	(void)len;
	return addr_given_ok(&load->host.addr) && NAMED_OK(load->server);
}

static bool client_side_ok(const void *message, size_t len)
{
	const struct message_client_side *side = message;
	(void)len;
	return addr_ok(&side->ip4) && side->ip4.family != ADDR_IP6 && addr_ok(&side->ip6) &&
	       side->ip6.family != ADDR_IP4;
}

static bool test_ok(const void *message, size_t len)
{
	const struct message_test *test = message;
	(void)len;
	return addr_ok(&test->client) && test->nobody <= 1 && NAMED_OK(test->server) &&
	       TEXT_OK(test->user) && TEXT_OK(test->from) && TEXT_OK(test->to) &&
	       trial_is_path(test->from) && trial_is_path(test->to);
}

static bool tested_ok(const void *message, size_t len)
{
	const struct message_tested *tested = message;
	(void)len;
	return addr_ok(&tested->host.addr) && addr_ok(&tested->client) &&
	       tested->kind <= MESSAGE_TESTED_VERDICT && tested->verdict < TRIAL_VERDICTS &&
	       NAMED_OK(tested->name) && TEXT_OK(tested->text);
}

static bool foresee_ok(const void *message, size_t len)
{
	const struct message_foresee *question = message;
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

#define PLAIN(word)                                                 \
	{                                                           \
		word, sizeof(struct message_plain), false, plain_ok \
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
	[MESSAGE_PING] = PLAIN("ping"),
	[MESSAGE_PONG] = PLAIN("pong"),
	[MESSAGE_REPLY] = FIXED("reply", message_reply, reply_ok),
	[MESSAGE_LINK] = FIXED("link", message_link, link_ok),
	[MESSAGE_UNLINK] = FIXED("unlink", message_link, link_ok),
	[MESSAGE_LINKS_DONE] = PLAIN("links-done"),
	[MESSAGE_PEER] = FIXED("peer", message_peer, peer_ok),
	[MESSAGE_PEER_GONE] = FIXED("peer-gone", message_peer, peer_ok),
	[MESSAGE_DRAIN] = FIXED("drain", message_drain, plain_ok),
	[MESSAGE_ADMIT] = FIXED("admit", message_admit, admit_ok),
	[MESSAGE_EVENT] = FIXED("event", message_event, event_ok),
	[MESSAGE_CLIENT] = FIXED("client", message_client, client_ok),
	[MESSAGE_RELOAD] = PLAIN("reload"),
	[MESSAGE_STOP] = PLAIN("stop"),
	[MESSAGE_KERNEL_COUNTERS] =
		FIXED("kernel-counters", message_kernel_counters, kernel_counters_ok),
	[MESSAGE_TEXT] = FIXED("text", message_text, words_ok),
	[MESSAGE_READY] = PLAIN("ready"),
	[MESSAGE_VERDICT] = FIXED("verdict", message_verdict, verdict_ok),
	[MESSAGE_ENTRIES] = LONGER("entries", message_entries, entries_ok),
	[MESSAGE_PLAN] = FIXED("plan", message_plan, plain_ok),
	[MESSAGE_BYPASS] = FIXED("bypass", message_bypass, bypass_ok),
	[MESSAGE_CLIENTS_GET] = PLAIN("clients-get"),
	[MESSAGE_KERNEL_COUNTERS_GET] = PLAIN("kernel-counters-get"),
	[MESSAGE_NEIGHBOUR_GET] = FIXED("neighbour-get", message_neighbour, neighbour_ok),
	[MESSAGE_NEIGHBOUR] = FIXED("neighbour", message_neighbour, neighbour_ok),
	[MESSAGE_CUT] = FIXED("cut", message_cut, cut_ok),
	[MESSAGE_PASSED_GET] = PLAIN("passed-get"),
	[MESSAGE_PASSED] = LONGER("passed", message_passed, passed_ok),
	[MESSAGE_DOCTOR_GET] = PLAIN("doctor-get"),
	[MESSAGE_POLICY] = FIXED("policy", message_policy, plain_ok),
	[MESSAGE_POLICY_COMMIT] = FIXED("policy-commit", message_policy, plain_ok),
	[MESSAGE_POLICY_ABORT] = FIXED("policy-abort", message_policy, plain_ok),
	[MESSAGE_SESSIONS] = LONGER("sessions", message_sessions, sessions_ok),
	[MESSAGE_SESSION_GONE] = FIXED("session-gone", message_session_gone, plain_ok),
	[MESSAGE_LIST_ENTRIES] = LONGER("list-entries", message_list_entries, list_entries_ok),
	[MESSAGE_LIST_CLEAR] = FIXED("list-clear", message_list_entries, list_clear_ok),
	[MESSAGE_PICTURE_DONE] = PLAIN("picture-done"),
	[MESSAGE_FLOW_IDS] = FIXED("flow-ids", message_flow_ids, flow_ids_ok),
	[MESSAGE_KILL] = FIXED("kill", message_kill, kill_ok),
	[MESSAGE_FLOWS_GET] = PLAIN("flows-get"),
	[MESSAGE_LOG_LEVEL] = FIXED("log-level", message_log_level, log_level_ok),
	[MESSAGE_FLOW] = FIXED("flow", message_flow, flow_ok),
	[MESSAGE_RECORD] = FIXED("record", message_flow, flow_ok),
	[MESSAGE_STARTED] = FIXED("started", message_started, started_ok),
	[MESSAGE_FLOW_IDS_GET] = PLAIN("flow-ids-get"),
	[MESSAGE_COUNTERS] = FIXED("counters", message_counters, counters_ok),
	[MESSAGE_HOST] = FIXED("host", message_host, host_ok),
	[MESSAGE_TARGETS] = LONGER("targets", message_targets, targets_ok),
	[MESSAGE_PROBE_NOW] = FIXED("probe-now", message_probe_now, probe_now_ok),
	[MESSAGE_WANTED] = FIXED("wanted", message_wanted, plain_ok),
	[MESSAGE_ARRIVED_GET] = PLAIN("arrived-get"),
	[MESSAGE_METRICS_LISTEN] =
		FIXED("metrics-listen", message_metrics_listen, metrics_listen_ok),
	[MESSAGE_METRICS_PAGE] = PLAIN("metrics-page"),
	[MESSAGE_METRICS_STATE] = FIXED("metrics-state", message_metrics_state, metrics_state_ok),
	[MESSAGE_METRICS_GET] = PLAIN("metrics-get"),
	[MESSAGE_SOCKETS_GET] = FIXED("sockets-get", message_sockets_get, sockets_get_ok),
	[MESSAGE_SOCKET] = FIXED("socket", message_socket, socket_ok),
	[MESSAGE_TEST] = FIXED("test", message_test, test_ok),
	[MESSAGE_TESTED] = FIXED("tested", message_tested, tested_ok),
	[MESSAGE_HAND_OVER] = PLAIN("hand-over"),
	[MESSAGE_LOADS_GET] = PLAIN("loads-get"),
	[MESSAGE_LOAD] = FIXED("load", message_load, load_ok),
	[MESSAGE_CLIENT_SIDE] = FIXED("client-side", message_client_side, client_side_ok),
	[MESSAGE_BLOCK] = FIXED("block", message_block, block_ok),
	[MESSAGE_FORESEE] = FIXED("foresee", message_foresee, foresee_ok),
	[MESSAGE_FOREIGN_GET] = PLAIN("foreign-get"),
	[MESSAGE_FOREIGN] = LONGER("foreign", message_foreign, foreign_ok),
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

_Static_assert(KINDS == MESSAGE_TYPES, "every message has its row");

int message_check(const void *bytes, size_t len)
{
	const struct message_header *header = bytes;

	if (len < sizeof(*header) || len > MESSAGE_BYTES_MAX)
		return -EBADMSG;
	if (header->version != MESSAGE_VERSION || header->bytes != len || header->reserved)
		return -EBADMSG;
	if (header->type >= KINDS || !kinds[header->type].ok)
		return -EBADMSG;
	const struct kind *kind = &kinds[header->type];
	if (kind->longer ? len < kind->bytes : len != kind->bytes)
		return -EBADMSG;
	return kind->ok(bytes, len) ? 0 : -EBADMSG;
}

void message_init(void *message, enum message_type type, size_t bytes)
{
	struct message_header *header = message;

	memset(message, 0, bytes);
	header->type = (uint16_t)type;
	header->version = MESSAGE_VERSION;
	header->bytes = (uint32_t)bytes;
}

const char *message_name(enum message_type type)
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

uint64_t message_protocol(void)
{
	uint64_t hash = 0xcbf29ce484222325ULL;

	hash = mix(hash, MESSAGE_VERSION);
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
	hash = mix(hash, sizeof(struct message_entry));
	hash = mix(hash, sizeof(struct message_list_entry));
	return mix(hash, sizeof(struct message_target));
}
