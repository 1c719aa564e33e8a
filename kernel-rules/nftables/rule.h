/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the writing of rules: one rule after the other, made of words, goes into a batch. */
#ifndef POSTERN_KERNEL_RULES_NFTABLES_RULE_H
#define POSTERN_KERNEL_RULES_NFTABLES_RULE_H

#include "kernel-rules/nftables/batch.h"
#include "kernel-rules/nftables/expr.h"
#include "kernel-rules/nftables/table_name.h"
#include "kernel-rules/plan.h"

/* One ruleset being written. */
struct rule_writer {
	struct batch *batch;
	const struct plan *plan;
	enum table_queue queue;
	uint32_t queue_seq;
	/* the rule at hand */
	struct expr_rule rule;
	struct nlmsghdr *nlh;
};

void rule_add_chain(struct rule_writer *w, const char *name);
/* Begins a rule at the end of a chain; its words follow, then rule_end(). */
struct expr_rule *rule_begin(struct rule_writer *w, const char *chain);
void rule_end(struct rule_writer *w);
/* Rules of one shape: chain, what it says, where it goes. target NULL: accept. */
void rule_put_goto(struct rule_writer *w, const char *chain, const char *target);
void rule_put_count_goto(
	struct rule_writer *w, const char *chain, const char *counter, const char *target);
void rule_put_mark_goto(struct rule_writer *w, const char *chain, enum expr_mark which,
	enum mark mark, const char *target);
void rule_put_to_gateway(struct rule_writer *w, const char *chain); /* accept */
void rule_put_tcp_only(struct rule_writer *w, const char *chain);   /* accept all else */
/* A mark's bits in the place that the plan has for them. */
uint32_t rule_mark_bits(const struct rule_writer *w, enum mark mark);
/* Adds to the rule at hand: the mark is set, other bits stay. */
void rule_set_mark(
	struct rule_writer *w, struct expr_rule *rule, enum expr_mark which, enum mark mark);

#endif
