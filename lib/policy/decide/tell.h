/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the words of `explain`: lines put together of what a policy says. Private to
 * lib/policy/decide/. */
#ifndef POSTERN_LIB_POLICY_DECIDE_TELL_H
#define POSTERN_LIB_POLICY_DECIDE_TELL_H

#include "lib/policy/decide/decide.h"
#include "lib/policy/decide/rule.h"

#define DECIDE_STEP_BYTES 1024

struct decide_telling {
	const struct decide_world *world;
	const struct decide_origin *origin;
	const struct endpoint *original;
	const struct decide_envelope *envelope; /* NULL: only the connection is told */
	uint64_t now_ms;
	decide_step *step;
	void *context;
};

/* Words joined into a line; what does not fit is cut. */
struct decide_line {
	char text[DECIDE_STEP_BYTES / 2];
	size_t len;
};

void decide_tell(const struct decide_telling *telling, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void decide_append(struct decide_line *line, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void decide_append_time(
	struct decide_line *line, const struct decide_telling *telling, uint64_t at_ms);
void decide_append_act(struct decide_line *line, const struct policy_act *act);
/* "list partners, "@example.net"", of `sender` or `recipient` */
void decide_append_mails(struct decide_line *line, const struct policy_mails *mails);
/* "verified "mx.partner.example"", "any" */
void decide_append_tls(struct decide_line *line, const struct policy_tls_condition *condition);
/* "<anna@hotel.example>" */
void decide_append_path(struct decide_line *line, const struct smtp_path *path);
/* "server relay", "server original", "answer 554 "no"" */
void decide_append_action(struct decide_line *line, const struct policy_rule *rule);
/* ", scanned by virus, spam", in the order in which they are; "" for none */
void decide_append_scans(struct decide_line *line, const struct policy *policy, unsigned scans);
/* Why a rule does not match: the condition that did not hold. */
void decide_append_failed(struct decide_line *line, const struct decide_telling *telling,
	const struct policy_rule *rule, const struct session *session,
	enum decide_condition failed);

#endif
