/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel-rules/nftables/table_state.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#define READ_TRIES    8
#define TABLE_OWNER   7 /* NFTA_TABLE_OWNER, newer than some headers */
#define UDATA_COMMENT 0 /* nft's type of a table's comment */

static bool attr_is(const struct nlattr *attr, const char *text)
{
	size_t len = strlen(text) + 1;
	return mnl_attr_get_payload_len(attr) == len &&
	       memcmp(mnl_attr_get_payload(attr), text, len) == 0;
}

/* User data is type, length, value, as nft writes its comments. */
static bool is_layout(const struct nlattr *attr)
{
	const uint8_t *data = mnl_attr_get_payload(attr);
	size_t len = mnl_attr_get_payload_len(attr);
	return len == sizeof(TABLE_LAYOUT) + 2 && data[0] == UDATA_COMMENT &&
	       data[1] == sizeof(TABLE_LAYOUT) &&
	       memcmp(data + 2, TABLE_LAYOUT, sizeof(TABLE_LAYOUT)) == 0;
}

static int on_table(void *context, const struct nlmsghdr *nlh)
{
	struct contents *contents = context;
	const struct nlattr *attr;

	contents->exists = true;
	mnl_attr_for_each(attr, nlh, sizeof(struct nfgenmsg))
	{
		switch (mnl_attr_get_type(attr)) {
		case NFTA_TABLE_FLAGS:
			contents->flags = ntohl(mnl_attr_get_u32(attr));
			break;
		case TABLE_OWNER:
			contents->owner = ntohl(mnl_attr_get_u32(attr));
			break;
		case NFTA_TABLE_USERDATA:
			contents->layout_ok = is_layout(attr);
			break;
		default:
			break;
		}
	}
	return 0;
}

static int add_name(struct contents *contents, enum contents_kind kind, const char *name, bool base)
{
	if (contents->n % 64 == 0) {
		struct contents_name *names =
			realloc(contents->names, (contents->n + 64) * sizeof(*names));
		if (!names)
			return -ENOMEM;
		contents->names = names;
	}
	if (strlen(name) >= SET_NAME_SIZE)
		return -ENAMETOOLONG; /* never ours */
	struct contents_name *entry = &contents->names[contents->n++];
	*entry = (struct contents_name){.kind = kind, .base = base};
	strcpy(entry->name, name);
	return 0;
}

/* Chains, sets and objects say table and name by the attributes 1 and 2 or 1 and 3. */
static int take_name(struct contents *contents, const struct nlmsghdr *nlh, enum contents_kind kind,
	uint16_t name_type, uint16_t hook_type)
{
	const struct nfgenmsg *nfg = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr;
	const char *name = NULL;
	bool ours = false, base = false;

	if (nfg->nfgen_family != NFPROTO_INET)
		return 0;
	mnl_attr_for_each(attr, nlh, sizeof(*nfg))
	{
		uint16_t type = mnl_attr_get_type(attr);
		if (type == 1)
			ours = attr_is(attr, TABLE_NAME);
		else if (type == name_type && mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >= 0)
			name = mnl_attr_get_str(attr);
		else if (hook_type && type == hook_type)
			base = true;
	}
	return ours && name ? add_name(contents, kind, name, base) : 0;
}

static_assert(NFTA_CHAIN_TABLE == 1 && NFTA_SET_TABLE == 1 && NFTA_OBJ_TABLE == 1, "");

static int on_chain(void *context, const struct nlmsghdr *nlh)
{
	return take_name(context, nlh, CONTENTS_CHAIN, NFTA_CHAIN_NAME, NFTA_CHAIN_HOOK);
}

static int on_set(void *context, const struct nlmsghdr *nlh)
{
	return take_name(context, nlh, CONTENTS_SET, NFTA_SET_NAME, 0);
}

static int on_object(void *context, const struct nlmsghdr *nlh)
{
	return take_name(context, nlh, CONTENTS_COUNTER, NFTA_OBJ_NAME, 0);
}

static int ask(struct netlink *nl, struct contents *contents, uint16_t message, uint16_t flags,
	netlink_on_answer *on_answer)
{
	struct netlink_request request;
	struct nlmsghdr *nlh = netlink_begin_nf(nl, &request,
		(uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | message), flags, NFPROTO_INET, 0);
	if (message == NFT_MSG_GETTABLE)
		mnl_attr_put_strz(nlh, NFTA_TABLE_NAME, TABLE_NAME);
	return netlink_ask(nl, nlh, on_answer, contents);
}

static int read_all(struct netlink *nl, struct contents *contents)
{
	*contents = (struct contents){0};
	int status = ask(nl, contents, NFT_MSG_GETTABLE, NLM_F_ACK, on_table);
	if (status == -ENOENT)
		return 0;
	if (status == 0)
		status = ask(nl, contents, NFT_MSG_GETCHAIN, NLM_F_DUMP, on_chain);
	if (status == 0)
		status = ask(nl, contents, NFT_MSG_GETSET, NLM_F_DUMP, on_set);
	if (status == 0)
		status = ask(nl, contents, NFT_MSG_GETOBJ, NLM_F_DUMP, on_object);
	return status;
}

int contents_read(struct netlink *nl, struct contents *contents)
{
	int status = -EINTR;
	for (unsigned tries = 0; status == -EINTR && tries < READ_TRIES; tries++) {
		status = read_all(nl, contents);
		if (status)
			contents_fini(contents);
	}
	return status;
}

void contents_fini(struct contents *contents)
{
	free(contents->names);
	*contents = (struct contents){0};
}

bool contents_has(const struct contents *contents, enum contents_kind kind, const char *name)
{
	for (size_t i = 0; i < contents->n; i++) {
		if (contents->names[i].kind == kind && strcmp(contents->names[i].name, name) == 0)
			return true;
	}
	return false;
}
