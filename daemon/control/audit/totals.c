/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/audit/totals.h"

#include "lib/base/container.h"
#include "lib/base/copy.h"
#include "lib/base/hash.h"
#include "lib/smtp/smtp.h"

#include <stdlib.h>
#include <string.h>

struct node {
	struct hash_link hashed; /* by its name */
	enum totals_kind kind;
	char name[POLICY_NAME_SIZE];
	struct totals_line line;
};

struct totals {
	struct hash hash;
};

static struct node *node_of(struct hash_link *link)
{
	return link ? container_of(link, struct node, hashed) : NULL;
}

static uint32_t hash_of(const char *name)
{
	return hash_bytes(name, strlen(name));
}

struct totals *totals_new(void)
{
	return calloc(1, sizeof(struct totals));
}

void totals_free(struct totals *totals)
{
	struct hash_walk walk = {0};

	if (!totals)
		return;
	for (struct node *node; (node = node_of(hash_step(&totals->hash, &walk)));)
		free(node);
	hash_fini(&totals->hash);
	free(totals);
}

static struct node *find(const struct totals *totals, enum totals_kind kind, const char *name)
{
	struct node *node = node_of(hash_find(&totals->hash, hash_of(name)));

	while (node && (node->kind != kind || strcmp(node->name, name) != 0))
		node = node_of(hash_next(&node->hashed));
	return node;
}

static void add(
	struct totals *totals, enum totals_kind kind, const char *name, const struct ipc_flow *flow)
{
	struct node *node = *name ? find(totals, kind, name) : NULL;
	if (!*name)
		return;
	if (!node) {
		node = hash_reserve(&totals->hash) == 0 ? calloc(1, sizeof(*node)) : NULL;
		if (!node)
			return;
		node->kind = kind;
		copy_text(node->name, sizeof(node->name), name);
		hash_add(&totals->hash, &node->hashed, hash_of(name));
	}
	node->line.endings[flow->ending]++;
	node->line.secured += (flow->seen & SMTP_SEEN_TLS) != 0;
	node->line.logins_passed += *flow->listener && *flow->user;
	node->line.logins_refused += flow->logins_refused;
	node->line.logins_later += flow->logins_later;
	node->line.messages += flow->messages;
	node->line.from_client_bytes += flow->from_client_bytes;
	node->line.from_server_bytes += flow->from_server_bytes;
}

void totals_flow(struct totals *totals, const struct ipc_flow *flow)
{
	add(totals, TOTALS_ZONE, flow->zone, flow);
	add(totals, TOTALS_LISTENER, flow->listener, flow);
	add(totals, TOTALS_SERVER, flow->server, flow);
}

const struct totals_line *totals_find(
	const struct totals *totals, enum totals_kind kind, const char *name)
{
	const struct node *node = find(totals, kind, name);
	return node ? &node->line : NULL;
}

static bool has(const struct policy *policy, const struct node *node)
{
	switch (node->kind) {
	case TOTALS_ZONE:
		return policy_find_zone(policy, node->name) >= 0;
	case TOTALS_LISTENER:
		return policy_find_listener(policy, node->name) >= 0;
	case TOTALS_SERVER:
		return strcmp(node->name, "original") == 0 ||
		       policy_find_server(policy, node->name) >= 0;
	}
	return false;
}

void totals_follow(struct totals *totals, const struct policy *policy)
{
	struct hash_walk walk = {0};

	for (struct node *node; (node = node_of(hash_step(&totals->hash, &walk)));) {
		if (has(policy, node))
			continue;
		hash_del(&totals->hash, &node->hashed);
		free(node);
	}
}
