/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the proof that process auth found out who logs in at a portal. Control hears of it by web,
 * which speaks with all the world: with it web can log in whom auth knows by his password, where he
 * came from, for a moment, and without it nobody. */
#ifndef POSTERN_LIB_AUTH_AFFIRM_H
#define POSTERN_LIB_AUTH_AFFIRM_H

#include "lib/base/addr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AFFIRM_KEY_SIZE 32
#define AFFIRM_SUM_SIZE 32
#define AFFIRM_FOR_MS   30000

/* What is affirmed. */
struct affirmed {
	const char *portal;
	struct addr place, client; /* the device (portal_place()), and its address */
	const uint8_t *session;    /* who it is, encoded */
	size_t session_bytes;
};

struct affirm {
	uint64_t at_ms; /* monotonic, one clock for all processes */
	uint8_t sum[AFFIRM_SUM_SIZE];
};

void affirm_make(const uint8_t key[static AFFIRM_KEY_SIZE], const struct affirmed *affirmed,
	uint64_t now_ms, struct affirm *affirm);
bool affirm_check(const uint8_t key[static AFFIRM_KEY_SIZE], const struct affirmed *affirmed,
	uint64_t now_ms, const struct affirm *affirm);

#endif
