/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what other programs' nftables rules would do with our packets, told as facts for doctor. */
#ifndef POSTERN_DAEMON_CONTROL_DOCTOR_FOREIGN_FOREIGN_H
#define POSTERN_DAEMON_CONTROL_DOCTOR_FOREIGN_FOREIGN_H

#include "daemon/control/doctor/foreign/bytes.h"

/* One text a fact; see foreign.c. port: that of the packets, by UDP or TCP. */
void foreign_tell(const struct foreign_dump *dump, uint32_t mark_mask, uint16_t port, bool udp,
	void (*tell)(void *context, const char *text), void *context);

#endif
