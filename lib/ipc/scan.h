/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what an smtp process tells control of its scans: how each of them fares there. */
#ifndef POSTERN_LIB_IPC_SCAN_H
#define POSTERN_LIB_IPC_SCAN_H

#include "lib/ipc/core.h"
#include "lib/policy/policy.h"

enum ipc_scan_type {
	/* smtp -> control */
	IPC_SCAN_STATE = IPC_FILE_SCAN, /* of one scan, whenever it changes: once a second at most,
					 * at once if it is whether it is up */
	IPC_SCAN_END,
};

#define SCAN_SLOW_MS 10000

/* Of one process, since its start; what is `now` of this moment. A message counts once with each
 * scan that it has, when that one's verdict is there. */
struct ipc_scan_state {
	struct ipc_header header;
	char scan[POLICY_NAME_SIZE];
	uint64_t asked; /* messages that it was to judge: passed + refused + failed + given up */
	uint64_t passed;
	uint64_t refused;      /* messages, or recipients before, that it said no to */
	uint64_t failed;       /* it could not be had, was late, broke off, or lied; of these */
	uint64_t unscanned;    /* went to the server all the same: on-failure accept; or */
	uint64_t shed;         /* were not tried at all: its circuit was open */
	uint64_t crowded;      /* of failed: no place was free in time */
	uint64_t slow;         /* verdicts that took longer than SCAN_SLOW_MS */
	uint64_t changes;      /* header changes that were made */
	uint64_t dropped;      /* header changes that were not: its mode is stream */
	uint64_t since_ms;     /* wall clock: since when it is as `up` says; 0: it was not asked */
	uint64_t fault_ms;     /* wall clock: of the last fault, whose words are in text; 0: none */
	uint64_t unscanned_ms; /* wall clock: a message last went on unscanned; 0: none did */
	uint32_t up;           /* 0: the last time it was asked it failed */
	uint32_t open;         /* now, 1: five times in a row: it is not tried for 10 s */
	uint32_t under_way;    /* now: messages from DATA to the verdict, */
	uint32_t places;       /* of so many at most; */
	uint32_t waiting;      /* now: messages that wait for a place */
	uint32_t reserved;
	struct histogram took; /* HISTOGRAM_SCAN: from the end of the text to the verdict */
	char text[IPC_TEXT_SIZE];
};

#endif
