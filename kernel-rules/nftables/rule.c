/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel-rules/nftables/rule.h"

#include <errno.h>

#include <libnftnl/rule.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

void rule_add_chain(struct rule_writer *w, const char *name)
{
	struct nlmsghdr *nlh = batch_begin(w->batch, NFT_MSG_NEWCHAIN, NLM_F_CREATE);
	if (!nlh)
		return;
	mnl_attr_put_strz(nlh, NFTA_CHAIN_TABLE, TABLE_NAME);
	mnl_attr_put_strz(nlh, NFTA_CHAIN_NAME, name);
	batch_end(w->batch, nlh);
}

struct expr_rule *rule_begin(struct rule_writer *w, const char *chain)
{
	w->rule = (struct expr_rule){.nftnl = nftnl_rule_alloc()};
	w->nlh = batch_begin(w->batch, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND);
	w->rule.failed = !w->rule.nftnl;
	if (w->rule.nftnl) {
		nftnl_rule_set_str(w->rule.nftnl, NFTNL_RULE_TABLE, TABLE_NAME);
		nftnl_rule_set_str(w->rule.nftnl, NFTNL_RULE_CHAIN, chain);
		nftnl_rule_set_u32(w->rule.nftnl, NFTNL_RULE_FAMILY, NFPROTO_INET);
	}
	return &w->rule;
}

void rule_end(struct rule_writer *w)
{
	if (w->rule.failed)
		batch_fail(w->batch, -ENOMEM);
	else if (w->nlh) {
		nftnl_rule_nlmsg_build_payload(w->nlh, w->rule.nftnl);
		batch_end(w->batch, w->nlh);
	}
	if (w->rule.nftnl)
		nftnl_rule_free(w->rule.nftnl);
}

void rule_put_goto(struct rule_writer *w, const char *chain, const char *target)
{
	expr_goto(rule_begin(w, chain), target);
	rule_end(w);
}

void rule_put_count_goto(
	struct rule_writer *w, const char *chain, const char *counter, const char *target)
{
	struct expr_rule *r = rule_begin(w, chain);
	expr_count(r, counter);
	expr_goto(r, target);
	rule_end(w);
}

void rule_put_mark_goto(struct rule_writer *w, const char *chain, enum expr_mark which,
	enum mark mark, const char *target)
{
	struct expr_rule *r = rule_begin(w, chain);
	expr_mark_is(r, which, w->plan->mark_mask, rule_mark_bits(w, mark), false);
	if (target)
		expr_goto(r, target);
	else
		expr_accept(r);
	rule_end(w);
}

void rule_put_to_gateway(struct rule_writer *w, const char *chain)
{
	struct expr_rule *r = rule_begin(w, chain);
	expr_to_gateway(r);
	expr_accept(r);
	rule_end(w);
}

void rule_put_tcp_only(struct rule_writer *w, const char *chain)
{
	struct expr_rule *r = rule_begin(w, chain);
	expr_not_tcp(r);
	expr_accept(r);
	rule_end(w);
}

uint32_t rule_mark_bits(const struct rule_writer *w, enum mark mark)
{
	return plan_mark_bits(w->plan->mark_mask, mark);
}

void rule_set_mark(struct rule_writer *w, struct expr_rule *r, enum expr_mark which, enum mark mark)
{
	expr_mark_set(r, which, w->plan->mark_mask, rule_mark_bits(w, mark));
}
