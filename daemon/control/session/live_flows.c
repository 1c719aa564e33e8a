/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/session/live_flows.h"

#include "lib/base/copy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS   16384
#define RULES_MAX 20000 /* names of rules remembered; a policy has fewer */

struct rule {
	struct rule *next;
	struct live_rule live;
	char name[POLICY_NAME_SIZE + 16]; /* of a listener behind a word, so that it is no rule's */
};

struct node {
	struct node *next; /* by id */
	struct node *session_next, **session_back;
	struct live_flow flow;
	struct rule *rule, *listener;
};

struct live_flows {
	struct node *flows[BUCKETS];
	struct node *sessions[BUCKETS];
	struct rule *rules[BUCKETS];
	size_t nflows, nrules;
};

static size_t bucket_of(uint64_t number)
{
	return policy_hash(&number, sizeof(number)) % BUCKETS;
}

struct live_flows *live_flows_new(void)
{
	return calloc(1, sizeof(struct live_flows));
}

static void put_out(struct live_flows *live_flows, struct node **at)
{
	struct node *node = *at;
	*at = node->next;
	*node->session_back = node->session_next;
	if (node->session_next)
		node->session_next->session_back = node->session_back;
	if (node->rule && node->rule->live.flows)
		node->rule->live.flows--;
	if (node->listener && node->listener->live.flows)
		node->listener->live.flows--;
	live_flows->nflows--;
	free(node);
}

void live_flows_free(struct live_flows *live_flows)
{
	if (!live_flows)
		return;
	for (size_t i = 0; i < BUCKETS; i++) {
		while (live_flows->flows[i])
			put_out(live_flows, &live_flows->flows[i]);
	}
	for (size_t i = 0; i < BUCKETS; i++) {
		while (live_flows->rules[i]) {
			struct rule *rule = live_flows->rules[i];
			live_flows->rules[i] = rule->next;
			free(rule);
		}
	}
	free(live_flows);
}

static struct rule *find_rule(const struct live_flows *live_flows, const char *name)
{
	struct rule *rule = live_flows->rules[policy_hash(name, strlen(name)) % BUCKETS];
	while (rule && strcmp(rule->name, name) != 0)
		rule = rule->next;
	return rule;
}

static struct rule *add_rule(struct live_flows *live_flows, const char *name)
{
	struct rule *rule = find_rule(live_flows, name);
	if (rule || live_flows->nrules == RULES_MAX)
		return rule;
	rule = calloc(1, sizeof(*rule));
	if (!rule)
		return NULL;
	struct rule **bucket = &live_flows->rules[policy_hash(name, strlen(name)) % BUCKETS];
	copy_text(rule->name, sizeof(rule->name), name);
	rule->next = *bucket;
	*bucket = rule;
	live_flows->nrules++;
	return rule;
}

static struct node **find_flow(struct live_flows *live_flows, uint64_t id)
{
	struct node **at = &live_flows->flows[bucket_of(id)];
	while (*at && (*at)->flow.id != id)
		at = &(*at)->next;
	return at;
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
	struct node **at = find_flow(live_flows, id);
	char name[LISTENER_SIZE];
	if (*at)
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
	*at = node;
	struct node **bucket = &live_flows->sessions[bucket_of(session)];
	node->session_next = *bucket;
	node->session_back = bucket;
	if (node->session_next)
		node->session_next->session_back = &node->session_next;
	*bucket = node;
	live_flows->nflows++;
}

void live_flows_del(struct live_flows *live_flows, uint64_t id)
{
	struct node **at = find_flow(live_flows, id);
	if (*at)
		put_out(live_flows, at);
}

void live_flows_del_relay(struct live_flows *live_flows, uint32_t relay,
	void (*visit)(void *context, const struct live_flow *flow), void *context)
{
	for (size_t i = 0; i < BUCKETS; i++) {
		for (struct node **at = &live_flows->flows[i]; *at;) {
			if ((*at)->flow.relay != relay) {
				at = &(*at)->next;
				continue;
			}
			visit(context, &(*at)->flow);
			put_out(live_flows, at);
		}
	}
}

size_t live_flows_count(const struct live_flows *live_flows)
{
	return live_flows->nflows;
}

bool live_flows_has_session(const struct live_flows *live_flows, uint64_t session)
{
	for (struct node *node = live_flows->sessions[bucket_of(session)]; node;
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
