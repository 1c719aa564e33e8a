/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/smtp/scan/facts.h"

#include "daemon/smtp/envelope/client_name.h"
#include "daemon/smtp/smtp.h"
#include "daemon/smtp/wire/client.h"
#include "lib/version.h"

#include <stdio.h>
#include <string.h>

static const char *const sources[POLICY_SOURCES] = {
	[POLICY_SOURCE_AUTH] = "AUTH",
	[POLICY_SOURCE_SESSION] = "SESSION",
	[POLICY_SOURCE_DEVICE] = "DEVICE",
};

/* identity: of what is known of its name. */
static void fill_client(struct scan_facts *facts, const struct endpoint *client,
	const struct xclient_identity *identity)
{
	const char **v = facts->macros.values;
	char addr[ADDR_TEXT_SIZE];

	addr_format(&client->addr, addr);
	const bool ip6 = client->addr.family == ADDR_IP6;
	if (identity->name)
		snprintf(facts->host, sizeof(facts->host), "%s", identity->name);
	else
		snprintf(facts->host, sizeof(facts->host), "[%s%s]", ip6 ? "IPv6:" : "", addr);
	snprintf(facts->client, sizeof(facts->client), "%s [%s]",
		identity->name ? identity->name : "unknown", addr);
	snprintf(facts->client_addr, sizeof(facts->client_addr), "%s", addr);
	snprintf(facts->client_port, sizeof(facts->client_port), "%u", client->port);
	v[MILTER_MACRO_CLIENT] = facts->client;
	v[MILTER_MACRO_CLIENT_ADDR] = facts->client_addr;
	v[MILTER_MACRO_CLIENT_PORT] = facts->client_port;
	v[MILTER_MACRO_CLIENT_NAME] = identity->name ? identity->name : "unknown";
	v[MILTER_MACRO_CLIENT_PTR] =
		identity->reverse_name ? identity->reverse_name : v[MILTER_MACRO_CLIENT_NAME];
}

static void fill_daemon(struct scan_facts *facts, const struct endpoint *daemon)
{
	const char **v = facts->macros.values;

	addr_format(&daemon->addr, facts->daemon_addr);
	snprintf(facts->daemon_port, sizeof(facts->daemon_port), "%u", daemon->port);
	v[MILTER_MACRO_DAEMON_ADDR] = facts->daemon_addr;
	v[MILTER_MACRO_DAEMON_PORT] = facts->daemon_port;
}

static void fill_tls(struct scan_facts *facts, const struct smtp_flow *flow)
{
	const char **v = facts->macros.values;
	struct tls_facts tls;

	if (!client_tls_facts(flow, &tls))
		return;
	snprintf(facts->cipher, sizeof(facts->cipher), "%s", tls.cipher);
	snprintf(facts->bits, sizeof(facts->bits), "%u", tls.bits);
	v[MILTER_MACRO_TLS_VERSION] = tls_version_names[tls.version];
	v[MILTER_MACRO_CIPHER] = facts->cipher;
	v[MILTER_MACRO_CIPHER_BITS] = facts->bits;
	if (!tls.asked || tls.reason != TLS_REASON_NONE) /* it is nobody's */
		return;
	snprintf(facts->subject, sizeof(facts->subject), "%s", tls.name);
	snprintf(facts->issuer, sizeof(facts->issuer), "%s", tls.issuer);
	v[MILTER_MACRO_CERT_SUBJECT] = facts->subject;
	v[MILTER_MACRO_CERT_ISSUER] = facts->issuer;
}

/* Of `sender`. */
static void fill_sender(struct scan_facts *facts)
{
	const char **v = facts->macros.values, *at = strrchr(facts->sender, '@');

	snprintf(facts->sender_host, sizeof(facts->sender_host), "%s", at ? at + 1 : "");
	v[MILTER_MACRO_MAIL_ADDR] = facts->sender;
	v[MILTER_MACRO_MAIL_HOST] = facts->sender_host;
	v[MILTER_MACRO_MAIL_MAILER] = "esmtp";
}

static void read_sender(struct scan_facts *facts, const struct smtp_path *sender)
{
	size_t len = smtp_path_format(sender, facts->sender);

	/* without the brackets */
	memmove(facts->sender, facts->sender + 1, len - 2);
	facts->sender[len - 2] = '\0';
}

/* What does not hang on the message. */
static void begin(struct scan_facts *facts, const char *gateway)
{
	const char **v = facts->macros.values;

	memset(facts, 0, sizeof(*facts));
	v[MILTER_MACRO_GATEWAY] = v[MILTER_MACRO_DAEMON_NAME] = gateway;
	v[MILTER_MACRO_VERSION] = "Postern " POSTERN_VERSION;
	v[MILTER_MACRO_ID] = facts->id;
}

/* user: empty where nobody is known. */
static void fill_user(struct scan_facts *facts, enum policy_source source, const char *user)
{
	if (!*user)
		return;
	facts->macros.values[MILTER_MACRO_AUTH_TYPE] = sources[source];
	facts->macros.values[MILTER_MACRO_AUTH_AUTHEN] = user;
}

void scan_facts_fill(struct scan_facts *facts, const struct smtp_flow *flow)
{
	struct xclient_identity identity = {0};

	begin(facts, smtp_name(flow->smtp, flow->way.policy));
	message_name_format(flow->way.id, flow->engine.message, facts->id);
	client_name_identify(flow, &identity);
	fill_client(facts, &flow->way.client, &identity);
	fill_daemon(facts, &flow->way.original);
	fill_tls(facts, flow);
	read_sender(facts, &flow->engine.sender);
	fill_sender(facts);
	if (*flow->way.user)
		fill_user(facts, way_user_source(&flow->way), flow->way.user);
}

void scan_facts_test(struct scan_facts *facts, const char *gateway, const struct endpoint *client,
	const char *sender, const char *user)
{
	begin(facts, gateway);
	snprintf(facts->id, sizeof(facts->id), "scan-test");
	fill_client(facts, client, &(struct xclient_identity){0});
	snprintf(facts->sender, sizeof(facts->sender), "%s", sender);
	fill_sender(facts);
	fill_user(facts, POLICY_SOURCE_AUTH, user);
}

void scan_facts_recipient(struct scan_facts *facts, const char *address)
{
	const char **v = facts->macros.values, *at = strrchr(address, '@');

	snprintf(facts->recipient_host, sizeof(facts->recipient_host), "%s", at ? at + 1 : "");
	v[MILTER_MACRO_RCPT_ADDR] = address;
	v[MILTER_MACRO_RCPT_HOST] = facts->recipient_host;
	v[MILTER_MACRO_RCPT_MAILER] = "esmtp";
}
