/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the checks of what breaks transparent proxies: facts in, findings with advice out. */
#ifndef POSTERN_DAEMON_CONTROL_DOCTOR_DOCTOR_H
#define POSTERN_DAEMON_CONTROL_DOCTOR_DOCTOR_H

#include "daemon/control/doctor/finding.h"

struct control;
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
