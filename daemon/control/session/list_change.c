/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/session/list_change.h"

#include "daemon/base/log.h"
#include "daemon/control/clock.h"
#include "daemon/control/control.h"
#include "daemon/control/kernel/entries.h"
#include "daemon/control/peers/flow_peers.h"
#include "daemon/control/store/durable.h"
#include "lib/base/container.h"
#include "lib/base/copy.h"
#include "lib/ipc/replica.h"
#include "lib/policy/element.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define TOUCHED_MAX 2000 /* more elements at once: the kernel's cache is emptied */
#define ENDS_A_TURN 500
#define ARM_MOST_MS 60000

/* Elements on their way to the relays, packed. */
struct packing {
	struct control *control;
	struct ipc_list_entries *ipc;
};

static bool pack_begin(struct packing *packing, struct control *control, const char *list)
{
	packing->control = control;
	packing->ipc = malloc(IPC_BYTES_MAX);
	if (!packing->ipc)
		return false;
	ipc_init(packing->ipc, IPC_LIST_ENTRIES, sizeof(*packing->ipc));
	copy_text(packing->ipc->name, sizeof(packing->ipc->name), list);
	return true;
}

static void pack_send(struct packing *packing)
{
	struct ipc_list_entries *ipc = packing->ipc;
	if (!ipc->n)
		return;
	flow_peers_send(packing->control->flow_peers, ipc);
	ipc->n = ipc->bytes = 0;
}

static void pack(struct packing *packing, const struct policy_elem *elem, bool add, uint64_t end_ms)
{
	struct ipc_list_entry entry = {
		.add = add, .end_ms = clock_to_monotonic(packing->control, end_ms), .elem = *elem};
	if (ipc_list_put(packing->ipc, IPC_BYTES_MAX, &entry))
		return;
	pack_send(packing);
	ipc_list_put(packing->ipc, IPC_BYTES_MAX, &entry);
}

static void pack_end(struct packing *packing)
{
	pack_send(packing);
	free(packing->ipc);
}

static void drop_touched(struct control *control, const struct policy_elem *elem)
{
	switch (elem->kind) {
	case POLICY_ELEM_PREFIX:
		entries_drop_prefix(control->entries, &elem->prefix);
		break;
	case POLICY_ELEM_RANGE:
		entries_drop_range(control->entries, &elem->range);
		break;
	case POLICY_ELEM_MAC:
		entries_drop_mac(control->entries, &elem->mac);
		break;
	case POLICY_ELEM_MAIL:
	case POLICY_ELEM_HOST:
		break;
	}
}

/* Devices may be named by the list. */
static void follow_devices(struct control *control, const char *list)
{
	const struct policy *policy = control->policy;
	for (size_t i = 0; i < policy->ndevices; i++) {
		if (!policy_device_follows(&policy->devices[i], list))
			continue;
		if (session_table_set_devices(control->table, policy, control->lists) < 0)
			log_error("no memory for the devices of list %s", list);
		return;
	}
}

static void finish(struct control *control, const char *list, struct gather *gather)
{
	follow_devices(control, list);
	entries_send(control->entries, gather);
	list_change_arm(control);
}

static void fail(struct gather *gather, int error)
{
	if (!gather)
		return;
	gather_add(gather);
	gather_end(gather, error, NULL);
}

void list_change_add(struct control *control, const char *list, const struct policy_elem *elems,
	size_t n, uint64_t end_ms, struct gather *gather)
{
	struct packing packing;
	if (!pack_begin(&packing, control, list)) {
		fail(gather, -ENOMEM);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		int error = lists_add(control->lists, list, &elems[i], end_ms);
		if (error) {
			fail(gather, error);
			break;
		}
		uint64_t now_ends_ms;
		pack(&packing, &elems[i], true, end_ms);
		drop_touched(control, &elems[i]);
		/* on disk it is found again by its spelling, too */
		durable_add_element(control, list,
			lists_find(control->lists, list, &elems[i], &now_ends_ms), end_ms, gather);
	}
	pack_end(&packing);
	finish(control, list, gather);
}

void list_change_remove(struct control *control, const char *list, const struct policy_elem *elems,
	size_t n, struct gather *gather)
{
	struct packing packing;
	if (!pack_begin(&packing, control, list)) {
		fail(gather, -ENOMEM);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		uint64_t end_ms;
		const struct policy_elem *held =
			lists_find(control->lists, list, &elems[i], &end_ms);
		if (!held)
			continue;
		pack(&packing, held, false, 0);
		drop_touched(control, held);
		durable_del_element(control, list, held, gather);
		lists_remove(control->lists, list, held);
	}
	pack_end(&packing);
	finish(control, list, gather);
}

/* Takes out what goes; what stays is in force all the time. */
static void take_out(struct control *control, const char *list,
	const struct list_difference *difference, struct packing *packing, bool many)
{
	for (size_t i = 0; i < difference->nwent; i++) {
		const struct policy_elem *elem = &difference->went[i];
		pack(packing, elem, false, 0);
		if (!many)
			drop_touched(control, elem);
		lists_remove(control->lists, list, elem);
	}
}

static int put_in(struct control *control, const char *list,
	const struct list_difference *difference, struct packing *packing, bool many)
{
	for (size_t i = 0; i < difference->n; i++) {
		const struct session_store_entry *entry = &difference->entries[i];
		uint64_t end_ms;
		if (lists_find(control->lists, list, &entry->elem, &end_ms) &&
			end_ms == entry->end_ms)
			continue;
		int error = lists_add(control->lists, list, &entry->elem, entry->end_ms);
		if (error)
			return error;
		pack(packing, &entry->elem, true, entry->end_ms);
		if (!many)
			drop_touched(control, &entry->elem);
	}
	return 0;
}

void list_change_set(struct control *control, const char *list,
	const struct list_difference *difference, struct gather *gather)
{
	struct packing packing;
	if (!pack_begin(&packing, control, list)) {
		fail(gather, -ENOMEM);
		return;
	}
	bool many = difference->nwent + difference->ncame + difference->nretimed > TOUCHED_MAX;
	if (many)
		entries_drop_all(control->entries);
	/* first: what is borrowed of the list goes with it */
	durable_set_list(control, list, difference->entries, difference->n, gather);
	take_out(control, list, difference, &packing, many);
	int error = put_in(control, list, difference, &packing, many);
	if (error)
		fail(gather, error);
	pack_end(&packing);
	finish(control, list, gather);
}

struct others {
	enum policy_list_holds holds;
	struct policy_elem *v; /* NULL: count only */
	size_t n;
};

static int take_other(void *context, const struct policy_elem *elem, uint64_t end_ms)
{
	struct others *others = context;
	(void)end_ms;
	if (element_holds(elem) == others->holds)
		return 0;
	if (others->v)
		others->v[others->n] = *elem;
	others->n++;
	return 0;
}

size_t list_change_others(const struct control *control, const struct policy_list *list)
{
	struct others others = {.holds = list->holds};
	if (list->kind == POLICY_LIST_DYNAMIC)
		lists_each(control->lists, list->name.text, take_other, &others);
	return others.n;
}

void list_change_settle(struct control *control)
{
	for (size_t i = 0; i < control->policy->nlists; i++) {
		const struct policy_list *list = &control->policy->lists[i];
		size_t n = list_change_others(control, list);
		struct others others = {.holds = list->holds};
		if (!n || !(others.v = calloc(n, sizeof(*others.v))))
			continue;
		lists_each(control->lists, list->name.text, take_other, &others);
		list_change_remove(control, list->name.text, others.v, others.n, NULL);
		free(others.v);
		log_warning("list %s is of kind %s: %zu elements of a former list of that name "
			    "are gone",
			list->name.text, policy_holds_names[list->holds], n);
	}
}

/* Cached verdicts do not outlive an entry's end (decide.h), so only the tables are cleaned here. */
static void on_time(struct loop_timer *timer, uint64_t now_ms)
{
	struct control *control = container_of(timer, struct control, list_timer);
	uint64_t end_ms, steady_ms = clock_now_ms(control);
	struct policy_elem elem;
	const char *name;
	(void)now_ms;
	for (unsigned i = 0; i < ENDS_A_TURN; i++) {
		char list[POLICY_NAME_SIZE];
		if (!lists_next_end(control->lists, &name, &elem, &end_ms) || end_ms > steady_ms)
			break;
		copy_text(list, sizeof(list), name);
		list_change_remove(control, list, &elem, 1, NULL);
	}
	list_change_arm(control);
}

void list_change_arm(struct control *control)
{
	uint64_t end_ms, now_ms = clock_now_ms(control);
	struct policy_elem elem;
	const char *name;
	if (!lists_next_end(control->lists, &name, &elem, &end_ms)) {
		list_change_disarm(control);
		return;
	}
	uint64_t left_ms = end_ms > now_ms ? end_ms - now_ms : 0;
	control->list_timer.on_time = on_time;
	loop_timer_set(control->loop, &control->list_timer,
		loop_now_ms(control->loop) + (left_ms < ARM_MOST_MS ? left_ms : ARM_MOST_MS));
}

void list_change_disarm(struct control *control)
{
	if (control->loop)
		loop_timer_clear(control->loop, &control->list_timer);
}
