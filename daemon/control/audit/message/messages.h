/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the records of finished messages: each is a row of messages.db and a line of the log, with
 * the same words.
 *
 * Mail never waits for it: as with the records of flows (audit.h), what the disk does not take is
 * lost, counted, and said. */
#ifndef POSTERN_DAEMON_CONTROL_AUDIT_MESSAGE_MESSAGES_H
#define POSTERN_DAEMON_CONTROL_AUDIT_MESSAGE_MESSAGES_H

#include "daemon/control/audit/audit.h"
#include "daemon/control/audit/message/message_query.h"
#include "lib/record/message_record.h"

struct messages;

/* Opens state_dir/messages.db; as audit_open(). 0 or -errno. */
int messages_open(struct loop *loop, const char *state_dir, const struct audit_config *config,
	uint64_t counters[static COUNTERS], struct messages **messages);
/* As audit_be_patient(), audit_settle(), audit_close(), audit_configure(), audit_trouble(). */
void messages_be_patient(struct messages *messages);
bool messages_settle(struct messages *messages);
void messages_close(struct messages *messages);
void messages_configure(struct messages *messages, const struct audit_config *config);
int messages_trouble(const struct messages *messages);

/* A finished message: its record, and the len bytes it was decoded from. Of transactions that came
 * to nothing so many a minute are kept of all who are no users, and a thousand at once, then one a
 * second, of each user; the others are counted. */
#define MESSAGES_REFUSED_PER_MINUTE 600
void messages_record(struct messages *messages, const struct message_record *record,
	const uint8_t *bytes, size_t len);

/* Newest first; as audit_query(). false: out of memory, and nothing will be called. */
bool messages_query(struct messages *messages, const struct message_filter *filter, audit_row *row,
	audit_done *done, void *context);

#endif
