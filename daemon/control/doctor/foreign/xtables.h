/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the reading of what iptables-nft leaves to xtables in a rule: its matches and targets. */
#ifndef POSTERN_DAEMON_CONTROL_DOCTOR_FOREIGN_XTABLES_H
#define POSTERN_DAEMON_CONTROL_DOCTOR_FOREIGN_XTABLES_H

#include "daemon/control/doctor/foreign/reading.h"

void xtables_read_match(struct foreign_rule *reading, const struct foreign_attrs *expr);
void xtables_read_target(struct foreign_rule *reading, const struct foreign_attrs *expr);

#endif
