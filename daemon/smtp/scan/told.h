/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns how what a scan said to a message is told to control (lib/ipc/scan.h). */
#ifndef POSTERN_DAEMON_SMTP_SCAN_TOLD_H
#define POSTERN_DAEMON_SMTP_SCAN_TOLD_H

#include "lib/ipc/scan.h"
#include "lib/milter/fields.h"

struct scan_part;

union scan_told_change {
	struct ipc_scan_change ipc;
	uint8_t room[sizeof(struct ipc_scan_change) + MILTER_FIELD_NAME_MAX + SCAN_TEST_VALUE_MAX];
};

/* The value's bytes are the filter's: who shows them looks at them first. */
void scan_told_change(const struct milter_change *change, union scan_told_change *told);
/* Of a part that has one; how long it took, and what was told before, is the caller's to say. */
void scan_told_verdict(const struct scan_part *part, struct ipc_scan_tested *told);

#endif
