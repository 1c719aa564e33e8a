/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/process/replica_targets.h"

#include "lib/dns/dns.h"
#include "lib/policy/choice.h"
#include "lib/tls/terms.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct replica_server *replica_targets_ref(struct replica_server *list)
{
	if (list)
		list->references++;
	return list;
}

void replica_targets_unref(struct replica_server *list)
{
	if (!list || --list->references > 0)
		return;
	policy_unref(list->policy);
	free(list);
}

static struct replica_server *new_list(struct policy *policy, size_t server, size_t room)
{
	const size_t each = sizeof(struct ipc_target) + sizeof(struct balance_item) +
			    sizeof(struct replica_seen);
	struct replica_server *list = calloc(1, sizeof(*list) + room * each);
	if (!list)
		return NULL;
	list->turns = (struct balance_item *)(void *)&list->v[room];
	list->seen = (struct replica_seen *)(void *)&list->turns[room];
	list->room = room;
	list->references = 1;
	list->policy = policy_ref(policy);
	list->server = server;
	return list;
}

static void drop_lists(struct replica_targets *table)
{
	for (size_t i = 0; table->policy && i < table->policy->nservers; i++)
		replica_targets_unref(table->v[i]);
	free(table->v);
	policy_unref(table->policy);
	table->v = NULL;
	table->policy = NULL;
}

static void drop_early(struct replica_targets *table)
{
	while (table->early) {
		struct replica_early *early = table->early;
		table->early = early->next;
		free(early);
	}
}

void replica_targets_fini(struct replica_targets *table)
{
	drop_lists(table);
	drop_early(table);
}

static bool same_target(const struct ipc_target *a, const struct ipc_target *b)
{
	return a->port == b->port && dns_same_name(a->name, b->name);
}

/* Who had a turn, and what was seen of whom, goes on. */
static void take_over(struct replica_server *list, const struct replica_server *old)
{
	for (size_t i = 0; old && i < list->n; i++)
		for (size_t j = 0; j < old->n; j++)
			if (same_target(&list->v[i], &old->v[j])) {
				list->turns[i].current = old->turns[j].current;
				list->seen[i] = old->seen[j];
			}
}

static const struct policy_server *server_of(const struct replica_server *list)
{
	return &list->policy->servers[list->server];
}

static bool same_line(const struct policy_host *a, const struct policy_host *b)
{
	return a->is_mx == b->is_mx && a->port == b->port &&
	       dns_same_name(a->name.text, b->name.text);
}

static uint64_t tls_of(const struct policy_server *server, size_t line)
{
	return tls_terms_digest(server, &server->hosts[line]);
}

/* What was found out about a host holds for the way in which it was asked. */
static bool same_way(
	const struct policy_server *a, size_t line_a, const struct policy_server *b, size_t line_b)
{
	return a->announce == b->announce && a->announce_login == b->announce_login &&
	       a->bind == b->bind && addr_equal(&a->bind_addr, &b->bind_addr) &&
	       a->probe == b->probe && tls_of(a, line_a) == tls_of(b, line_b);
}

static struct ipc_target *put(struct replica_server *list, const struct policy_host *host)
{
	if (list->n == list->room)
		return NULL;
	struct ipc_target *target = &list->v[list->n++];
	target->line = (uint16_t)(host - server_of(list)->hosts);
	target->port = host->port;
	target->preference = host->preference;
	target->weight = host->weight;
	target->limit_flows = host->limit_flows;
	return target;
}

/* The targets that an older list has from the same line. True: there are some. */
static bool put_known(struct replica_server *list, const struct policy_host *host,
	const struct replica_server *old)
{
	bool some = false;
	for (size_t i = 0; old && i < old->n; i++) {
		const struct ipc_target *known = &old->v[i];
		const struct policy_server *server = server_of(old);
		if (known->line >= server->nhosts || !same_line(&server->hosts[known->line], host))
			continue;
		struct ipc_target *target = put(list, host);
		if (!target)
			break;
		some = true;
		const struct ipc_target line = *target;
		*target = *known;
		target->line = line.line;
		target->preference = line.preference;
		target->weight = line.weight;
		target->limit_flows = line.limit_flows;
		target->login_until_ms = 0; /* with a policy secrets are read anew */
		if (same_way(server, known->line, server_of(list), line.line))
			continue;
		target->state = target->read.state = TARGET_UNKNOWN;
		target->client_families = target->read.client_families = TARGET_CLIENTS_ALL;
		target->offers = 0;
		target->text[0] = target->read.text[0] = '\0';
	}
	return some;
}

static void put_line(struct replica_server *list, const struct policy_host *host)
{
	struct ipc_target *target = put(list, host);
	if (!target)
		return;
	snprintf(target->name, sizeof(target->name), "%s", host->name.text);
	target->pending = host->addr.family == ADDR_NONE;
	ipc_target_put(target, &host->addr);
}

/* Before health speaks: what older lists know, and what the policy says itself. */
static struct replica_server *first_list(
	struct policy *policy, size_t server, const struct replica_server *old)
{
	size_t room = policy->servers[server].nhosts + (old ? old->n : 0);
	struct replica_server *list =
		new_list(policy, server, room < TARGETS_MAX ? room : TARGETS_MAX);
	if (!list)
		return NULL;
	for (size_t i = 0; i < server_of(list)->nhosts; i++) {
		const struct policy_host *host = &server_of(list)->hosts[i];
		if (put_known(list, host, old))
			list->known |= old->known;
		else
			put_line(list, host);
	}
	list->flows = old ? old->flows : 0;
	take_over(list, old);
	return list;
}

static struct replica_server *find(const struct replica_targets *table, const char *server)
{
	ptrdiff_t at = table->policy ? policy_find_server(table->policy, server) : -1;
	return at < 0 ? NULL : table->v[at];
}

static struct replica_server *copy_list(
	const struct replica_server *from, uint64_t inquiry, const struct ipc_target *v, size_t n)
{
	struct replica_server *list = new_list(from->policy, from->server, n);
	if (!list)
		return NULL;
	list->inquiry = inquiry;
	list->n = n;
	memcpy(list->v, v, n * sizeof(list->v[0]));
	return list;
}

static struct replica_server *told_list(
	const struct replica_server *old, const struct ipc_targets *ipc)
{
	struct replica_server *list = copy_list(old, ipc->inquiry, ipc->v, ipc->n);
	if (!list)
		return NULL;
	list->told = list->known = ipc->known;
	list->flows = ipc->flows;
	return list;
}

static struct replica_server *drained_list(
	const struct replica_server *old, const struct ipc_targets *ipc)
{
	struct replica_server *list = copy_list(old, old->inquiry, old->v, old->n);
	if (!list)
		return NULL;
	list->told = old->told;
	list->known = old->known;
	list->flows = old->flows;
	for (size_t i = 0; i < list->n; i++)
		for (uint32_t j = 0; j < ipc->n; j++)
			if (same_target(&list->v[i], &ipc->v[j]))
				list->v[i].drained = ipc->v[j].drained;
	return list;
}

static void replace(struct replica_targets *table, const struct ipc_targets *ipc)
{
	ptrdiff_t at = policy_find_server(table->policy, ipc->server);
	struct replica_server *old = at < 0 ? NULL : table->v[at];
	struct replica_server *list = !old                        ? NULL
				      : ipc->known || !old->known ? told_list(old, ipc)
								  : drained_list(old, ipc);
	if (!list)
		return;
	for (size_t i = 0; table->read && i < list->n; i++)
		list->v[i] = ipc_target_seen(&list->v[i], true);
	take_over(list, old);
	replica_targets_unref(old);
	table->v[at] = list;
}

/* Those that were told before their policy was in force. */
static void use_early(struct replica_targets *table)
{
	for (struct replica_early *early = table->early; early; early = early->next)
		if (early->ipc.number == table->number)
			replace(table, &early->ipc);
	drop_early(table);
}

int replica_targets_set_policy(
	struct replica_targets *table, struct policy *policy, uint64_t number)
{
	struct replica_server **v = calloc(policy->nservers + 1, sizeof(struct replica_server *));
	if (!v)
		return -ENOMEM;
	for (size_t i = 0; i < policy->nservers; i++) {
		v[i] = first_list(policy, i, find(table, policy->servers[i].name.text));
		if (v[i])
			continue;
		while (i > 0)
			replica_targets_unref(v[--i]);
		free(v);
		return -ENOMEM;
	}
	drop_lists(table);
	table->v = v;
	table->policy = policy_ref(policy);
	table->number = number;
	use_early(table);
	return 0;
}

static void keep_early(struct replica_targets *table, const struct ipc_targets *ipc)
{
	struct replica_early **last = &table->early;
	struct replica_early *early = malloc(sizeof(*early) + ipc->n * sizeof(ipc->v[0]));
	if (!early)
		return;
	early->next = NULL;
	memcpy(&early->ipc, ipc, ipc->header.bytes);
	while (*last)
		last = &(*last)->next;
	*last = early;
}

void replica_targets_take(struct replica_targets *table, const struct ipc_targets *ipc)
{
	if (table->policy && ipc->number == table->number)
		replace(table, ipc);
	else if (!table->policy || ipc->number > table->number)
		keep_early(table, ipc);
}

void replica_targets_tell(const struct replica_targets *table, const struct replica_server *list,
	struct ipc_targets *ipc)
{
	ipc_init(ipc, IPC_TARGETS, sizeof(*ipc) + list->n * sizeof(ipc->v[0]));
	ipc->number = table->number;
	ipc->inquiry = list->inquiry;
	ipc->known = list->known;
	ipc->flows = list->flows;
	snprintf(ipc->server, sizeof(ipc->server), "%s", server_of(list)->name.text);
	ipc->n = (uint32_t)list->n;
	memcpy(ipc->v, list->v, list->n * sizeof(ipc->v[0]));
}

struct replica_server *replica_targets_of(
	const struct replica_targets *table, const struct policy *policy, int32_t server)
{
	if (server < 0 || !table->policy)
		return NULL;
	if (table->policy == policy)
		return table->v[server];
	ptrdiff_t now = policy_find_server(table->policy, policy->servers[server].name.text);
	return now < 0 ? NULL : table->v[now];
}

bool replica_targets_has(const struct replica_server *list, const struct addr *addr)
{
	for (size_t i = 0; i < list->n; i++)
		for (unsigned j = 0; j < ipc_target_addresses(&list->v[i]); j++)
			if (addr_equal(&list->v[i].addresses[j], addr))
				return true;
	return false;
}

bool replica_targets_serve(
	const struct replica_server *list, enum addr_family client, uint8_t *offers)
{
	bool serve = !list;

	*offers = list ? UINT8_MAX : 0;
	for (size_t i = 0; list && i < list->n; i++) {
		const struct ipc_target target = ipc_target_seen(&list->v[i], true);
		if (choice_may_serve(&target, client)) {
			serve = true;
			*offers &= target.offers;
		}
	}
	return serve;
}

static bool is_pending(const struct replica_server *list)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->v[i].pending)
			return true;
	return false;
}

ptrdiff_t replica_targets_find_server(const struct replica_targets *table, const struct addr *addr)
{
	bool pending = false;
	for (size_t i = 0; table->policy && i < table->policy->nservers; i++) {
		if (replica_targets_has(table->v[i], addr))
			return (ptrdiff_t)i;
		pending |= is_pending(table->v[i]);
	}
	return pending ? -EAGAIN : -ENOENT;
}
