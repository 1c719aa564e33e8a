/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns which base chains and rules of other programs a dump has, to be walked through. */
#ifndef POSTERN_DAEMON_CONTROL_DOCTOR_FOREIGN_CHAINS_H
#define POSTERN_DAEMON_CONTROL_DOCTOR_FOREIGN_CHAINS_H

#include "daemon/control/doctor/foreign/bytes.h"

#include "lib/base/addr.h"

/* As deep as the kernel goes from chain to chain. */
#define FOREIGN_DEPTH_MAX 16

struct foreign_chain {
	uint32_t family, hook;
	const char *table, *name, *type;
	bool drops; /* by its policy */
	int32_t priority;
};

struct foreign_chain_rule {
	uint32_t family;
	const char *table, *chain;
	uint64_t handle;
	const struct nlattr *expressions;
};

struct foreign_chains {
	struct foreign_dump dump;
	size_t nchains, nrules;
	struct foreign_chain *chains; /* those with a hook */
	struct foreign_chain_rule *rules;
};

/* Do packets of this family come to the chain? */
bool foreign_chain_sees(const struct foreign_chain *chain, enum addr_family family);
/* The dump is borrowed. NULL: no memory. */
struct foreign_chains *foreign_chains_new(const struct foreign_dump *dump);
void foreign_chains_free(struct foreign_chains *chains); /* NULL is allowed */

#endif
