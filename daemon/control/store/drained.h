/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns which hosts of the servers the operator has drained: they take no new flows, whatever policy
 * and probes say, until they are enabled again. Kept in the state folder. */
#ifndef POSTERN_DAEMON_CONTROL_STORE_DRAINED_H
#define POSTERN_DAEMON_CONTROL_STORE_DRAINED_H

#include "daemon/control/peers/question.h"
#include "lib/ipc/replica.h"

struct control;
struct drained;

#define DRAINED_MAX 1024

struct drained_line {
	uint64_t since_ms;
	char server[POLICY_NAME_SIZE];
	char host[TARGET_NAME_SIZE];
	uint16_t port; /* 0: all of the host's */
};

/* A line of the state folder: "SINCE SERVER HOST", and a port if one is meant. */
struct fields;
bool drained_parse(struct fields *line, struct drained_line *to);
/* What was on before the restart. NULL: out of memory. */
struct drained *drained_open(struct control *control);
void drained_free(struct drained *drained);

/* host as it is shown. Wall clock: since when this port is; 0: it is not drained. Port 0: since
 * when the host is with all its ports. */
uint64_t drained_since(
	const struct drained *drained, const char *server, const char *host, uint16_t port);
/* Is the host, or one of its ports? */
bool drained_host(const struct drained *drained, const char *server, const char *host);
/* Is any host of the server? */
bool drained_any(const struct drained *drained, const char *server);
/* Sets the byte in each of the server's n targets. */
void drained_mark(
	const struct drained *drained, const char *server, struct ipc_target *v, size_t n);
/* One port, or with port 0 the host whatever its ports. A part of the gather: over when it is on
 * the disk. 0, -EALREADY: it is so, -ENOSPC: too many, -EBUSY: to enable a port of a host that is
 * drained as a whole; with an error the gather gets no part. */
int drained_set(struct drained *drained, const char *server, const char *host, uint16_t port,
	bool on, struct gather *gather);

#endif
