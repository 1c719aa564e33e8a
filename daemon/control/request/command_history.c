/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/request/command_history.h"

#include "daemon/control/control.h"
#include "daemon/control/request/moment.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define ROWS      50  /* shown when no limit is given */
#define PAGE_ROWS 500 /* asked for at a time: they wait in memory for who reads them */

static bool take_time(struct command *command, const char *what, uint64_t *at_ms)
{
	const char *word = command_value(command, what);
	if (!word || moment_parse_past(word, loop_wall_ms(command->control->loop), at_ms) == 0)
		return true;
	command_usage(command, "\"%s\" is no time: " MOMENT_PAST, word);
	return false;
}

bool history_times(struct command *command, uint64_t *since_ms, uint64_t *until_ms)
{
	if (!take_time(command, "since", since_ms) || !take_time(command, "until", until_ms))
		return false;
	if (!*until_ms || *since_ms < *until_ms)
		return true;
	command_usage(command, "until %s is not after since %s: nothing lies between",
		command_value(command, "until"), command_value(command, "since"));
	return false;
}

static uint64_t rows_of(const struct command *command)
{
	const char *word = command_value(command, "limit");
	if (!word)
		return ROWS;
	return strcmp(word, "all") == 0 ? UINT64_MAX : strtoull(word, NULL, 10);
}

void *history_new(struct command *command, const struct history_kind *kind, size_t bytes)
{
	struct history *history = command_new_state(command, bytes);
	if (!history)
		return NULL;
	history->command = command;
	history->kind = kind;
	history->id = command_value(command, "ID");
	history->left = rows_of(command);
	return history;
}

static void next_page(struct command *command)
{
	struct history *history = command->state;
	uint64_t left = history->left - history->shown;
	command->more = NULL;
	history->kind->ask(history, left < PAGE_ROWS ? (unsigned)left : PAGE_ROWS);
}

void history_begin(struct history *history)
{
	next_page(history->command);
}

void history_on_row(void *context, const char *json, uint64_t key)
{
	struct history *history = context;
	history->shown++;
	history->last = key;
	history->kind->show(history, json);
}

void history_on_done(void *context, int status, bool more)
{
	struct history *history = context;
	if (status)
		history_refuse(history, status);
	else if (more && history->shown < history->left)
		command_stream(history->command, next_page);
	else if (history->shown || history->id)
		history_end(history, more);
	else
		history->kind->doubt(history);
}

void history_on_named(void *context, const char *json, uint64_t key)
{
	(void)json;
	(void)key;
	((struct history *)context)->found = true;
}

void history_refuse(struct history *history, int status)
{
	command_done(history->command, OUTCOME_REFUSED, "the %s cannot be read: %s",
		history->kind->what, strerror(-status));
}

void history_end(struct history *history, bool more)
{
	if (history->id && !history->shown)
		history->kind->absent(history);
	else if (more)
		command_done(history->command, OUTCOME_DONE,
			"the newest %" PRIu64 " are shown, and there are more: limit %" PRIu64
			", or limit all",
			history->shown, 10 * history->shown);
	else
		command_ok(history->command);
}
