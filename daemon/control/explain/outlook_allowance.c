/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/explain/outlook.h"

#include "daemon/control/control.h"
#include "lib/language/language.h"
#include "lib/policy/mailset.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

/* Only smtp takes of it. */
int outlook_attach(struct control *control)
{
	size_t bytes;
	void *memory = process_map(control->start.message_limit_fd, PROT_READ, &bytes);

	return memory ? message_limit_attach(&control->message_limits, memory, bytes) : -errno;
}

static uint64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void name_limit(struct outlook_allowance *allowance, const struct message_limit_ask *ask,
	const struct limit_of *which, uint64_t session)
{
	char limit[LANGUAGE_LIMIT_SIZE], subject[BLOCK_SUBJECT_SIZE], duration[32];
	struct block block = {0};

	snprintf(allowance->text, sizeof(allowance->text), "%s of %s %s",
		language_format_limit(which->limit, limit),
		which->of_rule           ? "rule"
		: ask->place.of_listener ? "listener"
					 : "zone",
		which->of_rule ? ask->policy->rules[ask->rules[0]].name.text
			       : limit_place_name(ask->policy, ask->place)->text);
	if (!which->limit->block_s)
		return;
	limit_of_block(ask->policy, ask->place, which->limit, &ask->who, session, &block);
	snprintf(allowance->block, sizeof(allowance->block), "%s for %s",
		block_format_subject(&block, subject),
		language_format_duration(which->limit->block_s * UINT64_C(1000), duration));
}

void outlook_allow(const struct control *control, const struct outlook_sender *sender,
	enum policy_limit_kind kind, struct outlook_allowance *allowance)
{
	const struct session *session = sender->session;
	char key[MAILSET_KEY_SIZE];
	const struct message_limit_ask ask = {.policy = control->policy,
		.place = {.of_listener = sender->origin->of_listener,
			.at = sender->origin->of_listener ? sender->origin->listener
							  : sender->origin->zone},
		.rules = &sender->rule,
		.nrules = 1,
		.who = {&sender->origin->mac, &sender->origin->source,
			session ? session->user.text : "", key},
		.kind = kind};
	struct limit_of which;
	size_t rule;

	*allowance = (struct outlook_allowance){0};
	mailset_key_of(sender->path, key);
	enum bucket_verdict verdict =
		message_limit_foresee(&control->message_limits, &ask, now_us(), &which, &rule);
	if (verdict == BUCKET_OK)
		return;
	allowance->refusal = message_limit_refusal(verdict, which.limit);
	if (verdict == BUCKET_FULL)
		snprintf(allowance->text, sizeof(allowance->text),
			"the table of limits of messages is full");
	else
		name_limit(allowance, &ask, &which, session ? session->id : 0);
}
