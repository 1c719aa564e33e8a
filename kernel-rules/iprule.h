/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns one ip rule: how the kernel tells it, how it is made and taken away, and whether it can take
 * what we steer. */
#ifndef POSTERN_KERNEL_RULES_IPRULE_H
#define POSTERN_KERNEL_RULES_IPRULE_H

#include "kernel-rules/netlink.h"
#include "lib/policy/policy.h"

/* What of a rule we look at. */
struct iprule {
	uint8_t family; /* AF_INET, AF_INET6 */
	uint8_t action; /* FR_ACT_* */
	uint8_t protocol;
	uint32_t priority, target; /* target: of FR_ACT_GOTO */
	uint32_t table, mark, mask;
	char iif[POLICY_IFNAME_SIZE];
	/* of other programs' rules */
	bool inverted, has_oif;
	uint8_t ip_protocol; /* 0: any */
};

/* false: not a message about a rule. */
bool iprule_parse(const struct nlmsghdr *nlh, struct iprule *rule);
bool iprule_equal(const struct iprule *a, const struct iprule *b);
/* Adding what is there and deleting what is not there are no errors. 0 or -errno. */
int iprule_change(struct netlink *nl, bool add, const struct iprule *rule);
typedef int iprule_visit(void *context, const struct iprule *rule);
/* All rules of a family in the kernel's order. What visit returns ends it, if not 0. 0; -errno;
 * -EINTR: they changed meanwhile. */
int iprule_each(struct netlink *nl, uint8_t family, iprule_visit *visit, void *context);
/* Can the rule decide about a packet that comes from an interface with these bits in its mark, to
 * an address that is not the machine's own? What is not understood can. */
bool iprule_may_take(const struct iprule *rule, uint32_t mask, uint32_t bits);

#endif
