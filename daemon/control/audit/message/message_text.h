/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the words for a finished message: as JSON, as a line and fields of the log. */
#ifndef POSTERN_DAEMON_CONTROL_AUDIT_MESSAGE_MESSAGE_TEXT_H
#define POSTERN_DAEMON_CONTROL_AUDIT_MESSAGE_MESSAGE_TEXT_H

#include "lib/record/message_record.h"

#include <jansson.h>

/* A new reference; whole: with every recipient. Bytes that are no UTF-8 stand as \xNN. */
json_t *message_text_json(const struct message_record *record, bool whole);
/* The same, malloc'ed, one line. NULL: out of memory. */
char *message_text_dump(const struct message_record *record, bool whole);
/* Logs it at level info. */
void message_text_log(const struct message_record *record);

#endif
