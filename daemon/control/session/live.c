#include "daemon/control/session/live.h"

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

struct live {
	struct node *flows[BUCKETS];
	struct node *sessions[BUCKETS];
	struct rule *rules[BUCKETS];
	size_t nflows, nrules;
};

static size_t bucket_of(uint64_t number)
{
	return policy_hash(&number, sizeof(number)) % BUCKETS;
}

struct live *live_new(void)
{
	return calloc(1, sizeof(struct live));
}

static void put_out(struct live *live, struct node **at)
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
	live->nflows--;
	free(node);
}

void live_free(struct live *live)
{
	if (!live)
		return;
	for (size_t i = 0; i < BUCKETS; i++) {
		while (live->flows[i])
			put_out(live, &live->flows[i]);
	}
	for (size_t i = 0; i < BUCKETS; i++) {
		while (live->rules[i]) {
			struct rule *rule = live->rules[i];
			live->rules[i] = rule->next;
			free(rule);
		}
	}
	free(live);
}

static struct rule *find_rule(const struct live *live, const char *name)
{
	struct rule *rule = live->rules[policy_hash(name, strlen(name)) % BUCKETS];
	while (rule && strcmp(rule->name, name) != 0)
		rule = rule->next;
	return rule;
}

static struct rule *add_rule(struct live *live, const char *name)
{
	struct rule *rule = find_rule(live, name);
	if (rule || live->nrules == RULES_MAX)
		return rule;
	rule = calloc(1, sizeof(*rule));
	if (!rule)
		return NULL;
	struct rule **bucket = &live->rules[policy_hash(name, strlen(name)) % BUCKETS];
	strncpy(rule->name, name, sizeof(rule->name) - 1);
	rule->next = *bucket;
	*bucket = rule;
	live->nrules++;
	return rule;
}

static struct node **find_flow(struct live *live, uint64_t id)
{
	struct node **at = &live->flows[bucket_of(id)];
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

void live_add(struct live *live, uint32_t relay, uint64_t id, uint64_t session, uint64_t start_ms,
	const char *rule_name, const char *listener_name, bool hit)
{
	struct node **at = find_flow(live, id);
	char name[LISTENER_SIZE];
	if (*at)
		return;
	struct rule *rule = *rule_name ? add_rule(live, rule_name) : NULL;
	struct rule *listener =
		*listener_name ? add_rule(live, of_listener(listener_name, name)) : NULL;
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
	struct node **bucket = &live->sessions[bucket_of(session)];
	node->session_next = *bucket;
	node->session_back = bucket;
	if (node->session_next)
		node->session_next->session_back = &node->session_next;
	*bucket = node;
	live->nflows++;
}

void live_del(struct live *live, uint64_t id)
{
	struct node **at = find_flow(live, id);
	if (*at)
		put_out(live, at);
}

void live_del_relay(struct live *live, uint32_t relay,
	void (*visit)(void *context, const struct live_flow *flow), void *context)
{
	for (size_t i = 0; i < BUCKETS; i++) {
		for (struct node **at = &live->flows[i]; *at;) {
			if ((*at)->flow.relay != relay) {
				at = &(*at)->next;
				continue;
			}
			visit(context, &(*at)->flow);
			put_out(live, at);
		}
	}
}

size_t live_count(const struct live *live)
{
	return live->nflows;
}

bool live_has_session(const struct live *live, uint64_t session)
{
	for (struct node *node = live->sessions[bucket_of(session)]; node;
		node = node->session_next)
		if (node->flow.session == session)
			return true;
	return false;
}

struct live_rule live_rule_of(const struct live *live, const char *name)
{
	const struct rule *rule = find_rule(live, name);
	return rule ? rule->live : (struct live_rule){0};
}

struct live_rule live_listener_of(const struct live *live, const char *listener)
{
	char name[LISTENER_SIZE];

	return live_rule_of(live, of_listener(listener, name));
}
