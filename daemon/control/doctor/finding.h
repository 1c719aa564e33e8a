/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what doctor finds, and what it finds it in. */
#ifndef POSTERN_DAEMON_CONTROL_DOCTOR_FINDING_H
#define POSTERN_DAEMON_CONTROL_DOCTOR_FINDING_H

#include <stddef.h>

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

#endif
