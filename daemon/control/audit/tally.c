#include "daemon/control/audit/tally.h"

#include "lib/smtp/smtp.h"

#include <stdlib.h>
#include <string.h>

#define BUCKETS 256

struct node {
	struct node *next;
	enum tally_kind kind;
	char name[POLICY_NAME_SIZE];
	struct tally_line line;
};

struct tally {
	struct node *buckets[BUCKETS];
};

struct tally *tally_new(void)
{
	return calloc(1, sizeof(struct tally));
}

void tally_free(struct tally *tally)
{
	for (size_t i = 0; tally && i < BUCKETS; i++) {
		while (tally->buckets[i]) {
			struct node *node = tally->buckets[i];
			tally->buckets[i] = node->next;
			free(node);
		}
	}
	free(tally);
}

static size_t bucket_of(const char *name)
{
	return policy_hash(name, strlen(name)) % BUCKETS;
}

static struct node *find(const struct tally *tally, enum tally_kind kind, const char *name)
{
	struct node *node = tally->buckets[bucket_of(name)];
	while (node && (node->kind != kind || strcmp(node->name, name) != 0))
		node = node->next;
	return node;
}

static void add(
	struct tally *tally, enum tally_kind kind, const char *name, const struct ipc_flow *flow)
{
	struct node *node = *name ? find(tally, kind, name) : NULL;
	if (!*name)
		return;
	if (!node) {
		node = calloc(1, sizeof(*node));
		if (!node)
			return;
		struct node **bucket = &tally->buckets[bucket_of(name)];
		node->kind = kind;
		strncpy(node->name, name, sizeof(node->name) - 1);
		node->next = *bucket;
		*bucket = node;
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

void tally_flow(struct tally *tally, const struct ipc_flow *flow)
{
	add(tally, TALLY_ZONE, flow->zone, flow);
	add(tally, TALLY_LISTENER, flow->listener, flow);
	add(tally, TALLY_SERVER, flow->server, flow);
}

const struct tally_line *tally_find(
	const struct tally *tally, enum tally_kind kind, const char *name)
{
	const struct node *node = find(tally, kind, name);
	return node ? &node->line : NULL;
}

static bool has(const struct policy *policy, const struct node *node)
{
	switch (node->kind) {
	case TALLY_ZONE:
		return policy_find_zone(policy, node->name) >= 0;
	case TALLY_LISTENER:
		return policy_find_listener(policy, node->name) >= 0;
	case TALLY_SERVER:
		return strcmp(node->name, "original") == 0 ||
		       policy_find_server(policy, node->name) >= 0;
	}
	return false;
}

void tally_follow(struct tally *tally, const struct policy *policy)
{
	for (size_t i = 0; i < BUCKETS; i++) {
		for (struct node **at = &tally->buckets[i]; *at;) {
			struct node *node = *at;
			if (has(policy, node)) {
				at = &node->next;
				continue;
			}
			*at = node->next;
			free(node);
		}
	}
}
