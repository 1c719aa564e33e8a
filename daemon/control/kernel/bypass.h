/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the bypass as control knows it: which zones pass everything, until when, over a restart. */
#ifndef POSTERN_DAEMON_CONTROL_KERNEL_BYPASS_H
#define POSTERN_DAEMON_CONTROL_KERNEL_BYPASS_H

#include "daemon/control/peers/question.h"
#include "lib/policy/policy.h"

#define BYPASS_MAX       257 /* zones, and all of them */
#define BYPASS_DEFAULT_S 3600
#define BYPASS_MAX_S     (30 * 86400)

struct bypass;
struct control;

struct bypass_line {
	char zone[POLICY_NAME_SIZE]; /* "": all zones */
	uint64_t until_ms, since_ms; /* steady */
};

/* A line of the state folder: "SINCE UNTIL ZONE"; the zone may be empty. */
struct fields;
bool bypass_parse(struct fields *line, struct bypass_line *to);
/* Reads the state folder. NULL: out of memory. */
struct bypass *bypass_open(struct control *control);
void bypass_free(struct bypass *bypass);
/* Tells the keeper what is still on, and takes over what was switched on in the kernel while no
 * control was there; after the plan. */
void bypass_resume(struct bypass *bypass);
/* What the kernel says is true, whoever switched: root may have done it past a daemon that hangs.
 */
struct facts;
void bypass_follow(struct bypass *bypass, const struct facts *facts);
/* Switches; zone "": all. seconds 0: BYPASS_DEFAULT_S, since a forgotten bypass is worse than one
 * that ends early. Parts of the gather: the kernel has it, the disk too. */
void bypass_switch(
	struct bypass *bypass, const char *zone, bool on, uint64_t seconds, struct gather *gather);
/* Root switched off what a control that is not there had switched on: it shall not come back with
 * the next one. That of one zone alone cannot be taken out: true, it comes back. */
bool bypass_forget(const char *state_dir, const char *zone);
/* Is any of it on; zone "": at all? */
bool bypass_covers(struct bypass *bypass, const char *zone);
/* What is on now. */
const struct bypass_line *bypass_lines(struct bypass *bypass, size_t *n);

#endif
