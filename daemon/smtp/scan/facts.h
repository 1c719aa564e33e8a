/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what filters are told of a client and its message beside the commands: the macros. */
#ifndef POSTERN_DAEMON_SMTP_SCAN_FACTS_H
#define POSTERN_DAEMON_SMTP_SCAN_FACTS_H

#include "lib/base/addr.h"
#include "lib/milter/macro.h"
#include "lib/record/message_record.h"
#include "lib/smtp/path.h"
#include "lib/tls/facts.h"

struct smtp_flow;

struct scan_facts {
	struct milter_macros macros; /* of the texts below and of the flow's */
	char host[SMTP_PATH_DOMAIN_MAX + ADDR_TEXT_SIZE + 4]; /* "[192.0.2.7]", or its name */
	char client[SMTP_PATH_DOMAIN_MAX + 2 * ADDR_TEXT_SIZE];
	char client_addr[ADDR_TEXT_SIZE + 8], daemon_addr[ADDR_TEXT_SIZE];
	char client_port[8], daemon_port[8];
	char cipher[TLS_CIPHER_SIZE], bits[8], subject[TLS_NAME_SIZE], issuer[TLS_NAME_SIZE];
	char id[MESSAGE_NAME_SIZE];
	char sender[SMTP_PATH_TEXT_MAX], sender_host[SMTP_PATH_DOMAIN_MAX];
	char recipient_host[SMTP_PATH_DOMAIN_MAX];
};

/* Of the message in hand; borrows from the flow and its policy. */
void scan_facts_fill(struct scan_facts *facts, const struct smtp_flow *flow);
/* Of a message that is tested, of no flow; all is borrowed. user: empty if nobody has logged in. */
void scan_facts_test(struct scan_facts *facts, const char *gateway, const struct endpoint *client,
	const char *sender, const char *user);
/* Of the recipient that is told next: borrowed. */
void scan_facts_recipient(struct scan_facts *facts, const char *address);

#endif
