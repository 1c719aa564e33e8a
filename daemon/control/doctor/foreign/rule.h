/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the reading of one rule of another program, as the row of expressions that nft and
 * iptables-nft make. */
#ifndef POSTERN_DAEMON_CONTROL_DOCTOR_FOREIGN_RULE_H
#define POSTERN_DAEMON_CONTROL_DOCTOR_FOREIGN_RULE_H

#include "daemon/control/doctor/foreign/reading.h"

/* Fills in the rest from the list of expressions, which may be NULL. */
void foreign_rule_read(struct foreign_rule *reading, const struct nlattr *expressions);

#endif
