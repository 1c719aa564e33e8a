/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what `status` says is wrong: each trouble with the command to type next. */
#ifndef POSTERN_DAEMON_CONTROL_TROUBLE_TROUBLE_H
#define POSTERN_DAEMON_CONTROL_TROUBLE_TROUBLE_H

#include "daemon/control/kernel/facts.h"

#include <jansson.h>

struct control;

/* Adds one to an array of troubles; next is a command line. */
void trouble_add(json_t *troubles, const char *next, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* server.c: hosts that cannot be used, servers that have none, and other programs' rules
 * that are why. */
void trouble_of_servers(const struct control *control, const struct facts *facts, json_t *troubles);
/* Is a host not to be had, so that other programs' rules should be among the facts? They may be
 * many, and on a sound gateway nobody asks. */
bool trouble_wants_rules(const struct control *control);
/* list.c: files of lists that do not say what runs. */
void trouble_of_lists(struct control *control, json_t *troubles);
/* credential.c: certificates, trust stores and secrets that are bad or end soon. */
void trouble_of_credentials(const struct control *control, json_t *troubles);
/* auth.c: places where passwords are checked that do not answer. */
void trouble_of_auths(const struct control *control, json_t *troubles);
/* radius.c: sources of accounting that cannot be believed. */
void trouble_of_radiuses(const struct control *control, json_t *troubles);
/* portal.c: login pages that are not served. */
void trouble_of_portals(const struct control *control, json_t *troubles);
/* scan.c: scans that fail, and those that let messages through unscanned. */
void trouble_of_scans(const struct control *control, json_t *troubles);
/* trouble.c: refusals of the last minute that are nobody's wish, by ending. */
void trouble_of_refusals(const uint64_t counts[static ENDINGS], json_t *troubles);
/* The command that shows more of a refusal. */
const char *trouble_next_of(enum ending ending, char text[static 96]);

#endif
