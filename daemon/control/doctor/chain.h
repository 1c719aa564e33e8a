/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what the facts (foreign/foreign.c) say of one chain of another program: which rules stand in
 * it, and what becomes of a packet there. */
#ifndef POSTERN_DAEMON_CONTROL_DOCTOR_CHAIN_H
#define POSTERN_DAEMON_CONTROL_DOCTOR_CHAIN_H

#include "daemon/control/doctor/advice.h"

#define CHAIN_JUMPS_MAX 16 /* as deep as the kernel goes */

/* "FAMILY TABLE CHAIN HANDLE WHAT all|some|port FROM" of the facts `accepts`, `takes`, `closes`,
 * `picks`, `jumps`. */
struct chain_rule {
	char family[16], table[180], chain[180];
	uint64_t handle;
	char what[180], extent[8], interface[64];
};

/* The next fact of this word about packets to a port, as examination_fact() has it. */
const char *chain_fact(const struct examination *exam, uint16_t port, const char *word, size_t *at);
bool chain_read(const char *fact, struct advice_chain *chain);
bool chain_read_rule(const char *fact, struct chain_rule *rule);
/* Do packets from a zone come by what FROM has in it? */
bool chain_is_from_zone(const struct examination *exam, const char *from);
/* The base chain in which a rule stands, or one from which a jump leads to its chain. */
bool chain_find_base(const struct examination *exam, uint16_t port, const struct chain_rule *rule,
	struct advice_chain *chain, unsigned depth);
/* Does a rule of the chain, before the fact at `end`, or a rule of a chain that it may jump to,
 * accept by this condition? */
bool chain_accepts(const struct examination *exam, const struct advice_chain *chain,
	const char *what, size_t end);
/* Does the chain refuse what is steered from any interface of a zone? */
bool chain_refuses_steered(const struct examination *exam, const struct advice_chain *chain);
/* Is what is steered from all interfaces of zones decided before it comes to the rule of this fact?
 */
bool chain_never_meets(const struct examination *exam, uint16_t port,
	const struct advice_chain *chain, size_t rule);
/* Where in the facts the chain stops letting go on what it has not named: the fact behind its last
 * rule with policy drop, or a rule that closes it. false: nowhere. */
bool chain_is_closed(const struct examination *exam, const struct advice_chain *chain, size_t *end);
/* Does nobody come by any interface to this port of the gateway itself? Who may come by some is the
 * operator's to say. */
bool chain_refuses_all(
	const struct examination *exam, const struct advice_chain *chain, uint16_t port, bool udp);

#endif
