/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the checks of what breaks transparent proxies: facts in, findings with advice out. */
#ifndef POSTERN_DAEMON_CONTROL_DOCTOR_DOCTOR_H
#define POSTERN_DAEMON_CONTROL_DOCTOR_DOCTOR_H

#include <stddef.h>
#include <stdint.h>

struct control;

enum doctor_state {
	DOCTOR_OK,
	DOCTOR_WARNING, /* may break something, or only some clients */
	DOCTOR_ERROR,   /* redirection does not work, or not safely */
};
#define DOCTOR_STATES 3
extern const char *const doctor_state_names[DOCTOR_STATES];

/* found and advice are borrowed; advice is empty with DOCTOR_OK and may be several lines. */
typedef void doctor_finding(void *context, const char *check, enum doctor_state state,
	const char *found, const char *advice);

#define DOCTOR_FACTS_MAX 1024

/* The keeper's facts (keeper/facts.c), one text a line; owned. */
struct doctor_facts {
	char *v[DOCTOR_FACTS_MAX];
	size_t n;
	size_t left_out; /* more than fit */
};

void doctor_facts_add(struct doctor_facts *facts, const char *text);
struct facts;
/* What the keeper told, other programs' rules in words. */
void doctor_facts_take(
	struct doctor_facts *lines, const struct control *control, const struct facts *facts);
void doctor_facts_fini(struct doctor_facts *facts);

/* Every check, in the order in which a packet meets what they are about. Reads /proc and /sys of
 * the network namespace it runs in; changes nothing. */
void doctor_examine(const struct control *control, const struct doctor_facts *facts,
	doctor_finding *finding, void *context);
/* Of these the checks of other programs' chains and rules alone. */
void doctor_examine_foreign(const struct control *control, const struct doctor_facts *facts,
	doctor_finding *finding, void *context);

#endif
