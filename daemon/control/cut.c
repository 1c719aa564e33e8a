#include "daemon/control/cut.h"

#include "daemon/control/ask.h"
#include "daemon/control/control.h"
#include "daemon/log.h"

#include <stdlib.h>
#include <string.h>

#define WAITING_MAX 200000
#define SLOTS_LEAST 64

/* Numbers of sessions, in an open table; 0 is an empty slot. */
struct passed {
	uint64_t *slots;
	size_t nslots, n;
};

struct cut {
	struct ask ask; /* first */
	struct control *control;
	uint64_t unknown_to;
	struct passed passed;
	struct source {
		struct prefix prefix; /* family ADDR_NONE: of mac */
		struct mac mac;
	} * waiting;
	size_t n, at, room;
};

static void on_answer(struct ask *ask, const struct message_header *message);

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
	free(cut->passed.slots);
	free(cut->waiting);
	free(cut);
}

void cut_set_unknown(struct cut *cut, uint64_t last_id)
{
	cut->unknown_to = last_id;
}

static uint64_t *find_slot(const struct passed *passed, uint64_t session)
{
	size_t at = policy_hash(&session, sizeof(session)) & (passed->nslots - 1);
	while (passed->slots[at] && passed->slots[at] != session)
		at = (at + 1) & (passed->nslots - 1);
	return &passed->slots[at];
}

static bool grow(struct passed *passed, const struct session_table *table)
{
	struct passed larger = {.nslots = passed->nslots ? 2 * passed->nslots : SLOTS_LEAST};
	larger.slots = calloc(larger.nslots, sizeof(*larger.slots));
	if (!larger.slots)
		return false;
	for (size_t i = 0; i < passed->nslots; i++) {
		uint64_t session = passed->slots[i];
		/* sessions that are over are forgotten on this occasion */
		if (!session || !session_table_find(table, session))
			continue;
		*find_slot(&larger, session) = session;
		larger.n++;
	}
	free(passed->slots);
	*passed = larger;
	return true;
}

void cut_note_passed(struct cut *cut, uint64_t session)
{
	struct passed *passed = &cut->passed;
	if (!session ||
		(2 * (passed->n + 1) > passed->nslots && !grow(passed, cut->control->table)))
		return;
	uint64_t *slot = find_slot(passed, session);
	passed->n += *slot == 0;
	*slot = session;
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

static bool may_have_passed(const struct cut *cut, uint64_t session)
{
	if (cut->passed.nslots && *find_slot(&cut->passed, session))
		return true;
	/* devices were there before control, too, and their numbers are of the policy */
	return (session & SESSION_DEVICE_ID || session <= cut->unknown_to) &&
	       policy_passes(cut->control->policy);
}

static void ask_next(struct cut *cut)
{
	struct message_cut message;
	if (cut->ask.asks || cut->at == cut->n)
		return;
	message_init(&message, MESSAGE_CUT, sizeof(message));
	message.source = cut->waiting[cut->at].prefix;
	message.mac = cut->waiting[cut->at++].mac;
	if (cut->at == cut->n)
		cut->at = cut->n = 0;
	ask_send(&cut->control->keeper_asks, &cut->ask, &message, -1);
}

static void on_answer(struct ask *ask, const struct message_header *message)
{
	struct cut *cut = (struct cut *)ask;
	const struct message_reply *reply = (const struct message_reply *)message;
	if (!message)
		return; /* the keeper is gone, and soon control too */
	if (message->type == MESSAGE_REPLY && reply->status)
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

void cut_session(struct cut *cut, const struct session *session)
{
	if (!may_have_passed(cut, session->id))
		return;
	for (size_t i = 0; i < session->naddresses; i++) {
		const struct source source = {.prefix = session->addresses[i].prefix};
		if (!add(cut, &source)) {
			log_warning("too many passed flows to end; those of session %llu go on",
				(unsigned long long)session->id);
			break;
		}
	}
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
