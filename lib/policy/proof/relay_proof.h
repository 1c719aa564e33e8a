/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the proof that no stranger is relayed: the decision itself, asked about every trick that is
 * known to open a relay. Run at every apply; whatever it finds refuses it. */
#ifndef POSTERN_LIB_POLICY_PROOF_RELAY_PROOF_H
#define POSTERN_LIB_POLICY_PROOF_RELAY_PROOF_H

#include "lib/policy/proof/relay.h"
#include "lib/policy/schedule.h"

/* What stands behind "RCPT TO:", with $O for a protected domain and $F for a foreign one. */
extern const char *const relay_tricks[];
size_t relay_tricks_count(void);

/* Asks about each listener, and each zone with a rule of `user none`: a stranger, whom no source of
 * a rule permits and who has no login, sends to each trick, from several senders, now. lists NULL:
 * none of them holds anything. false: the proof holds. Else text says who could send what where. */
bool relay_proof_fails(const struct policy *policy, const struct lists *lists,
	schedule_local *local, uint64_t now_ms, int64_t calendar_ahead_ms,
	char text[static RELAY_TEXT_SIZE]);

#endif
