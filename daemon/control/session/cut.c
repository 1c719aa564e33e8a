#include "daemon/control/session/cut.h"

#include "daemon/base/log.h"
#include "daemon/control/control.h"
#include "daemon/control/peers/ask.h"
#include "daemon/control/session/passed.h"

#include <stdlib.h>
#include <string.h>

#define WAITING_MAX 200000

struct cut {
	struct ask ask; /* first */
	struct control *control;
	struct source {
		struct prefix prefix; /* family ADDR_NONE: of mac */
		struct mac mac;
	} * waiting;
	size_t n, at, room;
};

static void on_answer(struct ask *ask, const struct ipc_header *ipc);

struct cut *cut_new(struct control *control)
{
	struct cut *cut = calloc(1, sizeof(*cut));
	if (!cut)
		return NULL;
	cut->control = control;
	cut->ask.on_answer = on_answer;
	return cut;
}

void cut_free(struct cut *cut)
{
	if (!cut)
		return;
	ask_cancel(&cut->ask);
	free(cut->waiting);
	free(cut);
}

/* Can a session's connection pass at all? */
static bool policy_passes(const struct policy *policy)
{
	for (size_t i = 0; i < policy->nzones; i++)
		if (policy->zones[i].unmatched.verdict == POLICY_VERDICT_PASS)
			return true;
	for (size_t i = 0; i < policy->nrules; i++)
		if (!policy->rules[i].to_server &&
			policy->rules[i].act.verdict == POLICY_VERDICT_PASS)
			return true;
	return false;
}

static void ask_next(struct cut *cut)
{
	struct ipc_cut ipc;
	if (cut->ask.asks || cut->at == cut->n)
		return;
	ipc_init(&ipc, IPC_CUT, sizeof(ipc));
	ipc.source = cut->waiting[cut->at].prefix;
	ipc.mac = cut->waiting[cut->at++].mac;
	if (cut->at == cut->n)
		cut->at = cut->n = 0;
	ask_send(&cut->control->keeper_asks, &cut->ask, &ipc, -1);
}

static void on_answer(struct ask *ask, const struct ipc_header *ipc)
{
	struct cut *cut = (struct cut *)ask;
	const struct ipc_reply *reply = (const struct ipc_reply *)ipc;
	if (!ipc)
		return; /* the keeper is gone, and soon control too */
	if (ipc->type == IPC_REPLY && reply->status)
		log_warning("passed flows could not be ended: %s", reply->text);
	ask_next(cut);
}

static bool add(struct cut *cut, const struct source *source)
{
	if (cut->n == cut->room) {
		size_t room = cut->room ? 2 * cut->room : 64;
		struct source *waiting =
			room <= WAITING_MAX ? realloc(cut->waiting, room * sizeof(*waiting)) : NULL;
		if (!waiting)
			return false;
		cut->waiting = waiting;
		cut->room = room;
	}
	cut->waiting[cut->n++] = *source;
	return true;
}

/* Is a connection from the address, which this session passed from, another's by now? The address
 * is who was given or learned it, or whose network is the narrowest. */
struct owner_search {
	const struct session *ended;
	const struct addr *addr;
	int len; /* of the narrowest prefix of others */
};

static int longest_prefix(const struct session *session, const struct addr *addr)
{
	int len = -1;
	for (size_t i = 0; i < session->naddresses; i++)
		if (session->addresses[i].prefix.len > len &&
			prefix_contains(&session->addresses[i].prefix, addr))
			len = session->addresses[i].prefix.len;
	return len;
}

static int find_owner(void *context, struct session *session)
{
	struct owner_search *search = context;
	bool same_client =
		mac_is_set(&session->mac) && mac_equal(&session->mac, &search->ended->mac);
	if (session->id == search->ended->id || same_client ||
		!policy_string_equal(&session->zone, &search->ended->zone))
		return 0;
	int len = longest_prefix(session, search->addr);
	if (len > search->len)
		search->len = len;
	return 0;
}

static bool is_anothers(const struct cut *cut, const struct session *ended, const struct addr *addr)
{
	struct owner_search search = {.ended = ended, .addr = addr, .len = -1};
	int own = longest_prefix(ended, addr);
	session_table_each_address(cut->control->table, addr, find_owner, &search);
	/* by its MAC it had the address alone, for a time */
	return own < 0 ? search.len == (int)addr_bits(addr) : search.len > own;
}

struct cutting {
	struct cut *cut;
	const struct session *session;
	bool full;
};

static void cut_address(void *context, const struct addr *addr)
{
	struct cutting *cutting = context;
	if (!is_anothers(cutting->cut, cutting->session, addr))
		cutting->full |= !add(cutting->cut, &(struct source){.prefix = prefix_of(addr)});
}

void cut_session(struct cut *cut, const struct session *session)
{
	struct cutting cutting = {cut, session, false};
	/* devices have numbers of their policy, and are where they are written to be */
	bool known = session->kind == SESSION_PORTAL &&
		     passed_is_known(cut->control->passed, session->id);
	if (session->kind == SESSION_PORTAL)
		passed_each(cut->control->passed, session->id, cut_address, &cutting);
	for (size_t i = 0; !known && policy_passes(cut->control->policy) && i < session->naddresses;
		i++)
		cutting.full |= !add(cut, &(struct source){.prefix = session->addresses[i].prefix});
	if (cutting.full)
		log_warning("too many passed flows to end; those of session %llu go on",
			(unsigned long long)session->id);
	ask_next(cut);
}

void cut_note_passed(
	struct cut *cut, const struct session *session, const struct addr *addr, uint64_t until_ms)
{
	struct addr gone;
	if (session->kind == SESSION_PORTAL &&
		passed_note(cut->control->passed, session->id, addr, until_ms, &gone) &&
		add(cut, &(struct source){.prefix = prefix_of(&gone)}))
		ask_next(cut);
}

static void cut_source(struct cut *cut, const struct source *source)
{
	if (!add(cut, source))
		log_warning("too many passed flows to end; those of a blocked client go on");
	ask_next(cut);
}

void cut_prefix(struct cut *cut, const struct prefix *prefix)
{
	cut_source(cut, &(struct source){.prefix = *prefix});
}

void cut_mac(struct cut *cut, const struct mac *mac)
{
	cut_source(cut, &(struct source){.mac = *mac});
}
