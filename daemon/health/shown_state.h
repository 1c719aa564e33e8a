/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what a host is to the flows of one level: its state, by what rounds of probes find and by
 * what flows say, and the state that was last shown.
 *
 * probed: its server has probes. Without them a host has no state but that it must never be used,
 * and is not put behind others; but that nobody gets through to it is no secret. wall_ms: now. */
#ifndef POSTERN_DAEMON_HEALTH_SHOWN_STATE_H
#define POSTERN_DAEMON_HEALTH_SHOWN_STATE_H

#include "daemon/health/probe.h"
#include "lib/ipc/replica.h"

struct shown_state {
	struct target_standing standing;
	uint8_t clients;     /* enum target_clients */
	bool failing;        /* not probed, and the last try of it failed */
	uint8_t shown_state; /* as last told, with its beginning */
	uint64_t shown_since_ms;
	/* in the round at hand */
	bool worked, missed, refused;
	char why[TARGET_TEXT_SIZE];
};

/* Nothing is known. What was shown stays shown. */
void shown_state_forget(struct shown_state *shown_state);
/* A round begins; each of its addresses; and it ends. */
void shown_state_begin_round(struct shown_state *shown_state);
void shown_state_take(struct shown_state *shown_state, bool probed, enum target_outcome outcome,
	const struct probe_result *result, const char *text, uint64_t wall_ms);
void shown_state_end_round(struct shown_state *shown_state, bool probed, uint64_t wall_ms);
/* A flow says so. False: nothing new. */
bool shown_state_worked(struct shown_state *shown_state, bool probed, uint64_t wall_ms);
void shown_state_failed(
	struct shown_state *shown_state, bool probed, const char *text, uint64_t wall_ms);
/* As another health process showed it. */
void shown_state_seed(struct shown_state *shown_state, const struct ipc_target_read *told);
/* True: another one was shown. */
bool shown_state_show(struct shown_state *shown_state, enum target_state state, uint64_t wall_ms);

#endif
