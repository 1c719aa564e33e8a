#include "daemon/flow/choose.h"

#include "daemon/log.h"
#include "daemon/flow/way.h"
#include "lib/dns.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Within this time control hears once of a host that is known to be down, and of another one as
 * often as makes it down: the rest would tell nothing, and thousands of flows may fail. */
#define TOLD_EVERY_MS 1000

static struct choose_list *ref(struct choose_list *list)
{
	list->references++;
	return list;
}

static void unref(struct choose_list *list)
{
	if (!list || --list->references > 0)
		return;
	policy_unref(list->policy);
	free(list);
}

static struct choose_list *new_list(struct policy *policy, size_t server, size_t room)
{
	const size_t each = sizeof(struct ipc_target) + sizeof(struct balance_item) +
			    sizeof(struct choose_seen);
	struct choose_list *list = calloc(1, sizeof(*list) + room * each);
	if (!list)
		return NULL;
	list->turns = (struct balance_item *)(void *)&list->v[room];
	list->seen = (struct choose_seen *)(void *)&list->turns[room];
	list->room = room;
	list->references = 1;
	list->policy = policy_ref(policy);
	list->server = server;
	return list;
}

static void drop_lists(struct choose_table *table)
{
	for (size_t i = 0; table->policy && i < table->policy->nservers; i++)
		unref(table->v[i]);
	free(table->v);
	policy_unref(table->policy);
	table->v = NULL;
	table->policy = NULL;
}

static void drop_early(struct choose_table *table)
{
	while (table->early) {
		struct choose_early *early = table->early;
		table->early = early->next;
		free(early);
	}
}

void choose_fini(struct choose_table *table)
{
	drop_lists(table);
	drop_early(table);
}

static bool same_target(const struct ipc_target *a, const struct ipc_target *b)
{
	return a->port == b->port && dns_same_name(a->name, b->name);
}

/* Who had a turn, and what was seen of whom, goes on. */
static void take_over(struct choose_list *list, const struct choose_list *old)
{
	for (size_t i = 0; old && i < list->n; i++)
		for (size_t j = 0; j < old->n; j++)
			if (same_target(&list->v[i], &old->v[j])) {
				list->turns[i].current = old->turns[j].current;
				list->seen[i] = old->seen[j];
			}
}

static const struct policy_server *server_of(const struct choose_list *list)
{
	return &list->policy->servers[list->server];
}

static bool same_line(const struct policy_host *a, const struct policy_host *b)
{
	return a->is_mx == b->is_mx && a->port == b->port &&
	       dns_same_name(a->name.text, b->name.text);
}

/* What was found out about a host holds for the way in which it was asked. */
static bool same_way(const struct policy_server *a, const struct policy_server *b)
{
	return a->announce == b->announce && a->announce_login == b->announce_login &&
	       a->bind == b->bind && addr_equal(&a->bind_addr, &b->bind_addr) &&
	       a->probe == b->probe;
}

static struct ipc_target *put(struct choose_list *list, const struct policy_host *host)
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
static bool put_known(
	struct choose_list *list, const struct policy_host *host, const struct choose_list *old)
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
		if (same_way(server, server_of(list)))
			continue;
		target->state = TARGET_UNKNOWN;
		target->client_families = TARGET_CLIENTS_ALL;
		target->text[0] = '\0';
	}
	return some;
}

static void put_address(struct choose_list *list, const struct policy_host *host)
{
	struct ipc_target *target = put(list, host);
	if (!target)
		return;
	snprintf(target->name, sizeof(target->name), "%s", host->name.text);
	target->client_families = TARGET_CLIENTS_ALL;
	target->naddresses = 1;
	target->addresses[0] = host->addr;
}

/* Before health speaks: what older lists know, and addresses that the policy says itself. */
static struct choose_list *first_list(
	struct policy *policy, size_t server, const struct choose_list *old)
{
	size_t room = policy->servers[server].nhosts + (old ? old->n : 0);
	struct choose_list *list =
		new_list(policy, server, room < TARGETS_MAX ? room : TARGETS_MAX);
	if (!list)
		return NULL;
	for (size_t i = 0; i < server_of(list)->nhosts; i++) {
		const struct policy_host *host = &server_of(list)->hosts[i];
		if (put_known(list, host, old))
			continue;
		if (host->addr.family == ADDR_NONE)
			list->is_open = true;
		else
			put_address(list, host);
	}
	take_over(list, old);
	return list;
}

static struct choose_list *find(const struct choose_table *table, const char *server)
{
	ptrdiff_t at = table->policy ? policy_find_server(table->policy, server) : -1;
	return at < 0 ? NULL : table->v[at];
}

static void replace(struct choose_table *table, const struct ipc_targets *ipc)
{
	ptrdiff_t at = policy_find_server(table->policy, ipc->server);
	struct choose_list *list = at < 0 ? NULL : new_list(table->policy, (size_t)at, ipc->n);
	if (!list)
		return;
	list->inquiry = ipc->inquiry;
	list->n = ipc->n;
	memcpy(list->v, ipc->v, ipc->n * sizeof(list->v[0]));
	take_over(list, table->v[at]);
	unref(table->v[at]);
	table->v[at] = list;
}

/* Those that were told before their policy was in force. */
static void use_early(struct choose_table *table)
{
	for (struct choose_early *early = table->early; early; early = early->next)
		if (early->ipc.number == table->number)
			replace(table, &early->ipc);
	drop_early(table);
}

int choose_set_policy(struct choose_table *table, struct policy *policy, uint64_t number)
{
	struct choose_list **v = calloc(policy->nservers + 1, sizeof(struct choose_list *));
	if (!v)
		return -ENOMEM;
	for (size_t i = 0; i < policy->nservers; i++) {
		v[i] = first_list(policy, i, find(table, policy->servers[i].name.text));
		if (v[i])
			continue;
		while (i > 0)
			unref(v[--i]);
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

static void keep_early(struct choose_table *table, const struct ipc_targets *ipc)
{
	struct choose_early **last = &table->early;
	struct choose_early *early = malloc(sizeof(*early) + ipc->n * sizeof(ipc->v[0]));
	if (!early)
		return;
	early->next = NULL;
	memcpy(&early->ipc, ipc, ipc->header.bytes);
	while (*last)
		last = &(*last)->next;
	*last = early;
}

void choose_take(struct choose_table *table, const struct ipc_targets *ipc)
{
	if (table->policy && ipc->number == table->number)
		replace(table, ipc);
	else if (!table->policy || ipc->number > table->number)
		keep_early(table, ipc);
}

static bool has_address(const struct choose_list *list, const struct addr *addr)
{
	for (size_t i = 0; i < list->n; i++)
		for (unsigned j = 0; j < list->v[i].naddresses; j++)
			if (addr_equal(&list->v[i].addresses[j], addr))
				return true;
	return false;
}

ptrdiff_t choose_find_server(const struct choose_table *table, const struct addr *addr)
{
	bool is_open = false;
	for (size_t i = 0; table->policy && i < table->policy->nservers; i++) {
		if (has_address(table->v[i], addr))
			return (ptrdiff_t)i;
		is_open |= table->v[i]->is_open;
	}
	return is_open ? -EAGAIN : -ENOENT;
}

void choose_begin(struct way *way)
{
	const struct choose_table *table = &way->process->choose;
	way->tried = 0;
	way->addresses_tried = 0;
	way->target = CHOOSE_NO_TARGET;
	way->choice =
		way->server < 0 || table->policy != way->policy ? NULL : ref(table->v[way->server]);
}

void choose_end(struct way *way)
{
	unref(way->choice);
	way->choice = NULL;
}

const struct ipc_target *choose_target(const struct way *way)
{
	return way->choice && way->target != CHOOSE_NO_TARGET ? &way->choice->v[way->target] : NULL;
}

/* Of the host at hand: the family that worked last first, then in the order of the list. */
static bool next_address(struct way *way)
{
	const struct ipc_target *target = choose_target(way);
	if (!target)
		return false;
	uint8_t family = way->choice->seen[way->target].family;
	for (unsigned pass = 0; pass < 2; pass++)
		for (unsigned i = 0; i < target->naddresses; i++) {
			if (way->addresses_tried >> i & 1 ||
				(pass == 0 && target->addresses[i].family != family))
				continue;
			way->addresses_tried |= (uint16_t)(1u << i);
			way->address = (uint8_t)i;
			way->host.addr = target->addresses[i];
			way->host.port = target->port;
			return true;
		}
	return false;
}

bool choose_next(struct way *way)
{
	struct choose_list *list = way->choice;
	if (way->to_original) {
		bool first = !way->tried;
		way->tried = 1;
		way->host = way->original;
		return first;
	}
	if (!list)
		return false;
	while (!next_address(way)) {
		ptrdiff_t at = choice_pick(
			list->v, list->n, way->tried, way->client.addr.family, list->turns);
		if (at < 0)
			return false;
		way->target = (uint8_t)at;
		way->tried |= (uint64_t)1 << at;
		way->addresses_tried = 0;
	}
	return true;
}

void choose_skip_host(struct way *way)
{
	way->addresses_tried = UINT16_MAX;
}

size_t choose_left(const struct way *way)
{
	const struct ipc_target *target = choose_target(way);
	size_t left = 0;
	if (!target)
		return 0;
	for (unsigned i = 0; i < target->naddresses; i++)
		left += !(way->addresses_tried >> i & 1);
	return left +
	       choice_left(way->choice->v, way->choice->n, way->tried, way->client.addr.family);
}

bool choose_was_asked(const struct way *way)
{
	const struct ipc_target *target = choose_target(way);
	return target && way->choice->inquiry == way_host_picture(way->process)->inquiry &&
	       target->asked >> way->address & 1;
}

static void tell(const struct way *way, enum ipc_host_kind kind, const char *words)
{
	struct ipc_host ipc;
	ipc_init(&ipc, IPC_HOST, sizeof(ipc));
	ipc.host = way->host;
	ipc.usable = kind == IPC_HOST_WORKED;
	ipc.kind = (uint16_t)kind;
	snprintf(ipc.server, sizeof(ipc.server), "%s", server_of(way->choice)->name.text);
	snprintf(ipc.text, sizeof(ipc.text), "%s", words);
	child_send(way->process->child, &ipc);
}

/* Most flows have nothing new to tell. */
void choose_worked(struct way *way)
{
	const struct ipc_target *target = choose_target(way);
	if (!target)
		return;
	struct choose_seen *seen = &way->choice->seen[way->target];
	bool is_news = seen->failed || target->state == TARGET_DOWN || target->failing ||
		       (seen->family && seen->family != way->host.addr.family);
	seen->failed = false;
	seen->family = way->host.addr.family;
	if (is_news)
		tell(way, IPC_HOST_WORKED, "");
}

void choose_failed(struct way *way, const char *words)
{
	const struct ipc_target *target = choose_target(way);
	uint64_t now_ms = way_now_ms(way);
	if (!target)
		return;
	struct choose_seen *seen = &way->choice->seen[way->target];
	seen->failed = true;
	if (!seen->told || now_ms >= seen->told_ms + TOLD_EVERY_MS) {
		seen->told_ms = now_ms;
		seen->told = 0;
	}
	if (seen->told >= (target->state == TARGET_DOWN ? 1 : TARGET_FAILURES_DOWN))
		return;
	seen->told++;
	tell(way, IPC_HOST_FAILED, words);
}
