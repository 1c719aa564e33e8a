/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns to whom an answer about a login page goes: not to another process in the place of the one
 * that asked. */
#ifndef POSTERN_DAEMON_CONTROL_PORTAL_ASKER_H
#define POSTERN_DAEMON_CONTROL_PORTAL_ASKER_H

#include "lib/ipc/core.h"

struct peer;

struct portal_asker {
	struct peer *web;
	uint32_t generation, seq;
};
struct portal_asker portal_asker_of(struct peer *web, const struct ipc_header *ipc);
void portal_reply(const struct portal_asker *asker, int status, const char *text);
/* ipc: whose seq is set here. */
void portal_answer(const struct portal_asker *asker, void *ipc);

#endif
