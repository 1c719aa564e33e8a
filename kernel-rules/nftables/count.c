/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The reading of the table's counters. */
#include "kernel-rules/nftables/table_state.h"

#include <errno.h>
#include <string.h>

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include "kernel-rules/nftables/ruleset.h"

struct counting {
	struct table_counters *counters;
	void (*visit)(void *context, const char *zone, uint64_t packets); /* NULL: counters */
	void *context;
	bool found;
};

static uint64_t packets_of(const struct nlattr *data)
{
	const struct nlattr *attr;
	mnl_attr_for_each_nested(attr, data)
	{
		if (mnl_attr_get_type(attr) == NFTA_COUNTER_PACKETS &&
			mnl_attr_get_payload_len(attr) >= sizeof(uint64_t)) {
			uint64_t value;
			memcpy(&value, mnl_attr_get_payload(attr), sizeof(value));
			return be64toh(value);
		}
	}
	return 0;
}

static void take_counter(struct counting *counting, const char *name, uint64_t packets)
{
	counting->found = true;
	if (counting->visit) {
		size_t before = strlen(RULESET_ARRIVED_OF);
		if (strncmp(name, RULESET_ARRIVED_OF, before) == 0)
			counting->visit(counting->context, name + before, packets);
		return;
	}
	uint64_t *const places[RULESET_COUNTERS] = {&counting->counters->arrived,
		&counting->counters->steered, &counting->counters->queued,
		&counting->counters->limited, &counting->counters->posture_reset,
		&counting->counters->posture_passed, &counting->counters->bypassed,
		&counting->counters->stray_reset, &counting->counters->refused,
		&counting->counters->dropped, &counting->counters->killed,
		&counting->counters->shielded, &counting->counters->bound,
		&counting->counters->unclaimed, &counting->counters->path_begun,
		&counting->counters->path_lost, &counting->counters->login_refused};
	for (size_t i = 0; i < RULESET_COUNTERS; i++) {
		if (strcmp(name, ruleset_counters[i]) == 0)
			*places[i] = packets;
	}
}

static int on_counter(void *context, const struct nlmsghdr *nlh)
{
	const struct nlattr *attr;
	const char *table = "", *name = "";
	uint64_t packets = 0;

	mnl_attr_for_each(attr, nlh, sizeof(struct nfgenmsg))
	{
		switch (mnl_attr_get_type(attr)) {
		case NFTA_OBJ_TABLE:
			table = mnl_attr_get_str(attr);
			break;
		case NFTA_OBJ_NAME:
			name = mnl_attr_get_str(attr);
			break;
		case NFTA_OBJ_DATA:
			packets = packets_of(attr);
			break;
		default:
			break;
		}
	}
	if (strcmp(table, TABLE_NAME) == 0)
		take_counter(context, name, packets);
	return 0;
}

/* message: NFT_MSG_GETOBJ, or NFT_MSG_GETOBJ_RESET to zero what is read. */
static int ask_counters(struct table *t, uint16_t message, struct counting *counting)
{
	struct netlink_request request;
	struct nlmsghdr *nlh = netlink_begin_nf(&t->nl, &request,
		(uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | message), NLM_F_DUMP, NFPROTO_INET, 0);
	mnl_attr_put_strz(nlh, NFTA_OBJ_TABLE, TABLE_NAME);
	mnl_attr_put_u32(nlh, NFTA_OBJ_TYPE, htonl(NFT_OBJECT_COUNTER));
	int status = netlink_ask(&t->nl, nlh, on_counter, counting);
	/* something changed meanwhile: the numbers are good all the same */
	return status == -EINTR ? 0 : status;
}

static int read_counters(struct table *t, struct counting *counting)
{
	int status = ask_counters(t, NFT_MSG_GETOBJ, counting);
	return status ? status : counting->found ? 0 : -ENOENT;
}

int table_counters(struct table *table, struct table_counters *counters)
{
	struct counting counting = {.counters = counters};
	*counters = (struct table_counters){0};
	return read_counters(table, &counting);
}

int table_zero_counters(struct table *table)
{
	struct table_counters counters;
	struct counting counting = {.counters = &counters};
	int status = ask_counters(table, NFT_MSG_GETOBJ_RESET, &counting);
	return status == -ENOENT ? 0 : status;
}

int table_each_arrived(struct table *table,
	void (*visit)(void *context, const char *zone, uint64_t packets), void *context)
{
	struct counting counting = {.visit = visit, .context = context};
	return read_counters(table, &counting);
}
