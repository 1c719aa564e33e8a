/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns parsing a policy with what control knows of the machine: interfaces, own addresses. */
#ifndef POSTERN_DAEMON_CONTROL_POLICY_PARSE_H
#define POSTERN_DAEMON_CONTROL_POLICY_PARSE_H

#include "daemon/control/policy/history/record.h"
#include "lib/language/language.h"

struct control;

/* What language_*() may ask, answered by control. Texts are read and kept in `texts`. */
struct policy_world {
	struct language_world language;
	struct control *control;
	struct policy_texts *texts;
	void *addresses;   /* getifaddrs(); NULL: not known */
	struct ways *ways; /* opened when first asked for */
	bool ways_tried;
};

void policy_world_init(
	struct policy_world *world, struct control *control, struct policy_texts *texts);
/* Certificates, secrets and trust stores that the running policy does not have are judged, too. */
void policy_world_judge_new(struct policy_world *world);
void policy_world_fini(struct policy_world *world);

/* Parses and checks. NULL: the diagnosis has errors. */
struct policy *policy_parse_text(struct control *control, const char *name, const char *text,
	size_t len, struct policy_texts *texts, struct language_diagnosis *diagnosis);
/* Parses what was checked when it was applied, with the files as they were then: faults are no
 * errors. The record keeps its texts. */
struct policy *policy_parse_record(struct control *control, struct policy_record *record,
	struct language_diagnosis *diagnosis);
/* All messages of a severity, one text; malloc'ed. */
char *policy_parse_messages(
	const struct language_diagnosis *diagnosis, enum language_severity severity);

#endif
