/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns an address as a column of audit.db has it. */
#ifndef POSTERN_DAEMON_CONTROL_AUDIT_COLUMN_H
#define POSTERN_DAEMON_CONTROL_AUDIT_COLUMN_H

#include "lib/base/addr.h"

/* The family, then its bytes; ranges of them are ranges of bytes. Returns how many there are. */
#define AUDIT_ADDR_BYTES 17
int audit_encode_addr(const struct addr *addr, uint8_t bytes[static AUDIT_ADDR_BYTES]);

#endif
