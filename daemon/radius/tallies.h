/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what is counted of each radius of the policy, for control. */
#ifndef POSTERN_DAEMON_RADIUS_TALLIES_H
#define POSTERN_DAEMON_RADIUS_TALLIES_H

#include "lib/ipc/radius.h"

struct radius;

struct tally {
	struct ipc_radius_state told; /* as it is told next */
	bool changed;
};

/* Begins as {0}. */
struct tallies {
	struct tally *v; /* of the policy's radiuses, in its order */
	size_t n;
};

void tallies_fini(struct tallies *tallies);
/* Those of the same name go on. */
void tallies_follow(struct tallies *tallies, const struct policy *policy);
/* By the policy's index; NULL: out of memory when the policy came. */
struct tally *tallies_at(struct tallies *tallies, size_t index);
void tallies_tell(struct radius *radius);
void tallies_tell_again(struct tallies *tallies);

#endif
