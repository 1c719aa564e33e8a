/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/doctor/foreign/set.h"

#include "daemon/control/control.h"
#include "daemon/control/kernel/interfaces.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdio.h>
#include <string.h>

/* Key and verdict of one element. */
struct element {
	const uint8_t *key;
	uint32_t len;
	bool ends; /* it is where an interval ends */
	struct foreign_act act;
};

void foreign_act_set(struct foreign_act *act, uint32_t verdict, const char *chain)
{
	const int32_t code = (int32_t)verdict;

	*act = (struct foreign_act){.name = code == NF_DROP     ? "drop"
					    : code == NF_ACCEPT ? "accept"
								: NULL,
		.returns = code == NFT_RETURN,
		.stays = code == NFT_GOTO};
	if ((code == NFT_JUMP || code == NFT_GOTO) && chain) {
		act->name = "jump";
		snprintf(act->chain, sizeof(act->chain), "%s", chain);
	}
}

void foreign_link_name(const struct foreign_dump *dump, uint32_t index, char name[static IFNAMSIZ])
{
	name[0] = 0;
	for (size_t i = 0; i < dump->nlinks; i++)
		if (dump->links[i].ifindex == index)
			snprintf(name, IFNAMSIZ, "%s", dump->links[i].name);
}

static bool read_element(const struct nlattr *attr, struct element *element)
{
	struct foreign_attrs parts;
	uint32_t verdict;
	const char *chain;

	*element = (struct element){.len = 0};
	foreign_nested(attr, &parts);
	element->key = foreign_value(&parts, NFTA_SET_ELEM_KEY, &element->len);
	element->ends = foreign_u32(&parts, NFTA_SET_ELEM_FLAGS) & NFT_SET_ELEM_INTERVAL_END;
	if (foreign_verdict(&parts, NFTA_SET_ELEM_DATA, &verdict, &chain))
		foreign_act_set(&element->act, verdict, chain);
	return element->key != NULL;
}

static bool is_text(const struct foreign_attrs *attrs, unsigned type, const char *text)
{
	const char *found = foreign_text(attrs, type);
	return found && strcmp(found, text) == 0;
}

static void walk_set(const struct foreign_set *set,
	void (*on_element)(void *context, const struct element *element), void *context)
{
	const struct nlmsghdr *message;
	struct foreign_attrs attrs;
	struct element element;
	const struct nlattr *attr;
	uint32_t family;

	for (size_t at = 0; (message = foreign_next(set->dump, &at, &family));) {
		if ((message->nlmsg_type & 0xff) != NFT_MSG_NEWSETELEM || family != set->family)
			continue;
		foreign_read(message, &attrs);
		const struct nlattr *list = attrs.v[NFTA_SET_ELEM_LIST_ELEMENTS];
		if (!list || !is_text(&attrs, NFTA_SET_ELEM_LIST_TABLE, set->table) ||
			!is_text(&attrs, NFTA_SET_ELEM_LIST_SET, set->name))
			continue;
		mnl_attr_for_each_nested(attr, list)
		{
			if (read_element(attr, &element))
				on_element(context, &element);
		}
	}
}

/* ---- ports, addresses ---- */

#define KEY_MAX 16

struct key_search {
	const uint8_t *wanted;
	uint32_t len;
	bool interval, found;
	uint8_t below[KEY_MAX]; /* found: the greatest key at or below it */
	bool below_ends;
	struct foreign_act act;
};

static void on_key(void *context, const struct element *element)
{
	struct key_search *search = context;

	if (element->len < search->len)
		return;
	search->interval |= element->ends;
	if (memcmp(element->key, search->wanted, search->len) > 0)
		return;
	/* an interval may end where the next begins */
	int above = search->found ? memcmp(element->key, search->below, search->len) : 1;
	if (above > 0 || (above == 0 && !element->ends)) {
		memcpy(search->below, element->key, search->len);
		search->found = true;
		search->below_ends = element->ends;
		search->act = element->act;
	}
}

bool foreign_set_find(
	const struct foreign_set *set, const uint8_t *key, uint32_t len, struct foreign_act *act)
{
	struct key_search search = {.wanted = key, .len = len < KEY_MAX ? len : KEY_MAX};

	walk_set(set, on_key, &search);
	*act = search.act;
	return search.found &&
	       (search.interval ? !search.below_ends : memcmp(search.below, key, search.len) == 0);
}

bool foreign_set_find_port(const struct foreign_set *set, struct foreign_act *act)
{
	const uint8_t port[2] = {(uint8_t)(set->port >> 8), (uint8_t)set->port};
	return foreign_set_find(set, port, sizeof(port), act);
}

/* ---- chains ---- */

struct chain_visit {
	void (*visit)(void *context, const struct foreign_act *act);
	void *context;
};

static void on_chain(void *context, const struct element *element)
{
	const struct chain_visit *visit = context;

	if (element->act.name && *element->act.chain)
		visit->visit(visit->context, &element->act);
}

void foreign_set_each_chain(const struct foreign_set *set,
	void (*visit)(void *context, const struct foreign_act *act), void *context)
{
	struct chain_visit each = {visit, context};

	walk_set(set, on_chain, &each);
}

/* ---- states ---- */

struct state_search {
	bool map;
	uint32_t states;
};

static void on_state(void *context, const struct element *element)
{
	struct state_search *search = context;
	uint32_t state;

	if (element->len != sizeof(state))
		return;
	memcpy(&state, element->key, sizeof(state));
	if (!search->map || (element->act.name && strcmp(element->act.name, "accept") == 0))
		search->states |= state;
}

uint32_t foreign_set_states(const struct foreign_set *set, bool map)
{
	struct state_search search = {.map = map};

	walk_set(set, on_state, &search);
	return search.states;
}

/* ---- interfaces ---- */

struct interface_search {
	const struct foreign_dump *dump;
	struct foreign_interfaces *interfaces;
	bool by_index;
};

static void on_interface(void *context, const struct element *element)
{
	struct interface_search *search = context;
	struct foreign_interfaces *interfaces = search->interfaces;
	struct foreign_interface *interface = &interfaces->v[interfaces->n];
	uint32_t index;

	if (element->ends || interfaces->n == FOREIGN_INTERFACES_MAX) {
		interfaces->incomplete = true;
		return;
	}
	if (search->by_index) {
		if (element->len != sizeof(index))
			return;
		memcpy(&index, element->key, sizeof(index));
		foreign_link_name(search->dump, index, interface->name);
		if (!*interface->name)
			return;
	} else {
		snprintf(interface->name, sizeof(interface->name), "%.*s", (int)element->len,
			(const char *)element->key);
	}
	interface->act = element->act;
	interfaces->n++;
}

void foreign_set_interfaces(
	const struct foreign_set *set, bool by_index, struct foreign_interfaces *interfaces)
{
	struct interface_search search = {set->dump, interfaces, by_index};

	*interfaces = (struct foreign_interfaces){.n = 0};
	walk_set(set, on_interface, &search);
}
