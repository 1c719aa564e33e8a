/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/session/end_passed.h"

#include "daemon/base/log.h"
#include "daemon/control/control.h"
#include "daemon/control/peers/question.h"
#include "daemon/control/session/passed.h"
#include "lib/base/vector.h"

#include <stdlib.h>
#include <string.h>

#define WAITING_MAX 200000

struct end_passed {
	struct question ask; /* first */
	struct control *control;
	struct source {
		struct prefix prefix; /* family ADDR_NONE: of mac */
		struct mac mac;
	} * waiting;
	size_t n, at, room;
};

static void on_answer(struct question *ask, const struct ipc_header *ipc);

struct end_passed *end_passed_new(struct control *control)
{
	struct end_passed *end_passed = calloc(1, sizeof(*end_passed));
	if (!end_passed)
		return NULL;
	end_passed->control = control;
	end_passed->ask.on_answer = on_answer;
	return end_passed;
}

void end_passed_free(struct end_passed *end_passed)
{
	if (!end_passed)
		return;
	question_cancel(&end_passed->ask);
	free(end_passed->waiting);
	free(end_passed);
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

static void ask_next(struct end_passed *end_passed)
{
	struct ipc_cut ipc;
	if (end_passed->ask.asks || end_passed->at == end_passed->n)
		return;
	ipc_init(&ipc, IPC_CUT, sizeof(ipc));
	ipc.source = end_passed->waiting[end_passed->at].prefix;
	ipc.mac = end_passed->waiting[end_passed->at++].mac;
	if (end_passed->at == end_passed->n)
		end_passed->at = end_passed->n = 0;
	question_send(&end_passed->control->keeper_asks, &end_passed->ask, &ipc, -1);
}

static void on_answer(struct question *ask, const struct ipc_header *ipc)
{
	struct end_passed *end_passed = (struct end_passed *)ask;
	const struct ipc_reply *reply = (const struct ipc_reply *)ipc;
	if (!ipc)
		return; /* the keeper is gone, and soon control too */
	if (ipc->type == IPC_REPLY && reply->status)
		log_warning("passed flows could not be ended: %s", reply->text);
	ask_next(end_passed);
}

static bool add(struct end_passed *end_passed, const struct source *source)
{
	struct source *waiting = end_passed->n < WAITING_MAX
					 ? vector_grow(end_passed->waiting, end_passed->n,
						   &end_passed->room, sizeof(*waiting))
					 : NULL;
	if (!waiting)
		return false;
	end_passed->waiting = waiting;
	end_passed->waiting[end_passed->n++] = *source;
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

static bool is_anothers(
	const struct end_passed *end_passed, const struct session *ended, const struct addr *addr)
{
	struct owner_search search = {.ended = ended, .addr = addr, .len = -1};
	int own = longest_prefix(ended, addr);
	session_table_each_address(end_passed->control->table, addr, find_owner, &search);
	/* by its MAC it had the address alone, for a time */
	return own < 0 ? search.len == (int)addr_bits(addr) : search.len > own;
}

struct cutting {
	struct end_passed *end_passed;
	const struct session *session;
	bool full;
};

static void cut_address(void *context, const struct addr *addr)
{
	struct cutting *cutting = context;
	if (!is_anothers(cutting->end_passed, cutting->session, addr))
		cutting->full |=
			!add(cutting->end_passed, &(struct source){.prefix = prefix_of(addr)});
}

void end_passed_of_session(struct end_passed *end_passed, const struct session *session)
{
	struct cutting cutting = {end_passed, session, false};
	/* devices have numbers of their policy, and are where they are written to be */
	bool known = session->kind == SESSION_PORTAL &&
		     passed_is_known(end_passed->control->passed, session->id);
	if (session->kind == SESSION_PORTAL)
		passed_each(end_passed->control->passed, session->id, cut_address, &cutting);
	for (size_t i = 0;
		!known && policy_passes(end_passed->control->policy) && i < session->naddresses;
		i++)
		cutting.full |=
			!add(end_passed, &(struct source){.prefix = session->addresses[i].prefix});
	if (cutting.full)
		log_warning("too many passed flows to end; those of session %llu go on",
			(unsigned long long)session->id);
	ask_next(end_passed);
}

void end_passed_note(struct end_passed *end_passed, const struct session *session,
	const struct addr *addr, uint64_t until_ms)
{
	struct addr gone;
	if (session->kind == SESSION_PORTAL &&
		passed_note(end_passed->control->passed, session->id, addr, until_ms, &gone) &&
		add(end_passed, &(struct source){.prefix = prefix_of(&gone)}))
		ask_next(end_passed);
}

static void cut_source(struct end_passed *end_passed, const struct source *source)
{
	if (!add(end_passed, source))
		log_warning("too many passed flows to end; those of a blocked client go on");
	ask_next(end_passed);
}

void end_passed_of_prefix(struct end_passed *end_passed, const struct prefix *prefix)
{
	cut_source(end_passed, &(struct source){.prefix = *prefix});
}

void end_passed_of_mac(struct end_passed *end_passed, const struct mac *mac)
{
	cut_source(end_passed, &(struct source){.mac = *mac});
}
