/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/doctor/chain.h"

#include "daemon/control/control.h"
#include "daemon/control/doctor/foreign/set.h"
#include "daemon/control/kernel/interfaces.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* What a chain does with a steered packet. */
enum fate {
	FATE_GOES_ON,
	FATE_ACCEPTED,
	FATE_REFUSED,
	FATE_MET, /* the rule that is asked about */
};

const char *chain_fact(const struct examination *exam, uint16_t port, const char *word, size_t *at)
{
	char marked[32];

	if (port == FOREIGN_SMTP_PORT)
		return examination_fact(exam->facts, word, at);
	snprintf(marked, sizeof(marked), "%u:%s", port, word);
	return examination_fact(exam->facts, marked, at);
}

bool chain_read(const char *fact, struct advice_chain *chain)
{
	return sscanf(fact, "%15s %179s %179s %31s %31s %d %15s %63s", chain->family, chain->table,
		       chain->name, chain->type, chain->hook, &chain->priority, chain->policy,
		       chain->device) == 8;
}

bool chain_read_rule(const char *fact, struct chain_rule *rule)
{
	return sscanf(fact, "%15s %179s %179s %" SCNu64 " %179s %7s %63s", rule->family,
		       rule->table, rule->chain, &rule->handle, rule->what, rule->extent,
		       rule->interface) == 7;
}

static bool is_in_table(const struct chain_rule *rule, const struct advice_chain *chain)
{
	return strcmp(rule->family, chain->family) == 0 && strcmp(rule->table, chain->table) == 0;
}

static bool is_in(const struct chain_rule *rule, const struct advice_chain *chain)
{
	return is_in_table(rule, chain) && strcmp(rule->chain, chain->name) == 0;
}

/* Does FROM of a fact have packets by this interface in it? */
static bool covers(const char *from, const char *name)
{
	return *from == '!' ? !policy_interface_match(from + 1, name)
			    : policy_interface_match(from, name);
}

/* Calls for each interface of a zone, those of a pattern as far as they are there, until it gets
 * false. Returns false then. */
static bool each_interface(const struct examination *exam,
	bool (*look)(void *context, const char *name), void *context)
{
	const struct policy *policy = exam->control->policy;
	for (size_t z = 0; z < policy->nzones; z++)
		for (size_t i = 0; i < policy->zones[z].interfaces.n; i++) {
			const char *pattern = policy->zones[z].interfaces.v[i].text;
			if (!strchr(pattern, '*')) {
				if (!look(context, pattern))
					return false;
				continue;
			}
			for (size_t l = 0; l < exam->control->nlinks; l++) {
				const char *link = exam->control->links[l].name;
				if (policy_interface_match(pattern, link) && !look(context, link))
					return false;
			}
		}
	return true;
}

static bool is_elsewhere(void *context, const char *name)
{
	return !covers(context, name);
}

bool chain_is_from_zone(const struct examination *exam, const char *from)
{
	char text[64];
	snprintf(text, sizeof(text), "%s", from);
	return strcmp(from, "*") == 0 || !each_interface(exam, is_elsewhere, text);
}

bool chain_find_base(const struct examination *exam, uint16_t port, const struct chain_rule *rule,
	struct advice_chain *chain, unsigned depth)
{
	size_t at = 0;
	struct chain_rule jump;
	for (const char *fact; (fact = examination_fact(exam->facts, "chain", &at));)
		if (chain_read(fact, chain) && is_in(rule, chain))
			return true;
	at = 0;
	for (const char *fact; depth && (fact = chain_fact(exam, port, "jumps", &at));)
		if (chain_read_rule(fact, &jump) && strcmp(jump.family, rule->family) == 0 &&
			strcmp(jump.table, rule->table) == 0 &&
			strcmp(jump.what, rule->chain) == 0 &&
			chain_is_from_zone(exam, jump.interface) &&
			chain_find_base(exam, port, &jump, chain, depth - 1))
			return true;
	return false;
}

bool chain_accepts(const struct examination *exam, const struct advice_chain *chain,
	const char *what, size_t end)
{
	size_t at = 0;
	struct chain_rule rule;
	struct advice_chain base;
	for (const char *fact; (fact = examination_fact(exam->facts, "accepts", &at)) && at <= end;)
		if (chain_read_rule(fact, &rule) && strcmp(rule.what, what) == 0 &&
			(is_in(&rule, chain) || (is_in_table(&rule, chain) &&
							!chain_find_base(exam, FOREIGN_SMTP_PORT,
								&rule, &base, 0))))
			return true;
	return false;
}

/* A walk of a packet through a chain and those that it jumps to, up to a rule's fact. */
struct walk {
	const struct examination *exam;
	const struct advice_chain *chain;
	size_t rule; /* SIZE_MAX: to the end */
	uint16_t port;
	bool udp;
	bool listener; /* it comes to one of the gateway's; else it is a steered one */
};

/* The fact as it is told of packets to port 25; NULL: it is of packets to another port. */
static const char *of_port(const struct walk *walk, const char *fact)
{
	char mark[12];
	int len = snprintf(mark, sizeof(mark), "%u%s:", walk->port, walk->udp ? "/udp" : "");

	if (!walk->udp && walk->port == FOREIGN_SMTP_PORT)
		return fact;
	return strncmp(fact, mark, (size_t)len) == 0 ? fact + len : NULL;
}

static bool is_refusal(const struct chain_rule *rule)
{
	return strcmp(rule->extent, "all") == 0 &&
	       (strcmp(rule->what, "drop") == 0 || strcmp(rule->what, "reject") == 0);
}

static enum fate walk_chain(
	const struct walk *walk, const char *name, const char *interface, unsigned depth)
{
	const struct doctor_facts *facts = walk->exam->facts;
	for (size_t i = 0; i < facts->n; i++) {
		static const char *const words[] = {"accepts", "closes", "jumps", "takes", "picks"};
		const char *fact = of_port(walk, facts->v[i]);
		enum fate fate = FATE_GOES_ON;
		struct chain_rule rule;
		size_t w = 0, len = 0;
		for (; fact && w < sizeof(words) / sizeof(words[0]); w++) {
			len = strlen(words[w]);
			if (strncmp(fact, words[w], len) == 0 && fact[len] == ' ')
				break;
		}
		if (!fact || w == sizeof(words) / sizeof(words[0]) ||
			!chain_read_rule(fact + len + 1, &rule) ||
			!is_in_table(&rule, walk->chain) || strcmp(rule.chain, name) != 0 ||
			!covers(rule.interface, interface))
			continue;
		if (i == walk->rule)
			fate = FATE_MET;
		/* of a steered packet a finding of its own tells */
		else if (w == 1 || (w == 3 && walk->listener && is_refusal(&rule)))
			fate = FATE_REFUSED;
		else if (w == 2 && depth < CHAIN_JUMPS_MAX)
			fate = walk_chain(walk, rule.what, interface, depth + 1);
		else if (w == 0 &&
			 (strcmp(rule.what, "smtp") == 0 ||
				 strcmp(rule.what, walk->listener ? "listener" : "mark") == 0))
			fate = FATE_ACCEPTED;
		if (fate != FATE_GOES_ON)
			return fate;
	}
	return FATE_GOES_ON;
}

static bool is_not_refused(void *context, const char *name)
{
	const struct walk *walk = context;
	enum fate fate = walk_chain(walk, walk->chain->name, name, 0);
	return fate == FATE_GOES_ON ? strcmp(walk->chain->policy, "drop") != 0
				    : fate != FATE_REFUSED;
}

static bool is_decided(void *context, const char *name)
{
	const struct walk *walk = context;
	enum fate fate = walk_chain(walk, walk->chain->name, name, 0);
	return fate == FATE_ACCEPTED || fate == FATE_REFUSED;
}

bool chain_refuses_steered(const struct examination *exam, const struct advice_chain *chain)
{
	struct walk walk = {
		.exam = exam, .chain = chain, .rule = SIZE_MAX, .port = FOREIGN_SMTP_PORT};
	return !each_interface(exam, is_not_refused, &walk);
}

bool chain_never_meets(const struct examination *exam, uint16_t port,
	const struct advice_chain *chain, size_t rule)
{
	struct walk walk = {.exam = exam, .chain = chain, .rule = rule, .port = port};
	return each_interface(exam, is_decided, &walk);
}

bool chain_is_closed(const struct examination *exam, const struct advice_chain *chain, size_t *end)
{
	size_t at = 0;
	struct chain_rule rule;
	for (const char *fact; (fact = examination_fact(exam->facts, "closes", &at));)
		if (chain_read_rule(fact, &rule) && is_in(&rule, chain) &&
			(*rule.interface == '*' || *rule.interface == '!')) {
			*end = at;
			return true;
		}
	*end = exam->facts->n;
	return strcmp(chain->policy, "drop") == 0;
}

bool chain_refuses_all(
	const struct examination *exam, const struct advice_chain *chain, uint16_t port, bool udp)
{
	struct walk walk = {.exam = exam,
		.chain = chain,
		.rule = SIZE_MAX,
		.port = port,
		.udp = udp,
		.listener = true};
	const struct control *control = exam->control;

	for (size_t i = 0; i < control->nlinks; i++)
		if (strcmp(control->links[i].name, "lo") != 0 &&
			is_not_refused(&walk, control->links[i].name))
			return false;
	return control->nlinks > 0;
}
