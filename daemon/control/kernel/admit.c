/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/kernel/admit.h"

#include "daemon/control/audit/flow_events.h"
#include "daemon/control/clock.h"
#include "daemon/control/control.h"
#include "daemon/control/decision_world.h"
#include "daemon/control/kernel/entries.h"
#include "daemon/control/kernel/path.h"
#include "daemon/control/session/end_passed.h"
#include "daemon/control/session/sessions.h"

#include <string.h>

static void fill_entry(struct ipc_entry *entry, const struct ipc_admit *admit, bool has_mac)
{
	memset(entry, 0, sizeof(*entry));
	entry->source = admit->source.addr;
	memcpy(entry->ifname, admit->ifname, sizeof(entry->ifname));
	entry->has_mac = has_mac;
	if (has_mac)
		entry->mac = admit->mac;
}

/* A verdict never outlives what it rests on; a refusal is short, so that what changes elsewhere (a
 * login is told at once, a clock is not) is soon seen. */
static uint32_t timeout_of(enum mark mark, bool session, uint64_t until_ms, uint64_t now_ms)
{
	bool positive = session && mark != MARK_REJECT && mark != MARK_DROP;
	uint64_t timeout_ms = positive ? ADMIT_POSITIVE_MS : ADMIT_NEGATIVE_MS;
	if (until_ms && until_ms <= now_ms)
		return 0;
	if (until_ms && until_ms - now_ms < timeout_ms)
		timeout_ms = until_ms - now_ms;
	return (uint32_t)timeout_ms;
}

/* For how long connections of a session may pass without control's seeing any; 0: it does not
 * matter. An idle time is known to within a fourth. */
static uint64_t unseen_ms(enum mark mark, const struct session *session)
{
	if (mark != MARK_PASS || !session)
		return 0;
	return session->idle_s * 1000ull / 4;
}

/* Where the kernel takes them itself, if a host of the client's family is up: else the relay does,
 * which has the others to try, or a word for the client. */
static uint16_t take_path(struct control *control, const struct decision *decision,
	const struct decide_path *path, struct ipc_entry *entry)
{
	struct path_pick pick = paths_pick(control->paths, path, &entry->source);

	if (decision->verdict != POLICY_VERDICT_REDIRECT || decision->server != path->server)
		pick.number = 0;
	entry->mark = pick.number ? MARK_KERNEL : MARK_RELAY;
	entry->path = pick.number;
	return pick.way;
}

/* Fills in what the kernel shall remember of the client, if it may remember anything. What it does
 * remember of a path is this packet's verdict, too: one that is not cached is the relay's. */
static void cache(struct control *control, const struct decide_origin *origin,
	const struct ipc_admit *admit, const struct decision *decision, struct ipc_verdict *verdict)
{
	const struct policy_zone *zone = &control->policy->zones[origin->zone];
	struct decide_world world = decision_world(control);
	uint64_t now_ms = clock_now_ms(control), until_ms = 0;
	bool has_mac = zone->identity != POLICY_IDENTITY_ADDRESS;
	struct decide_path path;
	uint16_t way = 0;
	enum mark mark;

	/* the kernel's map of such a zone is keyed by MAC, and this packet has none */
	if (has_mac && !mac_is_set(&admit->mac))
		return;
	fill_entry(&verdict->entry, admit, has_mac);
	const struct entry *other = entries_find_other(control->entries, &verdict->entry);
	if (other) {
		verdict->forget = 1;
		verdict->forgotten = other->key;
		verdict->forgotten.add = 0;
		verdict->forgotten.timeout_ms = 0;
		entries_forget(control->entries, &other->key);
	}
	/* Who is blocked, or is not logged in and is answered by the relay, stays unknown: the
	 * limits in front of the queue then hold for him. With an entry one guest's half-open
	 * connections would fill the relays' backlogs, and SYN cookies lose everybody's MAC. */
	if (decision->reason == DECIDE_BLOCKED ||
		(decision->reason == DECIDE_UNAUTHENTICATED &&
			decide_mark_of(decision->verdict) == MARK_RELAY))
		return;
	if (!decide_client(&world, origin, now_ms, &mark, &until_ms, &path))
		return;
	uint64_t session = decision->session ? decision->session->id : 0;
	uint64_t most_ms = unseen_ms(mark, decision->session);
	if (most_ms && (until_ms == 0 || until_ms > now_ms + most_ms))
		until_ms = now_ms + most_ms;
	verdict->entry.add = 1;
	verdict->entry.mark = (uint8_t)mark;
	if (mark == MARK_KERNEL)
		way = take_path(control, decision, &path, &verdict->entry);
	verdict->entry.timeout_ms =
		timeout_of(mark, decision->reason != DECIDE_UNAUTHENTICATED, until_ms, now_ms);
	if (!verdict->entry.timeout_ms ||
		!entries_add(control->entries, &verdict->entry, session, way)) {
		memset(&verdict->entry, 0, sizeof(verdict->entry));
		return;
	}
	verdict->cache = 1;
	if (verdict->entry.mark == MARK_KERNEL) {
		verdict->mark = MARK_KERNEL;
		verdict->path = verdict->entry.path;
	}
	control->counters[COUNTER_ENTRIES_ADDED]++;
}

static void count(
	struct control *control, const struct ipc_verdict *verdict, const struct decision *decision)
{
	control->counters[COUNTER_ADMISSIONS]++;
	control->counters[verdict->cache ? COUNTER_ADMISSIONS_CACHED
					 : COUNTER_ADMISSIONS_UNCACHED]++;
	/* redirect and answer are counted by the relay that carries them out */
	switch (decision->verdict) {
	case POLICY_VERDICT_PASS:
	case POLICY_VERDICT_REJECT:
	case POLICY_VERDICT_DROP:
		control->counters[counter_of_verdict(decision->verdict)]++;
		break;
	case POLICY_VERDICT_REDIRECT:
	case POLICY_VERDICT_ANSWER:
		break;
	}
}

static void note_passed(struct control *control, const struct session *session,
	const struct addr *source, const struct ipc_verdict *verdict)
{
	uint64_t now_ms = clock_now_ms(control);

	sessions_active(control->sessions, session->id);
	end_passed_note(control->end_passed, session, source,
		now_ms + (verdict->cache ? verdict->entry.timeout_ms : 0));
}

void admit_decide(struct control *control, const struct ipc_admit *admit)
{
	struct ipc_verdict verdict;
	struct decision decision;
	struct decide_world world = decision_world(control);
	ptrdiff_t zone = policy_find_zone_of(control->policy, admit->ifname, &admit->source.addr);

	ipc_init(&verdict, IPC_VERDICT, sizeof(verdict));
	verdict.packet = admit->packet;
	if (zone < 0) {
		/* steered by a plan that is just being replaced: no zone, not ours */
		verdict.mark = MARK_PASS;
		channel_send(control->keeper, &verdict, -1);
		return;
	}
	struct decide_origin origin = {
		.zone = (size_t)zone, .mac = admit->mac, .source = admit->source.addr};
	sessions_learn(control->sessions, &origin);
	decide_connection(&world, &origin, &admit->original, clock_now_ms(control), &decision);
	if (decision.session)
		sessions_seen(control->sessions, decision.session->id, admit->ifname);
	verdict.mark = (uint8_t)decide_mark_of(decision.verdict);
	cache(control, &origin, admit, &decision, &verdict);
	count(control, &verdict, &decision);
	channel_send(control->keeper, &verdict, -1);
	if (decision.verdict == POLICY_VERDICT_PASS && decision.session)
		note_passed(control, decision.session, &origin.source, &verdict);
	if (decision.verdict == POLICY_VERDICT_REJECT || decision.verdict == POLICY_VERDICT_DROP)
		flow_events_on_refused(control, admit, &decision, origin.zone);
}
