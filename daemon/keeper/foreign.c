/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Other programs' nftables rules, copied as the kernel tells them for a process that has no
 * privilege and reads them (control, for doctor): to read the kernel's answer takes CAP_NET_ADMIN,
 * to understand it takes none. Of the bytes no more is looked at here than the names of sets. */
#include "daemon/keeper/keeper.h"

#include "kernel-rules/netlink.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>

#define COPY_BYTES_MAX (16u << 20)
#define SET_BYTES_MAX  (64u << 10) /* of one set: ports, states, interfaces are few */
#define SETS_MAX       1024

struct set_name {
	uint8_t family;
	char table[128], name[128];
};

struct copying {
	void (*tell)(void *context, const void *bytes, size_t len);
	void *context;
	size_t bytes, most;
	struct set_name *sets;
	size_t nsets;
};

static int copy(void *context, const struct nlmsghdr *message)
{
	struct copying *copying = context;

	if (copying->bytes + message->nlmsg_len > copying->most)
		return -E2BIG;
	copying->bytes += message->nlmsg_len;
	copying->tell(copying->context, message, message->nlmsg_len);
	return 0;
}

static void take_text(const struct nlattr *attr, char text[static 128])
{
	const char *value = mnl_attr_get_payload(attr);
	size_t len = mnl_attr_get_payload_len(attr);

	if (len <= 128 && memchr(value, 0, len))
		memcpy(text, value, strlen(value) + 1);
}

static int note_set(void *context, const struct nlmsghdr *message)
{
	struct copying *copying = context;
	const struct nfgenmsg *nfg = mnl_nlmsg_get_payload(message);
	struct set_name *set = &copying->sets[copying->nsets];
	const struct nlattr *attr;

	if (copying->nsets == SETS_MAX || mnl_nlmsg_get_payload_len(message) < sizeof(*nfg))
		return 0;
	*set = (struct set_name){.family = nfg->nfgen_family};
	mnl_attr_for_each(attr, message, sizeof(*nfg))
	{
		if (mnl_attr_get_type(attr) == NFTA_SET_TABLE)
			take_text(attr, set->table);
		else if (mnl_attr_get_type(attr) == NFTA_SET_NAME)
			take_text(attr, set->name);
	}
	if (*set->table && *set->name &&
		!(set->family == NFPROTO_INET && strcmp(set->table, TABLE_NAME) == 0))
		copying->nsets++;
	return 0;
}

/* Each on a connection of its own: a copy that is cut short leaves the rest of the answer unread.
 */
static int dump(struct copying *copying, uint16_t what, const struct set_name *set,
	netlink_on_answer *on_answer)
{
	struct netlink nl;
	struct netlink_request request;

	int error = netlink_open(&nl, NETLINK_NETFILTER, 0);
	if (error)
		return error;
	struct nlmsghdr *nlh =
		netlink_begin_nf(&nl, &request, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | what),
			NLM_F_DUMP, set ? set->family : NFPROTO_UNSPEC, 0);
	if (set) {
		mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_TABLE, set->table);
		mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_SET, set->name);
	}
	error = netlink_ask(&nl, nlh, on_answer, copying);
	netlink_close(&nl);
	return error;
}

void keeper_foreign_copy(void (*tell)(void *context, const void *bytes, size_t len), void *context)
{
	struct copying copying = {.tell = tell, .context = context, .most = COPY_BYTES_MAX};

	copying.sets = malloc((SETS_MAX + 1) * sizeof(*copying.sets));
	if (!copying.sets)
		return;
	dump(&copying, NFT_MSG_GETCHAIN, NULL, copy);
	dump(&copying, NFT_MSG_GETRULE, NULL, copy);
	dump(&copying, NFT_MSG_GETSET, NULL, note_set);
	for (size_t i = 0; i < copying.nsets && copying.bytes < COPY_BYTES_MAX; i++) {
		copying.most = copying.bytes + SET_BYTES_MAX;
		dump(&copying, NFT_MSG_GETSETELEM, &copying.sets[i], copy);
	}
	free(copying.sets);
}
