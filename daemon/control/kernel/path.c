/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/kernel/path.h"

#include "daemon/base/log.h"
#include "daemon/control/control.h"
#include "daemon/control/kernel/entries.h"
#include "daemon/control/peers/health/health_peer.h"
#include "lib/base/container.h"
#include "lib/policy/path/path_way.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define AGAIN_MS 1000

struct paths {
	struct control *control;
	void (*on_unnumbered)(struct control *control);
	struct path_table table;
	struct path_ways ways; /* of the policy in force */
	const struct policy *policy;
	uint64_t policy_number;
	struct ipc_paths *batch; /* room for IPC_PATHS_MAX */
	struct loop_timer again;
	bool failed; /* the keeper did not take what was sent last */
	bool anew;   /* so it is told of all, also of what has not changed */
};

/* One batch on its way. */
struct sending {
	struct question ask;
	struct paths *paths;
};

static const enum addr_family families[2] = {ADDR_IP4, ADDR_IP6};

static void on_again(struct loop_timer *timer, uint64_t now_ms);

uint16_t paths_most(uint32_t server_mask)
{
	uint16_t most = plan_numbers_max(server_mask);

	return most < PLAN_PATHS_MAX ? most : PLAN_PATHS_MAX;
}

struct paths *paths_new(struct control *control, void (*on_unnumbered)(struct control *control))
{
	struct paths *paths = calloc(1, sizeof(*paths));

	if (!paths)
		return NULL;
	paths->batch =
		calloc(1, sizeof(*paths->batch) + IPC_PATHS_MAX * sizeof(paths->batch->v[0]));
	if (!paths->batch) {
		free(paths);
		return NULL;
	}
	paths->control = control;
	paths->on_unnumbered = on_unnumbered;
	paths->again.on_time = on_again;
	path_table_init(&paths->table, paths_most(control->start.options.server_mask));
	return paths;
}

void paths_free(struct paths *paths)
{
	if (!paths)
		return;
	loop_timer_clear(paths->control->loop, &paths->again);
	path_ways_fini(&paths->ways);
	path_table_fini(&paths->table);
	free(paths->batch);
	free(paths);
}

/* ---- the plan ---- */

/* keep, then add: so that no new path takes the number of one that is wanted, too. What there is
 * no number for is the relay's. */
static void want(struct path_table *table, const struct policy *policy, const struct path_leg *leg,
	bool add, uint64_t now_ms)
{
	const struct policy_server *server = &policy->servers[leg->server];

	for (unsigned place = 0; place < path_number_places(server); place++) {
		struct path_key key = path_key_of(server->name.text, leg->flows, place);
		if (add)
			path_table_add(table, &key, now_ms);
		else
			path_table_keep(table, &key);
	}
}

static int add_path(struct plan *plan, const struct policy *policy, const struct path_slot *slot)
{
	ptrdiff_t at = policy_find_server(policy, slot->key.server);
	struct plan_path path = {.number = slot->number,
		.gateway = at >= 0 && policy->servers[at].bind == POLICY_BIND_GATEWAY,
		.flows = slot->key.flows,
		.at4 = slot->at[0],
		.at6 = slot->at[1]};

	memcpy(path.server, slot->key.server, sizeof(path.server));
	return plan_add_path(plan, &path);
}

int paths_plan(struct paths *paths, const struct policy *policy, struct plan *plan)
{
	struct control *control = paths->control;
	struct path_table *table = &paths->table;
	uint64_t now_ms = loop_now_ms(control->loop);
	struct path_leg *legs;
	size_t n;
	int error = path_number_legs(policy, &legs, &n);

	if (error)
		return error;
	path_table_begin(table, now_ms);
	path_ways_want(&paths->ways, table);
	for (unsigned add = 0; add <= 1; add++)
		for (size_t i = 0; i < n; i++)
			want(table, policy, &legs[i], add, now_ms);
	free(legs);
	for (size_t i = 0; !error && i < table->n; i++)
		if (table->v[i]->wanted)
			error = add_path(plan, policy, table->v[i]);
	/* who waited for a number has one, and leads as soon as the keeper has the plan */
	if (policy == paths->policy && path_ways_number(&paths->ways, policy, table))
		loop_timer_set(control->loop, &paths->again, now_ms);
	return error;
}

/* ---- what the keeper is told ---- */

static void fail(struct paths *paths, const char *text)
{
	struct control *control = paths->control;

	if (!paths->failed)
		log_error("the kernel does not take where paths lead: %s; the relays take their "
			  "clients",
			text);
	paths->failed = paths->anew = true;
	for (size_t i = 0; i < paths->ways.n; i++)
		paths->ways.v[i].up[0] = paths->ways.v[i].up[1] = false;
	entries_drop_all(control->entries);
	entries_send(control->entries, NULL);
	loop_timer_set(control->loop, &paths->again, loop_now_ms(control->loop) + AGAIN_MS);
}

static void on_answer(struct question *ask, const struct ipc_header *ipc)
{
	struct sending *sending = container_of(ask, struct sending, ask);
	struct paths *paths = sending->paths;
	const struct ipc_reply *reply = (const struct ipc_reply *)ipc;
	bool late = ask->late;

	free(sending);
	/* the keeper is gone: the next control begins anew */
	if (!reply && !late)
		return;
	if (reply && reply->status >= 0)
		paths->failed = false;
	else
		fail(paths, reply && reply->text[0] ? reply->text : "no answer");
}

static void send_batch(struct paths *paths)
{
	struct ipc_paths *batch = paths->batch;
	struct sending *sending = batch->n ? calloc(1, sizeof(*sending)) : NULL;

	if (sending) {
		sending->ask.on_answer = on_answer;
		sending->paths = paths;
		batch->header.bytes = (uint32_t)(sizeof(*batch) + batch->n * sizeof(batch->v[0]));
		question_send(&paths->control->keeper_asks, &sending->ask, batch, -1);
	} else if (batch->n) {
		fail(paths, "out of memory");
	}
	batch->n = 0;
}

static void begin_batch(struct paths *paths)
{
	ipc_init(paths->batch, IPC_PATHS, sizeof(*paths->batch));
	paths->batch->n = 0;
}

static bool same(const struct endpoint *a, const struct endpoint *b)
{
	return a->port == b->port && addr_equal(&a->addr, &b->addr);
}

/* The slot leads there from now on. */
static void lead(struct paths *paths, struct path_slot *slot, const struct endpoint at[static 2])
{
	struct ipc_paths *batch = paths->batch;

	if (!paths->anew && same(&slot->at[0], &at[0]) && same(&slot->at[1], &at[1]))
		return;
	slot->at[0] = at[0];
	slot->at[1] = at[1];
	if (batch->n == IPC_PATHS_MAX) {
		send_batch(paths);
		begin_batch(paths);
	}
	batch->v[batch->n++] = (struct ipc_path){.path = slot->number, .at4 = at[0], .at6 = at[1]};
}

/* ---- health ---- */

static struct path_hosts hosts_of(const struct paths *paths, size_t server)
{
	return (struct path_hosts){.server = &paths->control->policy->servers[server],
		.targets = health_peer_targets(paths->control->health, server),
		.inquiry = paths->control->inquiry};
}

static void lead_way(
	struct paths *paths, const struct path_way *way, const struct path_hosts *hosts)
{
	for (unsigned place = 0; place < way->nplaces; place++) {
		struct path_slot *slot = path_table_slot(&paths->table, way->places[place].number);
		struct endpoint at[2] = {0};
		for (unsigned f = 0; f < 2; f++)
			path_way_lead(way, place, hosts, families[f], &at[f]);
		if (slot)
			lead(paths, slot, at);
	}
}

/* What entries know it by, as long as the policy is in force. */
static uint16_t id_of(const struct paths *paths, const struct path_way *way)
{
	return (uint16_t)(way - paths->ways.v + 1);
}

/* Its clients' entries with that mark. */
static void drop(struct paths *paths, const struct path_way *way, unsigned f, enum mark mark)
{
	entries_drop_way(paths->control->entries, id_of(paths, way), families[f], mark);
}

/* First whom no host takes any more; then where all lead; then who need not go to the relay. */
static void follow_ways(
	struct paths *paths, struct path_way *first, size_t n, const struct path_hosts *hosts)
{
	struct control *control = paths->control;
	bool up[2];

	for (unsigned f = 0; f < 2; f++)
		up[f] = hosts->targets && path_choice_pick(hosts, families[f], 0) >= 0;
	for (size_t i = 0; i < n; i++)
		for (unsigned f = 0; f < 2; f++)
			if (first[i].up[f] && !up[f])
				drop(paths, &first[i], f, MARK_KERNEL);
	entries_send(control->entries, NULL);
	begin_batch(paths);
	for (size_t i = 0; hosts->targets && i < n; i++) {
		path_way_assign(&first[i], hosts->targets);
		lead_way(paths, &first[i], hosts);
	}
	send_batch(paths);
	for (size_t i = 0; i < n; i++) {
		for (unsigned f = 0; f < 2; f++) {
			if (!first[i].up[f] && up[f])
				drop(paths, &first[i], f, MARK_RELAY);
			first[i].up[f] = up[f];
		}
	}
	entries_send(control->entries, NULL);
}

static void follow_all(struct paths *paths)
{
	for (size_t i = 0, n; i < paths->ways.n; i += n) {
		struct path_way *first = &paths->ways.v[i];
		const struct path_hosts hosts = hosts_of(paths, first->leg.server);
		for (n = 1; i + n < paths->ways.n && first[n].leg.server == first->leg.server;)
			n++;
		follow_ways(paths, first, n, &hosts);
	}
}

static void on_again(struct loop_timer *timer, uint64_t now_ms)
{
	struct paths *paths = container_of(timer, struct paths, again);

	(void)now_ms;
	follow_all(paths);
	paths->anew = false;
}

/* What only the policy before had leads nowhere any more. */
static void lead_others_nowhere(struct paths *paths)
{
	static const struct endpoint nowhere[2];

	path_table_begin(&paths->table, loop_now_ms(paths->control->loop));
	path_ways_want(&paths->ways, &paths->table);
	begin_batch(paths);
	for (size_t i = 0; i < paths->table.n; i++) {
		struct path_slot *slot = paths->table.v[i];
		if (!slot->wanted && (slot->at[0].port || slot->at[1].port))
			lead(paths, slot, nowhere);
	}
	send_batch(paths);
}

static void take_policy(struct paths *paths)
{
	struct control *control = paths->control;

	if (paths->policy == control->policy && paths->policy_number == control->policy_number)
		return;
	paths->policy = control->policy;
	paths->policy_number = control->policy_number;
	if (path_ways_read(&paths->ways, control->policy) < 0)
		log_error("no memory for the paths of policy %" PRIu64
			  ": the relays take their clients",
			control->policy_number);
	path_ways_number(&paths->ways, control->policy, &paths->table);
	lead_others_nowhere(paths);
	/* numbers that the policy before needed are free now */
	if (control->ready && !path_ways_are_numbered(&paths->ways))
		paths->on_unnumbered(control);
}

void paths_follow(struct paths *paths)
{
	take_policy(paths);
	follow_all(paths);
}

void paths_follow_server(struct paths *paths, size_t server)
{
	size_t n;

	take_policy(paths);
	struct path_way *first = path_ways_of(&paths->ways, server, &n);
	if (n) {
		const struct path_hosts hosts = hosts_of(paths, server);
		follow_ways(paths, first, n, &hosts);
	}
}

struct path_pick paths_pick(
	struct paths *paths, const struct decide_path *path, const struct addr *client)
{
	struct path_pick pick = {0};

	take_policy(paths);
	const struct path_way *way =
		path->server < 0 ? NULL
				 : path_ways_find(&paths->ways, (size_t)path->server, path->flows);
	if (!way)
		return pick;
	pick.way = id_of(paths, way);
	if (!way->up[client->family == ADDR_IP6])
		return pick;
	const struct path_hosts hosts = hosts_of(paths, way->leg.server);
	if (hosts.targets)
		pick.number = path_way_pick(way, &hosts, client);
	const struct path_slot *slot = path_table_slot(&paths->table, pick.number);
	if (slot)
		pick.at = slot->at[client->family == ADDR_IP6];
	if (!pick.at.port)
		pick.number = 0;
	return pick;
}

bool paths_lead_to(const struct paths *paths, uint16_t number, const struct endpoint *at)
{
	const struct path_slot *slot = path_table_slot(&paths->table, number);

	return slot && (same(&slot->at[0], at) || same(&slot->at[1], at));
}

const char *paths_server_of(const struct paths *paths, uint16_t number)
{
	const struct path_slot *slot = path_table_slot(&paths->table, number);

	return slot ? slot->key.server : NULL;
}

void paths_each(struct paths *paths, size_t server,
	void (*tell)(void *context, const struct path_row *row), void *context)
{
	size_t n;

	take_policy(paths);
	const struct path_way *way = path_ways_of(&paths->ways, server, &n);
	const struct path_hosts hosts = hosts_of(paths, server);
	for (; n-- && hosts.targets; way++) {
		for (unsigned place = 0; place < way->nplaces; place++) {
			const struct path_slot *slot =
				path_table_slot(&paths->table, way->places[place].number);
			ptrdiff_t at = path_way_host(way, place, hosts.targets);
			if (!slot)
				continue;
			struct path_row row = {.number = slot->number,
				.flows = slot->key.flows,
				.host = at < 0 ? "" : hosts.targets->v[at].name,
				.port = at < 0 ? 0 : hosts.targets->v[at].port,
				.at4 = slot->at[0],
				.at6 = slot->at[1]};
			tell(context, &row);
		}
	}
}

void paths_count(const struct paths *paths, size_t *all, size_t *led)
{
	*all = *led = 0;
	for (size_t i = 0; i < paths->ways.n; i++) {
		const struct path_way *way = &paths->ways.v[i];
		for (unsigned place = 0; place < way->nplaces; place++) {
			const struct path_slot *slot =
				path_table_slot(&paths->table, way->places[place].number);
			*all += slot != NULL;
			*led += slot && (slot->at[0].port || slot->at[1].port);
		}
	}
}
