/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel-rules/nftables/table_state.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include "kernel-rules/nftables/path_set.h"
#include "kernel-rules/nftables/ruleset.h"

/* Each failure teaches something about the kernel; there are three things to learn, and one table
 * that another hand may have made in between. */
#define APPLY_TRIES 6

static bool is_linux(unsigned major, unsigned minor)
{
	struct utsname name;
	unsigned has_major, has_minor;
	if (uname(&name) < 0 || sscanf(name.release, "%u.%u", &has_major, &has_minor) != 2)
		return false;
	return has_major > major || (has_major == major && has_minor >= minor);
}

static int open_table(struct table **table, int fd)
{
	struct table *t = calloc(1, sizeof(*t));
	if (!t)
		return -ENOMEM;
	int status = fd < 0 ? netlink_open(&t->nl, NETLINK_NETFILTER, 0)
			    : netlink_adopt(&t->nl, NETLINK_NETFILTER, fd);
	if (status) {
		free(t);
		return status;
	}
	netlink_set_buffer(&t->nl, 1 << 20);
	t->renews = is_linux(6, 12);
	*table = t;
	return 0;
}

int table_open(struct table **table)
{
	return open_table(table, -1);
}

enum {
	LACKS_OWNER = 1,
	LACKS_NATIVE_QUEUE = 2,
	LACKS_SET_COUNTERS = 4,
};
static_assert(
	(LACKS_OWNER | LACKS_NATIVE_QUEUE | LACKS_SET_COUNTERS) == TABLE_LACKS, "all of them");

int table_adopt(struct table **table, int fd, uint32_t lacks)
{
	int status = fd < 0 ? -EBADF : open_table(table, fd);

	if (status == 0) {
		(*table)->no_owner = lacks & LACKS_OWNER;
		(*table)->no_native_queue = lacks & LACKS_NATIVE_QUEUE;
		(*table)->no_set_counters = lacks & LACKS_SET_COUNTERS;
	}
	return status;
}

uint32_t table_lacks(const struct table *table)
{
	return (table->no_owner ? LACKS_OWNER : 0) |
	       (table->no_native_queue ? LACKS_NATIVE_QUEUE : 0) |
	       (table->no_set_counters ? LACKS_SET_COUNTERS : 0);
}

int table_fd(const struct table *table)
{
	return table->nl.fd;
}

void table_close(struct table *table)
{
	if (!table)
		return;
	netlink_close(&table->nl);
	free(table->paths);
	free(table);
}

uint32_t table_port(const struct table *table)
{
	return table->nl.port;
}

enum table_queue table_queue(const struct table *table)
{
	return table->queue;
}

bool table_is_owned(const struct table *table)
{
	return table->owned;
}

/* ---- what goes ---- */

void table_put(struct batch *batch, uint32_t flags)
{
	uint8_t comment[sizeof(TABLE_LAYOUT) + 2] = {0, sizeof(TABLE_LAYOUT)};
	struct nlmsghdr *nlh = batch_begin(batch, NFT_MSG_NEWTABLE, NLM_F_CREATE);
	if (!nlh)
		return;
	memcpy(comment + 2, TABLE_LAYOUT, sizeof(TABLE_LAYOUT));
	mnl_attr_put_strz(nlh, NFTA_TABLE_NAME, TABLE_NAME);
	mnl_attr_put_u32(nlh, NFTA_TABLE_FLAGS, htonl(flags));
	mnl_attr_put(nlh, NFTA_TABLE_USERDATA, sizeof(comment), comment);
	batch_end(batch, nlh);
}

static void put_named(struct batch *batch, uint16_t message, uint16_t name_type, const char *name)
{
	struct nlmsghdr *nlh = batch_begin(batch, message, 0);
	if (!nlh)
		return;
	mnl_attr_put_strz(nlh, NFTA_TABLE_NAME, TABLE_NAME); /* attribute 1 of all of them */
	if (name)
		mnl_attr_put_strz(nlh, name_type, name);
	if (message == NFT_MSG_DELOBJ)
		mnl_attr_put_u32(nlh, NFTA_OBJ_TYPE, htonl(NFT_OBJECT_COUNTER));
	batch_end(batch, nlh);
}

static void put_del_table(struct batch *batch)
{
	put_named(batch, NFT_MSG_DELTABLE, 0, NULL);
}

static bool is_zone_thing(const struct plan *plan, const char *name, const char *before)
{
	size_t len = strlen(before);
	if (strncmp(name, before, len) != 0)
		return false;
	for (size_t i = 0; i < plan->nzones; i++) {
		if (ruleset_has_zone(plan, &plan->zones[i]) &&
			strcmp(name + len, plan->zones[i].name) == 0)
			return true;
	}
	return false;
}

static bool is_one_of(const char *name, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(name, names[i]) == 0)
			return true;
	}
	return false;
}

/* What an apply keeps: base chains, client and rate sets, running bypasses, counters, and the ports
 * that were a zone's once: flows that began there go on. */
static bool is_kept(const struct plan *plan, const struct contents_name *entry)
{
	bool running = plan->mode == PLAN_RUNNING;

	switch (entry->kind) {
	case CONTENTS_CHAIN:
		for (size_t i = 0; i < RULESET_BASES; i++) {
			if (entry->base && strcmp(entry->name, ruleset_bases[i].name) == 0)
				return ruleset_has_base(plan, &ruleset_bases[i]);
		}
		return false;
	case CONTENTS_SET:
		if (strcmp(entry->name, SET_PORTS) == 0 || strcmp(entry->name, SET_BYPASS) == 0)
			return true;
		if (strcmp(entry->name, SET_ALIVE) == 0)
			return running;
		for (size_t i = 0; running && i < SET_CLIENTS; i++) {
			if (strcmp(entry->name, set_clients[i].name) == 0)
				return set_client_wanted(&set_clients[i], plan);
		}
		if (path_set_is_kept(plan, entry->name))
			return true;
		return (running && is_one_of(entry->name, set_rates, SET_RATES)) ||
		       is_zone_thing(plan, entry->name, SET_BYPASS_OF);
	case CONTENTS_COUNTER:
		return is_one_of(entry->name, ruleset_counters, RULESET_COUNTERS) ||
		       is_zone_thing(plan, entry->name, RULESET_ARRIVED_OF);
	}
	return false;
}

/* Rules first, then what they used. */
static void put_removals(struct batch *batch, const struct plan *plan, const struct contents *view)
{
	static const struct {
		uint16_t message, name_type;
	} how[] = {[CONTENTS_CHAIN] = {NFT_MSG_DELCHAIN, NFTA_CHAIN_NAME},
		[CONTENTS_SET] = {NFT_MSG_DELSET, NFTA_SET_NAME},
		[CONTENTS_COUNTER] = {NFT_MSG_DELOBJ, NFTA_OBJ_NAME}};

	put_named(batch, NFT_MSG_DELRULE, 0, NULL);
	for (int kind = CONTENTS_CHAIN; kind <= CONTENTS_COUNTER; kind++) {
		for (size_t i = 0; i < view->n; i++) {
			const struct contents_name *entry = &view->names[i];
			if ((int)entry->kind == kind && !is_kept(plan, entry))
				put_named(
					batch, how[kind].message, how[kind].name_type, entry->name);
		}
	}
}

/* ---- what comes ---- */

static void put_counter(struct batch *batch, const struct contents *view, const char *name)
{
	if (contents_has(view, CONTENTS_COUNTER, name))
		return;
	struct nlmsghdr *nlh = batch_begin(batch, NFT_MSG_NEWOBJ, NLM_F_CREATE);
	if (!nlh)
		return;
	mnl_attr_put_strz(nlh, NFTA_OBJ_TABLE, TABLE_NAME);
	mnl_attr_put_strz(nlh, NFTA_OBJ_NAME, name);
	mnl_attr_put_u32(nlh, NFTA_OBJ_TYPE, htonl(NFT_OBJECT_COUNTER));
	struct nlattr *data = mnl_attr_nest_start(nlh, NFTA_OBJ_DATA);
	mnl_attr_nest_end(nlh, data);
	batch_end(batch, nlh);
}

static void put_base(
	struct batch *batch, const struct contents *view, const struct ruleset_base *base)
{
	if (contents_has(view, CONTENTS_CHAIN, base->name))
		return;
	struct nlmsghdr *nlh = batch_begin(batch, NFT_MSG_NEWCHAIN, NLM_F_CREATE);
	if (!nlh)
		return;
	mnl_attr_put_strz(nlh, NFTA_CHAIN_TABLE, TABLE_NAME);
	mnl_attr_put_strz(nlh, NFTA_CHAIN_NAME, base->name);
	struct nlattr *hook = mnl_attr_nest_start(nlh, NFTA_CHAIN_HOOK);
	mnl_attr_put_u32(nlh, NFTA_HOOK_HOOKNUM, htonl(base->hook));
	mnl_attr_put_u32(nlh, NFTA_HOOK_PRIORITY, htonl((uint32_t)base->priority));
	mnl_attr_nest_end(nlh, hook);
	mnl_attr_put_u32(nlh, NFTA_CHAIN_POLICY, htonl(NF_ACCEPT));
	mnl_attr_put_strz(nlh, NFTA_CHAIN_TYPE, base->is_nat ? "nat" : "filter");
	batch_end(batch, nlh);
}

static void put_shared_sets(struct batch *batch, const struct table *t, const struct plan *plan,
	const struct contents *view)
{
	for (size_t i = 0; i < SET_CLIENTS; i++) {
		if (set_client_wanted(&set_clients[i], plan) &&
			!contents_has(view, CONTENTS_SET, set_clients[i].name))
			set_add_client(
				batch, &set_clients[i], plan->client_max, !t->no_set_counters);
	}
	for (size_t i = 0; i < SET_RATES; i++) {
		if (!contents_has(view, CONTENTS_SET, set_rates[i]))
			set_add_rate(batch, set_rates[i]);
	}
}

static void put_ends(struct batch *batch, const char *name4, const char *name6,
	const struct endpoint *ends, size_t n)
{
	set_add_ends(batch, name4, ADDR_IP4);
	set_fill_ends(batch, name4, ADDR_IP4, ends, n);
	set_add_ends(batch, name6, ADDR_IP6);
	set_fill_ends(batch, name6, ADDR_IP6, ends, n);
}

/* The union of all zones' ports. */
static void put_ports(struct batch *batch, const struct plan *plan, const struct contents *view)
{
	uint8_t *seen = calloc(1, 65536);
	uint16_t *ports = calloc(65536, sizeof(*ports));
	size_t n = 0;

	if (!seen || !ports) {
		batch_fail(batch, -ENOMEM);
		goto out;
	}
	for (size_t i = 0; i < plan->nzones; i++) {
		const struct plan_zone *zone = &plan->zones[i];
		for (size_t p = 0; ruleset_has_zone(plan, zone) && p < zone->nports; p++) {
			if (!seen[zone->ports[p]]++)
				ports[n++] = zone->ports[p];
		}
	}
	if (!contents_has(view, CONTENTS_SET, SET_PORTS))
		set_add_ports(batch, SET_PORTS);
	set_fill_ports(batch, SET_PORTS, ports, n);
out:
	free(seen);
	free(ports);
}

static void put_timed(struct batch *batch, const struct contents *view, const char *name)
{
	if (!contents_has(view, CONTENTS_SET, name))
		set_add_timed(batch, name);
}

static void put_zone(struct batch *batch, const struct plan_zone *zone, const struct contents *view)
{
	char name[SET_NAME_SIZE];

	snprintf(name, sizeof(name), RULESET_ARRIVED_OF "%s", zone->name);
	put_counter(batch, view, name);
	snprintf(name, sizeof(name), SET_PORT_OF "%s", zone->name);
	set_add_ports(batch, name);
	set_fill_ports(batch, name, zone->ports, zone->nports);
	snprintf(name, sizeof(name), SET_BYPASS_OF "%s", zone->name);
	put_timed(batch, view, name);
	if (zone->nnetworks == 0)
		return;
	snprintf(name, sizeof(name), SET_NET4_OF "%s", zone->name);
	set_add_networks(batch, name, ADDR_IP4);
	set_fill_networks(batch, name, ADDR_IP4, zone->networks, zone->nnetworks);
	snprintf(name, sizeof(name), SET_NET6_OF "%s", zone->name);
	set_add_networks(batch, name, ADDR_IP6);
	set_fill_networks(batch, name, ADDR_IP6, zone->networks, zone->nnetworks);
}

static uint32_t wanted_flags(const struct table *t)
{
	return t->no_owner ? 0 : TABLE_F_OWNER | TABLE_F_PERSIST;
}

/* Can the table that is there be taken over as it is? An orphan has lost only the owner flag. */
static bool is_adoptable(const struct table *t, const struct contents *view)
{
	uint32_t flags = view->flags & (TABLE_F_OWNER | TABLE_F_PERSIST);
	return view->exists && view->layout_ok &&
	       (flags | (t->no_owner ? 0 : TABLE_F_OWNER)) == wanted_flags(t);
}

static void put_all(struct batch *batch, const struct table *t, const struct plan *plan,
	const struct contents *found, uint32_t *queue_seq)
{
	const struct contents none = {0};
	bool running = plan->mode == PLAN_RUNNING;
	const struct contents *view = is_adoptable(t, found) ? found : &none;

	if (found->exists && view == &none)
		put_del_table(batch);
	table_put(batch, wanted_flags(t));
	if (view->exists)
		put_removals(batch, plan, view);
	for (size_t i = 0; i < RULESET_COUNTERS; i++)
		put_counter(batch, view, ruleset_counters[i]);
	if (running) {
		put_shared_sets(batch, t, plan, view);
		put_timed(batch, view, SET_ALIVE);
	}
	put_timed(batch, view, SET_BYPASS);
	put_ports(batch, plan, view);
	if (running && plan_binds(plan))
		put_ends(batch, SET_BIND_IP4, SET_BIND_IP6, plan->hosts, plan->nhosts);
	if (plan_logs_in(plan))
		put_ends(batch, SET_LOGIN_IP4, SET_LOGIN_IP6, plan->logins, plan->nlogins);
	if (plan_has_paths(plan))
		path_set_put(batch, plan, view);
	for (size_t i = 0; i < plan->nzones; i++) {
		if (ruleset_has_zone(plan, &plan->zones[i]))
			put_zone(batch, &plan->zones[i], view);
	}
	for (size_t i = 0; i < RULESET_BASES; i++) {
		if (ruleset_has_base(plan, &ruleset_bases[i]))
			put_base(batch, view, &ruleset_bases[i]);
	}
	ruleset_put(batch, plan, t->no_native_queue ? TABLE_QUEUE_COMPAT : TABLE_QUEUE_NATIVE,
		queue_seq);
}

/* What a refusal says about the kernel. True: worth another try. */
static bool learn(struct table *t, const struct batch *batch, int status, uint32_t queue_seq)
{
	int type = batch_failed_type(batch);

	if (batch->failed == queue_seq && queue_seq && !t->no_native_queue) {
		t->no_native_queue = true;
		return true;
	}
	if (type == NFT_MSG_NEWTABLE && !t->no_owner &&
		(status == -EOPNOTSUPP || status == -EINVAL)) {
		t->no_owner = true;
		return true;
	}
	if (type == NFT_MSG_NEWSET && !t->no_set_counters && status != -EEXIST) {
		t->no_set_counters = true;
		return true;
	}
	return false;
}

static void on_counted(void *context, const struct set_element *element)
{
	(void)element;
	++*(uint32_t *)context;
}

/* What a dead keeper left in the client sets. */
static int count_clients(struct table *t, const struct contents *view)
{
	int status = 0;
	memset(t->counts, 0, sizeof(t->counts));
	for (size_t i = 0; status == 0 && i < SET_CLIENTS; i++) {
		if (contents_has(view, CONTENTS_SET, set_clients[i].name))
			status = set_read(&t->nl, set_clients[i].name, on_counted, &t->counts[i]);
	}
	return status;
}

/* Takes an orphan over. By itself: in one transaction with a new base chain the kernel refuses. */
static int adopt(struct table *t)
{
	struct batch batch;
	batch_init(&batch);
	table_put(&batch, wanted_flags(t));
	int status = batch_send(&batch, &t->nl);
	batch_fini(&batch);
	return status;
}

/* Flows of paths need nat, and the guard, as long as there are any; the table says that there may
 * be, whatever keeper made it. */
static struct plan with_paths(const struct plan *plan, const struct contents *view)
{
	struct plan with = *plan;

	with.kernel_path = true;
	if (!contents_has(view, CONTENTS_SET, SET_PATH_IP4) || plan_check(&with))
		with.kernel_path = plan->kernel_path;
	return with;
}

static void take_in_force(struct table *t, const struct plan *plan, bool forgot)
{
	t->running = plan->mode == PLAN_RUNNING;
	t->client_max = plan->client_max;
	t->owned = !t->no_owner;
	if (t->running)
		t->queue = t->no_native_queue ? TABLE_QUEUE_COMPAT : TABLE_QUEUE_NATIVE;
	path_set_keep(t, plan);
	for (size_t i = 0; i < SET_CLIENTS; i++) {
		bool kernel = set_clients[i].mark == MARK_KERNEL;
		if (!t->running || (kernel && (forgot || !t->has_paths)))
			t->counts[i] = 0;
	}
}

static int apply_once(struct table *t, const struct plan *wanted, bool *again)
{
	struct batch batch;
	struct contents view;
	uint32_t queue_seq = 0;

	*again = false;
	int status = contents_read(&t->nl, &view);
	if (status)
		return status;
	if ((view.flags & TABLE_F_OWNER) && view.owner != t->nl.port) {
		contents_fini(&view);
		return -EBUSY;
	}
	bool adoptable = is_adoptable(t, &view);
	if (adoptable && !(view.flags & TABLE_F_OWNER) && !t->no_owner)
		status = adopt(t);
	if (adoptable && !t->running && status == 0)
		status = count_clients(t, &view);
	if (status) {
		contents_fini(&view);
		return status;
	}
	const struct plan with = with_paths(wanted, &view), *plan = adoptable ? &with : wanted;
	batch_init(&batch);
	put_all(&batch, t, plan, &view, &queue_seq);
	bool forgot = adoptable && path_set_forget(&batch, t, plan, &view);
	contents_fini(&view);
	status = batch_send(&batch, &t->nl);
	if (status == 0) {
		if (!adoptable)
			memset(t->counts, 0, sizeof(t->counts));
		take_in_force(t, plan, forgot);
	} else {
		/* ENOENT, EEXIST: the table changed between the look and the deed */
		*again = learn(t, &batch, status, queue_seq) || status == -ENOENT ||
			 status == -EEXIST;
	}
	batch_fini(&batch);
	return status;
}

int table_apply(struct table *table, const struct plan *plan)
{
	bool again = true;
	int status = plan_check(plan);
	if (status)
		return status;
	if (!ruleset_is_wanted(plan))
		return table_remove(table);
	for (unsigned tries = 0; again && tries < APPLY_TRIES; tries++)
		status = apply_once(table, plan, &again);
	return status;
}

int table_keep_alive(struct table *table, uint64_t ms)
{
	struct batch batch;

	if (!table->running)
		return -ENOENT;
	batch_init(&batch);
	set_fill_timed(&batch, SET_ALIVE, ms);
	int status = batch_send(&batch, &table->nl);
	batch_fini(&batch);
	return status;
}

int table_exists(struct table *table)
{
	struct contents view;
	int status = contents_read(&table->nl, &view);
	if (status)
		return status;
	bool exists = view.exists;
	contents_fini(&view);
	return exists;
}

int table_remove(struct table *table)
{
	struct batch batch;

	/* An orphan can be deleted by anybody; what another socket owns is refused with EPERM. */
	batch_init(&batch);
	put_del_table(&batch);
	int status = batch_send(&batch, &table->nl);
	batch_fini(&batch);
	if (status == -ENOENT)
		status = 0;
	if (status == -EPERM)
		status = -EBUSY;
	if (status == 0) {
		memset(table->counts, 0, sizeof(table->counts));
		table->running = table->owned = table->has_paths = false;
	}
	return status;
}
