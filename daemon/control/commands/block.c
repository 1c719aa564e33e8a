/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/commands/nouns.h"
#include "daemon/control/request/command.h"

#include "daemon/control/clock.h"
#include "daemon/control/control.h"
#include "daemon/control/request/name_check.h"
#include "daemon/control/session/block_change.h"
#include "lib/language/language.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* false: ended with why. */
static bool take_subject(struct command *command, struct block *block)
{
	const char *user = command_value(command, "user"), *mac = command_value(command, "mac");
	const char *address = command_value(command, "address");

	if (mac) {
		block->kind = BLOCK_MAC;
		mac_parse(mac, strlen(mac), &block->mac);
	} else if (address) {
		block->kind = BLOCK_ADDRESS;
		prefix_parse(address, strlen(address), &block->prefix);
		if (block->prefix.len == 0) {
			command_usage(command, "\"%s\" is everybody, and no client", address);
			return false;
		}
	} else {
		size_t room = sizeof(block->user);
		block->kind = BLOCK_USER;
		if ((size_t)snprintf(block->user, room, "%s", user) >= room) {
			command_usage(command, "a user's name has at most %zu bytes", room - 1);
			return false;
		}
	}
	return true;
}

/* A block may be of a zone that the policy no longer has: it can be deleted all the same. */
static bool take_zone(struct command *command, struct block *block)
{
	const char *zone = command_value(command, "zone");

	if (!zone)
		return true;
	snprintf(block->zone, sizeof(block->zone), "%s", zone);
	if (blocks_find(command->control->blocks, block) ||
		policy_find_zone(command->control->policy, zone) >= 0)
		return true;
	command_no_such(command, POLICY_KIND_ZONE, zone);
	return false;
}

/* What the client hears. A word that looks like a mistyped option or code is none. */
static bool take_text(struct command *command, struct block *block)
{
	static const char *const options[] = {"zone", "for", "421", "554"};
	const char *text = command_value(command, "TEXT");
	size_t room = sizeof(block->text);

	if (!text)
		return true;
	if (!text[strspn(text, "0123456789")] || language_near(text, options, 4)) {
		command_usage(command, "\"%s\" is not expected here", text);
		return false;
	}
	if ((size_t)snprintf(block->text, room, "%s", text) < room)
		return true;
	command_usage(command, "a text has at most %zu bytes", room - 1);
	return false;
}

static bool take_time(struct command *command, struct block *block)
{
	const char *span = command_value(command, "for");
	uint64_t ms;

	if (!span)
		return true;
	if (language_parse_duration(span, &ms) < 0 || ms < 1000 || ms / 1000 > UINT32_MAX) {
		command_usage(command, "\"%s\" is no time of 1s to 136 years, such as 2h", span);
		return false;
	}
	block->until_ms = block->since_ms + ms;
	return true;
}

/* The code, and a text if none was given. */
static void fill_in(const struct command *command, struct block *block)
{
	bool soft = command_given(command, "421"), hard = command_given(command, "554");

	block->code = soft || (block->until_ms && !hard) ? 421 : 554;
	if (!*block->text)
		snprintf(block->text, sizeof(block->text), "%s",
			block->code == 554 ? "You may not send mail here"
					   : "You may not send mail here for now");
}

struct changing {
	struct gather gather; /* first */
	struct command *command;
	struct block block;
};

static void answer(struct changing *changing)
{
	struct command *command = changing->command;
	command_row(command, block_row(command->control, &changing->block));
	command_ok(command);
}

static void on_changed(struct gather *gather)
{
	struct changing *changing = (struct changing *)gather;

	if (gather->status)
		command_done(changing->command, OUTCOME_REFUSED, COMMAND_HALF "%s", gather->text);
	else
		answer(changing);
}

static struct changing *new_changing(struct command *command)
{
	struct changing *changing = command_new_state(command, sizeof(*changing));

	if (!changing)
		return NULL;
	changing->command = command;
	changing->block.since_ms = clock_now_ms(command->control);
	changing->block.uid = command->uid;
	return changing;
}

/* The same words again, which name no time: nothing is to be done. */
static bool is_there(const struct control *control, struct block *block)
{
	const struct block *now = blocks_find(control->blocks, block);

	if (!now || now->until_ms || block->until_ms || *now->limit || now->code != block->code ||
		strcmp(now->text, block->text) != 0)
		return false;
	*block = *now;
	return true;
}

static void run_add(struct command *command)
{
	struct changing *changing = new_changing(command);
	struct control *control = command->control;
	char subject[BLOCK_SUBJECT_SIZE];

	if (!changing || !take_subject(command, &changing->block) ||
		!take_zone(command, &changing->block) || !take_time(command, &changing->block) ||
		!take_text(command, &changing->block))
		return;
	fill_in(command, &changing->block);
	if (is_there(control, &changing->block)) {
		command_unchanged(command);
		answer(changing);
		return;
	}
	command_log(command);
	gather_init(&changing->gather, on_changed);
	int error = block_change_put(control, &changing->block, &changing->gather);
	if (error == -ENOSPC)
		command_done(command, OUTCOME_REFUSED,
			"%s: there are %d blocks already, which is the most",
			block_format_subject(&changing->block, subject), BLOCKS_MAX);
	else if (error)
		command_done(command, OUTCOME_REFUSED, "%s", strerror(-error));
	else
		gather_end(&changing->gather, 0, NULL);
}

/* Who is blocked elsewhere: a limit's block is of one zone, an operator's often of all. */
struct elsewhere {
	const struct block *wanted;
	const struct block *found; /* the oldest of this user, MAC or network */
};

static int look_elsewhere(void *context, const struct block *block)
{
	struct elsewhere *elsewhere = context;
	struct block here = *elsewhere->wanted;

	memcpy(here.zone, block->zone, sizeof(here.zone));
	if (!block_same_subject(&here, block))
		return 0;
	elsewhere->found = block;
	return 1;
}

static void refuse_absent(struct command *command, const struct block *wanted)
{
	struct elsewhere elsewhere = {.wanted = wanted};
	char subject[BLOCK_SUBJECT_SIZE];

	block_format_subject(wanted, subject);
	blocks_each(command->control->blocks, look_elsewhere, &elsewhere);
	if (!elsewhere.found)
		command_done(command, OUTCOME_ABSENT, "%s is not blocked", subject);
	else if (elsewhere.found->zone[0])
		command_done(command, OUTCOME_ABSENT,
			"%s is not blocked%s, but in zone %s: add \"zone %s\"", subject,
			wanted->zone[0] ? "" : " in all zones", elsewhere.found->zone,
			elsewhere.found->zone);
	else
		command_done(command, OUTCOME_ABSENT,
			"%s is not blocked, but in all zones: leave \"zone %s\" out", subject,
			wanted->zone);
}

static void run_delete(struct command *command)
{
	struct changing *changing = new_changing(command);
	struct control *control = command->control;

	if (!changing || !take_subject(command, &changing->block) ||
		!take_zone(command, &changing->block))
		return;
	const struct block *now = blocks_find(control->blocks, &changing->block);
	if (!now) {
		refuse_absent(command, &changing->block);
		return;
	}
	changing->block = *now;
	command_log(command);
	gather_init(&changing->gather, on_changed);
	block_change_del(control, &changing->block, &changing->gather);
	gather_end(&changing->gather, 0, NULL);
}

/* Rows are copied first, so that blocks may change while they go out. */
struct showing {
	struct block *v;
	size_t n, at, room;
	struct block wanted;
	bool all;
};

static bool is_wanted(const struct block *wanted, const struct block *block)
{
	if (wanted->kind != block->kind)
		return false;
	switch ((enum block_kind)block->kind) {
	case BLOCK_USER:
		return strcmp(wanted->user, block->user) == 0;
	case BLOCK_MAC:
		return mac_equal(&wanted->mac, &block->mac);
	case BLOCK_ADDRESS:
		return prefix_contains(&block->prefix, &wanted->prefix.addr) ||
		       prefix_contains(&wanted->prefix, &block->prefix.addr);
	}
	return false;
}

static int collect(void *context, const struct block *block)
{
	struct showing *showing = context;

	if (showing->n < showing->room && (showing->all || is_wanted(&showing->wanted, block)))
		showing->v[showing->n++] = *block;
	return 0;
}

static void show_more(struct command *command)
{
	struct showing *showing = command->state;
	for (unsigned i = 0; i < COMMAND_ROWS_A_TURN && showing->at < showing->n; i++)
		command_row(command, block_row(command->control, &showing->v[showing->at++]));
	if (showing->at == showing->n)
		command_ok(command);
	else
		control_socket_continue(command->client);
}

static void forget_showing(struct command *command)
{
	free(((struct showing *)command->state)->v);
}

static void run_show(struct command *command)
{
	const struct blocks *blocks = command->control->blocks;
	struct showing *showing = calloc(1, sizeof(*showing));

	command->state = showing;
	if (showing) {
		command->forget = forget_showing;
		showing->room = blocks_count(blocks);
		showing->v = calloc(showing->room + 1, sizeof(*showing->v));
	}
	if (!showing || !showing->v) {
		command_done(command, OUTCOME_REFUSED, "out of memory");
		return;
	}
	showing->all = !command_value(command, "user") && !command_value(command, "mac") &&
		       !command_value(command, "address");
	if (!showing->all && !take_subject(command, &showing->wanted))
		return;
	blocks_each(blocks, collect, showing);
	if (!showing->n && !name_check_given(command, "user")) {
		name_check_refuse(command, "user", "");
		return;
	}
	command_stream(command, show_more);
}

static const struct command_verb verbs[] = {
	{"show", run_show},
	{"add", run_add},
	{"delete", run_delete},
	{NULL, NULL},
};

const struct command_noun command_block = {"block", verbs};
