#include "daemon/flow/attempts.h"

#include "daemon/relay/relay.h"

#include <stdio.h>
#include <string.h>

static struct attempts *attempts_of(struct flow *flow)
{
	if (!flow->attempts) {
		flow->attempts = pool_take(&flow->relay->attempts);
		if (flow->attempts)
			flow->attempts->n = flow->attempts->left_off = 0;
		if (flow->attempts)
			flow->attempts->said.ending = ENDING_NONE;
	}
	return flow->attempts;
}

/* The first ones and the last one tell most. */
void attempts_note(struct flow *flow, enum ending ending, const char *words)
{
	struct attempts *attempts = attempts_of(flow);
	if (!attempts)
		return;
	if (attempts->n < IPC_ATTEMPTS_MAX)
		attempts->n++;
	else
		attempts->left_off++;
	struct ipc_attempt *attempt = &attempts->v[attempts->n - 1];
	memset(attempt, 0, sizeof(*attempt));
	attempt->host = flow->host;
	attempt->ms = (uint32_t)(loop_now_ms(flow->relay->loop) - flow->attempt_ms);
	attempt->ending = (uint16_t)ending;
	snprintf(attempt->reply, sizeof(attempt->reply), "%s", words);
	if ((ending == ENDING_GREETING_REFUSED || ending == ENDING_IDENTITY_REFUSED) && *words)
		attempts->said = *attempt;
}

void attempts_note_unfit(struct flow *flow)
{
	const struct choose_list *list = flow->choice;
	flow->attempt_ms = loop_now_ms(flow->relay->loop);
	for (size_t i = 0; list && i < list->n; i++) {
		const struct ipc_target *target = &list->v[i];
		flow->host = (struct endpoint){.port = target->port};
		if (target->naddresses > 0)
			flow->host.addr = target->addresses[0];
		attempts_note(flow, ENDING_HOST_UNFIT,
			choice_refusal(target, flow->client_end.addr.family));
	}
}

void attempts_drop(struct flow *flow)
{
	if (flow->attempts)
		pool_give(&flow->relay->attempts, flow->attempts);
	flow->attempts = NULL;
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
