/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns asking DNS servers: c-ares on the loop. One question, one answer; nothing is kept. */
#ifndef POSTERN_DAEMON_HEALTH_NAMES_RESOLVE_H
#define POSTERN_DAEMON_HEALTH_NAMES_RESOLVE_H

#include "daemon/base/loop.h"
#include "lib/dns/dns.h"

struct resolve;

/* id: as given to resolve_ask(). No question may be asked from within. */
typedef void resolve_done(void *context, uint32_t id, const struct dns_answer *answer);

/* Reads /etc/resolv.conf (its servers and options): the only time. A server that does not answer
 * within 1.5 s, the next time 3 s, is asked so many times in all. *out is to be closed. 0 or
 * -errno. */
int resolve_open(struct loop *loop, uint64_t *counters, unsigned tries, resolve_done *done,
	void *context, struct resolve **out);
/* NULL is allowed. Nothing is answered any more. */
void resolve_close(struct resolve *resolve);
/* Asks for an absolute name. done() is called exactly once, possibly before this returns. */
void resolve_ask(struct resolve *resolve, uint32_t id, const char *name, enum dns_type type);

#endif
