/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns looking for messages: newest first, from segment to segment, until a page is full. */
#ifndef POSTERN_DAEMON_CONTROL_AUDIT_MESSAGE_MESSAGE_QUERY_H
#define POSTERN_DAEMON_CONTROL_AUDIT_MESSAGE_MESSAGE_QUERY_H

#include "daemon/control/audit/query.h"
#include "lib/policy/policy.h"
#include "lib/record/message_record.h"

/* A text that is looked for. */
struct message_wanted {
	bool given;
	uint16_t len;
	char text[MESSAGE_TEXT_MAX];
};

/* All that is given is ANDed. Zeroed it takes every message. */
struct message_filter {
	uint64_t flow;    /* 0: any */
	uint32_t number;  /* with flow; 0: any */
	unsigned sources; /* of the user: 1 << enum policy_source; 0: any */
	struct message_wanted user, queue_id, message_id;
	struct message_wanted sender, recipient; /* whatever their case; a sender of len 0 is <> */
	uint16_t ending;                         /* 1 + enum message_ending; 0: any */
	uint64_t since_ms;                       /* of the end; 0: any */
	uint64_t until_ms;                       /* before; 0: any */
	unsigned limit;                          /* rows; 0: 50, at most 100,000 */
	uint64_t before; /* page on: the key of the last row seen; 0: from the newest */
	bool whole;      /* with every recipient */
};

/* false: it is longer than what is ever looked for. */
bool message_wanted_set(struct message_wanted *wanted, const char *text, size_t len);

/* On the store's thread. 0 or -errno; audit_result_fini() in either case. */
int message_query_run(struct database *store, struct sqlite3 *db,
	const struct message_filter *filter, struct audit_result *result);

#endif
