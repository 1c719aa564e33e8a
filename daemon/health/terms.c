/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/health/terms.h"

#include "lib/policy/level.h"
#include "lib/policy/target.h"

#include <stdio.h>

/* A provider who knows us by an account counts who comes and says nothing. */
#define ACCOUNT_EVERY_S 600

/* Who probes are from, or say they are from: of a zone's network, else the gateway's own address
 * beside the clients, else nobody. */
static void put_client(
	const struct terms_source *source, enum addr_family family, struct terms *terms)
{
	const struct addr *side = family == ADDR_IP6 ? &source->side->ip6 : &source->side->ip4;
	struct endpoint *client = &terms->clients[family == ADDR_IP6];

	*client = target_zone_client(source->policy, family);
	if (client->addr.family == ADDR_NONE)
		client->addr = *side;
	if (client->addr.family == ADDR_NONE)
		*client = target_probe_client(source->policy, family);
	else
		terms->foreign |= family == ADDR_IP6 ? TARGET_CLIENTS_IP6 : TARGET_CLIENTS_IP4;
}

struct terms terms_make(const struct terms_source *source, size_t index)
{
	const struct policy_server *server = &source->policy->servers[index];
	struct terms terms = {.inquiry = source->inquiry,
		.announce = server->announce,
		.login = server->announce_login,
		.probe = server->probe,
		.every_s = server->account.given && !(server->given & POLICY_SERVER_EVERY)
				   ? ACCOUNT_EVERY_S
				   : server->probe_every_s,
		.connect_ms = server->connect_ms,
		.reply_ms = server->greeting_ms,
		.policy = server,
		.index = index,
		.contexts = source->contexts};

	snprintf(terms.server, sizeof(terms.server), "%s", server->name.text);
	snprintf(terms.hostname, sizeof(terms.hostname), "%s", source->hostname);
	if (server->bind == POLICY_BIND_ADDRESS)
		terms.bind = server->bind_addr;
	terms.from_client = server->bind == POLICY_BIND_CLIENT;
	terms.families = target_zone_families(source->policy);
	terms.flows = (uint8_t)level_flows_to(source->policy, index);
	put_client(source, ADDR_IP4, &terms);
	put_client(source, ADDR_IP6, &terms);
	return terms;
}

bool terms_same_question(const struct terms *a, const struct terms *b)
{
	return a->announce == b->announce && a->login == b->login && a->probe == b->probe &&
	       terms_speak_tls(a) == terms_speak_tls(b) && addr_equal(&a->bind, &b->bind) &&
	       a->from_client == b->from_client && (!a->from_client || a->foreign == b->foreign);
}

bool terms_are_foreign(const struct terms *terms, enum addr_family family)
{
	uint8_t bit = family == ADDR_IP6 ? TARGET_CLIENTS_IP6 : TARGET_CLIENTS_IP4;

	return terms->from_client && terms->foreign & bit;
}

bool terms_are_read(const struct terms *terms)
{
	return terms->flows & LEVEL_FLOWS_READ;
}

bool terms_are_plain(const struct terms *terms)
{
	return !terms_are_read(terms) || terms->flows & LEVEL_FLOWS_PLAIN;
}

bool terms_speak_tls(const struct terms *terms)
{
	return terms->flows == LEVEL_FLOWS_READ;
}
