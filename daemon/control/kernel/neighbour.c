/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/kernel/neighbour.h"

#include "daemon/control/control.h"
#include "daemon/control/kernel/interfaces.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct part {
	struct question ask; /* first */
	struct search *search;
	char ifname[POLICY_IFNAME_SIZE];
};

struct search {
	struct neighbour found;
	neighbour_done *done;
	void *context;
	size_t missing; /* answers, and one until all questions are on their way */
	struct part parts[];
};

static bool is_asked(const struct policy *policy, ptrdiff_t zone, const struct control_link *link,
	const struct addr *addr)
{
	if (!link->has_mac || zone == NEIGHBOUR_OF_ALL)
		return link->has_mac;
	ptrdiff_t there = policy_find_zone_of(policy, link->name, addr);
	return zone == NEIGHBOUR_OF_ZONES ? there >= 0 : there == zone;
}

static void end_part(struct search *search)
{
	if (--search->missing)
		return;
	search->done(search->context, &search->found);
	free(search);
}

/* One MAC on two interfaces is a client that went from one to the other. */
static void take(struct neighbour *found, const struct mac *mac, const char *ifname)
{
	if (!mac_is_set(&found->mac)) {
		found->mac = *mac;
		strcpy(found->ifname, ifname);
	} else if (!mac_equal(&found->mac, mac) && !mac_is_set(&found->other_mac)) {
		found->other_mac = *mac;
		strcpy(found->other_ifname, ifname);
	}
}

static void on_answer(struct question *ask, const struct ipc_header *ipc)
{
	struct part *part = (struct part *)ask;
	struct search *search = part->search;
	const struct ipc_neighbour *answer = (const struct ipc_neighbour *)ipc;

	if (!ipc || ipc->type != IPC_NEIGHBOUR)
		search->found.failed = true;
	else if (mac_is_set(&answer->mac))
		take(&search->found, &answer->mac, part->ifname);
	end_part(search);
}

void neighbour_ask(struct control *control, ptrdiff_t zone, const struct addr *addr,
	neighbour_done *done, void *context)
{
	struct search *search =
		calloc(1, sizeof(*search) + control->nlinks * sizeof(search->parts[0]));
	size_t n = 0;

	if (!search) {
		done(context, &(struct neighbour){.failed = true});
		return;
	}
	search->done = done;
	search->context = context;
	search->missing = 1;
	for (size_t i = 0; i < control->nlinks; i++) {
		const struct control_link *link = &control->links[i];
		struct ipc_neighbour question;
		struct part *part = &search->parts[n];
		if (!is_asked(control->policy, zone, link, addr))
			continue;
		n++;
		part->search = search;
		part->ask.on_answer = on_answer;
		memcpy(part->ifname, link->name, sizeof(part->ifname));
		ipc_init(&question, IPC_NEIGHBOUR_GET, sizeof(question));
		question.addr = *addr;
		question.ifindex = link->ifindex;
		search->missing++;
		question_send(&control->keeper_asks, &part->ask, &question, -1);
	}
	end_part(search);
}
