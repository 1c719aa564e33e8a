/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns which protected domain a recipient belongs to, and so in which direction a message goes.
 * Private to lib/policy/decide/ and lib/policy/proof/. */
#ifndef POSTERN_LIB_POLICY_DECIDE_DOMAIN_H
#define POSTERN_LIB_POLICY_DECIDE_DOMAIN_H

#include "lib/policy/decide/decide.h"

struct decide_domain {
	ptrdiff_t index;   /* -1: of none, so that mail to it is outgoing */
	bool takes;        /* the domain has such a recipient; true where index is -1 */
	uint64_t until_ms; /* holds until then; 0: no end */
};

/* Of the longest name that its domain is, or lies below; a whole name is longer than what is above
 * it. <postmaster> alone belongs to the first domain. Its recipients are compared by their keys
 * (smtp/path.h); postmaster and what SRS made of an address are taken by each. */
void decide_domain_of(const struct decide_world *world, const struct smtp_path *path,
	uint64_t now_ms, struct decide_domain *domain);

#endif
