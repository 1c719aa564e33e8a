/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns `server test` in the health process: every address of every host of a server, one after the
 * other, as flows reach it, up to RCPT and never DATA, told line by line. */
#ifndef POSTERN_DAEMON_HEALTH_SERVER_TEST_H
#define POSTERN_DAEMON_HEALTH_SERVER_TEST_H

#include "daemon/health/targets.h"

#define SERVER_TESTS_MAX 4 /* at a time */

struct server_tests;

struct server_tests_face {
	void *context;
	/* IPC_TESTED rows, then IPC_REPLY, all with the test's seq. */
	void (*send)(void *context, const void *ipc);
};

/* NULL: out of memory. */
struct server_tests *server_tests_new(struct loop *loop, struct targets *targets,
	const struct server_tests_face *face, struct dials *dials);
/* Stops all without a word. NULL is allowed. */
void server_tests_free(struct server_tests *tests);
/* Stops all: a new control has other questions under the same numbers. */
void server_tests_stop(struct server_tests *tests);
/* Begins a test; the secret in it is kept until its end. 0, or -errno and nothing is told: -ENOENT:
 * no such server or it has no host yet; -EBUSY: so many are running already. */
int server_tests_begin(struct server_tests *tests, const struct ipc_test *ipc);

#endif
