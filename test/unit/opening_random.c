/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Random policies and a random change of each: whenever some client of a sample is redirected
 * before and passes after, the change is said to open. */
#include "lib/base/hash.h"
#include "lib/policy/decide/rule.h"
#include "lib/policy/proof/opening.h"
#include "test/lib/policy_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define POLICIES   1200
#define CLIENTS    2000
#define RULES_MOST 8
#define NOW_MS     1700000000000

static const char *const users[] = {"ann", "bob", "eve", "zed"}; /* no rule names the last */
static const char *const groups[] = {"g1", "g2"};
static const char *const lists[] = {"192.0.2.7", "192.0.2.0/26, 2001:db8:1::/65", "192.0.2.128/25",
	"02:00:5e:00:53:07, 192.0.2.9", "198.51.100.0/25", "198.51.100.77",
	"203.0.113.0/24, 2001:db8:3::/64"};
static const char *const sources[] = {"192.0.2.0/24", "192.0.2.0/25", "192.0.2.7", "192.0.2.128/26",
	"02:00:5e:00:53:07", "2001:db8:1::/64", "2001:db8:1::5", "l0", "l1"};
static const char *const destinations[] = {"198.51.100.0/24", "198.51.100.25", "203.0.113.0/25",
	"2001:db8:3::/64", "2001:db8:3::25", "l2"};
static const char *const acts[] = {
	"server s", "server s", "server s", "verdict pass", "verdict reject"};
static const char *const clients[] = {"192.0.2.1", "192.0.2.7", "192.0.2.100", "192.0.2.130",
	"192.0.2.200", "2001:db8:1::5", "2001:db8:1::77"};
static const char *const wanted[] = {"198.51.100.25", "198.51.100.77", "203.0.113.5",
	"203.0.113.200", "192.0.2.222", "2001:db8:3::25", "2001:db8:3::9", "2001:db8:9::1"};

#define COUNT(array)  (sizeof(array) / sizeof(*(array)))
#define ANY_OF(array) ((array)[below(COUNT(array))])

static uint64_t state;

static size_t below(size_t n)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (size_t)(state >> 33) % n;
}

struct text {
	char *rules[RULES_MOST];
	size_t n;
	bool pass; /* unmatched */
	const char *lists[3];
};

static const char *negation(void)
{
	return below(4) ? "" : "not ";
}

static void write_rule(FILE *out, unsigned number)
{
	fprintf(out, "rule r%u { ", number);
	if (below(2))
		fprintf(out, "user %s%s ", negation(), users[below(3)]);
	if (below(4) == 0)
		fprintf(out, "group %s%s ", negation(), ANY_OF(groups));
	if (below(5) == 0)
		fprintf(out, "port %s ", below(2) ? "25" : "587");
	if (below(2))
		fprintf(out, "source %s%s ", negation(), ANY_OF(sources));
	if (below(2))
		fprintf(out, "destination %s%s ", negation(), ANY_OF(destinations));
	if (below(5) == 0)
		fprintf(out, "schedule %s%02zu:%02zu-%02zu:%02zu ", below(2) ? "" : "mon-wed ",
			below(24), below(60), below(24), below(60));
	fprintf(out, "%s%s }\n", ANY_OF(acts), below(6) ? "" : " disabled");
}

static char *make_rule(unsigned number)
{
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	write_rule(out, number);
	fclose(out);
	return text;
}

static void begin(struct text *text)
{
	text->n = 1 + below(5);
	text->pass = below(2);
	for (unsigned i = 0; i < 3; i++)
		text->lists[i] = ANY_OF(lists);
	for (unsigned i = 0; i < text->n; i++)
		text->rules[i] = make_rule(i);
}

static void change(struct text *text, unsigned number)
{
	size_t i = below(text->n), j = below(text->n);
	char *rule = text->rules[i];
	switch (below(6)) {
	case 0:
		free(rule);
		text->rules[i] = make_rule(number);
		break;
	case 1:
		text->rules[i] = text->rules[j];
		text->rules[j] = rule;
		break;
	case 2:
		memmove(&text->rules[i + 1], &text->rules[i], (text->n - i) * sizeof(char *));
		text->rules[i] = make_rule(number);
		text->n++;
		break;
	case 3:
		text->pass = !text->pass;
		break;
	case 4:
		if (text->n == 1)
			break;
		free(rule);
		text->n--;
		memmove(&text->rules[i], &text->rules[i + 1], (text->n - i) * sizeof(char *));
		break;
	case 5:
		text->lists[below(3)] = ANY_OF(lists);
		break;
	}
}

static char *print(const struct text *text)
{
	char *printed;
	size_t len;
	FILE *out = open_memstream(&printed, &len);
	fprintf(out,
		"zone a { interface e0 network 192.0.2.0/24, 2001:db8:1::/64 port 25, 587 %s }\n"
		"server s { host 203.0.113.1 }\n",
		text->pass ? "unmatched pass" : "");
	for (unsigned i = 0; i < 3; i++)
		fprintf(out, "list l%u { %s }\n", i, text->lists[i]);
	for (size_t i = 0; i < text->n; i++)
		fputs(text->rules[i], out);
	fclose(out);
	return printed;
}

struct client {
	struct session session;
	struct policy_string groups[2];
	struct mac mac;
	struct addr source;
	struct endpoint wanted;
	uint64_t now_ms;
};

static struct policy_string string_of(const char *text)
{
	size_t len = strlen(text);
	return (struct policy_string){text, (uint32_t)len, hash_bytes(text, len)};
}

static void make_client(struct client *client)
{
	*client = (struct client){.mac = {{0x02, 0, 0x5e, 0, 0x53, below(2) ? 7 : 9}},
		.wanted.port = below(2) ? 25 : 587,
		.now_ms = NOW_MS + below(10080) * 60000};
	client->session.user = string_of(ANY_OF(users));
	client->session.groups = client->groups;
	for (unsigned i = 0; i < 2; i++)
		if (below(3) == 0)
			client->groups[client->session.ngroups++] = string_of(groups[i]);
	do {
		const char *source = ANY_OF(clients), *destination = ANY_OF(wanted);
		addr_parse(source, strlen(source), &client->source);
		addr_parse(destination, strlen(destination), &client->wanted.addr);
	} while (client->source.family != client->wanted.addr.family);
}

static enum policy_verdict verdict(const struct decide_world *world, const struct client *client)
{
	const struct policy *policy = world->policy;
	const struct decide_origin origin = {.mac = client->mac, .source = client->source};
	struct decide_question question;
	decide_question_init(&question, world, &origin, client->now_ms);
	question.session = &client->session;
	question.destination = &client->wanted.addr;
	question.port = client->wanted.port;
	for (size_t i = 0; i < policy->nrules; i++)
		if (decide_rule(&question, &policy->rules[i]).answer == DECIDE_RULE_YES)
			return policy->rules[i].to_server ? POLICY_VERDICT_REDIRECT
							  : policy->rules[i].act.verdict;
	return policy->zones[0].unmatched.verdict;
}

static void tell(void *context, const char *zone, const char *text)
{
	(void)zone;
	(void)text;
	*(bool *)context = true;
}

/* Does a client of the sample pass that was redirected? */
static bool compare(const char *running, const char *coming)
{
	struct policy *a = policy_of_text(running, NULL), *b = policy_of_text(coming, NULL);
	struct lists *none = lists_new();
	struct session_table *sessions = session_table_new();
	const struct decide_world before = {
		.policy = a, .lists = none, .sessions = sessions, .local = gmtime_r};
	struct decide_world after = before;
	bool said = false, opens = false;
	after.policy = b;
	opening_rules(&before, b, NOW_MS, tell, &said);
	for (unsigned i = 0; i < CLIENTS && !opens; i++) {
		struct client client;
		make_client(&client);
		opens = verdict(&before, &client) == POLICY_VERDICT_REDIRECT &&
			verdict(&after, &client) == POLICY_VERDICT_PASS;
	}
	if (opens && !said)
		fail_msg("this opens, and nothing is said of it:\n%s\n%s", running, coming);
	session_table_free(sessions);
	lists_free(none);
	policy_unref(a);
	policy_unref(b);
	return opens;
}

static void test_whatever_opens_is_said(void **unused)
{
	unsigned opened = 0;
	(void)unused;
	state = 25;
	for (unsigned i = 0; i < POLICIES; i++) {
		struct text text;
		begin(&text);
		char *running = print(&text);
		for (size_t n = 1 + below(3), j = 0; j < n; j++)
			change(&text, RULES_MOST + (unsigned)j);
		char *coming = print(&text);
		opened += compare(running, coming);
		free(running);
		free(coming);
		for (size_t j = 0; j < text.n; j++)
			free(text.rules[j]);
	}
	assert_true(opened > POLICIES / 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_whatever_opens_is_said)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
