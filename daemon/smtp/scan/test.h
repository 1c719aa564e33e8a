/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns `scan test` in an smtp process: a text that control brings, with an envelope, through one
 * scan as a message of a flow goes, and what came of it to control. There is no flow, nothing is
 * counted for the scan, and neither its circuit nor its places keep a test from it. */
#ifndef POSTERN_DAEMON_SMTP_SCAN_TEST_H
#define POSTERN_DAEMON_SMTP_SCAN_TEST_H

#include "lib/ipc/scan.h"

struct scan_test;
struct smtp;

#define SCAN_TESTS_MAX 4 /* at a time */

struct scan_tests {
	struct scan_test *first;
	unsigned n;
};

/* fd is taken over. Each begins, and ends in bounded time, or is refused at once. */
void scan_test_begin(struct smtp *smtp, const struct ipc_scan_test *ipc, int fd);
/* Ends all without a word: nobody waits for them any more. */
void scan_tests_stop(struct smtp *smtp);

#endif
