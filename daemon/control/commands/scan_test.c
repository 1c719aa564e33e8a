/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A file as a message that a scan judges, without a flow: one smtp process asks it. */
#include "daemon/control/commands/parts.h"
#include "daemon/control/request/command.h"

#include "daemon/base/channel.h"
#include "daemon/base/worker.h"
#include "daemon/control/control.h"
#include "daemon/control/peers/flow_peers.h"
#include "daemon/control/request/json_row.h"
#include "lib/base/text.h"
#include "lib/command/request.h"
#include "lib/ipc/scan.h"
#include "lib/milter/milter.h"
#include "lib/smtp/probe/trial.h"
#include "lib/smtp/text/mail_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEXT_MAX ((size_t)REQUEST_BODY_MAX)

/* Of nobody's network (RFC 5737), so that no filter takes it for a friend's. */
static const struct addr nobody = {{192, 0, 2, 1}, ADDR_IP4};

struct testing {
	struct question ask;   /* first */
	struct worker_job job; /* makes the text */
	struct command *command;
	struct ipc_scan_test question;
	const char *kind; /* of the scan, as it was when it was asked */
	int fd;           /* the text; -1: none yet */
	size_t text_bytes;
	char wrong[MAIL_FILE_WRONG_SIZE]; /* with the file; empty: nothing */
	json_t *headers;
	struct ipc_scan_tested told;
	bool is_told;
};

static struct testing *testing_of(struct worker_job *job)
{
	return (struct testing *)(void *)((char *)job - offsetof(struct testing, job));
}

static void forget(struct command *command)
{
	struct testing *testing = command->state;

	if (!testing)
		return;
	if (testing->fd >= 0)
		close(testing->fd);
	json_decref(testing->headers);
}

/* ---- what comes of it ---- */

/* In one line; what ends a line or folds it is a blank. */
static json_t *shown(const uint8_t *bytes, size_t len)
{
	char *text = malloc(len + 1);

	if (!text)
		return json_null();
	for (size_t i = 0; i < len; i++)
		text[i] = strchr("\r\n\t", bytes[i]) ? ' ' : (char)bytes[i];
	text[len] = '\0';
	text_blank(text);
	json_t *string = json_row_text(text);
	free(text);
	return string;
}

static void take_change(struct testing *testing, const struct ipc_scan_change *change)
{
	static const char *const kinds[] = {
		[MILTER_CHANGE_ADD] = "add",
		[MILTER_CHANGE_INSERT] = "insert",
		[MILTER_CHANGE_SET] = "change",
	};
	if (json_array_size(testing->headers) >= MILTER_CHANGES_MAX) /* no scan has more */
		return;
	const bool gone = change->kind == MILTER_CHANGE_SET && !change->value_bytes;
	const uint8_t *value = change->bytes + change->name_bytes;

	json_t *header = json_pack("{s:s, s:o, s:o, s:o}", "change",
		gone ? "delete" : kinds[change->kind], "index",
		change->kind == MILTER_CHANGE_ADD ? json_null() : json_integer(change->index),
		"name", shown(change->bytes, change->name_bytes), "value",
		gone ? json_null() : shown(value, change->value_bytes));
	if (change->cut)
		json_object_set_new(header, "cut_bytes", json_integer(change->cut));
	json_array_append_new(testing->headers, header);
}

/* What a client would hear, behind the gateway's name. */
static void format_reply(const struct ipc_scan_tested *told, char *reply, size_t size)
{
	snprintf(reply, size, "%u %s %s", told->code, told->enhanced, told->words);
}

static json_t *text_or_null(const char *text)
{
	return *text ? json_row_text(text) : json_null();
}

static void show(struct testing *testing)
{
	const struct ipc_scan_tested *told = &testing->told;
	char reply[MILTER_WORDS_SIZE + 32] = "";

	if (told->code)
		format_reply(told, reply, sizeof(reply));
	command_row(testing->command,
		json_pack("{s:s, s:s, s:o, s:s, s:o, s:o, s:o, s:o, s:O, s:I, s:I, s:I}", "scan",
			testing->question.scan, "kind", testing->kind, "host",
			json_row_text(told->place), "verdict",
			scan_test_verdict_names[told->verdict], "why", text_or_null(told->why),
			"stage", text_or_null(told->stage), "reply", text_or_null(reply), "text",
			text_or_null(told->text), "headers", testing->headers, "changes_dropped",
			(json_int_t)told->dropped, "size_bytes", (json_int_t)testing->text_bytes,
			"took_ms", (json_int_t)told->took_ms));
}

static void end_failed(struct testing *testing)
{
	const struct ipc_scan_tested *told = &testing->told;
	char reply[MILTER_WORDS_SIZE + 32] = "";

	if (told->code)
		format_reply(told, reply, sizeof(reply));
	command_done(testing->command, OUTCOME_REFUSED, "scan %s judged nothing: %s; %s%s",
		testing->question.scan, told->text,
		told->code ? "a client hears " : "the message would go on unscanned", reply);
}

static void end(struct testing *testing)
{
	const struct ipc_scan_tested *told = &testing->told;
	struct command *command = testing->command;
	char reply[MILTER_WORDS_SIZE + 32];

	switch ((enum scan_test_verdict)told->verdict) {
	case SCAN_TEST_ACCEPTED:
		command_ok(command);
		break;
	case SCAN_TEST_REFUSED:
	case SCAN_TEST_TEMPFAILED:
		format_reply(told, reply, sizeof(reply));
		command_done(command, OUTCOME_REFUSED, "scan %s refuses it%s: %s%s%s",
			testing->question.scan,
			told->verdict == SCAN_TEST_REFUSED ? "" : " for now", reply,
			*told->text ? "; " : "", told->text);
		break;
	case SCAN_TEST_FAILED:
		end_failed(testing);
		break;
	}
}

static void on_reply(struct testing *testing, const struct ipc_reply *reply)
{
	if (reply->status || !testing->is_told) {
		command_done(testing->command, OUTCOME_REFUSED, "scan %s was not asked: %s",
			testing->question.scan, reply->status ? reply->text : "nothing was told");
		return;
	}
	show(testing);
	end(testing);
}

static void on_answer(struct question *ask, const struct ipc_header *ipc)
{
	struct testing *testing = (struct testing *)ask;
	const void *m = ipc;

	if (!ipc) {
		command_done(testing->command, OUTCOME_REFUSED, "scan %s: %s",
			testing->question.scan,
			ask->late ? "the process that asks it says nothing"
				  : "the process that asks it has ended; see the log");
	} else if (ipc->type == IPC_SCAN_CHANGE) {
		take_change(testing, m);
	} else if (ipc->type == IPC_SCAN_TESTED) {
		memcpy(&testing->told, m, sizeof(testing->told));
		testing->is_told = true;
	} else if (ipc->type == IPC_REPLY) {
		on_reply(testing, m);
	}
}

/* ---- what is asked ---- */

static int make_text(struct worker_job *job)
{
	struct testing *testing = testing_of(job);
	const struct intake *intake = &testing->command->intake;
	size_t room = MAIL_FILE_ROOM(intake->body_len);

	if (room > TEXT_MAX)
		room = TEXT_MAX;
	char *text = malloc(room);
	if (!text)
		return -ENOMEM;
	if (mail_file_read(intake->body, intake->body_len, text, room, &testing->text_bytes,
		    testing->wrong))
		testing->fd = channel_memfd("scan-test", text, testing->text_bytes);
	free(text);
	return testing->fd < 0 && !*testing->wrong ? testing->fd : 0;
}

static void on_text(struct worker_job *job)
{
	struct testing *testing = testing_of(job);
	struct command *command = testing->command;
	struct flow_peers *peers = command->control->flow_peers;

	if (command_is_abandoned(command))
		command_done(command, OUTCOME_REFUSED, "nobody waits for it any more");
	else if (job->status)
		command_done(command, OUTCOME_REFUSED, "%s: %s", command_value(command, "FILE|-"),
			strerror(-job->status));
	else if (*testing->wrong)
		command_done(command, OUTCOME_REFUSED, "%s is no mail: %s",
			command_value(command, "FILE|-"), testing->wrong);
	else if (!flow_peers_ask(
			 peers, PROCESS_SMTP, &testing->ask, &testing->question, testing->fd))
		command_done(command, OUTCOME_REFUSED,
			"no process reads messages, and so none asks scan %s: one runs while a "
			"zone, rule or listener has messages read",
			testing->question.scan);
}

/* A path for the ipc; NULL: absent. */
static bool put_path(
	struct command *command, char path[static SCAN_TEST_PATH_SIZE], const char *word)
{
	if (!word)
		return true;
	if (!trial_is_path(word)) {
		command_usage(command, "\"%s\" is no mail address", word);
		return false;
	}
	snprintf(path, SCAN_TEST_PATH_SIZE, "%s", word);
	return true;
}

static bool read_words(struct command *command, struct ipc_scan_test *question)
{
	const char *user = command_value(command, "user");
	const char *address = command_value(command, "address");
	const char *from = command_value(command, "from"), *to = command_value(command, "to");

	ipc_init(question, IPC_SCAN_TEST, sizeof(*question));
	snprintf(question->scan, sizeof(question->scan), "%s", command_value(command, "NAME"));
	if (user && strlen(user) >= sizeof(question->user)) {
		command_usage(command, "the user's name is too long");
		return false;
	}
	snprintf(question->user, sizeof(question->user), "%s", user ? user : "");
	question->client = nobody;
	if (address)
		addr_parse(address, strlen(address), &question->client);
	question->bounce = from && strcmp(from, "<>") == 0;
	return put_path(command, question->from, question->bounce ? NULL : from) &&
	       put_path(command, question->to, to ? to : "test@example.org");
}

void scan_test(struct command *command)
{
	struct control *control = command->control;
	const char *name = command_value(command, "NAME");
	ptrdiff_t index = policy_find_scan(control->policy, name);
	struct testing *testing = command_new_state(command, sizeof(*testing));

	if (!testing)
		return;
	testing->fd = -1;
	command->forget = forget;
	if (index < 0) {
		command_no_such(command, POLICY_KIND_SCAN, name);
		return;
	}
	if (!read_words(command, &testing->question))
		return;
	testing->command = command;
	testing->kind = policy_scan_kind_names[control->policy->scans[index].kind];
	testing->headers = json_array();
	testing->ask.on_answer = on_answer;
	testing->job.run = make_text;
	testing->job.done = on_text;
	worker_submit(control->disk, &testing->job);
}
