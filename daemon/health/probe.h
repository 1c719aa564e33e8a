/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the connections that probe hosts: one address at a time, as a flow would reach it, once for
 * each kind of client whose identity is announced. */
#ifndef POSTERN_DAEMON_HEALTH_PROBE_H
#define POSTERN_DAEMON_HEALTH_PROBE_H

#include "daemon/health/dial.h"
#include "daemon/tls/secure.h"
#include "lib/smtp/probe/dialogue.h"

#define PROBES_MAX 16 /* at a time */

struct probe;
struct probes;

struct probe_order {
	struct endpoint host;
	struct addr bind; /* ADDR_NONE: routing decides */
	bool foreign;     /* bind is a client's: the one of its family is asserted, too */
	enum policy_announce announce;
	bool login;
	bool read;                  /* flows that are read come there, too: dialogue.h */
	struct endpoint clients[2]; /* IPv4, IPv6: asserted with announce */
	uint32_t connect_ms, reply_ms;
	const char *hostname;
	struct secure_order tls; /* borrowed for the call */
};

struct probe_result {
	enum target_outcome outcome;
	bool read;       /* what flows that are read find there is known beside what it forges */
	uint8_t clients; /* enum target_clients: taken */
	uint8_t missed;  /* of the others, those that were not refused: a probe failed */
	uint8_t forges;  /* enum smtp_offer: what it shows to any of them that none may say there */
	uint8_t offers;  /* enum smtp_offer: shown to each of them, of those that clients ask for */
	uint32_t latency_us;
	char text[TARGET_TEXT_SIZE];
	bool saw_tls; /* as far as that it came */
	struct tls_seen tls;
};

typedef void probe_done(void *context, const struct probe_result *result);

/* NULL: out of memory. */
struct probes *probe_open(struct loop *loop, uint64_t *counters, struct dials *dials);
/* Stops all. NULL is allowed. */
void probe_close(struct probes *probes);
/* NULL: all PROBES_MAX are in use. done() comes once, never from within this call; the probe is
 * then gone. */
struct probe *probe_begin(
	struct probes *probes, const struct probe_order *order, probe_done *done, void *context);
/* Without a word to anybody. */
void probe_stop(struct probe *probe);

#endif
