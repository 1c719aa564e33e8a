/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/kernel/interfaces.h"

#include "daemon/base/log.h"
#include "daemon/control/control.h"
#include "daemon/control/kernel/entries.h"
#include "daemon/control/session/link_down.h"
#include "lib/base/vector.h"

#include <stdlib.h>
#include <string.h>

static struct control_link *find(const struct control *control, uint32_t ifindex)
{
	for (size_t i = 0; i < control->nlinks; i++)
		if (control->links[i].ifindex == ifindex)
			return &control->links[i];
	return NULL;
}

const struct policy_zone *interfaces_zone_of(const struct policy *policy, const char *name)
{
	for (size_t z = 0; policy && z < policy->nzones; z++)
		for (size_t i = 0; i < policy->zones[z].interfaces.n; i++)
			if (policy_interface_match(policy->zones[z].interfaces.v[i].text, name))
				return &policy->zones[z];
	return NULL;
}

const struct policy_zone *interfaces_left_zone(
	const struct control *control, const struct control_link *link)
{
	if (!*link->was || interfaces_zone_of(control->policy, link->name))
		return NULL;
	return interfaces_zone_of(control->policy, link->was);
}

/* Its entries are met by no packet any more. */
static void rename_link(struct control *control, struct control_link *link, const char *name)
{
	entries_drop_interface(control->entries, link->name);
	entries_send(control->entries, NULL);
	if (interfaces_zone_of(control->policy, link->name))
		memcpy(link->was, link->name, sizeof(link->was));
	memcpy(link->name, name, sizeof(link->name));
	const struct policy_zone *left = interfaces_left_zone(control, link);
	if (left)
		log_event(POLICY_LOG_ERROR, LOG_ID_NONE,
			LOG_FIELDS({LOG_FIELD_ZONE, left->name.text}),
			"interface %s of zone %s is called %s now: its clients are no longer "
			"redirected",
			link->was, left->name.text, link->name);
}

void interfaces_put(struct control *control, const struct ipc_link *ipc)
{
	struct control_link *link = find(control, ipc->ifindex);
	bool known = link != NULL;

	if (!link) {
		struct control_link *links = vector_grow(
			control->links, control->nlinks, &control->links_room, sizeof(*links));
		if (!links) {
			log_error("no memory for interface %s", ipc->name);
			return;
		}
		control->links = links;
		link = &control->links[control->nlinks++];
		*link = (struct control_link){.ifindex = ipc->ifindex};
		memcpy(link->name, ipc->name, sizeof(link->name));
	} else if (strcmp(link->name, ipc->name) != 0) {
		rename_link(control, link, ipc->name);
	}
	/* the kernel tells of a link that came up a second late, and of one that flaps only how
	 * often it was down */
	bool went_down = known && (link->carrier_downs != ipc->carrier_downs ||
					  (link->running && !ipc->running));
	link->has_mac = ipc->has_mac;
	link->up = ipc->up;
	link->running = ipc->running;
	link->carrier_downs = ipc->carrier_downs;
	if (went_down)
		link_down(control, link->name);
}

void interfaces_del(struct control *control, uint32_t ifindex)
{
	struct control_link *link = find(control, ifindex);
	if (!link)
		return;
	const struct control_link gone = *link;
	*link = control->links[--control->nlinks];
	if (gone.running)
		link_down(control, gone.name);
}

void interfaces_free(struct control *control)
{
	free(control->links);
	control->links = NULL;
	control->nlinks = control->links_room = 0;
}
