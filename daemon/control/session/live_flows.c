/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/session/live_flows.h"

#include "lib/base/container.h"
#include "lib/base/copy.h"
#include "lib/base/hash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS   16384
#define RULES_MAX 20000 /* names of rules remembered; a policy has fewer */

struct rule {
	struct hash_link hashed; /* by its name */
	struct live_rule live;
	char name[POLICY_NAME_SIZE + 16]; /* of a listener behind a word, so that it is no rule's */
};

struct node {
	struct hash_link by_id;
	struct node *session_next, **session_back;
	struct live_flow flow;
	struct rule *rule, *listener;
};

struct live_flows {
	struct hash flows, rules;
	struct node *sessions[BUCKETS];
};

static uint32_t hash_of(uint64_t number)
{
	return hash_bytes(&number, sizeof(number));
}

static struct node *flow_of(struct hash_link *link)
{
	return link ? container_of(link, struct node, by_id) : NULL;
}

static struct rule *rule_of(struct hash_link *link)
{
	return link ? container_of(link, struct rule, hashed) : NULL;
}

struct live_flows *live_flows_new(void)
{
	struct live_flows *live_flows = calloc(1, sizeof(*live_flows));

	if (live_flows && hash_reserve(&live_flows->flows) == 0 &&
		hash_reserve(&live_flows->rules) == 0)
		return live_flows;
	live_flows_free(live_flows);
	return NULL;
}

static void put_out(struct live_flows *live_flows, struct node *node)
{
	hash_del(&live_flows->flows, &node->by_id);
	*node->session_back = node->session_next;
	if (node->session_next)
		node->session_next->session_back = node->session_back;
	if (node->rule && node->rule->live.flows)
		node->rule->live.flows--;
	if (node->listener && node->listener->live.flows)
		node->listener->live.flows--;
	free(node);
}

void live_flows_free(struct live_flows *live_flows)
{
	if (!live_flows)
		return;
	struct hash_walk flows = {0}, rules = {0};
	for (struct node *node; (node = flow_of(hash_step(&live_flows->flows, &flows)));)
		put_out(live_flows, node);
	for (struct rule *rule; (rule = rule_of(hash_step(&live_flows->rules, &rules)));)
		free(rule);
	hash_fini(&live_flows->flows);
	hash_fini(&live_flows->rules);
	free(live_flows);
}

static struct rule *find_rule(const struct live_flows *live_flows, const char *name)
{
	struct rule *rule = rule_of(hash_find(&live_flows->rules, hash_bytes(name, strlen(name))));

	while (rule && strcmp(rule->name, name) != 0)
		rule = rule_of(hash_next(&rule->hashed));
	return rule;
}

static struct rule *add_rule(struct live_flows *live_flows, const char *name)
{
	struct rule *rule = find_rule(live_flows, name);
	if (rule || live_flows->rules.n == RULES_MAX)
		return rule;
	rule = calloc(1, sizeof(*rule));
	if (!rule)
		return NULL;
	copy_text(rule->name, sizeof(rule->name), name);
	hash_add(&live_flows->rules, &rule->hashed, hash_bytes(name, strlen(name)));
	return rule;
}

static struct node *find_flow(const struct live_flows *live_flows, uint64_t id)
{
	struct node *node = flow_of(hash_find(&live_flows->flows, hash_of(id)));

	while (node && node->flow.id != id)
		node = flow_of(hash_next(&node->by_id));
	return node;
}

#define LISTENER_SIZE sizeof(((struct rule *)0)->name)

static const char *of_listener(const char *listener, char name[LISTENER_SIZE])
{
	snprintf(name, LISTENER_SIZE, "listener %s", listener);
	return name;
}

static void count_hit(struct rule *rule, uint64_t start_ms)
{
	if (!rule)
		return;
	rule->live.hits++;
	rule->live.last_ms = start_ms;
}

void live_flows_add(struct live_flows *live_flows, uint32_t relay, uint64_t id, uint64_t session,
	uint64_t start_ms, const char *rule_name, const char *listener_name, bool hit)
{
	char name[LISTENER_SIZE];

	if (find_flow(live_flows, id))
		return;
	struct rule *rule = *rule_name ? add_rule(live_flows, rule_name) : NULL;
	struct rule *listener =
		*listener_name ? add_rule(live_flows, of_listener(listener_name, name)) : NULL;
	count_hit(hit ? rule : NULL, start_ms);
	count_hit(hit ? listener : NULL, start_ms);
	struct node *node = calloc(1, sizeof(*node));
	if (!node)
		return;
	node->flow = (struct live_flow){
		.id = id, .session = session, .start_ms = start_ms, .relay = relay};
	node->flow.rule = rule ? rule->name : "";
	node->rule = rule;
	node->listener = listener;
	if (rule)
		rule->live.flows++;
	if (listener)
		listener->live.flows++;
	hash_add(&live_flows->flows, &node->by_id, hash_of(id));
	struct node **bucket = &live_flows->sessions[hash_of(session) % BUCKETS];
	node->session_next = *bucket;
	node->session_back = bucket;
	if (node->session_next)
		node->session_next->session_back = &node->session_next;
	*bucket = node;
}

void live_flows_del(struct live_flows *live_flows, uint64_t id)
{
	struct node *node = find_flow(live_flows, id);

	if (node)
		put_out(live_flows, node);
}

void live_flows_del_relay(struct live_flows *live_flows, uint32_t relay,
	void (*visit)(void *context, const struct live_flow *flow), void *context)
{
	struct hash_walk walk = {0};

	for (struct node *node; (node = flow_of(hash_step(&live_flows->flows, &walk)));) {
		if (node->flow.relay != relay)
			continue;
		visit(context, &node->flow);
		put_out(live_flows, node);
	}
}

size_t live_flows_count(const struct live_flows *live_flows)
{
	return live_flows->flows.n;
}

bool live_flows_has_session(const struct live_flows *live_flows, uint64_t session)
{
	for (struct node *node = live_flows->sessions[hash_of(session) % BUCKETS]; node;
		node = node->session_next)
		if (node->flow.session == session)
			return true;
	return false;
}

struct live_rule live_flows_rule_of(const struct live_flows *live_flows, const char *name)
{
	const struct rule *rule = find_rule(live_flows, name);
	return rule ? rule->live : (struct live_rule){0};
}

struct live_rule live_flows_listener_of(const struct live_flows *live_flows, const char *listener)
{
	char name[LISTENER_SIZE];

	return live_flows_rule_of(live_flows, of_listener(listener, name));
}
