/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/portal/mails.h"

#include "daemon/control/audit/audit.h"
#include "daemon/control/audit/message/messages.h"
#include "daemon/control/clock.h"
#include "daemon/control/control.h"
#include "lib/base/text.h"
#include "lib/record/ending.h"
#include "lib/record/login_ending.h"
#include "lib/record/message_ending.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Looked at for one page: what is older is not counted, and that is said. */
#define ROWS_MAX 100

struct showing {
	struct control *control;
	struct portal_asker asker;
	struct ipc_portal_shown shown;
	char session[24]; /* as records name it */
};

static const char *text_of(const json_t *json, const char *name)
{
	const char *text = json_string_value(json_object_get(json, name));

	return text ? text : "";
}

static uint64_t number_of(const json_t *json, const char *name)
{
	json_int_t value = json_integer_value(json_object_get(json, name));

	return value > 0 ? (uint64_t)value : 0;
}

/* What a server said is foreign: one line of it, of characters that may be shown. */
static void copy_reply(struct portal_mail *mail, const char *reply)
{
	snprintf(mail->reply, sizeof(mail->reply), "%s", reply);
	mail->reply[strcspn(mail->reply, "\r\n")] = '\0';
	text_blank(mail->reply);
}

static bool is_yes(const char *reply)
{
	return reply[0] == '2';
}

/* ---- of messages ---- */

static void take_decisions(struct portal_mail *mail, const json_t *decisions)
{
	for (size_t i = 0; i < json_array_size(decisions); i++) {
		const char *reply = text_of(json_array_get(decisions, i), "reply");
		if (!*reply || is_yes(reply))
			continue;
		if (mail->refused++ == 0)
			copy_reply(mail, reply);
	}
}

static void take_message(struct portal_mail *mail, const json_t *row)
{
	enum message_ending ending;

	mail->message = true;
	mail->ended = message_ending_parse(text_of(row, "ending"), &ending) == 0
			      ? ending
			      : (unsigned)MESSAGE_ENDINGS;
	mail->time_ms = number_of(row, "ended_at") * 1000;
	mail->bytes = number_of(row, "size_bytes");
	mail->recipients = (uint32_t)number_of(row, "recipients");
	snprintf(mail->id, sizeof(mail->id), "%s", text_of(row, "message"));
	take_decisions(mail, json_object_get(row, "decisions"));
	const char *reply = text_of(row, "reply");
	if (*reply && !(mail->refused && is_yes(reply)))
		copy_reply(mail, reply);
}

static bool is_sent(const struct portal_mail *mail)
{
	if (!mail->message)
		return mail->ended < ENDINGS &&
		       ending_class_of((enum ending)mail->ended) == ENDING_CLASS_NORMAL;
	return mail->ended < MESSAGE_ENDINGS &&
	       message_outcome_of((enum message_ending)mail->ended) == MESSAGE_STORED;
}

/* ---- of flows that are not read ---- */

static void take_flow(struct portal_mail *mail, const json_t *row)
{
	enum ending ending;

	mail->ended =
		ending_parse(text_of(row, "ending"), &ending) == 0 ? ending : (unsigned)ENDINGS;
	mail->time_ms = number_of(row, "ended_at") * 1000;
	mail->bytes = number_of(row, "from_client_bytes");
	snprintf(mail->id, sizeof(mail->id), "%s", text_of(row, "flow"));
	const char *reply = text_of(row, "reply");
	if (!is_yes(reply))
		copy_reply(mail, reply);
}

/* ---- rows ---- */

/* That he logged in is no mail. */
static bool is_login(const json_t *row)
{
	enum login_ending ending;

	return login_ending_parse(text_of(row, "ending"), &ending) == 0;
}

static void on_row(void *context, const char *line, uint64_t key)
{
	struct showing *showing = context;
	struct ipc_portal_shown *shown = &showing->shown;
	struct portal_mail mail = {0};
	json_t *row = json_loads(line, 0, NULL);

	(void)key;
	/* a user may have more sessions than one, on devices of others, too */
	if (row && strcmp(text_of(row, "session"), showing->session) == 0 && !is_login(row)) {
		if (shown->messages)
			take_message(&mail, row);
		else
			take_flow(&mail, row);
		*(is_sent(&mail) ? &shown->sent : &shown->refused) += 1;
		if (shown->nmails < PORTAL_MAILS_MAX)
			shown->mails[shown->nmails++] = mail;
	}
	json_decref(row);
}

/* Without records the page is still there, and does not say that nothing was sent. */
static void on_done(void *context, int status, bool more)
{
	struct showing *showing = context;

	showing->shown.more = status == 0 && more;
	showing->shown.unrecorded = status != 0;
	portal_answer(&showing->asker, &showing->shown);
	free(showing);
}

static bool ask_messages(struct showing *showing, const struct session *session)
{
	struct message_filter filter = {
		.since_ms = clock_to_wall(showing->control, session->started_ms),
		.sources = 1u << POLICY_SOURCE_SESSION,
		.limit = ROWS_MAX,
		.whole = true};

	return message_wanted_set(&filter.user, session->user.text, session->user.len) &&
	       messages_query(showing->control->messages, &filter, on_row, on_done, showing);
}

static bool ask_flows(struct showing *showing, const struct session *session)
{
	struct audit_filter filter;

	audit_filter_init(&filter);
	filter.session = session->id;
	filter.since_ms = clock_to_wall(showing->control, session->started_ms);
	filter.limit = ROWS_MAX;
	filter.whole = true;
	return audit_query(showing->control->audit, &filter, on_row, on_done, showing) != 0;
}

void portal_mails_begin(struct control *control, const struct session *session, bool messages,
	const struct portal_asker *asker, const struct ipc_portal_shown *shown)
{
	struct showing *showing = calloc(1, sizeof(*showing));

	if (!showing) {
		portal_reply(asker, -ENOMEM, "out of memory");
		return;
	}
	showing->control = control;
	showing->asker = *asker;
	showing->shown = *shown;
	showing->shown.messages = messages;
	snprintf(showing->session, sizeof(showing->session), "%" PRIu64, session->id);
	if (control->policy->audit_names_none) { /* no record says whose it is */
		on_done(showing, -ENODATA, false);
		return;
	}
	bool asked = session->kind == SESSION_PORTAL &&
		     (messages ? ask_messages(showing, session) : ask_flows(showing, session));
	if (!asked)
		on_done(showing, -ENOMEM, false);
}
