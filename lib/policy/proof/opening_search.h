/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the search for a client that is redirected by one policy and passes under another. Private
 * to lib/policy/proof/. */
#ifndef POSTERN_LIB_POLICY_PROOF_OPENING_SEARCH_H
#define POSTERN_LIB_POLICY_PROOF_OPENING_SEARCH_H

#include "lib/policy/decide/decide.h"

/* 0 is of the running policy, 1 of the coming one. */
struct opening_search {
	struct decide_world world[2];
	size_t zone[2];
	/* NULL: any user; else who the client is on either side, and the device that it is, known
	 * by this MAC or, where that is not set, by its addresses */
	const struct session *known[2];
	const struct policy_device *device;
	struct mac mac;
	bool unknown; /* nobody knows the client on the coming side, and it passes */
	uint64_t now_ms;
	uint64_t left;   /* rules that may still be looked at; 0: not all could be */
	ptrdiff_t found; /* the coming rule that lets pass; -1: none does */
};

/* A client that r takes and p lets pass, p NULL: that comes to where no rule takes it; or, if there
 * is none or none could be found in time, false. */
bool opening_search(
	struct opening_search *search, const struct policy_rule *r, const struct policy_rule *p);

#endif
