/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/policy/proof/relay_proof.h"

#include "lib/base/net/lpm.h"
#include "lib/policy/decide/decide.h"
#include "lib/smtp/domain.h"

#include <stdio.h>
#include <string.h>

#define STRANGERS 1024 /* addresses that are looked at for one that nothing permits */
#define DOMAINS   8    /* names of protected domains that the tricks are tried with */
#define TEXT_SIZE 640  /* of a trick */

/* Of nmap's smtp-open-relay, of abuse.net's tests, of the manuals of Sendmail, qmail and Postfix:
 * source routes, percent and bang, quotes, literals, blanks, dots, comments, bytes that end a text
 * or look like another. */
const char *const relay_tricks[] = {
	"<user@$F>",
	"user@$F",
	"<user@$F.>",
	"<USER@$F>",
	"<user+x@$F>",
	"<user>",
	"<>",
	"<@$F>",
	"<user@>",
	"<postmaster@$F>",
	"<abuse@$F>",
	"<user@[198.51.100.77]>",
	"<user@198.51.100.77>",
	"<user@[IPv6:2001:db8:77::1]>",
	"<user@[$F]>",
	"<user@[]>",
	"<user@localhost>",
	"<user@localhost.localdomain>",
	"<user@$O@$F>",
	"<user@$F@$O>",
	"<\"user@$F\"@$O>",
	"<\"user@$F\">",
	"\"user@$F\"",
	"<\"user@$F\"@[198.51.100.1]>",
	"<user%$F@$O>",
	"<user%$F>",
	"<user%$F@[198.51.100.1]>",
	"<user%$F@localhost>",
	"<\"user%$F\"@$O>",
	"<\"user%$F\">",
	"<user%$O@$F>",
	"<user%$F%$O@$O>",
	"<@$O:user@$F>",
	"<@$F:user@$O>",
	"<@[198.51.100.1]:user@$F>",
	"<@localhost:user@$F>",
	"<@$O,@$F:user@$F>",
	"<@$O:user%$F@$O>",
	"<$F!user>",
	"<$F!user@$O>",
	"<$F!user@[198.51.100.1]>",
	"<$O!$F!user>",
	"<$O!user@$F>",
	"<\"$F!user\"@$O>",
	"<user@$F!$O>",
	"<user@$F%$O>",
	"<user@$F,user@$O>",
	"<user@$F;$O>",
	"<user@$F $O>",
	"<user@$F>,<user@$O>",
	"<user@$F><user@$O>",
	"<user@$O><user@$F>",
	"<user@$F(@$O)>",
	"<user(@$O)@$F>",
	"<user@($O)$F>",
	"<user@$F\\@$O>",
	"<user\\@$F@$O>",
	"<\"user\\@$F\"@$O>",
	"<\"user\"@$F>",
	"<user@x$O>",
	"<user@x-$O>",
	"<user@$O.$F>",
	"<user@$F.$O.$F>",
	"<user@$O.x>",
	"<user@.$F>",
	"<user@$F..>",
	"<user@@$F>",
	"<user@$F/>",
	"<user@$F:25>",
	"<smtp:user@$F>",
	"<relay:user@$F>",
	"<|/bin/sh@$F>",
	"<user@$F\t@$O>",
	"<user@$F\x01@$O>",
	"<user@$F\x7f@$O>",
	"<user@\xef\xbc\x87$F>",
	"<user@$F\xe3\x80\x82$O.$F>",
	"<user@xn--$F>",
	"<postmaster@$O.$F>",
	"<postmaster%$F>",
	"<SRS0=abcd=xy=$F=user@$F>",
	"<SRS0=abcd=xy=$O=user@$F>",
	"<prvs=1234567890=user@$F>",
	"<prvs=1234567890=user%$F@$O>",
	"<SRS0=abcd=xy=$F=user%$F@$O>",
	"<user+@$F@$O>",
};

size_t relay_tricks_count(void)
{
	return sizeof(relay_tricks) / sizeof(*relay_tricks);
}

struct proof {
	const struct decide_world *world;
	uint64_t now_ms;
	struct decide_origin origin;
	struct endpoint original;
	char *text;
};

/* ---- what may be taken, found out in another way than the decision does ---- */

static bool is_name(const char *name, size_t len, const struct smtp_path *path)
{
	char domain[SMTP_DOMAIN_MAX];
	bool below = len > 0 && name[0] == '.';
	int n = smtp_domain_parse(name + below, len - below, domain);

	if (n <= 0)
		return false;
	if (!below)
		return n == path->domain_bytes && memcmp(domain, path->domain, (size_t)n) == 0;
	return path->domain_bytes > n + 1 && path->domain[path->domain_bytes - n - 1] == '.' &&
	       memcmp(domain, path->domain + path->domain_bytes - n, (size_t)n) == 0;
}

struct looking {
	const struct smtp_path *path;
};

static int look(void *context, const struct policy_elem *elem, uint64_t end_ms)
{
	const struct looking *looking = context;

	(void)end_ms;
	return elem->kind == POLICY_ELEM_HOST && is_name(elem->text, elem->len, looking->path);
}

static bool is_in_list(
	const struct proof *proof, const struct policy_list *list, const struct smtp_path *path)
{
	struct looking looking = {path};

	for (size_t i = 0; i < list->elems.n; i++)
		if (look(&looking, &list->elems.v[i], 0))
			return true;
	return proof->world->lists &&
	       lists_each(proof->world->lists, list->name.text, look, &looking);
}

static bool is_ours(const struct proof *proof, const struct smtp_path *path)
{
	const struct policy *policy = proof->world->policy;

	if (path->domain_bytes == 0)
		return smtp_path_is_postmaster(path);
	for (size_t i = 0; i < policy->ndomains; i++) {
		const struct policy_domain *domain = &policy->domains[i];
		for (size_t j = 0; j < domain->names.n; j++)
			if (is_name(domain->names.v[j].text, domain->names.v[j].len, path))
				return true;
		for (size_t j = 0; j < domain->list_names.n; j++)
			if (is_in_list(proof, &policy->lists[domain->lists[j]], path))
				return true;
	}
	return false;
}

/* Another server might read a route in it. */
static bool is_plain(const struct smtp_path *path)
{
	for (size_t i = 0; i < path->local_bytes; i++)
		if (strchr("@%!:|", path->local[i]) || (unsigned char)path->local[i] < ' ')
			return false;
	return true;
}

/* ---- one trick ---- */

static void write_trick(
	const char *trick, const char *own, const char *foreign, char text[static TEXT_SIZE])
{
	size_t n = 0;

	for (const char *c = trick; *c && n < TEXT_SIZE - SMTP_DOMAIN_MAX - 1; c++) {
		if (*c != '$') {
			text[n++] = *c;
			continue;
		}
		const char *name = *++c == 'O' ? own : foreign;
		size_t len = strnlen(name, SMTP_DOMAIN_MAX);
		memcpy(text + n, name, len);
		n += len;
	}
	text[n] = '\0';
}

static bool say(const struct proof *proof, const char *recipient, const char *sender)
{
	const struct decide_origin *origin = &proof->origin;
	const struct policy *policy = proof->world->policy;
	char addr[ADDR_TEXT_SIZE];

	snprintf(proof->text, RELAY_TEXT_SIZE,
		"%s %s would relay for anybody: RCPT TO:%.120s from %s, MAIL FROM:%.60s",
		origin->of_listener ? "listener" : "zone",
		origin->of_listener ? policy->listeners[origin->listener].name.text
				    : policy->zones[origin->zone].name.text,
		recipient, addr_format(&origin->source, addr), sender);
	return true;
}

/* true: it is permitted. */
static bool try_from(const struct proof *proof, const char *recipient, const struct smtp_path *path,
	const char *sender)
{
	struct decide_envelope envelope = {.original = &proof->original, .recipient = path};
	struct decide_reply reply;
	struct smtp_path from;
	size_t used;

	if (smtp_path_parse(&from, 0, sender, strlen(sender), &used) != SMTP_PATH_GOOD)
		return false;
	envelope.sender = &from;
	decide_recipient(proof->world, &proof->origin, &envelope, proof->now_ms, &reply);
	if (!reply.permitted || (is_ours(proof, path) && is_plain(path)))
		return false;
	return say(proof, recipient, sender);
}

static bool try_trick(
	const struct proof *proof, const char *trick, const char *own, const char *foreign)
{
	static const char *const senders[] = {
		"<>", "<somebody@$F>", "<somebody@$O>", "<postmaster@$O>"};
	char text[TEXT_SIZE], sender[TEXT_SIZE];
	struct smtp_path path;
	size_t used;

	write_trick(trick, own, foreign, text);
	if (smtp_path_parse(&path, SMTP_PATH_RECIPIENT, text, strlen(text), &used) !=
			SMTP_PATH_GOOD &&
		smtp_path_parse(&path, SMTP_PATH_RECIPIENT | SMTP_PATH_BARE, text, strlen(text),
			&used) != SMTP_PATH_GOOD)
		return false;
	for (size_t i = 0; i < sizeof(senders) / sizeof(*senders); i++) {
		write_trick(senders[i], own, foreign, sender);
		if (try_from(proof, text, &path, sender))
			return true;
	}
	return false;
}

static bool try_tricks(const struct proof *proof, const char *own)
{
	/* no domain of ours may be below or above it */
	static const char *const foreign[] = {"relay-test.invalid", "a.very-foreign.test"};

	for (size_t i = 0; i < relay_tricks_count(); i++)
		for (size_t j = 0; j < 2; j++)
			if (try_trick(proof, relay_tricks[i], own, foreign[j]))
				return true;
	return false;
}

static bool try_domains(const struct proof *proof)
{
	const struct policy *policy = proof->world->policy;
	size_t tried = 0;

	for (size_t i = 0; i < policy->ndomains && tried < DOMAINS; i++)
		for (size_t j = 0; j < policy->domains[i].names.n && tried < DOMAINS; j++) {
			const char *name = policy->domains[i].names.v[j].text;
			if (try_tricks(proof, name + (*name == '.')))
				return true;
			tried++;
		}
	return try_tricks(proof, "own.example");
}

/* ---- the stranger ---- */

/* Any unicast address; always the same ones, so that what was found is found again. */
static struct addr address_at(unsigned i)
{
	uint64_t x = (i + 1) * 0x9e3779b97f4a7c15u;
	struct addr addr = {.family = i % 2 ? ADDR_IP6 : ADDR_IP4};

	x ^= x >> 29;
	x *= 0xbf58476d1ce4e5b9u;
	x ^= x >> 32;
	for (unsigned j = 0; j < 8; j++)
		addr.bytes[j] = (uint8_t)(x >> 8 * j);
	if (addr.family == ADDR_IP6) {
		addr.bytes[0] = 0x20 | (addr.bytes[0] & 0x1f);
		addr.bytes[15] = 1;
		return addr;
	}
	memset(addr.bytes + 4, 0, sizeof(addr.bytes) - 4);
	addr.bytes[0] = (uint8_t)(1 + addr.bytes[0] % 223);
	return addr;
}

static bool is_in(
	const struct proof *proof, const struct policy_where *where, const struct addr *addr)
{
	const struct policy *policy = proof->world->policy;

	if (where->index && lpm_find(where->index, addr, NULL))
		return true;
	for (size_t i = 0; i < where->list_names.n; i++) {
		const struct policy_list *list = &policy->lists[where->lists[i]];
		if (list->kind == POLICY_LIST_DYNAMIC
				? lists_match(proof->world->lists, list->name.text, NULL, addr,
					  proof->now_ms, NULL)
				: list->index && lpm_find(list->index, addr, NULL))
			return true;
	}
	return false;
}

static bool is_permitted(const struct proof *proof, const struct addr *addr)
{
	const struct policy *policy = proof->world->policy;

	for (size_t i = 0; i < policy->nrules; i++) {
		const struct policy_rule *rule = &policy->rules[i];
		if (!rule->disabled && rule->to_server && rule->source.given &&
			!rule->source.negated &&
			policy_rule_in_listener(rule, proof->origin.listener) &&
			is_in(proof, &rule->source, addr))
			return true;
	}
	return false;
}

/* Of one IP version. */
static bool find_stranger(struct proof *proof, unsigned version)
{
	for (unsigned i = version; i < 2 * STRANGERS; i += 2) {
		proof->origin.source = address_at(i);
		if (!proof->origin.of_listener || !is_permitted(proof, &proof->origin.source))
			return true;
	}
	return false;
}

static bool try_origin(struct proof *proof)
{
	for (unsigned version = 0; version < 2; version++) {
		if (!find_stranger(proof, version)) {
			snprintf(proof->text, RELAY_TEXT_SIZE,
				"no IPv%d address was found that listener %s does not permit to "
				"relay",
				version ? 6 : 4,
				proof->world->policy->listeners[proof->origin.listener].name.text);
			return true;
		}
		if (try_domains(proof))
			return true;
	}
	return false;
}

static bool asks_for_nobody(const struct policy *policy, size_t zone)
{
	for (size_t i = 0; i < policy->nrules; i++)
		if (policy->rules[i].user_none && policy_rule_in_zone(&policy->rules[i], zone))
			return true;
	return false;
}

static bool try_all(struct proof *proof)
{
	const struct policy *policy = proof->world->policy;

	for (size_t i = 0; i < policy->nlisteners; i++) {
		const struct policy_listener *listener = &policy->listeners[i];
		proof->origin = (struct decide_origin){.of_listener = true, .listener = i};
		for (size_t j = 0; j < listener->ports.n; j++) {
			proof->original = (struct endpoint){
				.addr = listener->addresses[0], .port = listener->ports.v[j]};
			if (try_origin(proof))
				return true;
		}
	}
	for (size_t i = 0; i < policy->nzones; i++) {
		proof->origin = (struct decide_origin){.zone = i};
		proof->original = (struct endpoint){
			.addr = address_at(0), .port = policy->zones[i].ports.v[0]};
		if (asks_for_nobody(policy, i) && try_origin(proof))
			return true;
	}
	return false;
}

bool relay_proof_fails(const struct policy *policy, const struct lists *lists,
	schedule_local *local, uint64_t now_ms, int64_t calendar_ahead_ms,
	char text[static RELAY_TEXT_SIZE])
{
	struct lists *empty = lists ? NULL : lists_new();
	const struct decide_world world = {.policy = policy,
		.lists = lists ? lists : empty,
		.local = local,
		.calendar_ahead_ms = calendar_ahead_ms};
	struct proof proof = {.world = &world, .now_ms = now_ms, .text = text};

	snprintf(text, RELAY_TEXT_SIZE, "no memory to prove that it is none");
	bool fails = !world.lists || try_all(&proof);
	lists_free(empty);
	return fails;
}
