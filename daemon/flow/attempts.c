/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/flow/attempts.h"

#include "daemon/flow/way.h"
#include "lib/policy/choice.h"

#include <stdio.h>
#include <string.h>

static struct attempts *attempts_of(struct way *way)
{
	if (!way->attempts) {
		way->attempts = pool_take(&way->process->attempts);
		if (!way->attempts)
			return NULL;
		way->attempts->n = way->attempts->left_off = 0;
		way->attempts->now = false;
		way->attempts->said.ending = ENDING_NONE;
	}
	return way->attempts;
}

/* The first ones and the last one tell most. */
void attempts_note(struct way *way, enum ending ending, const char *words)
{
	struct attempts *attempts = attempts_of(way);
	if (!attempts)
		return;
	if (attempts->n < IPC_ATTEMPTS_MAX)
		attempts->n++;
	else
		attempts->left_off++;
	struct ipc_attempt *attempt = &attempts->v[attempts->n - 1];
	memset(attempt, 0, sizeof(*attempt));
	attempts->now = true;
	attempt->host = way->host;
	attempt->ms = (uint32_t)(way_now_ms(way) - way->attempt_ms);
	attempt->ending = (uint16_t)ending;
	snprintf(attempt->reply, sizeof(attempt->reply), "%s", words);
	if ((ending == ENDING_GREETING_REFUSED || ending == ENDING_IDENTITY_REFUSED) && *words)
		attempts->said = *attempt;
}

void attempts_note_unfit(struct way *way)
{
	const struct replica_server *list = way->choice;
	way->attempt_ms = way_now_ms(way);
	for (size_t i = 0; list && i < list->n; i++) {
		const struct ipc_target *target = &list->v[i];
		way->host = (struct endpoint){.port = target->port};
		if (target->naddresses > 0)
			way->host.addr = target->addresses[0];
		attempts_note(
			way, ENDING_HOST_UNFIT, choice_refusal(target, way->client.addr.family));
	}
}

void attempts_begin(struct way *way)
{
	if (way->attempts)
		way->attempts->now = false;
}

const struct ipc_attempt *attempts_last(const struct attempts *attempts)
{
	return attempts && attempts->now ? &attempts->v[attempts->n - 1] : NULL;
}

void attempts_drop(struct way *way)
{
	if (way->attempts)
		pool_give(&way->process->attempts, way->attempts);
	way->attempts = NULL;
}

enum ending attempts_ending(const struct attempts *attempts)
{
	bool all_over = true;
	if (!attempts || attempts->n == 0)
		return ENDING_NO_SERVER;
	if (attempts->n == 1)
		return attempts->v[0].ending;
	for (uint32_t i = 0; i < attempts->n; i++)
		all_over &= attempts->v[i].ending == ENDING_OVER_FLOWS_SERVER;
	return all_over && !attempts->left_off ? ENDING_OVER_FLOWS_SERVER : ENDING_NO_SERVER;
}

const char *attempts_reply(const struct attempts *attempts)
{
	return attempts && attempts->said.ending != ENDING_NONE ? attempts->said.reply : NULL;
}

const char *attempts_why(const struct attempts *attempts)
{
	const char *reply = attempts_reply(attempts);
	if (reply)
		return reply;
	return attempts && attempts->n > 0 ? attempts->v[attempts->n - 1].reply : "";
}

void attempts_text(
	const struct attempts *attempts, enum ending ending, char text[static IPC_TEXT_SIZE])
{
	const char *reply = attempts_reply(attempts);
	const struct ending_reply *said = ending_reply_of(reply ? attempts->said.ending : ending);
	if (!said)
		said = ending_reply_of(ENDING_NO_SERVER);
	snprintf(text, IPC_TEXT_SIZE, "%s%s%s", said->text, reply ? ": " : "", reply ? reply : "");
}
