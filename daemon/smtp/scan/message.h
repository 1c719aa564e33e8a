/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what a scan's part may know of the message that it scans, and whom it tells that it went on:
 * a client's of a flow (scans.h), or a file's that is tested (test.h). */
#ifndef POSTERN_DAEMON_SMTP_SCAN_MESSAGE_H
#define POSTERN_DAEMON_SMTP_SCAN_MESSAGE_H

#include "daemon/smtp/scan/facts.h"

#include <stddef.h>

struct scan_message;
struct smtp;

struct scan_message_face {
	/* The recipients so far, without brackets. */
	uint32_t (*recipients)(const struct scan_message *message);
	const char *(*recipient)(struct scan_message *message, uint32_t number);
	/* No recipient was taken yet. */
	bool (*is_first)(const struct scan_message *message);
	/* What there is of the text: a part has had the first bytes of it, or all. */
	const char *(*text)(const struct scan_message *message, size_t *len);
	/* A part went on by itself, and the event is over: it may be freed. */
	void (*on_settled)(struct scan_message *message);
	/* A part has the place that it waited for. */
	void (*on_place)(struct scan_message *message);
};

struct scan_message {
	struct smtp *smtp;
	const struct scan_message_face *face;
	const struct endpoint *client;
	const char *helo; /* as it is now: a client may say another one */
	struct scan_facts facts;
};

#endif
