/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/ipc/kernel.h"

#include "lib/ipc/kind.h"

#include <string.h>

static bool link_ok(const void *ipc, size_t len)
{
	const struct ipc_link *link = ipc;
	(void)len;
	return link->ifindex && link->has_mac <= 1 && link->up <= 1 && link->running <= 1 &&
	       NAMED_OK(link->name);
}

static bool mac_lost_ok(const void *ipc, size_t len)
{
	const struct ipc_mac_lost *lost = ipc;
	(void)len;
	return mac_is_set(&lost->mac) && NAMED_OK(lost->bridge);
}

static bool admit_ok(const void *ipc, size_t len)
{
	const struct ipc_admit *admit = ipc;
	(void)len;
	return ipc_addr_given_ok(&admit->source.addr) && ipc_addr_given_ok(&admit->original.addr) &&
	       admit->source.addr.family == admit->original.addr.family && NAMED_OK(admit->ifname);
}

/* What an entry, or control's word on a packet, may say. */
static bool is_verdict(unsigned mark, unsigned path)
{
	if (mark == MARK_KERNEL)
		return path != 0;
	return mark >= MARK_RELAY && mark <= MARK_DROP && !path;
}

static bool entry_ok(const struct ipc_entry *entry)
{
	if (entry->add > 1 || entry->has_mac > 1)
		return false;
	if (entry->add ? !entry->timeout_ms || !is_verdict(entry->mark, entry->path)
		       : entry->mark >= MARKS)
		return false;
	if (entry->has_mac != mac_is_set(&entry->mac))
		return false;
	return ipc_addr_given_ok(&entry->source) && NAMED_OK(entry->ifname);
}

static bool verdict_ok(const void *ipc, size_t len)
{
	const struct ipc_verdict *verdict = ipc;
	(void)len;
	if (!is_verdict(verdict->mark, verdict->path) || verdict->cache > 1 || verdict->forget > 1)
		return false;
	if (verdict->cache && (!entry_ok(&verdict->entry) || !verdict->entry.add))
		return false;
	return !verdict->forget || (entry_ok(&verdict->forgotten) && !verdict->forgotten.add);
}

static bool entries_ok(const void *ipc, size_t len)
{
	const struct ipc_entries *entries = ipc;
	if (entries->flush > 1 || entries->n > IPC_ENTRIES_MAX ||
		!ipc_count_ok(len, sizeof(*entries), entries->n, sizeof(entries->v[0])))
		return false;
	for (uint32_t i = 0; i < entries->n; i++)
		if (!entry_ok(&entries->v[i]))
			return false;
	return true;
}

static bool client_ok(const void *ipc, size_t len)
{
	const struct ipc_client *client = ipc;
	(void)len;
	return entry_ok(&client->entry);
}

static bool event_ok(const void *ipc, size_t len)
{
	const struct ipc_event *event = ipc;
	(void)len;
	return event->kind < IPC_EVENTS && TEXT_OK(event->text);
}

static bool kernel_counters_ok(const void *ipc, size_t len)
{
	const struct ipc_kernel_counters *counters = ipc;
	(void)len;
	return counters->native_queue <= 1 && counters->table_owned <= 1;
}

static bool words_ok(const void *ipc, size_t len)
{
	const struct ipc_text *text = ipc;
	(void)len;
	return TEXT_OK(text->text);
}

/* The bytes are read by foreign_read() and its like, which are bounded. */
static bool foreign_ok(const void *ipc, size_t len)
{
	const struct ipc_foreign *foreign = ipc;
	return ipc_count_ok(len, sizeof(*foreign), foreign->n, 1);
}

static bool bypass_ok(const void *ipc, size_t len)
{
	const struct ipc_bypass *bypass = ipc;
	(void)len;
	return bypass->on <= 1 && TEXT_OK(bypass->zone);
}

static bool neighbour_ok(const void *ipc, size_t len)
{
	const struct ipc_neighbour *neighbour = ipc;
	(void)len;
	return ipc_addr_given_ok(&neighbour->addr) && neighbour->ifindex;
}

static bool passed_ok(const void *ipc, size_t len)
{
	const struct ipc_passed *passed = ipc;
	if (passed->n > IPC_PASSED_MAX || len != sizeof(*passed) + passed->n * sizeof(passed->v[0]))
		return false;
	for (uint32_t i = 0; i < passed->n; i++)
		if (!ipc_addr_given_ok(&passed->v[i].source))
			return false;
	return true;
}

static bool cut_ok(const void *ipc, size_t len)
{
	const struct ipc_cut *cut = ipc;
	(void)len;
	return mac_is_set(&cut->mac) ? cut->source.addr.family == ADDR_NONE
				     : ipc_prefix_ok(&cut->source);
}

static bool path_end_ok(const struct endpoint *end, enum addr_family family)
{
	return end->addr.family == ADDR_NONE || (end->addr.family == family && end->port);
}

static bool paths_ok(const void *ipc, size_t len)
{
	const struct ipc_paths *paths = ipc;
	if (paths->n > IPC_PATHS_MAX ||
		!ipc_count_ok(len, sizeof(*paths), paths->n, sizeof(paths->v[0])))
		return false;
	for (uint32_t i = 0; i < paths->n; i++) {
		const struct ipc_path *path = &paths->v[i];
		if (!path->path || !path_end_ok(&path->at4, ADDR_IP4) ||
			!path_end_ok(&path->at6, ADDR_IP6))
			return false;
	}
	return true;
}

static bool listening_ok(const void *ipc, size_t len)
{
	const struct ipc_listening *listening = ipc;
	(void)len;
	return ipc_addr_given_ok(&listening->at.addr) && NAMED_OK(listening->listener) &&
	       listening->taker < POLICY_TAKERS && !listening->reserved && TEXT_OK(listening->text);
}

static bool plan_ok(const void *ipc, size_t len)
{
	const struct ipc_plan *plan = ipc;
	(void)len;
	return plan->lenient <= 1;
}

static size_t room_of(size_t len)
{
	return sizeof(struct ipc_connection) + (len + 7) / 8 * 8;
}

bool ipc_connections_put(
	struct ipc_connections *ipc, uint32_t index, const void *message, size_t len)
{
	size_t at = ipc->header.bytes;

	if (len > IPC_BYTES_MAX || at + room_of(len) > IPC_BYTES_MAX)
		return false;
	struct ipc_connection *one = (struct ipc_connection *)((uint8_t *)ipc + at);
	memset(one, 0, room_of(len));
	one->index = index;
	one->len = (uint32_t)len;
	if (len)
		memcpy(one + 1, message, len);
	ipc->header.bytes += (uint32_t)room_of(len);
	return true;
}

const struct ipc_connection *ipc_connections_next(const struct ipc_connections *ipc, size_t *at)
{
	size_t len = ipc->header.bytes - sizeof(*ipc);

	if (*at >= len)
		return NULL;
	const struct ipc_connection *one = (const struct ipc_connection *)(ipc->data + *at);
	*at += room_of(one->len);
	return one;
}

/* What the kernel said is read by conntrack_message_parse(), which is bounded. */
static bool connections_ok(const void *ipc, size_t len)
{
	const struct ipc_connections *connections = ipc;
	size_t at = sizeof(*connections);

	while (at + sizeof(struct ipc_connection) <= len) {
		const struct ipc_connection *one =
			(const struct ipc_connection *)((const uint8_t *)ipc + at);
		if (one->len > len - at)
			return false;
		at += room_of(one->len);
	}
	return at == len;
}

static bool tuples_ok(const void *ipc, size_t len)
{
	const struct ipc_tuples *tuples = ipc;

	if (tuples->n > IPC_TUPLES_MAX ||
		!ipc_count_ok(len, sizeof(*tuples), tuples->n, sizeof(tuples->v[0])))
		return false;
	for (uint32_t i = 0; i < tuples->n; i++)
		if (!ipc_addr_given_ok(&tuples->v[i].client.addr) ||
			!ipc_addr_given_ok(&tuples->v[i].original.addr) ||
			tuples->v[i].client.addr.family != tuples->v[i].original.addr.family)
			return false;
	return true;
}

/* From IPC_FILE_KERNEL on. */
static const struct ipc_kind kinds[] = {
	[IPC_LINK - IPC_FILE_KERNEL] = IPC_FIXED("link", link, link_ok),
	[IPC_UNLINK - IPC_FILE_KERNEL] = IPC_FIXED("unlink", link, link_ok),
	[IPC_LINKS_DONE - IPC_FILE_KERNEL] = IPC_PLAIN("links-done"),
	[IPC_ADMIT - IPC_FILE_KERNEL] = IPC_FIXED("admit", admit, admit_ok),
	[IPC_EVENT - IPC_FILE_KERNEL] = IPC_FIXED("event", event, event_ok),
	[IPC_CLIENT - IPC_FILE_KERNEL] = IPC_FIXED("client", client, client_ok),
	[IPC_RELOAD - IPC_FILE_KERNEL] = IPC_PLAIN("reload"),
	[IPC_STOP - IPC_FILE_KERNEL] = IPC_PLAIN("stop"),
	[IPC_KERNEL_COUNTERS - IPC_FILE_KERNEL] =
		IPC_FIXED("kernel-counters", kernel_counters, kernel_counters_ok),
	[IPC_TEXT - IPC_FILE_KERNEL] = IPC_FIXED("text", text, words_ok),
	[IPC_MAC_LOST - IPC_FILE_KERNEL] = IPC_FIXED("mac-lost", mac_lost, mac_lost_ok),
	[IPC_LISTENING - IPC_FILE_KERNEL] = IPC_FIXED("listening", listening, listening_ok),
	[IPC_READY - IPC_FILE_KERNEL] = IPC_PLAIN("ready"),
	[IPC_VERDICT - IPC_FILE_KERNEL] = IPC_FIXED("verdict", verdict, verdict_ok),
	[IPC_ENTRIES - IPC_FILE_KERNEL] =
		IPC_LONGER("entries", entries, sizeof(struct ipc_entry), entries_ok),
	[IPC_PLAN - IPC_FILE_KERNEL] = IPC_FIXED("plan", plan, plan_ok),
	[IPC_BYPASS - IPC_FILE_KERNEL] = IPC_FIXED("bypass", bypass, bypass_ok),
	[IPC_PATHS - IPC_FILE_KERNEL] =
		IPC_LONGER("paths", paths, sizeof(struct ipc_path), paths_ok),
	[IPC_SETTLED - IPC_FILE_KERNEL] = IPC_PLAIN("settled"),
	[IPC_WANTED - IPC_FILE_KERNEL] = IPC_FIXED("wanted", wanted, ipc_plain_ok),
	[IPC_CLIENTS_GET - IPC_FILE_KERNEL] = IPC_PLAIN("clients-get"),
	[IPC_KERNEL_COUNTERS_GET - IPC_FILE_KERNEL] = IPC_PLAIN("kernel-counters-get"),
	[IPC_NEIGHBOUR_GET - IPC_FILE_KERNEL] = IPC_FIXED("neighbour-get", neighbour, neighbour_ok),
	[IPC_NEIGHBOUR - IPC_FILE_KERNEL] = IPC_FIXED("neighbour", neighbour, neighbour_ok),
	[IPC_CUT - IPC_FILE_KERNEL] = IPC_FIXED("cut", cut, cut_ok),
	[IPC_PASSED_GET - IPC_FILE_KERNEL] = IPC_PLAIN("passed-get"),
	[IPC_PASSED - IPC_FILE_KERNEL] =
		IPC_LONGER("passed", passed, sizeof(struct ipc_passed_one), passed_ok),
	[IPC_DOCTOR_GET - IPC_FILE_KERNEL] = IPC_PLAIN("doctor-get"),
	[IPC_ARRIVED_GET - IPC_FILE_KERNEL] = IPC_PLAIN("arrived-get"),
	[IPC_FOREIGN_GET - IPC_FILE_KERNEL] = IPC_PLAIN("foreign-get"),
	[IPC_FOREIGN - IPC_FILE_KERNEL] = IPC_LONGER("foreign", foreign, 0, foreign_ok),
	[IPC_FLOW_LOG - IPC_FILE_KERNEL] = IPC_PLAIN("flow-log"),
	[IPC_CONNECTIONS - IPC_FILE_KERNEL] =
		IPC_LONGER("connections", connections, 0, connections_ok),
	[IPC_FLOWS_LOOK - IPC_FILE_KERNEL] =
		IPC_LONGER("flows-look", tuples, sizeof(struct ipc_tuple), tuples_ok),
	[IPC_FLOWS_CUT - IPC_FILE_KERNEL] =
		IPC_LONGER("flows-cut", tuples, sizeof(struct ipc_tuple), tuples_ok),
	[IPC_FLOWS_ALL - IPC_FILE_KERNEL] = IPC_PLAIN("flows-all"),
};
_Static_assert(IPC_ROWS(kinds) == IPC_KERNEL_END - IPC_FILE_KERNEL, "every ipc has its row");
_Static_assert(IPC_ROWS(kinds) <= IPC_FILE_TYPES, "and its own number");

const struct ipc_kinds ipc_kernel_kinds = {.v = kinds, .n = IPC_ROWS(kinds)};
