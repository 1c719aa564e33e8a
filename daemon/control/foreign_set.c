#include "daemon/control/foreign_set.h"

#include "kernel-rules/netlink.h"

#include <errno.h>
#include <libnftnl/set.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdio.h>
#include <string.h>

/* Key and verdict of one element. */
struct element {
	const uint8_t *key;
	uint32_t len;
	bool ends; /* it is where an interval ends */
	struct foreign_act act;
};

struct walk {
	void (*on_element)(void *context, const struct element *element);
	void *context;
};

void foreign_act_set(struct foreign_act *act, uint32_t verdict, const char *chain)
{
	const int32_t code = (int32_t)verdict;

	*act = (struct foreign_act){.name = code == NF_DROP     ? "drop"
					    : code == NF_ACCEPT ? "accept"
								: NULL};
	if ((code == NFT_JUMP || code == NFT_GOTO) && chain) {
		act->name = "jump";
		snprintf(act->chain, sizeof(act->chain), "%s", chain);
	}
}

static int read_element(struct nftnl_set_elem *elem, void *context)
{
	const struct walk *walk = context;
	struct element element = {.len = 0};

	element.key = nftnl_set_elem_get(elem, NFTNL_SET_ELEM_KEY, &element.len);
	if (!element.key)
		return 0;
	element.ends =
		nftnl_set_elem_is_set(elem, NFTNL_SET_ELEM_FLAGS) &&
		(nftnl_set_elem_get_u32(elem, NFTNL_SET_ELEM_FLAGS) & NFT_SET_ELEM_INTERVAL_END);
	if (nftnl_set_elem_is_set(elem, NFTNL_SET_ELEM_VERDICT))
		foreign_act_set(&element.act, nftnl_set_elem_get_u32(elem, NFTNL_SET_ELEM_VERDICT),
			nftnl_set_elem_get_str(elem, NFTNL_SET_ELEM_CHAIN));
	walk->on_element(walk->context, &element);
	return 0;
}

static int on_elements(void *context, const struct nlmsghdr *nlh)
{
	struct nftnl_set *set = nftnl_set_alloc();
	if (!set)
		return -ENOMEM;
	if (nftnl_set_elems_nlmsg_parse(nlh, set) >= 0)
		nftnl_set_elem_foreach(set, read_element, context);
	nftnl_set_free(set);
	return 0;
}

/* On a connection of its own: the rules are being read on another. */
static void walk_set(const struct foreign_set *set,
	void (*on_element)(void *context, const struct element *element), void *context)
{
	struct walk walk = {on_element, context};
	struct netlink nl;
	struct netlink_request request;

	if (netlink_open(&nl, NETLINK_NETFILTER, 0) < 0)
		return;
	struct nlmsghdr *nlh =
		netlink_begin_nf(&nl, &request, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETSETELEM,
			NLM_F_DUMP, (uint8_t)set->family, 0);
	mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_TABLE, set->table);
	mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_SET, set->name);
	netlink_ask(&nl, nlh, on_elements, &walk);
	netlink_close(&nl);
}

/* ---- ports ---- */

struct port_search {
	bool interval;
	int below; /* the greatest key at or below 25; -1: none */
	bool below_ends;
	struct foreign_act act;
};

static void on_port(void *context, const struct element *element)
{
	struct port_search *search = context;

	if (element->len < 2)
		return;
	int port = element->key[0] << 8 | element->key[1];
	search->interval |= element->ends;
	/* an interval may end where the next begins */
	if (port <= FOREIGN_SMTP_PORT &&
		(port > search->below || (port == search->below && !element->ends))) {
		search->below = port;
		search->below_ends = element->ends;
		search->act = element->act;
	}
}

bool foreign_set_find_smtp(const struct foreign_set *set, struct foreign_act *act)
{
	struct port_search search = {.below = -1};

	walk_set(set, on_port, &search);
	*act = search.act;
	return search.below >= 0 &&
	       (search.interval ? !search.below_ends : search.below == FOREIGN_SMTP_PORT);
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
		if (!if_indextoname(index, interface->name))
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
	struct interface_search search = {interfaces, by_index};

	*interfaces = (struct foreign_interfaces){.n = 0};
	walk_set(set, on_interface, &search);
}
