/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the lines that doctor gives to be pasted against another program's chain: in nft's words or
 * in iptables', and where a firewall manager makes the table, in that manager's, since what is put
 * in beside it goes with its next reload. */
#ifndef POSTERN_DAEMON_CONTROL_DOCTOR_ADVICE_H
#define POSTERN_DAEMON_CONTROL_DOCTOR_ADVICE_H

#include "daemon/control/doctor/examination.h"

#include "lib/base/addr.h"
#include "lib/policy/mark.h"

#include <stdbool.h>
#include <stdint.h>

/* "FAMILY TABLE CHAIN TYPE HOOK PRIORITY POLICY DEVICE" of the fact `chain`. */
struct advice_chain {
	char family[16], table[180], name[180];
	char type[32], hook[32], policy[16], device[64];
	int priority;
};

/* Lines to paste. */
struct advice {
	char text[4096];
	size_t len;
};

/* One line; one that does not fit is left out whole. */
void advice_put_line(struct advice *advice, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Lets in or out what meets a condition. */
void advice_put_accept(struct advice *advice, const struct examination *exam,
	const struct advice_chain *chain, const char *nft, const char *iptables);
/* By the packet's mark ("meta mark", "mark") or the connection's ("ct mark", "connmark"). */
void advice_put_mark(struct advice *advice, const struct examination *exam,
	const struct advice_chain *chain, enum mark mark, const char *nft, const char *iptables);
/* Can whoever makes the chain's table let packets through by a mark? */
bool advice_knows_marks(const struct examination *exam, const struct advice_chain *chain);
/* Has a rule that writes a mark ("meta mark", "MARK") keep bits of it. value: the others; not a
 * number: they are not always the same. */
void advice_put_kept(struct advice *advice, const struct examination *exam,
	const struct advice_chain *chain, const char *nft, const char *iptables, uint32_t kept,
	const char *value);
/* Lets connections to a host out, where the chain sees its family. */
void advice_put_host(struct advice *advice, const struct examination *exam,
	const struct advice_chain *chain, const struct addr *addr, unsigned port);

#endif
