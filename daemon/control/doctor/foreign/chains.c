/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/doctor/foreign/chains.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>

static void take_chain(
	struct foreign_chains *chains, const struct nlmsghdr *message, uint32_t family)
{
	struct foreign_attrs attrs, hook;

	foreign_read(message, &attrs);
	foreign_nested(attrs.v[NFTA_CHAIN_HOOK], &hook);
	const struct foreign_chain chain = {family, foreign_u32(&hook, NFTA_HOOK_HOOKNUM),
		foreign_text(&attrs, NFTA_CHAIN_TABLE), foreign_text(&attrs, NFTA_CHAIN_NAME),
		foreign_text(&attrs, NFTA_CHAIN_TYPE),
		attrs.v[NFTA_CHAIN_POLICY] && foreign_u32(&attrs, NFTA_CHAIN_POLICY) == NF_DROP,
		(int32_t)foreign_u32(&hook, NFTA_HOOK_PRIORITY)};
	if (hook.v[NFTA_HOOK_HOOKNUM] && family != NFPROTO_NETDEV && chain.table && chain.name &&
		chain.type && !foreign_is_ours(family, chain.table))
		chains->chains[chains->nchains++] = chain;
}

static void take_rule(
	struct foreign_chains *chains, const struct nlmsghdr *message, uint32_t family)
{
	struct foreign_attrs attrs;

	foreign_read(message, &attrs);
	const struct foreign_chain_rule rule = {family, foreign_text(&attrs, NFTA_RULE_TABLE),
		foreign_text(&attrs, NFTA_RULE_CHAIN), foreign_u64(&attrs, NFTA_RULE_HANDLE),
		attrs.v[NFTA_RULE_EXPRESSIONS]};
	if (rule.table && rule.chain && !foreign_is_ours(family, rule.table))
		chains->rules[chains->nrules++] = rule;
}

bool foreign_chain_sees(const struct foreign_chain *chain, enum addr_family family)
{
	return chain->family == NFPROTO_INET ||
	       chain->family == (family == ADDR_IP6 ? NFPROTO_IPV6 : (uint32_t)NFPROTO_IPV4);
}

struct foreign_chains *foreign_chains_new(const struct foreign_dump *dump)
{
	struct foreign_chains *chains = calloc(1, sizeof(*chains));
	const struct nlmsghdr *message;
	size_t nchains = 0, nrules = 0;
	uint32_t family;

	if (!chains)
		return NULL;
	for (size_t at = 0; (message = foreign_next(dump, &at, &family));) {
		nchains += (message->nlmsg_type & 0xff) == NFT_MSG_NEWCHAIN;
		nrules += (message->nlmsg_type & 0xff) == NFT_MSG_NEWRULE;
	}
	chains->dump = *dump;
	chains->chains = calloc(nchains + 1, sizeof(*chains->chains));
	chains->rules = calloc(nrules + 1, sizeof(*chains->rules));
	if (!chains->chains || !chains->rules) {
		foreign_chains_free(chains);
		return NULL;
	}
	for (size_t at = 0; (message = foreign_next(dump, &at, &family));)
		if (!foreign_family(family))
			continue;
		else if ((message->nlmsg_type & 0xff) == NFT_MSG_NEWCHAIN)
			take_chain(chains, message, family);
		else if ((message->nlmsg_type & 0xff) == NFT_MSG_NEWRULE)
			take_rule(chains, message, family);
	return chains;
}

void foreign_chains_free(struct foreign_chains *chains)
{
	if (!chains)
		return;
	free(chains->chains);
	free(chains->rules);
	free(chains);
}
